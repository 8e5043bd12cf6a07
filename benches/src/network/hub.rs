//! A hub as a server: so many cores, one queue, first come first served.

/// A hub's cores.
#[derive(Clone, Debug)]
pub struct Cores {
    /// When each has done what it has taken.
    free: Vec<u64>,
    /// How long all of them have worked, in nanoseconds.
    pub busy: u64,
}

impl Cores {
    /// So many idle ones.
    pub fn new(count: usize) -> Self {
        Self { free: vec![0; count.max(1)], busy: 0 }
    }

    /// Work of `cost` that comes at `now`, not before what has come already: when it is done. The
    /// core that is free first takes it.
    pub fn serve(&mut self, now: u64, cost: u64) -> u64 {
        let Some(first) = self.free.iter_mut().min() else { return now };
        *first = now.max(*first).saturating_add(cost);
        self.busy = self.busy.saturating_add(cost);
        *first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::random::Random;

    #[test]
    fn work_should_wait_for_the_core_that_is_free_first() {
        let mut cores = Cores::new(2);
        assert_eq!(cores.serve(0, 10), 10);
        assert_eq!(cores.serve(1, 20), 21);
        assert_eq!(cores.serve(2, 10), 20, "behind the first one");
        assert_eq!(cores.serve(30, 5), 35, "nobody waits");
        assert_eq!(cores.busy, 45);
    }

    /// Mean waiting time in units of a cost of 1,000 with Poisson arrivals.
    fn mean_wait(cores: usize, percent: u64) -> u64 {
        const COST: u64 = 1_000;
        const CALLS: u64 = 2_000_000;
        let mut random = Random::new(4);
        let mut hub = Cores::new(cores);
        let every = COST * 100 / percent / u64::try_from(cores).unwrap();
        let (mut now, mut waited) = (0, 0);
        for _ in 0..CALLS {
            now += random.pause(every);
            waited += hub.serve(now, COST) - now - COST;
        }
        waited / CALLS
    }

    #[test]
    fn waits_should_be_those_of_an_m_d_1_queue_when_there_is_one_core() {
        // Pollaczek–Khinchine: ρ / (2 (1 - ρ)) of the cost.
        for (percent, expected) in [(50, 500), (80, 2_000), (90, 4_500)] {
            let wait = mean_wait(1, percent);
            let near = expected * 95 / 100..=expected * 105 / 100;
            assert!(near.contains(&wait), "{percent} %: {wait}, not {expected}");
        }
    }

    #[test]
    fn waits_should_be_about_half_those_of_m_m_2_when_there_are_two_cores() {
        // M/M/2 waits ρ² / (1 - ρ²) of the cost; M/D/2 about half of it (Cosmetatos' correction: 7 %
        // more at 80 %).
        let wait = mean_wait(2, 80);
        assert!((860..=970).contains(&wait), "{wait}");
    }
}
