//! What a party does at each block that it sees.

use super::{
    env::Env,
    half::{in_time, is_expired, Transition},
    handover::{Ended, Left},
    party::{uncounted, IncomingState, LockKey, OldWord, Party, Peer},
};
use crate::chain::{
    Account, AssetId, Call, Chain, Clock, Evidence, Mode, Ours, Standing, Stored, Verdict,
};
use std::rc::Rc;

/// Usable blocks that a payee waits after an expiry before it disputes for a lock that counts.
const PATIENCE: Clock = 3;

impl Party {
    /// Looks at the chain, then does what is due.
    pub fn tick(&mut self, env: &mut Env) {
        self.look(env);
        let watched = self.watched(env);
        for hash in watched.secrets().keys() {
            let wanted = self
                .incoming
                .values()
                .any(|incoming| incoming.hash == *hash && incoming.state == IncomingState::Pending);
            let owed = self
                .peers
                .values()
                .any(|peer| peer.mine.locks.values().any(|lock| lock.hash == *hash));
            if wanted || owed {
                // A hash in the registry is a secret that everybody can read.
                self.learn(env, crate::chain::Secret(hash.0));
            }
        }
        for partner in self.partners() {
            self.tick_peer(env, partner);
        }
        self.enforce(env, &watched);
        if env.rules.late_claims {
            self.claim_late(env);
        }
        self.use_handed_over(env);
        self.pay_back(env);
        if self.evil.is_some() {
            self.tick_evilly(env);
        }
    }

    fn look(&mut self, env: &mut Env) {
        self.best = env.head();
        let lag = usize::from(env.rng.chance(150));
        let (index, finalized) = env.finalized(lag);
        if !env.rules.as_of_monotone {
            let further = usize::from(env.rng.chance(100)) * 2;
            let (index, finalized) = env.finalized(lag + further);
            (self.finalized_index, self.finalized) = (index, finalized);
        } else if index >= self.finalized_index {
            (self.finalized_index, self.finalized) = (index, finalized);
        }
    }

    fn tick_peer(&mut self, env: &mut Env, partner: Account) {
        self.watch(env, partner);
        if self.finalized.epoch(self.peer(partner).pair) > self.peer(partner).epoch {
            self.begin_epoch(env, partner);
        }
        self.take_held(env, partner);
        if self.peer(partner).freeze.holds() {
            return;
        }
        if self.peer(partner).stuck.is_some() {
            // The protocol leaves it to the operator: this one disputes at once.
            self.start(env, partner);
            return;
        }
        let height = env.height();
        let due = self.peer(partner).ack_due;
        if due.is_some_and(|since| height >= since + env.numbers.ack_delay) {
            self.ack(env, partner);
        }
        self.tend_locks(env, partner);
        self.tend_reservation(env, partner);
    }

