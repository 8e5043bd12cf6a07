//! One payment in several parts, when no single route carries it.

use crate::{
    find::{check_amount, why},
    graph::Graph,
    query::{NoRoute, Query, Route},
    reliability::Reliability,
    search::{Bounds, Found, Missed, Search},
};
use failsafe_primitives::Balance;

/// Parts into which a payment may be split, unless the caller says otherwise.
pub const DEFAULT_MAX_PARTS: u32 = 8;

/// How a payment may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Most parts, at least 1.
    pub max: u32,
    /// Smallest part, in the asset's smallest unit. A payment of less goes in one part. Every halving
    /// of the amount down to it may cost one search, so it should not be tiny.
    pub smallest: Balance,
}

/// Why a payment cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSplit {
    /// For `missing` of the amount there is no way any more, not even in the smallest part.
    #[error("{missing} of the amount find no way: {reason}")]
    NoRoute {
        /// What is left without a route.
        missing: Balance,
        /// What is in the way of the smallest part that was tried, besides the parts that have a
        /// route. The fee in it is compared with what these have left of the highest fee. Where
        /// these take the last link, that is [`NoRoute::Capacity`]: there was one.
        reason: NoRoute,
    },
    /// As many parts as are allowed are not enough.
    #[error("{missing} of the amount would need more parts")]
    TooManyParts {
        /// What is left without a route.
        missing: Balance,
    },
}

/// Routes for [`Query::amount`] in as few parts as the heuristic finds; a single one where that is
/// possible. The amounts of the parts sum up to exactly that amount, their fees to at most
/// [`Query::max_fee`], and no two of them share a link in the same direction (payer to hub, hub to
/// hub, hub to recipient), because a simplex holds no hash twice (`protocol.md` §4). All parts have
/// the same final expiry.
///
/// # The heuristic
/// The best route is taken for what is left; where there is none, for half of it, and so on down to
/// the smallest part. A route that was found only for less is then filled up to the most that it
/// carries. Its links are closed, and the rest is tried in the same way, never with an amount that
/// had no route before: fewer links and less money for fees make none.
///
/// # Errors
/// [`NoSplit`].
///
/// # Limits
/// * Greedy: no part is ever taken back. It can miss a split that exists, when an early part takes
///   an edge that a later one needs, spends the fees, or leaves less than the smallest part. The sum
///   of the fees is not always the smallest one.
/// * Edges of unknown capacity are taken to carry anything, so all of the payment may end in one part
///   over them. What an attempt shows must be told to [`Reliability`] or excluded by the caller.
/// * The two directions of an edge are two links; that a part over one makes room in the other is not
///   used. A payment goes in no more parts than payer or recipient have hubs.
/// * A base fee is paid once per part.
pub fn split(
    graph: &Graph,
    reliability: &Reliability,
    query: &Query,
    parts: Parts,
) -> Result<Vec<Route>, NoSplit> {
    check_amount(query.amount)
        .map_err(|reason| NoSplit::NoRoute { missing: query.amount, reason })?;
    let mut search = Search::new(graph, reliability, query);
    let mut bounds = Bounds::of(query);
    let mut routes = Vec::new();
    let mut left = query.amount;
    // Nothing above that has a route.
    let mut ceiling = query.amount;
    for _ in 0..parts.max {
        let found = next_part(&search, &bounds, left, &mut ceiling, parts.smallest)?;
        let overflow = NoSplit::NoRoute { missing: left, reason: NoRoute::Capacity };
        search.occupy(&found);
        bounds.max_fee = bounds.max_fee.checked_sub(found.route.fee).ok_or(overflow)?;
        left = left.checked_sub(found.route.amount).ok_or(overflow)?;
        routes.push(found.route);
        if left == 0 {
            return Ok(routes);
        }
    }
    Err(NoSplit::TooManyParts { missing: left })
}

/// A route for all that is `left`, or for as much as one carries.
fn next_part(
    search: &Search<'_>,
    bounds: &Bounds,
    left: Balance,
    ceiling: &mut Balance,
    smallest: Balance,
) -> Result<Found, NoSplit> {
    let mut wanted = left.min(*ceiling);
    // What was tried last, and how that failed.
    let mut tried = (left, Missed::default());
    while let Some(amount) = part(left, wanted, smallest) {
        match search.run(amount, bounds) {
            Ok(found) => return Ok(filled_up(search, bounds, found, left, *ceiling, smallest)),
            Err(missed) => tried = (amount, missed),
        }
        // A part is at least 1.
        *ceiling = amount - 1;
        wanted = if amount > smallest { (amount / 2).max(smallest) } else { 0 };
    }
    let reason = why(search, tried.0, bounds, tried.1);
    Err(NoSplit::NoRoute { missing: left, reason })
}

/// The largest part of at most `wanted` that leaves nothing of `left`, or enough for another part.
fn part(left: Balance, wanted: Balance, smallest: Balance) -> Option<Balance> {
    if wanted >= left {
        return Some(left);
    }
    let amount = wanted.min(left.checked_sub(smallest)?);
    (amount >= smallest.max(1)).then_some(amount)
}

/// The route of `found` with the most that it carries, up to `ceiling` and what is `left`.
fn filled_up(
    search: &Search<'_>,
    bounds: &Bounds,
    found: Found,
    left: Balance,
    ceiling: Balance,
    smallest: Balance,
) -> Found {
    let (mut low, mut high) = (found.route.amount, left.min(ceiling));
    while low < high {
        // Above `low`, because the half is rounded down.
        let middle = high - (high - low) / 2;
        if search.along(&found.path, middle, bounds).is_some() {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let fullest = part(left, low, smallest).and_then(|a| search.along(&found.path, a, bounds));
    fullest.unwrap_or(found)
}
