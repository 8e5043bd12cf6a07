//! Both chains, the parties, and what these have signed for each other.

use crate::{
    chain::{self, fees_paid, genesis_config, on_genesis, Party, Tx, LOCAL},
    compare::{self, Differs},
    convert::Keys,
    op::{Answer, Flaw, Kind, Op, Own, Pick, Seat},
};
use failsafe_model::chain as model;
use failsafe_primitives::{fees::HubFees, parameters::Parameters};
use failsafe_runtime::{AllPalletsWithSystem, EXISTENTIAL_DEPOSIT, FRD};
use frame_support::traits::{Get, PalletsInfoAccess};
use model::{
    sign, Account, Ack, Action, Amount, AssetId, Call, Entry, Evidence, Item, Lock, Ours, Pair,
    Presented, Side, Signed, Simplex, TwiceSigned, Withdrawal, LIMIT, NATIVE,
};
use serde_json::json;
use sp_core::Pair as _;
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    ApplyExtrinsicResult,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Add,
};

/// FRD, FRB, an asset with a minimum of 5 that keeps no account alive, and one more of that kind
/// of which nobody makes deposits, so that custody has no account in it.
pub const ASSETS: [AssetId; 4] = [NATIVE, 1, 2, 3];
/// Secrets that locks may name.
pub const SECRETS: u8 = 12;
/// Minimum of the last two.
const MINIMUM: Amount = 5;
/// Who has issued them.
const ISSUERS: [(AssetId, Account); 3] = [(1, 5), (2, 2), (3, 3)];
/// The hubs: one with users on both sides, one mostly left.
const HUBS: [Account; 2] = [1, 4];
/// Who makes the blocks: a hub and a user.
const AUTHORS: [Account; 2] = [1, 3];
/// The parties that act; those behind them only prepare the chain and fill blocks.
const PARTIES: Account = 6;
/// Who prepares and fills.
const HELPERS: [Account; 2] = [6, 7];
/// Who has channels with whom: few enough to meet often.
const PAIRS: [(Account, Account); 7] = [(0, 1), (1, 2), (0, 2), (1, 4), (3, 4), (2, 4), (0, 5)];

/// What has happened, to see that the test is about something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Transactions that did something.
    done: u64,
    /// Transactions that both refused.
    refused: u64,
    /// Transactions that could not pay their fee.
    unpaid: u64,
    /// Free counters.
    free: u64,
    /// Actions of batches that were skipped.
    skipped: u64,
    /// Epochs that ended.
    epochs: u64,
    /// Late claims.
    late: u64,
    /// Blocks after which somebody owed.
    owing: u64,
    /// Blocks after which two debts stood in one line.
    queues: u64,
    /// Blocks after which something was unclaimed.
    unclaimed: u64,
    /// Full blocks.
    full: u64,
    /// Second batches in a block, which stay outside.
    waiting: u64,
    /// Secrets that a lock in a dispute named and that were known.
    counted: u64,
    /// Sequences that ended early because debts went round in a circle.
    circles: u64,
}

impl Add for Totals {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            refused: self.refused + other.refused,
            unpaid: self.unpaid + other.unpaid,
            free: self.free + other.free,
            skipped: self.skipped + other.skipped,
            epochs: self.epochs + other.epochs,
            late: self.late + other.late,
            owing: self.owing + other.owing,
            queues: self.queues + other.queues,
            unclaimed: self.unclaimed + other.unclaimed,
            full: self.full + other.full,
            waiting: self.waiting + other.waiting,
            counted: self.counted + other.counted,
            circles: self.circles + other.circles,
        }
    }
}

impl Totals {
    /// Sequences that never come to what the rules are about would prove nothing. Some of it is
    /// rare and comes only in many.
    pub fn assert_that_all_happened(self, sequences: u32) {
        let often = [self.done, self.refused, self.free, self.skipped, self.epochs, self.late];
        let more = [self.owing, self.queues, self.unclaimed, self.full, self.counted];
        let rare = [self.unpaid, self.waiting];
        let all = |counts: &[u64]| counts.iter().all(|count| *count > 0);
        let all =
            (sequences < 200 || (all(&often) && all(&more))) && (sequences < 2_000 || all(&rare));
        assert!(all, "something never happened: {self:?}");
    }
}