    /// Freezes when the best block shows a dispute or the end of the epoch, and thaws when that is
    /// gone for good; answers disputes; sends an own dispute again that did not get in.
    fn watch(&mut self, env: &mut Env, partner: Account) {
        let watched = self.watched(env);
        let (finalized, height) = (Rc::clone(&self.finalized), env.height());
        let who = self.who;
        let peer = self.peer_mut(partner);
        let dispute = watched.channel(peer.pair).and_then(|channel| channel.dispute.clone());
        let current = watched.epoch(peer.pair) == peer.epoch;
        if dispute.is_some() || watched.epoch(peer.pair) > peer.epoch {
            peer.freeze.seen = Some(watched.block_number());
        } else if let Some(seen) = peer.freeze.seen {
            let calm = finalized.channel(peer.pair).is_none_or(|channel| channel.dispute.is_none())
                && finalized.epoch(peer.pair) == peer.epoch;
            if calm && (finalized.block_number() >= seen || !env.rules.thaw_final) {
                peer.freeze.seen = None;
                env.count("thawed after a reorganisation");
                if !peer.freeze.holds() {
                    self.hello(env, partner);
                }
            }
        }
        let peer = self.peer_mut(partner);
        if peer.freeze.close.is_some_and(|until| finalized.clock() > until)
            && finalized.epoch(peer.pair) == peer.epoch
        {
            peer.freeze.close = None;
            if !peer.freeze.holds() {
                self.hello(env, partner);
            }
        }
        match dispute.filter(|_| current) {
            Some(dispute) if dispute.verdict != Verdict::Open => {},
            Some(dispute) if dispute.starter != self.peer(partner).side => {
                self.respond(env, partner, &watched, &dispute.stored);
            },
            Some(_) => {},
            None => {
                let wait = env.numbers.inclusion + env.numbers.reinclusion + 2;
                let peer = self.peer_mut(partner);
                let lost = peer.submitted.is_some_and(|sent| height > sent + wait);
                if peer.freeze.own && current && lost && env.rules.resend_calls {
                    peer.submitted = Some(height);
                    let epoch = peer.epoch;
                    let evidence = self.evidence(env, partner);
                    env.count("own disputes sent again");
                    env.submit(who, Call::Dispute { partner, epoch, evidence });
                }
            },
        }
    }

    /// Brings what is newer than what a dispute shows.
    fn respond(
        &mut self,
        env: &mut Env,
        partner: Account,
        watched: &Chain,
        stored: &[Option<Stored>; 2],
    ) {
        if self.evil.is_some() {
            self.respond_evilly(env, partner);
            return;
        }
        let (who, height) = (self.who, env.height());
        let peer = self.peer(partner);
        let theirs = peer.theirs_signed.clone().filter(|word| {
            let word = word.content();
            stored[peer.side.other().index()].as_ref().is_none_or(|stored| match stored.standing {
                Standing::Final => word.nonce > stored.simplex.nonce,
                Standing::Unacked { floor } => {
                    // The newest word is brought even in vain: it raises the floor (A10).
                    let raises = env.numbers.a10 == 2 && word.nonce > floor;
                    let gains = !env.rules.counter_gains || gains(word, &stored.simplex);
                    let higher = word.nonce > stored.simplex.nonce;
                    higher || raises || (word.nonce >= floor && *word != stored.simplex && gains)
                },
            })
        });
        let ours = peer.mine_acked.clone().filter(|ack| {
            let stored = stored[peer.side.index()].as_ref();
            stored.is_none_or(|stored| ack.content().0.nonce > stored.simplex.nonce)
        });
        let sent = peer.countered;
        let again = env.rules.resend_calls
            && sent.is_some_and(|sent| height > sent + env.numbers.inclusion);
        if (theirs.is_none() && ours.is_none()) || !(sent.is_none() || again) {
            return;
        }
        env.say(|| format!("{who} counters {partner} at watched clock {}", watched.clock()));
        let evidence = Evidence { theirs, ours: ours.map(Ours::Acked) };
        self.peer_mut(partner).countered = Some(height);
        env.submit(who, Call::Counter { partner, evidence });
    }

    /// Settles, cancels and expires own locks; fails what is dead.
    fn tend_locks(&mut self, env: &mut Env, partner: Account) {
        let finalized = Rc::clone(&self.finalized);
        let locks = self.peer(partner).mine.locks.clone();
        for (id, lock) in locks {
            let key = (partner, self.peer(partner).epoch, id);
            let secret = self.secrets.get(&lock.hash).copied();
            if let Some(secret) = secret.filter(|_| self.may_settle(env, key, lock.expiry)) {
                self.update(env, partner, vec![Transition::Settle { id, secret }]);
            } else if self.peer(partner).fails_got.contains(&id) {
                self.update(env, partner, vec![Transition::Cancel { id }]);
            } else if is_expired(&finalized, &lock) {
                self.update(env, partner, vec![Transition::Expire { id }]);
            }
        }
        let peer = self.peer_mut(partner);
        let acked = peer.mine_acked.as_ref().map_or(0, |ack| ack.content().0.nonce);
        let dead: Vec<u64> = peer
            .dropped
            .iter()
            .filter(|(_, (nonce, lock))| {
                let expired = env.rules.expired_dead && is_expired(&finalized, lock);
                acked >= *nonce || expired || !env.rules.cancel_acked
            })
            .map(|(id, _)| *id)
            .collect();
        let epoch = peer.epoch;
        for id in dead {
            self.peer_mut(partner).dropped.remove(&id);
            self.fail_inward(env, (partner, epoch, id));
        }
    }

