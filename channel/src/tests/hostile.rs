//! Right is honest, left is not: it forges, repeats and reorders messages, signs what it likes, and
//! brings whatever it holds to the chain. Whatever it does, right never panics, is never owed more
//! than the credit it gave while it was there, and gets what signatures say, and of what was not
//! signed all but the limit that it gave.

use super::{
    ledger::Call,
    sim::{side, Sim},
    *,
};
use crate::{
    message::{AckOf, RefusalReason},
    Transition, Update,
};
use failsafe_primitives::{
    payload::WithdrawalItem, Close, Entry, Epoch, Evidence, OwnSimplex, Signature, SignedSimplex,
    TwiceSigned, Withdrawal,
};
use proptest::prelude::*;

/// What right has signed and let out of its hands.
#[derive(Default)]
struct Loot {
    simplexes: Vec<(Epoch, SignedSimplex)>,
    /// Simplexes of left that right has acknowledged.
    acked: Vec<(Epoch, TwiceSigned)>,
    proofs: Vec<(Withdrawal, MultiSignature)>,
    closes: Vec<(Close, MultiSignature)>,
}

/// Two parties of which left is hostile.
struct Fight {
    sim: Sim,
    loot: Loot,
    /// Messages that left has sent before.
    old: Vec<Message>,
    /// How many messages in right's queue have been looked at.
    looked: usize,
}

#[derive(Clone, Debug)]
enum Step {
    // Both, as their engines want it.
    Pay(usize, Balance),
    PayUnsigned(usize, Balance),
    Sign(usize),
    /// Credit and unsigned limit.
    Terms(usize, Balance, Balance),
    Ack(usize),
    Deliver(usize, usize),
    Reserve(usize, Balance),
    Close(usize, bool),
    Connect,
    // The world.
    Deposit(usize, Balance),
    Blocks(usize, bool),
    Finalize(usize, u32),
    Reorganise(u32),
    /// Right is cut short after so many effects of its next call.
    CrashAfter(usize),
    Down(usize),
    Withdraw,
    Dispute,
    // Left.
    Forge(Forgery),
    Replay(usize),
    Drop,
    Delay,
    Flip(usize, u8),
    /// Left takes what right believes of it for its own state.
    Align,
    /// Left forgets that it must stop.
    Thaw,
    Chain(Attack),
}

/// A message that no honest party would send.
#[derive(Clone, Debug)]
enum Forgery {
    /// Well signed, whatever it does.
    Update {
        asset: u32,
        amount: Balance,
        ahead: u64,
        as_of: i32,
        terms: u32,
        epoch: u32,
    },
    Reserve {
        nonce: u64,
        amount: Balance,
        valid: u64,
    },
    Unreserve(u64),
    BadSignature(Balance),
    /// Payments, something else, or nothing, on top of the tail or around it.
    Unsigned {
        amounts: Vec<Balance>,
        reserve: bool,
        around: bool,
        terms: u32,
    },
    /// Signs what right has of it, or the same without the tail.
    Cover {
        whole: bool,
    },
    Reestablish {
        epoch: u32,
        own: u64,
        received: u64,
        acked: u64,
        terms: u32,
    },
    RequestState(u32),
    State {
        nonce: u64,
        sent: Balance,
        kind: u8,
    },
    Ack(u64),
    Terms(u32, Balance),
    TermsAck(u32, u64),
    Proof(Balance),
    Refused(u64),
    CloseRequest {
        offdelta: i128,
        signed: bool,
        valid: u64,
        in_step: bool,
    },
    CloseSigned {
        offdelta: i128,
        valid: u64,
    },
    Lock,
}

/// What left brings to the chain.
#[derive(Clone, Debug)]
enum Attack {
    /// Own simplex: 0 none, 1 forged, 2 acknowledged; and one of right's, by index.
    Dispute {
        own: u8,
        nonce: u64,
        sent: Balance,
        floor: usize,
        theirs: Option<usize>,
    },
    Counter {
        acked: Option<usize>,
        theirs: Option<usize>,
    },
    CounterFor(usize),
    Accept,
    Close(usize),
    Withdraw(usize),
    LateClaim(usize),
}

