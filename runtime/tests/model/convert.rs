//! From the reference's values to those of the runtime: numbers become accounts, tokens become
//! signatures.

use crate::chain::Party;
use failsafe_model::chain as model;
use failsafe_primitives::{
    evidence::{Presented, Standing},
    payload::ack_message,
    presented_digest, AccountId, ChannelContext, Close, Entry, Evidence, Lock, OwnSimplex, Pair,
    Side, Signature, SignedSimplex, Simplex, TwiceSigned, Withdrawal, WithdrawalItem, NATIVE_ASSET,
};
use failsafe_runtime::{RuntimeCall, System};

/// The parties by their number in the reference, which is their order.
pub struct Keys(pub Vec<Party>);

impl Keys {
    /// The party of an account.
    pub fn party(&self, who: model::Account) -> &Party {
        &self.0[usize::try_from(who).expect("few accounts")]
    }

    /// The id of an account.
    pub fn id(&self, who: model::Account) -> AccountId {
        self.party(who).id()
    }

    /// The account of an id.
    pub fn account(&self, id: &AccountId) -> Option<model::Account> {
        let place = self.0.iter().position(|party| party.id() == *id)?;
        u32::try_from(place).ok()
    }

    /// The pair of two accounts.
    pub fn pair(&self, pair: model::Pair) -> Pair {
        let [left, right] = model::Side::BOTH.map(|side| self.id(pair.account(side)));
        Pair::new(left, right).expect("two accounts")
    }

    fn context(&self, pair: model::Pair, epoch: model::Epoch) -> ChannelContext {
        ChannelContext { genesis_hash: System::block_hash(0), pair: self.pair(pair), epoch }
    }

    fn message(&self, simplex: &model::Simplex) -> [u8; 32] {
        let context = self.context(simplex.pair, simplex.epoch);
        context.simplex_message(side(simplex.from), &plain(simplex))
    }

    fn signed(&self, signed: &model::Signed<model::Simplex>) -> SignedSimplex {
        let message = self.message(signed.content());
        let signature = Signature::Direct(self.party(signed.by()).sign(&message));
        SignedSimplex { simplex: plain(signed.content()), signature }
    }

    fn ack(&self, signed: &model::Signed<model::Ack>) -> Signature {
        let message = ack_message(&self.message(&signed.content().0));
        Signature::Direct(self.party(signed.by()).sign(&message))
    }

    fn evidence(&self, evidence: &model::Evidence) -> Evidence {
        let ours = evidence.ours.as_ref().map(|ours| match ours {
            model::Ours::Acked(ack) => {
                OwnSimplex::Acked { simplex: plain(&ack.content().0), ack: self.ack(ack) }
            },
            model::Ours::Unacked { simplex, acked } => {
                let acked = acked.as_ref().map(|ack| (plain(&ack.content().0), self.ack(ack)));
                OwnSimplex::Unacked { simplex: plain(simplex), acked }
            },
        });
        Evidence { theirs: evidence.theirs.as_ref().map(|theirs| self.signed(theirs)), ours }
    }

