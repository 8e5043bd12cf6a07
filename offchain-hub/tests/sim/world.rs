//! Parties with their real programs' minds on simulated disks, sockets and clocks.

use crate::chain::{Chain, News, GENESIS};
use codec::Encode;
use failsafe_channel::{Message, Sign, Transition};
use failsafe_hub::{
    chain::{Call, ChainNews, Followed, Outcome, Track},
    keys::{AccountKey, Scheme},
    party::{
        core::{Action, Core, Input, Output, SessionId},
        policy::{Policy, RebalancePolicy, Role, Signing},
        processes::process_key,
    },
    rebalance::AssetRules,
    store::{self, Share, Store},
};
use failsafe_primitives::{
    arithmetic::LIMIT, fees::HubFees, simplex::LockHash, view::BalanceView, AccountId, Balance,
    Parameters, NATIVE_ASSET,
};
use rand::{rngs::StdRng, Rng, SeedableRng};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

mod absence;
mod books;
mod disk;
mod hands;
mod network;
mod people;
mod vice;

use disk::Disk;
use vice::takes_a_step;
pub use vice::Vice;

/// More calls than a party makes.
const CALLS: u64 = 1 << 32;
/// Money that each account begins with on chain.
pub const FUNDS: Balance = 1_000_000;
/// What each side of a channel has insured, and may owe beyond it.
pub const INSURED: Balance = 500;
pub const CREDIT: Balance = 300;
/// From which uninsured balance on users want insurance.
const INSURE_ABOVE: Balance = 100;
/// Pause between the rebalances of a hub.
const REBALANCE_MS: u64 = 12_000;
/// Payments that are over and still in memory: few, so that older ones are asked for, too.
const IN_MEMORY: usize = 4;
/// Entries on the pages of channels: few, so that channels often get their records again.
const ON_PAGES: usize = 3;
/// What hubs ask for forwarding.
pub const FEE: Balance = 1;

struct Party {
    key: Arc<AccountKey>,
    /// As one of the processes of a hub: its key towards the other one.
    process: Option<Arc<AccountKey>>,
    disk: Arc<Disk>,
    policy: Policy,
    onion_key: [u8; 32],
    core: Core,
    hashes: BTreeSet<LockHash>,
    /// Those of them of which nothing has been read yet.
    new_hashes: BTreeSet<LockHash>,
    partners: BTreeSet<AccountId>,
    /// Blocks that it has heard of: best and finalized.
    seen: (u64, u64),
    /// For how many more blocks it is down.
    down: u32,
    vice: Vice,
}

/// A payment without locks that somebody tried to make.
struct PlainTry {
    payer: usize,
    payee: usize,
    id: failsafe_channel::PaymentId,
}

/// A payment that somebody tried to make.
struct Try {
    payer: usize,
    payee: usize,
    amount: Balance,
    hash: LockHash,
    id: failsafe_channel::PaymentId,
}

pub struct World {
    pub chain: Chain,
    parties: Vec<Party>,
    /// Open sessions by the two places, lower first, with what is under way to each.
    lines: BTreeMap<(usize, usize), [VecDeque<Vec<u8>>; 2]>,
    /// Numbers of the open sessions.
    open: BTreeMap<(usize, usize), SessionId>,
    next_session: SessionId,
    rng: StdRng,
    now_ms: u64,
    tries: Vec<Try>,
    /// Balances that are on their way to those who asked.
    again: VecDeque<(usize, Vec<BalanceView>)>,
    plain: Vec<PlainTry>,
    /// What is told later: from which height on, by whom, to whom.
    late: VecDeque<(u64, usize, usize, Vec<u8>)>,
    /// Cut short the next commit: before it, or after so many actions.
    crash: Option<Option<usize>>,
    absence: absence::Absence,
    pub log: bool,
    pub counts: BTreeMap<&'static str, u64>,
}

/// The development times, but a time to answer that reorganisations leave enough of.
fn parameters() -> Parameters {
    Parameters { delay_hub: 9, delay_user: 9, ..Parameters::DEVELOPMENT }
}

