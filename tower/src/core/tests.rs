use super::*;
use codec::Encode;
use failsafe_channel::{PairFacts, Reveal, Sign};
use failsafe_hub::{
    chain::{Call, Intent},
    keys::{AccountKey, Scheme},
    store::{self, FjallStore},
    watchtower::Whose,
};
use failsafe_primitives::{
    evidence::{Presented, Standing},
    simplex::{lock_hash, Lock},
    view::DisputeView,
    ChannelContext, Entry, Side, Signature, Simplex, TwiceSigned,
};
use sp_core::H256;

const GENESIS: H256 = H256::repeat_byte(7);
const EPOCH: u32 = 3;
const SECRET: [u8; 32] = [5; 32];
/// Expiry of locks.
const EXPIRY: u64 = 40;

fn key(name: &str) -> AccountKey {
    AccountKey::from_uri(Scheme::Sr25519, &format!("//{name}")).unwrap()
}

fn limits() -> Limits {
    Limits {
        max_channels: 2,
        max_bytes: 100_000,
        keep_secrets: 1_000,
        stale_after_ms: 10_000,
        min_balance: 50,
    }
}

/// Two parties and what they have signed; the first is the client.
struct Two {
    client: AccountKey,
    partner: AccountKey,
    epoch: u32,
}

impl Two {
    fn new() -> Self {
        Self::with("partner")
    }

    fn with(partner: &str) -> Self {
        Self { client: key("client"), partner: key(partner), epoch: EPOCH }
    }

    fn pair(&self) -> Pair {
        Pair::new(self.client.account(), self.partner.account()).unwrap()
    }

    fn side(&self) -> Side {
        self.pair().side_of(&self.client.account()).unwrap()
    }

    fn key(&self) -> Key {
        let (client, partner) = (self.client.account(), self.partner.account());
        Key { client, partner, epoch: self.epoch }
    }

    fn signed(&self, from: Side, simplex: Simplex) -> TwiceSigned {
        let context =
            ChannelContext { genesis_hash: GENESIS, pair: self.pair(), epoch: self.epoch };
        let (maker, other) = if from == self.side() {
            (&self.client, &self.partner)
        } else {
            (&self.partner, &self.client)
        };
        let signature = Signature::Direct(maker.sign(&context.simplex_message(from, &simplex)));
        let ack = Signature::Direct(other.sign(&context.ack_message(from, &simplex)));
        TwiceSigned { from, simplex, signature, ack }
    }

    /// What the partner and the client have paid, by nonce and amount; locks of the partner.
    fn packet(
        &self,
        theirs: (u64, u128, &[Lock]),
        ours: (u64, u128),
        secrets: &[[u8; 32]],
    ) -> WatchPacket {
        let (nonce, sent, locks) = theirs;
        WatchPacket {
            context: ChannelContext { genesis_hash: GENESIS, pair: self.pair(), epoch: self.epoch },
            theirs: (nonce > 0)
                .then(|| self.signed(self.side().other(), simplex(nonce, sent, locks))),
            ours: (ours.0 > 0).then(|| self.signed(self.side(), simplex(ours.0, ours.1, &[]))),
            secrets: secrets.to_vec().try_into().unwrap(),
        }
    }

    /// What the chain says of the pair; a dispute shows `theirs` and `ours` by nonce and amount.
    fn facts(&self, clock: u64, dispute: Option<Shown>) -> PairFacts {
        let at = Moment { block: u32::try_from(clock).unwrap(), clock };
        let (me, partner) = (self.client.account(), self.partner.account());
        let mut facts = PairFacts::unknown(&me, &partner, at).unwrap();
        facts.view.epoch = EPOCH;
        facts.view.dispute = dispute.map(|shown| {
            let presented = |(nonce, sent): (u64, u128)| {
                (nonce > 0).then(|| Presented {
                    simplex: simplex(nonce, sent, &[]),
                    standing: Standing::Final,
                })
            };
            let mut both = [None, None];
            both[self.side().index()] = presented(shown.ours);
            both[self.side().other().index()] = presented(shown.theirs);
            let starter = if shown.by_client { self.side() } else { self.side().other() };
            DisputeView {
                starter: Some(starter),
                start: 20,
                opened_in: 20,
                resolve_at: 28,
                settled: shown.settled,
                presented: both,
                digest: H256::zero(),
            }
        });
        facts
    }
}

