//! The rules of the chain (`protocol.md` §2, §5, §6, §7): accounts and channels, disputes, debts,
//! secrets, blocks.
//!
//! A [`Chain`] is a value: cloning it forks it, so a reorganisation is a clone that is gone on
//! with. Every call is all or nothing: [`Chain::apply`] changes nothing when it fails.
//!
//! ```
//! use failsafe_model::chain::{Call, Chain, Evidence, Genesis, Params};
//! let mut chain = Chain::new(Genesis { params: Params::default(), ..Genesis::default() });
//! chain.mint(0, 2, 10_000);
//! chain.begin_block(None);
//! let deposit =
//!     Call::Deposit { asset: 0, amount: 5_000, beneficiary: 2, partner: 7, epoch: None };
//! chain.apply(2, deposit).unwrap();
//! chain.apply(2, Call::Dispute { partner: 7, epoch: 0, evidence: Evidence::default() }).unwrap();
//! chain.end_block(false);
//! chain.run_blocks(8);
//! assert_eq!(chain.free(0, 2), 10_000);
//! ```

mod call;
mod channel;
mod debt;
mod dispute;
mod money;
mod resolve;
mod signed;

pub use call::{Action, Call, Done, Mode};
pub use channel::{Channel, Row};
pub use debt::Debt;
pub use dispute::{Dispute, Evidence, Ours, Presented, Standing, Stored, TwiceSigned, Verdict};
pub use money::AssetRules;
pub use resolve::{split, OldEpoch, Outcome};
pub use signed::{sign, Ack, Close, Entry, Item, Lock, Signed, Simplex, Withdrawal};

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

/// An account. Its order among the accounts decides who is left.
pub type Account = u32;
/// An asset; 0 is the native one.
pub type AssetId = u32;
/// An amount of money in smallest units.
pub type Amount = u128;
/// Usable blocks (`protocol.md` §7).
pub type Clock = u64;
/// A block number.
pub type BlockNumber = u64;
/// Number of a channel's life.
pub type Epoch = u32;
/// A secret; its hash carries the same number, and only who knows it writes it as a `Secret`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(pub u64);
/// The hash of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(pub u64);

impl Secret {
    /// Its hash.
    pub fn hash(self) -> Hash {
        Hash(self.0)
    }
}

/// The native asset.
pub const NATIVE: AssetId = 0;
/// Bound of `insurance`, `|ondelta|`, `sent`, and the sum of a simplex's locks.
pub const LIMIT: Amount = 1 << 120;
/// Most entries of a simplex, items of a proof, and collateral rows.
pub const MAX_ASSETS: usize = 16;
/// Most rows in issued assets that each side may open.
pub const MAX_ROWS: u32 = 7;
/// Most locks of a simplex on chain.
pub const MAX_LOCKS: usize = 128;
/// How much later than the window a counter's locks may expire: the least delay.
pub const COUNTER_SLACK: Clock = 6;
/// Blocks over which a native debtor's allowance below the floor is counted.
pub const ALLOWANCE_BLOCKS: BlockNumber = 1_000;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The smaller account.
    Left,
    /// The greater account.
    Right,
}

impl Side {
    /// Both, left first.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// 0 for left, 1 for right.
    pub fn index(self) -> usize {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }
}

/// Two accounts, ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    left: Account,
    right: Account,
}

impl Pair {
    /// The pair of two accounts; none of an account with itself.
    pub fn of(a: Account, b: Account) -> Option<Self> {
        (a != b).then(|| Self { left: a.min(b), right: a.max(b) })
    }

    /// The account of a side.
    pub fn account(self, side: Side) -> Account {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// The side of an account.
    pub fn side_of(self, who: Account) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.account(*side) == who)
    }
}

