//! What a party does with messages.

use super::{
    env::Env,
    half::{Amounts, Fault, HeldLock, Purpose, Transition, ASSETS},
    party::{Decision, Incoming, IncomingState, OwedReturn, Party},
    wire::{Message, Update},
};
use crate::chain::{sign, Account, AssetId, Call, Close, Epoch, Item, Secret, Signed, Withdrawal};
use std::rc::Rc;

impl Party {
    /// Takes one message of a partner.
    pub fn receive(&mut self, env: &mut Env, from: Account, message: Message) {
        let epoch = self.peer(from).epoch;
        match message {
            Message::Update(update) => {
                self.peer_mut(from).held.push_back(update);
                self.take_held(env, from);
            },
            Message::Ack(ack) => {
                let peer = self.peer_mut(from);
                let acked = peer.mine_acked.as_ref().map_or(0, |ack| ack.content().0.nonce);
                let simplex = &ack.content().0;
                if simplex.epoch == epoch && ack.by() == from && simplex.nonce > acked {
                    let nonce = simplex.nonce;
                    peer.outbox.retain(|update| update.nonce > nonce);
                    peer.mine_acked = Some(ack.clone());
                    if let Some(evil) = &mut self.evil {
                        evil.acks.push(ack);
                    }
                }
            },
            Message::Fulfill { epoch: of, id, secret } => {
                let lock = self.peer(from).mine.locks.get(&id);
                if of == epoch && lock.is_some_and(|lock| lock.hash == secret.hash()) {
                    self.learn(env, secret);
                }
            },
            Message::Fail { epoch: of, id } => {
                if of == epoch {
                    self.peer_mut(from).fails_got.insert(id);
                }
            },
            Message::Terms { epoch: of, version, credit } => {
                let who = self.who;
                let peer = self.peer_mut(from);
                if of == epoch && version > peer.got_version {
                    (peer.got, peer.got_version) = (credit, version);
                    let nonce = peer.mine.nonce;
                    env.wire.send(who, from, Message::TermsAck { epoch, version, nonce });
                }
            },
            Message::TermsAck { epoch: of, version, nonce } => {
                let peer = self.peer_mut(from);
                if of == epoch && version > peer.floor.0 && version < peer.given.len() {
                    peer.floor = (version, nonce);
                }
            },
            Message::Proof { name, proof } => self.take_proof(from, name, proof),
            Message::Refused { epoch: of, name } => {
                if of == epoch {
                    self.peer_mut(from).refused_got.insert(name);
                }
            },
            Message::CloseSigned { close } => self.take_close(env, from, close),
            Message::Hello { epoch: of, received } => self.welcome(env, from, of, received),
            Message::HandOver { signed, updates } => self.take_over(from, signed, &updates),
        }
    }

    fn take_proof(&mut self, from: Account, name: u64, proof: Signed<Withdrawal>) {
        if let Some(evil) = &mut self.evil {
            evil.proofs.push((from, proof.clone()));
        }
        let peer = self.peer_mut(from);
        let withdrawal = proof.content();
        let fits = peer.mine.reserved.as_ref().is_some_and(|held| {
            held.name == name
                && held.withdrawal_nonce == withdrawal.nonce
                && held.valid_until == withdrawal.valid_until
        });
        if fits && proof.by() == from && withdrawal.epoch == peer.epoch {
            peer.proof = Some(proof);
        }
    }

    /// Agrees to a close if it says what this side has, too.
    fn take_close(&mut self, env: &mut Env, from: Account, signed: Signed<Close>) {
        let (who, clock) = (self.who, self.finalized.clock());
        if self.evil.is_some() && env.rng.chance(500) {
            if let Some(evil) = &mut self.evil {
                evil.closes.push((from, signed));
            }
            return;
        }
        let peer = self.peer_mut(from);
        let close = signed.content();
        let locks = !peer.mine.locks.is_empty() || !peer.theirs.locks.is_empty();
        let due = close.valid_until >= clock && close.valid_until <= clock + 30;
        let same = *close == peer.close(close.valid_until);
        if locks || !due || !same || peer.freeze.holds() || !peer.held.is_empty() {
            return;
        }
        peer.freeze.close = Some(close.valid_until);
        env.submit(who, Call::Close { partner: from, close: signed });
    }

