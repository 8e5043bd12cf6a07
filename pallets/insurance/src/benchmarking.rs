//! Worst cases of the calls. Amounts are multiples of [`UNIT`]; every creditor owes to others, so
//! that every credit is followed by a payment that ends a debt, the dearest kind.

use crate::*;
use alloc::vec::Vec;
use failsafe_pallet_support::benchmarking::{stranger, Signer, World, UNIT};
use failsafe_primitives::{
    evidence::{OwnSimplex, Presented, SignedSimplex, Standing},
    payload::{ack_message, ChannelContext},
    presented_digest,
    simplex::{Entry, Lock, MaxLocks, MAX_LOCKS_HUBS},
    Claim, Collateral, Pair, WithdrawalItem, NATIVE_ASSET,
};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{fungible::MutateHold, Get},
    BoundedVec,
};
use frame_system::RawOrigin;

/// Usable clock of all benchmarks.
const NOW: Clock = 1_000;
/// Until when locks of the evidence run.
const EXPIRY: Clock = NOW + 10;
/// Who pays for what others have insured.
const SPONSOR: &str = "sponsor";

/// A channel of two keys.
struct Channel {
    left: Signer,
    right: Signer,
    context: ChannelContext,
}

impl Channel {
    /// The channel in epoch 0, without a record, in a world where everything costs.
    fn new<T: Config + World>() -> Self {
        T::charge_everything();
        T::set_clock(NOW);
        let (left, right) = Signer::pair();
        let pair = Pair::new(left.id(), right.id()).expect("two keys");
        Self { left, right, context: Pallet::<T>::context(&pair, 0) }
    }

    /// The channel with its record.
    fn known<T: Config + World>() -> Self {
        let channel = Self::new::<T>();
        Channels::<T>::insert(channel.left.id(), channel.right.id(), ChannelRecord::default());
        channel
    }

    fn pair(&self) -> &Pair {
        &self.context.pair
    }

