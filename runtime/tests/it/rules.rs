//! Rules of `protocol.md` that an attack on the model brought about, over the whole chain: one test
//! per tag at least, if not here then where `docs/scenarios.md` says.

use crate::{chain::*, stage::*};
use failsafe_primitives::{AssetId, Balance, Close, Entry, Evidence, Simplex, LIMIT, NATIVE_ASSET};
use failsafe_runtime::{Custody, Debt, Parameters, Runtime, RuntimeCall, RuntimeEvent, FRB, FRD};
use pallet_assets::Call as Assets;
use pallet_insurance::{Error, Event};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Ferdie};

/// A close of one asset with this last valid clock, signed by `partner`.
fn close_until(
    channel: &Channel<'_>,
    partner: &Party,
    valid_until: u64,
    (asset, offdelta): (AssetId, i128),
) -> RuntimeCall {
    let offdeltas = vec![(asset, offdelta)].try_into().expect("one");
    let close = Close { valid_until, offdeltas };
    let signature = partner.sign(&channel.context.close_message(&close));
    pallet_insurance::Call::close { partner: partner.id(), close, signature }.into()
}

/// With the whole delta in it, a close signed before a deposit gave that to the other side.
#[test]
fn m2_close_should_leave_a_deposit_to_its_owner_when_it_was_signed_before() {
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (100, 100));
        fund(chain, asset, left, 50);
        // Left owns 60.
        let close = close_until(&channel, left, 1_000, (asset, units(-40)));
        assert_eq!(chain.one(left.does(deposit_of(asset, 50 * FRD, left, right))), Ok(()));
        assert_eq!(chain.one(right.does(close)), Ok(()));
        assert_eq!((has(asset, left), has(asset, right)), (110, 40));
    });
}

/// An issuer of `asset`, who is right of `other`, has put as much of a currency of his own into
/// their channel as there can be.
fn with_junk(chain: &mut Chain, other: &Party, issuer: &Party) -> AssetId {
    let junk = pallet_assets::NextAssetId::<Runtime>::get().expect("numbered");
    let id = || junk.into();
    let (admin, min_balance) = (issuer.address(), 1);
    let mint = |amount| Assets::mint { id: id(), beneficiary: issuer.address(), amount };
    chain.all(vec![
        issuer.does(Assets::create { id: id(), admin, min_balance }),
        issuer.does(mint(4 * LIMIT)),
        issuer.does(deposit_of(junk, LIMIT, other, issuer)),
    ]);
    // Not one unit more, for whichever side.
    for (beneficiary, partner) in [(other, issuer), (issuer, other)] {
        let more = deposit_of(junk, 1, beneficiary, partner);
        let refused = Err(Error::<Runtime>::LimitExceeded.into());
        assert_eq!(chain.one(issuer.does(more)), refused);
    }
    junk
}

/// A junk asset in the channel could make the resolve overflow, or be refused, and so keep the
/// money of the other assets for ever.
#[test]
fn m3_resolve_should_pay_every_asset_when_one_is_huge_frozen_or_refuses() {
    for frozen in [false, true] {
        on(STORY, |chain| {
            let [other, issuer] = &Party::strangers(2)[..] else { panic!("two") };
            for who in [other, issuer] {
                fund(chain, NATIVE_ASSET, who, 100);
            }
            let junk = with_junk(chain, other, issuer);
            assert_eq!(chain.one(other.does(deposit(50 * FRD, other, issuer))), Ok(()));
            let channel = Channel::new(other, issuer);
            if frozen {
                let freeze = Assets::freeze_asset { id: junk.into() };
                assert_eq!(chain.one(issuer.does(freeze)), Ok(()));
            }
            // Right has sent as much as can be sent, too: delta is far beyond the insurance.
            let simplex = |amount, native| {
                let entries = vec![Entry::sent(NATIVE_ASSET, native), Entry::sent(junk, amount)];
                Simplex { nonce: 1, entries: entries.try_into().expect("two") }
            };
            let evidence =
                both(&channel, other, &simplex(0, 20 * FRD), (issuer, &simplex(LIMIT, 0)));
            assert_eq!(chain.one(other.does(dispute(&channel, issuer, evidence))), Ok(()));
            chain.run_until_resolved(&channel);
            let native = (has(NATIVE_ASSET, other), has(NATIVE_ASSET, issuer));
            // 10 of the issuer's are the deposit for its asset.
            assert_eq!(native, (80, 110));
            let delivered = free(junk, other) + Custody::unclaimed(other.id(), junk);
            let owed = Debt::owed_to(issuer.id(), other.id(), junk);
            assert_eq!(delivered + owed, 2 * LIMIT);
            assert_eq!(Custody::unclaimed(other.id(), junk) > 0, frozen);
        });
    }
}