/// Plays a sequence on both chains.
///
/// # Errors
///
/// Says where they differ.
pub fn play(ops: &[Op]) -> Result<Totals, String> {
    let keys = Keys(Party::strangers(8));
    let mut result = Ok(Totals::default());
    on_genesis(&genesis(&keys), |chain| {
        let mut world = World::new(chain, keys);
        result = ops
            .iter()
            .enumerate()
            .try_for_each(|(step, op)| world.step(op).map_err(|why| format!("op {step}: {why}")))
            .and_then(|()| world.blocks(3).map_err(|why| format!("at the end: {why}")))
            .map(|()| world.totals);
    });
    result
}

/// The four validators' chain with other people: few enough money that it runs out.
fn genesis(keys: &Keys) -> serde_json::Value {
    let mut config = genesis_config(LOCAL);
    let validators = config["governance"]["validators"].as_array_mut().expect("a list");
    validators.truncate(AUTHORS.len());
    for (validator, who) in validators.iter_mut().zip(AUTHORS) {
        validator["account"] = json!(keys.id(who));
        validator["aura"] = json!(keys.party(who).0.public());
    }
    let native = |who: Account| (keys.id(who), native_money(who));
    config["balances"]["balances"] = json!((0..8).map(native).collect::<Vec<_>>());
    let asset = |(asset, issuer): (AssetId, Account)| {
        let first = asset == 1;
        (asset, keys.id(issuer), first, if first { 1 } else { MINIMUM })
    };
    config["assets"]["assets"] = json!(ISSUERS.map(asset).to_vec());
    // Some have nothing of the last two: their accounts there have to be opened.
    let issued = |who: Account| [(1, who, 300), (2, who, 60), (3, who, 12)];
    let has = |(asset, who, _): &(AssetId, Account, Amount)| match asset {
        1 => true,
        2 => *who != 0,
        _ => matches!(who, 1 | 3 | 4),
    };
    let accounts = (0..7).flat_map(issued).filter(has);
    let accounts = accounts.map(|(asset, who, amount)| (asset, keys.id(who), amount));
    config["assets"]["accounts"] = json!(accounts.collect::<Vec<(AssetId, _, Amount)>>());
    config["assets"]["nextAssetId"] = json!(Some(4));
    let hub = |who: Account| {
        json!({
            "account": keys.id(who),
            "handle": format!("hub{who}"),
            "endpoint": "localhost:1",
            "transportKey": vec![who; 32],
            "fees": HubFees { base: 0, ppm: 0 },
        })
    };
    config["hubs"]["hubs"] = json!(HUBS.map(hub).to_vec());
    config
}

fn native_money(who: Account) -> Amount {
    match who {
        0 => 4 * FRD,
        1 => 40 * FRD,
        4 => 25 * FRD,
        6.. => 1_000_000 * FRD,
        _ => 15 * FRD,
    }
}

/// A simplex that was sent.
#[derive(Clone)]
struct Paper {
    simplex: Simplex,
    acked: bool,
}

/// A transaction of the next block.
struct Pending {
    who: Account,
    call: Call,
    transaction: Tx,
    tip: Amount,
}

struct World<'a> {
    chain: &'a mut chain::Chain,
    keys: Keys,
    reference: model::Chain,
    papers: BTreeMap<(Pair, Side), Vec<Paper>>,
    replayable: Vec<(Account, Call)>,
    pending: Vec<Pending>,
    next_lock: u64,
    totals: Totals,
}

