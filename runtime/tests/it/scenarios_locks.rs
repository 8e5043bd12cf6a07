//! Scenarios of section B with hash locks, over the whole chain with its registry of secrets.

use crate::{chain::*, locks::*, stage::*};
use codec::{DecodeAll, Encode};
use failsafe_primitives::{AssetId, Evidence, Side, Simplex};
use failsafe_runtime::{Debt, Parameters, Runtime, RuntimeCall, FRD};
use pallet_insurance::Error;
use sp_keyring::Sr25519Keyring::Bob;

/// S24: (100, 60, −24) at clock 49, and the simplexes of left and right. Towards left there are
/// locks of 7 (H1) and 5 (H2), towards right one of 4 (H3), all until 100.
struct Proof<'a> {
    asset: AssetId,
    left: &'a Party,
    right: &'a Party,
    channel: Channel<'a>,
    simplexes: [Simplex; 2],
}

fn proof(test: impl Fn(&mut Chain, Proof<'_>)) {
    // −24 as one payment, and as a difference.
    for paid in [[24, 0], [30, 6]] {
        in_both(|chain, asset, [left, right]| {
            let channel = channel_at(chain, asset, [left, right], (100, 60));
            chain.run_to_clock(49);
            let lefts = locked(asset, 3, paid[0], &[(4, 3, 100)]);
            let rights = locked(asset, 2, paid[1], &[(7, 1, 100), (5, 2, 100)]);
            test(chain, Proof { asset, left, right, channel, simplexes: [lefts, rights] });
        });
    }
}

impl Proof<'_> {
    /// Reveals these secrets at these clocks, while right disputes at 90. Returns what left and
    /// right get.
    fn play(&self, chain: &mut Chain, reveals: &[(u8, u64)]) -> [u128; 2] {
        chain.trial(|chain| {
            for clock in [50, 60, 90, 100, 101] {
                chain.run_to_clock(clock - 1);
                let due: Vec<_> =
                    reveals.iter().filter(|(_, at)| *at == clock).map(|(n, _)| *n).collect();
                let mut block = vec![];
                if !due.is_empty() {
                    block.push(Party::known(Bob).does(reveal(&due)));
                }
                if clock == 90 {
                    let [lefts, rights] = &self.simplexes;
                    let evidence = both(&self.channel, self.right, rights, (self.left, lefts));
                    block.push(self.right.does(dispute(&self.channel, self.left, evidence)));
                }
                assert!(chain.block(block).iter().all(|result| *result == Ok(Ok(()))));
                assert_eq!(now(), clock);
                let open = self.channel.view().dispute;
                // The delay ends at 98, the locks at 100.
                assert_eq!(open.is_some(), clock == 90 || clock == 100);
                assert!(open.is_none_or(|open| open.resolve_at == 101));
            }
            [self.left, self.right].map(|who| has(self.asset, who))
        })
    }
}

#[test]
fn s24_locks_should_not_count_when_nothing_is_revealed() {
    proof(|chain, all| assert_eq!(all.play(chain, &[]), [36, 64]));
}

#[test]
fn s25_locks_should_count_when_they_are_revealed_in_time() {
    proof(|chain, all| {
        for (reveals, shares) in [
            (&[(1, 50)][..], [43, 57]),
            (&[(1, 50), (2, 100)], [48, 52]),
            (&[(3, 60)], [32, 68]),
            (&[(1, 50), (2, 100), (3, 60)], [44, 56]),
            (&[(1, 101)], [36, 64]),
            (&[(1, 101), (2, 100), (3, 100)], [37, 63]),
        ] {
            assert_eq!(all.play(chain, reveals), shares, "{reveals:?}");
        }
    });
}

#[test]
fn s26_reveal_should_be_unreadable_when_a_secret_has_31_or_33_bytes() {
    on(STORY, |chain| {
        let call = reveal(&[1]);
        let bytes = call.encode();
        assert_eq!(RuntimeCall::decode_all(&mut &bytes[..]), Ok(call));
        let (short, long) = (&bytes[..bytes.len() - 1], [&bytes[..], &[1]].concat());
        assert!(RuntimeCall::decode_all(&mut &short[..]).is_err(), "31 bytes");
        assert!(RuntimeCall::decode_all(&mut &long[..]).is_err(), "33 bytes");
        // Nor do 31 bytes with a 0 behind them open a lock that was made with the 31.
        let secret = [5; 31];
        let mut filled = [0; 32];
        filled[..31].copy_from_slice(&secret);
        let call = pallet_secrets::Call::reveal { secrets: vec![filled].try_into().expect("one") };
        assert_eq!(chain.one(Party::known(Bob).does(call)), Ok(()));
        assert_eq!(revealed(sp_io::hashing::sha2_256(&secret)), None);
        assert!(revealed(sp_io::hashing::sha2_256(&filled)).is_some());
    });
}

#[test]
fn s27_first_reveal_should_stick_when_the_secret_is_revealed_again() {
    on(STORY, |chain| {
        let bob = Party::known(Bob);
        chain.run_to_clock(9);
        assert_eq!(chain.one(bob.does(reveal(&[1]))), Ok(()));
        let keep = Parameters::current().keep;
        let first = revealed(hash(1)).expect("there");
        assert_eq!((first.revealed_at, first.keep_until), (10, 10 + keep));
        chain.run_to_clock(59);
        assert_eq!(chain.one(bob.does(reveal(&[1]))), Ok(()));
        let again = revealed(hash(1)).expect("there");
        assert_eq!((again.revealed_at, again.keep_until), (10, 60 + keep));
        assert_eq!(again.secret, secret(1));
    });
}

