//! Many light wallets in one process: each has the real engine, a real session with a real hub, and
//! its part of one durable log. All engines share a thread, as those of a hub do: it takes all that
//! waits, makes it durable with one sync, and only then sends.

use super::log::Log;
use codec::{DecodeAll, Encode};
use failsafe_channel::{
    lock::{Offer, Secret},
    seal::sign_all,
    AssetTerms, Channel, Context, Effect, Event, Message, Moment, PairFacts, PaymentId, Purpose,
    Sign, Transition,
};
use failsafe_hub::{
    keys::AccountKey,
    signatures::check_all,
    transport::{self, outlet, Clogged, Frame, Identity, Outlet, Session, Unwritten},
};
use failsafe_onion::{Hop, Next, RouteKeys};
use failsafe_primitives::{
    simplex::{lock_hash, LockHash},
    AccountId, Balance, Clock, NATIVE_ASSET as FRD,
};
use failsafe_tests::harness::{failure, Failure};
use rand::{rngs::StdRng, Rng, RngCore, SeedableRng};
use sp_core::H256;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc, Arc, Mutex, PoisonError,
    },
    time::{Duration, Instant},
};

/// What a payment pays: a thousandth of an FRD, the least that hubs forward.
pub const AMOUNT: Balance = 1_000_000_000;
/// What a wallet lets its hub owe.
const CREDIT: Balance = 1_000_000_000_000_000;
/// Inputs that one sync takes at most.
const MAX_INPUTS: usize = 1_024;
/// How often acknowledgements that are due are looked for.
const TICK: Duration = Duration::from_millis(5);
/// How long a wallet leaves its payments without a signature.
pub const SIGN_DELAY: Duration = Duration::from_secs(1);
/// Usable blocks of the lock window that a lock leaves: the fleet's clock may be behind the hub's.
const SLACK: Clock = 2;

/// A hub, as its wallets know it.
#[derive(Clone)]
pub struct HubPlace {
    /// Its account.
    pub account: AccountId,
    /// `host:port`.
    pub endpoint: String,
    /// Its transport key, which is its onion key too.
    pub key: [u8; 32],
}

/// What is paid how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The hub is trusted to pay on: so many payments under one signature of the payer, all to the
    /// same payee.
    Trusted(usize),
    /// The same, one payment at a time that only the session authenticates: payer and hub sign the
    /// last one of so many, or after [`SIGN_DELAY`].
    Unsigned,
    /// With a hash lock on every channel of the way.
    Locked,
}

/// What the wallets do.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// How they pay.
    pub way: Way,
    /// Updates, or locks, that are under way at the same time.
    pub in_flight: usize,
    /// Only wallets of this hub pay; others are paid. With one hub, all do both.
    pub across: bool,
}

/// A payment that has come to its end.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// How long after its payer had begun to make it.
    pub took: Duration,
    /// How many payments had the same beginning and end.
    pub payments: u64,
}

enum Input {
    Opened { wallet: usize, outlet: Outlet },
    Message { wallet: usize, message: Box<Message> },
    Ended { wallet: usize, reason: String },
    Moments { finalized: Moment, best: Moment },
    Work(Option<Work>),
    Once(Work),
    Stop,
}

/// What the outside sees of the fleet.
#[derive(Default)]
pub struct Watched {
    done: Mutex<Vec<Done>>,
    /// Wallets that are in step with their hub and may be paid.
    pub ready: AtomicU64,
    /// Updates or locks under way.
    pub in_flight: AtomicU64,
    /// Own updates that no hub has acknowledged.
    pub unacked: AtomicU64,
    /// Payments that came to nothing, by their reasons.
    came_to_nothing: Mutex<BTreeMap<String, u64>>,
    problem: Mutex<Option<String>>,
    failed: AtomicBool,
}

