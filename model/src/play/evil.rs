//! Dishonest parties: they run the honest machine and deviate. They keep all they ever saw.

use super::{
    env::Env,
    half::{HeldLock, Purpose, Transition},
    party::{Freeze, Incoming, IncomingState, Party},
    rng::Rng,
    wire::{Message, Update},
};
use crate::chain::{
    sign, Account, Ack, AssetId, Call, Clock, Close, Entry, Epoch, Evidence, Hash, Ours, Pair,
    Signed, Simplex, TwiceSigned, Withdrawal,
};

/// Takes money that ran away.
pub(super) const SINK: Account = 9;
/// Stands in line as a creditor, and speaks for evil parties as a third one.
pub(super) const ACCOMPLICE: Account = 8;

/// What an evil party does, and what it remembers.
#[derive(Clone, Debug)]
pub(super) struct Evil {
    pub withholds_acks: bool,
    pub settles_nothing: bool,
    pub withholds_secrets: bool,
    pub fails_then_reveals: bool,
    pub keeps_payments: bool,
    ignores_disputes: bool,
    stale_evidence: bool,
    fabricates: bool,
    goes_on_in_disputes: bool,
    reveals_late: bool,
    answers_last: bool,
    runs_away: bool,
    has_accomplice: bool,
    pub own_words: Vec<Signed<Simplex>>,
    pub their_words: Vec<Signed<Simplex>>,
    pub acks: Vec<Signed<Ack>>,
    pub proofs: Vec<(Account, Signed<Withdrawal>)>,
    pub closes: Vec<(Account, Signed<Close>)>,
    locks: Vec<(Account, Hash, Clock)>,
}

/// Own words, those of the partner, and acks.
type Hoard = (Vec<Signed<Simplex>>, Vec<Signed<Simplex>>, Vec<Signed<Ack>>);

impl Evil {
    pub fn new(rng: &mut Rng) -> Self {
        Self {
            withholds_acks: rng.chance(300),
            settles_nothing: rng.chance(400),
            withholds_secrets: rng.chance(350),
            fails_then_reveals: rng.chance(400),
            keeps_payments: rng.chance(300),
            ignores_disputes: rng.chance(400),
            stale_evidence: rng.chance(500),
            fabricates: rng.chance(500),
            goes_on_in_disputes: rng.chance(500),
            reveals_late: rng.chance(600),
            answers_last: rng.chance(300),
            runs_away: rng.chance(300),
            has_accomplice: rng.chance(300),
            own_words: vec![],
            their_words: vec![],
            acks: vec![],
            proofs: vec![],
            closes: vec![],
            locks: vec![],
        }
    }
}

/// One of the newest few, or nothing.
fn some<T: Clone>(rng: &mut Rng, list: &[T]) -> Option<T> {
    let newest = &list[list.len().saturating_sub(6)..];
    let index = rng.index(newest.len() + 1);
    newest.get(index).cloned()
}

impl Party {
    fn evil(&self) -> &Evil {
        self.evil.as_ref().expect("an evil party")
    }

    fn evil_mut(&mut self) -> &mut Evil {
        self.evil.as_mut().expect("an evil party")
    }

    /// What it remembers of one epoch: own words, those of the partner, acks.
    fn memory(&self, pair: Pair, epoch: Epoch) -> Hoard {
        let fits =
            |word: &&Signed<Simplex>| word.content().pair == pair && word.content().epoch == epoch;
        let evil = self.evil();
        let acks = evil
            .acks
            .iter()
            .filter(|ack| ack.content().0.pair == pair && ack.content().0.epoch == epoch);
        (
            evil.own_words.iter().filter(fits).cloned().collect(),
            evil.their_words.iter().filter(fits).cloned().collect(),
            acks.cloned().collect(),
        )
    }

