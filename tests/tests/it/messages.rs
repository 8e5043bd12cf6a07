//! Scenarios of single messages, at a real hub: its partners are moved by hand, message by message,
//! over the real transport.

use failsafe_channel::{lock::Secret, Message, PaymentId, Purpose, ReturnReason, Sign, Transition};
use failsafe_hub::{
    chain::Call,
    invoice::Body,
    keys::{AccountKey, Scheme},
    party::{Command, CommandError, Party, PartyConfig, Policy},
    rpc::api::InvoiceRow,
    store::{self, FjallStore},
    transport::{self, Identity, TransportError},
};
use failsafe_onion::Reason;
use failsafe_primitives::{
    payload::{ChannelContext, WithdrawalItem},
    simplex::{lock_hash, LockHash},
    AccountId, Balance, Entry, Evidence, Nonce, Pair, Signature, SignedSimplex, Simplex,
    Withdrawal, NATIVE_ASSET,
};
use failsafe_tests::{
    harness::{
        failure,
        peer::{Made, Recipient},
        town::PATIENCE,
        Failure, HubOptions, Peer, Plan, Town,
    },
    story::report::frd,
};
use sp_core::H256;
use std::sync::Arc;

/// One hub, and somebody who pays for insurances.
pub async fn town() -> Result<Town, Failure> {
    let options = HubOptions { credit: "1000".into(), ..HubOptions::default() };
    Plan::story().hub("h", 1_000, options).stranger("friend", 1_000).start().await
}

/// A party whose account is left of the hub.
pub async fn left(town: &Town, name: &str) -> Result<Peer, Failure> {
    let hub = town.hub("h");
    for number in 0.. {
        let suri = format!("//peer//{name}//{number}");
        let account = failsafe_tests::harness::town::account_of(&suri);
        if account < *hub.account() {
            town.add_guest(account);
            return Peer::new(&suri, &town.chain, hub).await;
        }
    }
    Err(failure("accounts do not end"))
}

/// The friend insures so much for the peer: (whole, whole, 0) when the peer is left.
pub async fn insure(town: &Town, peer: &mut Peer, whole: u64) -> Result<(), Failure> {
    let address = format!("{}@h", peer.account());
    town.wallet("friend").on_chain(&["deposit", &whole.to_string(), &address]).await?;
    town.wait_row("the insurance", "h", &peer.account(), |row| row.insurance.0 == frd(whole))
        .await?;
    peer.exchange("the insurance", |peer| {
        peer.channel.state().facts.collateral(NATIVE_ASSET).insurance == frd(whole)
    })
    .await
}

/// Our end of the channel: what is left to send, the difference, our nonce.
pub fn end(peer: &Peer) -> (Balance, i128, Nonce) {
    let row = peer.channel.asset_summary(NATIVE_ASSET);
    (row.can_send, row.offdelta, peer.channel.state().mine.nonce())
}

pub fn whole(amount: i128) -> i128 {
    amount * i128::try_from(frd(1)).expect("small")
}

fn is_update(message: &Message) -> bool {
    matches!(message, Message::Update(_))
}

pub fn is_fulfill(message: &Message) -> bool {
    matches!(message, Message::Fulfill { .. })
}

/// Has `payee` tell the secret of the only lock that it is offered.
pub async fn claim(payee: &mut Peer, secret: Secret) -> Result<(), Failure> {
    payee
        .exchange("the lock is offered", |payee| payee.channel.state().theirs.locks().count() == 1)
        .await?;
    let id = payee.channel.state().theirs.locks().next().expect("one").1.id;
    payee.call(|channel, _| channel.fulfill(id, secret))?;
    payee.flush().await
}

