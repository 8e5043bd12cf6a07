// Included in front of libFuzzer's own sources (CXXFLAGS, set by scripts/fuzz). It renames the
// function by which libFuzzer looks into every comparison of memory: storage is a map by long keys,
// so that took more than a third of the time, and the keys help no mutation.
#pragma GCC system_header
extern "C" int memcmp(const void *, const void *, unsigned long) noexcept __asm__("quiet_memcmp");
