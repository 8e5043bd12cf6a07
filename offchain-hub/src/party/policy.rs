//! In what hub and user differ: the engine is the same.

use crate::rebalance::AssetRules;
use failsafe_channel::AssetTerms;
use failsafe_primitives::{fees::HubFees, AccountId, AssetId, Balance, Rate};
use std::collections::BTreeMap;

/// What a party is in its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Takes strangers, forwards, rebalances.
    Hub,
    /// Has channels with hubs of its choice.
    User,
}

/// How a hub rebalances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebalancePolicy {
    /// Pause between two rounds; `None`: only when asked to.
    pub every_ms: Option<u64>,
    /// How long a round waits for withdrawal proofs.
    pub proof_timeout_ms: u64,
    /// How long a spender may owe a proof before it is disputed; `None`: never.
    pub absent_grace_ms: Option<u64>,
    /// Whether a batch skips what fails instead of undoing all of it.
    pub skip_failed: bool,
    /// Rules per asset.
    pub rules: BTreeMap<AssetId, AssetRules>,
}

/// How a party signs and checks what comes and goes at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signing {
    /// Each message has a signature of its own, and is checked by itself.
    Single,
    /// One signature is for many messages (`protocol.md` §3, `InBatch`), and many are checked at once.
    #[default]
    Together,
}

impl Signing {
    /// Messages from which on one signature is for all of them.
    pub(super) fn least(self) -> usize {
        match self {
            Self::Single => usize::MAX,
            Self::Together => 2,
        }
    }
}

/// How a party behaves.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Hub or user.
    pub role: Role,
    /// Terms for a partner that has none of its own: what it may owe us, per asset.
    pub terms: BTreeMap<AssetId, AssetTerms>,
    /// Terms for particular partners.
    pub partners: BTreeMap<AccountId, BTreeMap<AssetId, AssetTerms>>,
    /// What a hub asks for forwarding.
    pub fees: HubFees,
    /// How long an acknowledgement may wait for an own update to carry it.
    pub ack_delay_ms: u64,
    /// Whether payments go without a signature where the partner's terms allow it.
    pub pay_unsigned: bool,
    /// How long a payment without a signature may wait for one to cover it.
    pub sign_delay_ms: u64,
    /// How old the newest best block may be before nothing is forwarded.
    pub stale_after_ms: u64,
    /// How a hub rebalances.
    pub rebalance: RebalancePolicy,
    /// Most partners.
    pub max_partners: usize,
    /// Smallest payment that a hub forwards or remembers, per asset.
    pub min_payments: BTreeMap<AssetId, Balance>,
    /// At what rates a hub changes money.
    pub rates: Vec<Rate>,
    /// What a user pays for insurance at least; no such requests are taken in other assets.
    pub insurance_fees: BTreeMap<AssetId, Balance>,
    /// The most that a hub may owe without insurance, over all channels, per asset: nothing is
    /// forwarded that would raise it above (`protocol.md` §8, total risk).
    pub risk_caps: BTreeMap<AssetId, Balance>,
    /// Messages that a peer may send in a second, one of them for every 4 KiB; 0: as many as it
    /// likes. Who sends more is read more slowly.
    pub peer_messages_per_second: u32,
    /// Payments that are over and still kept in memory; older ones are read from the store when
    /// somebody asks for them.
    pub payments_in_memory: usize,
    /// Most entries on the pages of channels that have changed lately, those that are out of date
    /// included; when there are more, those that have rested the longest get a record each.
    pub channels_on_pages: usize,
    /// How it signs and checks.
    pub signing: Signing,
}

/// [`Policy::payments_in_memory`] of programs: some 3 MB. With more, a busy hub waits for memory
/// when it looks at old ones again.
pub const PAYMENTS_IN_MEMORY: usize = 10_000;
/// [`Policy::channels_on_pages`] of programs: about a hundred megabytes, which are read at every
/// start. Where more than a third as many channels take turns, each is written twice.
pub const CHANNELS_ON_PAGES: usize = 1 << 17;

impl Policy {
    /// The policy of an account that only makes on-chain payments.
    pub fn payer() -> Self {
        Self {
            role: Role::User,
            terms: BTreeMap::new(),
            partners: BTreeMap::new(),
            fees: HubFees::default(),
            ack_delay_ms: 0,
            pay_unsigned: false,
            sign_delay_ms: 0,
            stale_after_ms: 0,
            rebalance: RebalancePolicy::default(),
            max_partners: 0,
            min_payments: BTreeMap::new(),
            rates: vec![],
            insurance_fees: BTreeMap::new(),
            risk_caps: BTreeMap::new(),
            peer_messages_per_second: 0,
            payments_in_memory: PAYMENTS_IN_MEMORY,
            channels_on_pages: CHANNELS_ON_PAGES,
            signing: Signing::default(),
        }
    }

    /// What a lock must have in `takes` for `given` of `gives` to be paid on, our fee included.
    pub fn price(&self, takes: AssetId, gives: AssetId, given: Balance) -> Option<Balance> {
        let total = self.fees.total(given)?;
        if takes == gives {
            return Some(total);
        }
        let rate = self.rates.iter().find(|rate| (rate.takes, rate.gives) == (takes, gives))?;
        rate.cost(total)
    }

    /// Smallest payment in `asset` that is forwarded or remembered.
    pub fn min_payment(&self, asset: AssetId) -> Balance {
        self.min_payments.get(&asset).copied().unwrap_or_default()
    }

    /// Whether a partner without a channel may have one.
    pub fn accepts(&self, partner: &AccountId) -> bool {
        self.role == Role::Hub || self.partners.contains_key(partner)
    }

    /// The terms to state to `partner` when nothing was decided for it.
    pub fn terms_for(&self, partner: &AccountId) -> BTreeMap<AssetId, AssetTerms> {
        self.partners.get(partner).unwrap_or(&self.terms).clone()
    }
}