    fn key(&self, side: Side) -> &Signer {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// Collateral in `asset`, insured for real.
    fn insure<T: Config + World>(&self, asset: AssetId, insurance: Balance, ondelta: i128) {
        let sponsor = stranger(SPONSOR, 0, 0);
        T::give(&sponsor, asset, 4 * UNIT + insurance);
        T::insure(&sponsor, asset, insurance);
        self.put_row::<T>(asset, Collateral { insurance, ondelta });
    }

    fn put_row<T: Config>(&self, asset: AssetId, collateral: Collateral) {
        let key = (self.left.id(), self.right.id(), asset);
        let opened_by = (asset != NATIVE_ASSET).then_some(Side::Left);
        Rows::<T>::insert(key, Row { collateral, opened_by });
    }

    /// As many rows as a pair may have, in assets of their own.
    fn fill_rows<T: Config>(&self) {
        for i in 0..MAX_ASSETS {
            self.put_row::<T>(10_000 + i, Collateral { insurance: 0, ondelta: 1 });
        }
    }

    fn signed(&self, from: Side, simplex: &Simplex) -> Signature {
        self.key(from).sign_in_batch(&self.context.simplex_message(from, simplex))
    }

    fn ack(&self, from: Side, simplex: &Simplex) -> Signature {
        let message = ack_message(&self.context.simplex_message(from, simplex));
        self.key(from.other()).sign_in_batch(&message)
    }

    fn acked(&self, from: Side, simplex: Simplex) -> OwnSimplex {
        OwnSimplex::Acked { ack: self.ack(from, &simplex), simplex }
    }

    fn theirs(&self, from: Side, simplex: Simplex) -> SignedSimplex {
        SignedSimplex { signature: self.signed(from, &simplex), simplex }
    }

    fn twice(&self, from: Side, simplex: Simplex) -> TwiceSigned {
        let (signature, ack) = (self.signed(from, &simplex), self.ack(from, &simplex));
        TwiceSigned { from, simplex, signature, ack }
    }

    /// An open dispute, started by left with these simplexes, with its deposit.
    fn dispute<T: Config>(&self, presented: [Option<Presented>; 2], resolve_at: Clock) -> Dispute {
        let deposit = T::Parameters::get().dispute_deposit;
        let starter = self.left.id();
        T::Native::hold(&HoldReason::DisputeDeposit.into(), &starter, deposit)
            .expect("the starter has money");
        Dispute {
            starter: Some(Side::Left),
            start: NOW,
            delay: 1,
            opened_in: 1,
            resolve_at,
            claim: Claim::default(),
            deposit,
            forfeited: false,
            free: Default::default(),
            verdict: Verdict::Open,
            presented,
        }
    }

    fn put_dispute<T: Config>(&self, dispute: Dispute) {
        Pallet::<T>::open(self.pair(), dispute);
    }
}

/// A simplex with an entry in each of `assets`, which ascend, and `locks` locks with known secrets,
/// spread over the entries.
fn simplex<T: World>(nonce: Nonce, assets: &[AssetId], locks: u32) -> Simplex {
    let entry = |(i, asset): (usize, &AssetId)| {
        let here = (0..locks).zip((0..assets.len()).cycle()).filter(|(_, place)| *place == i);
        let lock = |(id, _): (u32, _)| Lock {
            id: id.into(),
            amount: 1,
            hash: T::reveal(id),
            expiry: EXPIRY,
        };
        let locks: Vec<_> = here.map(lock).collect();
        Entry { asset: *asset, sent: UNIT, locks: locks.try_into().expect("few locks") }
    };
    let entries: Vec<_> = assets.iter().enumerate().map(entry).collect();
    Simplex { nonce, entries: entries.try_into().expect("as many as may be") }
}

/// The longest list of assets of a simplex, from `first` on.
fn assets_from(first: AssetId) -> Vec<AssetId> {
    (0..MAX_ASSETS).map(|i| first + i).collect()
}

/// What a dispute stores of a simplex that its maker alone has posted.
fn unacked(simplex: Simplex) -> Option<Presented> {
    Some(Presented { simplex, standing: Standing::Unacked { floor: 0 } })
}

/// The open dispute that a counter meets: both sides full of locks.
fn countered<T: Config + World>() -> Channel {
    let channel = Channel::known::<T>();
    T::give(&channel.left.id(), NATIVE_ASSET, 10 * UNIT);
    channel.fill_rows::<T>();
    let full = |first| unacked(simplex::<T>(1, &assets_from(first), MAX_LOCKS_HUBS));
    let dispute = channel.dispute::<T>([full(0), full(100)], EXPIRY);
    channel.put_dispute::<T>(dispute);
    channel
}

/// How the collateral of a decided channel is shared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shares {
    /// All goes to left, and right owes beyond it more than it can pay.
    Unpaid,
    /// Both get a part.
    Insured,
}

/// A channel with collateral in `count` assets, whose parties owe to others.
fn decided<T: Config + World>(count: u32, shares: Shares) -> (Channel, Vec<AssetId>) {
    let channel = Channel::known::<T>();
    let (left, right) = (channel.left.id(), channel.right.id());
    // For the deposit, and what keeps an account with a deposit alive.
    T::give(&left, NATIVE_ASSET, T::Parameters::get().dispute_deposit * 2);
    // Reputations are kept of hubs.
    T::register_hub(&left);
    T::register_hub(&right);
    let assets: Vec<_> = (0..count).map(T::asset).collect();
    for asset in &assets {
        match shares {
            Shares::Unpaid => {
                // Left is credited twice: from the insurance, and by right.
                T::burden(&left, *asset, UNIT, 2);
                channel.insure::<T>(*asset, 4 * UNIT, 12 * signed(UNIT));
                T::give(&right, *asset, 4 * UNIT);
            },
            Shares::Insured => {
                T::burden(&left, *asset, UNIT, 1);
                // Right gets the forfeited deposit, too.
                T::burden(&right, *asset, UNIT, if *asset == NATIVE_ASSET { 2 } else { 1 });
                channel.insure::<T>(*asset, 8 * UNIT, 4 * signed(UNIT));
            },
        }
    }
    (channel, assets)
}