impl<'a> World<'a> {
    /// Opens custody in every asset, so that its seeds are paid, and sets the reference up with
    /// what there is then.
    fn new(chain: &'a mut chain::Chain, keys: Keys) -> Self {
        let values: Parameters = <failsafe_runtime::Parameters as Get<_>>::get();
        let params = model::Params {
            delay_hub: values.delay_hub,
            delay_user: values.delay_user,
            lock_window: values.lock_window,
            keep: values.keep,
            late: values.late,
            floor_hub: values.floor_hub,
            floor_user: values.floor_user,
            account_top_up: values.account_top_up,
            pair_fee: values.pair_fee,
            secret_fee: values.secret_fee,
            dispute_deposit: values.dispute_deposit,
            ..model::Params::default()
        };
        let [helper, other] = HELPERS;
        let open = |(asset, amount)| Call::Deposit {
            asset,
            amount,
            beneficiary: helper,
            partner: other,
            epoch: None,
        };
        let opening = [(NATIVE, FRD), (1, 1), (2, MINIMUM)].map(open);
        for call in &opening {
            chain.all(vec![keys.party(helper).does(keys.call(call))]);
        }
        let rules = |asset: AssetId| {
            let issuer = ISSUERS.iter().find(|(of, _)| *of == asset).map(|(_, issuer)| *issuer);
            let min_balance = match asset {
                NATIVE => EXISTENTIAL_DEPOSIT,
                1 => 1,
                _ => MINIMUM,
            };
            model::AssetRules {
                min_balance,
                sufficient: asset < 2,
                issuer,
                ..model::AssetRules::default()
            }
        };
        let block = u64::from(failsafe_runtime::System::block_number());
        let mut reference = model::Chain::new(model::Genesis {
            params,
            assets: ASSETS.into_iter().map(|asset| (asset, rules(asset))).collect(),
            hubs: BTreeSet::from(HUBS),
            block: block - 1,
            clock: chain::now() - 1,
        });
        reference.mint(NATIVE, helper, 10 * FRD);
        reference.mint(1, helper, 10);
        reference.mint(2, helper, 5 * MINIMUM);
        reference.begin_block(None);
        for call in opening {
            reference.apply(helper, call).expect("enough money");
        }
        reference.end_block(false);
        for asset in ASSETS {
            for who in 0..PARTIES + 2 {
                let free = chain::free(asset, keys.party(who));
                let missing = free.checked_sub(reference.free(asset, who));
                reference.mint(asset, who, missing.expect("the runtime's helper is richer"));
            }
        }
        Self {
            chain,
            keys,
            reference,
            papers: BTreeMap::new(),
            replayable: vec![],
            pending: vec![],
            next_lock: 0,
            totals: Totals::default(),
        }
    }

    fn step(&mut self, op: &Op) -> Differs {
        if self.reference.is_circling() {
            return Ok(());
        }
        match op {
            Op::Call { seat, kind, tip } => {
                let (by, with) = who_of(*seat);
                if let Some((who, call)) = self.call(by, with, kind) {
                    self.submit(who, call, if *tip { FRD / 2 } else { 0 });
                }
            },
            Op::Batch { seat, kinds, mode, twice } => {
                let (by, with) = who_of(*seat);
                let actions: Vec<Action> = kinds
                    .iter()
                    .filter_map(|kind| self.call(by, with, kind).map(|(_, call)| call))
                    .collect();
                if *twice {
                    let push = Call::Enforce { debtor: with, asset: NATIVE };
                    let mode = model::Mode::SkipFailed;
                    self.submit(by, Call::Batch { actions: vec![push], mode }, 0);
                }
                self.submit(by, Call::Batch { actions, mode: *mode }, 0);
            },
            Op::Pay { seat, asset, amount, lock, jump, acked } => {
                self.pay(*seat, asset_of(*asset), *amount, *lock, *jump, *acked);
            },
            Op::Unlock { seat, settled, acked } => self.unlock(*seat, *settled, *acked),
            Op::Story { seat, asset, amounts, lock, reveal, shown, answer, late } => {
                let asset = asset_of(*asset);
                self.pay(*seat, asset, amounts.0, None, false, true);
                self.pay(*seat, asset, amounts.1, *lock, false, true);
                if let Some((hash, _)) = lock.filter(|_| *reveal) {
                    self.does(*seat, &Kind::Reveal(hash, 0));
                }
                self.does(*seat, &Kind::Dispute(Pick::Newest, *shown, false));
                self.end_block(false)?;
                let other = Seat { right: !seat.right, ..*seat };
                match answer {
                    Answer::Nobody => {},
                    Answer::Partner => self.does(other, &Kind::Counter(Pick::Newest, Own::Nothing)),
                    Answer::Tower => {
                        self.does(other, &Kind::CounterFor(seat.pair, Some(0), Some(0), false));
                    },
                }
                self.end_block(false)?;
                self.until_resolved(*seat)?;
                if *late {
                    for _ in 0..2 {
                        self.does(other, &Kind::LateClaim(1, Pick::Newest));
                        self.end_block(false)?;
                    }
                }
            },
            Op::Blocks(empty) => {
                self.end_block(false)?;
                self.blocks(*empty)?;
            },
            Op::FullBlock => {
                self.submit(HELPERS[0], Call::Remark, 0);
                self.end_block(true)?;
            },
        }
        Ok(())
    }

    /// A transaction of who sits there.
    fn does(&mut self, seat: Seat, kind: &Kind) {
        let (by, with) = who_of(seat);
        if let Some((who, call)) = self.call(by, with, kind) {
            self.submit(who, call, 0);
        }
    }