impl World {
    /// Parties in a row, of which all but the first and the last are hubs.
    pub fn new(seed: u64, size: usize, vices: &[(usize, Vice)]) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut keys: Vec<AccountKey> = (0..size)
            .map(|who| {
                let uri = format!("//sim//{who}");
                AccountKey::from_uri(Scheme::Ed25519, &uri).expect("a development path")
            })
            .collect();
        keys.sort_by_key(Sign::account);
        // The row is not in the order of the accounts.
        let mut places: Vec<usize> = (0..size).collect();
        for i in (1..size).rev() {
            places.swap(i, rng.gen_range(0..=i));
        }
        let accounts: Vec<AccountId> = keys.iter().map(Sign::account).collect();
        let hubs: Vec<usize> = (1..size - 1).map(|at| places[at]).collect();
        let insured: Vec<_> = (0..size - 1)
            .flat_map(|at| {
                let (a, b) = (places[at], places[at + 1]);
                [(a, b, INSURED), (b, a, INSURED)]
            })
            .collect();
        let chain = Chain::new(accounts, &hubs, FUNDS, &insured);
        let keys: Vec<Arc<AccountKey>> = keys.into_iter().map(Arc::new).collect();
        let row: Vec<Arc<AccountKey>> = places.iter().map(|place| keys[*place].clone()).collect();
        Self::begin(chain, row, vices, rng)
    }

    /// Two users of one hub, each with another process of it.
    pub fn split(seed: u64, vices: &[(usize, Vice)]) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        let key = |name: String| {
            let key = AccountKey::from_uri(Scheme::Ed25519, &format!("//sim//{name}"));
            Arc::new(key.expect("a development path"))
        };
        let hub = key(format!("hub{}", seed % 4));
        let share = split_share(0);
        let user = |home: usize| {
            let all = (0..).map(|number| key(format!("user{number}")));
            let mut fitting = all.filter(|key| share.home(&key.account()) == home);
            fitting.next().expect("half of all have it as their home")
        };
        let row = vec![user(0), hub.clone(), hub, user(1)];
        let mut accounts: Vec<AccountId> = row.iter().map(|key| key.account()).collect();
        accounts.sort();
        accounts.dedup();
        let place = |at: usize| {
            let account = row[at].account();
            accounts.iter().position(|known| *known == account).expect("it is there")
        };
        let pairs = [(place(0), place(1)), (place(2), place(3))];
        let insured = pairs.iter().flat_map(|(a, b)| [(*a, *b, INSURED), (*b, *a, INSURED)]);
        let insured: Vec<_> = insured.collect();
        let hubs = [place(1)];
        let chain = Chain::new(accounts, &hubs, FUNDS, &insured);
        Self::begin(chain, row, vices, rng)
    }

    /// Parties in a row: users at its ends, hubs between them. Of two beside each other with the same
    /// key each is a process of one hub.
    fn begin(
        chain: Chain,
        row: Vec<Arc<AccountKey>>,
        vices: &[(usize, Vice)],
        mut rng: StdRng,
    ) -> Self {
        let height = chain.best_height();
        let size = row.len();
        let parties = row.iter().enumerate().map(|(at, key)| {
            let hub = at > 0 && at < size - 1;
            let beside = [at.checked_sub(1), (at + 1 < size).then_some(at + 1)];
            let beside = beside.into_iter().flatten().map(|other| row[other].account());
            let neighbours: Vec<_> = beside.filter(|other| *other != key.account()).collect();
            // Some take nothing without a signature.
            let unsigned_limit = if rng.gen() { rng.gen_range(1..80) } else { 0 };
            let policy = policy(hub, &neighbours, unsigned_limit);
            let disk = Arc::new(Disk::default());
            let split = hub && neighbours.len() < 2;
            let number = u8::try_from(if split { 1 } else { at }).expect("few parties");
            let process = split.then(|| {
                store::initialize(&*disk, &key.account()).expect("an empty disk");
                store::check_share(&*disk, Some(&split_share(at - 1))).expect("an empty disk");
                split_key(at - 1)
            });
            let onion_key = [number + 1; 32];
            let core = Core::load(key.clone(), GENESIS, policy.clone(), onion_key, disk.clone())
                .expect("an empty disk");
            let vice = vices.iter().find(|(who, _)| *who == at).map_or(Vice::None, |(_, v)| *v);
            Party {
                key: key.clone(),
                process,
                disk,
                policy,
                onion_key,
                core,
                hashes: BTreeSet::new(),
                new_hashes: BTreeSet::new(),
                partners: neighbours.into_iter().collect(),
                seen: (height, height),
                down: 0,
                vice,
            }
        });
        let parties = parties.collect();
        let mut world = Self {
            chain,
            parties,
            lines: BTreeMap::new(),
            open: BTreeMap::new(),
            next_session: 1,
            rng,
            now_ms: 1_000_000,
            tries: vec![],
            again: VecDeque::new(),
            plain: vec![],
            late: VecDeque::new(),
            crash: None,
            absence: Default::default(),
            log: false,
            counts: BTreeMap::new(),
        };
        for at in 0..size {
            world.wake(at);
        }
        world.connect_all();
        // Processes take partners when they have met.
        world.connect_all();
        world.settle_network();
        world
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn account(&self, at: usize) -> AccountId {
        self.parties[at].key.account()
    }

    /// As whom `to` knows a party.
    fn name(&self, at: usize, to: usize) -> AccountId {
        match (&self.parties[at].process, &self.parties[to].process) {
            (Some(process), Some(_)) => process.account(),
            _ => self.account(at),
        }
    }

    /// Where the partner of a party is: the one nearest to it by that name.
    fn place(&self, at: usize, partner: &AccountId) -> usize {
        let others = (0..self.parties.len()).filter(|other| *other != at);
        let fitting = others.filter(|other| self.name(*other, at) == *partner);
        fitting.min_by_key(|other| other.abs_diff(at)).expect("everybody is in the row")
    }

    /// Whether two are processes of the same hub.
    fn is_one(&self, a: usize, b: usize) -> bool {
        self.account(a) == self.account(b)
    }

    /// Ways that payments can take: from whom to whom, over which hub. Processes of a hub pay their
    /// own partners only.
    fn route_between(&self, payer: usize, payee: usize) -> Option<Vec<usize>> {
        let way: Vec<usize> = if payer < payee {
            (payer + 1..=payee).collect()
        } else {
            (payee..payer).rev().collect()
        };
        let inner = |at: &usize| self.parties[*at].process.is_some();
        if way.iter().chain([&payer]).filter(|at| inner(at)).count() < 2 {
            return Some(way);
        }
        (!inner(&payer) && !inner(&payee)).then(|| vec![way[0], payee])
    }

    // --- a party's body ------------------------------------------------------------------------

    /// Gives a party an input, commits, acts. May cut that short.
    fn feed(&mut self, at: usize, input: Input) {
        self.feed_all(at, vec![input]);
    }

    /// Gives a party all that waits, commits once, acts. May cut that short.
    fn feed_all(&mut self, at: usize, inputs: Vec<Input>) {
        if self.parties[at].down > 0 {
            return;
        }
        let mut out = Output::default();
        let party = &mut self.parties[at];
        party.core.foresee(inputs.iter().filter_map(|input| match input {
            Input::Message { partner, message, .. } => Some((partner, message)),
            _ => None,
        }));
        for input in inputs {
            party.core.handle(self.now_ms, input, &mut out);
        }
        party.core.finish(&mut out);
        let cut = if out.batch.is_empty() { None } else { self.crash.take() };
        if cut == Some(None) {
            return self.fall(at);
        }
        self.parties[at].disk.commit(&out.batch).expect("the disk is fine");
        let most = cut.flatten();
        for (done, action) in out.actions.into_iter().enumerate() {
            if most == Some(done) {
                return self.fall(at);
            }
            self.act(at, action);
        }
        if most.is_some() {
            self.fall(at);
        }
    }

    fn act(&mut self, at: usize, action: Action) {
        match action {
            Action::Send(partner, message) => {
                let to = self.place(at, &partner);
                if self.parties[at].vice.withholds(&message) {
                    self.count("withheld");
                    if self.parties[at].vice == Vice::LateAnswer {
                        let from = self.chain.best_height() + self.rng.gen_range(1..=16);
                        self.late.push_back((from, at, to, message.encode()));
                    }
                    return;
                }
                let message = self.parties[at].vice.twist(message);
                if self.log {
                    eprintln!("  {at} -> {to}: {message:?}");
                }
                if matches!(&message, Message::Update(update) if update.signature.is_none()) {
                    self.count("unsigned");
                }
                if self.is_one(at, to) {
                    let pays = |step: &Transition| matches!(step, Transition::Pay { .. });
                    let locks = |step: &Transition| matches!(step, Transition::Lock { .. });
                    if takes_a_step(&message, pays) {
                        self.count("paid over");
                    } else if takes_a_step(&message, locks) {
                        self.count("locked over");
                    }
                }
                if let Some(line) = self.lines.get_mut(&(at.min(to), at.max(to))) {
                    line[usize::from(to > at)].push_back(message.encode());
                }
            },
            Action::Disconnect(partner, reason) => {
                let to = self.place(at, &partner);
                if self.log {
                    eprintln!("  {at} ends the session with {to}: {reason}");
                }
                self.disconnect(at, to);
            },
            Action::Track(Track::Pair(partner)) => {
                let height = self.parties[at].seen.1;
                let facts = self.chain.facts(&self.account(at), &partner, height);
                self.parties[at].partners.insert(partner);
                self.feed(at, Input::Chain(ChainNews::Tracked { facts }));
            },
            Action::Track(Track::Hash(hash)) => {
                self.parties[at].hashes.insert(hash);
                // As a follower does: what is known already is told with the next finalized block.
                self.parties[at].new_hashes.insert(hash);
            },
            Action::Track(Track::Forget(hash)) => {
                self.parties[at].hashes.remove(&hash);
                self.parties[at].new_hashes.remove(&hash);
            },
            Action::Track(Track::Disputes(..) | Track::Leave(..)) => {
                panic!("only a watchtower follows the disputes of others")
            },
            Action::Submit(number, record) => {
                if self.log {
                    eprintln!("  {at} submits {number}: {:?}", record.call);
                }
                self.count(record.call.name());
                let from = self.chain.best_height() + self.rng.gen_range(1..=2);
                self.submit(at, number, record.call, from);
            },
            Action::ReadBalances(_) => {
                let balance = self.chain.balance(&self.account(at), self.parties[at].seen.1);
                self.again.push_back((at, vec![balance]));
            },
            Action::Reply(reply, answer) => {
                // Whoever asked may not wait for it.
                let _ = reply.send(answer);
            },
            Action::Publish(..) => {},
        }
    }

    fn submit(&mut self, at: usize, number: u64, call: Call, from: u64) {
        if self.parties[at].vice == Vice::LateAnswer && matches!(call, Call::Reveal { .. }) {
            return;
        }
        let who = self.account(at);
        let name = call_name(at, number);
        if let Some(done) = self.chain.submit(&who, name, call, from) {
            self.call_ended(at, number, done);
        }
    }

    fn call_ended(&mut self, at: usize, number: u64, done: Result<(), String>) {
        let block = u32::try_from(self.parties[at].seen.1).expect("few blocks");
        let outcome = match done {
            Ok(()) => Outcome::Done { block },
            Err(error) => Outcome::Failed { block, error },
        };
        self.feed(at, Input::CallEnded { number, outcome });
    }

    /// The process ends.
    fn fall(&mut self, at: usize) {
        self.count("crashes");
        if self.log {
            eprintln!("  {at} falls");
        }
        for to in 0..self.parties.len() {
            self.disconnect(at, to);
        }
        self.note_fall(at);
        let down = if self.rng.gen_bool(0.8) { 0 } else { self.rng.gen_range(1..4) };
        self.parties[at].down = down;
        if down == 0 {
            self.wake(at);
        }
    }

    /// The process starts from its disk, and reads the chain as it is final now.
    fn wake(&mut self, at: usize) {
        let party = &mut self.parties[at];
        let (key, policy, onion) = (party.key.clone(), party.policy.clone(), party.onion_key);
        let core =
            Core::load(key, GENESIS, policy, onion, party.disk.clone()).expect("its own disk");
        party.core = match party.process.clone() {
            Some(process) => core.with_process_key(process),
            None => core,
        };
        party.hashes = party.core.hashes().into_iter().collect();
        party.new_hashes = party.hashes.clone();
        for (number, record) in party.core.stored_calls().collect::<Vec<_>>() {
            let from = self.chain.best_height() + 1;
            self.submit(at, number, record.call, from);
        }
        let survey = ChainNews::Survey {
            parameters: parameters(),
            hubs: vec![],
            retiring: Default::default(),
        };
        self.feed(at, Input::Chain(survey));
        let final_one = self.parties[at].seen.1;
        // Calls of any block may have ended without it; of the channels it knows more.
        let followed = self.parties[at].core.followed().map(|place| place.block.into());
        let followed = followed.filter(|block| self.chain.remembers(*block));
        self.hear(at, (0, final_one), true, followed);
        let best = self.chain.best_height();
        self.parties[at].seen.0 = best;
        self.hear(at, (best, best), false, Some(best));
    }

    /// Tells a party of blocks, and of the pairs that were touched since one, or of all.
    fn hear(&mut self, at: usize, blocks: (u64, u64), finalized: bool, since: Option<u64>) {
        let who = self.account(at);
        let partners: Vec<_> = self.parties[at].partners.iter().cloned().collect();
        let hashes: Vec<_> = self.parties[at].hashes.iter().copied().collect();
        let News { moment, facts, mut reveals, ended } =
            self.chain.news(&who, &partners, &hashes, blocks, since);
        if finalized {
            for hash in std::mem::take(&mut self.parties[at].new_hashes) {
                let known = self.chain.reveal(&hash, blocks.1).map(|reveal| (hash, reveal));
                let new = known.filter(|(hash, _)| reveals.iter().all(|(other, _)| other != hash));
                reveals.extend(new);
            }
        }
        if !reveals.is_empty() {
            self.feed(at, Input::Chain(ChainNews::Reveals { reveals, finalized }));
        }
        let news = if finalized {
            ChainNews::Finalized { moment, facts }
        } else {
            ChainNews::Best { moment, facts }
        };
        self.feed(at, Input::Chain(news));
        if finalized {
            let block = u32::try_from(blocks.1).expect("few blocks");
            let place = Followed { block, hash: H256::zero() };
            self.feed(at, Input::Chain(ChainNews::Followed(place)));
            for (name, done) in ended {
                let number = name % CALLS;
                if call_name(at, number) == name {
                    self.chain.note_end(&who, name, done.clone());
                    self.call_ended(at, number, done);
                }
            }
        }
    }

    /// Sends what a cheat has kept back until now, if the line is open.
    fn tell_late(&mut self) {
        let now = self.chain.best_height();
        for (from, at, to, message) in std::mem::take(&mut self.late) {
            if from > now {
                self.late.push_back((from, at, to, message));
            } else if let Some(line) = self.lines.get_mut(&(at.min(to), at.max(to))) {
                line[usize::from(to > at)].push_back(message);
                self.count("told late");
            }
        }
    }

    // --- time ----------------------------------------------------------------------------------

    /// A new best block, and finality `lag` blocks behind it.
    pub fn block(&mut self, full: bool, lag: u64) {
        self.chain.mine(full);
        self.now_ms += 1_000;
        if self.log {
            let chain = self.chain.best();
            eprintln!("block {}, clock {}", chain.block_number(), chain.clock());
        }
        for at in 0..self.parties.len() {
            if self.parties[at].down > 0 {
                self.parties[at].down -= 1;
                if self.parties[at].down == 0 {
                    self.wake(at);
                }
                continue;
            }
            self.look(at);
        }
        self.note_presence();
        self.tell_late();
        let target = self.chain.best_height().saturating_sub(lag);
        for at in 0..self.parties.len() {
            self.finalize(at, target);
        }
        let oldest = self.parties.iter().map(|party| party.seen.1).min();
        self.chain.forget_before(oldest.expect("there are parties"));
    }

    fn look(&mut self, at: usize) {
        let best = self.chain.best_height();
        let (_, known) = self.parties[at].seen;
        if best > known {
            // All that is not final: a reorganisation may have changed it.
            self.parties[at].seen.0 = best;
            self.hear(at, (known, best), false, Some(known));
        }
    }

    fn finalize(&mut self, at: usize, target: u64) {
        let known = self.parties[at].seen.1;
        if target <= known || self.parties[at].down > 0 {
            return;
        }
        self.parties[at].seen.1 = target;
        self.hear(at, (known, target), true, Some(known));
    }

    fn reorganise(&mut self) {
        let final_one = self.parties.iter().map(|party| party.seen.1).max().expect("parties");
        let best = self.chain.best_height();
        if best <= final_one + 1 {
            return;
        }
        let depth = self.rng.gen_range(1..=(best - final_one).min(3));
        self.count("reorganisations");
        self.chain.reorganise(best - depth);
        for at in 0..self.parties.len() {
            if self.parties[at].down == 0 {
                self.look(at);
            }
        }
    }

    // --- chance -----------------------------------------------------------------------------------

    /// One thing that happens by chance.
    pub fn step(&mut self) {
        let size = self.parties.len();
        if self.rng.gen_bool(0.03) {
            return self.use_chain();
        }
        match self.rng.gen_range(0..120) {
            100..=119 => self.pay_plain_by_chance(),
            0..=17 => {
                let payer = self.rng.gen_range(0..size);
                let payee = (payer + self.rng.gen_range(1..size)) % size;
                let amount = self.rng.gen_range(1..120);
                self.pay(payer, payee, amount, 0);
            },
            18..=69 => {
                for _ in 0..self.rng.gen_range(1..8) {
                    self.deliver();
                }
            },
            70..=79 => self.tick_all(),
            80..=89 => {
                let (full, lag) = (self.rng.gen_bool(0.08), self.rng.gen_range(1..=3));
                self.block(full, lag);
            },
            90 => self.reorganise(),
            91..=92 => {
                let at = self.rng.gen_range(1..size);
                self.disconnect(at - 1, at);
            },
            93..=95 => self.connect_all(),
            96..=97 => {
                let after = self.rng.gen_bool(0.6).then(|| self.rng.gen_range(0..4));
                self.crash = Some(after);
            },
            98 => {
                let at = self.rng.gen_range(0..size);
                if self.parties[at].down == 0 && self.rng.gen_bool(0.4) {
                    self.fall(at);
                }
            },
            _ => {
                for _ in 0..self.rng.gen_range(1..12) {
                    self.block(false, 1);
                    self.connect_all();
                    self.settle_network();
                }
            },
        }
    }

    /// Everybody is up and connected, and time passes until all is settled.
    pub fn come_to_rest(&mut self) {
        self.crash = None;
        for _ in 0..150 {
            self.block(false, 1);
            self.connect_all();
            self.settle_network();
        }
    }
}

