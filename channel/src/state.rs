//! What a party keeps of a channel.

use crate::{
    chain::{PairFacts, Watch},
    error::Fault,
    freeze::Freezes,
    late::LateClaim,
    lock::{Answers, Dying},
    message::{RefusalReason, Update},
    seal::Desk,
    session::Session,
    terms::{Given, Received},
    Moment,
};
use codec::{Decode, Encode};
use failsafe_primitives::{
    simplex::MaxAssets, view::ChannelView, AccountId, AssetId, Balance, BlockNumber,
    ChannelContext, Clock, Entry, Epoch, Nonce, Pair, PairError, Side, Signature, SignedSimplex,
    Simplex, SimplexError, TwiceSigned, Withdrawal,
};
use sp_core::H256;
use sp_runtime::{BoundedVec, MultiSignature};
use std::collections::{BTreeMap, VecDeque};

/// Version of the stored form.
pub const STATE_VERSION: u8 = 5;
/// The one before, which always had all of the outbox.
const WHOLE_VERSION: u8 = 4;

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
    /// Its maker's signature; none for nonce 0, and while the newest payments are unsigned.
    pub signature: Option<Signature>,
    /// While they are: the newest signed simplex, if there is one.
    pub covered: Option<SignedSimplex>,
    /// Finalized block by which the newest update was judged.
    pub as_of: BlockNumber,
    /// What its maker has reserved.
    pub reservation: Option<Reservation>,
    /// Lowest id that a new lock may have: none is used twice (M19).
    pub next_lock: u64,
}

impl Half {
    /// Nonce of the newest simplex.
    pub fn nonce(&self) -> Nonce {
        self.simplex.nonce
    }

    /// The entry of `asset`, an empty one if there is none yet.
    pub(crate) fn entry_mut(&mut self, asset: AssetId) -> Result<&mut Entry, Fault> {
        let entries = &mut self.simplex.entries;
        let i = match entries.binary_search_by_key(&asset, |entry| entry.asset) {
            Ok(i) => i,
            Err(i) => {
                let full = Fault::Simplex(SimplexError::AssetOrder);
                entries.try_insert(i, Entry::sent(asset, 0)).map_err(|_| full)?;
                i
            },
        };
        entries.get_mut(i).ok_or(Fault::Overflow)
    }
}

/// An own simplex that the partner has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Acked {
    /// The simplex.
    pub simplex: Simplex,
    /// Our signature over it.
    pub signature: Signature,
    /// The partner's signature over the acknowledgement.
    pub ack: Signature,
}

impl Acked {
    /// With both signatures, for the partner or a watchtower. `from` is our side.
    pub fn twice_signed(&self, from: Side) -> TwiceSigned {
        let Self { simplex, signature, ack } = self.clone();
        TwiceSigned { from, simplex, signature, ack }
    }
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
/// (M9).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Decision {
    /// We signed.
    #[codec(index = 0)]
    Proof(Nonce, Withdrawal, MultiSignature),
    /// We refused.
    #[codec(index = 1)]
    Refused(Nonce, RefusalReason),
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
    /// Newest finalized facts. Of old epochs only those of [`Self::late`].
    pub facts: PairFacts,
    /// Why no updates are made or taken.
    pub freezes: Freezes,
    /// The partner has proved that it knows a newer simplex of ours than we did (A17).
    pub data_lost: bool,
    /// Up to this nonce of the partner we have forgotten what it reserved: our copy was repaired.
    pub forgotten: Nonce,
    /// What we have said about the partner's pending locks.
    pub answers: Answers,
    /// What the partner has said about our pending locks.
    pub said: Answers,
    /// Own locks that were cancelled, until the partner has acknowledged that.
    pub dying: Vec<Dying>,
    /// What earlier epochs did not count of the partner's payments.
    pub late: Vec<LateClaim>,
    /// What the partner paid without a signature in earlier epochs and never covered.
    pub unsigned_lost: BTreeMap<AssetId, Balance>,
}

/// One channel of one party: the state that survives, and the session that does not.
#[derive(Clone, Debug)]
pub struct Channel {
    /// What must survive a crash.
    pub(crate) state: State,
    /// What belongs to the connection with the partner.
    pub(crate) session: Session,
    /// What was brought to the chain since the start of the process.
    pub(crate) watch: Watch,
    /// What is signed later, and what was checked before.
    pub(crate) desk: Desk,
}