    /// Evidence of a dispute: old, partial or made up.
    pub fn evidence_evilly(&mut self, env: &mut Env, partner: Account) -> Evidence {
        let (pair, epoch) = (self.peer(partner).pair, self.peer(partner).epoch);
        let (own, theirs, acks) = self.memory(pair, epoch);
        let stale = self.evil().stale_evidence;
        let newest = self.peer(partner).theirs_signed.clone();
        let theirs = if stale { some(&mut env.rng, &theirs) } else { newest };
        if self.evil().fabricates && env.rng.chance(500) {
            let simplex = self.fabricate(env, partner, &own);
            let acked = some(&mut env.rng, &acks);
            let acked = acked.filter(|ack| ack.content().0.nonce <= simplex.nonce);
            return Evidence { theirs, ours: Some(Ours::Unacked { simplex, acked }) };
        }
        let ours = if stale {
            some(&mut env.rng, &acks)
        } else {
            self.peer(partner).mine_acked.clone().filter(|_| env.rng.chance(500))
        };
        Evidence { theirs, ours: ours.map(Ours::Acked) }
    }

    /// An own simplex that nobody has seen: with an absurd nonce or that of another one, and with
    /// less, other or more in it.
    fn fabricate(&self, env: &mut Env, partner: Account, own: &[Signed<Simplex>]) -> Simplex {
        let peer = self.peer(partner);
        let newest = peer.mine.simplex(peer.pair, peer.epoch, peer.side);
        let mut simplex = match some(&mut env.rng, own) {
            Some(old) => old.content().clone(),
            None => newest.clone(),
        };
        match env.rng.index(5) {
            0 => simplex.nonce = u64::MAX,
            1 => simplex.nonce = newest.nonce,
            2 => simplex.nonce = newest.nonce + 1,
            3 => simplex.nonce = newest.nonce + env.rng.range(2, 1_000),
            _ => {},
        }
        for entry in &mut simplex.entries {
            match env.rng.index(5) {
                0 => entry.sent = 0,
                1 => entry.sent = entry.sent.saturating_sub(u128::from(env.rng.range(1, 100))),
                2 => entry.sent += u128::from(env.rng.range(1, 100)),
                _ => {},
            }
            if env.rng.chance(500) {
                entry.locks.clear();
            } else if env.rng.chance(300) {
                for lock in &mut entry.locks {
                    lock.expiry = lock.expiry.saturating_sub(env.rng.range(0, 20));
                }
            }
        }
        simplex.entries.retain(|entry| entry.sent > 0 || !entry.locks.is_empty());
        simplex
    }

    /// Answers a dispute: not at all, with old things, at the last moment, or as a third party.
    pub fn respond_evilly(&mut self, env: &mut Env, partner: Account) {
        let who = self.who;
        let (pair, epoch) = (self.peer(partner).pair, self.peer(partner).epoch);
        let head = env.head();
        let Some(dispute) = head.channel(pair).and_then(|channel| channel.dispute.clone()) else {
            return;
        };
        if self.evil().has_accomplice && env.rng.chance(200) {
            self.speak_as_third(env, pair, epoch);
        }
        if env.rng.chance(60) {
            let presented = dispute.presented(epoch);
            env.slip_in(who, Call::Accept { partner, presented });
        }
        let last = head.clock() + 1 >= dispute.resolve_at;
        if self.evil().answers_last && !last {
            return;
        }
        if self.evil().ignores_disputes && env.rng.chance(850) {
            return;
        }
        if self.peer(partner).countered == Some(head.block_number()) || env.rng.chance(300) {
            return;
        }
        let (_, theirs, acks) = self.memory(pair, epoch);
        let stale = self.evil().stale_evidence;
        let peer = self.peer_mut(partner);
        peer.countered = Some(head.block_number());
        let (theirs, ours) = if stale {
            (some(&mut env.rng, &theirs), some(&mut env.rng, &acks))
        } else {
            (peer.theirs_signed.clone(), peer.mine_acked.clone())
        };
        let evidence = Evidence { theirs, ours: ours.map(Ours::Acked) };
        env.slip_in(who, Call::Counter { partner, evidence });
    }