/// The dispute over a decided channel: as many entries and locks as its simplexes may have, a
/// forfeited deposit.
fn decided_dispute<T: Config + World>(
    channel: &Channel,
    assets: &[AssetId],
    locks: u32,
) -> Dispute {
    let most = usize::try_from(MAX_ASSETS).expect("few");
    let entries = &assets[..assets.len().min(most)];
    let halves = [locks.div_ceil(2), locks / 2];
    let presented = halves.map(|locks| unacked(simplex::<T>(1, entries, locks)));
    let dispute = channel.dispute::<T>(presented, EXPIRY + 1);
    Dispute { forfeited: true, ..dispute }
}

fn signed(amount: Balance) -> i128 {
    i128::try_from(amount).expect("small")
}

#[benchmarks(where T: World)]
mod benchmarks {
    use super::*;

    /// A stranger pays for two parties that do not exist, in a new channel.
    #[benchmark]
    fn deposit_native() {
        let channel = Channel::new::<T>();
        let who = stranger(SPONSOR, 0, 0);
        T::give(&who, NATIVE_ASSET, 10 * UNIT);

        #[extrinsic_call]
        deposit(
            RawOrigin::Signed(who),
            NATIVE_ASSET,
            UNIT,
            channel.left.id(),
            channel.right.id(),
            None,
        );

        assert_eq!(frame_system::Pallet::<T>::providers(&channel.right.id()), 1);
    }

    /// A party pays the first deposit ever of an asset, in a new channel with a party that does
    /// not exist, while custody has no room for another asset without a deposit.
    #[benchmark]
    fn deposit_issued() {
        let channel = Channel::new::<T>();
        let (who, partner) = (channel.left.id(), channel.right.id());
        T::crowd_custody();
        let asset = 5_000;
        T::create_asset(asset, failsafe_pallet_support::benchmarking::MINIMUM, false);
        T::give(&who, NATIVE_ASSET, 10 * UNIT);
        T::give(&who, asset, 10 * UNIT);

        #[extrinsic_call]
        deposit(RawOrigin::Signed(who), asset, UNIT, channel.left.id(), partner.clone(), None);

        assert_eq!(frame_system::Pallet::<T>::providers(&partner), 1);
    }

    /// Everything is known: the channel, the row and both parties.
    #[benchmark]
    fn redeposit_native() {
        let channel = Channel::known::<T>();
        let (left, right) = (channel.left.id(), channel.right.id());
        let who = stranger("donor", 0, 0);
        for account in [&left, &right, &who] {
            T::give(account, NATIVE_ASSET, 10 * UNIT);
        }
        channel.insure::<T>(NATIVE_ASSET, UNIT, 0);

        #[extrinsic_call]
        deposit(RawOrigin::Signed(who), NATIVE_ASSET, UNIT, left.clone(), right.clone(), Some(0));

        let row = Rows::<T>::get((left, right, NATIVE_ASSET)).expect("a row");
        assert_eq!(row.collateral.insurance, 2 * UNIT);
    }

    /// As before, in an issued asset.
    #[benchmark]
    fn redeposit_issued() {
        let channel = Channel::known::<T>();
        let (left, right) = (channel.left.id(), channel.right.id());
        let who = stranger("donor", 0, 0);
        let asset = T::asset(1);
        for account in [&left, &right, &who] {
            T::give(account, NATIVE_ASSET, 10 * UNIT);
        }
        T::give(&who, asset, 10 * UNIT);
        channel.insure::<T>(asset, UNIT, 0);

        #[extrinsic_call]
        deposit(RawOrigin::Signed(who), asset, UNIT, left.clone(), right.clone(), Some(0));

        let row = Rows::<T>::get((left, right, asset)).expect("a row");
        assert_eq!(row.collateral.insurance, 2 * UNIT);
    }