/// A dispute, or a part of it, that a tip let somebody else bring first made the honest one fail
/// with all that travelled with it.
#[test]
fn m6_dispute_should_count_as_counter_when_the_partner_was_faster() {
    in_both(|chain, asset, [user, hub]| {
        let channel = channel_at(chain, asset, [user, hub], (100, 100));
        let newest = channel.theirs(user, &sent_in(asset, 7, 70 * FRD));
        let honest = dispute(&channel, user, newest);
        // The user brings its own n5 first, in the same block.
        let faster = dispute(&channel, hub, acked(&channel, user, &sent_in(asset, 5, 50 * FRD)));
        let batched = batch(vec![honest.clone()], pallet_batch::Mode::SkipFailed);
        for hubs in [honest, batched] {
            chain.trial(|chain| {
                let results = chain.block(vec![user.does(faster.clone()), hub.does(hubs.clone())]);
                assert_eq!(results, vec![Ok(Ok(())), Ok(Ok(()))]);
                // The same once more is skipped, and is no error.
                assert_eq!(chain.one(hub.does(hubs)), Ok(()));
                let skipped = |event: &_| {
                    matches!(event, RuntimeEvent::Insurance(Event::SimplexSkipped { .. }))
                };
                assert!(events().iter().any(skipped));
                chain.run_until_resolved(&channel);
                assert_eq!((has(asset, user), has(asset, hub)), (30, 70));
            });
        }
    });
}

/// Without a number in it, nobody could tell two reservations of the same amount apart.
#[test]
fn m9_proof_should_count_once_and_only_when_its_number_is_due() {
    in_both(|chain, asset, [user, hub]| {
        let channel = channel_at(chain, asset, [user, hub], (100, 100));
        let items = [(asset, 10 * FRD, 0)];
        let proof = |nonce| withdrawal_until(&channel, (user, hub), (nonce, 1_000), &items);
        let refused = Err(Error::<Runtime>::WrongWithdrawalNonce.into());
        for (nonce, result) in [(1, refused), (0, Ok(())), (0, refused), (2, refused), (1, Ok(()))]
        {
            assert_eq!(chain.one(user.does(proof(nonce))), result, "{nonce}");
        }
        assert_eq!(has(asset, user), 20);
    });
}

/// One nonce for both let a spender front-run the hub's rebalance with a proof over one unit.
#[test]
fn m11_rebalance_should_go_through_when_the_spender_withdraws_first() {
    in_both(|chain, asset, [user, hub, reader]| {
        let channel = channel_at(chain, asset, [user, hub], (100, 100));
        let hubs = channel.withdrawal_of(hub, &[(asset, 60 * FRD, 0)]);
        let users = channel.withdrawal_of(user, &[(asset, FRD, 0)]);
        let read_in_the_pool = hubs.clone();
        let results = chain.block(vec![
            user.does(users),
            reader.does(read_in_the_pool),
            hub.does(atomic(vec![hubs])),
        ]);
        // A proof is good only in the hands of the account that it pays.
        assert!(matches!(results[1], Ok(Err(_))), "{:?}", results[1]);
        assert_eq!((results[0], results[2]), (Ok(Ok(())), Ok(Ok(()))));
        assert_eq!([user, hub, reader].map(|who| has(asset, who)), [1, 60, 0]);
    });
}

/// Out of the channel, a top-up as large as the deposit left the user owing it.
#[test]
fn m12_new_user_should_owe_nothing_when_its_account_was_topped_up() {
    let mut config = genesis_config(STORY);
    let top_up = u64::try_from(1_100 * FRD).expect("fits");
    config["parameters"]["values"]["accountTopUp"] = top_up.into();
    for hub_is_left in [true, false] {
        on_genesis(&config, |chain| {
            let [left, right] = &Party::strangers(2)[..] else { panic!("two") };
            let (hub, user) = if hub_is_left { (left, right) } else { (right, left) };
            fund(chain, NATIVE_ASSET, hub, 3_000);
            assert_eq!(chain.one(hub.does(deposit(1_100 * FRD, user, hub))), Ok(()));
            assert_eq!((has(NATIVE_ASSET, hub), has(NATIVE_ASSET, user)), (800, 1_100));
            let channel = Channel::new(hub, user);
            assert_eq!(channel.collateral().0, 1_100 * FRD);
            let shares = worth(chain, NATIVE_ASSET, [left, right], [0, 0]);
            assert_eq!(shares, if hub_is_left { [0, 1_100] } else { [1_100, 0] });
        });
    }
}

