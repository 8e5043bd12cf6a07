//! A party: its channels, and how it makes updates.

use super::{
    env::Env,
    evil::Evil,
    half::{signed, Amounts, Half, HeldLock, Judge, Purpose, Transition, ASSETS},
    handover::{Awaited, Ended, Left},
    pay::Offer,
    wire::{acknowledge, Message, Update},
};
use crate::chain::{
    sign, Account, Ack, Amount, BlockNumber, Chain, Clock, Close, Epoch, Hash, Pair, Secret, Side,
    Signed, Simplex, Withdrawal,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

/// A lock by partner, epoch and id.
pub(super) type LockKey = (Account, Epoch, u64);

/// Answer to a reservation: never both.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    Proof(Signed<Withdrawal>),
    Refused,
}

/// Why nothing is signed.
#[derive(Clone, Debug, Default)]
pub(super) struct Freeze {
    /// An own dispute, until the epoch ends.
    pub own: bool,
    /// A signed close, until it cannot be used any more.
    pub close: Option<Clock>,
    /// The newest block in which the end of the epoch, or a dispute, was seen.
    pub seen: Option<BlockNumber>,
}

impl Freeze {
    pub fn holds(&self) -> bool {
        self.own || self.close.is_some() || self.seen.is_some()
    }
}

/// A channel with one partner in one epoch.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub partner: Account,
    pub pair: Pair,
    pub side: Side,
    pub epoch: Epoch,
    pub mine: Half,
    pub theirs: Half,
    pub mine_acked: Option<Signed<Ack>>,
    pub theirs_signed: Option<Signed<Simplex>>,
    pub outbox: Vec<Update>,
    pub held: VecDeque<Update>,
    pub next_lock: u64,
    /// Own locks that a Cancel or Expire has dropped, with the nonce from which they are gone.
    pub dropped: BTreeMap<u64, (u64, HeldLock)>,
    /// Nonce of the newest update of the partner that was acked, and since when one waits for it.
    pub acked: u64,
    pub ack_due: Option<BlockNumber>,
    pub freeze: Freeze,
    pub fails_sent: BTreeSet<u64>,
    pub fails_got: BTreeSet<u64>,
    pub fulfilled: BTreeMap<u64, Secret>,
    pub decisions: BTreeMap<u64, Decision>,
    pub refused_sent: BTreeSet<u64>,
    pub refused_got: BTreeSet<u64>,
    pub proof: Option<Signed<Withdrawal>>,
    pub asked_at: BlockNumber,
    /// Credit given, by version, and from which nonce on which version is the least.
    pub given: Vec<Amounts>,
    pub floor: (usize, u64),
    /// Credit got.
    pub got: Amounts,
    pub got_version: usize,
    pub submitted: Option<BlockNumber>,
    pub countered: Option<BlockNumber>,
    pub withdrawn: Option<BlockNumber>,
    /// The partner has broken the rules, or so it seems.
    pub stuck: Option<String>,
}

impl Peer {
    pub fn new(me: Account, partner: Account, epoch: Epoch) -> Self {
        let pair = Pair::of(me, partner).expect("two parties");
        let side = pair.side_of(me).expect("one of them");
        Self {
            partner,
            pair,
            side,
            epoch,
            mine: Half::default(),
            theirs: Half::default(),
            mine_acked: None,
            theirs_signed: None,
            outbox: vec![],
            held: VecDeque::new(),
            next_lock: 0,
            dropped: BTreeMap::new(),
            acked: 0,
            ack_due: None,
            freeze: Freeze::default(),
            fails_sent: BTreeSet::new(),
            fails_got: BTreeSet::new(),
            fulfilled: BTreeMap::new(),
            decisions: BTreeMap::new(),
            refused_sent: BTreeSet::new(),
            refused_got: BTreeSet::new(),
            proof: None,
            asked_at: 0,
            given: vec![[0; ASSETS]],
            floor: (0, 0),
            got: [0; ASSETS],
            got_version: 0,
            submitted: None,
            countered: None,
            withdrawn: None,
            stuck: None,
        }
    }

    /// The own simplex, if anything was signed.
    pub fn own_simplex(&self) -> Option<Simplex> {
        (self.mine.nonce > 0).then(|| self.mine.simplex(self.pair, self.epoch, self.side))
    }

