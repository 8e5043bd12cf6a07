//! What earlier implementations did wrong off chain, at a real hub whose partners are moved by hand.

use super::messages::{claim, end, insure, is_fulfill, left, town};
use failsafe_channel::{lock::Offer, Message};
use failsafe_onion::{Reason, REJECTED};
use failsafe_primitives::{simplex::lock_hash, AccountId};
use failsafe_tests::{
    harness::{
        eventually,
        peer::{Made, Recipient},
        Failure, Peer,
    },
    story::report::frd,
};
use std::time::Duration;

/// How long the hub may take to notice something.
const PATIENCE: Duration = Duration::from_secs(30);

/// The hub's reason why it does not forward.
async fn refusal(payer: &mut Peer, made: &Made) -> Result<(usize, Reason), Failure> {
    Ok(made.keys.open(&answer(payer, made.id).await?)?)
}

/// What the hub answers to the lock of this number, which it does not forward.
async fn answer(payer: &mut Peer, lock: u64) -> Result<Vec<u8>, Failure> {
    payer.flush().await?;
    let failed =
        payer.hear_until("the failure", |message| matches!(message, Message::Fail { .. })).await?;
    let Message::Fail { id, reason, .. } = &failed else { panic!("a failure") };
    assert_eq!(*id, lock);
    let answer = reason.to_vec();
    payer.take(failed);
    payer
        .exchange("it is back", |payer| {
            payer.channel.state().mine.locks().count() == 0
                && payer.channel.summary().own_acked == payer.channel.summary().own_nonce
        })
        .await?;
    Ok(answer)
}

/// H09: out.expiry ≤ in.expiry, or the hub could be asked for money that it gets no more.
#[tokio::test(flavor = "multi_thread")]
async fn h09_hub_should_not_forward_when_its_lock_would_outlive_the_payers() -> Result<(), Failure>
{
    let town = town().await?;
    let (mut a, mut c) = (left(&town, "h09-a").await?, left(&town, "h09-c").await?);
    a.connect(0).await?;
    c.connect(frd(1_000)).await?;
    let hash = lock_hash(&[1; 32]);
    let made = a.lock_until(&c.recipient(), frd(10), frd(10), hash, [14, 15])?;
    assert_eq!(refusal(&mut a, &made).await?, (0, Reason::ExpiryTooSoon));
    // Too little time to bring a secret to the chain.
    let hash = lock_hash(&[2; 32]);
    let made = a.lock_until(&c.recipient(), frd(10), frd(10), hash, [14, 3])?;
    assert_eq!(refusal(&mut a, &made).await?, (0, Reason::ExpiryTooSoon));
    assert_eq!(c.channel.state().theirs.locks().count(), 0, "nothing was locked onwards");
    assert_eq!(end(&a).0, frd(1_000));
    town.check_money().await?;
    town.stop().await
}

/// H10: a lock that nobody answers expires; its money is free again on every hop.
#[tokio::test(flavor = "multi_thread")]
async fn h10_lock_should_come_back_when_nobody_answers_until_it_expires() -> Result<(), Failure> {
    let town = town().await?;
    let (mut a, mut c) = (left(&town, "h10-a").await?, left(&town, "h10-c").await?);
    a.connect(0).await?;
    c.connect(frd(1_000)).await?;
    insure(&town, &mut a, 100).await?;
    let hash = lock_hash(&[1; 32]);
    a.lock_until(&c.recipient(), frd(10), frd(10), hash, [9, 9])?;
    a.flush().await?;
    c.exchange("the lock is offered", |c| c.channel.state().theirs.locks().count() == 1).await?;
    // It has heard the lock and says nothing; the hub's lock expires, and then A's.
    c.exchange("the hub's lock is gone", |c| c.channel.state().theirs.locks().count() == 0).await?;
    a.exchange("A's lock is gone", |a| a.channel.state().mine.locks().count() == 0).await?;
    let row = town
        .wait_row("the hub agrees", "h", &a.account(), |row| row.locked_by_partner.0 == 0)
        .await?;
    assert_eq!((row.offdelta.0, row.partner_insured.0), (0, frd(100)));
    assert_eq!(town.row("h", &c.account()).await?.locked.0, 0);
    town.check_money().await?;
    town.stop().await
}