    /// Empty blocks until no dispute of the pair is open.
    fn until_resolved(&mut self, seat: Seat) -> Differs {
        let (by, with) = who_of(seat);
        let (pair, _) = seat_of(by, with);
        let disputed =
            |chain: &model::Chain| chain.channel(pair).is_some_and(|c| c.dispute.is_some());
        while disputed(&self.reference) && !self.reference.is_circling() {
            self.end_block(false)?;
        }
        Ok(())
    }

    fn blocks(&mut self, count: u8) -> Differs {
        (0..count).try_for_each(|_| self.end_block(false))
    }

    fn submit(&mut self, who: Account, call: Call, tip: Amount) {
        if matches!(call, Call::Withdraw { .. } | Call::LateClaim { .. }) {
            self.replayable.push((who, call.clone()));
        }
        let transaction = self.keys.party(who).does(self.keys.call(&call)).tip(tip);
        self.pending.push(Pending { who, call, transaction, tip });
    }

    /// Makes the block of all that is pending, on both.
    fn end_block(&mut self, full: bool) -> Differs {
        if self.reference.is_circling() {
            return Ok(());
        }
        let pending = std::mem::take(&mut self.pending);
        let author = self.keys.account(&self.chain.next_author()).expect("a known author");
        let asked: Vec<_> = pending.iter().map(|p| p.transaction.asked_fee()).collect();
        let transactions = pending.iter().map(|p| p.transaction.clone()).collect();
        let results = self.chain.block(transactions);
        let mut fees = fees_paid().into_iter();
        self.reference.begin_block(Some(author));
        for ((pending, asked), result) in pending.into_iter().zip(asked).zip(results) {
            let what = format!("{} does {:?}", pending.who, pending.call);
            self.transaction(pending, asked, result, &mut fees)
                .map_err(|w| format!("{what}: {w}"))?;
        }
        let epochs = |chain: &model::Chain| -> u64 {
            chain.channels().values().map(|channel| u64::from(channel.epoch)).sum()
        };
        let before = epochs(&self.reference);
        let counted = self.locks_that_count();
        self.reference.end_block_with(full, &idle_order(self.reference.block_number()));
        let debts = self.reference.all_debts();
        let unclaimed = |asset| (0..PARTIES).any(|who| self.reference.unclaimed(asset, who) > 0);
        self.totals = self.totals
            + Totals {
                epochs: epochs(&self.reference) - before,
                owing: u64::from(!debts.is_empty()),
                queues: u64::from(debts.values().any(|line| line.len() > 1)),
                unclaimed: u64::from(ASSETS.into_iter().any(unclaimed)),
                full: u64::from(full),
                counted,
                ..Totals::default()
            };
        if self.reference.is_circling() {
            self.totals.circles += 1;
        } else {
            compare::states(&self.keys, &self.reference)?;
        }
        let holds = failsafe_runtime::invariants::check();
        holds.map_err(|broken| format!("invariant: {broken:?}"))
    }

    /// Locks in disputes that are due whose secrets came in time.
    fn locks_that_count(&self) -> u64 {
        let clock = self.reference.clock();
        let open = self.reference.channels().values().filter_map(|c| c.dispute.as_ref());
        let due = open.filter(|dispute| dispute.resolve_at == clock);
        let locks = due.flat_map(|d| d.stored.iter().flatten()).flat_map(|s| s.simplex.locks());
        let in_time = |lock: &&Lock| {
            self.reference.revealed(lock.hash).is_some_and(|s| s.revealed_at <= lock.expiry)
        };
        u64::try_from(locks.filter(in_time).count()).expect("few locks")
    }

