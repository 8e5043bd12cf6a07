//! The chain of the simulation: the reference of the protocol's rules (`failsafe-model`), with best
//! and finalized blocks, reorganisations, and a pool. Calls come as the party's program encodes
//! them, with real signatures, which are checked here.

use failsafe_channel::{Moment, PairFacts, Reveal};
use failsafe_hub::chain::Call;
use failsafe_model::chain as model;
use failsafe_primitives::{
    evidence::{Presented, Standing},
    payload::ack_message,
    signature,
    simplex::{lock_hash, LockHash, MAX_LOCKS_HUBS, MAX_LOCKS_USER},
    view::{BalanceView, ChannelView, DisputeView, OldEpochView},
    AccountId, ChannelContext, Close, Collateral, Entry, Evidence, Lock, OwnSimplex, Pair, Side,
    Signature, Simplex, Withdrawal, NATIVE_ASSET,
};
use sp_core::H256;
use sp_runtime::MultiSignature;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

pub const GENESIS: H256 = H256::repeat_byte(7);
/// An account that has signed nothing here: what it is said to have signed is refused.
const NOBODY: model::Account = u32::MAX;

/// A call that waits for its block.
#[derive(Clone, Debug)]
struct Waiting {
    who: model::Account,
    number: u64,
    call: Call,
    /// Not before this block.
    from: u64,
}

#[derive(Clone)]
struct Block {
    chain: model::Chain,
    touched: BTreeSet<model::Account>,
    revealed: BTreeSet<LockHash>,
    /// What was in it, and whether it did what it should.
    calls: Vec<(Waiting, Result<(), String>)>,
}

/// What a party hears of a block.
pub struct News {
    pub moment: Moment,
    pub facts: Vec<PairFacts>,
    pub reveals: Vec<(LockHash, Reveal)>,
    /// Calls that came to their end, with what is wrong.
    pub ended: Vec<(u64, Result<(), String>)>,
}

pub struct Chain {
    /// Accounts in their order.
    pub accounts: Vec<AccountId>,
    hashes: Vec<LockHash>,
    secrets: BTreeMap<LockHash, [u8; 32]>,
    /// From the newest block that is final for everybody.
    blocks: BTreeMap<u64, Block>,
    pool: Vec<Waiting>,
    /// Calls that were seen, so that none is done twice: one that is stored is submitted again after
    /// a restart. Numbers are used again when their calls are over.
    known: BTreeMap<(model::Account, u64), Call>,
    /// How calls ended by final blocks.
    ended: BTreeMap<(model::Account, u64), Result<(), String>>,
}

fn side(side: model::Side) -> Side {
    match side {
        model::Side::Left => Side::Left,
        model::Side::Right => Side::Right,
    }
}

fn model_side(side: Side) -> model::Side {
    match side {
        Side::Left => model::Side::Left,
        Side::Right => model::Side::Right,
    }
}

impl Chain {
    /// Accounts ascending, `hubs` among them, each with `funds`; neighbours are insured as `insured`
    /// says: beneficiary, partner, amount.
    pub fn new(
        accounts: Vec<AccountId>,
        hubs: &[usize],
        funds: u128,
        insured: &[(usize, usize, u128)],
    ) -> Self {
        assert!(accounts.windows(2).all(|two| two[0] < two[1]), "in their order");
        let number = |who: usize| u32::try_from(who).expect("few accounts");
        let genesis = model::Genesis {
            hubs: hubs.iter().map(|who| number(*who)).collect(),
            params: model::Params { delay_hub: 9, delay_user: 9, ..model::Params::default() },
            block: 9,
            clock: 9,
            ..model::Genesis::default()
        };
        let mut chain = model::Chain::new(genesis);
        for who in 0..accounts.len() {
            chain.mint(NATIVE_ASSET, number(who), funds);
        }
        chain.begin_block(None);
        for (beneficiary, partner, amount) in insured {
            let call = model::Call::Deposit {
                asset: NATIVE_ASSET,
                amount: *amount,
                beneficiary: number(*beneficiary),
                partner: number(*partner),
                epoch: None,
            };
            chain.apply(number(*beneficiary), call).expect("enough money");
        }
        chain.end_block(false);
        let first =
            Block { touched: BTreeSet::new(), revealed: BTreeSet::new(), calls: vec![], chain };
        let blocks = BTreeMap::from([(first.chain.block_number(), first)]);
        Self {
            accounts,
            hashes: vec![],
            secrets: BTreeMap::new(),
            blocks,
            pool: vec![],
            known: BTreeMap::new(),
            ended: BTreeMap::new(),
        }
    }