    /// Goes through the updates that wait for the chain.
    pub fn take_held(&mut self, env: &mut Env, from: Account) {
        loop {
            let height = self.finalized.block_number();
            let current = self.finalized.epoch(self.peer(from).pair);
            let peer = self.peer_mut(from);
            let Some(next) = peer.held.front() else { return };
            if next.epoch > peer.epoch || (next.epoch == peer.epoch && next.as_of > height) {
                return;
            }
            let update = peer.held.pop_front().expect("seen above");
            let due = update.epoch == peer.epoch && update.nonce == peer.theirs.nonce + 1;
            // What comes with a gap or while frozen is sent again in the next session.
            if due && !peer.is_frozen(env) && peer.stuck.is_none() && current == peer.epoch {
                self.accept(env, from, update);
            }
        }
    }

    fn accept(&mut self, env: &mut Env, from: Account, update: Update) {
        let (who, height, view) = (self.who, env.height(), Rc::clone(&self.finalized));
        let peer = self.peer_mut(from);
        let (least, since) = peer.floor;
        let version = match (env.rules.terms_version, update.nonce > since) {
            (true, true) => update.terms.max(least),
            (true, false) => update.terms,
            (false, _) => least,
        };
        let credit = peer.given.get(version).copied().unwrap_or([0; ASSETS]);
        let next = check(env, peer, &view, credit, &update);
        let next = match next {
            Ok(next) => next,
            Err(fault) => {
                peer.stuck = Some(format!("{fault}: {:?}", update.changes));
                env.say(|| format!("{who} rejects {from}: {fault}: {:?}", update.changes));
                return;
            },
        };
        peer.theirs = next;
        peer.theirs_signed = Some(update.signed.clone());
        peer.ack_due.get_or_insert(height);
        if let Some(evil) = &mut self.evil {
            evil.their_words.push(update.signed);
        }
        for change in update.changes {
            self.consider(env, from, update.nonce, change);
        }
    }

    /// What an accepted transition asks for.
    fn consider(&mut self, env: &mut Env, from: Account, nonce: u64, change: Transition) {
        let epoch = self.peer(from).epoch;
        match change {
            Transition::Pay { asset, amount, purpose } => {
                self.received[asset] += amount;
                if let Purpose::Onward { name, path } = purpose {
                    self.pay_on(env, from, (asset, amount), name, path);
                }
            },
            Transition::Lock { id, lock, path } => self.consider_lock(env, from, id, &lock, &path),
            Transition::Settle { id, .. } => {
                let key = (from, epoch, id);
                if let Some(incoming) = self.incoming.get_mut(&key) {
                    incoming.state = IncomingState::Paid;
                }
            },
            Transition::Cancel { id } | Transition::Expire { id } => {
                if let Some(incoming) = self.incoming.get_mut(&(from, epoch, id)) {
                    incoming.state = IncomingState::Dead;
                }
            },
            Transition::Reserve { .. } => self.decide(env, from, nonce),
            Transition::Unreserve { .. } => {},
        }
    }

    /// Pays a plain payment on, or back.
    pub fn pay_on(
        &mut self,
        env: &mut Env,
        from: Account,
        (asset, amount): (usize, u128),
        name: u64,
        mut path: Vec<Account>,
    ) {
        if self.evil.as_ref().is_some_and(|evil| evil.keeps_payments) {
            return;
        }
        let done = if path.is_empty() || amount < 2 {
            false
        } else {
            let next = path.remove(0);
            let purpose = if path.is_empty() {
                Purpose::Delivery { name }
            } else {
                Purpose::Onward { name, path }
            };
            self.peers.contains_key(&next) && self.pay(env, next, (asset, amount - 1), purpose)
        };
        if done {
            env.count("plain payments forwarded");
        } else {
            self.returns.push(OwedReturn { to: from, asset, amount, name });
        }
    }