impl Watched {
    /// Payments that have come to their end since the last call.
    pub fn take_done(&self) -> Vec<Done> {
        std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn fail_payment(&self, why: String) {
        let mut reasons = self.came_to_nothing.lock().unwrap_or_else(PoisonError::into_inner);
        *reasons.entry(why).or_default() += 1;
    }

    /// Payments that came to nothing, by their reasons; they are not counted as made.
    pub fn came_to_nothing(&self) -> BTreeMap<String, u64> {
        self.came_to_nothing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fails when something went wrong.
    pub fn check(&self) -> Result<(), Failure> {
        if !self.failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Err(failure(problem.unwrap_or_default()))
    }

    fn fail(&self, problem: String) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
        self.failed.store(true, Ordering::Relaxed);
    }
}

/// What a fleet is made of.
pub struct FleetOptions {
    /// The hubs; wallet `i` is at hub `i % hubs`.
    pub hubs: Vec<HubPlace>,
    /// The keys of the wallets.
    pub keys: Vec<AccountKey>,
    /// The chain.
    pub genesis: H256,
    /// The chain's lock window.
    pub lock_window: Clock,
    /// How long acknowledgements wait.
    pub ack_delay: Duration,
    /// What hubs may have paid a wallet without a signature.
    pub unsigned_limit: Balance,
    /// Names of payments begin with it: no two fleets use the same.
    pub number: u32,
}

/// The wallets.
pub struct Fleet {
    inputs: mpsc::Sender<Input>,
    /// What they have done.
    pub watched: Arc<Watched>,
    thread: Option<std::thread::JoinHandle<()>>,
    sessions: tokio::task::JoinSet<()>,
}

impl Fleet {
    /// Makes the wallets and connects them. Their log is written to `dir`.
    pub async fn start(
        options: FleetOptions,
        (finalized, best): (Moment, Moment),
        dir: &Path,
    ) -> Result<Self, Failure> {
        let (inputs, waiting) = mpsc::channel();
        let watched = Arc::new(Watched::default());
        let FleetOptions { hubs, keys, genesis, lock_window, ack_delay, unsigned_limit, number } =
            options;
        let mut wallets = vec![];
        for (number, key) in keys.into_iter().enumerate() {
            let hub = number % hubs.len();
            wallets.push(Wallet::new(key, hub, &hubs[hub], genesis)?);
        }
        let keys: Vec<_> = wallets.iter().map(|wallet| wallet.key.clone()).collect();
        let world = World {
            wallets,
            places: hubs.clone(),
            log: Log::preallocated(&dir.join("wallets.log"))?,
            finalized,
            best,
            lock_window,
            ack_delay,
            unsigned_limit,
            work: None,
            random: StdRng::seed_from_u64(number.into()),
            under_way: HashMap::new(),
            secrets: HashMap::new(),
            routes: HashMap::new(),
            dirty: BTreeSet::new(),
            out: vec![],
            arrived: vec![],
            next_id: u64::from(number) << 32,
            watched: watched.clone(),
        };
        let thread = std::thread::Builder::new().name("wallets".into()).spawn(move || {
            let watched = world.watched.clone();
            if let Err(problem) = world.run(&waiting) {
                watched.fail(problem.to_string());
            }
        })?;
        let mut fleet =
            Self { inputs, watched, thread: Some(thread), sessions: tokio::task::JoinSet::new() };
        fleet.connect(keys, &hubs, genesis).await?;
        Ok(fleet)
    }

    async fn connect(
        &mut self,
        keys: Vec<Arc<AccountKey>>,
        hubs: &[HubPlace],
        genesis: H256,
    ) -> Result<(), Failure> {
        // As many handshakes at a time as a hub takes.
        const AT_A_TIME: usize = 32;
        let mut dialing = tokio::task::JoinSet::new();
        let mut keys = keys.into_iter().enumerate();
        loop {
            while dialing.len() < AT_A_TIME {
                let Some((wallet, key)) = keys.next() else { break };
                let hub = hubs[wallet % hubs.len()].clone();
                dialing.spawn(async move {
                    let identity = Identity { signer: key, genesis };
                    let dialed = transport::dial(&hub.endpoint, &hub.key, &hub.account, &identity);
                    (wallet, dialed.await)
                });
            }
            let Some(dialed) = dialing.join_next().await else { return Ok(()) };
            let (wallet, session) = dialed?;
            let session = session.map_err(|e| failure(format!("wallet {wallet}: {e}")))?;
            self.run_session(wallet, session);
        }
    }

