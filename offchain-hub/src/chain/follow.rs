//! Follows best and finalized blocks, and says which of our pairs they touch, in order.
//!
//! Events are hints only: a block's events are searched for the ids of our partners, for pairs of others
//! that are watched, and for the hashes of our locks; what is then reported is read from the runtime at
//! that block. After a gap, for instance a lost connection or a restart, every hash is read again, and
//! the pairs that the blocks of the gap touch; every pair if that is less work, or if the node has
//! forgotten these blocks.
//!
//! Of a pair of others only disputes matter, and their events name left and right, one behind the
//! other. While one is open, the pair is read in every block, so that a reorganisation which removes the
//! dispute is seen too.

use super::{client::ChainError, ChainClient};
use codec::{Decode, Encode};
use failsafe_channel::{Moment, PairFacts, Reveal};
use failsafe_primitives::{
    simplex::LockHash,
    view::{HubStanding, HubView, PairView},
    AccountId, BlockNumber, Clock, Pair, Parameters,
};
use futures::{future::try_join_all, StreamExt};
use sp_core::H256;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

/// Blocks of a gap that are looked through one by one; after a longer one every pair may be read.
const MAX_GAP: u32 = 32;
/// Pairs whose reading costs about as much as looking through a block.
const PAIRS_PER_BLOCK: usize = 256;
/// Pairs that are reported together when every pair is read.
const PART: usize = 16_384;
/// Secrets that are asked for at the same time.
const SECRETS: usize = 64;
/// Pause before a lost connection is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// What happened on chain.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a few per block")]
pub enum ChainNews {
    /// A new best block.
    Best {
        /// The block.
        moment: Moment,
        /// The pairs that it touches.
        facts: Vec<PairFacts>,
    },
    /// Pairs of the next finalized block that is reported, when there are so many that they come in
    /// parts.
    Part {
        /// The pairs.
        facts: Vec<PairFacts>,
    },
    /// A new finalized block.
    Finalized {
        /// The block.
        moment: Moment,
        /// The pairs that it, or a block since the last news, touches.
        facts: Vec<PairFacts>,
    },
    /// All that has happened up to a finalized block has been reported: a follower that begins there
    /// ([`Follower::resume`]) misses nothing.
    Followed(Followed),
    /// A pair that was asked for, at the newest finalized block.
    Tracked {
        /// The pair.
        facts: PairFacts,
    },
    /// Secrets of hashes that are watched. Finalized ones come before the news of their block.
    Reveals {
        /// By hash.
        reveals: Vec<(LockHash, Reveal)>,
        /// Whether they are final.
        finalized: bool,
    },
    /// The protocol's parameters and the registered hubs, every [`SURVEY`] finalized blocks.
    Survey {
        /// The parameters.
        parameters: Parameters,
        /// The hubs.
        hubs: Vec<HubView>,
        /// Hubs that retire, and from which usable clock on they may leave.
        retiring: BTreeMap<AccountId, Clock>,
    },
}

/// Finalized blocks between two looks at parameters and registry.
const SURVEY: BlockNumber = 10;

/// A finalized block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Followed {
    /// Its number.
    pub block: BlockNumber,
    /// Its hash.
    pub hash: H256,
}

/// What the follower is asked for.
#[derive(Clone, Debug)]
pub enum Track {
    /// Follow a pair; the answer is [`ChainNews::Tracked`].
    Pair(AccountId),
    /// Follow the disputes of two others; the answer is [`ChainNews::Tracked`], seen from the first.
    Disputes(AccountId, AccountId),
    /// Follow the disputes of two others no more, in whichever order.
    Leave(AccountId, AccountId),
    /// Watch for the secret of a hash; one that is known already is reported with the next finalized
    /// block, so that a lock which is settled before that costs the node nothing.
    Hash(LockHash),
    /// Watch no more.
    Forget(LockHash),
}

/// Follows the chain for one account.
pub struct Follower {
    client: ChainClient,
    account: AccountId,
    /// Partners by id, and the first bytes of their ids.
    partners: HashMap<[u8; 32], AccountId>,
    prefixes: HashSet<[u8; 8]>,
    /// Pairs of others by the ids of left and right, with the first bytes of left.
    disputes: HashMap<[u8; 64], Ends>,
    left_prefixes: HashSet<[u8; 8]>,
    /// Those of them that were in dispute when they were read last.
    open: HashSet<Ends>,
    hashes: HashSet<LockHash>,
    requests: mpsc::UnboundedReceiver<Track>,
    news: mpsc::UnboundedSender<ChainNews>,
    finalized: Option<Followed>,
    /// Recent best blocks that were looked at.
    seen: BTreeMap<BlockNumber, H256>,
    /// When parameters and registry were looked at last.
    surveyed: Option<BlockNumber>,
    /// Pairs that were asked for and are still to be reported.
    asked: Vec<Ends>,
    /// Hashes of which nothing has been read yet.
    new_hashes: HashSet<LockHash>,
    /// The version of the chain's runtime, as it was told last.
    runtime: Option<u32>,
}

