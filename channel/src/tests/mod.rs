//! Two engines, a chain that the test moves, and a network that can lose, hold and repeat.

mod chain;
mod pay;
mod random;
mod reconnect;
mod terms;
mod withdraw;

use crate::{
    AssetTerms, ChainAction, Channel, Context, Effect, Event, Fault, Message, Moment, PairFacts,
    PaymentId, Purpose, Refusal, Sign,
};
use codec::{Decode, Encode};
use failsafe_primitives::{
    view::DisputeView, AccountId, AssetId, Balance, Collateral, Evidence, Side, NATIVE_ASSET as FRD,
};
use sp_core::{ed25519, Pair as _, H256};
use sp_runtime::MultiSignature;
use std::collections::VecDeque;

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
    pub submitted: Vec<ChainAction>,
    /// Messages on their way to the partner.
    pub out: VecDeque<Vec<u8>>,
    finalized: Moment,
    best: Moment,
}

/// Index of a party: `L` is left, `R` right.
pub(crate) const L: usize = 0;
pub(crate) const R: usize = 1;

/// The pair, its chain and its network.
pub(crate) struct World {
    pub parties: [Party; 2],
    pub facts: PairFacts,
    pub connected: bool,
}

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
                submitted: vec![],
                out: VecDeque::new(),
                finalized: at,
                best: at,
            }
        });
        let mut world = Self { parties, facts, connected: false };
        world.connect();
        for who in [L, R] {
            world.set_terms(who, 0);
        }
        world.deliver_all();
        world
    }

    /// Calls the engine of `who` and carries out what it wants.
    pub fn call<E>(
        &mut self,
        who: usize,
        f: impl FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, E>,
    ) -> Result<(), E> {
        let party = &mut self.parties[who];
        let before = party.channel.state().clone();
        let ctx = Context { signer: &party.key, finalized: party.finalized, best: party.best };
        match f(&mut party.channel, &ctx) {
            Err(error) => {
                assert_eq!(party.channel.state(), &before, "a refusal changes nothing");
                Err(error)
            },
            Ok(effects) => {
                let persisted = effects.contains(&Effect::Persist);
                assert!(
                    persisted
                        || party.channel.state().encode() == before.encode()
                        || only_ack_sent(&before, &party.channel),
                    "what changes is persisted: {effects:?}"
                );
                for effect in effects {
                    match effect {
                        Effect::Persist => {
                            party.disk = party.channel.encode_state();
                            let read = Channel::decode_state(&party.disk).unwrap();
                            assert_eq!(read.state(), party.channel.state());
                        },
                        Effect::Send(message) => {
                            if self.connected {
                                party.out.push_back(message.encode());
                            }
                        },
                        Effect::Submit(action) => party.submitted.push(action),
                        Effect::Event(event) => party.events.push(event),
                    }
                }
                Ok(())
            },
        }
    }

    pub fn pay(&mut self, who: usize, amount: Balance) -> Result<(), Refusal> {
        let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
        self.call(who, |channel, ctx| channel.pay(ctx, FRD, amount, purpose))
    }

    pub fn set_terms(&mut self, who: usize, credit: Balance) {
        let terms = AssetTerms { credit, ..Default::default() };
        self.call(who, |channel, _| Ok::<_, Fault>(channel.set_terms(FRD, terms))).unwrap();
    }

    pub fn flush_ack(&mut self, who: usize) {
        self.call(who, |channel, ctx| Ok::<_, Fault>(channel.flush_ack(ctx))).unwrap();
    }

    /// Delivers the next message of `from`.
    pub fn deliver(&mut self, from: usize) -> Result<(), Fault> {
        let Some(bytes) = self.parties[from].out.pop_front() else { return Ok(()) };
        let message = Message::decode(&mut &bytes[..]).expect("what was encoded decodes");
        self.call(1 - from, |channel, ctx| channel.receive(ctx, message))
    }

    /// Delivers everything, and what follows from it.
    pub fn deliver_all(&mut self) {
        while self.parties.iter().any(|party| !party.out.is_empty()) {
            for from in [L, R] {
                self.deliver(from).expect("honest parties find no fault");
            }
        }
    }

    pub fn connect(&mut self) {
        self.connected = true;
        for who in [L, R] {
            self.parties[who].out.clear();
        }
        for who in [L, R] {
            self.call(who, |channel, _| Ok::<_, Fault>(channel.connected())).unwrap();
        }
    }

    /// The session ends; what was on its way is lost.
    pub fn disconnect(&mut self) {
        self.connected = false;
        for party in &mut self.parties {
            party.out.clear();
            party.channel.disconnected();
        }
    }

    /// The party loses its memory and starts from its disk.
    pub fn crash(&mut self, who: usize) {
        self.disconnect();
        let party = &mut self.parties[who];
        party.channel = Channel::decode_state(&party.disk).unwrap();
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
            self.call(who, |channel, _| Ok::<_, Fault>(channel.on_best(&facts))).unwrap();
        }
    }

    /// The node of `who` finalizes the best block.
    pub fn finalize(&mut self, who: usize) {
        let facts = self.facts.clone();
        self.parties[who].finalized = facts.at;
        self.call(who, |channel, ctx| channel.on_finalized(ctx, facts)).unwrap();
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
        assert_eq!(l.mine.reservation, r.theirs.reservation, "what left has reserved");
        assert_eq!(r.mine.reservation, l.theirs.reservation, "what right has reserved");
    }

    pub fn dispute_view(&self, starter: Side, evidence: &Evidence) -> DisputeView {
        let _ = evidence;
        DisputeView {
            starter: Some(starter),
            start: self.facts.at.clock,
            opened_in: self.facts.at.block,
            resolve_at: self.facts.at.clock + 8,
            settled: false,
            presented: [None, None],
        }
    }
}

/// A repeated acknowledgement after a reconnect marks itself as sent without a disk write: losing
/// the mark repeats it once more.
fn only_ack_sent(before: &crate::state::State, channel: &Channel) -> bool {
    let mut now = channel.state().clone();
    now.ack_sent = before.ack_sent;
    now == *before
}

pub(crate) fn asset() -> AssetId {
    FRD
}
