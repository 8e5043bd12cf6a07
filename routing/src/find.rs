//! One route for one payment, and why there is none.

use crate::{
    graph::Graph,
    query::{NoRoute, Query, Route},
    reliability::Reliability,
    search::{Bounds, Found, Missed, Search, Smallest},
};
use failsafe_primitives::{Balance, Clock, LIMIT};

/// The best route: the one with the smallest sum of fees and price of risk. Ties go to the route
/// with fewer hubs, then the smaller fee, then the earlier first expiry, then the smaller account of
/// its first hub; what is then still equal is decided by the accounts of the graph only. The same
/// arguments always give the same route.
///
/// Amounts and expiries are computed from the recipient back to the payer. Every hub gets what it
/// pays on plus its fee for exactly that, as it computes it itself (`protocol.md` §8), and its
/// incoming lock expires [`Query::margin`] and its own margin later than its outgoing one.
///
/// # Errors
/// [`NoRoute`] says which limit is in the way. To find out, up to six more searches are made.
///
/// # Limits
/// A hub keeps at most 64 ways that are better than each other in some respect, a search 400,000 in
/// all. Within that the result is the best one that there is. Beyond it, it still keeps every limit
/// but may not be the best one, or none is found ([`NoRoute::GivenUp`]). Without a price of risk and
/// own margins a hub has at most as many ways as a route may have hubs.
pub fn find(graph: &Graph, reliability: &Reliability, query: &Query) -> Result<Route, NoRoute> {
    check_amount(query.amount)?;
    let search = Search::new(graph, reliability, query);
    let bounds = Bounds::of(query);
    match search.run(query.amount, &bounds) {
        Ok(found) => Ok(found.route),
        Err(missed) => Err(why(&search, query.amount, &bounds, missed)),
    }
}

/// Refuses what no lock can carry.
pub(crate) fn check_amount(amount: Balance) -> Result<(), NoRoute> {
    if amount == 0 || amount > LIMIT {
        return Err(NoRoute::Amount);
    }
    Ok(())
}

/// What is in the way of `amount`, given that a search within `bounds` has `missed`: limits are
/// loosened one after the other until there is a route.
pub(crate) fn why(
    search: &Search<'_>,
    amount: Balance,
    bounds: &Bounds,
    missed: Missed,
) -> NoRoute {
    if missed.given_up {
        return NoRoute::GivenUp;
    }
    match reason(search, amount, *bounds) {
        Ok(reason) => reason,
        Err(GivenUp) => NoRoute::GivenUp,
    }
}

/// A search that was not complete says nothing about what there is.
struct GivenUp;

fn reason(search: &Search<'_>, amount: Balance, mut bounds: Bounds) -> Result<NoRoute, GivenUp> {
    // The cheapest *fee* is asked for, and risk alone makes no route impossible.
    bounds.risk_ppm = 0;
    let without_limits = Bounds {
        max_fee: Balance::MAX,
        max_hops: u32::MAX,
        max_expiry: Clock::MAX,
        avoid: false,
        capacity: false,
        smallest: Smallest::Any,
        ..bounds
    };
    // First, because it is quick and without connection all other questions are idle.
    match search.run(amount, &without_limits) {
        Ok(_) => {},
        Err(Missed { given_up: true, .. }) => return Err(GivenUp),
        Err(Missed { too_large: true, .. }) => return Ok(NoRoute::Capacity),
        Err(Missed { .. }) => return Ok(NoRoute::NoEdge),
    }
    bounds.max_fee = Balance::MAX;
    if let Some(found) = complete(search, amount, &bounds)? {
        return Ok(NoRoute::FeeAboveMax { cheapest: found.route.fee });
    }
    bounds.avoid = false;
    if let Some(found) = complete(search, amount, &bounds)? {
        let retry_at = search.retry_at(&found.path).ok_or(GivenUp)?;
        return Ok(NoRoute::Avoided { retry_at });
    }
    (bounds.max_hops, bounds.smallest) = (u32::MAX, Smallest::Hops);
    if let Some(found) = complete(search, amount, &bounds)? {
        let fewest = u32::try_from(found.path.len()).map_err(|_| GivenUp)?;
        return Ok(NoRoute::TooManyHops { fewest });
    }
    (bounds.max_expiry, bounds.smallest) = (Clock::MAX, Smallest::Expiry);
    if let Some(found) = complete(search, amount, &bounds)? {
        let earliest = found.route.hops.first().map(|hop| hop.expiry_in).ok_or(GivenUp)?;
        return Ok(NoRoute::ExpiryTooFar { earliest });
    }
    Ok(NoRoute::Capacity)
}

fn complete(
    search: &Search<'_>,
    amount: Balance,
    bounds: &Bounds,
) -> Result<Option<Found>, GivenUp> {
    match search.run(amount, bounds) {
        Ok(found) => Ok(Some(found)),
        Err(Missed { given_up: true, .. }) => Err(GivenUp),
        Err(Missed { .. }) => Ok(None),
    }
}