impl Channel {
    /// The channel of `me` and `partner` as the chain knows it, with nothing paid off chain; frozen
    /// if it is in dispute.
    pub fn new(
        genesis_hash: H256,
        me: &AccountId,
        partner: &AccountId,
        facts: PairFacts,
    ) -> Result<Self, PairError> {
        let pair = Pair::new(me.clone(), partner.clone())?;
        let side = pair.side_of(me).ok_or(PairError)?;
        let epoch = facts.view.epoch;
        let mut freezes = Freezes::default();
        if facts.view.dispute.is_some() {
            freezes.see(epoch, facts.at.block);
        }
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
            facts: facts.without_old_epochs(&[]),
            freezes,
            data_lost: false,
            forgotten: 0,
            answers: Answers::new(),
            said: Answers::new(),
            dying: vec![],
            late: vec![],
            unsigned_lost: BTreeMap::new(),
        };
        Ok(Self::from_state(state))
    }

    /// A channel after a restart.
    pub fn from_state(state: State) -> Self {
        let (session, watch, desk) = (Session::default(), Watch::default(), Desk::default());
        Self { state, session, watch, desk }
    }

    /// The stored form, with all that it needs.
    pub fn encode_state(&self) -> Vec<u8> {
        (STATE_VERSION, 0u32, &self.state).encode()
    }

    /// The stored form without the outbox, which is stored apart: what is in there does not change
    /// any more once it was stored, and there may be [much](crate::update::MAX_UNACKED) of it. The
    /// state says how many of its newest updates are needed with it.
    pub fn encode_lean(&mut self) -> Vec<u8> {
        let outbox = std::mem::take(&mut self.state.outbox);
        // At most MAX_UNACKED.
        let apart = u32::try_from(outbox.len()).unwrap_or(u32::MAX);
        let bytes = (STATE_VERSION, apart, &self.state).encode();
        self.state.outbox = outbox;
        bytes
    }

    /// Reads the stored form of a channel that has nothing stored apart; says what is wrong with
    /// it.
    pub fn decode_state(bytes: &[u8]) -> Result<Self, String> {
        Self::decode_lean(bytes, |_, _| None)
    }

    /// Reads the stored form; says what is wrong with it. `sent` finds what is stored apart, by
    /// epoch and nonce.
    pub fn decode_lean(
        bytes: &[u8],
        mut sent: impl FnMut(Epoch, Nonce) -> Option<Sent>,
    ) -> Result<Self, String> {
        let (mut channel, apart) = Self::read(bytes)?;
        let State { context, mine, outbox, .. } = &mut channel.state;
        let newest = mine.nonce();
        let damaged = "a damaged channel record: its outbox";
        for last in newest.checked_sub(apart).ok_or(damaged)?..newest {
            let nonce = last.checked_add(1).ok_or(damaged)?;
            let sent = sent(context.epoch, nonce).filter(|sent| sent.simplex.nonce == nonce);
            outbox.push_back(sent.ok_or_else(|| format!("update {nonce} of ours is missing"))?);
        }
        Ok(channel)
    }

    /// Reads the stored form without what is stored apart: to look at, not to go on with.
    pub fn peek_state(bytes: &[u8]) -> Result<Self, String> {
        Self::read(bytes).map(|(channel, _)| channel)
    }

    /// A channel, and how many of its newest updates are stored apart.
    fn read(bytes: &[u8]) -> Result<(Self, Nonce), String> {
        let input = &mut &bytes[..];
        let damaged = |e: codec::Error| format!("a damaged channel record: {e}");
        let apart = match u8::decode(input) {
            Ok(STATE_VERSION) => u32::decode(input).map_err(damaged)?,
            Ok(WHOLE_VERSION) => 0,
            Ok(version) => {
                let advice = if version > STATE_VERSION { "newer" } else { "older" };
                return Err(format!(
                    "the channel was stored by version {version}, this program knows \
                     {STATE_VERSION}: use the {advice} program"
                ));
            },
            Err(_) => return Err("an empty channel record".into()),
        };
        let state = State::decode(input).map_err(damaged)?;
        if !input.is_empty() {
            return Err("a damaged channel record: it is too long".into());
        }
        if apart > 0 && !state.outbox.is_empty() {
            return Err("a damaged channel record: its outbox is there twice".into());
        }
        Ok((Self::from_state(state), apart.into()))
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

    /// Whether something waits for a later block: then the host calls [`Channel::on_block`] with
    /// every new one.
    pub fn waits_for_blocks(&self) -> bool {
        !self.session.held.is_empty()
            || self.state.mine.reservation.is_some()
            || self.state.freezes != Freezes::default()
            || self.state.facts.view.dispute.is_some()
            || !self.state.late.is_empty()
            || self.state.mine.simplex.has_locks()
            || !self.state.dying.is_empty()
    }

    /// Whether nothing is under way: the partner is away, and everything was acknowledged, is open
    /// and is settled. The stored form says all about it.
    pub fn is_idle(&self) -> bool {
        let State { outbox, answers, said, data_lost, .. } = &self.state;
        let settled = outbox.is_empty() && answers.is_empty() && said.is_empty() && !data_lost;
        settled && !self.session.live && !self.waits_for_blocks() && self.watch == Watch::default()
    }

    /// Whether the chain's view of the pair is the one that is known.
    pub fn knows(&self, facts: &PairFacts) -> bool {
        let known = &self.state.facts;
        let old_epochs = facts.view.old_epochs.iter();
        // Old epochs are kept only as long as something is claimed for them.
        let news = old_epochs.filter(|old| !known.view.old_epochs.contains(old));
        let same = ChannelView { old_epochs: vec![], ..facts.view.clone() }
            == ChannelView { old_epochs: vec![], ..known.view.clone() };
        same && known.owed_to_me == facts.owed_to_me && news.count() == 0
    }

    /// The finalized moment up to which this channel knows the chain.
    pub fn known_at(&self) -> Moment {
        self.state.facts.at
    }
}
