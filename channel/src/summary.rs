//! The channel for people: who owns what, what is signed.

use crate::{freeze::FreezeReason, state::Channel};
use failsafe_primitives::{AssetId, Balance, Epoch, Nonce, Side, Simplex};
use std::collections::BTreeSet;

/// One asset of a channel, from both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetSummary {
    /// The asset.
    pub asset: AssetId,
    /// Collateral locked for the pair.
    pub insurance: Balance,
    /// On-chain part of delta.
    pub ondelta: i128,
    /// Off-chain part: what right has sent minus what left has sent.
    pub offdelta: i128,
    /// Our part of the collateral.
    pub own_insured: Balance,
    /// What the partner owes us beyond the collateral.
    pub own_uninsured: Balance,
    /// The partner's part of the collateral.
    pub partner_insured: Balance,
    /// What we owe the partner beyond the collateral.
    pub partner_uninsured: Balance,
    /// What we have locked, not paid yet.
    pub own_locked: Balance,
    /// What the partner has locked, not paid yet.
    pub partner_locked: Balance,
    /// What we can send.
    pub can_send: Balance,
    /// What the partner can send us.
    pub can_receive: Balance,
    /// How much we let the partner owe us.
    pub credit_given: Balance,
    /// How much the partner lets us owe.
    pub credit_received: Balance,
    /// From which uninsured balance on the partner wants insurance.
    pub partner_insure_above: Option<Balance>,
    /// What we have paid and not signed yet.
    pub own_unsigned: Balance,
    /// What the partner has paid and not signed yet: a dispute would not count it.
    pub partner_unsigned: Balance,
    /// How much the partner may have paid without a signature.
    pub unsigned_given: Balance,
    /// How much we may have paid without a signature.
    pub unsigned_received: Balance,
    /// What the partner left without a signature in earlier epochs, and we have lost.
    pub unsigned_lost: Balance,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Our side.
    pub side: Side,
    /// The epoch.
    pub epoch: Epoch,
    /// Nonce of our newest simplex.
    pub own_nonce: Nonce,
    /// The newest of them that the partner has acknowledged.
    pub own_acked: Nonce,
    /// Nonce of the partner's newest simplex.
    pub partner_nonce: Nonce,
    /// Why there are no updates.
    pub frozen: Option<FreezeReason>,
    /// Whether we have lost data.
    pub data_lost: bool,
    /// Whether the partner is connected and in step.
    pub connected: bool,
    /// Whether the partner claims to know more than we do, without proof yet.
    pub paused: bool,
    /// Earlier epochs of which something of the partner's payments is still to be claimed.
    pub late: Vec<Epoch>,
    /// Every asset that has collateral, payments or terms.
    pub assets: Vec<AssetSummary>,
}

fn locked(simplex: &Simplex, asset: AssetId) -> Balance {
    // Simplexes that were taken are within the limits.
    simplex.entry(asset).map_or(0, |entry| entry.locked().unwrap_or_default())
}

impl Channel {
    /// Every asset that has collateral, payments or terms.
    pub fn assets(&self) -> BTreeSet<AssetId> {
        let state = &self.state;
        let rows = state.facts.view.collateral.iter().map(|(asset, _)| *asset);
        let halves = [&state.mine, &state.theirs];
        let paid = halves.into_iter().flat_map(|half| half.simplex.entries.iter());
        let terms = state.received.terms.keys().copied();
        rows.chain(paid.map(|entry| entry.asset)).chain(terms).collect()
    }

    /// One asset of the channel.
    pub fn asset_summary(&self, asset: AssetId) -> AssetSummary {
        let row = self.state.facts.collateral(asset);
        let (left, right) = self.sent_by_sides(asset);
        let side = self.state.side;
        // Numbers of a channel are within the limits of the protocol.
        let shares = row.split(left, right).unwrap_or_default();
        let terms = self.state.received.current(asset);
        let given = self.state.given.current(asset);
        AssetSummary {
            asset,
            insurance: row.insurance,
            ondelta: row.ondelta,
            offdelta: failsafe_primitives::delta(0, left, right).unwrap_or_default(),
            own_insured: shares.insured(side),
            own_uninsured: shares.uninsured(side),
            partner_insured: shares.insured(side.other()),
            partner_uninsured: shares.uninsured(side.other()),
            own_locked: locked(&self.state.mine.simplex, asset),
            partner_locked: locked(&self.state.theirs.simplex, asset),
            can_send: self.can_send(asset).unwrap_or_default(),
            can_receive: self.can_receive(asset).unwrap_or_default(),
            credit_given: given.map_or(0, |terms| terms.credit),
            credit_received: terms.map_or(0, |terms| terms.credit),
            partner_insure_above: terms.map(|terms| terms.insure_above),
            own_unsigned: self.state.mine.unsigned(asset),
            partner_unsigned: self.state.theirs.unsigned(asset),
            unsigned_given: given.map_or(0, |terms| terms.unsigned_limit),
            unsigned_received: terms.map_or(0, |terms| terms.unsigned_limit),
            unsigned_lost: self.unsigned_lost(asset),
        }
    }

    /// The whole channel.
    pub fn summary(&self) -> Summary {
        Summary {
            side: self.state.side,
            epoch: self.epoch(),
            own_nonce: self.state.mine.nonce(),
            own_acked: self.state.acked.as_ref().map_or(0, |acked| acked.simplex.nonce),
            partner_nonce: self.state.theirs.nonce(),
            frozen: self.frozen(),
            data_lost: self.state.data_lost,
            connected: self.established(),
            paused: self.paused(),
            late: self.state.late.iter().map(|claim| claim.epoch).collect(),
            assets: self.assets().into_iter().map(|asset| self.asset_summary(asset)).collect(),
        }
    }
}