/// What a dispute shows.
#[derive(Clone, Copy, Default)]
struct Shown {
    theirs: (u64, u128),
    ours: (u64, u128),
    by_client: bool,
    settled: bool,
}

fn lock(id: u64, secret: &[u8; 32]) -> Lock {
    Lock { id, amount: 3, hash: lock_hash(secret), expiry: EXPIRY }
}

fn simplex(nonce: u64, sent: u128, locks: &[Lock]) -> Simplex {
    let entry = Entry { asset: 0, sent, locks: locks.to_vec().try_into().unwrap() };
    Simplex { nonce, entries: vec![entry].try_into().unwrap() }
}

fn moment(clock: u64) -> Moment {
    Moment { block: u32::try_from(clock).unwrap(), clock }
}

/// A tower with a disk, and everything that it wants done.
struct World {
    dir: tempfile::TempDir,
    store: Option<FjallStore>,
    core: Core,
    now_ms: u64,
    submitted: Vec<(u64, Record)>,
    tracked: Vec<Track>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = FjallStore::create(&dir.path().join("store")).unwrap();
        store::initialize(&store, &key("tower").account()).unwrap();
        let core = Core::load(limits(), &store).unwrap();
        let mut world =
            Self { dir, store: Some(store), core, now_ms: 1, submitted: vec![], tracked: vec![] };
        world.wake();
        world
    }

    /// The first look at the chain.
    fn wake(&mut self) {
        let (hubs, retiring) = Default::default();
        let survey = ChainNews::Survey { parameters: Parameters::DEVELOPMENT, hubs, retiring };
        self.news(survey);
        self.finalized(18, vec![]);
        self.best(20, vec![]);
    }

    /// Killed and started again.
    fn restart(&mut self) {
        self.store = None;
        let store = FjallStore::open(&self.dir.path().join("store")).unwrap();
        self.core = Core::load(limits(), &store).unwrap();
        self.store = Some(store);
        self.submitted.clear();
        self.wake();
    }

    fn feed(&mut self, input: Input) {
        let mut out = Output::default();
        self.core.handle(self.now_ms, input, &mut out);
        self.store.as_ref().unwrap().commit(&out.batch).unwrap();
        for action in out.actions {
            match action {
                Action::Track(track) => self.tracked.push(track),
                Action::Submit(number, record) => self.submitted.push((number, record)),
                Action::Reply(reply, answer) => reply.send(answer).unwrap(),
                Action::Report(reply, report) => reply.send(report).unwrap(),
            }
        }
    }

    fn news(&mut self, news: ChainNews) {
        self.feed(Input::Chain(news));
    }

    fn best(&mut self, clock: u64, facts: Vec<PairFacts>) {
        self.news(ChainNews::Best { moment: moment(clock), facts });
    }

    fn finalized(&mut self, clock: u64, facts: Vec<PairFacts>) {
        self.news(ChainNews::Finalized { moment: moment(clock), facts });
    }

    /// Hands a packet over; the pair becomes known if it is not. Returns the answer.
    fn offer(&mut self, two: &Two, packet: WatchPacket) -> Result<(), PacketError> {
        let (reply, mut answer) = oneshot::channel();
        let client = two.client.account();
        self.feed(Input::Offer { client, packet, reply });
        if let Ok(answer) = answer.try_recv() {
            return answer;
        }
        self.news(ChainNews::Tracked { facts: two.facts(18, None) });
        answer.try_recv().expect("the pair is known")
    }

    /// Nonces of each counter that was submitted, for the client's and the partner's simplex.
    fn counters(&self, two: &Two) -> Vec<(Option<u64>, Option<u64>)> {
        let mut all = vec![];
        for (_, record) in &self.submitted {
            let Call::CounterFor { pair, simplexes } = &record.call else { continue };
            assert_eq!(*pair, two.pair());
            let of =
                |side: Side| simplexes.iter().find(|s| s.from == side).map(|s| s.simplex.nonce);
            all.push((of(two.side()), of(two.side().other())));
        }
        all
    }

    fn reveals(&self) -> Vec<Vec<[u8; 32]>> {
        let secrets = self.submitted.iter().filter_map(|(_, record)| match &record.call {
            Call::Reveal { secrets } => Some(secrets.clone()),
            _ => None,
        });
        secrets.collect()
    }

    fn end_last(&mut self, outcome: Outcome) {
        let (number, _) = *self.submitted.last().as_ref().expect("a call is on its way");
        let number = *number;
        self.feed(Input::CallEnded { number, outcome });
    }

    fn alarms(&self) -> Vec<String> {
        self.core.alarms().all().map(|(_, alarm)| alarm.text.clone()).collect()
    }
}

