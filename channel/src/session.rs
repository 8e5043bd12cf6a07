//! A connection with the partner: what is taken at once, what waits, and how it ends.
//!
//! Messages are handled one after the other. One that refers to a block which our node has not
//! finalized yet waits, and so does everything behind it. The same holds while the partner has to
//! prove that we lost data ([`crate::reconnect`]).

use crate::{
    effect::{Effect, Event},
    error::{Fault, Refusal},
    message::{Message, Update},
    state::Channel,
    Context,
};
use codec::Encode;
use failsafe_primitives::{BlockNumber, Clock, Epoch};
use std::collections::VecDeque;

/// Most messages that wait.
pub const MAX_HELD: usize = 1_024;
/// Most bytes that wait, encoded.
pub const MAX_HELD_BYTES: usize = 1 << 20;
/// How many blocks ahead of our best one an update may refer to (A14).
const AS_OF_AHEAD: BlockNumber = 2;

/// What belongs to a connection and is gone with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// Whether messages are taken: from its beginning to its end, a fault, or a thaw.
    pub live: bool,
    /// Whether the partner has said where it stands in this epoch.
    pub established: bool,
    /// Newest epoch for which it has said so.
    pub heard: Option<Epoch>,
    /// Newest epoch for which we have proved what we know.
    pub told: Option<Epoch>,
    /// The partner's `Reestablish` that claims more than we know.
    pub doubt: Option<Doubt>,
    /// A close request of ours is under way: last usable block at which the close can be submitted.
    pub close_requested: Option<Clock>,
    /// Messages that wait, oldest first.
    pub held: VecDeque<Message>,
    /// Encoded length of the messages that wait.
    pub held_bytes: usize,
}

/// A claim of the partner that we have lost data, without proof yet.
#[derive(Clone, Debug)]
pub(crate) struct Doubt {
    /// Its `Reestablish`.
    pub claim: Message,
    /// Whether its answer is awaited.
    pub asked: bool,
}

impl Session {
    fn pop(&mut self) -> Option<Message> {
        let message = self.held.pop_front()?;
        self.held_bytes = self.held_bytes.saturating_sub(message.encoded_size());
        Some(message)
    }

    /// Keeps a message that must wait.
    fn hold(&mut self, message: Message) -> Result<(), Fault> {
        let bytes = self.held_bytes.checked_add(message.encoded_size());
        let bytes = bytes.filter(|bytes| *bytes <= MAX_HELD_BYTES).ok_or(Fault::TooManyHeld)?;
        if self.held.len() >= MAX_HELD {
            return Err(Fault::TooManyHeld);
        }
        self.held_bytes = bytes;
        self.held.push_back(message);
        Ok(())
    }

    /// Puts a message in front of all that wait.
    pub fn hold_first(&mut self, message: Message) {
        self.held_bytes = self.held_bytes.saturating_add(message.encoded_size());
        self.held.push_front(message);
    }
}

impl Channel {
    /// A session with the partner has begun.
    pub fn connected(&mut self) -> Vec<Effect> {
        self.session = Session { live: true, ..Session::default() };
        vec![Effect::Send(self.reestablish())]
    }

    /// The session is over.
    pub fn disconnected(&mut self) {
        self.end_session();
    }

    /// Nothing is taken any more until the next session, which repeats what is ignored now.
    pub(crate) fn end_session(&mut self) {
        self.session = Session::default();
    }

    /// Whether the partner is connected and in step.
    pub fn established(&self) -> bool {
        self.session.established
    }

    /// Whether the partner claims to know more than we do and has not proved it: no updates are made
    /// or taken in this session.
    pub fn paused(&self) -> bool {
        self.session.doubt.is_some()
    }

    /// A message of the partner. If it is faulty, the last effect is [`Effect::Fault`]: the effects
    /// before it stand, the faulty message has changed nothing, and the session is over.
    pub fn receive(&mut self, ctx: &Context<'_>, message: Message) -> Vec<Effect> {
        if !self.session.live {
            return vec![];
        }
        let paused = self.paused();
        let mut effects = match self.take_or_hold(ctx, message) {
            Ok(effects) => effects,
            Err(fault) => return self.fail(vec![], fault),
        };
        if paused && !self.paused() {
            effects.extend(self.pump(ctx));
        }
        effects
    }

    /// Ends the session because of a fault.
    fn fail(&mut self, mut effects: Vec<Effect>, fault: Fault) -> Vec<Effect> {
        self.end_session();
        effects.push(Effect::Fault(fault));
        effects
    }

    fn take_or_hold(&mut self, ctx: &Context<'_>, message: Message) -> Result<Vec<Effect>, Fault> {
        // Both may wait for each other's proof.
        let proof = matches!(message, Message::RequestState { .. } | Message::State { .. });
        let behind = !self.session.held.is_empty() || self.paused();
        if (behind && !(proof && self.paused())) || self.must_wait(ctx, &message)? {
            self.check_near(&message)?;
            self.session.hold(message)?;
            return Ok(vec![]);
        }
        self.handle(ctx, message)
    }

