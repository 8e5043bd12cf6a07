//! What must hold of everybody's books when nothing is under way.

use super::{PlainTry, Try, Vice, World, FUNDS};
use failsafe_hub::party::PaymentState;
use failsafe_primitives::{Balance, NATIVE_ASSET};

impl World {
    /// The books of all, when nothing is under way.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn check(&mut self) -> Result<(), String> {
        self.check_secrets()?;
        let honest: Vec<bool> = self.parties.iter().map(|party| party.vice == Vice::None).collect();
        // A dispute, which honest parties open too, may cut plain payments off that are under way:
        // then they have left their payer and are no payment in the payee's books.
        let exact =
            honest.iter().all(|honest| *honest) && !self.counts.contains_key("insurance.dispute");
        let mut total = 0;
        let size = self.parties.len();
        let funds = i128::try_from(FUNDS).expect("little money");
        // What payments have added to each.
        let mut expected = vec![0i128; size];
        for record in std::mem::take(&mut self.tries) {
            let Try { payer, payee, amount, hash, id } = record;
            let paid = self.parties[payer].core.payment(&id);
            let got = self.parties[payee].core.invoice(&hash).map(|i| (i.state, i.received));
            let received = got.map_or(0, |(_, received)| received);
            let state = paid.as_ref().map(|paid| paid.state);
            let spent = match state {
                Some(PaymentState::Delivered) => amount + paid.expect("it is there").fee,
                None | Some(PaymentState::Failed(_)) => 0,
                other => {
                    if honest.iter().all(|honest| *honest) {
                        return Err(format!("payment {id} of {payer} to {payee}: {other:?}"));
                    }
                    0
                },
            };
            self.count(if spent > 0 { "paid" } else { "not paid" });
            if honest.iter().all(|honest| *honest) && (spent > 0) != (received > 0) {
                return Err(format!(
                    "payment {id} of {payer} to {payee}: paid {spent}, received {received}"
                ));
            }
            expected[payer] -= i128::try_from(spent).expect("little money");
            expected[payee] += i128::try_from(received).expect("little money");
        }
        for PlainTry { payer, payee, id } in std::mem::take(&mut self.plain) {
            let paid = self.parties[payer].core.payment(&id);
            // Whom it trusted with the money is the payer's affair.
            let spent = match &paid {
                None => 0,
                Some(paid) if matches!(paid.state, PaymentState::Returned(_)) => 0,
                Some(paid) => paid.amount + paid.fee,
            };
            let got = self.parties[payee].core.payment(&id).map_or(0, |got| got.amount);
            self.count(if got > 0 { "paid plainly" } else { "not paid plainly" });
            let arrived = paid.is_some_and(|paid| paid.state == PaymentState::Delivered);
            if exact && (arrived != (got > 0) || (spent > 0) != (got > 0)) {
                return Err(format!(
                    "plain payment {id} of {payer} to {payee}: spent {spent}, got {got}"
                ));
            }
            expected[payer] -= i128::try_from(spent).expect("little money");
            expected[payee] += i128::try_from(got).expect("little money");
        }
        for at in 0..size {
            if !honest[at] || self.is_counted(at) {
                continue;
            }
            let (mut wanted, mut has, mut absence) = (funds, self.on_chain(at), 0);
            for process in (at..size).filter(|other| self.is_one(at, *other)).collect::<Vec<_>>() {
                let earned: Balance = self.parties[process].core.earned();
                wanted += expected[process] + i128::try_from(earned).expect("little money");
                wanted -= self.risked(process, &honest)?;
                has += self.in_channels(process)?;
                absence += i128::try_from(self.absence_of(process)).expect("little money");
            }
            if absence > 0 {
                self.count("late by absence");
            }
            if has < wanted - absence || (exact && has != wanted) {
                return Err(format!(
                    "{at} has {has}, and should have {wanted} (or {absence} less)"
                ));
            }
            total += has;
        }
        let accounts = (0..size).filter(|at| !self.is_counted(*at)).count();
        let brought = funds * i128::try_from(accounts).expect("few");
        if honest.iter().all(|honest| *honest) && total != brought {
            return Err(format!("all together have {total}, and brought {brought}"));
        }
        for at in 1..size {
            if honest[at - 1] && honest[at] {
                self.agree(at - 1, at)?;
            }
        }
        Ok(())
    }

    /// What a party has lost to its neighbours by payments that they never signed: at most the limit
    /// that it gave them. An honest one has signed in the end, unless a dispute came before.
    fn risked(&mut self, at: usize, honest: &[bool]) -> Result<i128, String> {
        let mut sum = 0;
        let mut lost_one = false;
        for channel in self.parties[at].core.channels() {
            if self.parties[at].core.is_process(channel.partner()) {
                continue;
            }
            let partner = self.place(at, channel.partner());
            let limit = self.parties[at].policy.terms[&NATIVE_ASSET].unsigned_limit;
            let row = channel.asset_summary(NATIVE_ASSET);
            let risk = row.unsigned_lost + row.partner_unsigned;
            if risk > limit || (honest[partner] && row.partner_unsigned > 0) {
                return Err(format!("{at} has risked {risk} of {limit} on {partner}"));
            }
            lost_one |= row.unsigned_lost > 0;
            sum += i128::try_from(row.unsigned_lost).expect("little money");
        }
        if lost_one {
            self.count("lost without a signature");
        }
        Ok(sum)
    }

    /// Whether a process before this one stands for the same hub.
    fn is_counted(&self, at: usize) -> bool {
        (0..at).any(|other| self.is_one(other, at))
    }

    /// What an account has on chain, and is owed there.
    fn on_chain(&self, at: usize) -> i128 {
        let chain = self.chain.best();
        let me = self.chain.account(&self.account(at));
        let signed = |amount: u128| i128::try_from(amount).expect("little money");
        let mut wealth = signed(chain.free(NATIVE_ASSET, me));
        for other in 0..self.parties.len() {
            if self.is_one(at, other) || self.is_counted(other) {
                continue;
            }
            let other = self.chain.account(&self.account(other));
            wealth += signed(chain.owed_to(other, me, NATIVE_ASSET));
            wealth -= signed(chain.owed_to(me, other, NATIVE_ASSET));
        }
        wealth
    }

    /// What a party has in its channels as it sees them. What processes of a hub have in the channel
    /// between them is nothing in sum.
    fn in_channels(&self, at: usize) -> Result<i128, String> {
        let signed = |amount: u128| i128::try_from(amount).expect("little money");
        let mut wealth = 0;
        for channel in self.parties[at].core.channels() {
            let row = channel.asset_summary(NATIVE_ASSET);
            if row.own_locked > 0 || row.partner_locked > 0 {
                let state = channel.state();
                let pending: Vec<_> = state.mine.locks().chain(state.theirs.locks()).collect();
                let at_clock = self.chain.best().clock();
                return Err(format!(
                    "{at} has pending locks at {at_clock}: {pending:?}, answers {:?}, frozen {:?}",
                    state.answers,
                    channel.frozen()
                ));
            }
            wealth += signed(row.own_insured) + signed(row.own_uninsured);
            wealth -= signed(row.partner_uninsured);
        }
        Ok(wealth)
    }

    fn agree(&self, a: usize, b: usize) -> Result<(), String> {
        let find = |one: usize, other: usize| {
            let partner = self.name(other, one);
            let channels = self.parties[one].core.channels();
            channels.into_iter().find(|channel| *channel.partner() == partner)
        };
        let (Some(one), Some(other)) = (find(a, b), find(b, a)) else {
            return Err(format!("{a} and {b} have no channel"));
        };
        if let Some(reason) = one.frozen().or(other.frozen()) {
            return Err(format!("{a} and {b}: {reason}"));
        }
        let (one, other) = (one.state(), other.state());
        let same = one.mine.simplex == other.theirs.simplex
            && one.theirs.simplex == other.mine.simplex
            && one.context.epoch == other.context.epoch;
        if same {
            Ok(())
        } else {
            Err(format!("{a} and {b} do not agree: {:?} {:?}", one.mine, other.theirs))
        }
    }
}