// --- packets -----------------------------------------------------------------------------------

#[test]
fn packet_should_be_on_disk_when_it_is_receipted_and_the_tower_restarts() {
    let (mut world, two) = (World::new(), Two::new());
    let packet = two.packet((4, 10, &[lock(1, &SECRET)]), (2, 5), &[SECRET]);
    assert_eq!(world.offer(&two, packet.clone()), Ok(()));
    assert!(world.tracked.iter().any(|t| matches!(t, Track::Disputes(..))));
    assert!(world.tracked.iter().any(|t| matches!(t, Track::Hash(h) if *h == lock_hash(&SECRET))));
    world.restart();
    assert_eq!(world.core.watched(&two.key()).unwrap().packet, packet);
    assert_eq!(world.core.pairs().collect::<Vec<_>>(), vec![&two.pair()]);
    assert_eq!(world.core.hashes().collect::<Vec<_>>(), vec![lock_hash(&SECRET)]);
}

#[test]
fn packet_should_be_refused_when_it_is_older_than_what_is_stored() {
    let (mut world, two) = (World::new(), Two::new());
    assert_eq!(world.offer(&two, two.packet((4, 10, &[]), (2, 5), &[])), Ok(()));
    let lower = PacketError::NonceLower { whose: Whose::Theirs, got: 3, known: 4 };
    assert_eq!(world.offer(&two, two.packet((3, 9, &[]), (2, 5), &[])), Err(lower));
    assert_eq!(world.offer(&two, two.packet((5, 11, &[]), (2, 5), &[])), Ok(()));
    assert_eq!(
        world.core.watched(&two.key()).unwrap().packet.theirs.as_ref().unwrap().simplex.nonce,
        5
    );
}

#[test]
fn packet_should_be_refused_when_its_epoch_is_over_or_not_begun() {
    let mut world = World::new();
    let over = Two { epoch: EPOCH - 1, ..Two::new() };
    let error = PacketError::EpochOver { got: EPOCH - 1, current: EPOCH };
    assert_eq!(world.offer(&over, over.packet((4, 10, &[]), (0, 0), &[])), Err(error));
    assert!(world.core.pairs().next().is_none(), "a pair of which nothing is kept is left");
    let ahead = Two { epoch: EPOCH + 2, ..Two::new() };
    let error = PacketError::EpochUnknown { got: EPOCH + 2, current: EPOCH };
    assert_eq!(world.offer(&ahead, ahead.packet((4, 10, &[]), (0, 0), &[])), Err(error));
    // The client's node may be ahead of the tower's.
    let next = Two { epoch: EPOCH + 1, ..Two::new() };
    assert_eq!(world.offer(&next, next.packet((1, 1, &[]), (0, 0), &[])), Ok(()));
}

#[test]
fn packet_should_be_refused_when_the_client_has_no_room_left() {
    let mut world = World::new();
    for partner in ["p1", "p2"] {
        let two = Two::with(partner);
        assert_eq!(world.offer(&two, two.packet((1, 1, &[]), (0, 0), &[])), Ok(()));
    }
    let third = Two::with("p3");
    let packet = third.packet((1, 1, &[]), (0, 0), &[]);
    assert_eq!(world.offer(&third, packet), Err(PacketError::TooManyChannels(2)));
    // What it has may still be renewed.
    let first = Two::with("p1");
    assert_eq!(world.offer(&first, first.packet((2, 2, &[]), (0, 0), &[])), Ok(()));
}

