//! What a party owes and is owed in its channels, per asset (`protocol.md` §8, total risk).
//!
//! The sums are kept up to date with every call of an engine, so that a cap can be checked for every
//! payment and a scrape costs nothing, however many channels there are.

use super::{core::Core, entries::ByPartner};
use failsafe_channel::Channel;
use failsafe_primitives::{AccountId, AssetId, Balance, Side, Simplex};
use sp_core::U256;
use std::collections::BTreeMap;

/// Who owns and owes what, in smallest units of an asset: of one channel, or summed over all.
/// Channels may have up to 2^121 each, so sums are wider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// What we owe beyond the collateral: the partners' risk.
    pub owed: U256,
    /// The same if all our pending locks are paid and none of theirs: what a cap is held against.
    pub owed_at_most: U256,
    /// What partners owe us beyond the collateral: our risk.
    pub claims: U256,
    /// Ours, insured.
    pub own_insured: U256,
    /// The partners', insured.
    pub partners_insured: U256,
}

impl Exposure {
    /// Each field of both.
    fn zip(self, other: Self, of: impl Fn(U256, U256) -> U256) -> Self {
        Self {
            owed: of(self.owed, other.owed),
            owed_at_most: of(self.owed_at_most, other.owed_at_most),
            claims: of(self.claims, other.claims),
            own_insured: of(self.own_insured, other.own_insured),
            partners_insured: of(self.partners_insured, other.partners_insured),
        }
    }

    /// Sums of fewer than 2^100 channels fit; what is taken away was added before.
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a.checked_add(b).expect("2^121 for each channel; qed"))
    }

    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a.checked_sub(b).expect("it was added before; qed"))
    }
}

/// What a channel owes if we pay `more`, besides what is locked.
fn exposure(channel: &Channel, asset: AssetId, more: Balance) -> Exposure {
    let state = channel.state();
    let row = state.facts.collateral(asset);
    let (mine, theirs) = (&state.mine.simplex, &state.theirs.simplex);
    let sent = mine.sent(asset);
    // Simplexes that were taken are within the limits.
    let locked = mine.entry(asset).map_or(0, |entry| entry.locked().unwrap_or_default());
    let side = state.side;
    let split = |mine: Balance| {
        let theirs = theirs.sent(asset);
        let (left, right) = match side {
            Side::Left => (mine, theirs),
            Side::Right => (theirs, mine),
        };
        row.split(left, right).unwrap_or_default()
    };
    let now = split(sent);
    let paid = sent.checked_add(locked).and_then(|sum| sum.checked_add(more));
    let most = paid.map_or(U256::MAX >> 1, |paid| split(paid).owes(side).into());
    Exposure {
        owed: now.owes(side).into(),
        owed_at_most: most,
        claims: now.uninsured(side).into(),
        own_insured: now.insured(side).into(),
        partners_insured: now.insured(side.other()).into(),
    }
}

/// Assets with collateral or payments.
fn assets(channel: &Channel) -> Vec<AssetId> {
    let state = channel.state();
    fn paid(simplex: &Simplex) -> impl Iterator<Item = AssetId> + '_ {
        simplex.entries.iter().map(|entry| entry.asset)
    }
    let rows = state.facts.view.collateral.iter().map(|(asset, _)| *asset);
    let paid = paid(&state.mine.simplex).chain(paid(&state.theirs.simplex));
    let mut assets: Vec<_> = rows.chain(paid).collect();
    assets.sort_unstable();
    assets.dedup();
    assets
}

/// The sums over all channels, and what each channel has added to them.
#[derive(Debug, Default)]
pub(super) struct Risk {
    known: ByPartner<Vec<(AssetId, Exposure)>>,
    totals: BTreeMap<AssetId, Exposure>,
}

impl Risk {
    /// The sums over all channels, per asset.
    pub(super) fn totals(&self) -> &BTreeMap<AssetId, Exposure> {
        &self.totals
    }

    /// A channel is as it is now.
    pub(super) fn note(&mut self, partner: &AccountId, channel: &Channel) {
        let fresh: Vec<_> =
            assets(channel).into_iter().map(|asset| (asset, exposure(channel, asset, 0))).collect();
        let Some(known) = self.known.get_mut(partner) else {
            for (asset, exposure) in &fresh {
                let total = self.totals.entry(*asset).or_default();
                *total = total.add(*exposure);
            }
            self.known.insert(partner.clone(), fresh);
            return;
        };
        if *known == fresh {
            return;
        }
        for (asset, old) in known.iter() {
            let total = self.totals.entry(*asset).or_default();
            *total = total.sub(*old);
        }
        for (asset, new) in &fresh {
            let total = self.totals.entry(*asset).or_default();
            *total = total.add(*new);
        }
        *known = fresh;
    }
}

impl Core {
    /// What we owe and are owed over all channels, per asset.
    pub fn exposure(&self) -> &BTreeMap<AssetId, Exposure> {
        self.risk.totals()
    }

    /// The same, summed anew from the channels: to be held against [`Core::exposure`].
    pub fn exposure_recounted(&self) -> BTreeMap<AssetId, Exposure> {
        let mut risk = Risk::default();
        for (partner, entry) in self.entries.look() {
            if !self.is_process(partner) {
                risk.note(partner, &entry.channel);
            }
        }
        risk.totals
    }

    /// A channel may have changed.
    pub(super) fn note_risk(&mut self, partner: &AccountId) {
        if self.is_process(partner) {
            // What one process owes another, the hub owes itself.
            return;
        }
        let Self { entries, risk, .. } = self;
        if let Some(entry) = entries.get(partner) {
            risk.note(partner, &entry.channel);
        }
    }

    /// Whether a payment or a lock of `amount` to `partner` would raise what we owe without
    /// insurance, over all channels, above the asset's cap. What does not raise it is always allowed.
    pub(super) fn breaks_cap(&self, partner: &AccountId, asset: AssetId, amount: Balance) -> bool {
        let Some(cap) = self.policy.risk_caps.get(&asset).copied() else { return false };
        if self.is_process(self.towards(partner)) {
            // The other process looks at its own part.
            return false;
        }
        let cap = self.part_of_cap(cap);
        let Some(entry) = self.entries.get(partner) else { return false };
        let before = exposure(&entry.channel, asset, 0).owed_at_most;
        let after = exposure(&entry.channel, asset, amount).owed_at_most;
        let total = self.risk.totals.get(&asset).copied().unwrap_or_default().owed_at_most;
        let raised = after.checked_sub(before).unwrap_or_default();
        !raised.is_zero() && total.checked_add(raised).is_none_or(|sum| sum > cap.into())
    }
}