/// Why a call was refused. Names are those of the chain where it has the same case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// An account has no channel with itself.
    SamePair,
    /// The caller is not a party of this channel.
    NotAParty,
    /// There is no such asset.
    UnknownAsset,
    /// 0 or below the asset's minimum balance.
    AmountTooSmall,
    /// Beyond [`LIMIT`].
    LimitExceeded,
    /// A row that may not be opened.
    TooManyAssets,
    /// The channel has moved on.
    WrongEpoch,
    /// No record of this channel.
    NoChannel,
    /// Assets out of order, nothing, or an amount of 0.
    MalformedWithdrawal,
    /// Not the nonce that is due.
    WrongWithdrawalNonce,
    /// `valid_until` has passed.
    Expired,
    /// Signed by somebody else or over something else.
    BadProof,
    /// More would be drawn on the partner's balance than the proof allows.
    AboveMaxFromBalance,
    /// The partner cannot spend enough, or owes in this asset.
    PartnerCannotPay,
    /// Neither evidence nor collateral.
    NothingToDispute,
    /// The starter has spoken.
    StarterSpeaksOnce,
    /// No open dispute.
    NoDispute,
    /// The time to answer has passed.
    TooLate,
    /// Accepted or co-signed already.
    AlreadySettled,
    /// A simplex breaks order or bounds.
    MalformedEvidence,
    /// A lock expires later than the window allows.
    ExpiryTooFar,
    /// Only the starter brings his own simplex without an ack.
    AckMissing,
    /// A stored lock is still open.
    LiveLock,
    /// Assets out of order, or beyond the limit.
    MalformedClose,
    /// The dispute's time is not over.
    TooEarly,
    /// Too late for a late claim, or never disputed.
    NoLateClaims,
    /// Everything has been counted.
    NothingToClaim,
    /// The dispute deposit cannot be paid.
    DepositMissing,
    /// The pair fee cannot be paid.
    PairFeeMissing,
    /// The fee for new secrets cannot be paid.
    SecretFeeMissing,
    /// The dispute does not show what is accepted.
    NotWhatIsPresented,
    /// The account owes nothing in this asset.
    NoDebt,
    /// Only the creditor forgives.
    NotCreditor,
    /// The creditor owes in this asset.
    CreditorOwes,
    /// Nothing of this account is unclaimed.
    NothingUnclaimed,
    /// The account still cannot be credited.
    StillRefused,
    /// The payer would be left a rest below the minimum.
    WouldLeaveDust,
    /// Too little money, or it is frozen, or the receiver cannot be credited.
    CannotMove,
    /// Only the issuer does that.
    NotIssuer,
    /// A second batch of the account in one block.
    OneBatchPerBlock,
    /// A batch without actions.
    EmptyBatch,
    /// The fee cannot be paid.
    FeeMissing,
}

/// The protocol's numbers (`protocol.md` §9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Time to answer for a hub.
    pub delay_hub: Clock,
    /// Time to answer for other accounts.
    pub delay_user: Clock,
    /// Longest life of a lock.
    pub lock_window: Clock,
    /// How long a secret is kept.
    pub keep: Clock,
    /// Time for late claims.
    pub late: Clock,
    /// Native money of a hub that debts leave alone.
    pub floor_hub: Amount,
    /// The same of another account.
    pub floor_user: Amount,
    /// Paid for accounts that do not exist yet.
    pub account_top_up: Amount,
    /// Once per pair.
    pub pair_fee: Amount,
    /// Per new secret.
    pub secret_fee: Amount,
    /// Held from who starts a dispute.
    pub dispute_deposit: Amount,
    /// The first text of A10, to compare with: every counter with at least the acked nonce
    /// replaces the starter's un-acked simplex, even one that gives less.
    pub literal_a10: bool,
    /// A10: what is brought and not taken, because the starter's un-acked simplex gives as much,
    /// still raises the floor, so that nothing older replaces that one later.
    pub raise_floor: bool,
    /// M6: an un-acked own simplex in an answer counts as its acked part.
    pub unacked_as_acked: bool,
}