/// S43: (100, 100), A left. A locks 30: nonce 1, 70 left for A and for the hub that mirrors it, nothing
/// moved. Settled: nonce 2, off −30, 70/30. Failed: nonce 2, off 0, 100.
#[tokio::test(flavor = "multi_thread")]
async fn s43_lock_should_hold_then_pay_or_come_back() -> Result<(), Failure> {
    let town = town().await?;
    let mut payee = left(&town, "s43-payee").await?;
    payee.connect(frd(1_000)).await?;
    for (name, paid) in [("s43-a", true), ("s43-b", false)] {
        let mut a = left(&town, name).await?;
        // The hub lends nothing: what A has is insured.
        let me = a.account().to_string();
        a.connect(0).await?;
        let _: serde_json::Value = town.hub("h").ask(&["terms", "0", "--partner", &me]).await?;
        insure(&town, &mut a, 100).await?;
        a.exchange("no credit", |a| a.channel.state().received.current(0).unwrap().credit == 0)
            .await?;
        assert_eq!(end(&a), (frd(100), 0, 0));

        let secret = [if paid { 1 } else { 2 }; 32];
        let made = a.lock_for(&payee.recipient(), frd(30), frd(30), &secret)?;
        a.flush().await?;
        assert_eq!(end(&a), (frd(70), 0, 1));
        let row = town
            .wait_row("the lock", "h", &a.account(), |row| row.locked_by_partner.0 == frd(30))
            .await?;
        assert_eq!((row.can_receive.0, row.offdelta.0), (frd(70), 0), "the hub mirrors it");

        if paid {
            claim(&mut payee, secret).await?;
            let fulfill = a.hear_until("the secret", is_fulfill).await?;
            assert_eq!(fulfill, Message::Fulfill { epoch: 0, id: made.id, secret });
            a.take(fulfill);
            a.call(|channel, ctx| channel.settle(ctx, vec![(made.id, secret)]))?;
            a.exchange("it is settled", |a| a.channel.summary().own_acked == 2).await?;
            assert_eq!(end(&a), (frd(70), whole(-30), 2));
            let row = town.row("h", &a.account()).await?;
            assert_eq!((row.own_insured.0, row.partner_insured.0), (frd(30), frd(70)));
            payee
                .exchange("the hub pays on", |p| {
                    p.channel.asset_summary(0).own_uninsured == frd(30)
                })
                .await?;
        } else {
            payee
                .exchange("the lock is offered", |p| p.channel.state().theirs.locks().count() == 1)
                .await?;
            let id = payee.channel.state().theirs.locks().next().expect("one").1.id;
            payee.call(|channel, _| channel.fail_lock(id, Default::default()))?;
            payee.exchange("it is gone", |p| p.channel.state().theirs.locks().count() == 0).await?;
            a.exchange("it is cancelled", |a| a.channel.summary().own_acked == 2).await?;
            assert_eq!(end(&a), (frd(100), 0, 2));
        }
        assert!(a.faults.is_empty() && payee.faults.is_empty());
    }
    town.check_money().await?;
    town.stop().await
}

