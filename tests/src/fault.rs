//! Faults on purpose: what a party with one does not do, or does wrong.
//!
//! The party itself is honest; what leaves it is not what it should be. So its partners meet real
//! messages of the protocol, with some of them missing, late or old. Only `failsafe-faulty` has
//! them.

use failsafe_channel::{Channel, Message, Transition};
use failsafe_hub::{
    chain::{submit::Record, Call},
    party::{changed_channels, core::Action, Interceptor},
    store::Batch,
};
use failsafe_primitives::{AccountId, Epoch, Nonce};
use rand::{rngs::StdRng, Rng, SeedableRng};
use rustix::process::{getpid, kill_process, Signal};
use sp_runtime::MultiSignature;
use std::{
    collections::BTreeMap,
    str::FromStr,
    time::{Duration, Instant},
};

/// What a party does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It acknowledges nothing.
    DontAck,
    /// It does not settle its locks: neither when it is told their secrets nor when the chain has
    /// them. What it has to say after that does not leave either, for it would not fit.
    DontSettle,
    /// It tells no secret, neither to its partner nor to the chain.
    DontReveal,
    /// It answers no request for a withdrawal proof.
    DontWithdraw,
    /// It disputes and counters with the oldest state that it had, instead of the newest.
    OldestState,
    /// It brings withdrawals to the chain with damaged proofs of every partner but one: the first in
    /// the batch keeps its own.
    SpoilProof,
    /// It loses so many of a hundred messages, with the session and all that is behind them in it.
    Drop(u8),
    /// So many of a hundred messages leave after some that were to follow them in the session.
    Reorder(u8),
    /// Its messages leave so many milliseconds late.
    Delay(u64),
    /// It is killed right before this commit, counted from 1.
    StopBeforeCommit(u64),
    /// It is killed right after this commit, before anything that follows from it.
    StopAfterCommit(u64),
}

/// The names under which the program takes them, for its help and its errors.
pub const NAMES: &str = "dont-ack, dont-settle, dont-reveal, dont-withdraw, oldest-state, \
    spoil-proof, drop=N%, reorder=N%, delay=MS, stop-before-commit=N, stop-after-commit=N";

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("{text:?} is no fault: expected one of {NAMES}");
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let number = |least: u64, most: u64| {
            let value = value.unwrap_or_default();
            let number: u64 = value.trim_end_matches('%').parse().map_err(|_| unknown())?;
            let bounds = || format!("{name} takes a number from {least} to {most}");
            (least..=most).contains(&number).then_some(number).ok_or_else(bounds)
        };
        let percent = || u8::try_from(number(1, 100)?).map_err(|e| e.to_string());
        let fault = match name {
            "drop" => return Ok(Self::Drop(percent()?)),
            "reorder" => return Ok(Self::Reorder(percent()?)),
            "delay" => return Ok(Self::Delay(number(1, 60_000)?)),
            "stop-before-commit" => return Ok(Self::StopBeforeCommit(number(1, u64::MAX)?)),
            "stop-after-commit" => return Ok(Self::StopAfterCommit(number(1, u64::MAX)?)),
            "dont-ack" => Self::DontAck,
            "dont-settle" => Self::DontSettle,
            "dont-reveal" => Self::DontReveal,
            "dont-withdraw" => Self::DontWithdraw,
            "oldest-state" => Self::OldestState,
            "spoil-proof" => Self::SpoilProof,
            _ => return Err(unknown()),
        };
        match value {
            None => Ok(fault),
            Some(_) => Err(format!("{name} takes no number")),
        }
    }
}

/// A party's faults, and what they have to remember.
pub struct Faulty {
    faults: Vec<Fault>,
    rng: StdRng,
    commits: u64,
    /// Per partner and epoch the first state in which something was signed.
    oldest: BTreeMap<(AccountId, Epoch), Channel>,
    /// From which own nonce on nothing leaves for a partner, because a settlement did not.
    silent: BTreeMap<AccountId, (Epoch, Nonce)>,
    /// What leaves later.
    late: Vec<(Instant, Action)>,
    /// Ends the process.
    kill: fn(),
}

