//! What of a packet helps in a dispute: by the same functions that the chain judges with.

use failsafe_hub::watchtower::WatchPacket;
use failsafe_primitives::{
    evidence::{latest_expiry_in_counter, Brought, Presented, Standing},
    view::DisputeView,
    Clock, Side, TwiceSigned,
};

/// The simplexes of `packet` that change what `dispute` stores, for the client on `side`.
///
/// The partner's always: it is what the client is owed. The client's own only in a dispute that it did
/// not open. As the responder it brings all that it has, because an older one of its own may still
/// hold a lock that was cancelled since. As the starter it has spoken; a newer one of its own would
/// cost it the deposit (M17).
pub fn brings(
    packet: &WatchPacket,
    side: Side,
    dispute: &DisputeView,
    lock_window: Clock,
) -> Vec<TwiceSigned> {
    if dispute.settled {
        return vec![];
    }
    let latest = latest_expiry_in_counter(dispute.start, lock_window);
    let helps = |signed: &&TwiceSigned| {
        // One that the chain does not take would take the other with it.
        if signed.simplex.highest_expiry().is_some_and(|expiry| expiry > latest) {
            return false;
        }
        let new = Presented { simplex: signed.simplex.clone(), standing: Standing::Final };
        let mut stored = dispute.presented[signed.from.index()].clone();
        new.bring(&mut stored) != Brought::Skipped
    };
    let ours = packet.ours.iter().filter(|_| dispute.starter != Some(side));
    packet.theirs.iter().chain(ours).filter(helps).cloned().collect()
}