    pub fn account(&self, who: &AccountId) -> model::Account {
        let place = self.accounts.iter().position(|known| known == who);
        place.map_or(NOBODY, |place| u32::try_from(place).expect("few accounts"))
    }

    pub fn best(&self) -> &model::Chain {
        &self.blocks.last_key_value().expect("there is a first block").1.chain
    }

    pub fn best_height(&self) -> u64 {
        self.best().block_number()
    }

    fn at(&self, height: u64) -> &Block {
        &self.blocks[&height]
    }

    /// Whether all blocks after this one can be looked at.
    pub fn remembers(&self, height: u64) -> bool {
        self.blocks.keys().next().is_some_and(|oldest| *oldest <= height + 1)
    }

    /// Forgets blocks that are final for everybody.
    pub fn forget_before(&mut self, height: u64) {
        self.blocks = self.blocks.split_off(&height);
    }

    /// Brings a call, which is in one of the next blocks, from `from` on. One that was brought before
    /// is only followed; says how it has ended, if a final block has it.
    pub fn submit(
        &mut self,
        who: &AccountId,
        number: u64,
        call: Call,
        from: u64,
    ) -> Option<Result<(), String>> {
        let who = self.account(who);
        if self.known.get(&(who, number)) == Some(&call) {
            return self.ended.get(&(who, number)).cloned();
        }
        self.known.insert((who, number), call.clone());
        self.ended.remove(&(who, number));
        self.pool.push(Waiting { who, number, call, from });
        None
    }

    /// Notes how a call has ended by a final block.
    pub fn note_end(&mut self, who: &AccountId, number: u64, done: Result<(), String>) {
        let who = self.account(who);
        self.ended.insert((who, number), done);
    }

    /// The next block.
    pub fn mine(&mut self, full: bool) {
        let mut chain = self.best().clone();
        chain.begin_block(None);
        let height = chain.block_number();
        let (now, later) =
            std::mem::take(&mut self.pool).into_iter().partition(|waiting| waiting.from <= height);
        self.pool = later;
        let (mut touched, mut revealed) = (BTreeSet::new(), BTreeSet::new());
        let epochs = |chain: &model::Chain| -> Vec<_> {
            let all = chain.channels().iter();
            all.map(|(pair, c)| (*pair, c.epoch, c.dispute.is_some())).collect()
        };
        let before = epochs(&chain);
        let mut calls = vec![];
        let now: Vec<Waiting> = now;
        for waiting in now {
            let (call, parties) = self.convert(waiting.who, &waiting.call);
            let done = chain.apply(waiting.who, call).map(drop).map_err(|e| format!("{e:?}"));
            if done.is_ok() {
                touched.extend(parties);
                if let Call::Reveal { secrets } = &waiting.call {
                    revealed.extend(secrets.iter().map(lock_hash));
                }
            }
            calls.push((waiting, done));
        }
        chain.end_block(full);
        let after = epochs(&chain);
        for (pair, ..) in after.iter().filter(|now| !before.contains(now)) {
            touched.extend(model::Side::BOTH.map(|side| pair.account(side)));
        }
        self.blocks.insert(height, Block { chain, touched, revealed, calls });
    }

    /// Another branch wins from block `from` on; its calls go back into the pool.
    pub fn reorganise(&mut self, from: u64) {
        let gone = self.blocks.split_off(&(from + 1));
        let count = gone.len();
        for block in gone.into_values() {
            for (mut waiting, _) in block.calls {
                waiting.from = from + 2;
                self.pool.push(waiting);
            }
        }
        // It is longer than the one that it replaces.
        for _ in 0..=count {
            self.mine(false);
        }
    }

    fn moment(&self, height: u64) -> Moment {
        let chain = &self.at(height).chain;
        let block = u32::try_from(height).expect("few blocks");
        Moment { block, clock: chain.clock() }
    }