    /// The record of a pair, paid by a hub that owes.
    #[benchmark]
    fn new_record() {
        let channel = Channel::new::<T>();
        let who = channel.left.id();
        T::register_hub(&who);
        T::burden(&who, NATIVE_ASSET, UNIT, 1);
        T::give(&who, NATIVE_ASSET, T::Parameters::get().floor_hub);

        #[block]
        {
            let record = Pallet::<T>::record_of(channel.pair(), &who);
            record.map_err(sp_runtime::DispatchError::from).expect("it can pay");
        }

        assert!(Channels::<T>::contains_key(&who, channel.right.id()));
    }

    /// Each asset draws on the partner, too, and each receipt pays a debt of the receiver.
    #[benchmark]
    fn withdraw(n: Linear<1, 16>) {
        let channel = Channel::known::<T>();
        let (left, right) = (channel.left.id(), channel.right.id());
        let item = |i| {
            let asset = T::asset(i);
            T::burden(&left, asset, UNIT, 1);
            channel.insure::<T>(asset, 4 * UNIT, 0);
            T::give(&right, asset, 4 * UNIT);
            WithdrawalItem { asset, amount: 6 * UNIT, max_from_balance: 2 * UNIT }
        };
        let (withdrawal, proof) = withdrawal(&channel, (0..n).map(item).collect());

        #[extrinsic_call]
        withdraw(RawOrigin::Signed(left.clone()), right, withdrawal, proof);

        assert!(!T::Debts::is_debtor(&left, NATIVE_ASSET));
    }

    /// All is paid from the insurance, to a receiver without debts.
    #[benchmark]
    fn withdraw_insured(n: Linear<1, 16>) {
        let channel = Channel::known::<T>();
        let (left, right) = (channel.left.id(), channel.right.id());
        let item = |i| {
            let asset = T::asset(i);
            channel.insure::<T>(asset, 4 * UNIT, 0);
            WithdrawalItem { asset, amount: 2 * UNIT, max_from_balance: 0 }
        };
        let (withdrawal, proof) = withdrawal(&channel, (0..n).map(item).collect());

        #[extrinsic_call]
        withdraw(RawOrigin::Signed(left.clone()), right.clone(), withdrawal, proof);

        let row = Rows::<T>::get((left, right, NATIVE_ASSET)).expect("a row");
        assert_eq!(row.collateral.insurance, 2 * UNIT);
    }

    /// Started by a debtor with `s` simplexes: the partner's, his own, and the acknowledged one
    /// before it; `l` locks in the first.
    #[benchmark]
    fn dispute(s: Linear<1, 3>, l: Linear<0, { MAX_LOCKS_HUBS }>) {
        let channel = Channel::new::<T>();
        let (left, right) = (channel.left.id(), channel.right.id());
        channel.fill_rows::<T>();
        T::register_hub(&left);
        T::register_hub(&right);
        T::burden(&left, NATIVE_ASSET, UNIT, 1);
        T::give(&left, NATIVE_ASSET, T::Parameters::get().floor_hub);
        let theirs = channel.theirs(Side::Right, simplex::<T>(9, &assets_from(0), l));
        let own = simplex::<T>(9, &assets_from(100), 0);
        let ours = match s {
            1 => None,
            2 => Some(channel.acked(Side::Left, own)),
            _ => {
                let older = Simplex { nonce: 8, ..own.clone() };
                let ack = channel.ack(Side::Left, &older);
                Some(OwnSimplex::Unacked { simplex: own, acked: Some((older, ack)) })
            },
        };
        let evidence = Evidence { theirs: Some(theirs), ours };

        #[extrinsic_call]
        dispute(RawOrigin::Signed(left.clone()), right.clone(), 0, evidence);

        assert!(Disputes::<T>::contains_key(left, right));
    }

