//! The graph of hubs: the registry (`protocol.md` §8) and what hubs announce.

use crate::announcement::{AnnouncementError, Hint, SignedAnnouncement};
use failsafe_primitives::{fees::HubFees, view::HubView, AccountId, AssetId, Balance, Clock};
use sp_core::H256;
use std::collections::BTreeMap;

/// By what announcements are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Hash of the chain's first block: announcements are signed for one chain.
    pub genesis_hash: H256,
    /// Age in usable blocks above which an announced capacity counts as unknown.
    pub max_age: Clock,
    /// How far, in usable blocks, an announcement may be ahead of the own clock: others may have
    /// seen newer blocks.
    pub max_ahead: Clock,
}

/// A registered hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub {
    /// Its account.
    pub account: AccountId,
    /// Handle without the `@`.
    pub handle: Vec<u8>,
    /// Its X25519 transport key.
    pub transport_key: [u8; 32],
    /// What it asks for forwarding.
    pub fees: HubFees,
    /// Usable blocks that this hub needs between its incoming and outgoing expiry beyond the
    /// [query's margin](crate::Query::margin). The registry has no such number: 0 unless known from
    /// elsewhere.
    pub margin: Clock,
    /// Hubs with which it has channels, as it says in the registry.
    pub routes: Vec<AccountId>,
}

impl Hub {
    /// A hub as the registry shows it, with the `routes` of its record.
    pub fn new(view: HubView, routes: Vec<AccountId>) -> Self {
        let HubView { account, handle, transport_key, fees, .. } = view;
        Self { account, handle, transport_key, fees, margin: 0, routes }
    }
}

/// How much one hub can pay to another in an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// No channel is known of.
    None,
    /// There is a channel; how much it carries is not known.
    Unknown,
    /// At most this much, in the asset's smallest unit.
    AtMost(Balance),
}

/// The hubs and the directed edges between them.
///
/// An edge from one hub to another exists, in every asset, when the routes of either name the other
/// in the registry. It also exists in those assets in which an announcement of the first names the
/// second. Its capacity is what the newest announcement of the *paying* hub says, if that is not
/// older than [`Rules::max_age`]; else it is unknown.
///
/// Size: at most the registry, and one announcement per registered hub.
#[derive(Clone, Debug)]
pub struct Graph {
    rules: Rules,
    /// Ascending by account, so that the order of a search depends on the accounts only.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) hub: Hub,
    announcement: Option<SignedAnnouncement>,
    /// Edges that end here, by the node where they begin.
    pub(crate) incoming: BTreeMap<usize, Edge>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    /// Whether a registry record of either end names the other.
    routed: bool,
    /// What the paying end has announced.
    hints: Vec<(AssetId, Option<Balance>)>,
}

impl Graph {
    /// The graph of `hubs`, without announcements. See [`Self::update_registry`].
    pub fn new(rules: Rules, hubs: impl IntoIterator<Item = Hub>) -> Self {
        let mut graph = Self { rules, nodes: Vec::new() };
        graph.update_registry(hubs);
        graph
    }

    /// Takes a new registry as a whole. Announcements of hubs that are still registered stay. Of an
    /// account that is named twice the last record counts.
    pub fn update_registry(&mut self, hubs: impl IntoIterator<Item = Hub>) {
        let mut announcements: BTreeMap<AccountId, SignedAnnouncement> = self
            .nodes
            .drain(..)
            .filter_map(|node| Some((node.hub.account, node.announcement?)))
            .collect();
        let hubs: BTreeMap<AccountId, Hub> =
            hubs.into_iter().map(|hub| (hub.account.clone(), hub)).collect();
        self.nodes = hubs
            .into_iter()
            .map(|(account, hub)| Node {
                hub,
                announcement: announcements.remove(&account),
                incoming: BTreeMap::new(),
            })
            .collect();
        for one in 0..self.nodes.len() {
            let routes = self.nodes[one].hub.routes.iter();
            let others: Vec<usize> =
                routes.filter_map(|other| self.position(other)).filter(|o| *o != one).collect();
            for other in others {
                self.nodes[one].incoming.entry(other).or_default().routed = true;
                self.nodes[other].incoming.entry(one).or_default().routed = true;
            }
            self.draw_hints(one);
        }
    }