/// From whose side a pair is read, and the other end.
type Ends = (AccountId, AccountId);

/// What of ours stands in a block's events.
#[derive(Default)]
struct Mentioned {
    pairs: HashSet<Ends>,
    hashes: HashSet<LockHash>,
}

impl Mentioned {
    fn extend(&mut self, other: Self) {
        self.pairs.extend(other.pairs);
        self.hashes.extend(other.hashes);
    }
}

/// What a view says to the engine.
pub fn facts(view: PairView, at: Moment) -> PairFacts {
    PairFacts { at, view: view.channel, owed_to_me: view.owed_to_account }
}

impl Follower {
    /// A follower of the pairs of `account` with `partners`, and of the secrets of `hashes`.
    pub fn new(
        client: ChainClient,
        account: AccountId,
        partners: impl IntoIterator<Item = AccountId>,
        hashes: impl IntoIterator<Item = LockHash>,
        news: mpsc::UnboundedSender<ChainNews>,
    ) -> (Self, mpsc::UnboundedSender<Track>) {
        let (track, requests) = mpsc::unbounded_channel();
        let mut follower = Self {
            client,
            account,
            partners: HashMap::new(),
            prefixes: HashSet::new(),
            disputes: HashMap::new(),
            left_prefixes: HashSet::new(),
            open: HashSet::new(),
            hashes: hashes.into_iter().collect(),
            requests,
            news,
            finalized: None,
            seen: BTreeMap::new(),
            surveyed: None,
            asked: vec![],
            new_hashes: HashSet::new(),
            runtime: None,
        };
        for partner in partners {
            follower.add(partner);
        }
        (follower, track)
    }

    fn add(&mut self, partner: AccountId) {
        let id: [u8; 32] = *AsRef::<[u8; 32]>::as_ref(&partner);
        self.prefixes.insert(prefix(&id));
        self.partners.insert(id, partner);
    }

    /// Begins where an earlier one has ended, by its last [`ChainNews::Followed`]. Its partners are
    /// known as of that block.
    #[must_use]
    pub fn resume(mut self, from: Option<Followed>) -> Self {
        self.finalized = from;
        self
    }

    /// Follows the disputes of a pair of others.
    fn add_disputes(&mut self, ends: Ends) {
        let Some(ids) = pair_ids(&ends) else { return };
        let mut left = [0; 32];
        left.copy_from_slice(&ids[..32]);
        self.left_prefixes.insert(prefix(&left));
        self.disputes.insert(ids, ends);
    }

    fn leave(&mut self, ends: &Ends) {
        let Some(ids) = pair_ids(ends) else { return };
        if let Some(known) = self.disputes.remove(&ids) {
            self.open.remove(&known);
        }
        // Prefixes that nobody needs any more cost a look into a map.
    }

    /// Runs until nobody listens any more. Connection losses are waited out.
    ///
    /// # Errors
    /// [`ChainError::UnknownRuntime`]: from now on nobody can tell what the chain's answers mean.
    pub async fn run(mut self) -> Result<(), ChainError> {
        loop {
            match self.follow().await {
                Ok(()) => return Ok(()),
                Err(error @ ChainError::UnknownRuntime { .. }) => return Err(error),
                Err(error) => {
                    warn!(%error, "lost the chain; trying again");
                    tokio::time::sleep(RETRY).await;
                },
            }
        }
    }

    async fn follow(&mut self) -> Result<(), ChainError> {
        let mut runtimes = std::pin::pin!(self.client.subscribe_runtime().await?);
        let mut best = std::pin::pin!(self.client.subscribe_best().await?);
        let mut finalized = std::pin::pin!(self.client.subscribe_finalized().await?);
        // Whatever happened while nobody watched.
        self.catch_up().await?;
        info!(partners = self.partners.len(), "following the chain");
        let ended = || ChainError::Connection("the node ended the subscription".into());
        loop {
            tokio::select! {
                biased;
                version = runtimes.next() => {
                    self.on_runtime(version.ok_or_else(ended)??);
                },
                head = finalized.next() => {
                    self.on_finalized(head.ok_or_else(ended)??).await?;
                },
                head = best.next() => {
                    let (number, parent) = head.ok_or_else(ended)??;
                    self.on_best(number, parent).await?;
                },
                request = self.requests.recv() => match request {
                    None => return Ok(()),
                    Some(request) => {
                        self.note(request);
                        self.take_requests();
                        self.answer().await?;
                    },
                },
            }
            if self.news.is_closed() {
                return Ok(());
            }
        }
    }