fn forgery() -> impl Strategy<Value = Forgery> {
    let epoch = prop_oneof![8 => Just(0u32), 1 => 1..4u32];
    let as_of = prop_oneof![6 => Just(0i32), 1 => -3..6i32];
    let small =
        prop_oneof![4 => 0..40u128, 1 => 0..400u128, 1 => Just(u128::MAX), 1 => Just(1 << 120)];
    let nonce = prop_oneof![4 => 0..6u64, 1 => Just(u64::MAX), 1 => Just(u64::MAX - 1)];
    let terms = prop_oneof![4 => 0..4u32, 1 => Just(u32::MAX), 1 => Just(1u32 << 31)];
    prop_oneof![
        6 => (prop_oneof![6 => Just(0u32), 1 => 1..3u32], small.clone(),
              prop_oneof![6 => Just(0u64), 1 => nonce.clone()], as_of,
              prop_oneof![4 => Just(0u32), 1 => terms.clone()], epoch.clone())
            .prop_map(|(asset, amount, ahead, as_of, terms, epoch)| {
                Forgery::Update { asset, amount, ahead, as_of, terms, epoch }
            }),
        2 => (0..2u64, small.clone(), prop_oneof![0..30u64, Just(5_000u64), Just(u64::MAX)])
            .prop_map(|(nonce, amount, valid)| Forgery::Reserve { nonce, amount, valid }),
        1 => nonce.clone().prop_map(Forgery::Unreserve),
        1 => small.clone().prop_map(Forgery::BadSignature),
        3 => (prop::collection::vec(small.clone(), 0..3), prop::bool::weighted(0.1),
              prop::bool::weighted(0.1), prop_oneof![4 => Just(0u32), 1 => 0..3u32])
            .prop_map(|(amounts, reserve, around, terms)| {
                Forgery::Unsigned { amounts, reserve, around, terms }
            }),
        1 => any::<bool>().prop_map(|whole| Forgery::Cover { whole }),
        2 => (epoch.clone(), nonce.clone(), nonce.clone(), nonce.clone(), terms.clone())
            .prop_map(|(epoch, own, received, acked, terms)| {
                Forgery::Reestablish { epoch, own, received, acked, terms }
            }),
        1 => epoch.prop_map(Forgery::RequestState),
        2 => (nonce.clone(), small.clone(), 0..5u8)
            .prop_map(|(nonce, sent, kind)| Forgery::State { nonce, sent, kind }),
        1 => nonce.clone().prop_map(Forgery::Ack),
        1 => (terms.clone(), small.clone()).prop_map(|(v, c)| Forgery::Terms(v, c)),
        1 => (terms, nonce.clone()).prop_map(|(v, n)| Forgery::TermsAck(v, n)),
        1 => small.prop_map(Forgery::Proof),
        1 => nonce.prop_map(Forgery::Refused),
        2 => (-150..150i128, any::<bool>(), 0..150u64, any::<bool>()).prop_map(
            |(offdelta, signed, valid, in_step)| {
                Forgery::CloseRequest { offdelta, signed, valid, in_step }
            }),
        1 => (-150..150i128, prop_oneof![0..150u64, Just(u64::MAX)])
            .prop_map(|(offdelta, valid)| Forgery::CloseSigned { offdelta, valid }),
        1 => Just(Forgery::Lock),
    ]
}