#[test]
fn packet_should_be_refused_when_it_is_larger_than_what_is_left_for_the_client() {
    let (mut world, two) = (World::new(), Two::new());
    world.core.limits.max_bytes = 400;
    assert_eq!(world.offer(&two, two.packet((1, 1, &[]), (0, 0), &[])), Ok(()));
    let locks: Vec<Lock> = (1..=20).map(|id| lock(id, &[u8::try_from(id).unwrap(); 32])).collect();
    let packet = two.packet((2, 1, &locks), (0, 0), &[]);
    assert_eq!(world.offer(&two, packet), Err(PacketError::TooManyBytes(400)));
    let kept = world.core.watched(&two.key()).unwrap();
    assert_eq!(kept.packet.theirs.as_ref().unwrap().simplex.nonce, 1, "the older one stays");
}

#[test]
fn packet_should_be_dropped_when_its_epoch_is_finally_over() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[lock(1, &SECRET)]), (2, 5), &[SECRET])).unwrap();
    let mut over = two.facts(30, None);
    over.view.epoch = EPOCH + 1;
    world.best(30, vec![over.clone()]);
    assert!(world.core.watched(&two.key()).is_some(), "a best block may be reorganised away");
    world.finalized(30, vec![over]);
    assert!(world.core.watched(&two.key()).is_none());
    assert!(matches!(world.tracked.last(), Some(Track::Leave(..))));
    world.restart();
    assert!(world.core.watched(&two.key()).is_none(), "on disk too");
}

// --- disputes ----------------------------------------------------------------------------------

#[test]
fn dispute_should_be_countered_when_a_best_block_shows_something_older() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (2, 5), &[])).unwrap();
    let stale = Shown { theirs: (3, 8), ours: (2, 5), ..Shown::default() };
    world.best(21, vec![two.facts(21, Some(stale))]);
    assert_eq!(world.counters(&two), vec![(None, Some(4))], "only what changes something");
    assert_eq!(world.submitted[0].1.intent, Intent::Watched(two.pair(), EPOCH));
    world.best(22, vec![]);
    assert_eq!(world.counters(&two).len(), 1, "it is on its way");
}

#[test]
fn dispute_should_be_left_alone_when_it_shows_the_newest_or_is_settled() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (2, 5), &[])).unwrap();
    let newest = Shown { theirs: (4, 10), ours: (2, 5), ..Shown::default() };
    world.best(21, vec![two.facts(21, Some(newest))]);
    let settled = Shown { theirs: (3, 8), settled: true, ..Shown::default() };
    world.best(22, vec![two.facts(22, Some(settled))]);
    assert!(world.submitted.is_empty());
}

#[test]
fn m17_own_simplex_should_not_be_brought_when_the_client_has_opened_the_dispute() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (2, 5), &[])).unwrap();
    // A client that was restored from an old copy: its own newer payment would cost the deposit.
    let stale = Shown { theirs: (3, 8), ours: (1, 2), by_client: true, ..Shown::default() };
    world.best(21, vec![two.facts(21, Some(stale))]);
    assert_eq!(world.counters(&two), vec![(None, Some(4))]);
}

#[test]
fn both_simplexes_should_be_brought_when_the_partner_disputes_with_older_ones() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (2, 5), &[])).unwrap();
    let stale = Shown { theirs: (0, 0), ours: (1, 2), ..Shown::default() };
    world.best(21, vec![two.facts(21, Some(stale))]);
    assert_eq!(world.counters(&two), vec![(Some(2), Some(4))]);
}

#[test]
fn m15_simplex_should_stay_away_when_its_lock_expires_too_late_for_the_counter() {
    let (mut world, two) = (World::new(), Two::new());
    // The dispute began at 20: locks up to 20 + 6 + 20 are taken.
    let late = Lock { expiry: 47, ..lock(1, &SECRET) };
    world.offer(&two, two.packet((4, 10, &[late]), (2, 5), &[])).unwrap();
    world.best(21, vec![two.facts(21, Some(Shown::default()))]);
    assert_eq!(world.counters(&two), vec![(Some(2), None)], "the other one is brought");
}