    /// The chain has a runtime that this program knows.
    fn on_runtime(&mut self, version: u32) {
        match self.runtime.replace(version) {
            Some(before) if before != version => {
                info!(before, version, "the chain has another runtime, which is known: going on");
                // It may have other parameters.
                self.surveyed = None;
            },
            _ => debug!(version, "the chain's runtime"),
        }
    }

    fn report(&self, news: ChainNews) {
        // Whoever listened is gone: the loop notices.
        let _ = self.news.send(news);
    }

    /// Reads pairs at a block, and notes which pairs of others are in dispute there.
    async fn read(
        &mut self,
        pairs: impl IntoIterator<Item = Ends>,
        at: H256,
    ) -> Result<Vec<PairFacts>, ChainError> {
        let moment = self.client.moment(Some(at)).await?;
        let mut by_account: BTreeMap<AccountId, Vec<AccountId>> = BTreeMap::new();
        for (who, partner) in pairs {
            by_account.entry(who).or_default().push(partner);
        }
        let mut all = vec![];
        for (who, partners) in by_account {
            let views = self.client.pairs(&who, &partners, at).await?;
            for (partner, view) in partners.into_iter().zip(views) {
                let ends = (who.clone(), partner);
                let watched = pair_ids(&ends).and_then(|ids| self.disputes.get(&ids));
                if watched == Some(&ends) && view.channel.dispute.is_some() {
                    self.open.insert(ends);
                } else {
                    self.open.remove(&ends);
                }
                all.push(facts(view, moment));
            }
        }
        Ok(all)
    }

    /// Notes what is asked for; [`Self::answer`] reports it.
    fn note(&mut self, request: Track) {
        match request {
            Track::Pair(partner) => {
                self.add(partner.clone());
                self.asked.push((self.account.clone(), partner));
            },
            Track::Disputes(who, partner) => {
                self.add_disputes((who.clone(), partner.clone()));
                self.asked.push((who, partner));
            },
            Track::Leave(who, partner) => self.leave(&(who, partner)),
            Track::Hash(hash) => {
                self.hashes.insert(hash);
                self.new_hashes.insert(hash);
            },
            Track::Forget(hash) => {
                self.hashes.remove(&hash);
                self.new_hashes.remove(&hash);
            },
        }
    }

    /// Notes all that is asked for by now. Before a finalized block is reported, every hash must be
    /// watched: a lock must not count as expired because nobody has looked for its secret.
    fn take_requests(&mut self) {
        while let Ok(request) = self.requests.try_recv() {
            self.note(request);
        }
    }

