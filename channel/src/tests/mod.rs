//! Two engines, a chain that the test moves, and a network that can lose, hold and repeat.

mod attack;
mod chain;
mod close;
mod freeze;
mod hostile;
mod late;
mod ledger;
mod locks;
mod lost;
mod pay;
mod random;
mod reconnect;
mod restored;
mod seal;
mod session;
mod sim;
mod terms;
mod unsigned;
mod withdraw;

use crate::{
    seal::sign_all, AssetTerms, ChainAction, Channel, Context, Effect, Event, Fault, Message,
    Moment, PairFacts, PaymentId, Purpose, Refusal, Reveal, Sign,
};
use codec::{Decode, Encode};
use failsafe_primitives::{
    evidence::{Presented, Standing},
    simplex::LockHash,
    view::{DisputeView, OldEpochView},
    AccountId, Balance, Collateral, Side, Simplex, NATIVE_ASSET as FRD,
};
use sp_core::{ed25519, Pair as _, H256};
use sp_runtime::MultiSignature;
use std::collections::{BTreeMap, VecDeque};

pub(crate) struct Key(ed25519::Pair);

impl Sign for Key {
    fn account(&self) -> AccountId {
        AccountId::new(self.0.public().0)
    }
    fn sign(&self, message: &[u8; 32]) -> MultiSignature {
        self.0.sign(message).into()
    }
}

/// One party with its disk.
pub(crate) struct Party {
    key: Key,
    pub channel: Channel,
    /// What is durable: the state at the last `Persist`.
    disk: Vec<u8>,
    pub events: Vec<Event>,
    /// What it found wrong with its partner.
    pub faults: Vec<Fault>,
    pub submitted: Vec<ChainAction>,
    /// Messages on their way to the partner.
    pub out: VecDeque<Vec<u8>>,
    /// What waits for the next commit of a party that signs later; `None`: it signs and commits at
    /// once.
    pub desk: Option<Vec<Effect>>,
    finalized: Moment,
    best: Moment,
}

impl Party {
    fn lose_messages(&mut self) {
        self.out.clear();
        if let Some(desk) = &mut self.desk {
            desk.retain(|effect| !matches!(effect, Effect::Send(_)));
        }
    }
}

/// Index of a party: `L` is left, `R` right.
pub(crate) const L: usize = 0;
pub(crate) const R: usize = 1;

/// The pair, its chain and its network.
pub(crate) struct World {
    pub parties: [Party; 2],
    pub facts: PairFacts,
    pub connected: bool,
    /// The registry of secrets, with the block of each reveal.
    pub reveals: BTreeMap<LockHash, (u32, Reveal)>,
    /// The next call is cut short after so many effects: its party crashes.
    pub crash_after: Option<usize>,
    /// Who has crashed last.
    pub crashed: Option<usize>,
}

/// Furthest that a lock may expire.
pub(crate) const WINDOW: u64 = 20;

pub(crate) const GENESIS: H256 = H256::repeat_byte(7);

impl World {
    /// Both on a chain at block 10; insurance and ondelta of FRD as given; both take FRD without
    /// credit; connected.
    pub fn new(insurance: Balance, ondelta: i128) -> Self {
        let mut keys = [1u8, 2].map(|seed| Key(ed25519::Pair::from_seed(&[seed; 32])));
        keys.sort_by_key(Sign::account);
        let at = Moment { block: 10, clock: 10 };
        let ids = keys.each_ref().map(Sign::account);
        let mut facts = PairFacts::unknown(&ids[L], &ids[R], at).unwrap();
        if insurance > 0 || ondelta != 0 {
            facts.view.collateral = vec![(FRD, Collateral { insurance, ondelta })];
        }
        let mut others = [ids[R].clone(), ids[L].clone()].into_iter();
        let parties = keys.map(|key| {
            let partner = others.next().unwrap();
            let channel = Channel::new(GENESIS, &key.account(), &partner, facts.clone()).unwrap();
            let disk = channel.encode_state();
            Party {
                key,
                channel,
                disk,
                events: vec![],
                faults: vec![],
                submitted: vec![],
                out: VecDeque::new(),
                desk: None,
                finalized: at,
                best: at,
            }
        });
        let mut world = Self {
            parties,
            facts,
            connected: false,
            reveals: BTreeMap::new(),
            crash_after: None,
            crashed: None,
        };
        world.connect();
        for who in [L, R] {
            world.set_terms(who, 0);
        }
        world.deliver_all();
        world
    }