    /// What `who` hears of the blocks after `known` up to `height`: about which partners, secrets of
    /// which hashes. `all`: everything, as after a start.
    pub fn news(
        &self,
        who: &AccountId,
        partners: &[AccountId],
        hashes: &[LockHash],
        (known, height): (u64, u64),
        facts_since: Option<u64>,
    ) -> News {
        let me = self.account(who);
        let since = |known| self.blocks.range((Bound::Excluded(known), Bound::Included(height)));
        let blocks: Vec<&Block> = since(known).map(|(_, block)| block).collect();
        let touched = |partner: &AccountId| {
            let partner = self.account(partner);
            let touches = |b: &Block| b.touched.contains(&me) || b.touched.contains(&partner);
            facts_since.is_none_or(|known| since(known).any(|(_, block)| touches(block)))
        };
        let facts = partners.iter().filter(|partner| touched(partner));
        let seen = |hash: &&LockHash| blocks.iter().any(|b| b.revealed.contains(*hash));
        let reveals = hashes.iter().filter(seen);
        let reveals = reveals.filter_map(|hash| Some((*hash, self.reveal(hash, height)?)));
        let ended = blocks.iter().flat_map(|block| &block.calls).filter(|(w, _)| w.who == me);
        News {
            moment: self.moment(height),
            facts: facts.map(|partner| self.facts(who, partner, height)).collect(),
            reveals: reveals.collect(),
            ended: ended.map(|(waiting, done)| (waiting.number, done.clone())).collect(),
        }
    }

    pub fn reveal(&self, hash: &LockHash, height: u64) -> Option<Reveal> {
        let number = self.hashes.iter().position(|known| known == hash)?;
        let hash_number = model::Hash(u64::try_from(number).expect("few hashes"));
        let known = self.at(height).chain.revealed(hash_number)?;
        Some(Reveal { secret: *self.secrets.get(hash)?, at: known.revealed_at })
    }

    /// What the runtime would say about a pair.
    pub fn facts(&self, who: &AccountId, partner: &AccountId, height: u64) -> PairFacts {
        let chain = &self.at(height).chain;
        let (me, other) = (self.account(who), self.account(partner));
        let pair = model::Pair::of(me, other).expect("two accounts");
        let channel = chain.channel(pair).cloned().unwrap_or_default();
        let hubs = model::Side::BOTH.map(|side| chain.is_hub(pair.account(side)));
        let collateral = channel.rows.iter().map(|(asset, row)| {
            (*asset, Collateral { insurance: row.insurance, ondelta: row.ondelta })
        });
        let dispute = channel.dispute.as_ref().map(|dispute| DisputeView {
            starter: Some(side(dispute.starter)),
            start: dispute.start,
            opened_in: u32::try_from(dispute.opened_in).expect("few blocks"),
            resolve_at: dispute.resolve_at,
            settled: dispute.verdict != model::Verdict::Open,
            presented: dispute.stored.clone().map(|stored| stored.map(|s| self.present(&s))),
            digest: H256::zero(),
        });
        let old = chain.old_epochs().iter().filter(|((of, _), _)| *of == pair);
        let late = chain.params().late;
        let mut old_epochs: Vec<_> = old
            .map(|((_, epoch), old)| OldEpochView {
                epoch: *epoch,
                at: old.until - late,
                counted: old
                    .counted
                    .clone()
                    .map(|counted| counted.into_iter().filter(|(_, amount)| *amount > 0).collect()),
                locks: old.locks.clone().map(|locks| {
                    locks.iter().map(|(asset, lock)| (*asset, self.lock(lock))).collect()
                }),
            })
            .collect();
        old_epochs.sort_by_key(|old| std::cmp::Reverse(old.epoch));
        let owed = chain.owed_to(other, me, NATIVE_ASSET);
        PairFacts {
            at: self.moment(height),
            view: ChannelView {
                pair: Pair::new(who.clone(), partner.clone()).expect("two accounts"),
                epoch: channel.epoch,
                withdrawal_nonces: channel.withdrawal_nonces,
                collateral: collateral.collect(),
                dispute,
                old_epochs,
                max_locks: if hubs == [true, true] { MAX_LOCKS_HUBS } else { MAX_LOCKS_USER },
                hubs,
            },
            owed_to_me: if owed > 0 { vec![(NATIVE_ASSET, owed)] } else { vec![] },
        }
    }

    // --- to the reference and back -----------------------------------------------------------

    fn number(&mut self, hash: &LockHash) -> u64 {
        let place = self.hashes.iter().position(|known| known == hash).unwrap_or_else(|| {
            self.hashes.push(*hash);
            self.hashes.len() - 1
        });
        u64::try_from(place).expect("few hashes")
    }

    fn lock(&self, lock: &model::Lock) -> Lock {
        let hash = self.hashes[usize::try_from(lock.hash.0).expect("few hashes")];
        Lock { id: lock.id, amount: lock.amount, hash, expiry: lock.expiry }
    }

