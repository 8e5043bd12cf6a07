//! Calls of `pallet-insurance` with signatures over the real payloads, made from bytes.

use crate::{
    bytes::Bytes,
    cast::{actor_of, actors, anybody, Actor},
    values::{amount, asset, soon},
};
use failsafe_primitives::{
    evidence::Presented, payload::ack_message, AccountId, AssetId, Balance, ChannelContext, Close,
    Entry, Epoch, Evidence, Lock, OwnSimplex, Pair, Side, SignedSimplex, Simplex, TwiceSigned,
    Withdrawal, WithdrawalItem,
};
use failsafe_runtime::{configs::Money, Insurance, Runtime, RuntimeCall, System};
use frame_support::traits::fungibles::Inspect;
use pallet_insurance::Call;
use sp_io::hashing::sha2_256;

/// Simplexes that are remembered for counters, acks and late claims.
const REMEMBERED: usize = 64;
/// Most items of a list made from bytes, now and then.
const MANY: usize = 18;

/// How many secrets there are.
const SECRETS: u8 = 16;

fn secret(number: u8) -> [u8; 32] {
    [number % SECRETS; 32]
}

fn lock_hash(bytes: &mut Bytes<'_>) -> [u8; 32] {
    sha2_256(&secret(bytes.u8()))
}

/// Two accounts of which one acts.
#[derive(Clone, Copy)]
pub struct Two {
    /// Who acts.
    pub me: &'static Actor,
    /// The other one.
    pub partner: &'static Actor,
}

/// What was signed so far, by whichever channel and epoch.
#[derive(Default)]
pub struct Memory(Vec<(Pair, Epoch, Side, Simplex)>);

impl Memory {
    fn keep(&mut self, context: &ChannelContext, from: Side, simplex: &Simplex) {
        if self.0.len() == REMEMBERED {
            self.0.remove(0);
        }
        self.0.push((context.pair.clone(), context.epoch, from, simplex.clone()));
    }

    fn of(&self, context: &ChannelContext, from: Side) -> Vec<&Simplex> {
        let mine = |(pair, epoch, side, _): &&(Pair, Epoch, Side, Simplex)| {
            *pair == context.pair && *epoch == context.epoch && *side == from
        };
        self.0.iter().filter(mine).map(|(.., simplex)| simplex).collect()
    }
}

/// A channel as it stands, seen by one of its parties.
struct Seen {
    context: ChannelContext,
    side: Side,
    me: &'static Actor,
    partner: &'static Actor,
    rows: Vec<(AssetId, Balance, i128)>,
    withdrawal_nonces: [u64; 2],
}

impl Seen {
    /// `None` for an account with itself.
    fn new(two: Two) -> Option<Self> {
        let pair = Pair::new(two.me.id.clone(), two.partner.id.clone()).ok()?;
        let view = Insurance::channel(two.me.id.clone(), two.partner.id.clone())?;
        let rows = view.collateral.iter();
        let rows = rows.map(|(asset, row)| (*asset, row.insurance, row.ondelta)).collect();
        let side = pair.side_of(&two.me.id)?;
        let context =
            ChannelContext { genesis_hash: System::block_hash(0), pair, epoch: view.epoch };
        let withdrawal_nonces = view.withdrawal_nonces;
        Some(Self { context, side, me: two.me, partner: two.partner, rows, withdrawal_nonces })
    }

    fn actor(&self, side: Side) -> &'static Actor {
        if side == self.side {
            self.me
        } else {
            self.partner
        }
    }

    fn insurance(&self, asset: AssetId) -> Balance {
        let row = self.rows.iter().find(|(known, ..)| *known == asset);
        row.map_or(0, |(_, insurance, _)| *insurance)
    }

    fn known(&self, asset: AssetId, who: &AccountId) -> [Balance; 3] {
        [self.insurance(asset), Money::balance(asset, who), Money::minimum_balance(asset)]
    }

    /// Now and then everything is signed for another epoch or another chain.
    fn shifted(&self, bytes: &mut Bytes<'_>) -> ChannelContext {
        let mut context = self.context.clone();
        match bytes.u8() {
            255 => context.epoch = context.epoch.wrapping_add(1),
            254 => context.epoch = context.epoch.wrapping_sub(1),
            253 => context.genesis_hash = Default::default(),
            _ => {},
        }
        context
    }
}