    /// The responder replaces `s` simplexes that are full of locks; `l` locks in the first new
    /// one.
    #[benchmark]
    fn counter(s: Linear<1, 2>, l: Linear<0, { MAX_LOCKS_HUBS }>) {
        let channel = countered::<T>();
        let theirs = channel.theirs(Side::Left, simplex::<T>(9, &assets_from(200), l));
        let ours =
            (s > 1).then(|| channel.acked(Side::Right, simplex::<T>(9, &assets_from(300), 0)));
        let evidence = Evidence { theirs: Some(theirs), ours };

        #[extrinsic_call]
        counter(RawOrigin::Signed(channel.right.id()), channel.left.id(), evidence);

        assert_eq!(nonce_of::<T>(&channel, Side::Left), 9);
    }

    /// A watchtower replaces `s` simplexes that are full of locks; `l` locks in the first new one.
    #[benchmark]
    fn counter_for(s: Linear<1, 2>, l: Linear<0, { MAX_LOCKS_HUBS }>) {
        let channel = countered::<T>();
        let first = channel.twice(Side::Left, simplex::<T>(9, &assets_from(200), l));
        let second =
            (s > 1).then(|| channel.twice(Side::Right, simplex::<T>(9, &assets_from(300), 0)));
        let simplexes: Vec<_> = core::iter::once(first).chain(second).collect();
        let simplexes = simplexes.try_into().expect("two");
        let tower = stranger("watchtower", 0, 0);
        let (left, right) = (channel.left.id(), channel.right.id());

        #[extrinsic_call]
        counter_for(RawOrigin::Signed(tower), left, right, simplexes);

        assert_eq!(nonce_of::<T>(&channel, Side::Left), 9);
    }

    /// A dispute over `a` assets and `l` locks that books no debt: both are paid, and pay others.
    #[benchmark]
    fn accept(a: Linear<1, { MAX_OUTCOMES }>, l: Linear<0, { 2 * MAX_LOCKS_HUBS }>) {
        let (channel, assets) = decided::<T>(a, Shares::Insured);
        let opened = decided_dispute::<T>(&channel, &assets, l);
        let digest = presented_digest(0, &opened.presented);
        channel.put_dispute::<T>(opened);
        let (left, right) = (channel.left.id(), channel.right.id());

        #[extrinsic_call]
        accept(RawOrigin::Signed(right.clone()), left.clone(), digest);

        assert!(!Disputes::<T>::contains_key(left, right));
    }

    /// `a` assets, none of which leaves a debt: both are paid, and pay others.
    #[benchmark]
    fn close(a: Linear<1, { MAX_OUTCOMES }>) {
        let (channel, assets) = decided::<T>(a, Shares::Insured);
        let opened = decided_dispute::<T>(&channel, &assets, 2 * MAX_LOCKS_HUBS);
        channel.put_dispute::<T>(opened);
        let named = assets.iter().map(|asset| (*asset, 1)).take(16).collect::<Vec<_>>();
        let offdeltas = named.try_into().expect("as many as may be");
        let agreed = Close { valid_until: Clock::MAX, offdeltas };
        let signature = channel.left.sign(&channel.context.close_message(&agreed));
        let (left, right) = (channel.left.id(), channel.right.id());

        #[extrinsic_call]
        close(RawOrigin::Signed(right.clone()), left.clone(), agreed, signature);

        assert!(!Disputes::<T>::contains_key(left, right));
    }

    /// A dispute over `a` assets and `l` locks: left is paid and pays others, right pays a part of
    /// what it owes, and the rest becomes a debt.
    #[benchmark]
    fn resolve(a: Linear<1, { MAX_OUTCOMES }>, l: Linear<0, { 2 * MAX_LOCKS_HUBS }>) {
        let (channel, assets) = decided::<T>(a, Shares::Unpaid);
        let opened = decided_dispute::<T>(&channel, &assets, l);
        channel.put_dispute::<T>(opened);
        T::set_clock(EXPIRY + 1);
        let (left, right) = (channel.left.id(), channel.right.id());

        #[extrinsic_call]
        resolve(RawOrigin::Signed(stranger("anybody", 0, 0)), left, right.clone());

        assert!(T::Debts::is_debtor(&right, assets[0]));
    }