/// S44: the hub locks 4 for A and A locks 10 for the hub at the same instant; both are settled at the
/// same instant: off −6. Then 5 is settled while 7 is locked: off −5 more, with 7 pending.
#[tokio::test(flavor = "multi_thread")]
async fn s44_locks_should_both_apply_when_made_at_the_same_instant() -> Result<(), Failure> {
    let town = town().await?;
    let mut a = left(&town, "s44-a").await?;
    let mut c = left(&town, "s44-c").await?;
    a.connect(frd(1_000)).await?;
    c.connect(frd(1_000)).await?;
    insure(&town, &mut a, 100).await?;
    let before = a.channel.state().mine.nonce() + a.channel.state().theirs.nonce();

    // The hub's update is under way while A makes its own.
    let (to_a, to_c) = ([4; 32], [10; 32]);
    c.lock_for(&a.recipient(), frd(4), frd(4), &to_a)?;
    c.flush().await?;
    let crossing = a.hear_until("the hub's lock", is_update).await?;
    let h1 = a.lock_for(&c.recipient(), frd(10), frd(10), &to_c)?;
    a.flush().await?;
    a.take(crossing);
    a.exchange("both are there", |a| {
        a.channel.summary().own_acked == a.channel.summary().own_nonce
    })
    .await?;
    let row = a.channel.asset_summary(NATIVE_ASSET);
    assert_eq!((row.own_locked, row.partner_locked, row.offdelta), (frd(10), frd(4), 0));
    let row = town.row("h", &a.account()).await?;
    assert_eq!((row.locked.0, row.locked_by_partner.0), (frd(4), frd(10)), "no lock is lost");

    // A has told its secret and is told the hub's: each settles before it hears the other.
    claim(&mut c, to_c).await?;
    let told = a.hear_until("the hub's secret", is_fulfill).await?;
    let h2 = a.channel.state().theirs.locks().next().expect("the hub's").1.id;
    a.call(|channel, _| channel.fulfill(h2, to_a))?;
    a.take(told);
    a.call(|channel, ctx| channel.settle(ctx, vec![(h1.id, to_c)]))?;
    a.flush().await?;
    a.exchange("both are settled", |a| {
        let row = a.channel.asset_summary(NATIVE_ASSET);
        row.own_locked + row.partner_locked == 0
            && a.channel.summary().own_acked == a.channel.summary().own_nonce
    })
    .await?;
    assert_eq!(end(&a).1, whole(-6));
    assert_eq!(town.row("h", &a.account()).await?.offdelta.0, whole(-6));
    let nonces = a.channel.state().mine.nonce() + a.channel.state().theirs.nonce();
    assert_eq!(nonces - before, 4, "two updates of each");

    // 5 is settled while the hub locks 7.
    let (five, seven) = ([5; 32], [77; 32]);
    c.exchange("C is paid", |c| c.channel.asset_summary(0).partner_locked == 0).await?;
    let made = a.lock_for(&c.recipient(), frd(5), frd(5), &five)?;
    a.flush().await?;
    claim(&mut c, five).await?;
    let told = a.hear_until("the secret of 5", is_fulfill).await?;
    c.lock_for(&a.recipient(), frd(7), frd(7), &seven)?;
    c.flush().await?;
    let crossing = a.hear_until("the hub's lock of 7", is_update).await?;
    a.take(told);
    a.call(|channel, ctx| channel.settle(ctx, vec![(made.id, five)]))?;
    a.flush().await?;
    a.take(crossing);
    a.exchange("both apply", |a| a.channel.summary().own_acked == a.channel.summary().own_nonce)
        .await?;
    let row = a.channel.asset_summary(NATIVE_ASSET);
    assert_eq!((row.offdelta, row.partner_locked, row.own_locked), (whole(-11), frd(7), 0));
    let row = town
        .wait_row("the hub agrees", "h", &a.account(), |row| row.locked_by_partner.0 == 0)
        .await?;
    assert_eq!((row.offdelta.0, row.locked.0), (whole(-11), frd(7)));
    assert!(a.faults.is_empty() && c.faults.is_empty());
    town.check_money().await?;
    town.stop().await
}

/// S45: the hub changes A's limit while A's lock is under way, in both orders.
#[tokio::test(flavor = "multi_thread")]
async fn s45_limit_and_lock_should_both_apply_when_they_cross() -> Result<(), Failure> {
    let mut town = town().await?;
    let mut c = left(&town, "s45-c").await?;
    c.connect(frd(1_000)).await?;
    for (name, hub_first) in [("s45-a", true), ("s45-b", false)] {
        let mut a = left(&town, name).await?;
        let me = a.account().to_string();
        a.connect(0).await?;
        let secret = [u8::from(hub_first) + 1; 32];
        let made = a.lock_for(&c.recipient(), frd(10), frd(10), &secret)?;
        if !hub_first {
            a.flush().await?;
        }
        let _: serde_json::Value = town.hub("h").ask(&["terms", "400", "--partner", &me]).await?;
        // A knows nothing of it when its lock leaves.
        a.flush().await?;
        a.exchange("both apply", |a| {
            let terms = a.channel.state().received.current(0).expect("terms");
            terms.credit == frd(400) && a.channel.summary().own_acked == 1
        })
        .await?;
        assert_eq!(end(&a), (frd(390), 0, 1));
        let row = town.row("h", &a.account()).await?;
        assert_eq!((row.locked_by_partner.0, row.credit_given.0), (frd(10), frd(400)));
        assert_eq!(row.can_receive.0, frd(390));
        claim(&mut c, secret).await?;
        let told = a.hear_until("the secret", is_fulfill).await?;
        a.take(told);
        a.call(|channel, ctx| channel.settle(ctx, vec![(made.id, secret)]))?;
        a.exchange("it is settled", |a| a.channel.summary().own_acked == 2).await?;
        c.exchange("C is paid", |c| c.channel.asset_summary(0).partner_locked == 0).await?;
        assert!(a.faults.is_empty());
    }
    assert!(town.hub_mut("h").is_running()?, "nobody exits");
    town.check_money().await?;
    town.stop().await
}

