//! What a party keeps of a channel.

use crate::{
    chain::PairFacts,
    effect::Effect,
    error::{Fault, Refusal},
    message::{Message, RefusalReason, Update},
    terms::{Given, Received},
    Context, Moment,
};
use codec::{Decode, Encode};
use failsafe_primitives::{
    simplex::MaxAssets, AccountId, AssetId, Balance, BlockNumber, ChannelContext, Clock, Epoch,
    Nonce, Pair, PairError, Side, Signature, SignedSimplex, Simplex, Withdrawal,
};
use sp_core::H256;
use sp_runtime::{BoundedVec, MultiSignature};
use std::collections::VecDeque;

/// Version of the stored form.
pub const STATE_VERSION: u8 = 1;

/// Most messages kept while waiting for a finalized block.
pub(crate) const MAX_HELD: usize = 1_024;

/// Money held for a withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reservation {
    /// Nonce of the simplex with which it was made: its name.
    pub id: Nonce,
    /// The chain's withdrawal nonce for which it is.
    pub withdrawal_nonce: Nonce,
    /// Last usable block at which the withdrawal is valid.
    pub valid_until: Clock,
    /// Assets and amounts.
    pub items: BoundedVec<(AssetId, Balance), MaxAssets>,
}

impl Reservation {
    /// What is held in `asset`.
    pub fn amount(&self, asset: AssetId) -> Balance {
        self.items.iter().find(|(a, _)| *a == asset).map_or(0, |(_, amount)| *amount)
    }
}

/// One direction of the channel: what one side has paid, as far as we know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Half {
    /// The newest simplex.
    pub simplex: Simplex,
    /// Its maker's signature; none for nonce 0.
    pub signature: Option<Signature>,
    /// Finalized block by which the newest update was judged.
    pub as_of: BlockNumber,
    /// What its maker has reserved.
    pub reservation: Option<Reservation>,
}

impl Half {
    /// Nonce of the newest simplex.
    pub fn nonce(&self) -> Nonce {
        self.simplex.nonce
    }

    /// The newest simplex with its signature, once there is one.
    pub fn signed(&self) -> Option<SignedSimplex> {
        let signature = self.signature.clone()?;
        Some(SignedSimplex { simplex: self.simplex.clone(), signature })
    }
}

/// An own simplex that the partner has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Acked {
    /// The simplex.
    pub simplex: Simplex,
    /// The partner's signature over the acknowledgement.
    pub ack: Signature,
}

/// An own update that the partner has not acknowledged yet, with the simplex it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sent {
    /// The update, resent as it is.
    pub update: Update,
    /// The simplex after it, to check acknowledgements against.
    pub simplex: Simplex,
}

/// How we answered the partner's newest reservation, named by its id: one or the other, never both
/// [M9].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Decision {
    /// We signed.
    #[codec(index = 0)]
    Proof(Nonce, Withdrawal, MultiSignature),
    /// We refused.
    #[codec(index = 1)]
    Refused(Nonce, RefusalReason),
}

/// Why a channel takes no updates [M1].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FreezeReason {
    /// We have opened a dispute, or are about to.
    #[codec(index = 0)]
    OwnDispute,
    /// A best block has a dispute, accept, close or resolve of the channel.
    #[codec(index = 1)]
    SeenOnChain {
        /// That block.
        block: BlockNumber,
    },
    /// We have signed a close.
    #[codec(index = 2)]
    CloseSigned {
        /// Last usable block at which it can be submitted.
        valid_until: Clock,
    },
    /// We have a close that the partner signed, and submit it.
    #[codec(index = 3)]
    Closing {
        /// Last usable block at which it can be submitted.
        valid_until: Clock,
    },
}

impl core::fmt::Display for FreezeReason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OwnDispute => write!(f, "we have opened a dispute"),
            Self::SeenOnChain { block } => {
                write!(f, "block {block} has a dispute or close of the channel")
            },
            Self::CloseSigned { valid_until } => {
                write!(f, "we have signed a close that is valid until clock {valid_until}")
            },
            Self::Closing { valid_until } => {
                write!(f, "we submit a close that is valid until clock {valid_until}")
            },
        }
    }
}