    /// Tries to pay back what could not be delivered.
    pub fn pay_back(&mut self, env: &mut Env) {
        for owed in std::mem::take(&mut self.returns) {
            let purpose = Purpose::Return { name: owed.name };
            if !self.pay(env, owed.to, (owed.asset, owed.amount), purpose) {
                self.returns.push(owed);
            }
        }
    }

    fn decide(&mut self, env: &mut Env, from: Account, name: u64) {
        if self.evil.is_some() && env.rng.chance(300) {
            return;
        }
        let (who, view) = (self.who, Rc::clone(&self.finalized));
        let peer = self.peer_mut(from);
        let held = peer.theirs.reserved.clone().filter(|held| held.name == name);
        let Some(held) = held else { return };
        let channel = view.channel(peer.pair);
        let side = peer.side.other();
        let due = channel.map_or(0, |channel| channel.withdrawal_nonces[side.index()]);
        let collateral = |asset| super::half::collateral(&view, peer.pair, asset).0;
        let insured = (0..ASSETS)
            .all(|asset| !env.rules.own_money || held.amounts[asset] <= collateral(asset));
        let epoch = peer.epoch;
        if held.withdrawal_nonce != due || !insured || env.rng.chance(200) {
            peer.decisions.insert(name, Decision::Refused);
            peer.refused_sent.insert(name);
            env.wire.send(who, from, Message::Refused { epoch, name });
            return;
        }
        let items = (0..ASSETS).filter(|asset| held.amounts[*asset] > 0);
        let items = items.map(|asset| Item {
            asset: AssetId::try_from(asset).expect("few assets"),
            amount: held.amounts[asset],
            max_from_balance: 0,
        });
        let withdrawal = Withdrawal {
            pair: peer.pair,
            epoch,
            to: side,
            nonce: due,
            valid_until: held.valid_until,
            items: items.collect(),
        };
        let proof = sign(who, withdrawal);
        peer.decisions.insert(name, Decision::Proof(proof.clone()));
        env.wire.send(who, from, Message::Proof { name, proof });
    }

    fn consider_lock(
        &mut self,
        env: &mut Env,
        from: Account,
        id: u64,
        lock: &HeldLock,
        path: &[Account],
    ) {
        if self.evil.is_some() && self.consider_lock_evilly(env, from, id, lock, path) {
            return;
        }
        if env.rules.fresh_best && env.height() > self.best.block_number() + env.numbers.view + 1 {
            self.fail(env, from, id);
            return;
        }
        let clock = self.watched(env).clock();
        let key = (from, self.peer(from).epoch, id);
        let (hash, expiry) = (lock.hash, lock.expiry);
        let incoming = Incoming { hash, expiry, state: IncomingState::Pending };
        let Some((next, rest)) = path.split_first() else {
            let asked = self.invoices.get(&hash).filter(|invoice| {
                invoice.asset == lock.asset
                    && invoice.amount == lock.amount
                    && expiry >= clock + env.numbers.final_min
            });
            match asked.map(|invoice| invoice.secret) {
                Some(secret) if self.seen_hashes.insert(hash) => {
                    self.received[lock.asset] += lock.amount;
                    self.incoming.insert(key, incoming);
                    env.count("locked payments received");
                    self.learn(env, secret);
                },
                _ => self.fail(env, from, id),
            }
            return;
        };
        let out_expiry = expiry.saturating_sub(env.numbers.margin);
        let open = self.peers.get(next).is_some_and(|peer| !peer.freeze.holds());
        let good = open
            && *next != from
            && lock.amount > 1
            && !self.seen_hashes.contains(&hash)
            && out_expiry >= clock + env.numbers.final_min
            && !self.peer(from).freeze.holds();
        if !good {
            self.fail(env, from, id);
            return;
        }
        let (out_id, out_epoch) = (self.peer(*next).next_lock, self.peer(*next).epoch);
        let out = HeldLock { asset: lock.asset, amount: lock.amount - 1, hash, expiry: out_expiry };
        let change = Transition::Lock { id: out_id, lock: out, path: rest.to_vec() };
        if self.update(env, *next, vec![change]) {
            self.peer_mut(*next).next_lock += 1;
            self.seen_hashes.insert(hash);
            self.incoming.insert(key, incoming);
            self.onward.insert((*next, out_epoch, out_id), key);
            env.count("locks forwarded");
        } else {
            self.fail(env, from, id);
        }
    }