    /// What became of a transaction.
    fn transaction(
        &mut self,
        Pending { who, call, tip, .. }: Pending,
        asked: Amount,
        result: ApplyExtrinsicResult,
        fees: &mut impl Iterator<Item = Amount>,
    ) -> Differs {
        if self.reference.is_circling() {
            return Ok(());
        }
        let batch = matches!(call, Call::Batch { .. });
        let late = matches!(call, Call::LateClaim { .. });
        let result = match result {
            Err(TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources))
                if batch =>
            {
                // A second one of the account, or heavier than a block may be: nothing happens.
                self.totals.waiting += u64::from(self.reference.has_batched(who));
                return Ok(());
            },
            Err(TransactionValidityError::Invalid(InvalidTransaction::Payment)) => {
                self.totals.unpaid += 1;
                let able = self.reference.clone().ask_fee(who, asked);
                return match able {
                    Err(_) => Ok(()),
                    Ok(()) => Err(format!("the runtime does not take the fee of {asked}")),
                };
            },
            Err(error) => return Err(format!("not valid: {error:?}")),
            Ok(result) => result,
        };
        let paid = self.reference.ask_fee(who, asked);
        paid.map_err(|_| format!("the reference does not take the fee of {asked}"))?;
        let fee = fees.next().ok_or("a transaction without fee event")?;
        match (result, self.reference.apply(who, call)) {
            (Ok(()), Ok(done)) => {
                self.totals.done += 1;
                self.totals.free += u64::from(done.free && asked > tip);
                self.totals.late += u64::from(late);
                self.totals.skipped += u64::try_from(done.skipped.len()).expect("few actions");
                if done.free != (fee == tip) {
                    return Err(format!("fee {fee}, in the reference free: {}", done.free));
                }
            },
            (Err(runtime), Err(reference)) => {
                self.totals.refused += 1;
                compare::errors(&runtime, reference)?;
            },
            (runtime, reference) => {
                return Err(format!("runtime {runtime:?}, reference {reference:?}"));
            },
        }
        self.reference.settle_fee(who, asked, fee);
        Ok(())
    }

    fn current(&self, pair: Pair, from: Side) -> Vec<&Paper> {
        let epoch = self.reference.epoch(pair);
        self.of_epoch(pair, from, epoch)
    }

    fn of_epoch(&self, pair: Pair, from: Side, epoch: model::Epoch) -> Vec<&Paper> {
        let papers = self.papers.get(&(pair, from)).into_iter().flatten();
        papers.filter(|paper| paper.simplex.epoch == epoch).collect()
    }

    fn newest(&self, pair: Pair, from: Side) -> Simplex {
        let newest = self.current(pair, from).last().map(|paper| paper.simplex.clone());
        let epoch = self.reference.epoch(pair);
        newest.unwrap_or(Simplex { pair, epoch, from, nonce: 0, entries: vec![] })
    }

    fn keep(&mut self, simplex: Simplex, acked: bool) {
        self.papers.entry((simplex.pair, simplex.from)).or_default().push(Paper { simplex, acked });
    }

    fn pay(
        &mut self,
        seat: Seat,
        asset: AssetId,
        amount: u8,
        lock: Option<(u8, u8)>,
        jump: bool,
        acked: bool,
    ) {
        let (by, with) = who_of(seat);
        let (pair, from) = seat_of(by, with);
        let mut simplex = self.newest(pair, from);
        simplex.nonce += if jump { 2 } else { 1 };
        let place = simplex.entries.partition_point(|entry| entry.asset < asset);
        if simplex.entry(asset).is_none() {
            simplex.entries.insert(place, Entry { asset, sent: 0, locks: vec![] });
        }
        let entry = &mut simplex.entries[place];
        let amount = amount_of(asset, amount);
        match lock {
            Some((hash, life)) if amount > 0 => {
                self.next_lock += 1;
                entry.locks.push(Lock {
                    id: self.next_lock,
                    amount,
                    hash: model::Hash(u64::from(hash % SECRETS)),
                    expiry: self.reference.clock() + u64::from(life % 28),
                });
            },
            _ => entry.sent += amount,
        }
        self.keep(simplex, acked);
    }

    fn unlock(&mut self, seat: Seat, settled: bool, acked: bool) {
        let (by, with) = who_of(seat);
        let (pair, from) = seat_of(by, with);
        let mut simplex = self.newest(pair, from);
        let Some(entry) = simplex.entries.iter_mut().find(|entry| !entry.locks.is_empty()) else {
            return;
        };
        let lock = entry.locks.remove(0);
        if settled {
            entry.sent += lock.amount;
        }
        simplex.nonce += 1;
        self.keep(simplex, acked);
    }

    /// The call that a kind means for `by`, and who makes it when it is not in a batch.
    fn call(&self, by: Account, with: Account, kind: &Kind) -> Option<(Account, Call)> {
        let (pair, side) = seat_of(by, with);
        let clock = self.reference.clock();
        let epoch = self.reference.epoch(pair);
        let issuer = |asset: AssetId, sure: bool| {
            let issuer = ISSUERS.iter().find(|(of, _)| *of == asset).map(|(_, issuer)| *issuer);
            issuer.filter(|_| sure).unwrap_or(by)
        };
        let issued = |number: u8| ASSETS[1 + usize::from(number) % 3];
        let someone = |number: u8| Account::from(number) % PARTIES;
        let call = match kind.clone() {
            Kind::Deposit(asset, amount, theirs, wanted) => {
                let asset = insurable(asset);
                let (beneficiary, partner) = if theirs { (with, by) } else { (by, with) };
                let epoch = match wanted {
                    0..=4 => None,
                    5 | 6 => Some(epoch),
                    _ => Some(epoch + 1),
                };
                let amount = amount_of(asset, amount);
                Call::Deposit { asset, amount, beneficiary, partner, epoch }
            },
            Kind::Gift(asset, amount) => {
                let others = PAIRS.iter().filter(|(a, b)| *a != by && *b != by);
                let (beneficiary, partner) = *others.cycle().nth(usize::from(amount))?;
                let asset = insurable(asset);
                let amount = amount_of(asset, amount);
                Call::Deposit { asset, amount, beneficiary, partner, epoch: None }
            },
            Kind::Withdraw(asset, amount, bound, more, flaw) => {
                let item = |asset: AssetId, amount: u8, bound: u8| Item {
                    asset,
                    amount: amount_of(asset, amount),
                    max_from_balance: if bound.is_multiple_of(3) {
                        0
                    } else {
                        amount_of(asset, bound)
                    },
                };
                let mut items = vec![item(asset_of(asset), amount, bound)];
                items.extend(more.map(|(asset, amount)| item(asset_of(asset), amount, bound)));
                if bound % 16 > 0 {
                    items.sort_by_key(|item| item.asset);
                }
                let due = self.reference.channel(pair).map_or([0; 2], |c| c.withdrawal_nonces);
                let due = due[side.index()];
                let nonce = match flaw {
                    Flaw::Nonce if due > 0 && bound % 2 == 0 => due - 1,
                    Flaw::Nonce => due + 1,
                    _ => due,
                };
                let valid_until = match flaw {
                    Flaw::Expired => clock,
                    _ => clock + 1 + u64::from(bound % 8),
                };
                let content = Withdrawal {
                    pair,
                    epoch: wrong_epoch(epoch, flaw),
                    to: side,
                    nonce,
                    valid_until,
                    items,
                };
                Call::Withdraw { partner: with, proof: sign(signer(with, flaw), content) }
            },
            Kind::Replay(which) => {
                let mine: Vec<_> = self.replayable.iter().filter(|(who, _)| *who == by).collect();
                let (_, call) = mine.get(usize::from(which) % mine.len().max(1))?;
                call.clone()
            },
            Kind::Dispute(theirs, ours, wrong) => {
                let evidence = self.evidence(pair, side, theirs, ours);
                Call::Dispute { partner: with, epoch: epoch + u32::from(wrong), evidence }
            },
            Kind::Counter(theirs, ours) => {
                Call::Counter { partner: with, evidence: self.evidence(pair, side, theirs, ours) }
            },
            Kind::CounterFor(which, left, right, wrong) => {
                let (a, b) = PAIRS[usize::from(which) % PAIRS.len()];
                let pair = Pair::of(a, b)?;
                let back = [left, right];
                let twice = |from: Side| {
                    let simplex = self.acked(pair, from, back[from.index()]?)?;
                    let acker = if wrong { by } else { simplex.payee() };
                    let ack = sign(acker, Ack(simplex.clone()));
                    Some(TwiceSigned { simplex: sign(simplex.payer(), simplex), ack })
                };
                let simplexes = Side::BOTH.into_iter().filter_map(twice).collect();
                Call::CounterFor { pair, simplexes }
            },
            Kind::Accept(honest) => {
                let channel = self.reference.channel(pair);
                let open = channel.and_then(|channel| channel.dispute.as_ref());
                let nothing = Presented { epoch, stored: [None, None] };
                let presented = open.map_or(nothing, |open| open.presented(epoch));
                let shown = presented.epoch + u32::from(!honest);
                Call::Accept { partner: with, presented: Presented { epoch: shown, ..presented } }
            },
            Kind::Close(other, flaw) => Call::Close {
                partner: with,
                close: sign(signer(with, flaw), self.close(pair, other, flaw)),
            },
            Kind::Resolve(which) => {
                let (a, b) = PAIRS[usize::from(which) % PAIRS.len()];
                Call::Resolve { pair: Pair::of(a, b)? }
            },
            Kind::LateClaim(back, pick) => {
                let epoch = epoch.saturating_sub(u32::from(back));
                let papers = self.of_epoch(pair, side.other(), epoch);
                let simplex = self.pick(pair, side.other(), &papers, pick)?;
                Call::LateClaim { payer: with, epoch, simplex }
            },
            Kind::Reveal(first, second) => {
                let secret = |number: u8| model::Secret(u64::from(number % SECRETS));
                let mut secrets = vec![secret(first)];
                secrets.extend((second > 99).then(|| secret(second)));
                Call::Reveal { secrets }
            },
            Kind::Enforce(asset, who) => {
                Call::Enforce { debtor: someone(who), asset: asset_of(asset) }
            },
            Kind::Forgive(asset, place) => {
                // A debt to the caller if there is one, or any of the partner.
                let asset = asset_of(asset);
                let mine = |(key, line): (&(Account, AssetId), &Vec<model::Debt>)| {
                    let mine = line.iter().filter(|debt| debt.creditor == by || key.0 == with);
                    mine.map(|debt| (*key, debt.clone())).collect::<Vec<_>>()
                };
                let all: Vec<_> = self.reference.all_debts().iter().flat_map(mine).collect();
                let Some(((debtor, asset), debt)) = all.get(usize::from(place) % all.len().max(1))
                else {
                    return Some((
                        by,
                        Call::Forgive { debtor: with, asset, opened_in: 1, index: 0 },
                    ));
                };
                let (opened_in, index) = (debt.opened_in, debt.index);
                Call::Forgive { debtor: *debtor, asset: *asset, opened_in, index }
            },
            Kind::Claim(asset, who) => Call::Claim { who: someone(who), asset: asset_of(asset) },
            Kind::Transfer(asset, amount) => {
                let asset = asset_of(asset);
                // FRAME takes a transfer of nothing for done, whoever makes it.
                Call::Transfer { to: with, asset, amount: amount_of(asset, amount).max(1) }
            },
            Kind::Freeze(asset, who) => {
                let call = Call::Freeze { asset: issued(asset), who: someone(who) };
                return Some((issuer(issued(asset), who < 230), call));
            },
            Kind::Block(asset, who) => {
                let call = Call::Block { asset: issued(asset), who: someone(who) };
                return Some((issuer(issued(asset), who < 230), call));
            },
            Kind::Thaw(asset, who) => {
                let call = Call::Thaw { asset: issued(asset), who: someone(who) };
                return Some((issuer(issued(asset), who < 230), call));
            },
            Kind::FreezeAsset(asset) => {
                let call = Call::FreezeAsset { asset: issued(asset) };
                return Some((issuer(issued(asset), asset < 230), call));
            },
            Kind::ThawAsset(asset) => {
                let call = Call::ThawAsset { asset: issued(asset) };
                return Some((issuer(issued(asset), asset < 230), call));
            },
        };
        Some((by, call))
    }

    /// What both have signed, or something else that they agree on.
    fn close(&self, pair: Pair, other: Option<(u8, i8)>, flaw: Flaw) -> model::Close {
        let [left, right] = Side::BOTH.map(|side| self.newest(pair, side));
        let number = |amount: Amount| i128::try_from(amount).expect("small amounts");
        let mut offdeltas: BTreeMap<AssetId, i128> = ASSETS
            .into_iter()
            .map(|asset| (asset, number(right.sent(asset)) - number(left.sent(asset))))
            .filter(|(_, offdelta)| *offdelta != 0)
            .collect();
        if let Some((asset, offdelta)) = other {
            let asset = asset_of(asset);
            let unit = number(amount_of(asset, 8)) / 8;
            offdeltas.insert(asset, i128::from(offdelta) * unit);
        }
        let mut offdeltas: Vec<_> = offdeltas.into_iter().collect();
        if matches!(flaw, Flaw::Nonce) {
            offdeltas.reverse();
        }
        let clock = self.reference.clock();
        let valid_until = if matches!(flaw, Flaw::Expired) { clock } else { clock + 5 };
        let epoch = wrong_epoch(self.reference.epoch(pair), flaw);
        model::Close { pair, epoch, valid_until, offdeltas }
    }

    /// The newest acked simplex of the current epoch, or one so many before it.
    fn acked(&self, pair: Pair, from: Side, back: u8) -> Option<Simplex> {
        let papers = self.current(pair, from);
        let acked: Vec<_> = papers.into_iter().filter(|paper| paper.acked).collect();
        let place = acked.len().checked_sub(1 + usize::from(back))?;
        Some(acked[place].simplex.clone())
    }

    fn pick(
        &self,
        pair: Pair,
        from: Side,
        papers: &[&Paper],
        pick: Pick,
    ) -> Option<Signed<Simplex>> {
        let payer = pair.account(from);
        let newest = || papers.last().map(|paper| paper.simplex.clone());
        let simplex = match pick {
            Pick::Nothing => return None,
            Pick::Newest => newest()?,
            Pick::Older(back) => {
                let place = papers.len().checked_sub(1 + usize::from(back))?;
                papers[place].simplex.clone()
            },
            Pick::Forged => return Some(sign((payer + 1) % PARTIES, newest()?)),
            Pick::OldEpoch => self.papers.get(&(pair, from))?.first()?.simplex.clone(),
            Pick::Malformed => {
                let mut simplex = newest()?;
                simplex.entries.last_mut()?.sent = LIMIT + 1;
                simplex
            },
        };
        Some(sign(payer, simplex))
    }

    fn evidence(&self, pair: Pair, side: Side, theirs: Pick, ours: Own) -> Evidence {
        let papers = self.current(pair, side.other());
        let theirs = self.pick(pair, side.other(), &papers, theirs);
        let partner = pair.account(side.other());
        let acked = |back: u8, acker: Account| {
            self.acked(pair, side, back).map(|simplex| sign(acker, Ack(simplex)))
        };
        let unacked = |simplex: Simplex| {
            let floor = acked(0, partner).filter(|ack| ack.content().0.nonce <= simplex.nonce);
            Some(Ours::Unacked { simplex, acked: floor })
        };
        let ours = match ours {
            Own::Nothing => None,
            Own::Acked(back) => acked(back, partner).map(Ours::Acked),
            Own::Forged => acked(0, (partner + 1) % PARTIES).map(Ours::Acked),
            Own::Unacked => {
                let newest = self.newest(pair, side);
                if newest.nonce > 0 {
                    unacked(newest)
                } else {
                    None
                }
            },
            Own::Invented(above, quarters) => {
                let mut simplex = self.newest(pair, side);
                simplex.nonce += u64::from(above);
                for entry in &mut simplex.entries {
                    entry.sent = entry.sent * Amount::from(quarters) / 4;
                }
                unacked(simplex)
            },
        };
        Evidence { theirs, ours }
    }
}