    /// Lets the accomplice bring simplexes that both have signed, old ones too.
    fn speak_as_third(&mut self, env: &mut Env, pair: Pair, epoch: Epoch) {
        let (own, theirs, acks) = self.memory(pair, epoch);
        let who = self.who;
        let mut simplexes = vec![];
        if let Some(ack) = some(&mut env.rng, &acks) {
            if let Some(simplex) = own.iter().find(|word| *word.content() == ack.content().0) {
                simplexes.push(TwiceSigned { simplex: simplex.clone(), ack });
            }
        }
        if let Some(simplex) = some(&mut env.rng, &theirs) {
            let ack = super::wire::acknowledge(who, simplex.content());
            simplexes.push(TwiceSigned { simplex, ack });
        }
        env.slip_in(ACCOMPLICE, Call::CounterFor { pair, simplexes });
    }

    /// Keeps secrets back, swallows locks. Returns whether the honest way is left.
    pub fn consider_lock_evilly(
        &mut self,
        env: &mut Env,
        from: Account,
        id: u64,
        lock: &HeldLock,
        path: &[Account],
    ) -> bool {
        self.evil_mut().locks.push((from, lock.hash, lock.expiry));
        let (withholds, fails) = (self.evil().withholds_secrets, self.evil().fails_then_reveals);
        if !path.is_empty() {
            return env.rng.chance(80);
        }
        if !withholds || !self.invoices.contains_key(&lock.hash) {
            return false;
        }
        let key = (from, self.peer(from).epoch, id);
        let (hash, expiry) = (lock.hash, lock.expiry);
        self.incoming.insert(key, Incoming { hash, expiry, state: IncomingState::Pending });
        if fails && env.rng.chance(600) {
            self.fail(env, from, id);
        }
        true
    }

    /// All that needs no occasion.
    pub fn tick_evilly(&mut self, env: &mut Env) {
        self.reveal_evilly(env);
        self.run_ahead(env);
        let who = self.who;
        for partner in self.partners() {
            self.trouble(env, partner);
        }
        if env.rng.chance(200) {
            if let Some((partner, proof)) = some(&mut env.rng, &self.evil().proofs.clone()) {
                env.slip_in(who, Call::Withdraw { partner, proof });
            }
        }
        if env.rng.chance(100) {
            if let Some((partner, close)) = some(&mut env.rng, &self.evil().closes.clone()) {
                env.slip_in(who, Call::Close { partner, close });
            }
        }
        if env.rng.chance(50) {
            if let Some(simplex) = some(&mut env.rng, &self.evil().their_words.clone()) {
                let (payer, epoch) = (simplex.by(), simplex.content().epoch);
                env.slip_in(who, Call::LateClaim { payer, epoch, simplex });
            }
        }
        self.move_money(env);
    }

    /// Publishes secrets at the worst moments.
    fn reveal_evilly(&mut self, env: &mut Env) {
        let (who, head) = (self.who, env.head());
        let locks = self.evil().locks.clone();
        for (_, hash, expiry) in locks.iter().rev().take(12) {
            let known = self.secrets.get(hash).or_else(|| env.leaked.get(hash)).copied();
            let secret = known.or_else(|| self.invoices.get(hash).map(|invoice| invoice.secret));
            let Some(secret) = secret else { continue };
            let left = expiry.saturating_sub(head.clock());
            if head.revealed(*hash).is_none() {
                let late = self.evil().reveals_late && left <= 2 && env.rng.chance(500);
                if late || env.rng.chance(10) {
                    env.slip_in(who, Call::Reveal { secrets: vec![secret] });
                }
            }
            let told = self.secrets.contains_key(hash);
            if !told && left <= 8 && env.rng.chance(150) {
                self.learn(env, secret);
            }
        }
    }

    /// Sees an honest dispute coming and is faster.
    fn run_ahead(&mut self, env: &mut Env) {
        let who = self.who;
        let coming = env.waiting().filter_map(|waiting| match &waiting.call {
            Call::Dispute { partner, .. } if *partner == who => Some(waiting.who),
            _ => None,
        });
        for partner in coming.collect::<Vec<_>>() {
            if self.peers.contains_key(&partner) && env.rng.chance(300) {
                self.dispute_evilly(env, partner);
            }
        }
    }