    /// Whether updates stop.
    pub fn is_frozen(&self, env: &Env) -> bool {
        env.rules.freeze && self.freeze.holds()
    }

    /// How the own half is judged by its maker.
    pub fn judge_own<'a>(&'a self, env: &Env, view: &'a Chain) -> Judge<'a> {
        Judge {
            rules: env.rules,
            view,
            pair: self.pair,
            side: self.side,
            credit: self.got,
            window: env.numbers.window,
            failed: &self.fails_got,
            refused: &self.refused_got,
        }
    }

    /// How the partner's half is judged by its receiver.
    pub fn judge_theirs<'a>(&'a self, env: &Env, view: &'a Chain, credit: Amounts) -> Judge<'a> {
        Judge {
            rules: env.rules,
            view,
            pair: self.pair,
            side: self.side.other(),
            credit,
            window: env.numbers.window,
            failed: &self.fails_sent,
            refused: &self.refused_sent,
        }
    }
}

/// A lock towards this party that it has paid on or has given the secret for.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    pub hash: Hash,
    pub expiry: Clock,
    pub state: IncomingState,
}

/// How an incoming lock has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IncomingState {
    Pending,
    Paid,
    Dead,
}

/// What a recipient waits for.
#[derive(Clone, Debug)]
pub(super) struct Invoice {
    pub secret: Secret,
    pub asset: usize,
    pub amount: Amount,
}

/// A payment with a lock that this party has begun.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub asset: usize,
    pub amount: Amount,
    pub hash: Hash,
    pub expiry: Clock,
    pub settled: bool,
}

/// A plain payment that must go back and could not yet.
#[derive(Clone, Debug)]
pub(super) struct OwedReturn {
    pub to: Account,
    pub asset: usize,
    pub amount: Amount,
    pub name: u64,
}

/// The partner's word of an epoch that ended without counting it.
#[derive(Clone, Debug)]
pub(super) struct OldWord {
    pub partner: Account,
    pub signed: Signed<Simplex>,
    pub next: Clock,
}

/// One party.
pub(super) struct Party {
    pub who: Account,
    pub name: &'static str,
    pub peers: BTreeMap<Account, Peer>,
    /// The most credit that it gives.
    pub credits: BTreeMap<Account, Amounts>,
    pub best: Rc<Chain>,
    pub finalized: Rc<Chain>,
    pub finalized_index: usize,
    pub secrets: BTreeMap<Hash, Secret>,
    pub invoices: BTreeMap<Hash, Invoice>,
    pub seen_hashes: BTreeSet<Hash>,
    pub incoming: BTreeMap<LockKey, Incoming>,
    /// Onward lock to incoming lock.
    pub onward: BTreeMap<LockKey, LockKey>,
    pub begun: Vec<Begun>,
    /// Payments that somebody waits for.
    pub offers: Vec<Offer>,
    pub returns: Vec<OwedReturn>,
    pub old: Vec<OldWord>,
    /// What a dispute has cut off of the own updates.
    pub left: Vec<Left>,
    /// How far the partners' updates had come at the end of old epochs.
    pub ended: Vec<Ended>,
    pub awaited: Vec<Awaited>,
    pub revealed_in: BTreeMap<Hash, BlockNumber>,
    pub paid: Amounts,
    pub received: Amounts,
    pub initial: Amounts,
    pub away_until: BlockNumber,
    pub was_away: bool,
    pub missed: u64,
    pub evil: Option<Evil>,
}

impl Party {
    pub fn new(who: Account, name: &'static str, genesis: &Rc<Chain>, evil: Option<Evil>) -> Self {
        Self {
            who,
            name,
            peers: BTreeMap::new(),
            credits: BTreeMap::new(),
            best: Rc::clone(genesis),
            finalized: Rc::clone(genesis),
            finalized_index: 0,
            secrets: BTreeMap::new(),
            invoices: BTreeMap::new(),
            seen_hashes: BTreeSet::new(),
            incoming: BTreeMap::new(),
            onward: BTreeMap::new(),
            begun: vec![],
            offers: vec![],
            returns: vec![],
            old: vec![],
            left: vec![],
            ended: vec![],
            awaited: vec![],
            revealed_in: BTreeMap::new(),
            paid: [0; ASSETS],
            received: [0; ASSETS],
            initial: [0; ASSETS],
            away_until: 0,
            was_away: false,
            missed: 0,
            evil,
        }
    }

