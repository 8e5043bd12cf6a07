//! Scenarios of section F over the whole chain: the rebalance of a hub that has nothing.

use crate::{chain::*, stage::*};
use failsafe_primitives::{AssetId, Balance};
use failsafe_runtime::{Runtime, RuntimeCall, RuntimeEvent, FRD};
use pallet_batch::Mode;
use pallet_insurance::Error;

/// S61: the hub has nothing on chain. It owns 800 at Alice and 800 at Bob, whose channels are
/// (1000, 1000, −800), 56 at Carol and 2 at Ingrid; three receivers are owed 1,000, 400 and 150.
struct Rebalance<'a> {
    asset: AssetId,
    hub: &'a Party,
    spenders: [&'a Party; 4],
    receivers: [&'a Party; 3],
}

impl<'a> Rebalance<'a> {
    fn new(chain: &mut Chain, asset: AssetId, parties: [&'a Party; 8]) -> Self {
        let [alice, bob, carol, ingrid, hub, a, b, c] = parties;
        let spenders = [alice, bob, carol, ingrid];
        for user in spenders {
            channel_at(chain, asset, [user, hub], (1_000, 1_000));
        }
        Self { asset, hub, spenders, receivers: [a, b, c] }
    }

    fn withdrawals(&self) -> Vec<RuntimeCall> {
        let proof = |user: &&Party| {
            let channel = Channel::new(user, self.hub);
            channel.withdrawal_of(self.hub, &[(self.asset, 800 * FRD, 0)])
        };
        self.spenders[..2].iter().map(proof).collect()
    }

    fn deposits(&self) -> Vec<RuntimeCall> {
        let deposit = |(user, amount): (&&Party, Balance)| {
            deposit_in_epoch(self.asset, amount * FRD, self.hub, user, 0)
        };
        self.receivers.iter().zip([1_000, 400, 150]).map(deposit).collect()
    }

    /// What the hub has, the insurance of the spenders, and that of the receivers.
    fn state(&self) -> (Balance, [Balance; 4], [Balance; 3]) {
        let insured = |user: &Party| Channel::new(user, self.hub).collateral_in(self.asset).0 / FRD;
        (has(self.asset, self.hub), self.spenders.map(insured), self.receivers.map(insured))
    }
}

/// The same withdrawals, the second with a signature that is not by its partner.
fn spoil(mut withdrawals: Vec<RuntimeCall>, by: &Party) -> Vec<RuntimeCall> {
    let Some(RuntimeCall::Insurance(pallet_insurance::Call::withdraw { proof, .. })) =
        withdrawals.last_mut()
    else {
        panic!("a withdrawal");
    };
    *proof = by.sign(&[0; 32]);
    withdrawals
}

#[test]
fn s61_rebalance_should_leave_the_hub_50_when_it_withdraws_before_it_deposits() {
    in_both(|chain, asset, parties| {
        let all = Rebalance::new(chain, asset, parties);
        let actions = [all.withdrawals(), all.deposits()].concat();
        assert_eq!(chain.one(all.hub.does(atomic(actions))), Ok(()));
        assert_eq!(all.state(), (50, [200, 200, 1_000, 1_000], [1_000, 400, 150]));
        // Alice: (200, 1000, −800), her 200 are left.
        let alice = Channel::new(all.spenders[0], all.hub);
        assert_eq!(alice.collateral_in(asset), (200 * FRD, units(1_000)));
        assert_eq!(worth(chain, asset, [all.spenders[0], all.hub], [800, 0]), [200, 0]);
        for (user, owed) in all.receivers.into_iter().zip([1_000, 400, 150]) {
            // The hub is left of them; all that it owes is insured.
            assert_eq!(worth(chain, asset, [all.hub, user], [owed, 0]), [0, owed]);
        }
    });
}

#[test]
fn s61_rebalance_should_fail_as_a_whole_when_it_deposits_before_it_withdraws() {
    in_both(|chain, asset, parties| {
        let all = Rebalance::new(chain, asset, parties);
        let actions = [all.deposits(), all.withdrawals()].concat();
        assert!(chain.one(all.hub.does(atomic(actions))).is_err());
        assert_eq!(all.state(), (0, [1_000; 4], [0; 3]));
    });
}

#[test]
fn s62_rebalance_should_change_nothing_when_it_is_atomic_and_one_proof_is_bad() {
    in_both(|chain, asset, parties| {
        let all = Rebalance::new(chain, asset, parties);
        let bad = spoil(all.withdrawals(), all.spenders[0]);
        let actions = [bad, all.deposits()].concat();
        let refused = Err(Error::<Runtime>::BadProof.into());
        assert_eq!(chain.one(all.hub.does(atomic(actions))), refused);
        assert_eq!(all.state(), (0, [1_000; 4], [0; 3]));
        let alice = Channel::new(all.spenders[0], all.hub);
        assert_eq!(alice.view().withdrawal_nonces, [0, 0]);
        // Her proof is still good.
        let good = alice.withdrawal_of(all.hub, &[(asset, 800 * FRD, 0)]);
        assert_eq!(chain.one(all.hub.does(good)), Ok(()));
    });
}

#[test]
fn s62_rebalance_should_do_what_it_can_when_it_skips_what_fails() {
    in_both(|chain, asset, parties| {
        let all = Rebalance::new(chain, asset, parties);
        let bad = spoil(all.withdrawals(), all.spenders[0]);
        let actions = [bad, all.deposits()].concat();
        assert_eq!(chain.one(all.hub.does(batch(actions, Mode::SkipFailed))), Ok(()));
        // The old rebalance withdrew 800 and then deposited nothing at all.
        assert_eq!(all.state(), (250, [200, 1_000, 1_000, 1_000], [0, 400, 150]));
        let skipped = |event| match event {
            RuntimeEvent::Batch(pallet_batch::Event::ActionSkipped { index, .. }) => Some(index),
            _ => None,
        };
        let skipped: Vec<_> = events().into_iter().filter_map(skipped).collect();
        assert_eq!(skipped, vec![1, 2], "the bad proof, and the deposit of 1,000");
    });
}
