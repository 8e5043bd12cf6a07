
/// Whether the planted bug of this name is switched on: one at a time, by the environment.
#[doc(hidden)]
pub fn planted(bug: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("FAILSAFE_PLANTED").ok()).as_deref() == Some(bug)
}
