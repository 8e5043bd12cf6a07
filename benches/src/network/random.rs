//! Chance, the same for the same seed on every machine: integers only.

/// Bits behind the point of what [`natural`] returns.
const POINT: u32 = 32;
/// ln 2 with so many bits.
const LN_2: u128 = 2_977_044_472;
/// Amounts double at most so often.
const DOUBLINGS: u32 = 20;
/// The least amount, in smallest units.
pub const LEAST: u64 = 100;

/// A generator of numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The one of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`, each as likely as the others; 0 if there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        scale(self.any(), bound)
    }

    /// A number below `bound`, number `i` about 1 / (i + 1) times as likely as number 0: a few are
    /// chosen very often (Zipf's law). Every doubling of the rank is as likely as the one before.
    pub fn popular(&mut self, bound: u64) -> u64 {
        let doublings = u64::from(u64::BITS - bound.leading_zeros());
        loop {
            let first = 1u64 << self.below(doublings.max(1));
            let rank = first + self.below(first);
            if rank <= bound.max(1) {
                return rank - 1;
            }
        }
    }

    /// An amount: twice as much is 7/16 times as likely, so that the tail is that of a Pareto
    /// distribution with exponent 1.19, cut off at 2^21 times the least.
    pub fn amount(&mut self) -> u64 {
        let mut doublings = 0;
        while doublings < DOUBLINGS && self.below(16) < 7 {
            doublings += 1;
        }
        let octave = LEAST << doublings;
        octave + self.below(octave)
    }

    /// The pause until the next of events that come by chance, one every `mean` on average.
    pub fn pause(&mut self, mean: u64) -> u64 {
        let pause = (natural(self.any() | 1) * u128::from(mean)) >> POINT;
        u64::try_from(pause).unwrap_or(u64::MAX)
    }
}

/// The mean of [`Random::amount`], rounded down.
pub fn mean_amount() -> u64 {
    // Middle of the octave, times its chance of (7/16)^k × 9/16, the last one without the 9/16.
    let mut sum = 0u128;
    let mut chance = 1u128 << 64;
    for doublings in 0..=DOUBLINGS {
        let here = if doublings == DOUBLINGS { chance } else { chance / 16 * 9 };
        sum += (u128::from(LEAST << doublings) * 3 / 2) * (here >> 32);
        chance = chance / 16 * 7;
    }
    u64::try_from(sum >> 32).unwrap_or(u64::MAX)
}

/// A fixed number of `bits` as good as random.
pub fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// `bits` of 2^64 of `bound`.
pub fn scale(bits: u64, bound: u64) -> u64 {
    u64::try_from((u128::from(bits) * u128::from(bound)) >> 64).unwrap_or_default()
}

/// -ln(bits / 2^64) with [`POINT`] bits behind the point; `bits` is not 0.
fn natural(bits: u64) -> u128 {
    let zeros = bits.leading_zeros();
    // Between 1 and 2, with 63 bits behind the point: squaring tells a bit of its logarithm.
    let mut mantissa = u128::from(bits) << zeros;
    let mut fraction = 0u128;
    for _ in 0..POINT {
        mantissa = (mantissa * mantissa) >> 63;
        let bit = mantissa >> 64;
        mantissa >>= bit;
        fraction = fraction << 1 | bit;
    }
    let doublings = u128::from(zeros) + 1;
    (((doublings << POINT) - fraction) * LN_2) >> POINT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithm_should_be_that_of_a_table() {
        let as_millionths = |bits| (natural(bits) * 1_000_000) >> POINT;
        assert_eq!(as_millionths(1 << 63), 693_147, "ln 2");
        assert_eq!(as_millionths(1 << 62), 1_386_294, "ln 4");
        assert_eq!(as_millionths(3 << 62), 287_682, "ln 4/3");
        assert_eq!(as_millionths(1), 44_361_419, "64 ln 2");
    }

    #[test]
    fn pauses_should_have_their_mean_and_the_share_of_long_ones_of_an_exponential() {
        let mut random = Random::new(1);
        let pauses: Vec<_> = (0..100_000).map(|_| random.pause(1_000)).collect();
        let sum: u64 = pauses.iter().sum();
        assert!((98_500_000..101_500_000).contains(&sum), "{sum}");
        // 1 / e of them are longer than the mean: 36,788.
        let long = pauses.iter().filter(|pause| **pause > 1_000).count();
        assert!((36_300..37_300).contains(&long), "{long}");
    }

    #[test]
    fn amounts_should_have_the_mean_that_was_reckoned_and_a_heavy_tail() {
        // 9/16 × 150 × (1 + 7/8 + … + (7/8)^19) + 150 × (7/8)^20 = 628.29 + 10.38.
        assert_eq!(mean_amount(), 638);
        let mut random = Random::new(2);
        let amounts: Vec<_> = (0..1_000_000).map(|_| random.amount()).collect();
        let most = amounts.iter().max().copied().unwrap_or_default();
        assert!(most > 1_000 * mean_amount(), "{most}");
        let small = amounts.iter().filter(|amount| **amount < 2 * LEAST).count();
        assert!((560_000..565_000).contains(&small), "9 of 16: {small}");
    }

    #[test]
    fn popular_numbers_should_follow_zipf_when_the_bound_is_a_whole_number_of_doublings() {
        let mut random = Random::new(3);
        let mut seen = [0u32; 7];
        for _ in 0..30_000 {
            seen[usize::try_from(random.popular(7)).unwrap()] += 1;
        }
        // A third each: number 0, numbers 1 and 2, numbers 3 to 6.
        assert!((9_700..10_300).contains(&seen[0]), "{seen:?}");
        assert!((4_750..5_250).contains(&seen[1]), "{seen:?}");
        assert!((2_300..2_700).contains(&seen[6]), "{seen:?}");
    }
}