/// What must survive a crash.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct State {
    /// Our side.
    pub side: Side,
    /// Chain, pair and epoch.
    pub context: ChannelContext,
    /// What we have paid.
    pub mine: Half,
    /// What the partner has paid.
    pub theirs: Half,
    /// Our newest acknowledged simplex.
    pub acked: Option<Acked>,
    /// Newest nonce of the partner that we have acknowledged.
    pub ack_sent: Nonce,
    /// Own updates that the partner has not acknowledged.
    pub outbox: VecDeque<Sent>,
    /// Our terms.
    pub given: Given,
    /// The partner's terms.
    pub received: Received,
    /// Our answer to the partner's newest reservation.
    pub decision: Option<Decision>,
    /// The partner's answer to our live reservation.
    pub proof: Option<(Withdrawal, MultiSignature)>,
    /// Id of our reservation that the partner refused.
    pub refused: Option<Nonce>,
    /// Newest finalized facts.
    pub facts: PairFacts,
    /// Why no updates are made or taken.
    pub freeze: Option<FreezeReason>,
    /// The partner knows a newer simplex of ours than we do [A17].
    pub data_lost: bool,
}

/// One channel of one party: the state that survives, and the session that does not.
#[derive(Clone, Debug)]
pub struct Channel {
    /// What must survive a crash.
    pub(crate) state: State,
    /// Messages that wait until our node has finalized what they refer to.
    pub(crate) held: VecDeque<Message>,
    /// Whether the partner is connected and has said where it stands.
    pub(crate) established: bool,
    /// Whether a close request of ours is under way.
    pub(crate) close_requested: bool,
}

impl Channel {
    /// The channel of `me` and `partner` as the chain knows it, with nothing paid off chain.
    pub fn new(
        genesis_hash: H256,
        me: &AccountId,
        partner: &AccountId,
        facts: PairFacts,
    ) -> Result<Self, PairError> {
        let pair = Pair::new(me.clone(), partner.clone())?;
        let side = pair.side_of(me).ok_or(PairError)?;
        let epoch = facts.view.epoch;
        let state = State {
            side,
            context: ChannelContext { genesis_hash, pair, epoch },
            mine: Half::default(),
            theirs: Half::default(),
            acked: None,
            ack_sent: 0,
            outbox: VecDeque::new(),
            given: Given::default(),
            received: Received::default(),
            decision: None,
            proof: None,
            refused: None,
            facts,
            freeze: None,
            data_lost: false,
        };
        Ok(Self::from_state(state))
    }

    /// A channel after a restart.
    pub fn from_state(state: State) -> Self {
        Self { state, held: VecDeque::new(), established: false, close_requested: false }
    }

    /// The stored form.
    pub fn encode_state(&self) -> Vec<u8> {
        (STATE_VERSION, &self.state).encode()
    }

    /// Reads the stored form; says what is wrong with it.
    pub fn decode_state(bytes: &[u8]) -> Result<Self, String> {
        let input = &mut &bytes[..];
        match u8::decode(input) {
            Ok(STATE_VERSION) => {},
            Ok(version) => {
                return Err(format!(
                    "the channel was stored by version {version}, this program knows \
                     {STATE_VERSION}: use the newer program"
                ))
            },
            Err(_) => return Err("an empty channel record".into()),
        }
        let state = State::decode(input).map_err(|e| format!("a damaged channel record: {e}"))?;
        if !input.is_empty() {
            return Err("a damaged channel record: it is too long".into());
        }
        Ok(Self::from_state(state))
    }

    /// What survives a crash, to look at.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The partner's account.
    pub fn partner(&self) -> &AccountId {
        self.state.context.pair.account(self.state.side.other())
    }