    fn run_session(&mut self, wallet: usize, session: Session) {
        let Session { mut reader, writer, .. } = session;
        let (outlet, drain) = outlet(writer);
        let inputs = self.inputs.clone();
        // The thread is gone when the fleet stops.
        let _ = inputs.send(Input::Opened { wallet, outlet });
        self.sessions.spawn(async move {
            let reading = async {
                loop {
                    match reader.read().await {
                        Ok(Frame::Channel(bytes)) => {
                            let Ok(message) = Message::decode_all(&mut &bytes[..]) else {
                                return "a message that cannot be read".to_string();
                            };
                            let message = Box::new(message);
                            let _ = inputs.send(Input::Message { wallet, message });
                        },
                        Ok(Frame::Ping) => {},
                        Ok(Frame::Bye(reason)) => return reason,
                        Ok(Frame::Elsewhere(place)) => return format!("the channel is at {place}"),
                        Err(problem) => return problem.to_string(),
                    }
                }
            };
            let reason = tokio::select! {
                reason = reading => reason,
                ended = drain.run() => match ended {
                    Ok(()) => "stopped".to_string(),
                    Err(problem) => problem.to_string(),
                },
            };
            let _ = inputs.send(Input::Ended { wallet, reason });
        });
    }

    /// Tells the wallets the time of the chain.
    pub fn teller(&self) -> Teller {
        Teller(self.inputs.clone())
    }

    /// Makes one payment.
    pub fn once(&self, work: Work) {
        let _ = self.inputs.send(Input::Once(work));
    }

    /// Begins or ends to pay.
    pub fn work(&self, work: Option<Work>) {
        let _ = self.inputs.send(Input::Work(work));
    }