/// S46: a lock with a wrong signature changes nothing at the hub; sent again as it should be, it is
/// taken.
#[tokio::test(flavor = "multi_thread")]
async fn s46_h15_hub_should_change_nothing_when_a_signature_is_wrong() -> Result<(), Failure> {
    let mut town = town().await?;
    let mut a = left(&town, "s46-a").await?;
    let mut c = left(&town, "s46-c").await?;
    a.connect(frd(1_000)).await?;
    c.connect(frd(1_000)).await?;
    let before = town.channel("h", &a.account()).await?;

    a.lock_for(&c.recipient(), frd(30), frd(30), &[1; 32])?;
    let Some(Message::Update(good)) = a.out.pop_front() else { panic!("an update") };
    let mut bad = good.clone();
    bad.signature = Some(Signature::Direct(a.key().sign_bytes(b"something else")));
    a.post(&Message::Update(bad)).await?;
    let complaint = a
        .hear_until("the hub's complaint", |message| matches!(message, Message::Fault { .. }))
        .await?;
    let Message::Fault { text } = complaint else { panic!("a fault") };
    let text = String::from_utf8(text.into_inner())?;
    assert!(text.contains("signature"), "{text}");
    let after = town.channel("h", &a.account()).await?;
    assert_eq!(after.partner_nonce, before.partner_nonce);
    assert_eq!(serde_json::to_value(&after.assets)?, serde_json::to_value(&before.assets)?);
    assert!(after.fault.is_some(), "the operator sees it");

    a.hang_up();
    a.dial().await?;
    a.exchange("it is taken when sent again", |a| a.channel.summary().own_acked == 1).await?;
    let row = town.row("h", &a.account()).await?;
    assert_eq!((row.locked_by_partner.0, row.offdelta.0), (frd(30), 0));
    claim(&mut c, [1; 32]).await?;
    let told = a.hear_until("the secret", is_fulfill).await?;
    a.take(told);
    let id = a.channel.state().mine.locks().next().expect("one").1.id;
    a.call(|channel, ctx| channel.settle(ctx, vec![(id, [1; 32])]))?;
    a.exchange("it is settled", |a| a.channel.summary().own_acked == 2).await?;
    assert_eq!(town.row("h", &a.account()).await?.offdelta.0, whole(-30));
    assert!(town.hub_mut("h").is_running()?);
    town.check_money().await?;
    town.stop().await
}