#[test]
fn dispute_should_be_countered_when_the_packet_comes_after_it() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((3, 8, &[]), (0, 0), &[])).unwrap();
    let shown = Shown { theirs: (3, 8), ..Shown::default() };
    world.best(21, vec![two.facts(21, Some(shown))]);
    assert!(world.submitted.is_empty());
    world.offer(&two, two.packet((4, 10, &[]), (0, 0), &[])).unwrap();
    assert_eq!(world.counters(&two), vec![(None, Some(4))]);
}

#[test]
fn counter_should_be_submitted_again_after_a_pause_when_the_chain_refused_it() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (0, 0), &[])).unwrap();
    let facts = |clock| two.facts(clock, Some(Shown { theirs: (3, 8), ..Shown::default() }));
    world.best(21, vec![facts(21)]);
    world.end_last(Outcome::Rejected { reason: "Inability to pay some fees".into() });
    assert_eq!(world.counters(&two).len(), 1, "not at once");
    assert!(world.alarms()[0].contains("money for fees"), "{:?}", world.alarms());
    world.best(23, vec![facts(23)]);
    assert_eq!(world.counters(&two).len(), 2);
    world.end_last(Outcome::Done { block: 24 });
    assert!(!world.alarms().is_empty(), "its block is not known to be final yet");
    let answered = two.facts(24, Some(Shown { theirs: (4, 10), ..Shown::default() }));
    world.best(24, vec![answered.clone()]);
    world.finalized(24, vec![answered]);
    assert_eq!(world.alarms(), Vec::<String>::new());
    assert_eq!(world.core.alarms().counts.counters_done, 1);
    assert_eq!(world.counters(&two).len(), 2);
}

#[test]
fn counter_should_be_submitted_again_when_a_reorganisation_has_removed_it() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (0, 0), &[])).unwrap();
    let stale = Shown { theirs: (3, 8), ..Shown::default() };
    world.best(21, vec![two.facts(21, Some(stale))]);
    // Another branch, without the dispute: the call fails there.
    world.best(22, vec![two.facts(22, None)]);
    world.end_last(Outcome::Failed { block: 18, error: "Insurance.NoDispute".into() });
    world.best(23, vec![two.facts(23, None)]);
    assert_eq!(world.counters(&two).len(), 1, "there is no dispute");
    world.best(24, vec![two.facts(24, Some(stale))]);
    assert_eq!(world.counters(&two).len(), 2);
}

#[test]
fn dispute_should_be_countered_when_only_the_finalized_block_of_a_restart_shows_it() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (0, 0), &[])).unwrap();
    world.restart();
    let stale = Shown { theirs: (3, 8), ..Shown::default() };
    world.finalized(21, vec![two.facts(21, Some(stale))]);
    assert_eq!(world.counters(&two), vec![(None, Some(4))]);
    // The call is stored: the next start takes it up, and submits no second one.
    world.restart();
    world.finalized(21, vec![two.facts(21, Some(stale))]);
    assert_eq!(world.core.stored_calls().count(), 1);
    assert!(world.submitted.is_empty());
}

#[test]
fn alarm_should_stay_when_the_time_for_a_counter_is_over() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (0, 0), &[])).unwrap();
    world.best(28, vec![two.facts(28, Some(Shown { theirs: (3, 8), ..Shown::default() }))]);
    assert!(world.submitted.is_empty(), "the chain would refuse it");
    assert_eq!(world.core.alarms().counts.missed, 1);
    assert!(world.core.alarms().has(&Cause::Counter(two.key())));
}

#[test]
fn counters_should_end_when_a_pair_makes_the_tower_pay_again_and_again() {
    let (mut world, two) = (World::new(), Two::new());
    let mut clock = 21;
    for nonce in 1..=20 {
        world.offer(&two, two.packet((nonce + 1, 10, &[]), (0, 0), &[])).unwrap();
        let mut facts = two.facts(clock, Some(Shown { theirs: (nonce, 8), ..Shown::default() }));
        facts.view.dispute.as_mut().unwrap().resolve_at = 10_000;
        world.best(clock, vec![facts.clone()]);
        let on_its_way = world.core.stored_calls().next().is_some();
        if on_its_way {
            world.end_last(Outcome::Done { block: u32::try_from(clock).unwrap() });
        }
        world.finalized(clock, vec![facts]);
        clock += 40;
    }
    assert!(world.core.watched(&two.key()).unwrap().counters <= 8);
    assert!(world.alarms().iter().any(|text| text.contains("no more")), "{:?}", world.alarms());
}