/// How many items a list has: mostly one.
fn length(bytes: &mut Bytes<'_>) -> usize {
    match bytes.u8() {
        0..=159 => 1,
        160..=219 => 2,
        220..=229 => 0,
        230..=249 => 3 + bytes.below(4),
        _ => 3 + bytes.below(MANY - 3),
    }
}

/// A list by asset, in order except now and then.
fn by_asset<T>(
    bytes: &mut Bytes<'_>,
    mut item: impl FnMut(&mut Bytes<'_>, AssetId) -> T,
    key: impl Fn(&T) -> AssetId,
) -> Vec<T> {
    let mut items: Vec<T> = (0..length(bytes))
        .map(|_| {
            let asset = asset(bytes);
            item(bytes, asset)
        })
        .collect();
    if !bytes.rarely(3) {
        items.sort_by_key(&key);
        items.dedup_by_key(|item| key(item));
    }
    items
}

fn locks(bytes: &mut Bytes<'_>, known: &[Balance], next: &mut u64) -> Vec<Lock> {
    let count = match bytes.u8() {
        0..=179 => 0,
        180..=229 => 1 + bytes.below(3),
        230..=247 => 4 + bytes.below(60),
        _ => 60 + bytes.below(70),
    };
    let mut expiry = soon(bytes);
    (0..count)
        .map(|_| {
            *next = next.wrapping_add(1);
            if bytes.rarely(16) {
                expiry = soon(bytes);
            }
            let amount = amount(bytes, known);
            let amount = if bytes.rarely(4) { 0 } else { amount.max(1) };
            Lock { id: *next, amount, hash: lock_hash(bytes), expiry }
        })
        .collect()
}

impl Memory {
    /// A simplex of `from`: a remembered one, or a newer one, or one that breaks a rule.
    fn simplex(&mut self, seen: &Seen, from: Side, bytes: &mut Bytes<'_>) -> Simplex {
        let before = self.of(&seen.context, from);
        let newest = before.iter().max_by_key(|simplex| simplex.nonce).copied();
        let choice = bytes.u8();
        if let (128..=191, Some(newest)) = (choice, newest) {
            return if choice < 160 {
                newest.clone()
            } else {
                before[bytes.below(before.len())].clone()
            };
        }
        let next = newest.map_or(1, |simplex| simplex.nonce.saturating_add(1));
        let nonce = match bytes.u8() {
            0..=199 => next,
            200..=229 => next.saturating_sub(1),
            230..=239 => next.saturating_add(bytes.u8().into()),
            240..=247 => bytes.u8().into(),
            248 => u64::MAX,
            _ => bytes.u64(),
        };
        let mut id = u64::from(bytes.u8());
        let payer = &seen.actor(from).id;
        let entries = by_asset(
            bytes,
            |bytes, asset| {
                let sent = newest.map_or(0, |simplex| simplex.sent(asset));
                let [insurance, balance, minimum] = seen.known(asset, payer);
                let known = [insurance, sent, balance, minimum];
                let sent = match bytes.u8() {
                    0..=159 => amount(bytes, &known),
                    160..=223 => sent.saturating_add(amount(bytes, &known)),
                    _ => sent,
                };
                let locks = locks(bytes, &known, &mut id);
                let locks = locks.try_into().unwrap_or_default();
                Entry { asset, sent, locks }
            },
            |entry| entry.asset,
        );
        let mut simplex = Simplex { nonce, entries: entries.try_into().unwrap_or_default() };
        if bytes.rarely(8) {
            simplex = bytes.mutate(simplex);
        }
        self.keep(&seen.context, from, &simplex);
        simplex
    }

    fn signed(&mut self, seen: &Seen, from: Side, bytes: &mut Bytes<'_>) -> SignedSimplex {
        let simplex = self.simplex(seen, from, bytes);
        let message = seen.shifted(bytes).simplex_message(from, &simplex);
        let signature = seen.actor(from).signs(&message, bytes);
        SignedSimplex { simplex, signature }
    }

    fn acked(
        &mut self,
        seen: &Seen,
        from: Side,
        bytes: &mut Bytes<'_>,
    ) -> (Simplex, failsafe_primitives::Signature) {
        let simplex = self.simplex(seen, from, bytes);
        let message = ack_message(&seen.shifted(bytes).simplex_message(from, &simplex));
        (simplex, seen.actor(from.other()).signs(&message, bytes))
    }

    fn evidence(&mut self, seen: &Seen, bytes: &mut Bytes<'_>) -> Evidence {
        let what = bytes.u8();
        let theirs = (what & 1 == 0).then(|| self.signed(seen, seen.side.other(), bytes));
        let ours = match (what >> 1) % 8 {
            0 | 1 => None,
            2..=4 => {
                let (simplex, ack) = self.acked(seen, seen.side, bytes);
                Some(OwnSimplex::Acked { simplex, ack })
            },
            5 | 6 => {
                let acked = self.acked(seen, seen.side, bytes);
                let simplex = self.simplex(seen, seen.side, bytes);
                Some(OwnSimplex::Unacked { simplex, acked: Some(acked) })
            },
            _ => {
                let simplex = self.simplex(seen, seen.side, bytes);
                Some(OwnSimplex::Unacked { simplex, acked: None })
            },
        };
        Evidence { theirs, ours }
    }

    fn twice(&mut self, seen: &Seen, from: Side, bytes: &mut Bytes<'_>) -> TwiceSigned {
        let SignedSimplex { simplex, signature } = self.signed(seen, from, bytes);
        let message = ack_message(&seen.shifted(bytes).simplex_message(from, &simplex));
        let ack = seen.actor(from.other()).signs(&message, bytes);
        TwiceSigned { from, simplex, signature, ack }
    }

    /// A call of `pallet-insurance` and who makes it: `two.me`, unless the other one is `free` to
    /// act and can do more with it. `None` when there is no such channel.
    pub fn call(&mut self, two: Two, free: bool, bytes: &mut Bytes<'_>) -> Option<Signed> {
        let choice = bytes.u8();
        let sensible = free && choice < 224;
        match choice % 32 {
            0..=6 => return Some((two.me, deposit(two, bytes))),
            26 | 27 => return Some((two.me, resolve(two, bytes))),
            28.. if sensible => return self.known_late_claim(bytes),
            _ => {},
        }
        let mut seen = Seen::new(two)?;
        let (left, right) = (seen.context.pair.left().clone(), seen.context.pair.right().clone());
        let open = pallet_insurance::Disputes::<Runtime>::get(&left, &right);
        // Who started a dispute has spoken; without one there is nothing to answer.
        let mut what = choice % 32;
        if sensible && matches!(what, 12..=22) {
            match open.as_ref().map(|dispute| dispute.starter) {
                None => what = 12,
                Some(starter) if starter == Some(seen.side) => {
                    seen = Seen::new(Two { me: two.partner, partner: two.me })?;
                },
                Some(_) => {},
            }
        }
        let partner = seen.partner.id.clone();
        let call = match what {
            7..=11 => withdraw(&seen, bytes),
            12..=15 => {
                let evidence = self.evidence(&seen, bytes);
                let epoch = seen.shifted(bytes).epoch;
                Call::dispute { partner, epoch, evidence }
            },
            16..=18 => Call::counter { partner, evidence: self.evidence(&seen, bytes) },
            19 | 20 => {
                let mut from = if bytes.u8() & 1 == 0 { Side::Left } else { Side::Right };
                let mut simplexes = vec![];
                for _ in 0..1 + bytes.below(2) {
                    simplexes.push(self.twice(&seen, from, bytes));
                    from = if bytes.rarely(64) { from } else { from.other() };
                }
                let simplexes = simplexes.try_into().unwrap_or_default();
                Call::counter_for { left, right, simplexes }
            },
            21 | 22 => {
                let shown: [Option<Presented>; 2] =
                    open.map(|dispute| dispute.presented).unwrap_or_default();
                let epoch = seen.shifted(bytes).epoch;
                let presented = failsafe_primitives::presented_digest(epoch, &shown);
                Call::accept { partner, presented }
            },
            23..=25 => close(&seen, bytes),
            _ => {
                let back = 1 + u32::from(bytes.u8() / 96);
                seen.context.epoch = seen.context.epoch.wrapping_sub(back);
                self.late_claim(&seen, bytes)
            },
        };
        Some((seen.me, call.into()))
    }

    /// A late claim in an epoch for which the chain takes some.
    fn known_late_claim(&mut self, bytes: &mut Bytes<'_>) -> Option<Signed> {
        let all: Vec<_> = pallet_insurance::OldEpochs::<Runtime>::iter_keys().take(16).collect();
        let (left, right, epoch) = all.get(bytes.below(all.len()))?;
        let (left, right) = (actor_of(left)?, actor_of(right)?);
        let (me, partner) = if bytes.u8() & 1 == 0 { (left, right) } else { (right, left) };
        let mut seen = Seen::new(Two { me, partner })?;
        seen.context.epoch = *epoch;
        Some((me, self.late_claim(&seen, bytes).into()))
    }

    fn late_claim(&mut self, seen: &Seen, bytes: &mut Bytes<'_>) -> Call<Runtime> {
        let epoch = seen.context.epoch;
        let SignedSimplex { simplex, signature } = self.signed(seen, seen.side.other(), bytes);
        Call::late_claim { payer: seen.partner.id.clone(), epoch, simplex, signature }
    }
}

/// A call and who makes it.
pub type Signed = (&'static Actor, RuntimeCall);

/// Resolves some open dispute, or that of the two.
fn resolve(two: Two, bytes: &mut Bytes<'_>) -> RuntimeCall {
    let open: Vec<_> = pallet_insurance::Disputes::<Runtime>::iter_keys().take(16).collect();
    let known = open.get(bytes.below(open.len())).cloned();
    let (left, right) = known.unwrap_or_else(|| (two.me.id.clone(), two.partner.id.clone()));
    let (left, right) = if bytes.rarely(16) { (right, left) } else { (left, right) };
    Call::resolve { left, right }.into()
}

fn deposit(two: Two, bytes: &mut Bytes<'_>) -> RuntimeCall {
    let asset = asset(bytes);
    let known = [Money::balance(asset, &two.me.id), Money::minimum_balance(asset)];
    let amount = amount(bytes, &known);
    let (mut beneficiary, mut partner) = (two.me.id.clone(), two.partner.id.clone());
    match bytes.u8() {
        128..=239 => core::mem::swap(&mut beneficiary, &mut partner),
        240.. => beneficiary = anybody(bytes),
        _ => {},
    }
    let epoch = match bytes.u8() {
        0..=199 => None,
        200..=239 => {
            let view = Insurance::channel(beneficiary.clone(), partner.clone());
            view.map(|view| view.epoch)
        },
        _ => Some(bytes.u8().into()),
    };
    Call::deposit { asset, amount, beneficiary, partner, epoch }.into()
}

fn withdraw(seen: &Seen, bytes: &mut Bytes<'_>) -> Call<Runtime> {
    let items = by_asset(
        bytes,
        |bytes, asset| {
            let known = seen.known(asset, &seen.partner.id);
            let amount = amount(bytes, &known);
            let max_from_balance = match bytes.u8() {
                0..=99 => Balance::MAX,
                100..=199 => amount,
                200..=219 => 0,
                _ => crate::values::amount(bytes, &known),
            };
            WithdrawalItem { asset, amount, max_from_balance }
        },
        |item| item.asset,
    );
    let nonce = seen.withdrawal_nonces[seen.side.index()];
    let nonce = if bytes.rarely(8) { bytes.u8().into() } else { nonce };
    let withdrawal = Withdrawal {
        withdrawal_nonce: nonce,
        valid_until: soon(bytes),
        items: items.try_into().unwrap_or_default(),
    };
    let message = seen.shifted(bytes).withdrawal_message(seen.side, &withdrawal);
    let proof = seen.partner.proves(&message, bytes);
    Call::withdraw { partner: seen.partner.id.clone(), withdrawal, proof }
}

fn close(seen: &Seen, bytes: &mut Bytes<'_>) -> Call<Runtime> {
    let offdeltas = by_asset(
        bytes,
        |bytes, asset| {
            let amount = amount(bytes, &seen.known(asset, &seen.partner.id));
            let magnitude = i128::try_from(amount).unwrap_or(i128::MAX);
            (asset, if bytes.u8() < 128 { magnitude } else { -magnitude })
        },
        |(asset, _)| *asset,
    );
    let offdeltas = offdeltas.try_into().unwrap_or_default();
    let close = Close { valid_until: soon(bytes), offdeltas };
    let message = seen.shifted(bytes).close_message(&close);
    let signature = seen.partner.proves(&message, bytes);
    Call::close { partner: seen.partner.id.clone(), close, signature }
}

/// Reveals some of the secrets of which locks are made.
pub fn reveal(bytes: &mut Bytes<'_>) -> RuntimeCall {
    let first = bytes.u8();
    let count = if bytes.rarely(8) { bytes.u8() } else { 1 + first / 64 };
    let secrets: Vec<_> = (0..count).map(|i| secret(first.wrapping_add(i))).collect();
    pallet_secrets::Call::reveal { secrets: secrets.try_into().unwrap_or_default() }.into()
}

/// Some debt that is open: debtor, asset, block of opening, index and creditor.
fn open_debt(bytes: &mut Bytes<'_>) -> Option<(AccountId, AssetId, u32, u32, AccountId)> {
    let open: Vec<_> = pallet_debt::Debts::<Runtime>::iter().take(32).collect();
    let ((debtor, asset, opened_in, index), debt) = open.get(bytes.below(open.len()))?.clone();
    Some((debtor, asset, opened_in, index, debt.creditor))
}

/// A call about debts or unclaimed money, and who makes it; `None` when there is neither.
pub fn aftermath(two: Two, bytes: &mut Bytes<'_>) -> Option<Signed> {
    let choice = bytes.u8();
    if choice >= 240 {
        let debtor = actors()[bytes.below(actors().len())].id.clone();
        return Some((two.me, pallet_debt::Call::enforce { debtor, asset: asset(bytes) }.into()));
    }
    let unclaimed: Vec<_> = pallet_custody::Unclaimed::<Runtime>::iter_keys().take(16).collect();
    if let (true, Some((who, asset))) =
        (choice % 2 == 0, unclaimed.get(bytes.below(unclaimed.len())).cloned())
    {
        return Some((two.me, pallet_custody::Call::claim { who, asset }.into()));
    }
    let (debtor, asset, opened_in, index, creditor) = open_debt(bytes)?;
    if choice % 4 == 1 {
        let by = actor_of(&creditor).filter(|_| choice < 200).unwrap_or(two.me);
        return Some((by, pallet_debt::Call::forgive { debtor, asset, opened_in, index }.into()));
    }
    Some((two.me, pallet_debt::Call::enforce { debtor, asset }.into()))
}