#[test]
fn s21_accept_should_be_refused_while_a_lock_may_still_be_revealed() {
    in_both(|chain, asset, [a, b]| {
        let channel = channel_at(chain, asset, [a, b], (100, 100));
        let expiry = now() + 4;
        let n1 = locked(asset, 1, 10, &[(30, 1, expiry)]);
        assert_eq!(chain.one(a.does(dispute(&channel, b, acked(&channel, a, &n1)))), Ok(()));
        let presented = channel.view().dispute.expect("open").digest;
        let accept = || pallet_insurance::Call::accept { partner: a.id(), presented };
        let refused = Err(Error::<Runtime>::LiveLock.into());
        assert_eq!(chain.one(b.does(accept())), refused);
        // Known, or dead: either way there is nothing to wait for.
        chain.trial(|chain| {
            chain.all(vec![b.does(reveal(&[1])), b.does(accept())]);
            assert_eq!((has(asset, a), has(asset, b)), (60, 40));
        });
        chain.run_to_clock(expiry);
        assert_eq!(chain.one(b.does(accept())), Ok(()));
        assert_eq!((has(asset, a), has(asset, b)), (90, 10));
    });
}

/// S29 with a lock of 30 in n5 that counted: n7 has settled it.
#[test]
fn s29_withheld_state_should_move_nothing_when_a_lock_has_counted_already() {
    in_both(|chain, asset, [a, b]| {
        let old = channel_at(chain, asset, [a, b], (100, 100));
        let n5 = locked(asset, 5, 40, &[(30, 1, now() + 10)]);
        chain.all(vec![a.does(dispute(&old, b, acked(&old, a, &n5))), b.does(reveal(&[1]))]);
        chain.run_until_resolved(&old);
        assert_eq!((has(asset, a), has(asset, b)), (30, 70));
        let claim = late_claim(&old, a, &sent_in(asset, 7, 70 * FRD));
        let refused = Err(Error::<Runtime>::NothingToClaim.into());
        assert_eq!(chain.one(b.does(claim)), refused);
        assert_eq!((has(asset, a), has(asset, b)), (30, 70));
    });
}

/// S29 with a lock of 30 in n5 that counted, and n6 that still holds it beside what it sends (finding
/// 6 of docs/model.md). Old: what had counted for the lock was taken off, and n6 was worth nothing.
#[test]
fn s29_withheld_state_should_move_what_it_sends_when_it_still_holds_a_lock_that_counted() {
    in_both(|chain, asset, [a, b]| {
        let old = channel_at(chain, asset, [a, b], (100, 100));
        let lock = (30, 1, now() + 10);
        let n5 = locked(asset, 5, 10, &[lock]);
        chain.all(vec![a.does(dispute(&old, b, acked(&old, a, &n5))), b.does(reveal(&[1]))]);
        chain.run_until_resolved(&old);
        assert_eq!((has(asset, a), has(asset, b)), (60, 40));
        let claim = || late_claim(&old, a, &locked(asset, 6, 25, &[lock]));
        assert_eq!(chain.one(b.does(claim())), Ok(()));
        assert_eq!((has(asset, a), has(asset, b)), (45, 55));
        let refused = Err(Error::<Runtime>::NothingToClaim.into());
        assert_eq!(chain.one(b.does(claim())), refused);
        // The lock is settled: n7 sends no more than has counted. A lock that had not counted is
        // worth nothing, though its secret is known.
        for simplex in [sent_in(asset, 7, 55 * FRD), locked(asset, 8, 55, &[(20, 1, now() + 10)])] {
            assert_eq!(chain.one(b.does(late_claim(&old, a, &simplex))), refused);
        }
        assert_eq!(chain.one(b.does(late_claim(&old, a, &sent_in(asset, 9, 60 * FRD)))), Ok(()));
        assert_eq!((has(asset, a), has(asset, b)), (40, 60));
    });
}

#[test]
fn s32_lock_should_push_into_the_uninsured_when_it_passes_the_insurance() {
    in_both(|chain, asset, [left, right]| {
        fund(chain, asset, right, 3);
        let channel = channel_at(chain, asset, [left, right], (10, 10));
        let simplex = locked(asset, 1, 0, &[(7, 1, now() + 5)]);
        let evidence = channel.theirs(right, &simplex);
        chain.all(vec![left.does(dispute(&channel, right, evidence)), left.does(reveal(&[1]))]);
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, left), has(asset, right)), (13, 0));
        assert_eq!(Debt::owes(right.id()), vec![(asset, 4 * FRD)]);
        assert_eq!(channel.side(left), Side::Left);
    });
}

/// S31 with locks: a dispute without any ends at its delay, though secrets come in.
#[test]
fn s31_dispute_should_end_at_its_delay_when_no_lock_is_in_it() {
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (10, 10));
        let start = now() + 1;
        assert_eq!(chain.one(left.does(dispute(&channel, right, Evidence::default()))), Ok(()));
        assert_eq!(chain.one(right.does(reveal(&[1]))), Ok(()));
        let delay = Parameters::current().delay_user;
        chain.run_to_clock(start + delay - 1);
        assert!(channel.view().dispute.is_some());
        chain.run_to_clock(start + delay);
        assert_eq!(channel.view().dispute, None);
    });
}