    pub fn peer(&self, partner: Account) -> &Peer {
        &self.peers[&partner]
    }

    pub fn peer_mut(&mut self, partner: Account) -> &mut Peer {
        self.peers.get_mut(&partner).expect("a partner")
    }

    pub fn partners(&self) -> Vec<Account> {
        self.peers.keys().copied().collect()
    }

    /// The chain as this party watches it for disputes and secrets.
    pub fn watched(&self, env: &Env) -> Rc<Chain> {
        Rc::clone(if env.rules.best_watch { &self.best } else { &self.finalized })
    }

    /// Makes, signs and sends an update; does nothing and returns false when it is not possible.
    pub fn update(&mut self, env: &mut Env, partner: Account, changes: Vec<Transition>) -> bool {
        let (who, view) = (self.who, Rc::clone(&self.finalized));
        let peer = self.peer_mut(partner);
        if peer.stuck.is_some() || peer.is_frozen(env) || view.epoch(peer.pair) != peer.epoch {
            return false;
        }
        let mut next = peer.mine.clone();
        for change in &changes {
            if next.apply(&peer.theirs, change, &peer.judge_own(env, &view)).is_err() {
                return false;
            }
        }
        next.nonce += 1;
        for change in &changes {
            if let Transition::Cancel { id } | Transition::Expire { id } = change {
                peer.dropped.insert(*id, (next.nonce, peer.mine.locks[id].clone()));
            }
        }
        peer.mine = next;
        let signed = sign(who, peer.mine.simplex(peer.pair, peer.epoch, peer.side));
        let update = Update {
            epoch: peer.epoch,
            nonce: peer.mine.nonce,
            changes,
            as_of: view.block_number(),
            terms: peer.got_version,
            signed,
        };
        peer.outbox.push(update.clone());
        env.say(|| format!("{who} -> {partner}: {:?}", update.changes));
        self.note_sent(&update.changes);
        if let Some(evil) = &mut self.evil {
            evil.own_words.push(update.signed.clone());
        }
        env.wire.send(who, partner, Message::Update(update));
        self.ack(env, partner);
        true
    }

    fn note_sent(&mut self, changes: &[Transition]) {
        for change in changes {
            match change {
                Transition::Pay { asset, amount, .. } => self.paid[*asset] += amount,
                Transition::Settle { secret, .. } => {
                    let hash = secret.hash();
                    for begun in self.begun.iter_mut().filter(|begun| begun.hash == hash) {
                        begun.settled = true;
                    }
                },
                _ => {},
            }
        }
    }

    /// Acks the newest update of a partner.
    pub fn ack(&mut self, env: &mut Env, partner: Account) {
        if self.evil.as_ref().is_some_and(|evil| evil.withholds_acks) && env.rng.chance(800) {
            return;
        }
        let who = self.who;
        let peer = self.peer_mut(partner);
        if peer.freeze.holds() || peer.acked >= peer.theirs.nonce {
            return;
        }
        let simplex = peer.theirs_signed.as_ref().expect("it has a nonce").content();
        let ack = acknowledge(who, simplex);
        peer.acked = peer.theirs.nonce;
        peer.ack_due = None;
        env.wire.send(who, partner, Message::Ack(ack));
    }

    /// States a credit: never more than is left of it beside what the partner owes already (M4).
    pub fn set_credit(&mut self, env: &mut Env, partner: Account, most: Amounts) {
        let mut credit = most;
        for (index, credit) in credit.iter_mut().enumerate() {
            let mut owed: Amount = 0;
            if env.rules.debts_owed {
                let asset = u32::try_from(index).expect("few assets");
                owed += self.finalized.owed_to(partner, self.who, asset);
            }
            if env.rules.late_owed {
                owed += self.claimable(partner, index);
            }
            *credit = credit.saturating_sub(owed);
        }
        let who = self.who;
        let peer = self.peer_mut(partner);
        peer.given.push(credit);
        let message = Message::Terms { epoch: peer.epoch, version: peer.given.len() - 1, credit };
        env.wire.send(who, partner, message);
    }