/// Calls of two processes of a hub are calls of one account.
fn call_name(at: usize, number: u64) -> u64 {
    u64::try_from(at).expect("few parties") * CALLS + number
}

/// The key of a process towards the other one.
fn split_key(number: usize) -> Arc<AccountKey> {
    let number = u32::try_from(number).expect("two of them");
    Arc::new(process_key(&[2; 32], number, 2).expect("32 bytes"))
}

fn split_share(number: usize) -> Share {
    let accounts = (0..2).map(|number| split_key(number).account()).collect();
    Share::new(number, accounts).expect("there are two of them")
}

fn policy(hub: bool, neighbours: &[AccountId], unsigned_limit: Balance) -> Policy {
    // Users want what hubs owe them insured.
    let insure_above = if hub { LIMIT } else { INSURE_ABOVE };
    let credit = CREDIT;
    let terms = failsafe_channel::AssetTerms { credit, insure_above, unsigned_limit };
    let terms = BTreeMap::from([(NATIVE_ASSET, terms)]);
    let rules = AssetRules { min_risk: 50, reserve: 0, min_deposit: 1, minimum: 1 };
    let rebalance = RebalancePolicy {
        every_ms: Some(REBALANCE_MS),
        proof_timeout_ms: 3_000,
        absent_grace_ms: Some(60_000),
        skip_failed: false,
        rules: BTreeMap::from([(NATIVE_ASSET, rules)]),
    };
    Policy {
        role: if hub { Role::Hub } else { Role::User },
        terms: terms.clone(),
        partners: neighbours.iter().map(|partner| (partner.clone(), terms.clone())).collect(),
        fees: HubFees { base: FEE, ppm: 0 },
        ack_delay_ms: 20,
        pay_unsigned: true,
        sign_delay_ms: 60,
        stale_after_ms: 60_000,
        rebalance: if hub { rebalance } else { RebalancePolicy::default() },
        max_partners: 10,
        risk_caps: BTreeMap::new(),
        peer_messages_per_second: 0,
        min_payments: BTreeMap::new(),
        rates: vec![],
        insurance_fees: BTreeMap::new(),
        payments_in_memory: IN_MEMORY,
        channels_on_pages: ON_PAGES,
        signing: Signing::default(),
    }
}