    /// Asks the engine of `who` for something and carries out what it wants.
    pub fn call(
        &mut self,
        who: usize,
        f: impl FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, Refusal>,
    ) -> Result<(), Refusal> {
        let (before, asked) = self.engine(who, f);
        match asked {
            Err(refusal) => {
                let after = self.parties[who].channel.state();
                assert_eq!(after, &before, "a refusal changes nothing");
                Err(refusal)
            },
            Ok(effects) => {
                assert!(!effects.iter().any(|e| matches!(e, Effect::Fault(_))), "{effects:?}");
                self.carry_out(who, &before, effects);
                Ok(())
            },
        }
    }

    /// Calls the engine of `who`; also the state before that.
    fn engine<T>(
        &mut self,
        who: usize,
        f: impl FnOnce(&mut Channel, &Context<'_>) -> T,
    ) -> (crate::state::State, T) {
        let Self { parties, reveals, .. } = self;
        let party = &mut parties[who];
        let before = party.channel.state().clone();
        let (finalized, best) = (party.finalized, party.best);
        let reveals = |hash: &LockHash| {
            let known = reveals.get(hash).filter(|(block, _)| *block <= finalized.block);
            known.map(|(_, reveal)| *reveal)
        };
        let ctx =
            Context { signer: &party.key, finalized, best, lock_window: WINDOW, reveals: &reveals };
        (before, f(&mut party.channel, &ctx))
    }

    /// Tells the engine of `who` something and carries out what it wants.
    pub fn tell(
        &mut self,
        who: usize,
        f: impl FnOnce(&mut Channel, &Context<'_>) -> Vec<Effect>,
    ) -> Result<(), Fault> {
        let (before, effects) = self.engine(who, f);
        let party = &self.parties[who];
        let fault = effects.iter().find_map(|effect| match effect {
            Effect::Fault(fault) => Some(fault.clone()),
            _ => None,
        });
        if fault.is_some() {
            assert!(matches!(effects.last(), Some(Effect::Fault(_))), "it is the last effect");
            assert!(!party.channel.established(), "the session is over");
        }
        if let [Effect::Fault(_)] = &effects[..] {
            assert_eq!(party.channel.state(), &before, "a faulty message changes nothing");
        }
        self.carry_out(who, &before, effects);
        fault.map_or(Ok(()), Err)
    }

    fn carry_out(&mut self, who: usize, before: &crate::state::State, effects: Vec<Effect>) {
        let persisted = effects.contains(&Effect::Persist);
        let unchanged = self.parties[who].channel.state() == before;
        assert!(persisted || unchanged, "what changes is persisted: {effects:?}");
        let crash_after = self.crash_after.take();
        if let Some(desk) = &mut self.parties[who].desk {
            for effect in effects {
                match effect {
                    Effect::Fault(fault) => {
                        self.parties[who].faults.push(fault);
                        return self.disconnect();
                    },
                    effect => desk.push(effect),
                }
            }
            return;
        }
        // What a host derives from events becomes durable together with the state.
        let events = effects.iter().filter_map(|effect| match effect {
            Effect::Event(event) => Some(event.clone()),
            _ => None,
        });
        let mut events: Vec<Event> = events.collect();
        for (i, effect) in effects.into_iter().enumerate() {
            if crash_after == Some(i) {
                return self.crash(who);
            }
            let party = &mut self.parties[who];
            match effect {
                Effect::Persist => {
                    party.disk = party.channel.encode_state();
                    let read = Channel::decode_state(&party.disk).unwrap();
                    assert_eq!(read.state(), party.channel.state());
                    party.events.append(&mut events);
                },
                Effect::Send(message) if self.connected => party.out.push_back(message.encode()),
                Effect::Send(_) => {},
                Effect::Submit(action) => party.submitted.push(action),
                Effect::Event(_) => party.events.append(&mut events),
                Effect::Fault(fault) => {
                    party.faults.push(fault);
                    self.disconnect();
                },
            }
        }
    }

    /// From now on `who` signs and commits many changes at once: [`Self::commit`].
    pub fn commit_later(&mut self, who: usize) {
        self.parties[who].channel.sign_later();
        self.parties[who].desk = Some(vec![]);
    }

    /// `who` signs what waits, stores its state and sends.
    pub fn commit(&mut self, who: usize, ack: bool) {
        let connected = self.connected;
        let party = &mut self.parties[who];
        let Some(desk) = &mut party.desk else { return };
        let effects = std::mem::take(desk);
        let messages = party.channel.to_sign(ack);
        party.channel.sign(ack, sign_all(&party.key, &messages, 2));
        party.disk = party.channel.encode_state();
        let read = Channel::decode_state(&party.disk).unwrap();
        assert_eq!(read.state(), party.channel.state());
        for effect in effects {
            match effect {
                Effect::Send(Message::Update(update)) => {
                    let update = party.channel.sealed(&update).filter(|_| connected);
                    party.out.extend(update.map(|update| Message::Update(update).encode()));
                },
                Effect::Send(message) if connected => party.out.push_back(message.encode()),
                Effect::Submit(action) => party.submitted.push(action),
                Effect::Event(event) => party.events.push(event),
                Effect::Persist | Effect::Send(_) => {},
                Effect::Fault(fault) => unreachable!("{fault:?} is told at once"),
            }
        }
    }

    pub fn pay(&mut self, who: usize, amount: Balance) -> Result<(), Refusal> {
        let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
        self.call(who, |channel, ctx| channel.pay(ctx, FRD, amount, purpose))
    }

    pub fn pay_unsigned(&mut self, who: usize, amount: Balance) -> Result<(), Refusal> {
        let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
        self.call(who, |channel, ctx| channel.pay_unsigned(ctx, FRD, amount, purpose))
    }

    pub fn sign_unsigned(&mut self, who: usize) {
        self.tell(who, |channel, ctx| channel.sign_unsigned(ctx)).unwrap();
    }

    pub fn set_terms(&mut self, who: usize, credit: Balance) {
        self.set_limits(who, credit, 0);
    }

    pub fn set_limits(&mut self, who: usize, credit: Balance, unsigned_limit: Balance) {
        let terms = AssetTerms { credit, unsigned_limit, ..Default::default() };
        self.call(who, |channel, _| channel.set_terms(FRD, terms)).unwrap();
    }

    pub fn flush_ack(&mut self, who: usize) {
        self.tell(who, |channel, ctx| channel.flush_ack(ctx)).unwrap();
    }

    /// `who` pays, and the partner has it and acknowledges it.
    pub fn pay_acked(&mut self, who: usize, amount: Balance) {
        self.pay(who, amount).unwrap();
        self.deliver_all();
        self.flush_ack(1 - who);
        self.deliver_all();
    }

    /// The next message of `from` is this one.
    pub fn inject(&mut self, from: usize, message: Message) {
        self.parties[from].out.push_front(message.encode());
    }

    /// Delivers this message of `from`, ahead of all others.
    pub fn send(&mut self, from: usize, message: Message) -> Result<(), Fault> {
        self.inject(from, message);
        self.deliver(from)
    }

    /// The next message of `from`, taken off the network.
    pub fn intercept(&mut self, from: usize) -> Message {
        let bytes = self.parties[from].out.pop_front().expect("there is a message");
        Message::decode(&mut &bytes[..]).unwrap()
    }

    /// The next message of `from`, an update, taken off the network.
    pub fn intercept_update(&mut self, from: usize) -> crate::Update {
        match self.intercept(from) {
            Message::Update(update) => update,
            other => panic!("{other:?}"),
        }
    }

    /// Delivers the next message of `from`.
    pub fn deliver(&mut self, from: usize) -> Result<(), Fault> {
        let Some(bytes) = self.parties[from].out.pop_front() else { return Ok(()) };
        let message = Message::decode(&mut &bytes[..]).expect("what was encoded decodes");
        self.tell(1 - from, |channel, ctx| channel.receive(ctx, message))
    }

    /// Delivers everything, and what follows from it.
    pub fn deliver_all(&mut self) {
        let waits = |party: &Party| {
            !party.out.is_empty() || party.desk.as_ref().is_some_and(|desk| !desk.is_empty())
        };
        while self.parties.iter().any(waits) {
            for who in [L, R] {
                self.commit(who, true);
            }
            for from in [L, R] {
                self.deliver(from).expect("honest parties find no fault");
            }
        }
    }

    /// Takes everything that `from` has sent off the network.
    pub fn discard_from(&mut self, from: usize) {
        self.parties[from].out.clear();
    }

    pub fn connect(&mut self) {
        self.connected = true;
        for party in &mut self.parties {
            party.lose_messages();
        }
        for who in [L, R] {
            self.tell(who, |channel, _| channel.connected()).unwrap();
        }
    }

    /// The session ends; what was on its way is lost.
    pub fn disconnect(&mut self) {
        self.connected = false;
        for party in &mut self.parties {
            party.lose_messages();
            party.channel.disconnected();
        }
    }

    /// The party loses its memory and starts from its disk.
    pub fn crash(&mut self, who: usize) {
        self.disconnect();
        self.crashed = Some(who);
        let party = &mut self.parties[who];
        party.channel = Channel::decode_state(&party.disk).unwrap();
        if let Some(desk) = &mut party.desk {
            desk.clear();
            party.channel.sign_later();
        }
    }

    /// Both sessions end and begin again.
    pub fn reconnect(&mut self) {
        self.disconnect();
        self.connect();
        self.deliver_all();
    }

    /// `who` comes back with an old `disk`.
    pub fn restore(&mut self, who: usize, disk: Vec<u8>) {
        self.parties[who].disk = disk;
        self.crash(who);
    }

    /// A block that `change`s the pair, finalized for both at once.
    pub fn block(&mut self, change: impl FnOnce(&mut PairFacts)) {
        self.best_block(change);
        for who in [L, R] {
            self.finalize(who);
        }
    }

    /// A new best block, not finalized for anybody yet.
    pub fn best_block(&mut self, change: impl FnOnce(&mut PairFacts)) {
        self.facts.at.block += 1;
        self.facts.at.clock += 1;
        change(&mut self.facts);
        let facts = self.facts.clone();
        for who in [L, R] {
            self.parties[who].best = facts.at;
            self.tell(who, |channel, _| channel.on_best(&facts)).unwrap();
        }
    }

    /// The node of `who` finalizes the best block.
    pub fn finalize(&mut self, who: usize) {
        self.try_finalize(who).expect("honest parties find no fault");
    }

    pub fn try_finalize(&mut self, who: usize) -> Result<(), Fault> {
        let facts = self.facts.clone();
        self.parties[who].finalized = facts.at;
        self.tell(who, |channel, ctx| channel.on_finalized(ctx, facts))
    }

    /// `count` blocks without news of the pair, finalized for both at once.
    pub fn quiet_blocks(&mut self, count: usize) {
        for _ in 0..count {
            self.facts.at.block += 1;
            self.facts.at.clock += 1;
            let at = self.facts.at;
            for who in [L, R] {
                self.parties[who].best = at;
                self.parties[who].finalized = at;
                if self.parties[who].channel.waits_for_blocks() {
                    self.tell(who, |channel, ctx| channel.on_block(ctx)).unwrap();
                }
            }
        }
    }

    /// A best block opens a dispute that shows `presented`.
    pub fn show_dispute(&mut self, starter: Side, presented: [Option<Presented>; 2]) {
        let view = self.dispute_view(starter);
        self.best_block(|facts| facts.view.dispute = Some(DisputeView { presented, ..view }));
    }

    /// What `who` has brought to the chain since the last look.
    pub fn take_submitted(&mut self, who: usize) -> Vec<ChainAction> {
        std::mem::take(&mut self.parties[who].submitted)
    }

    pub fn frozen(&self, who: usize) -> Option<crate::FreezeReason> {
        self.parties[who].channel.frozen()
    }

    pub fn can_send(&self, who: usize) -> Balance {
        self.parties[who].channel.can_send(FRD).unwrap()
    }

    pub fn offdelta(&self, who: usize) -> i128 {
        self.parties[who].channel.asset_summary(FRD).offdelta
    }

    pub fn received(&self, who: usize) -> Balance {
        let amounts = self.parties[who].events.iter().map(|event| match event {
            Event::Received { amount, .. } => *amount,
            _ => 0,
        });
        amounts.sum()
    }

    /// Both agree on both simplexes.
    pub fn assert_agreed(&self) {
        let [l, r] = self.parties.each_ref().map(|party| party.channel.state());
        assert_eq!(l.mine.simplex, r.theirs.simplex, "what left has paid");
        assert_eq!(r.mine.simplex, l.theirs.simplex, "what right has paid");
        assert_eq!(l.mine.signed(), r.theirs.signed(), "what left has signed");
        assert_eq!(r.mine.signed(), l.theirs.signed(), "what right has signed");
        assert_eq!(l.mine.reservation, r.theirs.reservation, "what left has reserved");
        assert_eq!(r.mine.reservation, l.theirs.reservation, "what right has reserved");
    }

    pub fn dispute_view(&self, starter: Side) -> DisputeView {
        DisputeView {
            starter: Some(starter),
            start: self.facts.at.clock,
            opened_in: self.facts.at.block,
            resolve_at: self.facts.at.clock + 8,
            settled: false,
            presented: [None, None],
            digest: H256::zero(),
        }
    }
}

/// A simplex of the dispute as its maker posted it.
pub(crate) fn presented(simplex: Simplex, standing: Standing) -> Option<Presented> {
    Some(Presented { simplex, standing })
}

/// An old epoch in which left has paid so much by the count of the chain.
pub(crate) fn counted(epoch: u32, left: Balance) -> OldEpochView {
    let of_left = if left > 0 { vec![(FRD, left)] } else { vec![] };
    OldEpochView { epoch, at: 20, counted: [of_left, vec![]], locks: Default::default() }
}
