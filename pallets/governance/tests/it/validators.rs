//! Sets of validators, session borders, punishment.

use crate::*;
use frame_support::{assert_noop, assert_ok};
use pallet_governance::{slots, Planned, Validators};
use proptest::prelude::*;

fn plan(set: Vec<pallet_governance::Validator>) -> DispatchResult {
    Governance::set_validators(RuntimeOrigin::root(), set.try_into().expect("few"))
}

/// Weights of finality that the consensus was told last.
fn weights() -> Vec<u64> {
    Told::get().1.into_iter().map(|(_, _, weight)| weight).collect()
}

fn shares() -> Vec<u32> {
    Governance::validators().into_iter().map(|validator| validator.shares).collect()
}

#[test]
fn set_should_be_in_force_from_the_next_border_on_when_it_is_planned() {
    four(|p| {
        let changed = [24, 24, 24, 28].iter().zip(p).map(|(shares, who)| validator(who, *shares));
        assert_ok!(plan(changed.collect()));
        let border = Planned::<Test>::get().unwrap().border;
        assert_eq!(border, SESSION);
        while System::block_number() < border - 1 {
            next_block();
            assert_eq!((shares(), weights()), (vec![25; 4], vec![25; 4]));
        }
        next_block();
        assert_eq!((shares(), weights()), (vec![24, 24, 24, 28], vec![24, 24, 24, 28]));
        assert_eq!(Told::get().0.len(), 25, "6, 6, 6 and 7 slots of a round");
    });
}

#[test]
fn set_should_be_refused_when_it_is_not_safe() {
    four(|p| {
        let set = |shares: &[u32]| -> Vec<_> {
            p.iter().zip(shares).map(|(who, shares)| validator(who, *shares)).collect()
        };
        assert_noop!(plan(vec![]), Error::NoValidators);
        assert_noop!(plan(set(&[25, 25, 25, 0])), Error::NoShares);
        assert_noop!(plan(set(&[34, 33, 33])), Error::AboveOneThird);
        assert_ok!(plan(set(&[33, 33, 33])));
        assert_noop!(plan(set(&[1, 1])), Error::TooFewValidators);
        assert_noop!(plan(set(&[65, 64, 64, 64])), Error::TooManyShares);
        let mut twice = set(&[25, 25, 25, 25]);
        twice[3].grandpa = twice[0].grandpa;
        assert_noop!(plan(twice), Error::Duplicate);
        let mut nameless = set(&[25, 25, 25, 25]);
        nameless[1].name = Default::default();
        assert_noop!(plan(nameless), Error::NoName);
        let by_anybody = Validators::default();
        assert!(Governance::set_validators(p[0].origin(), by_anybody).is_err());
    });
}

#[test]
fn validator_should_lose_half_of_its_shares_when_it_is_punished() {
    four(|p| {
        assert!(Governance::punish(&p[1].id()));
        assert_eq!(shares(), [25; 4], "until the border");
        while System::block_number() < SESSION {
            next_block();
        }
        assert_eq!(shares(), [25, 12, 25, 25]);
        assert!(!Governance::punish(&p[4].id()), "not a validator");
    });
}

#[test]
fn validator_should_lose_shares_of_the_planned_set_when_one_is_planned() {
    four(|p| {
        let set: Vec<_> = p[..4].iter().map(|who| validator(who, 10)).collect();
        assert_ok!(plan(set));
        assert!(Governance::punish(&p[0].id()));
        while System::block_number() < SESSION {
            next_block();
        }
        assert_eq!(shares(), [5, 10, 10, 10]);
    });
}

#[test]
fn validator_should_leave_the_set_when_it_loses_its_last_share() {
    with_shares(&[1, 1, 1, 1], |p| {
        assert!(Governance::punish(&p[0].id()));
        while System::block_number() < SESSION {
            next_block();
        }
        assert_eq!(shares(), [1, 1, 1]);
    });
    with_shares(&[1], |p| {
        assert!(Governance::punish(&p[0].id()));
        while System::block_number() < SESSION {
            next_block();
        }
        assert_eq!(shares(), [1], "somebody must make blocks");
    });
}

#[test]
fn slots_should_be_spread_when_shares_differ() {
    let p = Party::ordered(3);
    let set: Vec<_> =
        p.iter().zip([50, 25, 25]).map(|(who, shares)| validator(who, shares)).collect();
    let keys: Vec<_> = set.iter().map(|validator| validator.aura).collect();
    assert_eq!(slots(&set), [keys[0], keys[1], keys[2], keys[0]]);
}

proptest! {
    #[test]
    fn slots_should_be_in_proportion_to_the_shares(
        shares in prop::collection::vec(1..=32u32, 1..8),
    ) {
        let p = Party::ordered(8);
        let set: Vec<_> = p.iter().zip(&shares).map(|(who, s)| validator(who, *s)).collect();
        let slots = slots(&set);
        let total: u32 = shares.iter().sum();
        for validator in &set {
            let own = slots.iter().filter(|key| **key == validator.aura).count();
            prop_assert_eq!(own * total as usize, validator.shares as usize * slots.len());
            // Never far behind: in every beginning of the round it has its part, but for one.
            for length in 0..slots.len() {
                let own = slots[..length].iter().filter(|key| **key == validator.aura).count();
                let due = validator.shares as usize * length / total as usize;
                prop_assert!(own + 1 >= due && own <= due + 2);
            }
        }
    }
}