#[test]
fn dispute_should_be_resolved_when_it_is_due_for_long_and_nobody_has() {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[]), (0, 0), &[])).unwrap();
    let facts = |clock| two.facts(clock, Some(Shown { theirs: (4, 10), ..Shown::default() }));
    world.finalized(30, vec![facts(30)]);
    assert!(world.submitted.is_empty(), "the chain does it by itself when it has room");
    world.finalized(38, vec![facts(38)]);
    assert_eq!(world.submitted.len(), 1);
    assert_eq!(world.submitted[0].1.call, Call::Resolve { pair: two.pair() });
}

// --- secrets -----------------------------------------------------------------------------------

/// ACT of the development chain.
const ACT: u64 = Parameters::DEVELOPMENT.act;
const KEEP: u64 = Parameters::DEVELOPMENT.keep;

fn with_secret() -> (World, Two) {
    let (mut world, two) = (World::new(), Two::new());
    world.offer(&two, two.packet((4, 10, &[lock(1, &SECRET)]), (0, 0), &[SECRET])).unwrap();
    (world, two)
}

fn revealed(at: u64) -> ChainNews {
    let reveal = Reveal { secret: SECRET, at };
    ChainNews::Reveals { reveals: vec![(lock_hash(&SECRET), reveal)], finalized: true }
}

#[test]
fn m5_secret_should_be_revealed_at_expiry_minus_act_when_the_lock_is_pending() {
    let (mut world, _) = with_secret();
    world.best(EXPIRY - ACT - 1, vec![]);
    assert!(world.submitted.is_empty(), "the partner may still settle");
    world.best(EXPIRY - ACT, vec![]);
    assert_eq!(world.reveals(), vec![vec![SECRET]]);
    world.best(EXPIRY - ACT + 1, vec![]);
    assert_eq!(world.reveals().len(), 1, "it is on its way");
}

#[test]
fn secret_should_not_be_revealed_when_the_partner_has_settled_or_finality_has_it() {
    let (mut world, two) = with_secret();
    world.offer(&two, two.packet((5, 13, &[]), (0, 0), &[])).unwrap();
    world.best(EXPIRY - ACT, vec![]);
    assert!(world.submitted.is_empty());
    let (mut world, _) = with_secret();
    world.news(revealed(30));
    world.best(EXPIRY - ACT, vec![]);
    assert!(world.submitted.is_empty());
}

#[test]
fn secret_should_be_revealed_when_only_a_best_block_has_it() {
    let (mut world, _) = with_secret();
    let reveal = Reveal { secret: SECRET, at: 34 };
    let reveals = vec![(lock_hash(&SECRET), reveal)];
    world.news(ChainNews::Reveals { reveals, finalized: false });
    world.best(EXPIRY - ACT, vec![]);
    assert_eq!(world.reveals().len(), 1, "a reorganisation may take it away");
}

#[test]
fn secret_should_be_revealed_when_the_packet_comes_late() {
    let (mut world, two) = (World::new(), Two::new());
    world.best(EXPIRY - 2, vec![]);
    world.offer(&two, two.packet((4, 10, &[lock(1, &SECRET)]), (0, 0), &[SECRET])).unwrap();
    assert_eq!(world.reveals(), vec![vec![SECRET]]);
}

#[test]
fn reveal_should_be_tried_again_when_it_was_refused_and_missed_only_when_finality_has_passed() {
    let (mut world, _) = with_secret();
    world.best(EXPIRY - ACT, vec![]);
    world.end_last(Outcome::Failed { block: 18, error: "Secrets.FeeMissing".into() });
    assert_eq!(world.reveals().len(), 2);
    assert!(world.core.alarms().has(&Cause::Reveal(lock_hash(&SECRET))));
    world.end_last(Outcome::Rejected { reason: "the pool is full".into() });
    assert_eq!(world.reveals().len(), 3);
    world.best(EXPIRY + 1, vec![]);
    assert_eq!(world.core.alarms().counts.missed, 0, "a final one may be on its way");
    world.end_last(Outcome::Rejected { reason: "too late".into() });
    world.finalized(EXPIRY + 1, vec![]);
    world.best(EXPIRY + 4, vec![]);
    assert_eq!(world.core.alarms().counts.missed, 1);
    assert_eq!(world.reveals().len(), 3, "it would be of no use");
}