    /// Tells the payer that a lock will not be paid on; never after a Fulfill.
    pub fn fail(&mut self, env: &mut Env, partner: Account, id: u64) {
        let who = self.who;
        let peer = self.peer_mut(partner);
        if !peer.fulfilled.contains_key(&id) && peer.fails_sent.insert(id) {
            env.wire.send(who, partner, Message::Fail { epoch: peer.epoch, id });
        }
    }

    /// Knows a secret: tells it to those who have locked for it.
    pub fn learn(&mut self, env: &mut Env, secret: Secret) {
        let (who, hash) = (self.who, secret.hash());
        self.secrets.insert(hash, secret);
        let waiting = self.incoming.iter().filter(|(_, incoming)| {
            incoming.hash == hash && incoming.state == IncomingState::Pending
        });
        let keys: Vec<_> = waiting.map(|(key, _)| *key).collect();
        for (partner, epoch, id) in keys {
            let peer = self.peer_mut(partner);
            let told = peer.fulfilled.contains_key(&id) || peer.fails_sent.contains(&id);
            if peer.epoch == epoch && !told {
                peer.fulfilled.insert(id, secret);
                env.wire.send(who, partner, Message::Fulfill { epoch, id, secret });
            }
        }
    }

    /// Begins a session.
    pub fn hello(&mut self, env: &mut Env, partner: Account) {
        let who = self.who;
        let peer = self.peer_mut(partner);
        let epoch = peer.epoch;
        peer.held.retain(|update| update.epoch > epoch);
        let message = Message::Hello { epoch, received: peer.theirs.nonce };
        env.wire.send(who, partner, message);
    }

    /// Answers the beginning of a session with all that the partner may miss.
    fn welcome(&mut self, env: &mut Env, from: Account, epoch: Epoch, received: u64) {
        let who = self.who;
        let peer = &self.peers[&from];
        if peer.epoch != epoch {
            return;
        }
        for update in peer.outbox.iter().filter(|update| update.nonce > received) {
            env.wire.send(who, from, Message::Update(update.clone()));
        }
        if let Some(simplex) = peer.theirs_signed.as_ref().map(Signed::content) {
            if peer.acked == simplex.nonce {
                let ack = super::wire::acknowledge(who, simplex);
                env.wire.send(who, from, Message::Ack(ack));
            }
        }
        if let Some(credit) = peer.given.last().filter(|_| peer.given.len() > 1) {
            let message = Message::Terms { epoch, version: peer.given.len() - 1, credit: *credit };
            env.wire.send(who, from, message);
        }
        if env.rules.repeat_decisions {
            for id in &peer.fails_sent {
                env.wire.send(who, from, Message::Fail { epoch, id: *id });
            }
            for (id, secret) in &peer.fulfilled {
                let message = Message::Fulfill { epoch, id: *id, secret: *secret };
                env.wire.send(who, from, message);
            }
            for (name, decision) in &peer.decisions {
                let message = match decision.clone() {
                    Decision::Proof(proof) => Message::Proof { name: *name, proof },
                    Decision::Refused => Message::Refused { epoch, name: *name },
                };
                env.wire.send(who, from, message);
            }
        }
        self.hand_over(env, from);
    }
}

/// Judges an update on a copy.
fn check(
    env: &Env,
    peer: &super::party::Peer,
    view: &crate::chain::Chain,
    credit: Amounts,
    update: &Update,
) -> Result<super::half::Half, Fault> {
    let mut next = peer.theirs.clone();
    for change in &update.changes {
        next.apply(&peer.mine, change, &peer.judge_theirs(env, view, credit))?;
    }
    next.nonce += 1;
    let side = peer.side.other();
    let expected = next.simplex(peer.pair, peer.epoch, side);
    if *update.signed.content() != expected || update.signed.by() != peer.partner {
        return Err("signed something else");
    }
    Ok(next)
}