    /// A call of the reference as one of the runtime.
    pub fn call(&self, call: &model::Call) -> RuntimeCall {
        use model::Call;
        use pallet_assets::Call as Assets;
        use pallet_insurance::Call as Insurance;
        match call.clone() {
            Call::Deposit { asset, amount, beneficiary, partner, epoch } => {
                let (beneficiary, partner) = (self.id(beneficiary), self.id(partner));
                Insurance::deposit { asset, amount, beneficiary, partner, epoch }.into()
            },
            Call::Withdraw { partner, proof } => {
                let content = proof.content();
                let item = |item: &model::Item| WithdrawalItem {
                    asset: item.asset,
                    amount: item.amount,
                    max_from_balance: item.max_from_balance,
                };
                let items: Vec<_> = content.items.iter().map(item).collect();
                let withdrawal = Withdrawal {
                    withdrawal_nonce: content.nonce,
                    valid_until: content.valid_until,
                    items: items.try_into().expect("few items"),
                };
                let context = self.context(content.pair, content.epoch);
                let message = context.withdrawal_message(side(content.to), &withdrawal);
                let proof = self.party(proof.by()).sign(&message);
                Insurance::withdraw { partner: self.id(partner), withdrawal, proof }.into()
            },
            Call::Dispute { partner, epoch, evidence } => {
                let (partner, evidence) = (self.id(partner), self.evidence(&evidence));
                Insurance::dispute { partner, epoch, evidence }.into()
            },
            Call::Counter { partner, evidence } => {
                let (partner, evidence) = (self.id(partner), self.evidence(&evidence));
                Insurance::counter { partner, evidence }.into()
            },
            Call::CounterFor { pair, simplexes } => {
                let twice = |twice: &model::TwiceSigned| {
                    let SignedSimplex { simplex, signature } = self.signed(&twice.simplex);
                    let from = side(twice.simplex.content().from);
                    TwiceSigned { from, simplex, signature, ack: self.ack(&twice.ack) }
                };
                let simplexes: Vec<_> = simplexes.iter().map(twice).collect();
                let [left, right] = model::Side::BOTH.map(|side| self.id(pair.account(side)));
                let simplexes = simplexes.try_into().expect("at most two");
                Insurance::counter_for { left, right, simplexes }.into()
            },
            Call::Accept { partner, presented } => {
                let stored = presented.stored.map(|stored| stored.map(|stored| present(&stored)));
                let presented = presented_digest(presented.epoch, &stored);
                Insurance::accept { partner: self.id(partner), presented }.into()
            },
            Call::Close { partner, close: signed } => {
                let content = signed.content();
                let offdeltas = content.offdeltas.clone().try_into().expect("few assets");
                let close = Close { valid_until: content.valid_until, offdeltas };
                let message = self.context(content.pair, content.epoch).close_message(&close);
                let signature = self.party(signed.by()).sign(&message);
                Insurance::close { partner: self.id(partner), close, signature }.into()
            },
            Call::Resolve { pair } => {
                let [left, right] = model::Side::BOTH.map(|side| self.id(pair.account(side)));
                Insurance::resolve { left, right }.into()
            },
            Call::LateClaim { payer, epoch, simplex } => {
                let SignedSimplex { simplex, signature } = self.signed(&simplex);
                Insurance::late_claim { payer: self.id(payer), epoch, simplex, signature }.into()
            },
            Call::Enforce { debtor, asset } => {
                pallet_debt::Call::enforce { debtor: self.id(debtor), asset }.into()
            },
            Call::Forgive { debtor, asset, opened_in, index } => {
                let opened_in = u32::try_from(opened_in).expect("few blocks");
                let debtor = self.id(debtor);
                pallet_debt::Call::forgive { debtor, asset, opened_in, index }.into()
            },
            Call::Claim { who, asset } => {
                pallet_custody::Call::claim { who: self.id(who), asset }.into()
            },
            Call::Transfer { to, asset: NATIVE_ASSET, amount } => {
                let dest = self.party(to).address();
                pallet_balances::Call::transfer_keep_alive { dest, value: amount }.into()
            },
            Call::Transfer { to, asset, amount } => {
                let target = self.party(to).address();
                Assets::transfer_keep_alive { id: asset.into(), target, amount }.into()
            },
            Call::Freeze { asset, who } => {
                Assets::freeze { id: asset.into(), who: self.party(who).address() }.into()
            },
            Call::Block { asset, who } => {
                Assets::block { id: asset.into(), who: self.party(who).address() }.into()
            },
            Call::Thaw { asset, who } => {
                Assets::thaw { id: asset.into(), who: self.party(who).address() }.into()
            },
            Call::FreezeAsset { asset } => Assets::freeze_asset { id: asset.into() }.into(),
            Call::ThawAsset { asset } => Assets::thaw_asset { id: asset.into() }.into(),
            Call::Batch { actions, mode } => {
                let actions = actions.iter().map(|action| self.call(action)).collect();
                let mode = match mode {
                    model::Mode::Atomic => pallet_batch::Mode::Atomic,
                    model::Mode::SkipFailed => pallet_batch::Mode::SkipFailed,
                };
                pallet_batch::Call::submit { actions, mode }.into()
            },
            Call::Reveal { secrets } => {
                let secrets: Vec<_> = secrets.into_iter().map(secret).collect();
                pallet_secrets::Call::reveal { secrets: secrets.try_into().expect("few") }.into()
            },
            Call::Remark => frame_system::Call::remark { remark: vec![0; FULL] }.into(),
        }
    }
}

/// Bytes of a remark that fills a block: more than 70 % of 5 MiB.
const FULL: usize = 3_750_000;

/// A side.
pub fn side(side: model::Side) -> Side {
    match side {
        model::Side::Left => Side::Left,
        model::Side::Right => Side::Right,
    }
}

/// The 32 bytes of a secret.
fn secret(secret: model::Secret) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&secret.0.to_le_bytes());
    bytes
}

/// The hash of the secret with the same number.
pub fn hash(hash: model::Hash) -> [u8; 32] {
    sp_io::hashing::sha2_256(&secret(model::Secret(hash.0)))
}

/// A simplex.
pub fn plain(simplex: &model::Simplex) -> Simplex {
    let lock = |lock: &model::Lock| Lock {
        id: lock.id,
        amount: lock.amount,
        hash: hash(lock.hash),
        expiry: lock.expiry,
    };
    let entry = |entry: &model::Entry| {
        let locks: Vec<_> = entry.locks.iter().map(lock).collect();
        Entry { asset: entry.asset, sent: entry.sent, locks: locks.try_into().expect("few locks") }
    };
    let entries: Vec<_> = simplex.entries.iter().map(entry).collect();
    Simplex { nonce: simplex.nonce, entries: entries.try_into().expect("few assets") }
}

/// What a dispute stores of a side.
pub fn present(stored: &model::Stored) -> Presented {
    let standing = match stored.standing {
        model::Standing::Final => Standing::Final,
        model::Standing::Unacked { floor } => Standing::Unacked { floor },
    };
    Presented { simplex: plain(&stored.simplex), standing }
}