fn attack() -> impl Strategy<Value = Attack> {
    let any = || prop::option::of(0..8usize);
    let nonce = prop_oneof![4 => 0..8u64, 1 => Just(u64::MAX)];
    prop_oneof![
        4 => (0..3u8, nonce, 0..300u128, 0..8usize, any()).prop_map(
            |(own, nonce, sent, floor, theirs)| Attack::Dispute { own, nonce, sent, floor, theirs }),
        2 => (any(), any()).prop_map(|(acked, theirs)| Attack::Counter { acked, theirs }),
        2 => (0..8usize).prop_map(Attack::CounterFor),
        1 => Just(Attack::Accept),
        3 => (0..8usize).prop_map(Attack::Close),
        3 => (0..8usize).prop_map(Attack::Withdraw),
        1 => (0..8usize).prop_map(Attack::LateClaim),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..2usize;
    prop_oneof![
        12 => (who.clone(), 1..60u128).prop_map(|(w, a)| Step::Pay(w, a)),
        8 => (who.clone(), 1..30u128).prop_map(|(w, a)| Step::PayUnsigned(w, a)),
        1 => who.clone().prop_map(Step::Sign),
        3 => (who.clone(), 0..80u128, prop_oneof![Just(0u128), 1..60u128])
            .prop_map(|(w, a, u)| Step::Terms(w, a, u)),
        4 => who.clone().prop_map(Step::Ack),
        20 => (who.clone(), 1..6usize).prop_map(|(w, n)| Step::Deliver(w, n)),
        4 => (who.clone(), 1..60u128).prop_map(|(w, a)| Step::Reserve(w, a)),
        2 => (who.clone(), any::<bool>()).prop_map(|(w, s)| Step::Close(w, s)),
        6 => Just(Step::Connect),
        3 => (who.clone(), 1..120u128).prop_map(|(w, a)| Step::Deposit(w, a)),
        6 => (1..5usize, any::<bool>()).prop_map(|(n, f)| Step::Blocks(n, f)),
        6 => (who, 0..4u32).prop_map(|(w, lag)| Step::Finalize(w, lag)),
        2 => (1..4u32).prop_map(Step::Reorganise),
        3 => (0..5usize).prop_map(Step::CrashAfter),
        1 => (0..15usize).prop_map(Step::Down),
        3 => Just(Step::Withdraw),
        1 => Just(Step::Dispute),
        10 => forgery().prop_map(Step::Forge),
        2 => (0..20usize).prop_map(Step::Replay),
        1 => Just(Step::Drop),
        1 => Just(Step::Delay),
        1 => (0..200usize, 1..=255u8).prop_map(|(at, bits)| Step::Flip(at, bits)),
        4 => Just(Step::Align),
        4 => Just(Step::Thaw),
        5 => attack().prop_map(Step::Chain),
    ]
}

fn pick<T: Clone>(list: &[T], index: usize) -> Option<T> {
    list.get(index.checked_rem(list.len())?).cloned()
}

impl Fight {
    fn new() -> Self {
        Self { sim: Sim::new(), loot: Loot::default(), old: vec![], looked: 0 }
    }

    fn sign(&self, message: &[u8; 32]) -> Signature {
        Signature::Direct(self.sim.world.parties[L].key.sign(message))
    }

    fn right(&self) -> &crate::state::State {
        self.sim.channel(R).state()
    }

    /// Collects what right has signed.
    fn collect(&mut self) {
        let state = self.sim.channel(R).state();
        let epoch = state.context.epoch;
        let newest = |list: &[(Epoch, SignedSimplex)], signed: &SignedSimplex| {
            list.iter().all(|(e, known)| (*e, known) != (epoch, signed))
        };
        if let Some(signed) = state.mine.signed().filter(|s| newest(&self.loot.simplexes, s)) {
            self.loot.simplexes.push((epoch, signed));
        }
        let theirs = state.theirs.signed().map(|signed| signed.simplex).unwrap_or_default();
        let context = state.context.clone();
        let out = &self.sim.world.parties[R].out;
        let new = out.iter().skip(self.looked.min(out.len()));
        let new: Vec<_> = new.map(|m| Message::decode(&mut &m[..]).unwrap()).collect();
        self.looked = out.len();
        for message in new {
            match message {
                Message::Ack { ack, .. } | Message::Update(Update { ack: Some(ack), .. })
                    if ack.nonce == theirs.nonce =>
                {
                    let signature = self.sign(&context.simplex_message(Side::Left, &theirs));
                    let (simplex, ack) = (theirs.clone(), ack.signature);
                    let twice = TwiceSigned { from: Side::Left, simplex, signature, ack };
                    self.loot.acked.push((epoch, twice));
                },
                Message::Proof { withdrawal, signature, .. } => {
                    self.loot.proofs.push((withdrawal, signature));
                },
                Message::CloseSigned { close, signature, .. }
                | Message::CloseRequest { close, signature: Some(signature), .. } => {
                    self.loot.closes.push((close, signature));
                },
                _ => {},
            }
        }
    }

    fn send(&mut self, message: Message) {
        if self.sim.world.connected {
            self.old.push(message.clone());
            self.sim.world.parties[L].out.push_back(message.encode());
        }
    }

    /// An update on top of what right has, signed by left.
    fn update(&self, transition: Transition, change: impl FnOnce(&mut Update)) -> Update {
        let theirs = &self.right().theirs;
        let mut update = Update {
            epoch: self.right().context.epoch,
            base_nonce: theirs.nonce(),
            as_of: theirs.as_of.max(self.right().facts.at.block),
            terms_version: self.right().given.version,
            transitions: vec![transition.clone()].try_into().unwrap(),
            signature: None,
            ack: None,
        };
        let mut simplex = theirs.simplex.clone();
        simplex.nonce = simplex.nonce.saturating_add(1);
        if let Transition::Pay { asset, amount, .. } = transition {
            let entries = &mut simplex.entries;
            match entries.iter_mut().find(|entry| entry.asset == asset) {
                Some(entry) => entry.sent = entry.sent.saturating_add(amount),
                None => drop(entries.try_push(Entry::sent(asset, amount))),
            }
        }
        let message = self.right().context.simplex_message(Side::Left, &simplex);
        update.signature = Some(self.sign(&message));
        change(&mut update);
        update
    }

    fn pay(asset: u32, amount: Balance) -> Transition {
        Transition::Pay { asset, amount, purpose: Purpose::Direct { id: PaymentId([1; 16]) } }
    }

    fn forge(&mut self, forgery: Forgery) -> Message {
        let epoch = self.right().context.epoch;
        let context = self.right().context.clone();
        let clock = self.sim.clock();
        match forgery {
            Forgery::Update { asset, amount, ahead, as_of, terms, epoch } => {
                Message::Update(self.update(Self::pay(asset, amount), |update| {
                    update.base_nonce = update.base_nonce.saturating_add(ahead);
                    update.as_of = update.as_of.saturating_add_signed(as_of);
                    update.terms_version = update.terms_version.wrapping_sub(terms);
                    update.epoch += epoch;
                }))
            },
            Forgery::Reserve { nonce, amount, valid } => {
                let items = vec![(FRD, amount)].try_into().unwrap();
                let (withdrawal_nonce, valid_until) = (nonce, clock.saturating_add(valid));
                let reserve = Transition::Reserve { withdrawal_nonce, valid_until, items };
                Message::Update(self.update(reserve, |_| {}))
            },
            Forgery::Unreserve(reservation) => {
                let reservation = self
                    .right()
                    .theirs
                    .reservation
                    .as_ref()
                    .map_or(0, |r| r.id)
                    .saturating_add(reservation.saturating_sub(1));
                Message::Update(self.update(Transition::Unreserve { reservation }, |_| {}))
            },
            Forgery::BadSignature(amount) => {
                let other = self.sign(&[3; 32]);
                let change = |update: &mut Update| update.signature = Some(other);
                Message::Update(self.update(Self::pay(FRD, amount), change))
            },
            Forgery::Unsigned { amounts, reserve, around, terms } => {
                let mut transitions: Vec<_> =
                    amounts.into_iter().map(|amount| Self::pay(FRD, amount)).collect();
                if reserve {
                    let items = vec![(FRD, 1)].try_into().unwrap();
                    let (withdrawal_nonce, valid_until) = (0, clock.saturating_add(10));
                    transitions.push(Transition::Reserve { withdrawal_nonce, valid_until, items });
                }
                let signed = self.right().theirs.signed_nonce();
                Message::Update(self.update(Self::pay(FRD, 0), |update| {
                    update.transitions = transitions.try_into().unwrap();
                    update.terms_version = update.terms_version.wrapping_sub(terms);
                    update.signature = None;
                    if around {
                        update.base_nonce = signed;
                    }
                }))
            },
            Forgery::Cover { whole } => {
                let theirs = &self.right().theirs;
                let mut simplex = match theirs.signed() {
                    Some(signed) if !whole => signed.simplex,
                    _ => theirs.simplex.clone(),
                };
                simplex.nonce = theirs.nonce().saturating_add(1);
                let signature = self.sign(&context.simplex_message(Side::Left, &simplex));
                Message::Update(self.update(Self::pay(FRD, 0), |update| {
                    update.transitions = Default::default();
                    update.signature = Some(signature);
                }))
            },
            Forgery::Reestablish { epoch: ahead, own, received, acked, terms } => {
                Message::Reestablish {
                    epoch: epoch + ahead,
                    own_nonce: own,
                    received_nonce: received,
                    acked_nonce: acked,
                    terms_given: 0,
                    terms_received: terms,
                }
            },
            Forgery::RequestState(ahead) => Message::RequestState { epoch: epoch + ahead },
            Forgery::State { nonce, sent, kind } => {
                let entries = vec![Entry::sent(FRD, sent)].try_into().unwrap();
                let simplex = Simplex { nonce, entries };
                let signature = self.sign(&context.simplex_message(Side::Left, &simplex));
                // Left's own acknowledgement, or one that right gave for something else.
                let ack = match pick(&self.loot.acked, kind.into()) {
                    Some((_, twice)) if kind > 1 => twice.ack,
                    _ => self.sign(&context.ack_message(Side::Left, &simplex)),
                };
                let real = || pick(&self.loot.acked, kind.into()).map(|(_, twice)| twice);
                let theirs = TwiceSigned {
                    from: Side::Left,
                    simplex: simplex.clone(),
                    signature: signature.clone(),
                    ack,
                };
                let own = if kind == 4 { real() } else { Some(theirs) };
                let yours = match pick(&self.loot.simplexes, kind.into()) {
                    Some((_, known)) if kind == 3 => Some(known),
                    _ => (kind == 0).then_some(SignedSimplex { simplex, signature }),
                };
                Message::State { epoch, own, yours }
            },
            Forgery::Ack(nonce) => {
                let mine = &self.right().mine.simplex;
                let signature = self.sign(&context.ack_message(Side::Right, mine));
                Message::Ack { epoch, ack: AckOf { nonce, signature } }
            },
            Forgery::Terms(version, credit) => {
                let terms = AssetTerms { credit, ..Default::default() };
                Message::Terms { epoch, version, asset: FRD, terms }
            },
            Forgery::TermsAck(version, nonce) => Message::TermsAck { epoch, version, nonce },
            Forgery::Proof(amount) => {
                let held = self.right().mine.reservation.as_ref();
                let item = WithdrawalItem { asset: FRD, amount, max_from_balance: amount };
                let withdrawal = Withdrawal {
                    withdrawal_nonce: held.map_or(0, |held| held.withdrawal_nonce),
                    valid_until: held.map_or(0, |held| held.valid_until),
                    items: vec![item].try_into().unwrap(),
                };
                let message = context.withdrawal_message(Side::Right, &withdrawal);
                let signature = self.sim.world.parties[L].key.sign(&message);
                let reservation = held.map_or(0, |held| held.id);
                Message::Proof { epoch, reservation, withdrawal, signature }
            },
            Forgery::Refused(reservation) => {
                let held = self.right().mine.reservation.as_ref().map_or(reservation, |r| r.id);
                Message::Refused { epoch, reservation: held, reason: RefusalReason::Policy }
            },
            Forgery::CloseRequest { offdelta, signed, valid, in_step } => {
                let close = self.close(offdelta, clock.saturating_add(valid));
                let message = context.close_message(&close);
                let signature = signed.then(|| self.sim.world.parties[L].key.sign(&message));
                let (own_nonce, partner_nonce) = match in_step {
                    true => (self.right().theirs.nonce(), self.right().mine.nonce()),
                    false => (0, 0),
                };
                Message::CloseRequest { epoch, own_nonce, partner_nonce, close, signature }
            },
            Forgery::CloseSigned { offdelta, valid } => {
                let close = self.close(offdelta, clock.saturating_add(valid));
                let message = context.close_message(&close);
                let signature = self.sim.world.parties[L].key.sign(&message);
                Message::CloseSigned { epoch, close, signature }
            },
            Forgery::Lock => {
                let onion = Default::default();
                let (asset, id, amount) = (FRD, 1, 1);
                let (hash, expiry) = ([0; 32], clock.saturating_add(10));
                let lock = Transition::Lock { asset, id, amount, hash, expiry, onion };
                Message::Update(self.update(lock, |_| {}))
            },
        }
    }

    fn close(&self, offdelta: i128, valid_until: u64) -> Close {
        Close { valid_until, offdeltas: vec![(FRD, offdelta)].try_into().unwrap() }
    }

    /// A call with what left holds.
    fn call(&self, attack: Attack) -> Option<Call> {
        let epoch = self.sim.ledger.best().state.epoch;
        let now = |e: &Epoch| *e == epoch;
        let simplexes: Vec<_> =
            self.loot.simplexes.iter().filter(|(e, _)| now(e)).map(|(_, s)| s.clone()).collect();
        let acked: Vec<_> =
            self.loot.acked.iter().filter(|(e, _)| now(e)).map(|(_, s)| s.clone()).collect();
        let theirs = |index: Option<usize>| pick(&simplexes, index?);
        let acked_one = |index: usize| {
            let TwiceSigned { simplex, ack, .. } = pick(&acked, index)?;
            Some(OwnSimplex::Acked { simplex, ack })
        };
        let action = match attack {
            Attack::Dispute { own, nonce, sent, floor, theirs: index } => {
                let ours = match own {
                    0 => None,
                    1 => {
                        let entries = vec![Entry::sent(FRD, sent)].try_into().unwrap();
                        let floor = pick(&acked, floor).map(|twice| (twice.simplex, twice.ack));
                        let least = floor.as_ref().map_or(0, |(simplex, _)| simplex.nonce);
                        let simplex = Simplex { nonce: nonce.max(least), entries };
                        Some(OwnSimplex::Unacked { simplex, acked: floor })
                    },
                    _ => acked_one(floor),
                };
                let evidence = Evidence { theirs: theirs(index), ours };
                ChainAction::Dispute { epoch, evidence }
            },
            Attack::Counter { acked, theirs: index } => {
                let ours = acked.and_then(acked_one);
                ChainAction::Counter { evidence: Evidence { theirs: theirs(index), ours } }
            },
            Attack::CounterFor(index) => {
                return Some(Call::CounterFor(vec![pick(&acked, index)?]));
            },
            Attack::Accept => return Some(Call::Accept),
            Attack::Close(index) => {
                let (close, signature) = pick(&self.loot.closes, index)?;
                ChainAction::Close { close, signature }
            },
            Attack::Withdraw(index) => {
                let (withdrawal, proof) = pick(&self.loot.proofs, index)?;
                return Some(Call::Withdraw(withdrawal, proof));
            },
            Attack::LateClaim(index) => {
                let (epoch, signed) = pick(&self.loot.simplexes, index)?;
                let SignedSimplex { simplex, signature } = signed;
                ChainAction::LateClaim { epoch, simplex, signature }
            },
        };
        Some(Call::Channel(action))
    }

    fn run(&mut self, step: Step) {
        let sim = &mut self.sim;
        match step {
            Step::Pay(who, amount) => {
                let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
                sim.ask(who, |channel, ctx| channel.pay(ctx, FRD, amount, purpose));
            },
            Step::PayUnsigned(who, amount) => {
                let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
                sim.ask(who, |channel, ctx| channel.pay_unsigned(ctx, FRD, amount, purpose));
            },
            Step::Sign(who) => drop(sim.ask(who, |channel, ctx| Ok(channel.sign_unsigned(ctx)))),
            Step::Terms(who, credit, unsigned_limit) => {
                let terms = AssetTerms { credit, unsigned_limit, ..Default::default() };
                sim.ask(who, |channel, _| channel.set_terms(FRD, terms));
            },
            Step::Ack(who) => drop(sim.ask(who, |channel, ctx| Ok(channel.flush_ack(ctx)))),
            Step::Deliver(from, count) => {
                for _ in 0..count {
                    // What left finds wrong is its own affair.
                    let _ = self.sim.deliver(from);
                    self.collect();
                    if from == R {
                        self.looked = self.looked.saturating_sub(1);
                    }
                }
            },
            Step::Reserve(who, amount) => {
                sim.ask(who, |channel, ctx| channel.reserve(ctx, vec![(FRD, amount)], 15));
            },
            Step::Close(who, signed) => {
                sim.ask(who, |channel, ctx| channel.request_close(ctx, signed));
            },
            Step::Connect => sim.connect(),
            Step::Deposit(who, amount) => {
                sim.mine(false, &[(Side::Left, Call::Deposit(side(who), amount))]);
            },
            Step::Blocks(count, full) => (0..count).for_each(|_| sim.mine(full, &[])),
            Step::Finalize(who, lag) => sim.finalize(who, lag),
            Step::Reorganise(depth) => sim.reorganise(depth),
            Step::CrashAfter(effects) => sim.world.crash_after = Some(effects),
            Step::Down(blocks) => sim.crash(R, blocks),
            Step::Withdraw => sim.withdraw(R),
            Step::Dispute => drop(sim.ask(R, |channel, _| channel.dispute())),
            Step::Forge(forgery) => {
                let message = self.forge(forgery);
                self.send(message);
            },
            Step::Replay(index) => {
                if let Some(message) = pick(&self.old, index) {
                    self.send(message);
                }
            },
            Step::Drop => drop(sim.world.parties[L].out.pop_front()),
            Step::Delay => {
                let out = &mut sim.world.parties[L].out;
                if let Some(message) = out.pop_front() {
                    out.push_back(message);
                }
            },
            Step::Flip(at, bits) => {
                let Some(front) = sim.world.parties[L].out.front_mut() else { return };
                let at = at % front.len();
                front[at] ^= bits;
                // The transport does not let through what cannot be read.
                if Message::decode(&mut &front[..]).is_err() {
                    sim.world.parties[L].out.pop_front();
                }
            },
            Step::Align => {
                let theirs = sim.channel(R).state().theirs.clone();
                let epoch = sim.channel(R).epoch();
                let state = &mut sim.world.parties[L].channel.state;
                if state.context.epoch == epoch {
                    state.mine = theirs;
                    state.outbox.clear();
                    state.data_lost = false;
                }
            },
            Step::Thaw => sim.world.parties[L].channel.state.freezes = Default::default(),
            Step::Chain(attack) => {
                if let Some(call) = self.call(attack) {
                    self.sim.mine(false, &[(Side::Left, call)]);
                }
            },
        }
        self.collect();
    }

    /// Right ends the channel by itself; left is gone.
    fn end(&mut self) {
        let sim = &mut self.sim;
        sim.world.crash_after = None;
        sim.world.disconnect();
        let empty = |sim: &Sim| {
            let state = &sim.ledger.best().state;
            state.row.is_empty()
                && sim.channel(R).epoch() == state.epoch
                && sim.channel(R).state().late.is_empty()
                && sim.channel(R).frozen().is_none()
        };
        sim.settle(40, |sim| !sim.is_down(R));
        for _ in 0..4 {
            sim.ask(R, |channel, _| channel.dispute());
            sim.settle(40, |_| false);
        }
        assert!(empty(sim), "{:?}", sim.ledger.best().state);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, ..ProptestConfig::default() })]

    #[test]
    fn honest_party_should_lose_nothing_whatever_its_partner_does(
        steps in prop::collection::vec(step(), 1..160),
    ) {
        let mut fight = Fight::new();
        for step in steps {
            fight.run(step);
        }
        fight.end();
        fight.sim.assert_nothing_lost(R);
        fight.sim.assert_exposure_of_right();
    }
}
