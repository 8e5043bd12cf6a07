//! What is asked for, and the answers.

use failsafe_primitives::{AccountId, AssetId, Balance, Clock};
use std::collections::{BTreeMap, BTreeSet};

/// Most hubs in a route, whatever a query asks for.
pub const MAX_HOPS: u32 = 10;

/// A payment that looks for its way. Amounts are in the asset's smallest unit, times in usable
/// blocks (`protocol.md` §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The payer's hubs, each with how much the payer can send to it: the sending capacity of
    /// `protocol.md` §2.
    pub from_hubs: BTreeMap<AccountId, Balance>,
    /// The hubs that can pay the recipient, each with how much, where that is known.
    pub to_hubs: BTreeMap<AccountId, Option<Balance>>,
    /// The asset.
    pub asset: AssetId,
    /// What must arrive, 1 to [`LIMIT`](failsafe_primitives::LIMIT). Fees come on top
    /// (`protocol.md` §8).
    pub amount: Balance,
    /// Most that all hubs may ask for together.
    pub max_fee: Balance,
    /// Price of risk: parts per million of a hop's outgoing amount that a hub or edge with a
    /// [score](crate::Reliability::score) of one whole counts as more expensive. 0: only fees count.
    pub risk_ppm: u32,
    /// The own clock: which announcements are fresh, and what is avoided.
    pub now: Clock,
    /// Expiry of the last lock, of the last hub to the recipient.
    pub final_expiry: Clock,
    /// Latest expiry of the first lock, of the payer to its hub.
    pub max_expiry: Clock,
    /// How much later than its outgoing lock every hub's incoming lock must expire; a hub's
    /// [own margin](crate::Hub::margin) comes on top.
    pub margin: Clock,
    /// Most hubs in the route, at most [`MAX_HOPS`].
    pub max_hops: u32,
    /// Hubs that must not be used, among them payer and recipient when they are hubs.
    pub excluded_hubs: BTreeSet<AccountId>,
    /// Directed edges (from, to) that must not be used.
    pub excluded_edges: BTreeSet<(AccountId, AccountId)>,
}

/// One hub of a [`Route`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The hub's account.
    pub hub: AccountId,
    /// Its X25519 transport key.
    pub transport_key: [u8; 32],
    /// What it gets.
    pub amount_in: Balance,
    /// What it pays on, to the next hop's hub or, at the last hop, to the recipient.
    pub amount_out: Balance,
    /// Expiry of the lock that it gets.
    pub expiry_in: Clock,
    /// Expiry of the lock that it gives.
    pub expiry_out: Clock,
    /// What it keeps: exactly `fees.fee(amount_out)`.
    pub fee: Balance,
}

/// A way from payer to recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The hubs in the order of payment, at least one.
    pub hops: Vec<Hop>,
    /// The asset.
    pub asset: AssetId,
    /// What arrives.
    pub amount: Balance,
    /// What the payer sends to the first hub: `amount + fee`.
    pub total: Balance,
    /// All fees.
    pub fee: Balance,
    /// `total` and the price of the risk: what the search has made as small as possible.
    pub cost: Balance,
}

/// Why there is no route.
///
/// When several limits stand in the way, the one is named without which, after those before it in
/// this order, there would be a route: fee, avoided, hops, expiry, capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// The amount is 0 or above [`LIMIT`](failsafe_primitives::LIMIT).
    #[error("the amount must be more than 0 and within the protocol's limit")]
    Amount,
    /// There is a route, for more than [`Query::max_fee`].
    #[error("the cheapest route costs a fee of {cheapest}")]
    FeeAboveMax {
        /// Smallest fee of a route that keeps all other limits.
        cheapest: Balance,
    },
    /// There are only routes over what has answered badly lately.
    #[error("every route has a hub or edge that is avoided; try again at clock {retry_at}")]
    Avoided {
        /// Clock at which the cheapest such route may be tried again.
        retry_at: Clock,
    },
    /// There are only longer routes.
    #[error("the shortest route has {fewest} hubs")]
    TooManyHops {
        /// Hubs of the shortest route.
        fewest: u32,
    },
    /// There are only routes whose first lock would expire after [`Query::max_expiry`].
    #[error("the first lock would have to expire at {earliest} or later")]
    ExpiryTooFar {
        /// Smallest possible expiry of the first lock.
        earliest: Clock,
    },
    /// Payer and recipient are connected, but nowhere for this much; or it is so much that a fee on
    /// the way overflows or a lock would pass the limit.
    #[error("no route carries this much")]
    Capacity,
    /// Nothing connects payer and recipient, without what is excluded.
    #[error("no edges lead to the recipient")]
    NoEdge,
    /// The search was given up before it was complete; see the limits of
    /// [`find`](fn@crate::find).
    #[error("the search was given up: too many ways")]
    GivenUp,
}