/// S47: a payment of 10 is prepared, one of 3 is sent first, then the 10: both ends have the same
/// state. The hub's acknowledgement signs it.
#[tokio::test(flavor = "multi_thread")]
async fn s47_h17_states_should_be_equal_when_a_postponed_payment_is_sent_later(
) -> Result<(), Failure> {
    let town = town().await?;
    let mut a = left(&town, "s47-a").await?;
    let mut c = left(&town, "s47-c").await?;
    a.connect(frd(1_000)).await?;
    c.connect(frd(1_000)).await?;
    // Postponed: hashed first, so that an order by hash would be the other one.
    let (mut p1, mut p2) = ([1; 32], [2; 32]);
    if lock_hash(&p1) > lock_hash(&p2) {
        std::mem::swap(&mut p1, &mut p2);
    }
    for (order, [first, second]) in
        [[(p2, 3), (p1, 10)], [(p1, 10), (p2, 3)]].into_iter().enumerate()
    {
        // The other order, with other secrets.
        let turn = u8::try_from(order)?;
        let vary = |secret: [u8; 32]| secret.map(|byte| byte + 2 * turn);
        let mut ids = vec![];
        for (secret, amount) in [first, second] {
            let secret = vary(secret);
            let made = a.lock_for(&c.recipient(), frd(amount), frd(amount), &secret)?;
            a.flush().await?;
            ids.push((made.id, secret));
        }
        a.exchange("the hub has acknowledged both", |a| {
            a.channel.summary().own_acked == a.channel.summary().own_nonce
        })
        .await?;
        let acked = a.channel.state().acked.as_ref().expect("acknowledged").simplex.clone();
        assert_eq!(acked, a.channel.state().mine.simplex, "the hub has signed this very state");
        let row = town.row("h", &a.account()).await?;
        assert_eq!(row.locked_by_partner.0, frd(13));
        c.exchange("both are offered", |c| c.channel.state().theirs.locks().count() == 2).await?;
        let offered: Vec<_> = c.channel.state().theirs.locks().map(|(_, l)| l.clone()).collect();
        for lock in offered {
            let (_, secret) = ids.iter().find(|(_, s)| lock_hash(s) == lock.hash).expect("one");
            c.call(|channel, _| channel.fulfill(lock.id, *secret))?;
        }
        c.flush().await?;
        a.exchange("the secrets", |a| {
            let told = a.channel.state().said.values();
            told.filter(|said| matches!(said, failsafe_channel::lock::Answer::Fulfilled(_))).count()
                == 2
        })
        .await?;
        a.call(|channel, ctx| channel.settle(ctx, ids.clone()))?;
        a.exchange("settled", |a| a.channel.summary().own_acked == a.channel.summary().own_nonce)
            .await?;
        c.exchange("paid", |c| c.channel.asset_summary(0).partner_locked == 0).await?;
        assert_eq!(c.channel.asset_summary(0).own_uninsured, frd(13) * (u128::from(turn) + 1));
    }
    assert!(a.faults.is_empty() && c.faults.is_empty());
    town.check_money().await?;
    town.stop().await
}

/// A wallet behind a hub has asked for 100; A can pay it.
async fn asked(name: &str) -> Result<(Town, Peer, Recipient, LockHash), Failure> {
    let options = HubOptions { credit: "1000".into(), ..HubOptions::default() };
    let plan = Plan::story().hub("h", 1_000, options).stranger("friend", 1_000);
    let town = plan.wallet("w", 0, "h").start().await?;
    let mut a = left(&town, name).await?;
    a.connect(0).await?;
    let invoice: InvoiceRow = town.wallet("w").ask(&["invoice", "100"]).await?;
    let body = Body::from_text(&invoice.invoice, town.chain.client().info().genesis)?;
    let to = Recipient {
        account: body.recipient.clone(),
        onion_key: body.onion_key,
        payment_secret: body.payment_secret,
    };
    Ok((town, a, to, body.hash))
}

/// The lock comes back, and everybody has its money. Returns who says why.
async fn comes_back(town: Town, mut a: Peer, made: Made) -> Result<(usize, Reason), Failure> {
    a.flush().await?;
    let failed =
        a.hear_until("the failure", |message| matches!(message, Message::Fail { .. })).await?;
    let Message::Fail { reason, .. } = failed.clone() else { panic!("a failure") };
    let why = made.keys.open(&reason)?;
    a.take(failed);
    a.exchange("it is back", |a| {
        a.channel.state().mine.locks().count() == 0 && a.channel.summary().own_acked == 2
    })
    .await?;
    assert_eq!(end(&a), (frd(1_000), 0, 2));
    assert_eq!(town.wallet("w").frd().await?.own_uninsured.0, 0);
    let row =
        town.wait_row("no residue", "h", &a.account(), |row| row.locked_by_partner.0 == 0).await?;
    assert_eq!(row.offdelta.0, 0);
    town.close().await?;
    Ok(why)
}

/// S51: the recipient was promised more than arrives: `WrongAmount`, and everything comes back.
#[tokio::test(flavor = "multi_thread")]
async fn s51_payment_should_come_back_in_full_when_the_final_amount_is_wrong() -> Result<(), Failure>
{
    let (town, mut a, to, hash) = asked("s51-a").await?;
    let made = a.lock_by_hash(&to, frd(99), frd(100), hash)?;
    assert_eq!(comes_back(town, a, made).await?, (1, Reason::WrongAmount));
    Ok(())
}