    /// Fails the incoming lock of an onward one that is dead.
    fn fail_inward(&mut self, env: &mut Env, out: LockKey) {
        let Some(key) = self.onward.remove(&out) else { return };
        let (partner, epoch, id) = key;
        if let Some(incoming) = self.incoming.get_mut(&key) {
            if incoming.state == IncomingState::Pending {
                incoming.state = IncomingState::Dead;
                if self.peer(partner).epoch == epoch {
                    self.fail(env, partner, id);
                }
            }
        }
    }

    /// Whether an own lock may be settled with a secret that is known.
    fn may_settle(&mut self, env: &mut Env, out: LockKey, expiry: Clock) -> bool {
        if self.evil.as_ref().is_some_and(|evil| evil.settles_nothing) && env.rng.chance(950) {
            return false;
        }
        let hash = self.peer(out.0).mine.locks[&out.2].hash;
        let watched = self.watched(env);
        let shown = if env.rules.final_reveal { &self.finalized } else { &watched };
        let on_chain = in_time(shown, hash, expiry);
        let Some(inward) = self.onward.get(&out) else {
            return watched.clock() <= expiry || on_chain;
        };
        let Some(incoming) = self.incoming.get(inward) else { return on_chain };
        match incoming.state {
            IncomingState::Paid => true,
            IncomingState::Dead => on_chain,
            IncomingState::Pending => {
                let early = watched.clock() + env.numbers.act <= incoming.expiry;
                (!env.rules.cutoff && watched.clock() <= expiry) || early || on_chain
            },
        }
    }

    fn tend_reservation(&mut self, env: &mut Env, partner: Account) {
        let (who, height, finalized) = (self.who, env.height(), Rc::clone(&self.finalized));
        let best = self.best.clock();
        let peer = self.peer(partner);
        let Some(held) = peer.mine.reserved.clone() else { return };
        let channel = finalized.channel(peer.pair);
        let due = channel.map_or(0, |channel| channel.withdrawal_nonces[peer.side.index()]);
        let impatient = !env.rules.refusals && peer.proof.is_none() && height > peer.asked_at + 4;
        let over = finalized.clock() > held.valid_until
            || due > held.withdrawal_nonce
            || peer.refused_got.contains(&held.name)
            || impatient;
        if over {
            let change = Transition::Unreserve { name: held.name };
            if self.update(env, partner, vec![change]) {
                self.peer_mut(partner).proof = None;
            }
            return;
        }
        let wait = env.numbers.inclusion + env.numbers.reinclusion;
        let early = best + 7 <= held.valid_until;
        let fresh = peer.withdrawn.is_none_or(|sent| height > sent + wait);
        let Some(proof) = peer.proof.clone().filter(|_| early && fresh) else { return };
        self.peer_mut(partner).withdrawn = Some(height);
        let withdraw = Call::Withdraw { partner, proof };
        let others: Vec<_> = self.partners().into_iter().filter(|p| *p != partner).collect();
        if others.is_empty() || env.rng.chance(300) {
            env.submit(who, withdraw);
            return;
        }
        // A rebalance: what the spender lets go insures a receiver, in one batch.
        let receiver = *env.rng.pick(&others);
        let epoch = finalized.epoch(self.peer(receiver).pair);
        let mut actions = vec![withdraw];
        for (index, asset) in super::half::assets() {
            let amount = held.amounts[index];
            if amount > 0 {
                let epoch = env.rules.bind_epoch.then_some(epoch);
                // On the hub's own side: the receiver's claim becomes insured, nobody owns more.
                let (beneficiary, partner) = (who, receiver);
                actions.push(Call::Deposit { asset, amount, beneficiary, partner, epoch });
            }
        }
        env.submit(who, Call::Batch { actions, mode: Mode::Atomic });
    }