impl Faulty {
    /// With these faults. What is by chance follows from `seed`.
    pub fn new(faults: Vec<Fault>, seed: u64) -> Self {
        Self {
            faults,
            rng: StdRng::seed_from_u64(seed),
            commits: 0,
            oldest: BTreeMap::new(),
            silent: BTreeMap::new(),
            late: vec![],
            kill: || {
                // As `kill -9` does. If even that fails, the fault must not pass for none.
                if kill_process(getpid(), Signal::KILL).is_err() {
                    std::process::abort();
                }
            },
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// What becomes of a message; `None`: it does not leave.
    fn message(&mut self, partner: &AccountId, message: Message) -> Option<Message> {
        match message {
            Message::Ack { .. } if self.has(Fault::DontAck) => None,
            Message::Fulfill { .. } if self.has(Fault::DontReveal) => None,
            Message::Proof { .. } | Message::Refused { .. } if self.has(Fault::DontWithdraw) => {
                None
            },
            Message::Update(mut update) => {
                if self.has(Fault::DontAck) {
                    update.ack = None;
                }
                let is_settle = |made: &Transition| matches!(made, Transition::Settle { .. });
                let settles =
                    self.has(Fault::DontSettle) && update.transitions.iter().any(is_settle);
                let (epoch, nonce) = (update.epoch, update.base_nonce);
                if settles {
                    let from = self.silent.entry(partner.clone()).or_insert((epoch, nonce));
                    if from.0 != epoch {
                        *from = (epoch, nonce);
                    }
                }
                let silent = self.silent.get(partner);
                let unfit = silent.is_some_and(|(of, from)| *of == epoch && nonce >= *from);
                (!unfit).then_some(Message::Update(update))
            },
            other => Some(other),
        }
    }

    /// What becomes of a call; `None`: it does not leave.
    fn call(&self, mut record: Record) -> Option<Record> {
        match &mut record.call {
            Call::Reveal { .. } if self.has(Fault::DontReveal) => return None,
            Call::Dispute { partner, epoch, evidence } if self.has(Fault::OldestState) => {
                if let Some(oldest) = self.oldest.get(&(partner.clone(), *epoch)) {
                    *evidence = oldest.evidence();
                }
            },
            Call::Counter { partner, evidence } if self.has(Fault::OldestState) => {
                // A dispute is of the newest epoch that we know.
                let newest = self.oldest.iter().rfind(|((of, _), _)| of == partner);
                if let Some((_, oldest)) = newest {
                    *evidence = oldest.evidence();
                }
            },
            Call::Batch { actions } | Call::BatchSkipping { actions }
                if self.has(Fault::SpoilProof) =>
            {
                let proofs = actions.iter_mut().filter_map(|action| match action {
                    Call::Withdraw { proof, .. } => Some(proof),
                    _ => None,
                });
                proofs.skip(1).for_each(damage);
            },
            _ => {},
        }
        Some(record)
    }

    /// How late a message leaves.
    fn pause(&mut self) -> Option<Duration> {
        if self.happens(|fault| if let Fault::Reorder(n) = fault { Some(*n) } else { None }) {
            return Some(Duration::from_millis(self.rng.gen_range(1..20)));
        }
        self.faults.iter().find_map(|fault| match fault {
            Fault::Delay(ms) => Some(Duration::from_millis(*ms)),
            _ => None,
        })
    }

    /// Whether a fault that happens so many times of a hundred happens now.
    fn happens(&mut self, percent: impl Fn(&Fault) -> Option<u8>) -> bool {
        let percent = self.faults.iter().find_map(percent);
        percent.is_some_and(|percent| self.rng.gen_range(0..100) < percent)
    }

    fn is_lost(&mut self) -> bool {
        self.happens(|fault| if let Fault::Drop(n) = fault { Some(*n) } else { None })
    }

    /// What is still to leave for a partner was of the session before: no wire would carry it over.
    fn begin_session(&mut self, partner: &AccountId) {
        self.late.retain(|(_, action)| !matches!(action, Action::Send(to, _) if to == partner));
    }
}

impl Interceptor for Faulty {
    fn before_commit(&mut self, batch: &Batch) {
        self.commits = self.commits.saturating_add(1);
        if self.has(Fault::StopBeforeCommit(self.commits)) {
            (self.kill)();
        }
        if !self.has(Fault::OldestState) {
            return;
        }
        for (partner, state) in changed_channels(batch) {
            let Ok(channel) = Channel::peek_state(&state) else { continue };
            let evidence = channel.evidence();
            if evidence.theirs.is_some() || evidence.ours.is_some() {
                self.oldest.entry((partner, channel.epoch())).or_insert(channel);
            }
        }
    }

    fn after_commit(&mut self) {
        if self.has(Fault::StopAfterCommit(self.commits)) {
            (self.kill)();
        }
    }

    fn actions(&mut self, actions: Vec<Action>) -> Vec<Action> {
        let mut now = vec![];
        for action in actions {
            match action {
                Action::Send(partner, message) => {
                    if matches!(message, Message::Reestablish { .. }) {
                        self.begin_session(&partner);
                    }
                    let Some(message) = self.message(&partner, message) else { continue };
                    if self.is_lost() {
                        now.push(Action::Disconnect(partner, "lost on the way".into()));
                        continue;
                    }
                    let sent = Action::Send(partner, message);
                    match self.pause() {
                        Some(pause) => self.late.push((Instant::now() + pause, sent)),
                        None => now.push(sent),
                    }
                },
                Action::Submit(number, record) => {
                    now.extend(self.call(record).map(|record| Action::Submit(number, record)));
                },
                other => now.push(other),
            }
        }
        let clock = Instant::now();
        let (due, late) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= clock);
        self.late = late;
        let due: Vec<(Instant, Action)> = due;
        now.extend(due.into_iter().map(|(_, action)| action));
        now
    }
}

/// Makes a signature one of nothing.
fn damage(signature: &mut MultiSignature) {
    match signature {
        MultiSignature::Ed25519(signature) => signature.0[0] ^= 1,
        MultiSignature::Sr25519(signature) => signature.0[0] ^= 1,
        MultiSignature::Ecdsa(signature) => signature.0[0] ^= 1,
        MultiSignature::Eth(signature) => signature.0[0] ^= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use failsafe_channel::{message::AckOf, PaymentId, Purpose, Update};
    use failsafe_primitives::Signature;

    fn partner() -> AccountId {
        AccountId::new([7; 32])
    }

    fn signature() -> Signature {
        Signature::Direct(MultiSignature::Ed25519(sp_core::ed25519::Signature::from_raw([1; 64])))
    }

    fn update(base_nonce: Nonce, transition: Transition) -> Message {
        Message::Update(Update {
            epoch: 0,
            base_nonce,
            as_of: 1,
            terms_version: 1,
            transitions: vec![transition].try_into().unwrap(),
            signature: Some(signature()),
            ack: Some(AckOf { nonce: 3, signature: signature() }),
        })
    }

    fn pay(base_nonce: Nonce) -> Message {
        let purpose = Purpose::Direct { id: PaymentId([0; 16]) };
        update(base_nonce, Transition::Pay { asset: 0, amount: 1, purpose })
    }

    fn settle(base_nonce: Nonce) -> Message {
        update(base_nonce, Transition::Settle { id: 1, secret: [2; 32] })
    }

    /// What a party with this fault makes of these messages.
    fn left(fault: &str, messages: Vec<Message>) -> Vec<Message> {
        let mut faulty = Faulty::new(vec![fault.parse().unwrap()], 1);
        let sends = messages.into_iter().map(|message| Action::Send(partner(), message)).collect();
        let left = faulty.actions(sends).into_iter().filter_map(|action| match action {
            Action::Send(_, message) => Some(message),
            _ => None,
        });
        left.collect()
    }

    #[test]
    fn fault_should_be_read_when_it_has_a_name_and_its_number() {
        for (text, fault) in [
            ("dont-ack", Fault::DontAck),
            ("drop=5%", Fault::Drop(5)),
            ("drop=5", Fault::Drop(5)),
            ("reorder=7%", Fault::Reorder(7)),
            ("stop-before-commit=3", Fault::StopBeforeCommit(3)),
        ] {
            assert_eq!(text.parse(), Ok(fault));
        }
    }

    #[test]
    fn fault_should_be_refused_when_it_is_none_or_its_number_is_wrong() {
        for (text, part) in [
            ("dont-worry", "expected one of dont-ack"),
            ("drop", "expected one of"),
            ("drop=101%", "from 1 to 100"),
            ("stop-after-commit=0", "from 1 to"),
            ("dont-ack=1", "takes no number"),
        ] {
            let error = text.parse::<Fault>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn nothing_should_leave_after_a_settlement_when_it_does_not_settle() {
        let all = vec![pay(0), settle(1), pay(2)];
        assert_eq!(left("dont-settle", all.clone()), [pay(0)]);
        // Sent again after a reconnect it does not leave either.
        assert_eq!(left("dont-reveal", all.clone()), all);
    }

    #[test]
    fn updates_should_leave_without_acknowledgement_when_it_does_not_acknowledge() {
        let ack = Message::Ack { epoch: 0, ack: AckOf { nonce: 1, signature: signature() } };
        let left = left("dont-ack", vec![ack, pay(0)]);
        let [Message::Update(update)] = &left[..] else { panic!("{left:?}") };
        assert_eq!(update.ack, None);
    }

    #[test]
    fn secrets_should_stay_when_it_does_not_reveal() {
        let fulfill = Message::Fulfill { epoch: 0, id: 1, secret: [2; 32] };
        assert_eq!(left("dont-reveal", vec![fulfill.clone(), pay(0)]), [pay(0)]);
        assert_eq!(left("dont-ack", vec![fulfill.clone()]), [fulfill]);
        let record = Record::new(
            failsafe_hub::chain::Intent::Reveal,
            Call::Reveal { secrets: vec![[2; 32]] },
        );
        let mut faulty = Faulty::new(vec![Fault::DontReveal], 1);
        assert!(faulty.actions(vec![Action::Submit(1, record)]).is_empty());
    }

    #[test]
    fn session_should_be_lost_with_the_message_when_messages_are_dropped() {
        let mut faulty = Faulty::new(vec![Fault::Drop(100)], 1);
        let actions = faulty.actions(vec![Action::Send(partner(), pay(0))]);
        assert!(matches!(&actions[..], [Action::Disconnect(..)]), "{actions:?}");
    }

    #[test]
    fn messages_should_leave_later_when_they_are_delayed() {
        let mut faulty = Faulty::new(vec![Fault::Delay(1)], 1);
        assert!(faulty.actions(vec![Action::Send(partner(), pay(0))]).is_empty());
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(faulty.actions(vec![]).len(), 1);
    }

    #[test]
    fn late_messages_should_be_lost_when_another_session_begins() {
        let mut faulty = Faulty::new(vec![Fault::Reorder(100)], 1);
        let begin = Message::Reestablish {
            epoch: 0,
            own_nonce: 0,
            received_nonce: 0,
            acked_nonce: 0,
            terms_given: 0,
            terms_received: 0,
        };
        assert!(faulty.actions(vec![Action::Send(partner(), pay(0))]).is_empty());
        assert!(faulty.actions(vec![Action::Send(partner(), begin.clone())]).is_empty());
        std::thread::sleep(Duration::from_millis(20));
        let left = faulty.actions(vec![]);
        let [Action::Send(_, message)] = &left[..] else { panic!("{left:?}") };
        assert_eq!(message, &begin);
    }

    #[test]
    fn process_should_end_at_the_commit_that_was_named() {
        for (fault, survives_before) in
            [("stop-before-commit=2", false), ("stop-after-commit=2", true)]
        {
            let mut faulty = Faulty::new(vec![fault.parse().unwrap()], 1);
            faulty.kill = || panic!("killed");
            faulty.before_commit(&Batch::default());
            faulty.after_commit();
            let before = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                faulty.before_commit(&Batch::default());
            }));
            assert_eq!(before.is_ok(), survives_before, "{fault}");
            if survives_before {
                let after = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    faulty.after_commit();
                }));
                assert!(after.is_err());
            }
        }
    }
}