/// The recipient has nothing to answer with when it cannot open the onion: its hub says so.
#[tokio::test(flavor = "multi_thread")]
async fn payment_should_come_back_in_full_when_the_recipient_cannot_open_its_onion(
) -> Result<(), Failure> {
    let (town, mut a, to, hash) = asked("unopened-a").await?;
    let to = Recipient { onion_key: failsafe_onion::public_key(&[1; 32]), ..to };
    let made = a.lock_by_hash(&to, frd(100), frd(100), hash)?;
    assert_eq!(comes_back(town, a, made).await?, (0, Reason::Malformed));
    Ok(())
}

/// S55: money that is trusted to the hub. A pays 10 on: off −10 at once, nonce 1. Delivered: off −10.
/// Not deliverable: the hub gives it back, off 0.
#[tokio::test(flavor = "multi_thread")]
async fn s55_h19_trusted_payment_should_stay_or_come_back_when_delivered_or_not(
) -> Result<(), Failure> {
    let town = town().await?;
    let mut c = left(&town, "s55-c").await?;
    c.connect(frd(1_000)).await?;
    for (name, to, off, deliverable) in
        [("s55-a", c.account(), -10, true), ("s55-b", AccountId::new([9; 32]), 0, false)]
    {
        let mut a = left(&town, name).await?;
        a.connect(frd(1_000)).await?;
        let id = PaymentId([if deliverable { 1 } else { 2 }; 16]);
        let purpose = Purpose::Onward { id, to, amount: frd(10) };
        a.call(|channel, ctx| channel.pay(ctx, NATIVE_ASSET, frd(10), purpose))?;
        assert_eq!((end(&a).1, end(&a).2), (whole(-10), 1), "at once");
        a.flush().await?;
        if deliverable {
            c.exchange("C has it", |c| c.channel.asset_summary(0).own_uninsured == frd(10)).await?;
            let delivered =
                a.hear_until("the receipt", |m| matches!(m, Message::Delivered { .. })).await?;
            assert_eq!(delivered, Message::Delivered { ids: vec![id].try_into().unwrap() });
        } else {
            let back = a.hear_until("the return", is_update).await?;
            let Message::Update(update) = &back else { panic!("an update") };
            let reason = ReturnReason::UnknownRecipient;
            let expected = Purpose::Return { id, reason };
            assert!(
                matches!(&update.transitions[..], [Transition::Pay { purpose, .. }] if *purpose == expected),
                "{update:?}"
            );
            a.take(back);
        }
        a.exchange("acknowledged", |a| a.channel.summary().own_acked == 1).await?;
        assert_eq!(end(&a).1, whole(off));
        assert_eq!(town.row("h", &a.account()).await?.offdelta.0, whole(off));
    }
    town.check_money().await?;
    town.stop().await
}