/// A delay that began anew with every counter let a responder with 40 nonces hold the money for
/// hundreds of blocks.
#[test]
fn m13_dispute_should_end_at_its_deadline_when_the_responder_counters_in_every_block() {
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (100, 100));
        let opening = acked(&channel, left, &sent_in(asset, 1, FRD));
        assert_eq!(chain.one(left.does(dispute(&channel, right, opening))), Ok(()));
        let due = now() + Parameters::current().delay_user;
        for nonce in 2.. {
            assert_eq!(channel.view().dispute.expect("open").resolve_at, due);
            let newer = channel.theirs(left, &sent_in(asset, nonce, u128::from(nonce) * FRD));
            assert_eq!(chain.one(right.does(counter(left, newer))), Ok(()));
            if now() + 1 == due {
                break;
            }
        }
        chain.block(vec![]);
        assert_eq!((now(), channel.view().dispute), (due, None));
        assert_eq!((has(asset, left), has(asset, right)), (92, 8));
    });
}

/// Debts in the order of booking let an accomplice, whose dispute the debtor accepted, overtake.
#[test]
fn m16_accomplice_should_not_overtake_when_the_debtor_accepts_his_dispute() {
    in_both(|chain, asset, [honest, debtor, accomplice]| {
        let first = Channel::new(debtor, honest);
        let second = Channel::new(debtor, accomplice);
        let owed = |channel: &Channel<'_>, amount: Balance| {
            dispute(channel, debtor, channel.theirs(debtor, &sent_in(asset, 1, amount * FRD)))
        };
        chain.all(vec![honest.does(owed(&first, 100)), accomplice.does(owed(&second, 1_000_000))]);
        let presented = second.view().dispute.expect("open").digest;
        let accept = pallet_insurance::Call::accept { partner: accomplice.id(), presented };
        assert_eq!(chain.one(debtor.does(accept)), Ok(()));
        assert!(second.view().dispute.is_some(), "it waits for its deadline");
        assert_eq!(Debt::owes(debtor.id()), vec![]);
        chain.run_until_resolved(&first);
        chain.run_until_resolved(&second);
        let income = transfer_of(asset, debtor, 101 * FRD);
        assert_eq!(chain.one(Party::known(Bob).does(income)), Ok(()));
        assert_eq!((has(asset, honest), has(asset, accomplice)), (100, 1));
        // Nor can the accomplice, who owes somebody else, forgive to starve his creditors.
        let third = Channel::new(accomplice, honest);
        let owes = third.theirs(accomplice, &sent_in(asset, 1, 50 * FRD));
        assert_eq!(chain.one(honest.does(dispute(&third, accomplice, owes))), Ok(()));
        chain.run_until_resolved(&third);
        let list = pallet_debt::Debts::<Runtime>::iter();
        let key = list.map(|(key, _)| key).find(|key| key.0 == debtor.id()).expect("a debt");
        let (debtor, asset, opened_in, index) = key;
        let forgive = pallet_debt::Call::forgive { debtor, asset, opened_in, index };
        assert!(chain.one(accomplice.does(forgive)).is_err());
    });
}

#[test]
fn a6_deposit_should_be_refused_when_it_is_to_a_pair_of_one_or_below_the_minimum() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        for (call, error) in [
            (deposit(FRD, &ferdie, &ferdie), Error::<Runtime>::SamePair),
            (
                deposit(failsafe_runtime::EXISTENTIAL_DEPOSIT - 1, &ferdie, &bob),
                Error::AmountTooSmall,
            ),
            (deposit_of(FRB, 0, &ferdie, &bob), Error::AmountTooSmall),
        ] {
            assert_eq!(chain.one(ferdie.does(call)), Err(error.into()));
        }
        assert_eq!(pallet_insurance::Channels::<Runtime>::iter().count(), 0, "no record");
    });
}