    fn dispute_evilly(&mut self, env: &mut Env, partner: Account) {
        let epoch = self.peer(partner).epoch;
        let evidence = self.evidence_evilly(env, partner);
        env.slip_in(self.who, Call::Dispute { partner, epoch, evidence });
    }

    /// Disputes for no reason, goes on in a dispute, breaks the rules of updates.
    fn trouble(&mut self, env: &mut Env, partner: Account) {
        let head = env.head();
        let pair = self.peer(partner).pair;
        let open = head.channel(pair).is_some_and(|channel| channel.dispute.is_some());
        let away = if env.away.contains(&partner) { 150 } else { 12 };
        if !open && env.rng.chance(away) {
            self.dispute_evilly(env, partner);
        }
        if open && self.evil().has_accomplice && env.rng.chance(100) {
            let epoch = self.peer(partner).epoch;
            self.speak_as_third(env, pair, epoch);
        }
        if open && self.evil().goes_on_in_disputes && env.rng.chance(300) && !env.ending {
            let frozen = std::mem::take(&mut self.peer_mut(partner).freeze);
            if env.rng.chance(600) {
                self.begin_locked(env, partner);
            } else {
                let amount = u128::from(env.rng.range(1, 50));
                let asset = env.rng.index(super::half::ASSETS);
                self.pay(env, partner, (asset, amount), Purpose::Direct);
            }
            self.peer_mut(partner).freeze = Freeze { ..frozen };
        }
        if !open && env.rng.chance(2) && !env.ending {
            self.overdraw(env, partner);
        }
    }

    /// Sends an update that it could not pay.
    fn overdraw(&mut self, env: &mut Env, partner: Account) {
        let (who, as_of) = (self.who, self.finalized.block_number());
        let peer = self.peer(partner);
        let mut next = peer.mine.clone();
        next.nonce += 1;
        next.sent[0] += 1_000_000;
        let update = Update {
            epoch: peer.epoch,
            nonce: next.nonce,
            changes: vec![Transition::Pay {
                asset: 0,
                amount: 1_000_000,
                purpose: Purpose::Direct,
            }],
            as_of,
            terms: peer.got_version,
            signed: sign(who, next.simplex(peer.pair, peer.epoch, peer.side)),
        };
        env.wire.send(who, partner, Message::Update(update));
    }

    /// Runs away with its balance, makes false debts to an accomplice, forgives.
    fn move_money(&mut self, env: &mut Env) {
        let (who, head) = (self.who, env.head());
        for (_, asset) in super::half::assets() {
            if self.evil().runs_away && env.rng.chance(100) {
                let amount = head.free(asset, who).saturating_sub(20);
                if amount > 0 {
                    env.slip_in(who, Call::Transfer { to: SINK, asset, amount });
                }
            }
            if self.evil().has_accomplice && env.rng.chance(15) {
                self.owe_falsely(env, asset);
            }
            if env.rng.chance(20) {
                let partners = self.partners();
                let debtor = *env.rng.pick(&partners);
                let debts = head.debts(debtor, asset).iter().find(|debt| debt.creditor == who);
                if let Some(debt) = debts {
                    let (opened_in, index) = (debt.opened_in, debt.index);
                    env.slip_in(who, Call::Forgive { debtor, asset, opened_in, index });
                }
            }
        }
    }

    fn owe_falsely(&mut self, env: &mut Env, asset: AssetId) {
        let Some(pair) = Pair::of(self.who, ACCOMPLICE) else { return };
        let from = pair.side_of(self.who).expect("one of them");
        let head = env.head();
        let entries = vec![Entry { asset, sent: 100_000, locks: vec![] }];
        let epoch = head.epoch(pair);
        let word = sign(self.who, Simplex { pair, epoch, from, nonce: 1, entries });
        let evidence = Evidence { theirs: Some(word), ours: None };
        env.slip_in(ACCOMPLICE, Call::Dispute { partner: self.who, epoch, evidence });
        if let Some(dispute) = head.channel(pair).and_then(|channel| channel.dispute.clone()) {
            let presented = dispute.presented(epoch);
            env.slip_in(self.who, Call::Accept { partner: ACCOMPLICE, presented });
        }
    }
}