    /// What a dispute brings.
    pub fn evidence(&mut self, env: &mut Env, partner: Account) -> Evidence {
        if self.evil.is_some() {
            return self.evidence_evilly(env, partner);
        }
        let peer = self.peer(partner);
        let acked = peer.mine_acked.clone();
        let floor = acked.as_ref().map_or(0, |ack| ack.content().0.nonce);
        let newest = peer.own_simplex().filter(|own| env.rules.post_unacked && own.nonce > floor);
        let ours = match newest {
            Some(simplex) => Some(Ours::Unacked { simplex, acked }),
            None => acked.map(Ours::Acked),
        };
        Evidence { theirs: peer.theirs_signed.clone(), ours }
    }

    /// Begins a dispute with all that this party has, unless there is one.
    pub fn start(&mut self, env: &mut Env, partner: Account) {
        if let Some((epoch, evidence)) = self.dispute_call(env, partner) {
            env.submit(self.who, Call::Dispute { partner, epoch, evidence });
        }
    }

    /// Freezes for an own dispute and returns what it says.
    fn dispute_call(&mut self, env: &mut Env, partner: Account) -> Option<(u32, Evidence)> {
        let (who, height, watched) = (self.who, env.height(), self.watched(env));
        let peer = self.peer(partner);
        let channel = watched.channel(peer.pair);
        let open = channel.is_some_and(|channel| channel.dispute.is_some());
        let moved = watched.epoch(peer.pair) != peer.epoch;
        let rows = channel.is_some_and(|channel| !channel.rows.is_empty());
        let said = peer.mine.nonce > 0 || peer.theirs.nonce > 0;
        if peer.freeze.own || open || moved || !(rows || said) {
            return None;
        }
        env.say(|| format!("{who} starts a dispute with {partner}"));
        let evidence = self.evidence(env, partner);
        let peer = self.peer_mut(partner);
        (peer.freeze.own, peer.submitted) = (true, Some(height));
        Some((peer.epoch, evidence))
    }

    /// Reveals in time what a payer has not settled, and disputes afterwards.
    fn enforce(&mut self, env: &mut Env, watched: &Chain) {
        if self.evil.is_some() && env.rng.chance(500) {
            return;
        }
        let (who, height) = (self.who, env.height());
        let pending = self
            .incoming
            .iter()
            .filter(|(_, incoming)| incoming.state == IncomingState::Pending)
            .map(|(key, incoming)| (*key, incoming.clone()));
        for ((partner, epoch, _), incoming) in pending.collect::<Vec<_>>() {
            let Some(secret) = self.secrets.get(&incoming.hash).copied() else { continue };
            let act = if env.rules.act_margin { env.numbers.act } else { 1 };
            let clock = watched.clock();
            if watched.revealed(incoming.hash).is_none() {
                let sent = self.revealed_in.get(&incoming.hash);
                let due = clock + act >= incoming.expiry && clock <= incoming.expiry;
                let again = env.rules.resend_calls
                    && sent.is_some_and(|sent| height > sent + env.numbers.inclusion);
                if !due || !(sent.is_none() || again) {
                    continue;
                }
                self.revealed_in.insert(incoming.hash, height);
                let reveal = Call::Reveal { secrets: vec![secret] };
                let started =
                    if env.rules.reveal_alone { None } else { self.dispute_call(env, partner) };
                if let Some((epoch, evidence)) = started {
                    let dispute = Call::Dispute { partner, epoch, evidence };
                    let actions = vec![reveal, dispute];
                    env.submit(who, Call::Batch { actions, mode: Mode::Atomic });
                } else {
                    env.submit(who, reveal);
                }
            } else if epoch == self.peer(partner).epoch
                && in_time(&self.finalized, incoming.hash, incoming.expiry)
                && clock > incoming.expiry + PATIENCE
            {
                self.start(env, partner);
            }
        }
    }