impl Default for Params {
    /// The development times, without prices.
    fn default() -> Self {
        Self {
            delay_hub: 6,
            delay_user: 8,
            lock_window: 20,
            keep: 100,
            late: 200,
            floor_hub: 0,
            floor_user: 0,
            account_top_up: 0,
            pair_fee: 0,
            secret_fee: 0,
            dispute_deposit: 0,
            literal_a10: false,
            raise_floor: true,
            unacked_as_acked: true,
        }
    }
}

/// What a chain starts with. Money comes with [`Chain::mint`].
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The numbers.
    pub params: Params,
    /// Assets by number; the native one is always there.
    pub assets: BTreeMap<AssetId, AssetRules>,
    /// Registered hubs.
    pub hubs: BTreeSet<Account>,
    /// The number of the first block, less one.
    pub block: BlockNumber,
    /// The clock that the first block shows, less one.
    pub clock: Clock,
}

impl Default for Genesis {
    fn default() -> Self {
        let assets = BTreeMap::from([(NATIVE, AssetRules::default())]);
        Self { params: Params::default(), assets, hubs: BTreeSet::new(), block: 0, clock: 0 }
    }
}

/// A secret in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revealed {
    /// When it was first revealed.
    pub revealed_at: Clock,
    /// It is not forgotten before.
    pub keep_until: Clock,
}

/// A part of a block's idle work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Resolves due disputes, and forgets old epochs.
    Resolve,
    /// Collects debts.
    Sweep,
    /// Forgets secrets.
    Purge,
}

/// The chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    params: Params,
    block: BlockNumber,
    clock: Clock,
    author: Option<Account>,
    previous_full: bool,
    batched: BTreeSet<Account>,
    hubs: BTreeSet<Account>,
    money: money::Money,
    channels: BTreeMap<Pair, Channel>,
    old_epochs: BTreeMap<(Pair, Epoch), OldEpoch>,
    debts: BTreeMap<(Account, AssetId), Vec<Debt>>,
    /// Next index of a debt of a debtor and an asset among those of a block.
    debt_numbers: BTreeMap<(Account, AssetId, BlockNumber), u32>,
    allowances: BTreeMap<Account, debt::Allowance>,
    secrets: BTreeMap<Hash, Revealed>,
    /// Secrets in the order of their reveals, and until when they were to be kept then.
    reveals: VecDeque<(Hash, Clock)>,
    /// When to look at which dispute, in the order in which they are served. A hint: an entry may
    /// come too early, or for a dispute that is over.
    agenda: BTreeSet<(Clock, Reverse<u64>, Pair)>,
    /// Next number of an agenda entry.
    sequence: u64,
    /// A visit of a debtor has come to its bound.
    circling: bool,
}

impl Chain {
    /// A chain before its first block.
    pub fn new(genesis: Genesis) -> Self {
        let Genesis { params, mut assets, hubs, block, clock } = genesis;
        assets.entry(NATIVE).or_default();
        Self {
            params,
            block,
            clock,
            author: None,
            previous_full: false,
            batched: BTreeSet::new(),
            hubs,
            money: money::Money::new(assets),
            channels: BTreeMap::new(),
            old_epochs: BTreeMap::new(),
            debts: BTreeMap::new(),
            debt_numbers: BTreeMap::new(),
            allowances: BTreeMap::new(),
            secrets: BTreeMap::new(),
            reveals: VecDeque::new(),
            agenda: BTreeSet::new(),
            sequence: 0,
            circling: false,
        }
    }

    /// The numbers.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The number of the block that is being made, or of the last one.
    pub fn block_number(&self) -> BlockNumber {
        self.block
    }

    /// The usable clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Whether `who` is a registered hub.
    pub fn is_hub(&self, who: Account) -> bool {
        self.hubs.contains(&who)
    }

    /// Registers or retires a hub.
    pub fn set_hub(&mut self, who: Account, registered: bool) {
        if registered {
            self.hubs.insert(who);
        } else {
            self.hubs.remove(&who);
        }
    }

    /// When a secret was revealed.
    pub fn revealed(&self, hash: Hash) -> Option<Revealed> {
        self.secrets.get(&hash).copied()
    }