/// H25: two payers lock under one hash: the hub locks onwards once, and pulls once.
#[tokio::test(flavor = "multi_thread")]
async fn h25_hub_should_lock_onwards_once_when_a_hash_comes_twice() -> Result<(), Failure> {
    let town = town().await?;
    let mut c = left(&town, "h25-c").await?;
    let (mut a, mut b) = (left(&town, "h25-a").await?, left(&town, "h25-b").await?);
    c.connect(frd(1_000)).await?;
    a.connect(0).await?;
    b.connect(0).await?;
    let secret = [5; 32];
    let made = a.lock_for(&c.recipient(), frd(10), frd(10), &secret)?;
    a.flush().await?;
    c.exchange("one is offered", |c| c.channel.state().theirs.locks().count() == 1).await?;
    let again = b.lock_for(&c.recipient(), frd(10), frd(10), &secret)?;
    let (hop, _) = refusal(&mut b, &again).await?;
    assert_eq!(hop, 0);
    assert_eq!(end(&b).0, frd(1_000), "B has its money");
    claim(&mut c, secret).await?;
    let told = a.hear_until("the secret", is_fulfill).await?;
    a.take(told);
    a.call(|channel, ctx| channel.settle(ctx, vec![(made.id, secret)]))?;
    a.exchange("A pays", |a| a.channel.summary().own_acked == a.channel.summary().own_nonce)
        .await?;
    c.exchange("C is paid", |c| c.channel.asset_summary(0).partner_locked == 0).await?;
    assert_eq!(c.channel.asset_summary(0).own_uninsured, frd(10), "once");
    town.check_money().await?;
    town.stop().await
}

/// H26: an onion that was refused gets no second answer, which would be under the same keys, when it
/// comes again with as much as it should have brought at once.
#[tokio::test(flavor = "multi_thread")]
async fn h26_hub_should_answer_an_onion_once_when_it_comes_again() -> Result<(), Failure> {
    let town = town().await?;
    let (mut a, mut c) = (left(&town, "h26-a").await?, left(&town, "h26-c").await?);
    a.connect(0).await?;
    c.connect(frd(1_000)).await?;
    let hash = lock_hash(&[1; 32]);
    let (offer, keys) = a.offer_until(&c.recipient(), frd(10), frd(10), hash, [14, 14])?;
    let lock = a.lock(Offer { amount: frd(10) - 1, ..offer.clone() })?;
    assert_eq!(keys.open(&answer(&mut a, lock).await?)?, (0, Reason::FeeTooLow));
    let lock = a.lock(offer)?;
    assert_eq!(answer(&mut a, lock).await?, REJECTED);
    assert_eq!(c.channel.state().theirs.locks().count(), 0, "nothing was locked onwards");
    assert_eq!(end(&a).0, frd(1_000), "A has its money");
    // Another onion for the same payment is another matter.
    a.lock_until(&c.recipient(), frd(10), frd(10), hash, [14, 14])?;
    a.flush().await?;
    c.exchange("the lock is offered", |c| c.channel.state().theirs.locks().count() == 1).await?;
    town.check_money().await?;
    town.stop().await
}

/// H42: a lock for somebody who is away comes back with the reason; the next one, later, arrives.
#[tokio::test(flavor = "multi_thread")]
async fn h42_hub_should_fail_the_lock_when_the_next_one_is_away() -> Result<(), Failure> {
    let town = town().await?;
    let (mut a, mut c) = (left(&town, "h42-a").await?, left(&town, "h42-c").await?);
    a.connect(0).await?;
    c.connect(frd(1_000)).await?;
    c.hang_up();
    eventually("the hub knows that C is away", PATIENCE, || async {
        Ok((!town.channel("h", &c.account()).await?.connected).then_some(()))
    })
    .await?;
    let made = a.lock_for(&c.recipient(), frd(10), frd(10), &[1; 32])?;
    assert_eq!(refusal(&mut a, &made).await?, (0, Reason::Unavailable));
    assert_eq!(end(&a).0, frd(1_000), "A has its money");
    c.dial().await?;
    c.exchange("they know where they stand", |c| c.channel.established()).await?;
    let secret = [2; 32];
    a.lock_for(&c.recipient(), frd(10), frd(10), &secret)?;
    a.flush().await?;
    c.exchange("the lock is offered", |c| c.channel.state().theirs.locks().count() == 1).await?;
    claim(&mut c, secret).await?;
    c.exchange("C is paid", |c| c.channel.asset_summary(0).partner_locked == 0).await?;
    assert_eq!(c.channel.asset_summary(0).own_uninsured, frd(10));
    town.check_money().await?;
    town.stop().await
}

/// H45: an onion that names a stranger opens no channel and stores nothing.
#[tokio::test(flavor = "multi_thread")]
async fn h45_hub_should_open_no_channel_when_an_onion_names_a_stranger() -> Result<(), Failure> {
    let town = town().await?;
    let mut a = left(&town, "h45-a").await?;
    a.connect(0).await?;
    let before = town.hub("h").status().await?.channels.len();
    let to = Recipient { account: AccountId::new([9; 32]), ..a.recipient() };
    let made = a.lock_for(&to, frd(10), frd(10), &[1; 32])?;
    assert_eq!(refusal(&mut a, &made).await?, (0, Reason::UnknownNext));
    assert_eq!(town.hub("h").status().await?.channels.len(), before);
    town.check_money().await?;
    town.stop().await
}