    fn present(&self, stored: &model::Stored) -> Presented {
        let standing = match stored.standing {
            model::Standing::Final => Standing::Final,
            model::Standing::Unacked { floor } => Standing::Unacked { floor },
        };
        let entry = |entry: &model::Entry| {
            let locks: Vec<_> = entry.locks.iter().map(|lock| self.lock(lock)).collect();
            let locks = locks.try_into().expect("few locks");
            Entry { asset: entry.asset, sent: entry.sent, locks }
        };
        let entries: Vec<_> = stored.simplex.entries.iter().map(entry).collect();
        let entries = entries.try_into().expect("few assets");
        Presented { simplex: Simplex { nonce: stored.simplex.nonce, entries }, standing }
    }

    fn simplex(
        &mut self,
        (pair, epoch, from): (model::Pair, u32, Side),
        simplex: &Simplex,
    ) -> model::Simplex {
        let entries = simplex.entries.iter().map(|entry| {
            let locks = entry.locks.iter().map(|lock| model::Lock {
                id: lock.id,
                amount: lock.amount,
                hash: model::Hash(self.number(&lock.hash)),
                expiry: lock.expiry,
            });
            model::Entry { asset: entry.asset, sent: entry.sent, locks: locks.collect() }
        });
        let entries = entries.collect();
        model::Simplex { pair, epoch, from: model_side(from), nonce: simplex.nonce, entries }
    }

    fn context(&self, pair: model::Pair, epoch: u32) -> ChannelContext {
        let [left, right] = model::Side::BOTH.map(|side| {
            self.accounts[usize::try_from(pair.account(side)).expect("few accounts")].clone()
        });
        let pair = Pair::new(left, right).expect("two accounts");
        ChannelContext { genesis_hash: GENESIS, pair, epoch }
    }

    fn signed(
        &mut self,
        place: (model::Pair, u32, Side),
        simplex: &Simplex,
        signature: &Signature,
    ) -> model::Signed<model::Simplex> {
        let (pair, epoch, from) = place;
        let context = self.context(pair, epoch);
        let good = signature.verify(&context.simplex_message(from, simplex), context.account(from));
        let by = if good { pair.account(model_side(from)) } else { NOBODY };
        model::sign(by, self.simplex(place, simplex))
    }

    fn ack(
        &mut self,
        place: (model::Pair, u32, Side),
        simplex: &Simplex,
        ack: &Signature,
    ) -> model::Signed<model::Ack> {
        let (pair, epoch, from) = place;
        let context = self.context(pair, epoch);
        let message = ack_message(&context.simplex_message(from, simplex));
        let good = ack.verify(&message, context.account(from.other()));
        let by = if good { pair.account(model_side(from.other())) } else { NOBODY };
        model::sign(by, model::Ack(self.simplex(place, simplex)))
    }

    fn evidence(
        &mut self,
        who: model::Account,
        partner: model::Account,
        epoch: u32,
        evidence: &Evidence,
    ) -> model::Evidence {
        let pair = model::Pair::of(who, partner).expect("two accounts");
        let mine = side(pair.side_of(who).expect("one of them"));
        let (ours, theirs) = ((pair, epoch, mine), (pair, epoch, mine.other()));
        let newest = evidence.theirs.as_ref();
        model::Evidence {
            theirs: newest.map(|newest| self.signed(theirs, &newest.simplex, &newest.signature)),
            ours: evidence.ours.as_ref().map(|own| match own {
                OwnSimplex::Acked { simplex, ack } => {
                    model::Ours::Acked(self.ack(ours, simplex, ack))
                },
                OwnSimplex::Unacked { simplex, acked } => model::Ours::Unacked {
                    simplex: self.simplex(ours, simplex),
                    acked: acked.as_ref().map(|(simplex, ack)| self.ack(ours, simplex, ack)),
                },
            }),
        }
    }