    /// What can still be claimed from a partner for old epochs.
    pub fn claimable(&self, partner: Account, asset: usize) -> Amount {
        let old = self.old.iter().filter(|old| old.partner == partner);
        old.map(|old| uncounted(&self.finalized, old.signed.content(), asset)).sum()
    }

    /// Asks for a proof to withdraw up to `amounts`.
    pub fn reserve(&mut self, env: &mut Env, partner: Account, amounts: Amounts) -> bool {
        let view = Rc::clone(&self.finalized);
        let peer = self.peer(partner);
        if peer.mine.reserved.is_some() {
            return false;
        }
        let judge = peer.judge_own(env, &view);
        let mut capped = amounts;
        for (asset, amount) in capped.iter_mut().enumerate() {
            *amount = (*amount).min(if env.rules.own_money {
                peer.mine.withdrawable(&peer.theirs, &judge, asset)
            } else {
                peer.mine.capacity(&peer.theirs, &judge, asset)
            });
        }
        if capped.iter().all(|amount| *amount == 0) {
            return false;
        }
        let channel = view.channel(peer.pair);
        let withdrawal_nonce =
            channel.map_or(0, |channel| channel.withdrawal_nonces[peer.side.index()]);
        let valid_until = view.clock() + 20;
        let change = Transition::Reserve { withdrawal_nonce, valid_until, amounts: capped };
        if !self.update(env, partner, vec![change]) {
            return false;
        }
        let height = env.height();
        let peer = self.peer_mut(partner);
        (peer.proof, peer.withdrawn, peer.asked_at) = (None, None, height);
        true
    }

    /// A plain payment; false when it is not possible.
    pub fn pay(
        &mut self,
        env: &mut Env,
        partner: Account,
        (asset, amount): (usize, Amount),
        purpose: Purpose,
    ) -> bool {
        self.update(env, partner, vec![Transition::Pay { asset, amount, purpose }])
    }

    /// Offers to end the epoch by agreement, and freezes.
    pub fn offer_close(&mut self, env: &mut Env, partner: Account) {
        let (who, clock) = (self.who, self.finalized.clock());
        let fresh = self.finalized.epoch(self.peer(partner).pair) == self.peer(partner).epoch;
        let peer = self.peer_mut(partner);
        let locks = !peer.mine.locks.is_empty() || !peer.theirs.locks.is_empty();
        if locks || !fresh || peer.freeze.holds() || peer.stuck.is_some() {
            return;
        }
        let close = peer.close(clock + 15);
        peer.freeze.close = Some(close.valid_until);
        env.say(|| format!("{who} offers {partner} to close"));
        env.wire.send(who, partner, Message::CloseSigned { close: sign(who, close) });
    }

    /// What this party is owed by the rules: what it had, got and paid.
    pub fn entitlement(&self, env: &Env, asset: usize) -> i128 {
        let begun = self.begun.iter().filter(|begun| {
            let counts = env.revealed.get(&begun.hash).is_some_and(|at| *at <= begun.expiry);
            begun.asset == asset && (begun.settled || counts)
        });
        let out: Amount = begun.map(|begun| begun.amount).sum();
        signed(self.initial[asset] + self.received[asset]) - signed(self.paid[asset] + out)
    }
}

impl Peer {
    /// The agreement to what both have signed so far.
    pub fn close(&self, valid_until: Clock) -> Close {
        let offdeltas = super::half::assets().filter_map(|(index, asset)| {
            let (mine, theirs) = (signed(self.mine.sent[index]), signed(self.theirs.sent[index]));
            let offdelta = match self.side {
                Side::Left => theirs - mine,
                Side::Right => mine - theirs,
            };
            (offdelta != 0).then_some((asset, offdelta))
        });
        let offdeltas = offdeltas.collect();
        Close { pair: self.pair, epoch: self.epoch, valid_until, offdeltas }
    }
}

/// What the chain has not counted of a word of an old epoch, and still takes.
pub(super) fn uncounted(view: &Chain, word: &Simplex, asset: usize) -> Amount {
    let Some(old) = view.old_epochs().get(&(word.pair, word.epoch)) else { return 0 };
    let asset = u32::try_from(asset).expect("few assets");
    let entry = word.entries.iter().find(|entry| entry.asset == asset);
    entry.map_or(0, |entry| old.uncounted(word.from, entry))
}