#[test]
fn a6_record_should_be_paid_once_and_stay_while_empty_rows_go() {
    on(DEVELOPMENT, |chain| {
        let (ferdie, bob) = (Party::known(Ferdie), Party::known(Bob));
        let rows = || pallet_insurance::Rows::<Runtime>::iter().count();
        let pair_fee = Parameters::current().pair_fee;
        for (round, expected) in [(0, pair_fee), (1, 0), (2, 0)] {
            let had = free(NATIVE_ASSET, &ferdie);
            assert_eq!(chain.one(ferdie.does(deposit(FRD, &ferdie, &bob))), Ok(()));
            let paid = had - free(NATIVE_ASSET, &ferdie) - FRD - fees_paid()[0];
            assert_eq!(paid, expected, "round {round}");
            assert_eq!(rows(), 1);
            let channel = Channel::new(&ferdie, &bob);
            assert_eq!(channel.epoch(), u32::from(round == 2), "the second round ends in one");
            let end = if round == 1 {
                channel.close(&ferdie, 0)
            } else {
                channel.withdrawal(&ferdie, FRD, 0)
            };
            assert_eq!(chain.one(ferdie.does(end)), Ok(()));
            assert_eq!(rows(), 0);
            assert_eq!(pallet_insurance::Channels::<Runtime>::iter().count(), 1);
        }
    });
}

/// The boundaries of every deadline, so that two implementations agree on them.
#[test]
fn a7_deadlines_should_be_exact_when_the_clock_reaches_them() {
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (100, 100));
        // Co-signed close: `valid_until` is the last clock.
        let until = now() + 3;
        let close = || close_until(&channel, left, until, (asset, 0));
        chain.run_to_clock(until - 1);
        assert_eq!(chain.trial(|chain| chain.one(right.does(close()))), Ok(()));
        chain.run_to_clock(until);
        let expired = Err(Error::<Runtime>::Expired.into());
        assert_eq!(chain.one(right.does(close())), expired);
        // Counter while clock < resolve_at, resolve from clock = resolve_at on.
        assert_eq!(chain.one(left.does(dispute(&channel, right, Evidence::default()))), Ok(()));
        let due = channel.view().dispute.expect("open").resolve_at;
        let evidence = channel.theirs(left, &sent_in(asset, 1, 30 * FRD));
        let (a, b) = (left.id(), right.id());
        let resolve = || pallet_insurance::Call::resolve { left: a.clone(), right: b.clone() };
        chain.run_to_clock(due - 2);
        chain.trial(|chain| {
            let results = chain
                .block(vec![right.does(counter(left, evidence.clone())), left.does(resolve())]);
            assert_eq!(now(), due - 1);
            assert_eq!(results[0], Ok(Ok(())));
            assert_eq!(results[1], Ok(Err(Error::<Runtime>::TooEarly.into())));
        });
        chain.run_to_clock(due - 1);
        let results = chain.block(vec![right.does(counter(left, evidence)), left.does(resolve())]);
        assert_eq!(now(), due);
        assert_eq!(results[0], Ok(Err(Error::<Runtime>::TooLate.into())));
        assert_eq!(results[1], Ok(Ok(())));
        assert_eq!((has(asset, left), has(asset, right)), (100, 0));
    });
}