fn who_of(seat: Seat) -> (Account, Account) {
    let (a, b) = PAIRS[usize::from(seat.pair) % PAIRS.len()];
    if seat.right {
        (b, a)
    } else {
        (a, b)
    }
}

fn seat_of(by: Account, with: Account) -> (Pair, Side) {
    let pair = Pair::of(by, with).expect("two accounts");
    (pair, pair.side_of(by).expect("a party"))
}

fn asset_of(number: u8) -> AssetId {
    ASSETS[usize::from(number) % ASSETS.len()]
}

/// Amounts that are sometimes nothing, often too much.
fn amount_of(asset: AssetId, number: u8) -> Amount {
    let number = Amount::from(number);
    match asset {
        NATIVE => number * FRD / 8,
        1 => number,
        2 => number / 3,
        _ => number / 16,
    }
}

/// Assets of which deposits are made.
fn insurable(number: u8) -> AssetId {
    ASSETS[usize::from(number) % 3]
}

fn wrong_epoch(epoch: model::Epoch, flaw: Flaw) -> model::Epoch {
    match flaw {
        Flaw::Epoch if epoch > 0 => epoch - 1,
        Flaw::Epoch => 1,
        _ => epoch,
    }
}

fn signer(partner: Account, flaw: Flaw) -> Account {
    match flaw {
        Flaw::Signer => (partner + 1) % PARTIES,
        _ => partner,
    }
}

/// FRAME starts the idle work of each block with the next pallet.
fn idle_order(block: u64) -> Vec<model::Idle> {
    let infos = AllPalletsWithSystem::infos();
    let first = usize::try_from(block).expect("few blocks") % infos.len();
    let part = |name| match name {
        "Insurance" => Some(model::Idle::Resolve),
        "Debt" => Some(model::Idle::Sweep),
        "Secrets" => Some(model::Idle::Purge),
        _ => None,
    };
    let turns = infos.iter().cycle().skip(first).take(infos.len());
    turns.filter_map(|info| part(info.name)).collect()
}