    /// Takes an announcement; `now` is the own usable clock. A newer one replaces an older one.
    ///
    /// Hints for accounts that are not registered (yet) have no effect until they are.
    ///
    /// # Errors
    /// Everything in [`AnnouncementError`] but `Malformed`. The signature is checked last, because
    /// that is what costs time.
    pub fn announce(
        &mut self,
        signed: SignedAnnouncement,
        now: Clock,
    ) -> Result<(), AnnouncementError> {
        let announcement = &signed.announcement;
        let node = self.position(&announcement.hub).ok_or(AnnouncementError::UnknownHub)?;
        if let Some(known) = &self.nodes[node].announcement {
            let known = known.announcement.at;
            if announcement.at <= known {
                return Err(AnnouncementError::NotNewer { known });
            }
        }
        // Past the last clock there is no future that could be too far.
        let latest = now.checked_add(self.rules.max_ahead).unwrap_or(Clock::MAX);
        if announcement.at > latest {
            return Err(AnnouncementError::TooFarAhead { latest });
        }
        signed.check(&self.rules.genesis_hash)?;
        self.erase_hints(node);
        self.nodes[node].announcement = Some(signed);
        self.draw_hints(node);
        Ok(())
    }

    /// The registered hubs, ascending by account.
    pub fn hubs(&self) -> impl Iterator<Item = &Hub> {
        self.nodes.iter().map(|node| &node.hub)
    }

    /// The newest announcement of `hub`, as it was signed: others may be given it.
    pub fn announcement(&self, hub: &AccountId) -> Option<&SignedAnnouncement> {
        self.nodes[self.position(hub)?].announcement.as_ref()
    }

    /// What `from` can pay to `to` in `asset`, as far as it is known at `now`.
    pub fn capacity(
        &self,
        from: &AccountId,
        to: &AccountId,
        asset: AssetId,
        now: Clock,
    ) -> Capacity {
        let (Some(from), Some(to)) = (self.position(from), self.position(to)) else {
            return Capacity::None;
        };
        match self.nodes[to].incoming.get(&from) {
            Some(edge) => self.edge_capacity(from, edge, asset, now),
            None => Capacity::None,
        }
    }

    pub(crate) fn position(&self, account: &AccountId) -> Option<usize> {
        self.nodes.binary_search_by(|node| node.hub.account.cmp(account)).ok()
    }

    pub(crate) fn node(&self, position: usize) -> &Node {
        &self.nodes[position]
    }

    /// Capacity of an `edge` that begins at node `from`.
    pub(crate) fn edge_capacity(
        &self,
        from: usize,
        edge: &Edge,
        asset: AssetId,
        now: Clock,
    ) -> Capacity {
        let hint = edge.hints.iter().find(|(hinted, _)| *hinted == asset);
        match hint {
            Some((_, Some(capacity))) if self.is_fresh(from, now) => Capacity::AtMost(*capacity),
            Some(_) => Capacity::Unknown,
            None if edge.routed => Capacity::Unknown,
            None => Capacity::None,
        }
    }

    fn is_fresh(&self, node: usize, now: Clock) -> bool {
        self.nodes[node].announcement.as_ref().is_some_and(|signed| {
            // An end past the last clock is never reached.
            let end = signed.announcement.at.checked_add(self.rules.max_age);
            end.is_none_or(|end| now <= end)
        })
    }

    /// Registered neighbours that the announcement of `node` names, with what it says.
    fn hinted(&self, node: usize) -> Vec<(usize, AssetId, Option<Balance>)> {
        let hints = self.nodes[node].announcement.iter().flat_map(|s| &s.announcement.hints);
        let known =
            |hint: &Hint| Some((self.position(&hint.neighbour)?, hint.asset, hint.capacity));
        hints.filter_map(known).collect()
    }

    fn draw_hints(&mut self, node: usize) {
        for (to, asset, capacity) in self.hinted(node) {
            self.nodes[to].incoming.entry(node).or_default().hints.push((asset, capacity));
        }
    }

    fn erase_hints(&mut self, node: usize) {
        for (to, ..) in self.hinted(node) {
            let incoming = &mut self.nodes[to].incoming;
            if let Some(edge) = incoming.get_mut(&node) {
                edge.hints.clear();
                if !edge.routed {
                    incoming.remove(&node);
                }
            }
        }
    }
}