#[test]
fn a8_evidence_should_count_for_known_assets_when_it_names_unknown_ones_too() {
    in_both(|chain, asset, [left, right]| {
        let channel = channel_at(chain, asset, [left, right], (100, 100));
        let mut entries = vec![Entry::sent(asset, 30 * FRD), Entry::sent(77_777, 5 * FRD)];
        entries.sort_by_key(|entry| entry.asset);
        let simplex = Simplex { nonce: 1, entries: entries.try_into().expect("two") };
        let evidence = channel.theirs(left, &simplex);
        assert_eq!(chain.one(right.does(dispute(&channel, left, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        assert_eq!((has(asset, left), has(asset, right)), (70, 30));
        assert_eq!(Debt::owes(left.id()), vec![]);
    });
}

/// One batch per block would have cost the counter a block after a rebalance.
#[test]
fn a12_urgent_calls_should_be_taken_when_their_account_had_a_batch_in_this_block() {
    on(DEVELOPMENT, |chain| {
        let [hub, evil, other] = [Ferdie, Bob, Charlie].map(Party::known);
        chain.all(vec![
            evil.does(deposit(10 * FRD, &evil, &hub)),
            hub.does(deposit(10 * FRD, &hub, &other)),
        ]);
        let (against, own) = (Channel::new(&evil, &hub), Channel::new(&hub, &other));
        assert_eq!(chain.one(evil.does(dispute(&against, &hub, Evidence::default()))), Ok(()));
        let first = failsafe_runtime::System::account_nonce(hub.id());
        let calls = [
            atomic(vec![deposit(FRD, &hub, &other)]),
            counter(&evil, against.theirs(&evil, &sent(1, 3 * FRD))),
            dispute(&own, &other, Evidence::default()),
        ];
        let block = (first..).zip(calls).map(|(nonce, call)| hub.does(call).nonce(nonce));
        let results = chain.block(block.collect());
        assert_eq!(results, vec![Ok(Ok(())); 3]);
        chain.run_until_resolved(&own);
    });
}

/// A payment that left the debtor less than the asset's minimum burnt the rest.
#[test]
fn a15_payment_of_a_debt_should_leave_nothing_or_the_minimum() {
    for (income, creditor_gets, debtor_keeps) in
        [(305, 295, 10), (300, 300, 0), (310, 300, 10), (10, 10, 0)]
    {
        on(DEVELOPMENT, |chain| {
            let [issuer, debtor, creditor] = [Dave, Charlie, Ferdie].map(Party::known);
            let asset = pallet_assets::NextAssetId::<Runtime>::get().expect("numbered");
            let id = || asset.into();
            let (admin, min_balance) = (issuer.address(), 10);
            let mint = |to: &Party, amount| {
                issuer.does(Assets::mint { id: id(), beneficiary: to.address(), amount })
            };
            chain.all(vec![
                issuer.does(Assets::create { id: id(), admin, min_balance }),
                mint(&creditor, 10),
            ]);
            let channel = Channel::new(&debtor, &creditor);
            let evidence = channel.theirs(&debtor, &sent_in(asset, 1, 300));
            let opened = chain.one(creditor.does(dispute(&channel, &debtor, evidence)));
            assert_eq!(opened, Ok(()));
            chain.run_until_resolved(&channel);
            chain.all(vec![mint(&debtor, income)]);
            assert_eq!(free(asset, &creditor), 10 + creditor_gets, "income {income}");
            assert_eq!(free(asset, &debtor), debtor_keeps, "income {income}");
            let supply = pallet_assets::Pallet::<Runtime>::total_supply(asset);
            assert_eq!(supply, 10 + income, "nothing is burnt");
        });
    }
}

/// What no chain can prevent: money in a channel moves between its parties, whatever one owes.
#[test]
fn a16_debtors_channel_money_should_stay_payable_while_its_balance_is_frozen() {
    in_both(|chain, asset, [debtor, creditor, shop]| {
        let channel = channel_at(chain, asset, [debtor, shop], (100, 100));
        let owing = Channel::new(debtor, creditor);
        let evidence = owing.theirs(debtor, &sent_in(asset, 1, 500 * FRD));
        assert_eq!(chain.one(creditor.does(dispute(&owing, debtor, evidence))), Ok(()));
        chain.run_until_resolved(&owing);
        // The debtor has paid 40 to the shop, off chain, and signs a proof over them.
        let proof = channel.withdrawal_of(shop, &[(asset, 40 * FRD, 0)]);
        assert_eq!(chain.one(shop.does(proof)), Ok(()));
        assert_eq!([debtor, creditor, shop].map(|who| has(asset, who)), [0, 0, 40]);
        // The rest is for the creditors when it comes back to the chain.
        let rest = close_until(&channel, shop, 1_000, (asset, units(-40)));
        assert_eq!(chain.one(debtor.does(rest)), Ok(()));
        assert_eq!([debtor, creditor, shop].map(|who| has(asset, who)), [0, 60, 40]);
    });
}

/// A robbed user may have no native money to pay for its counter.
#[test]
fn a19_counter_should_be_free_when_it_changes_the_dispute_and_only_then() {
    on(DEVELOPMENT, |chain| {
        let evil = Party::known(Ferdie);
        let victim = &Party::strangers(1)[0];
        let alice = Party::known(Alice);
        // Enough to be let into the block, not to lose it.
        chain.all(vec![
            alice.does(transfer(victim, FRD)),
            evil.does(deposit(10 * FRD, &evil, victim)),
        ]);
        let channel = Channel::new(&evil, victim);
        assert_eq!(chain.one(evil.does(dispute(&channel, victim, Evidence::default()))), Ok(()));
        let evidence = channel.theirs(&evil, &sent(1, 3 * FRD));
        assert_eq!(chain.one(victim.does(counter(&evil, evidence.clone()))), Ok(()));
        assert_eq!((fees_paid(), free(NATIVE_ASSET, victim)), (vec![0], FRD));
        assert_eq!(chain.one(victim.does(counter(&evil, evidence))), Ok(()));
        assert!(fees_paid()[0] > 0);
        chain.run_until_resolved(&channel);
    });
}
