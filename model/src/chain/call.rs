//! What accounts can do.

use super::{
    Account, Amount, AssetId, BlockNumber, Chain, Close, Epoch, Error, Evidence, Pair, Presented,
    Revealed, Secret, Signed, Simplex, TwiceSigned, Withdrawal,
};

/// How a batch takes a failing action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is done.
    Atomic,
    /// The others are done.
    SkipFailed,
}

/// One action of a batch.
pub type Action = Call;

/// A call of a signed account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Insures `beneficiary` at `partner`.
    Deposit {
        /// Of which asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
        /// Whose side.
        beneficiary: Account,
        /// With whom.
        partner: Account,
        /// Only while the channel is in this epoch.
        epoch: Option<Epoch>,
    },
    /// Takes what the partner has signed.
    Withdraw {
        /// Who has signed.
        partner: Account,
        /// What.
        proof: Signed<Withdrawal>,
    },
    /// Disputes, or counters an open dispute of the partner.
    Dispute {
        /// With whom.
        partner: Account,
        /// The current epoch.
        epoch: Epoch,
        /// What the caller has.
        evidence: Evidence,
    },
    /// Answers the partner's dispute.
    Counter {
        /// Who has started it.
        partner: Account,
        /// What the caller has.
        evidence: Evidence,
    },
    /// Answers a dispute of others.
    CounterFor {
        /// Whose.
        pair: Pair,
        /// With both signatures.
        simplexes: Vec<TwiceSigned>,
    },
    /// Agrees to what the dispute shows.
    Accept {
        /// Who has started it.
        partner: Account,
        /// What the caller has seen.
        presented: Presented,
    },
    /// Ends the epoch by agreement.
    Close {
        /// Who has signed.
        partner: Account,
        /// What.
        close: Signed<Close>,
    },
    /// Ends a dispute that is due.
    Resolve {
        /// Whose.
        pair: Pair,
    },
    /// Claims what an earlier dispute has not counted.
    LateClaim {
        /// Who has paid.
        payer: Account,
        /// In which epoch.
        epoch: Epoch,
        /// The payer's word.
        simplex: Signed<Simplex>,
    },
    /// Publishes secrets.
    Reveal {
        /// Which.
        secrets: Vec<Secret>,
    },
    /// Pushes the payment of debts.
    Enforce {
        /// Who owes.
        debtor: Account,
        /// What.
        asset: AssetId,
    },
    /// Gives up a claim.
    Forgive {
        /// Who owes.
        debtor: Account,
        /// What.
        asset: AssetId,
        /// Since which block.
        opened_in: BlockNumber,
        /// Which of those of that block.
        index: u32,
    },
    /// Fetches money that could not be delivered.
    Claim {
        /// Whose.
        who: Account,
        /// Of which asset.
        asset: AssetId,
    },
    /// An ordinary transfer that keeps the sender alive.
    Transfer {
        /// To whom.
        to: Account,
        /// Of which asset.
        asset: AssetId,
        /// How much.
        amount: Amount,
    },
    /// The issuer stops an account from sending.
    Freeze {
        /// Of which asset.
        asset: AssetId,
        /// Whom.
        who: Account,
    },
    /// The issuer stops an account from sending and receiving.
    Block {
        /// Of which asset.
        asset: AssetId,
        /// Whom.
        who: Account,
    },
    /// The issuer lets an account go.
    Thaw {
        /// Of which asset.
        asset: AssetId,
        /// Whom.
        who: Account,
    },
    /// The issuer stops the whole asset.
    FreezeAsset {
        /// Which.
        asset: AssetId,
    },
    /// The issuer lets the asset go.
    ThawAsset {
        /// Which.
        asset: AssetId,
    },
    /// Many actions under one signature, once per account and block.
    Batch {
        /// Which.
        actions: Vec<Action>,
        /// What of those that fail.
        mode: Mode,
    },
    /// Says something.
    Remark,
}

/// What a call that succeeded has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Whether it was free of charge.
    pub free: bool,
    /// Which actions of a batch were skipped, and why.
    pub skipped: Vec<(usize, Error)>,
}

impl Chain {
    /// Runs a call of `who`: all of it or nothing.
    ///
    /// # Errors
    ///
    /// Says why nothing was done.
    pub fn apply(&mut self, who: Account, call: Call) -> Result<Done, Error> {
        let before = self.clone();
        let result = self.run(who, call);
        if result.is_err() {
            *self = before;
        }
        result
    }