    /// Handles what was held, as far as our node has caught up.
    pub(crate) fn pump(&mut self, ctx: &Context<'_>) -> Vec<Effect> {
        let mut effects = vec![];
        while let Some(front) = self.session.held.front().filter(|_| !self.paused()) {
            let handled = match self.must_wait(ctx, front) {
                Ok(true) => break,
                Ok(false) => match self.session.pop() {
                    Some(message) => self.handle(ctx, message),
                    None => break,
                },
                Err(fault) => Err(fault),
            };
            match handled {
                Ok(more) => effects.extend(more),
                Err(fault) => return self.fail(effects, fault),
            }
        }
        effects
    }

    /// A message is for the current epoch or the one after it, which our node may not have finalized
    /// yet. It is not expected to be further behind.
    fn check_near(&self, message: &Message) -> Result<(), Fault> {
        let ahead = message.epoch().and_then(|epoch| epoch.checked_sub(self.epoch()));
        match ahead {
            Some(2..) => Err(Fault::EpochAhead { known: self.epoch() }),
            _ => Ok(()),
        }
    }

    /// Whether a message has to wait for our node.
    fn must_wait(&self, ctx: &Context<'_>, message: &Message) -> Result<bool, Fault> {
        self.check_near(message)?;
        let next_epoch = message.epoch().is_some_and(|epoch| epoch > self.epoch());
        match message {
            Message::Update(update) if next_epoch || !self.is_void(update) => {
                let (got, best) = (update.as_of, ctx.best.block);
                if got > best.saturating_add(AS_OF_AHEAD) {
                    return Err(Fault::AsOfInFuture { got, best });
                }
                Ok(next_epoch || got > ctx.finalized.block)
            },
            _ => Ok(next_epoch),
        }
    }

    /// Whether an update says nothing new, or comes when none are taken.
    pub(crate) fn is_void(&self, update: &Update) -> bool {
        update.epoch < self.epoch()
            || self.frozen().is_some()
            || self.state.data_lost
            || !self.session.established
            || update.base_nonce < self.state.theirs.nonce()
    }

    fn handle(&mut self, ctx: &Context<'_>, message: Message) -> Result<Vec<Effect>, Fault> {
        match message {
            claim @ Message::Reestablish { .. } => self.on_reestablish(ctx, claim),
            Message::Update(update) => self.on_update(ctx, update),
            Message::Ack { epoch, ack } => self.on_ack(epoch, ack),
            Message::Terms { epoch, version, asset, terms } => {
                self.on_terms(ctx, epoch, version, asset, terms)
            },
            Message::TermsAck { epoch, version, nonce } => self.on_terms_ack(epoch, version, nonce),
            Message::Proof { epoch, reservation, withdrawal, signature } => {
                self.on_proof(epoch, reservation, withdrawal, signature)
            },
            Message::Refused { epoch, reservation, reason } => {
                self.on_refused(ctx, epoch, reservation, reason)
            },
            Message::CloseRequest { epoch, own_nonce, partner_nonce, close, signature } => {
                self.on_close_request(ctx, epoch, [own_nonce, partner_nonce], close, signature)
            },
            Message::CloseSigned { epoch, close, signature } => {
                self.on_close_signed(ctx, epoch, close, signature)
            },
            Message::CloseRefused { epoch, reason } => Ok(self.on_close_refused(epoch, reason)),
            Message::RequestState { epoch } => self.on_request_state(epoch),
            Message::State { epoch, own, yours } => self.on_state(ctx, epoch, own, yours),
            Message::InsureRequest { asset } => {
                Ok(vec![Effect::Event(Event::InsureRequested { asset })])
            },
            Message::Delivered { ids } => {
                let event = |id| Effect::Event(Event::Delivered { id });
                Ok(ids.into_iter().map(event).collect())
            },
            Message::AskDelivered { ids } => {
                Ok(vec![Effect::Event(Event::DeliveredAsked { ids: ids.into_inner() })])
            },
            Message::Gossip { announcements } => {
                Ok(vec![Effect::Event(Event::Gossip { announcements })])
            },
            Message::Fault { text } => {
                let text = String::from_utf8_lossy(&text).into_owned();
                Ok(vec![Effect::Event(Event::PartnerComplains { text })])
            },
            Message::Fulfill { epoch, id, secret } => self.on_fulfill(epoch, id, secret),
            Message::Fail { epoch, id, reason } => self.on_fail(ctx, epoch, id, reason),
        }
    }

    /// Whether updates may be made now.
    pub(crate) fn check_open(&self) -> Result<(), Refusal> {
        if self.state.data_lost {
            return Err(Refusal::DataLost);
        }
        if let Some(reason) = self.frozen() {
            return Err(Refusal::Frozen(reason));
        }
        if self.paused() {
            return Err(Refusal::Paused);
        }
        if self.session.close_requested.is_some() {
            return Err(Refusal::Closing);
        }
        Ok(())
    }
}