    /// Reports the pairs that were asked for, at the newest finalized block.
    async fn answer(&mut self) -> Result<(), ChainError> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let hash = match self.finalized {
            Some(place) => place.hash,
            None => self.client.finalized_head().await?,
        };
        // Kept until they are reported: the node may be lost on the way.
        for facts in self.read(self.asked.clone(), hash).await? {
            self.report(ChainNews::Tracked { facts });
        }
        self.asked.clear();
        Ok(())
    }

    /// Reports what has happened up to the newest finalized block.
    async fn catch_up(&mut self) -> Result<(), ChainError> {
        self.take_requests();
        self.new_hashes.clear();
        let hash = self.client.finalized_head().await?;
        let moment = self.client.moment(Some(hash)).await?;
        let place = Followed { block: moment.block, hash };
        self.survey(moment.block).await?;
        let hashes = self.hashes.clone();
        self.report_reveals(&hashes, hash, true).await?;
        let facts = match self.missed(place).await? {
            Some(mut pairs) => {
                pairs.extend(self.disputes.values().cloned());
                self.read(pairs, hash).await?
            },
            None => self.read_all(hash).await?,
        };
        self.finalized = Some(place);
        self.report(ChainNews::Finalized { moment, facts });
        self.report(ChainNews::Followed(place));
        let best = self.client.moment(None).await?;
        self.report(ChainNews::Best { moment: best, facts: vec![] });
        self.answer().await
    }

    /// Our pairs that were touched since the last news; `None` if it is less work to read all, or if
    /// the node does not know these blocks any more.
    async fn missed(&self, head: Followed) -> Result<Option<HashSet<Ends>>, ChainError> {
        let Some(known) = self.finalized else { return Ok(None) };
        let worth = u32::try_from(self.partners.len() / PAIRS_PER_BLOCK).unwrap_or(u32::MAX);
        let near = head.block.checked_sub(known.block).is_some_and(|gap| gap <= worth.max(MAX_GAP));
        // A development chain that began again has blocks of these numbers, too.
        if !near || self.client.block_hash(known.block).await? != Some(known.hash) {
            return Ok(None);
        }
        match self.touched_after(known.block, head).await {
            Ok(touched) => Ok(Some(touched.pairs)),
            Err(error) => {
                debug!(%error, "the node has forgotten a block: reading every pair");
                Ok(None)
            },
        }
    }

    /// What blocks after `known` touch, up to `last`.
    async fn touched_after(
        &self,
        known: BlockNumber,
        last: Followed,
    ) -> Result<Mentioned, ChainError> {
        let mut touched = Mentioned::default();
        for block in (known..last.block).map(|before| before + 1) {
            let is_last = block == last.block;
            let hash = if is_last { last.hash } else { self.finalized_hash(block).await? };
            touched.extend(self.touched(hash).await?);
        }
        Ok(touched)
    }

    /// The hash of a block that is final.
    async fn finalized_hash(&self, block: BlockNumber) -> Result<H256, ChainError> {
        let gone = || ChainError::Connection(format!("finalized block {block} is gone"));
        self.client.block_hash(block).await?.ok_or_else(gone)
    }

    /// Reads every pair at a finalized block. Reports them in parts, and returns the last one.
    async fn read_all(&mut self, at: H256) -> Result<Vec<PairFacts>, ChainError> {
        let me = &self.account;
        let ours = self.partners.values().map(|partner| (me.clone(), partner.clone()));
        let pairs: HashSet<Ends> = ours.chain(self.disputes.values().cloned()).collect();
        let pairs: Vec<Ends> = pairs.into_iter().collect();
        let mut done = 0;
        let mut last = vec![];
        for part in pairs.chunks(PART) {
            if done > 0 {
                info!(pairs = done, of = pairs.len(), "reading every channel on chain");
                self.report(ChainNews::Part { facts: std::mem::take(&mut last) });
            }
            last = self.read(part.iter().cloned(), at).await?;
            done += part.len();
        }
        Ok(last)
    }

    /// Reports parameters and hubs from time to time.
    async fn survey(&mut self, block: BlockNumber) -> Result<(), ChainError> {
        if self.surveyed.is_some_and(|last| block < last.saturating_add(SURVEY)) {
            return Ok(());
        }
        let (parameters, hubs) = (self.client.parameters().await?, self.client.hubs().await?);
        let standings = self.client.hub_standings().await?;
        let leaves = |hub: HubStanding| Some((hub.account, hub.leaves_at?));
        let retiring = standings.into_iter().filter_map(leaves).collect();
        self.surveyed = Some(block);
        self.report(ChainNews::Survey { parameters, hubs, retiring });
        Ok(())
    }

    /// Reports those of `hashes` whose secrets the registry has at a block.
    async fn report_reveals(
        &self,
        hashes: &HashSet<LockHash>,
        at: H256,
        finalized: bool,
    ) -> Result<(), ChainError> {
        let mut reveals = vec![];
        // Many at a time: one after the other, those of a busy hub would take longer than a block.
        for chunk in hashes.iter().collect::<Vec<_>>().chunks(SECRETS) {
            let asked = chunk.iter().map(|hash| self.client.secret(hash, at));
            for (hash, known) in chunk.iter().zip(try_join_all(asked).await?) {
                let Some(known) = known else { continue };
                reveals.push((**hash, Reveal { secret: known.secret, at: known.revealed_at }));
            }
        }
        if !reveals.is_empty() {
            self.report(ChainNews::Reveals { reveals, finalized });
        }
        Ok(())
    }

    async fn on_finalized(&mut self, number: BlockNumber) -> Result<(), ChainError> {
        let known = self.finalized.map_or(0, |place| place.block);
        if number <= known {
            return Ok(());
        }
        self.take_requests();
        if number - known > MAX_GAP {
            debug!(from = known, to = number, "a gap");
            return self.catch_up().await;
        }
        let hash = self.finalized_hash(number).await?;
        let place = Followed { block: number, hash };
        let mut touched = self.touched_after(known, place).await?;
        touched.pairs.extend(self.open.iter().cloned());
        let moment = self.client.moment(Some(hash)).await?;
        self.survey(number).await?;
        touched.hashes.extend(self.new_hashes.drain());
        self.report_reveals(&touched.hashes, hash, true).await?;
        let facts = self.read(touched.pairs, hash).await?;
        self.finalized = Some(place);
        self.seen = self.seen.split_off(&number);
        self.report(ChainNews::Finalized { moment, facts });
        self.report(ChainNews::Followed(place));
        self.answer().await
    }

    /// A new best block: its pairs, and those of its ancestors that were not looked at.
    async fn on_best(&mut self, number: BlockNumber, parent: H256) -> Result<(), ChainError> {
        let Some(hash) = self.client.block_hash(number).await? else { return Ok(()) };
        // Another block of this height may have become best meanwhile: take what is there now.
        let parent = match self.client.header(hash).await? {
            Some((_, actual)) => actual,
            None => parent,
        };
        if self.seen.get(&number) == Some(&hash) {
            return Ok(());
        }
        let mut touched = self.touched(hash).await?;
        self.seen.insert(number, hash);
        let (mut height, mut ancestor) = (number, parent);
        for _ in 0..MAX_GAP {
            height = height.saturating_sub(1);
            let finalized = self.finalized.is_some_and(|known| height <= known.block);
            if finalized || self.seen.get(&height) == Some(&ancestor) {
                break;
            }
            touched.extend(self.touched(ancestor).await?);
            self.seen.insert(height, ancestor);
            match self.client.header(ancestor).await? {
                Some((_, parent)) => ancestor = parent,
                None => break,
            }
        }
        self.report_reveals(&touched.hashes, hash, false).await?;
        touched.pairs.extend(self.open.iter().cloned());
        let moment = self.client.moment(Some(hash)).await?;
        let facts = self.read(touched.pairs, hash).await?;
        self.report(ChainNews::Best { moment, facts });
        Ok(())
    }

    /// Partners and hashes that stand in a block's events.
    async fn touched(&self, hash: H256) -> Result<Mentioned, ChainError> {
        if self.partners.is_empty() && self.disputes.is_empty() && self.hashes.is_empty() {
            return Ok(Mentioned::default());
        }
        Ok(self.mentioned(&self.client.raw_events(hash).await?))
    }

    fn mentioned(&self, events: &[u8]) -> Mentioned {
        let mut mentioned = Mentioned::default();
        for window in events.windows(32) {
            if self.prefixes.contains(&window[..8]) {
                let partner = self.partners.get(window).cloned();
                mentioned.pairs.extend(partner.map(|partner| (self.account.clone(), partner)));
            }
            mentioned.hashes.extend(self.hashes.get(window).copied());
        }
        if !self.disputes.is_empty() {
            for window in events.windows(64) {
                if self.left_prefixes.contains(&window[..8]) {
                    mentioned.pairs.extend(self.disputes.get(window).cloned());
                }
            }
        }
        mentioned
    }
}