    /// `a` assets in which the payer pays a part and owes the rest, to a payee who owes.
    #[benchmark]
    fn late_claim(a: Linear<1, 16>) {
        let channel = Channel::known::<T>();
        let (left, right) = (channel.left.id(), channel.right.id());
        Channels::<T>::mutate(&left, &right, |record| {
            *record = Some(ChannelRecord { epoch: 1, ..Default::default() });
        });
        let assets: Vec<_> = (0..a).map(T::asset).collect();
        for asset in &assets {
            T::burden(&left, *asset, UNIT / 8, 1);
            T::give(&right, *asset, UNIT / 2);
        }
        let counted: Vec<_> = assets.iter().map(|asset| (*asset, 1)).collect();
        let counted: BoundedVec<_, _> = counted.try_into().expect("as many as may be");
        let claimed = simplex::<T>(9, &assets, MAX_LOCKS_HUBS);
        let locks = locks_of(&claimed);
        let resolved = Resolved {
            at: NOW,
            counted: [counted.clone(), counted],
            locks: [locks.clone(), locks],
        };
        OldEpochs::<T>::insert((&left, &right, 0), resolved);
        let signature = channel.signed(Side::Right, &claimed);

        #[extrinsic_call]
        late_claim(RawOrigin::Signed(left), right.clone(), 0, claimed, signature);

        assert!(T::Debts::is_debtor(&right, assets[0]));
    }

    /// The agenda reaches a slot whose one entry forgets an old epoch.
    #[benchmark]
    fn agenda_step() {
        let channel = Channel::known::<T>();
        let (left, right) = (channel.left.id(), channel.right.id());
        let counted: Vec<_> = assets_from(0).into_iter().map(|asset| (asset, 1)).collect();
        let counted: BoundedVec<_, _> = counted.try_into().expect("as many as may be");
        let locks = locks_of(&simplex::<T>(9, &assets_from(0), MAX_LOCKS_HUBS));
        let resolved =
            Resolved { at: 0, counted: [counted.clone(), counted], locks: [locks.clone(), locks] };
        OldEpochs::<T>::insert((&left, &right, 0), resolved);
        AgendaCursor::<T>::put(NOW);
        Pallet::<T>::schedule(NOW, AgendaTask::Forget(left.clone(), right.clone(), 0));
        let block = T::BlockWeights::get().max_block;

        #[block]
        {
            Pallet::<T>::serve_agenda(block);
        }

        assert!(!OldEpochs::<T>::contains_key((left, right, 0)));
    }
}

/// All locks of `simplex`, as if they had counted.
fn locks_of(simplex: &Simplex) -> BoundedVec<(AssetId, Lock), MaxLocks> {
    let of = |entry: &Entry| {
        let asset = entry.asset;
        entry.locks.iter().map(move |lock| (asset, lock.clone())).collect::<Vec<_>>()
    };
    let locks: Vec<_> = simplex.entries.iter().flat_map(of).collect();
    locks.try_into().expect("as many as a simplex may have")
}

/// Nonce of the stored simplex of `side`.
fn nonce_of<T: Config>(channel: &Channel, side: Side) -> Nonce {
    let dispute = Disputes::<T>::get(channel.left.id(), channel.right.id());
    let presented = dispute.and_then(|mut dispute| dispute.presented[side.index()].take());
    presented.expect("an open dispute").simplex.nonce
}

/// A withdrawal of left with right's proof.
fn withdrawal(channel: &Channel, items: Vec<WithdrawalItem>) -> (Withdrawal, MultiSignature) {
    let items = items.try_into().expect("few items");
    let withdrawal = Withdrawal { withdrawal_nonce: 0, valid_until: Clock::MAX, items };
    let message = channel.context.withdrawal_message(Side::Left, &withdrawal);
    let proof = channel.right.sign(&message);
    (withdrawal, proof)
}