/// S56: what is signed for another chain is worth nothing: not to the hub, not on chain.
#[tokio::test(flavor = "multi_thread")]
async fn s56_signatures_should_be_refused_when_they_are_for_another_chain() -> Result<(), Failure> {
    let town = town().await?;
    let other = H256::repeat_byte(0xee);
    let hub = town.hub("h").genesis("h")?;
    let mut a = left(&town, "s56-a").await?;
    let here = town.chain.client().info().genesis;

    // The session.
    let key: Arc<AccountKey> = Arc::new(AccountKey::from_uri(Scheme::Sr25519, "//s56//dialer")?);
    let identity = Identity { signer: key, genesis: other };
    let refused =
        transport::dial(&hub.endpoint, &hub.transport_key, &hub.account, &identity).await.err();
    assert!(
        matches!(refused, Some(TransportError::OtherChain { theirs, .. }) if theirs == here),
        "{refused:?}"
    );

    // An update in a session of this chain.
    a.connect(0).await?;
    let purpose = Purpose::Direct { id: PaymentId([1; 16]) };
    a.call(|channel, ctx| channel.pay(ctx, NATIVE_ASSET, frd(10), purpose))?;
    let Some(Message::Update(mut update)) = a.out.pop_front() else { panic!("an update") };
    let state = a.channel.state();
    let mut elsewhere = state.context.clone();
    elsewhere.genesis_hash = other;
    let sign = |message: [u8; 32]| a.key().sign_bytes(&message);
    update.signature =
        Some(Signature::Direct(sign(elsewhere.simplex_message(state.side, &state.mine.simplex))));
    a.post(&Message::Update(update)).await?;
    let complaint = a.hear_until("the complaint", |m| matches!(m, Message::Fault { .. })).await?;
    let Message::Fault { text } = complaint else { panic!("a fault") };
    assert!(String::from_utf8(text.into_inner())?.contains("signature"));
    assert_eq!(town.channel("h", &a.account()).await?.partner_nonce, 0);

    // On chain: the account submits what the hub would have signed elsewhere. Any key stands for the
    // hub's, for the chain cannot know what it was signed for; so the pair's own parties sign here.
    let dir = tempfile::tempdir()?;
    let [one, two] =
        ["//s56//one", "//s56//two"].map(|suri| AccountKey::from_uri(Scheme::Sr25519, suri));
    let (one, two) = (one?, two?);
    let (one_account, two_account) = (one.account(), two.account());
    town.add_guest(one_account.clone());
    town.wallet("friend").on_chain(&["transfer", &one_account.to_string(), "10"]).await?;
    town.add_guest(two_account.clone());
    let store = FjallStore::create(&dir.path().join("store"))?;
    store::initialize(&store, &one_account)?;
    let config = PartyConfig {
        key: one,
        policy: Policy::payer(),
        store: Arc::new(store),
        onion_key: [0; 32],
        processes: None,
        listen: None,
        peers: vec![],
        towers: vec![],
        interceptor: None,
    };
    let party = Party::start(town.chain.client().clone(), config).await?;
    let submit = |call: Call| party.command(Command::Submit(Box::new(call)), PATIENCE);
    let deposit = Call::Deposit {
        asset: NATIVE_ASSET,
        amount: frd(5),
        beneficiary: two_account.clone(),
        partner: one_account.clone(),
        epoch: None,
    };
    submit(deposit).await.map_err(|e| failure(e.to_string()))?;

    let pair = Pair::new(one_account.clone(), two_account.clone())
        .map_err(|e| failure(format!("{e:?}")))?;
    let side = pair.side_of(&two_account).expect("of the pair");
    let context = |genesis_hash| ChannelContext { genesis_hash, pair: pair.clone(), epoch: 0 };
    let simplex = Simplex {
        nonce: 1,
        entries: vec![Entry::sent(NATIVE_ASSET, frd(3))]
            .try_into()
            .map_err(|_| failure("one entry"))?,
    };
    let withdrawal = Withdrawal {
        withdrawal_nonce: 0,
        valid_until: 10_000,
        items: vec![WithdrawalItem { asset: NATIVE_ASSET, amount: frd(2), max_from_balance: 0 }]
            .try_into()
            .map_err(|_| failure("one item"))?,
    };
    let by_two = |message: [u8; 32]| two.sign_bytes(&message);
    for (genesis, refused) in [(other, true), (here, false)] {
        let proof = by_two(context(genesis).withdrawal_message(side.other(), &withdrawal));
        let withdraw =
            Call::Withdraw { partner: two_account.clone(), withdrawal: withdrawal.clone(), proof };
        let signature = Signature::Direct(by_two(context(genesis).simplex_message(side, &simplex)));
        let theirs = SignedSimplex { simplex: simplex.clone(), signature };
        let evidence = Evidence { theirs: Some(theirs), ours: None };
        let dispute = Call::Dispute { partner: two_account.clone(), epoch: 0, evidence };
        for (call, error) in [(withdraw, "Insurance.BadProof"), (dispute, "Insurance.BadProof")] {
            let name = call.name();
            match submit(call).await {
                Err(CommandError::Chain(reason)) if refused => {
                    assert_eq!(reason, error, "{name}");
                },
                Ok(_) if !refused => {},
                outcome => return Err(failure(format!("{name}: {outcome:?}"))),
            }
        }
    }
    party.stop().await;
    town.check_money().await?;
    town.stop().await
}