    /// Ends.
    pub async fn stop(mut self) {
        let _ = self.inputs.send(Input::Stop);
        self.sessions.shutdown().await;
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// Tells the wallets the time of the chain.
pub struct Teller(mpsc::Sender<Input>);

impl Teller {
    /// Newest finalized and best block.
    pub fn moments(&self, finalized: Moment, best: Moment) {
        // The wallets may have stopped.
        let _ = self.0.send(Input::Moments { finalized, best });
    }
}

struct Wallet {
    key: Arc<AccountKey>,
    account: AccountId,
    onion_key: [u8; 32],
    hub: usize,
    channel: Channel,
    outlet: Option<Outlet>,
    ready: bool,
    ack_since: Option<Instant>,
    unsigned_since: Option<Instant>,
    /// What came in less what went out, to check the books.
    net: i128,
}

impl Wallet {
    fn new(key: AccountKey, hub: usize, place: &HubPlace, genesis: H256) -> Result<Self, Failure> {
        let account = key.account();
        let no_pair = |_| failure("a wallet and its hub make a pair");
        let facts = PairFacts::unknown(&account, &place.account, Moment::default());
        let facts = facts.map_err(no_pair)?;
        let channel = Channel::new(genesis, &account, &place.account, facts);
        let mut channel = channel.map_err(no_pair)?;
        channel.sign_later();
        // Nobody reads with it: the fleet knows the secrets of its locks.
        let onion_key = failsafe_onion::public_key(AsRef::<[u8; 32]>::as_ref(&account));
        Ok(Self {
            key: Arc::new(key),
            account,
            onion_key,
            hub,
            channel,
            outlet: None,
            ready: false,
            ack_since: None,
            unsigned_since: None,
            net: 0,
        })
    }
}

/// Something that is under way.
struct UnderWay {
    since: Instant,
    payments: u64,
    /// Ends that are still to come: the payee's, and with locks the payer's.
    missing: u64,
}

struct World {
    wallets: Vec<Wallet>,
    places: Vec<HubPlace>,
    log: Log,
    finalized: Moment,
    best: Moment,
    lock_window: Clock,
    ack_delay: Duration,
    unsigned_limit: Balance,
    work: Option<Work>,
    random: StdRng,
    /// By the first 16 bytes of a payment's name, less its last four: one for all under a signature.
    under_way: HashMap<u64, UnderWay>,
    secrets: HashMap<LockHash, (Secret, u64)>,
    /// To read why a locked payment failed.
    routes: HashMap<LockHash, RouteKeys>,
    dirty: BTreeSet<usize>,
    out: Vec<(usize, Message)>,
    /// What is durable with the next sync.
    arrived: Vec<u64>,
    next_id: u64,
    watched: Arc<Watched>,
}

impl World {
    fn run(mut self, waiting: &mpsc::Receiver<Input>) -> Result<(), Failure> {
        let mut looked = Instant::now();
        loop {
            let mut next = match waiting.recv_timeout(TICK) {
                Ok(input) => Some(input),
                Err(mpsc::RecvTimeoutError::Timeout) => None,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let mut inputs = vec![];
            while let Some(input) = next.take() {
                if matches!(input, Input::Stop) {
                    return Ok(());
                }
                inputs.push(input);
                if inputs.len() < MAX_INPUTS {
                    next = waiting.try_recv().ok();
                }
            }
            self.foresee(&inputs);
            for input in inputs {
                self.take(input)?;
            }
            self.pay()?;
            if looked.elapsed() >= TICK {
                looked = Instant::now();
                self.acknowledge(looked)?;
            }
            self.settle()?;
        }
    }

    /// Checks the hubs' signatures all at once, and one that is for many wallets once: so that the
    /// wallets, who are many, take less of the machine than the hub does.
    fn foresee(&mut self, inputs: &[Input]) {
        let (finalized, best, lock_window) = (self.finalized, self.best, self.lock_window);
        let reveals = |_: &_| None;
        let mut asked: HashMap<([u8; 32], Vec<u8>), Vec<usize>> = HashMap::new();
        let mut claims = vec![];
        for input in inputs {
            let Input::Message { wallet, message } = input else { continue };
            let one = &self.wallets[*wallet];
            let ctx =
                Context { signer: &*one.key, finalized, best, lock_window, reveals: &reveals };
            for claim in one.channel.claims(&ctx, message) {
                let whose = asked.entry((claim.message, claim.signature.encode())).or_default();
                if whose.is_empty() {
                    claims.push((self.places[one.hub].account.clone(), claim));
                }
                whose.push(*wallet);
            }
        }
        for ((_, claim), good) in claims.iter().zip(check_all(&claims)) {
            let whose = asked.remove(&(claim.message, claim.signature.encode()));
            for wallet in whose.into_iter().flatten().filter(|_| good) {
                self.wallets[wallet].channel.trust(claim.clone());
            }
        }
    }

    fn take(&mut self, input: Input) -> Result<(), Failure> {
        match input {
            Input::Opened { wallet, outlet } => {
                self.wallets[wallet].outlet = Some(outlet);
                self.call(wallet, |channel, _| Ok(channel.connected()))?;
                let unsigned_limit = self.unsigned_limit;
                let terms = AssetTerms { credit: CREDIT, insure_above: CREDIT, unsigned_limit };
                self.call(wallet, |channel, _| Ok(channel.set_terms(FRD, terms)?))
            },
            Input::Message { wallet, message } => {
                self.call(wallet, |channel, ctx| Ok(channel.receive(ctx, *message)))
            },
            Input::Ended { wallet, reason } => {
                Err(failure(format!("wallet {wallet} lost its hub: {reason}")))
            },
            Input::Moments { finalized, best } => {
                (self.finalized, self.best) = (finalized, best);
                // Messages that name a block which was not finalized here wait for it.
                for number in 0..self.wallets.len() {
                    if self.wallets[number].channel.waits_for_blocks() {
                        self.call(number, |channel, ctx| Ok(channel.on_block(ctx)))?;
                    }
                }
                Ok(())
            },
            Input::Work(work) => {
                self.work = work;
                Ok(())
            },
            Input::Once(work) => self.begin(work),
            Input::Stop => Ok(()),
        }
    }

    fn call(
        &mut self,
        number: usize,
        ask: impl FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, Failure>,
    ) -> Result<(), Failure> {
        let (finalized, best, lock_window) = (self.finalized, self.best, self.lock_window);
        let wallet = &mut self.wallets[number];
        let key = wallet.key.clone();
        let reveals = |_: &_| None;
        let ctx = Context { signer: &*key, finalized, best, lock_window, reveals: &reveals };
        let effects = ask(&mut wallet.channel, &ctx)?;
        for effect in effects {
            match effect {
                Effect::Persist => {
                    self.dirty.insert(number);
                },
                Effect::Send(message) => self.out.push((number, message)),
                Effect::Event(event) => self.on_event(number, event)?,
                Effect::Submit(_) => return Err(failure("a wallet goes to the chain")),
                Effect::Fault(fault) => {
                    return Err(failure(format!("wallet {number} finds a fault: {fault}")))
                },
            }
        }
        let wallet = &mut self.wallets[number];
        if wallet.channel.ack_is_due() {
            wallet.ack_since.get_or_insert_with(Instant::now);
        } else {
            wallet.ack_since = None;
        }
        if wallet.channel.signature_is_due() {
            wallet.unsigned_since.get_or_insert_with(Instant::now);
        } else {
            wallet.unsigned_since = None;
        }
        if !wallet.ready {
            let paid = wallet.channel.can_send(FRD).is_ok_and(|left| left >= AMOUNT);
            let terms = wallet.channel.state().given.acked().is_some();
            if paid && terms && wallet.channel.established() {
                wallet.ready = true;
                self.watched.ready.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn on_event(&mut self, number: usize, event: Event) -> Result<(), Failure> {
        match event {
            Event::Received { amount, purpose: Purpose::Delivery { id, .. }, .. } => {
                self.book(number, amount, true)?;
                let [key, part] = split(id);
                if part == 0 {
                    self.arrived.push(key);
                }
                Ok(())
            },
            Event::Received { purpose, .. } => {
                Err(failure(format!("a payment came back: {purpose:?}")))
            },
            Event::LockOffered { lock, .. } => {
                let (secret, _) = self.secret(&lock.hash)?;
                self.call(number, |channel, _| Ok(channel.fulfill(lock.id, secret)?))
            },
            Event::LockFulfilled { lock, secret, .. } => {
                let settle = vec![(lock.id, secret)];
                self.call(number, |channel, ctx| Ok(channel.settle(ctx, settle)?))
            },
            Event::LockPaid { lock, .. } => {
                self.book(number, lock.amount, false)?;
                let (_, key) = self.secret(&lock.hash)?;
                self.routes.remove(&lock.hash);
                self.arrived.push(key);
                Ok(())
            },
            Event::LockSettled { lock, .. } => {
                self.book(number, lock.amount, true)?;
                let (_, key) = self.secret(&lock.hash)?;
                self.arrived.push(key);
                Ok(())
            },
            Event::LockFailed { lock, reason, .. } => {
                let routes = self.routes.get(&lock.hash);
                let why = match routes.map(|keys| keys.open(&reason)) {
                    Some(Ok((hop, reason))) => format!("hub {}: {reason:?}", hop + 1),
                    other => format!("{other:?}"),
                };
                self.watched.fail_payment(why);
                Ok(())
            },
            // The engine takes a lock back that was failed.
            Event::LockDead { lock, .. } => {
                let (_, key) = self.secret(&lock.hash)?;
                self.routes.remove(&lock.hash);
                self.under_way.remove(&key);
                Ok(())
            },
            Event::LockWithdrawn { .. } => Ok(()),
            Event::PartnerComplains { text } => Err(failure(format!("the hub complains: {text}"))),
            _ => Ok(()),
        }
    }

    fn secret(&self, hash: &LockHash) -> Result<(Secret, u64), Failure> {
        self.secrets.get(hash).copied().ok_or_else(|| failure("a lock that nobody made"))
    }

    fn book(&mut self, number: usize, amount: Balance, came: bool) -> Result<(), Failure> {
        let amount = i128::try_from(amount)?;
        let net = &mut self.wallets[number].net;
        let booked = if came { net.checked_add(amount) } else { net.checked_sub(amount) };
        *net = booked.ok_or_else(|| failure("too much money"))?;
        Ok(())
    }

    /// Pays until as much is under way as is wanted.
    fn pay(&mut self) -> Result<(), Failure> {
        let Some(work) = self.work else { return Ok(()) };
        while self.under_way.len() < work.in_flight {
            self.begin(work)?;
        }
        Ok(())
    }

    fn begin(&mut self, work: Work) -> Result<(), Failure> {
        let (payer, payee) = self.pick(work);
        self.next_id = self.next_id.checked_add(1).ok_or_else(|| failure("too many"))?;
        let key = self.next_id;
        let since = Instant::now();
        let (payments, missing) = match work.way {
            Way::Trusted(payments) => {
                self.pay_trusted(payer, payee, key, payments)?;
                (u64::try_from(payments)?, 1)
            },
            Way::Unsigned => {
                self.pay_unsigned(payer, payee, key)?;
                (1, 1)
            },
            Way::Locked => {
                self.pay_locked(payer, payee, key)?;
                (1, 2)
            },
        };
        self.under_way.insert(key, UnderWay { since, payments, missing });
        Ok(())
    }

    fn pick(&mut self, work: Work) -> (usize, usize) {
        let wallets = self.wallets.len();
        loop {
            let (payer, payee) =
                (self.random.gen_range(0..wallets), self.random.gen_range(0..wallets));
            let across = self.wallets[payer].hub == 0 && self.wallets[payee].hub == 1;
            if payer != payee && (across || !work.across) {
                return (payer, payee);
            }
        }
    }

    fn pay_trusted(
        &mut self,
        payer: usize,
        payee: usize,
        key: u64,
        payments: usize,
    ) -> Result<(), Failure> {
        let to = self.wallets[payee].account.clone();
        let pay = |part: usize| {
            let id = name(key, u64::try_from(part).unwrap_or(u64::MAX));
            let purpose = Purpose::Onward { id, to: to.clone(), amount: AMOUNT };
            Transition::Pay { asset: FRD, amount: AMOUNT, purpose }
        };
        // The last one is number 0: when it has come, all have.
        let transitions: Vec<_> = (0..payments).rev().map(pay).collect();
        for _ in 0..payments {
            self.book(payer, AMOUNT, false)?;
        }
        self.call(payer, |channel, ctx| Ok(channel.update(ctx, transitions)?))
    }

    fn pay_unsigned(&mut self, payer: usize, payee: usize, key: u64) -> Result<(), Failure> {
        let to = self.wallets[payee].account.clone();
        let purpose = Purpose::Onward { id: name(key, 0), to, amount: AMOUNT };
        self.book(payer, AMOUNT, false)?;
        self.call(payer, |channel, ctx| Ok(channel.pay_unsigned(ctx, FRD, AMOUNT, purpose)?))
    }

    fn pay_locked(&mut self, payer: usize, payee: usize, key: u64) -> Result<(), Failure> {
        let mut secret = [0; 32];
        self.random.fill_bytes(&mut secret);
        let hash = lock_hash(&secret);
        let expiry = self.finalized.clock.saturating_add(self.lock_window).saturating_sub(SLACK);
        let (from, to) = (&self.wallets[payer], &self.wallets[payee]);
        let hop = |next| Hop { next, asset: FRD, amount: AMOUNT, expiry };
        let recipient = Next::Recipient(*AsRef::<[u8; 32]>::as_ref(&to.account));
        let mut hops = vec![];
        if from.hub != to.hub {
            let last = &self.places[to.hub];
            let next = Next::Hub(*AsRef::<[u8; 32]>::as_ref(&last.account));
            hops.push((self.places[from.hub].key, hop(next)));
        }
        hops.push((self.places[to.hub].key, hop(recipient)));
        hops.push((to.onion_key, hop(Next::Spontaneous { secret })));
        let mut ephemeral = [0; 32];
        self.random.fill_bytes(&mut ephemeral);
        let (packet, keys) = failsafe_onion::build(&ephemeral, &hops, &hash)?;
        self.routes.insert(hash, keys);
        let onion = packet.encode().try_into().map_err(|_| failure("an onion is too long"))?;
        self.secrets.insert(hash, (secret, key));
        let offer = Offer { asset: FRD, amount: AMOUNT, hash, expiry, onion };
        self.call(payer, |channel, ctx| Ok(channel.lock(ctx, offer)?.1))
    }

    /// Acknowledges and signs what has waited for long enough.
    fn acknowledge(&mut self, now: Instant) -> Result<(), Failure> {
        let delay = self.ack_delay;
        let due = |wallet: &Wallet| {
            wallet.ack_since.is_some_and(|since| now.saturating_duration_since(since) >= delay)
        };
        let due: Vec<_> = (0..self.wallets.len()).filter(|i| due(&self.wallets[*i])).collect();
        for number in due {
            self.call(number, |channel, ctx| Ok(channel.flush_ack(ctx)))?;
        }
        let due = |wallet: &Wallet| {
            let since = wallet.unsigned_since;
            since.is_some_and(|since| now.saturating_duration_since(since) >= SIGN_DELAY)
        };
        let due: Vec<_> = (0..self.wallets.len()).filter(|i| due(&self.wallets[*i])).collect();
        for number in due {
            self.call(number, |channel, ctx| Ok(channel.sign_unsigned(ctx)))?;
        }
        Ok(())
    }

    /// Makes durable what has changed, then sends, then counts.
    fn settle(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        for number in std::mem::take(&mut self.dirty) {
            let wallet = &mut self.wallets[number];
            let waited = wallet.ack_since.map(|since| now.saturating_duration_since(since));
            let ack = waited.is_some_and(|waited| waited >= self.ack_delay / 2);
            // The acknowledgement in an update has the same signature.
            let messages = wallet.channel.to_sign(ack);
            wallet.channel.sign(ack, sign_all(&*wallet.key, &messages, 2));
            if !wallet.channel.ack_is_due() {
                wallet.ack_since = None;
            }
            self.log.add(number, &self.wallets[number].channel.encode_state())?;
        }
        self.log.sync()?;
        let mut unwritten: Vec<Unwritten> = vec![];
        for (number, message) in self.out.drain(..) {
            let wallet = &self.wallets[number];
            let message = match message {
                Message::Update(update) => wallet.channel.sealed(&update).map(Message::Update),
                message => Some(message),
            };
            if let (Some(outlet), Some(message)) = (&wallet.outlet, message) {
                let put = outlet.put(Frame::Channel(message.encode()));
                unwritten.extend(put.map_err(|Clogged| failure("a hub takes nothing any more"))?);
            }
        }
        unwritten.into_iter().for_each(Unwritten::write);
        let at = Instant::now();
        let mut done = vec![];
        for key in self.arrived.drain(..) {
            let Some(one) = self.under_way.get_mut(&key) else { continue };
            one.missing = one.missing.saturating_sub(1);
            if one.missing == 0 {
                done.push(Done { took: at - one.since, payments: one.payments });
                self.under_way.remove(&key);
            }
        }
        if !done.is_empty() {
            self.watched.done.lock().unwrap_or_else(PoisonError::into_inner).extend(done);
        }
        self.watched.in_flight.store(u64::try_from(self.under_way.len())?, Ordering::Relaxed);
        if self.work.is_none() {
            if self.under_way.is_empty() && self.wallets.iter().map(|w| w.net).sum::<i128>() != 0 {
                return Err(failure("money came or went"));
            }
            let unacked =
                self.wallets.iter().map(|w| w.channel.state().outbox.len()).sum::<usize>();
            self.watched.unacked.store(u64::try_from(unacked)?, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn name(key: u64, part: u64) -> PaymentId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&key.to_le_bytes());
    id[8..].copy_from_slice(&part.to_le_bytes());
    PaymentId(id)
}

fn split(id: PaymentId) -> [u64; 2] {
    let [key, part] = [&id.0[..8], &id.0[8..]].map(|half| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(half);
        u64::from_le_bytes(bytes)
    });
    [key, part]
}