    fn run(&mut self, who: Account, call: Call) -> Result<Done, Error> {
        let paid = Done::default();
        match call {
            Call::Deposit { asset, amount, beneficiary, partner, epoch } => {
                self.deposit(who, asset, amount, (beneficiary, partner), epoch)?;
            },
            Call::Withdraw { partner, proof } => self.withdraw(who, partner, &proof)?,
            Call::Dispute { partner, epoch, evidence } => {
                let free = self.dispute(who, partner, epoch, evidence)?;
                return Ok(Done { free, ..paid });
            },
            Call::Counter { partner, evidence } => {
                let free = self.counter(who, partner, evidence)?;
                return Ok(Done { free, ..paid });
            },
            Call::CounterFor { pair, simplexes } => {
                let free = self.counter_for(pair, simplexes)?;
                return Ok(Done { free, ..paid });
            },
            Call::Accept { partner, presented } => self.accept(who, partner, &presented)?,
            Call::Close { partner, close } => self.close(who, partner, &close)?,
            Call::Resolve { pair } => {
                self.resolve(pair)?;
                return Ok(Done { free: true, ..paid });
            },
            Call::LateClaim { payer, epoch, simplex } => {
                self.late_claim(who, payer, epoch, &simplex)?;
            },
            Call::Reveal { secrets } => self.reveal(who, &secrets)?,
            Call::Enforce { debtor, asset } => self.enforce(debtor, asset)?,
            Call::Forgive { debtor, asset, opened_in, index } => {
                self.forgive(who, debtor, asset, opened_in, index)?;
            },
            Call::Claim { who, asset } => self.claim(who, asset)?,
            Call::Transfer { to, asset, amount } => self.transfer(who, to, asset, amount)?,
            Call::Freeze { asset, who: whom } => {
                self.restrict_account(who, asset, whom, |rules| {
                    rules.blocked_accounts.remove(&whom);
                    rules.frozen_accounts.insert(whom);
                })?;
            },
            Call::Block { asset, who: whom } => {
                self.restrict_account(who, asset, whom, |rules| {
                    rules.frozen_accounts.remove(&whom);
                    rules.blocked_accounts.insert(whom);
                })?
            },
            Call::Thaw { asset, who: whom } => {
                self.restrict_account(who, asset, whom, |rules| {
                    rules.blocked_accounts.remove(&whom);
                    rules.frozen_accounts.remove(&whom);
                })?
            },
            Call::FreezeAsset { asset } => self.set_frozen(who, asset, true)?,
            Call::ThawAsset { asset } => self.set_frozen(who, asset, false)?,
            Call::Batch { actions, mode } => return self.batch(who, actions, mode),
            Call::Remark => {},
        }
        Ok(paid)
    }

    fn batch(&mut self, who: Account, actions: Vec<Action>, mode: Mode) -> Result<Done, Error> {
        if actions.is_empty() {
            return Err(Error::EmptyBatch);
        }
        if !self.batched.insert(who) {
            return Err(Error::OneBatchPerBlock);
        }
        let mut skipped = vec![];
        for (index, action) in actions.into_iter().enumerate() {
            match (self.apply(who, action), mode) {
                (Ok(_), _) => {},
                (Err(error), Mode::Atomic) => return Err(error),
                (Err(error), Mode::SkipFailed) => skipped.push((index, error)),
            }
        }
        Ok(Done { free: false, skipped })
    }

    /// Whether `who` has had its batch in this block.
    pub fn has_batched(&self, who: Account) -> bool {
        self.batched.contains(&who)
    }

    fn reveal(&mut self, who: Account, secrets: &[Secret]) -> Result<(), Error> {
        let (clock, keep_until) = (self.clock, self.clock + self.params.keep);
        let mut fee: Amount = 0;
        for secret in secrets {
            let fresh = Revealed { revealed_at: clock, keep_until };
            let known = self.secrets.insert(secret.hash(), fresh);
            match known {
                Some(Revealed { revealed_at, .. }) => {
                    let extended = Revealed { revealed_at, keep_until };
                    self.secrets.insert(secret.hash(), extended);
                },
                None => {
                    self.reveals.push_back((secret.hash(), keep_until));
                    fee += self.params.secret_fee;
                },
            }
        }
        if !self.take_allowed(who, fee) {
            return Err(Error::SecretFeeMissing);
        }
        self.reward(fee);
        Ok(())
    }
}
