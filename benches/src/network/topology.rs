//! Which users have which hub, and over which hubs a payment goes.

use super::random::{mix, scale};

/// Hubs by number.
#[derive(Clone, Copy, Debug)]
pub struct Topology {
    /// How many.
    pub hubs: u32,
    /// All have channels with each other. Else they stand in a square, each with channels to those
    /// of its row and its column: with 10,000 hubs these are 198, and no way has more than three.
    pub mesh: bool,
}

/// The hubs of a payment, first the payer's, last the payee's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    hubs: [u32; 3],
    length: usize,
}

impl Way {
    /// Its hubs in order.
    pub fn hubs(&self) -> &[u32] {
        &self.hubs[..self.length]
    }

    /// How often each hub works on it: there, and back with the secret. A single hub is trusted.
    pub fn visits(&self) -> u64 {
        if self.length == 1 {
            1
        } else {
            2
        }
    }

    /// The hub that it comes to after so many; none when it is through.
    pub fn hub_at(&self, been: usize) -> Option<u32> {
        let there = self.hubs();
        match there.get(been) {
            Some(hub) => Some(*hub),
            None if self.length == 1 => None,
            None => there.iter().rev().nth(been - self.length).copied(),
        }
    }
}

impl Topology {
    /// The hub of a user: the largest one has twice as many as the average, the smallest hardly any.
    pub fn hub_of(&self, user: u32) -> u32 {
        let bits = mix(u64::from(user) + 1);
        let pick = |bits| u32::try_from(scale(bits, self.hubs.into())).unwrap_or_default();
        pick(bits).min(pick(mix(bits ^ 0x5bd1_e995)))
    }

    /// Side of the square.
    fn side(&self) -> u32 {
        let root = self.hubs.isqrt();
        root + u32::from(root * root < self.hubs)
    }

    /// The hubs between two, one of the two corners if there is a choice.
    pub fn way(&self, from: u32, to: u32, chance: u64) -> Way {
        if from == to {
            return Way { hubs: [from, 0, 0], length: 1 };
        }
        let side = self.side().max(1);
        let (row, column) = (|hub: u32| hub / side, |hub: u32| hub % side);
        if self.mesh || row(from) == row(to) || column(from) == column(to) {
            return Way { hubs: [from, to, 0], length: 2 };
        }
        let corners = [row(from) * side + column(to), row(to) * side + column(from)];
        // The last row may be shorter than the others: then one corner is missing.
        let chosen = corners[usize::from(chance.is_multiple_of(2))];
        let between = if chosen < self.hubs { chosen } else { corners[0].min(corners[1]) };
        Way { hubs: [from, between, to], length: 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ways_should_use_channels_that_there_are_when_hubs_stand_in_a_square() {
        for hubs in [1, 2, 7, 10, 23, 100] {
            let topology = Topology { hubs, mesh: false };
            let side = topology.side();
            let linked = |a: u32, b: u32| a / side == b / side || a % side == b % side;
            let pairs = (0..hubs).flat_map(|from| (0..hubs).map(move |to| (from, to)));
            for (from, to) in pairs {
                for chance in [0, 1] {
                    let way = topology.way(from, to, chance);
                    let through = way.hubs();
                    assert_eq!((through.first(), through.last()), (Some(&from), Some(&to)));
                    assert!(through.iter().all(|hub| *hub < hubs), "{way:?} of {hubs}");
                    assert!(through.windows(2).all(|two| linked(two[0], two[1])), "{way:?}");
                    let different: BTreeSet<_> = through.iter().collect();
                    assert_eq!(different.len(), through.len(), "{way:?}");
                }
            }
        }
    }

    #[test]
    fn payment_should_come_back_the_way_it_went_unless_one_hub_is_trusted() {
        let topology = Topology { hubs: 9, mesh: false };
        let hubs = |way: Way| (0..).map_while(|been| way.hub_at(been)).collect::<Vec<_>>();
        assert_eq!(hubs(topology.way(4, 4, 0)), [4]);
        assert_eq!(hubs(topology.way(0, 2, 0)), [0, 2, 2, 0]);
        assert_eq!(hubs(topology.way(0, 4, 0)), [0, 3, 4, 4, 3, 0]);
    }

    #[test]
    fn largest_hub_should_have_twice_as_many_users_as_the_average() {
        let topology = Topology { hubs: 10, mesh: true };
        let mut users = [0u32; 10];
        for user in 0..100_000 {
            users[usize::try_from(topology.hub_of(user)).unwrap()] += 1;
        }
        // (2 × 10 - 1) / 100 for the first one, 1 / 100 for the last one.
        assert!((18_600..19_400).contains(&users[0]), "{users:?}");
        assert!((900..1_100).contains(&users[9]), "{users:?}");
    }
}