    /// All secrets in the registry.
    pub fn secrets(&self) -> &BTreeMap<Hash, Revealed> {
        &self.secrets
    }

    /// The next block, made by `author`, who gets the fees.
    pub fn begin_block(&mut self, author: Option<Account>) {
        self.block += 1;
        if !self.previous_full {
            self.clock += 1;
        }
        self.author = author;
        self.batched.clear();
    }

    /// Ends the block. A `full` one leaves no room for idle work, and the clock of the next block
    /// stands still.
    pub fn end_block(&mut self, full: bool) {
        let all = [Idle::Resolve, Idle::Sweep, Idle::Purge];
        self.end_block_with(full, if full { &[] } else { &all });
    }

    /// As [`Self::end_block`], with what is done on idle, in this order.
    pub fn end_block_with(&mut self, full: bool, idle: &[Idle]) {
        self.previous_full = full;
        for part in idle {
            match part {
                Idle::Resolve => {
                    self.resolve_due();
                    let clock = self.clock;
                    self.old_epochs.retain(|_, old| old.until >= clock);
                },
                Idle::Sweep => self.sweep(),
                Idle::Purge => self.purge(),
            }
        }
        self.check();
    }

    /// So many empty blocks.
    pub fn run_blocks(&mut self, count: u64) {
        for _ in 0..count {
            self.begin_block(None);
            self.end_block(false);
        }
    }

    /// Empty blocks until the clock shows `clock`.
    pub fn run_to_clock(&mut self, clock: Clock) {
        while self.clock < clock {
            self.run_blocks(1);
        }
    }

    /// Forgets secrets whose time was over before the oldest open dispute began, in the order of
    /// their reveals; one that is kept longer goes to the end.
    fn purge(&mut self) {
        let starts = self.channels.values().filter_map(|channel| channel.dispute.as_ref());
        let oldest = starts.map(|dispute| dispute.start).min();
        // A lock whose secret came in time must count, however late its dispute is resolved.
        let safe = oldest.unwrap_or(self.clock).min(self.clock);
        while self.reveals.front().is_some_and(|(_, due)| *due < safe) {
            let (hash, due) = self.reveals.pop_front().expect("seen above");
            let keep_until = self.secrets[&hash].keep_until;
            if keep_until > due {
                self.reveals.push_back((hash, keep_until));
            } else {
                self.secrets.remove(&hash);
            }
        }
    }

    /// Panics when the books do not balance.
    pub fn check(&self) {
        let mut insured = BTreeMap::new();
        for (pair, channel) in &self.channels {
            for (asset, row) in &channel.rows {
                assert!(row.insurance <= LIMIT && row.ondelta.unsigned_abs() <= LIMIT);
                assert!(row.insurance != 0 || row.ondelta != 0, "an empty row of {pair:?}");
                *insured.entry(*asset).or_insert(0) += row.insurance;
            }
            for side in Side::BOTH {
                assert!(channel.opened_by(side) <= MAX_ROWS, "rows of {pair:?}");
            }
            if let Some(dispute) = &channel.dispute {
                assert!(dispute.resolve_at >= dispute.start, "due before it began");
                let planned = |entry: &(Clock, Reverse<u64>, Pair)| {
                    entry.2 == *pair && entry.0 <= dispute.resolve_at
                };
                assert!(self.agenda.iter().any(planned), "a dispute that nobody will resolve");
            }
        }
        let deposits: Amount = self
            .channels
            .values()
            .filter_map(|channel| channel.dispute.as_ref())
            .map(|dispute| dispute.deposit)
            .sum();
        self.money.check(&insured, deposits);
        for ((debtor, asset), debts) in &self.debts {
            assert!(!debts.is_empty(), "an empty line");
            for debt in debts {
                assert!(debt.amount > 0, "a debt of 0 of {debtor} in {asset}");
                assert!(debt.creditor != *debtor, "a debt to oneself");
            }
        }
    }
}