/// The ids of left and right; `None` for an account with itself.
fn pair_ids((a, b): &Ends) -> Option<[u8; 64]> {
    let pair = Pair::new(a.clone(), b.clone()).ok()?;
    let mut ids = [0; 64];
    ids[..32].copy_from_slice(pair.left().as_ref());
    ids[32..].copy_from_slice(pair.right().as_ref());
    Some(ids)
}

fn prefix(id: &[u8; 32]) -> [u8; 8] {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&id[..8]);
    prefix
}

/// Passes news on as somebody's inputs, and tells of its progress: `false` with every news, `true`
/// once the first best block has been passed on. Ends with either end.
pub async fn forward_news<T>(
    mut fresh: mpsc::UnboundedReceiver<ChainNews>,
    inputs: mpsc::Sender<T>,
    input: impl Fn(ChainNews) -> T,
    progress: watch::Sender<bool>,
) {
    while let Some(news) = fresh.recv().await {
        let best = matches!(news, ChainNews::Best { .. });
        if inputs.send(input(news)).await.is_err() {
            return;
        }
        progress.send_modify(|seen| *seen |= best);
    }
}

/// Waits for the first best block that [`forward_news`] passes on, as long as there is news at least
/// every `patience`. Returns whether it came.
pub async fn first_block(mut progress: watch::Receiver<bool>, patience: Duration) -> bool {
    while !*progress.borrow_and_update() {
        let changed = tokio::time::timeout(patience, progress.changed()).await;
        if !matches!(changed, Ok(Ok(()))) {
            return false;
        }
    }
    true
}