#[test]
fn secret_should_be_revealed_again_when_the_chain_would_forget_it() {
    let (mut world, two) = with_secret();
    world.news(revealed(36));
    world.finalized(36 + KEEP - 21, vec![]);
    assert!(world.submitted.is_empty());
    world.finalized(36 + KEEP - 20, vec![]);
    assert_eq!(world.reveals(), vec![vec![SECRET]]);
    world.end_last(Outcome::Done { block: 18 });
    world.finalized(36 + KEEP, vec![]);
    assert_eq!(world.reveals().len(), 1, "it is kept from then on");
    world.restart();
    assert!(world.core.watched(&two.key()).unwrap().kept_at(&lock_hash(&SECRET)).is_some());
    world.news(revealed(36));
    world.finalized(36 + 2 * KEEP - 40, vec![]);
    assert_eq!(world.reveals().len(), 1, "and again");
}

#[test]
fn secret_should_not_be_revealed_again_when_it_came_too_late_or_its_time_is_over() {
    let (mut world, _) = with_secret();
    world.news(revealed(EXPIRY + 1));
    world.finalized(EXPIRY + KEEP - 10, vec![]);
    assert!(world.submitted.is_empty(), "it opens the lock for nobody");
    let (mut world, _) = with_secret();
    world.core.limits.keep_secrets = 0;
    world.news(revealed(36));
    world.finalized(36 + KEEP - 10, vec![]);
    assert!(world.submitted.is_empty(), "the operator does not pay for it");
}

// --- how it is ---------------------------------------------------------------------------------

#[test]
fn alarm_should_come_and_go_when_the_node_is_stale_or_money_is_short() {
    let mut world = World::new();
    world.now_ms = 10_002;
    world.feed(Input::Tick);
    assert!(world.core.alarms().has(&Cause::NodeStale));
    world.feed(Input::Funds(49));
    assert!(world.core.alarms().has(&Cause::LowFunds));
    world.best(21, vec![]);
    world.feed(Input::Funds(50));
    assert_eq!(world.alarms(), Vec::<String>::new());
}

#[test]
fn alarm_should_come_when_the_node_shows_no_block_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = FjallStore::create(&dir.path().join("store")).unwrap();
    let mut core = Core::load(limits(), &store).unwrap();
    let mut out = Output::default();
    core.handle(1, Input::Tick, &mut out);
    assert!(!core.alarms().has(&Cause::NodeStale));
    core.handle(10_002, Input::Tick, &mut out);
    assert!(core.alarms().has(&Cause::NodeStale));
}

#[test]
fn store_should_be_refused_when_a_packet_in_it_is_damaged() {
    let (world, two) = with_secret();
    let mut batch = Batch::default();
    batch.put(Table::Packets, two.key().encode(), vec![1, 2, 3]);
    world.store.as_ref().unwrap().commit(&batch).unwrap();
    let refused = Core::load(limits(), world.store.as_ref().unwrap());
    assert!(matches!(refused.err(), Some(StoreError::Damaged { table: "packets", .. })));
}

#[test]
fn report_should_count_what_is_watched() {
    let (mut world, two) = with_secret();
    let stale = Shown { theirs: (3, 8), ..Shown::default() };
    world.best(21, vec![two.facts(21, Some(stale))]);
    let (reply, mut report) = oneshot::channel();
    world.feed(Input::Ask(reply));
    let report = report.try_recv().unwrap();
    assert_eq!((report.clients, report.channels, report.secrets), (1, 1, 1));
    assert_eq!(report.disputes, vec![two.pair()]);
    assert_eq!(report.calls, vec!["insurance.counter_for"]);
    assert!(report.bytes > 0);
}