    /// Ends what belongs to the old epoch, and begins the new one.
    fn begin_epoch(&mut self, env: &mut Env, partner: Account) {
        let finalized = Rc::clone(&self.finalized);
        let epoch = finalized.epoch(self.peer(partner).pair);
        let mut old = Peer::new(self.who, partner, epoch);
        std::mem::swap(&mut old, self.peer_mut(partner));
        let who = self.who;
        env.say(|| format!("{who} begins epoch {epoch} with {partner}"));
        self.peer_mut(partner).held =
            old.held.iter().filter(|update| update.epoch >= epoch).cloned().collect();
        if let (true, Some(signed)) = (env.rules.late_claims, old.theirs_signed.clone()) {
            self.old.push(OldWord { partner, signed, next: 0 });
        }
        if env.rules.hand_over {
            let updates = std::mem::take(&mut old.outbox);
            if let Some(own) = old.own_simplex().filter(|_| !updates.is_empty()) {
                let signed = crate::chain::sign(who, own);
                self.left.push(Left { partner, signed, updates });
            }
            self.ended.push(Ended { partner, epoch: old.epoch, theirs: old.theirs.clone() });
        }
        for ((with, of, _), incoming) in &mut self.incoming {
            if *with == partner && *of < epoch && incoming.state == IncomingState::Pending {
                let paid = in_time(&finalized, incoming.hash, incoming.expiry);
                incoming.state = if paid { IncomingState::Paid } else { IncomingState::Dead };
            }
        }
        let dropped = old.dropped.into_iter().map(|(id, (_, lock))| (id, lock));
        for (id, lock) in old.mine.locks.into_iter().chain(dropped) {
            if !in_time(&finalized, lock.hash, lock.expiry) {
                self.fail_inward(env, (partner, old.epoch, id));
            }
        }
        // A default credit opens again only when nothing is owed.
        let most = self.credits.get(&partner).copied().unwrap_or_default();
        self.set_credit(env, partner, most);
        self.hello(env, partner);
    }

    /// Claims what resolved disputes have not counted.
    fn claim_late(&mut self, env: &mut Env) {
        let (who, finalized, clock) = (self.who, Rc::clone(&self.finalized), self.best.clock());
        let open = |old: &OldWord, asset| uncounted(&finalized, old.signed.content(), asset);
        self.old.retain(|old| (0..super::half::ASSETS).any(|asset| open(old, asset) > 0));
        for old in &mut self.old {
            if clock >= old.next {
                old.next = clock + 10;
                let simplex = old.signed.clone();
                let (payer, epoch) = (old.partner, simplex.content().epoch);
                env.submit(who, Call::LateClaim { payer, epoch, simplex });
            }
        }
    }
}

/// Whether `word` may give its receiver more than `stored` does: what a responder looks at before
/// it brings an older one.
pub(super) fn gains(word: &crate::chain::Simplex, stored: &crate::chain::Simplex) -> bool {
    let more = |(_, asset): (usize, AssetId)| {
        let held = stored.entry(asset).map(|entry| entry.locks.as_slice()).unwrap_or_default();
        let locks = word.entry(asset).map(|entry| entry.locks.as_slice()).unwrap_or_default();
        let lost: u128 =
            locks.iter().filter(|lock| !held.contains(lock)).map(|lock| lock.amount).sum();
        word.sent(asset) + lost > stored.sent(asset)
    };
    super::half::assets().any(more)
}