    /// Our account.
    pub fn me(&self) -> &AccountId {
        self.state.context.pair.account(self.state.side)
    }

    /// Our side.
    pub fn side(&self) -> Side {
        self.state.side
    }

    /// The current epoch.
    pub fn epoch(&self) -> Epoch {
        self.state.context.epoch
    }

    /// Whether the partner is connected and in step.
    pub fn established(&self) -> bool {
        self.established
    }

    /// Why there are no updates.
    pub fn frozen(&self) -> Option<FreezeReason> {
        self.state.freeze
    }

    /// Whether something waits for a later block: then the host calls [`Channel::on_block`] with
    /// every new one.
    pub fn waits_for_blocks(&self) -> bool {
        !self.held.is_empty()
            || self.state.mine.reservation.is_some()
            || self.state.freeze.is_some()
            || self.state.facts.view.dispute.is_some()
    }

    /// A message of the partner. On a fault nothing has changed and the state stays the last good
    /// one; the host tells the partner and ends the session.
    pub fn receive(&mut self, ctx: &Context<'_>, message: Message) -> Result<Vec<Effect>, Fault> {
        if !self.held.is_empty() {
            return self.hold(message);
        }
        self.handle(ctx, message)
    }

    /// Keeps a message until our node has caught up; everything behind it waits too.
    pub(crate) fn hold(&mut self, message: Message) -> Result<Vec<Effect>, Fault> {
        if self.held.len() >= MAX_HELD {
            return Err(Fault::TooManyHeld);
        }
        self.held.push_back(message);
        Ok(vec![])
    }

    /// Handles what was held, as far as our node has caught up.
    pub(crate) fn pump(&mut self, ctx: &Context<'_>) -> Result<Vec<Effect>, Fault> {
        let mut effects = vec![];
        while let Some(message) = self.held.pop_front() {
            let waiting = self.held.len();
            effects.extend(self.handle(ctx, message)?);
            if self.held.len() > waiting {
                // It must still wait: back to the front, where it was.
                if let Some(message) = self.held.pop_back() {
                    self.held.push_front(message);
                }
                break;
            }
        }
        Ok(effects)
    }

    fn handle(&mut self, ctx: &Context<'_>, message: Message) -> Result<Vec<Effect>, Fault> {
        match message {
            Message::Reestablish {
                epoch,
                own_nonce,
                received_nonce,
                acked_nonce: _,
                terms_given: _,
                terms_received,
            } => self.on_reestablish(ctx, epoch, own_nonce, received_nonce, terms_received),
            Message::Update(update) => self.on_update(ctx, update),
            Message::Ack { epoch, ack } => self.on_ack(epoch, ack),
            Message::Terms { epoch, version, asset, terms } => {
                self.on_terms(epoch, version, asset, terms)
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
            Message::RequestState { epoch } => Ok(self.on_request_state(epoch)),
            Message::State { epoch, own, yours } => self.on_state(epoch, own, yours),
            Message::InsureRequest { asset } => {
                Ok(vec![Effect::Event(crate::Event::InsureRequested { asset })])
            },
            Message::Delivered { id } => Ok(vec![Effect::Event(crate::Event::Delivered { id })]),
            Message::Fault { text } => {
                let text = String::from_utf8_lossy(&text).into_owned();
                Ok(vec![Effect::Event(crate::Event::PartnerComplains { text })])
            },
            Message::Fulfill { .. } | Message::Fail { .. } => Err(Fault::LocksUnavailable),
        }
    }

    /// Whether updates may be made now.
    pub(crate) fn check_open(&self) -> Result<(), Refusal> {
        if self.state.data_lost {
            return Err(Refusal::DataLost);
        }
        if let Some(reason) = self.state.freeze {
            return Err(Refusal::Frozen(reason));
        }
        if self.close_requested {
            return Err(Refusal::Closing);
        }
        Ok(())
    }

    /// The finalized moment up to which this channel knows the chain.
    pub fn known_at(&self) -> Moment {
        self.state.facts.at
    }
}
