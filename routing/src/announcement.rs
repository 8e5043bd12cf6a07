//! What a hub tells others about how much it can pay to its neighbours (`routing.md`,
//! "Announcements").

use codec::{Compact, Decode, DecodeAll, Encode, MaxEncodedLen};
use failsafe_primitives::{signature, AccountId, AssetId, Balance, Clock, Rate};
use sp_core::{ConstU32, H256};
use sp_crypto_hashing::blake2_256;
use sp_runtime::{BoundedVec, MultiSignature};

/// Domain tag of an [`Announcement`].
pub const ANNOUNCEMENT_TAG: &str = "failsafe/announcement/2";

/// Most hints in one announcement.
pub const MAX_HINTS: u32 = 256;

/// Most rates in one announcement.
pub const MAX_RATES: u32 = 32;

/// The rates of an announcement, ascending by the asset taken and the asset given.
pub type Rates = BoundedVec<Rate, ConstU32<MAX_RATES>>;

/// The hints of an announcement, ascending by neighbour and asset.
pub type Hints = BoundedVec<Hint, ConstU32<MAX_HINTS>>;

/// How much the announcing hub can pay to one neighbour in one asset.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Hint {
    /// The neighbour, another hub.
    pub neighbour: AccountId,
    /// The asset.
    pub asset: AssetId,
    /// Most that can be paid, in the asset's smallest unit. `None`: there is a channel, and the hub
    /// does not say how much it can pay.
    pub capacity: Option<Balance>,
}

impl Hint {
    /// By which hints are ordered.
    fn key(&self) -> (&AccountId, AssetId) {
        (&self.neighbour, self.asset)
    }
}

/// All that a hub says about its neighbours; a newer one replaces an older one as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct Announcement {
    /// The hub that announces.
    pub hub: AccountId,
    /// Usable clock (`protocol.md` §7) at which it was made: the greater one is the newer one.
    pub at: Clock,
    /// The hints, strictly ascending by neighbour and asset.
    pub hints: Hints,
    /// At which rates the hub changes money, strictly ascending by the asset taken and the asset
    /// given.
    pub rates: Rates,
}

impl Announcement {
    /// An announcement of `hints` and `rates`, which are put in order here.
    ///
    /// # Errors
    /// [`TooManyHints`](AnnouncementError::TooManyHints), [`Order`](AnnouncementError::Order) for
    /// the same neighbour and asset twice, [`OwnAccount`](AnnouncementError::OwnAccount),
    /// [`Rates`](AnnouncementError::Rates).
    pub fn new(
        hub: AccountId,
        at: Clock,
        mut hints: Vec<Hint>,
        mut rates: Vec<Rate>,
    ) -> Result<Self, AnnouncementError> {
        hints.sort_by(|a, b| a.key().cmp(&b.key()));
        rates.sort_by_key(assets);
        let hints = Hints::try_from(hints).map_err(|_| AnnouncementError::TooManyHints)?;
        let rates = Rates::try_from(rates).map_err(|_| AnnouncementError::Rates)?;
        let announcement = Self { hub, at, hints, rates };
        announcement.check_form()?;
        Ok(announcement)
    }

    /// The 32 bytes that the hub signs, in the manner of `protocol.md` §3:
    /// `blake2_256(SCALE((tag, genesis_hash, hub, at, hints, rates)))`.
    pub fn message(&self, genesis_hash: &H256) -> [u8; 32] {
        let Self { hub, at, hints, rates } = self;
        blake2_256(&(ANNOUNCEMENT_TAG, genesis_hash, hub, at, hints, rates).encode())
    }

    /// Order of hints and rates, that no hint names the hub itself, and that rates can be reckoned
    /// with.
    fn check_form(&self) -> Result<(), AnnouncementError> {
        if self.hints.windows(2).any(|two| two[0].key() >= two[1].key()) {
            return Err(AnnouncementError::Order);
        }
        if self.hints.iter().any(|hint| hint.neighbour == self.hub) {
            return Err(AnnouncementError::OwnAccount);
        }
        let ordered = self.rates.windows(2).all(|two| assets(&two[0]) < assets(&two[1]));
        if !ordered || !self.rates.iter().all(Rate::is_valid) {
            return Err(AnnouncementError::Rates);
        }
        Ok(())
    }
}

/// By which rates are ordered.
fn assets(rate: &Rate) -> (AssetId, AssetId) {
    (rate.takes, rate.gives)
}

/// An announcement with the signature of the hub's account: what travels.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen)]
pub struct SignedAnnouncement {
    /// What is announced.
    pub announcement: Announcement,
    /// Signature of the hub's account key over [`Announcement::message`]: sr25519, ed25519 or
    /// ecdsa.
    pub signature: MultiSignature,
}

impl SignedAnnouncement {
    /// Decodes what came from outside. Only these bytes and no others: nothing may follow.
    ///
    /// # Errors
    /// [`TooManyHints`](AnnouncementError::TooManyHints) when that is what the length says, else
    /// [`Malformed`](AnnouncementError::Malformed).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AnnouncementError> {
        let malformed = |_| AnnouncementError::Malformed;
        let mut start = bytes;
        let (_, _, Compact(hints)) =
            <(AccountId, Clock, Compact<u32>)>::decode(&mut start).map_err(malformed)?;
        if hints > MAX_HINTS {
            return Err(AnnouncementError::TooManyHints);
        }
        Self::decode_all(&mut &bytes[..]).map_err(malformed)
    }

    /// Form and signature; whether the hub is registered and how new this is, the
    /// [`Graph`](crate::Graph) knows.
    pub(crate) fn check(&self, genesis_hash: &H256) -> Result<(), AnnouncementError> {
        self.announcement.check_form()?;
        let message = self.announcement.message(genesis_hash);
        if signature::verify(&self.signature, &message, &self.announcement.hub) {
            Ok(())
        } else {
            Err(AnnouncementError::BadSignature)
        }
    }
}

/// Why an announcement is refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementError {
    /// The bytes are no announcement.
    #[error("these bytes are no announcement")]
    Malformed,
    /// More than [`MAX_HINTS`].
    #[error("an announcement has at most {MAX_HINTS} hints")]
    TooManyHints,
    /// The hints are not strictly ascending by neighbour and asset.
    #[error("the hints are not strictly ascending by neighbour and asset")]
    Order,
    /// A hint names the announcing hub itself.
    #[error("a hub has no channel with itself")]
    OwnAccount,
    /// Too many rates, out of order, or one that cannot be reckoned with.
    #[error(
        "at most {MAX_RATES} rates of two assets each, strictly ascending, with amounts above 0"
    )]
    Rates,
    /// The hub is not in the registry.
    #[error("the hub is not registered")]
    UnknownHub,
    /// An announcement at least as new is known.
    #[error("an announcement of clock {known} is known")]
    NotNewer {
        /// Clock of the known one.
        known: Clock,
    },
    /// Made later than a clock can be by now.
    #[error("made in the future: at most clock {latest} is possible")]
    TooFarAhead {
        /// Latest clock that is taken now.
        latest: Clock,
    },
    /// Not signed by the hub's account for this chain.
    #[error("not signed by the hub for this chain")]
    BadSignature,
}