    /// A call for the reference, and whom it touches.
    fn convert(&mut self, who: model::Account, call: &Call) -> (model::Call, Vec<model::Account>) {
        match call {
            Call::Dispute { partner, epoch, evidence } => {
                let partner = self.account(partner);
                let evidence = self.evidence(who, partner, *epoch, evidence);
                let call = model::Call::Dispute { partner, epoch: *epoch, evidence };
                (call, vec![who, partner])
            },
            Call::Counter { partner, evidence } => {
                let partner = self.account(partner);
                let pair = model::Pair::of(who, partner).expect("two accounts");
                let epoch = self.best().epoch(pair);
                let evidence = self.evidence(who, partner, epoch, evidence);
                (model::Call::Counter { partner, evidence }, vec![who, partner])
            },
            Call::LateClaim { payer, epoch, simplex, signature } => {
                let payer = self.account(payer);
                let pair = model::Pair::of(who, payer).expect("two accounts");
                let from = side(pair.side_of(payer).expect("one of them"));
                let simplex = self.signed((pair, *epoch, from), simplex, signature);
                (model::Call::LateClaim { payer, epoch: *epoch, simplex }, vec![who, payer])
            },
            Call::Reveal { secrets } => {
                let secrets = secrets.iter().map(|secret| {
                    let hash = lock_hash(secret);
                    self.secrets.insert(hash, *secret);
                    model::Secret(self.number(&hash))
                });
                (model::Call::Reveal { secrets: secrets.collect() }, vec![])
            },
            Call::Deposit { asset, amount, beneficiary, partner, epoch } => {
                let (beneficiary, partner) = (self.account(beneficiary), self.account(partner));
                let (asset, amount, epoch) = (*asset, *amount, *epoch);
                let call = model::Call::Deposit { asset, amount, beneficiary, partner, epoch };
                (call, vec![beneficiary, partner])
            },
            Call::Withdraw { partner, withdrawal, proof } => {
                let partner = self.account(partner);
                let proof = self.withdrawal(who, partner, withdrawal, proof);
                (model::Call::Withdraw { partner, proof }, vec![who, partner])
            },
            Call::Close { partner, close, signature } => {
                let partner = self.account(partner);
                let close = self.close(who, partner, close, signature);
                (model::Call::Close { partner, close }, vec![who, partner])
            },
            Call::Batch { actions } => {
                let mut parties = vec![who];
                let actions = actions.iter().map(|action| {
                    let (call, touched) = self.convert(who, action);
                    parties.extend(touched);
                    call
                });
                let actions = actions.collect();
                (model::Call::Batch { actions, mode: model::Mode::Atomic }, parties)
            },
            other => panic!("nobody in the simulation does {}", other.name()),
        }
    }

    fn withdrawal(
        &self,
        who: model::Account,
        partner: model::Account,
        withdrawal: &Withdrawal,
        proof: &MultiSignature,
    ) -> model::Signed<model::Withdrawal> {
        let pair = model::Pair::of(who, partner).expect("two accounts");
        let (epoch, to) = (self.best().epoch(pair), pair.side_of(who).expect("one of them"));
        let context = self.context(pair, epoch);
        let message = context.withdrawal_message(side(to), withdrawal);
        let good = signature::verify(proof, &message, context.account(side(to.other())));
        let items = withdrawal.items.iter().map(|item| model::Item {
            asset: item.asset,
            amount: item.amount,
            max_from_balance: item.max_from_balance,
        });
        let items = items.collect();
        let (nonce, valid_until) = (withdrawal.withdrawal_nonce, withdrawal.valid_until);
        let by = if good { partner } else { NOBODY };
        model::sign(by, model::Withdrawal { pair, epoch, to, nonce, valid_until, items })
    }

    fn close(
        &self,
        who: model::Account,
        partner: model::Account,
        close: &Close,
        by: &MultiSignature,
    ) -> model::Signed<model::Close> {
        let pair = model::Pair::of(who, partner).expect("two accounts");
        let epoch = self.best().epoch(pair);
        let context = self.context(pair, epoch);
        let theirs = side(pair.side_of(partner).expect("one of them"));
        let good = signature::verify(by, &context.close_message(close), context.account(theirs));
        let (valid_until, offdeltas) = (close.valid_until, close.offdeltas.to_vec());
        let by = if good { partner } else { NOBODY };
        model::sign(by, model::Close { pair, epoch, valid_until, offdeltas })
    }

    /// On-chain money of an account at a block.
    pub fn balance(&self, who: &AccountId, height: u64) -> BalanceView {
        let (chain, account) = (&self.at(height).chain, self.account(who));
        BalanceView {
            asset: NATIVE_ASSET,
            free: chain.free(NATIVE_ASSET, account),
            spendable: chain.spendable(NATIVE_ASSET, account),
            unclaimed: chain.unclaimed(NATIVE_ASSET, account),
        }
    }
}
