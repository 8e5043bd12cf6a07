//! What a round learns from batches that fail: the chain undoes all of a batch when one action
//! fails, so a deposit that never goes through must not stop everybody else's.

use super::{Limits, MAX_BATCH_ACTIONS};
use failsafe_primitives::{AccountId, AssetId};
use std::collections::BTreeMap;

/// Pause after the first round that came to nothing.
pub const RETRY_MS: u64 = 5_000;
/// Longest pause after rounds that came to nothing.
const MAX_PAUSE_MS: u64 = 600_000;
/// How long is left out what failed by itself.
const LEFT_OUT_MS: u64 = 3_600_000;

/// What only a withdrawal fails with.
const WITHDRAWAL_ERRORS: [&str; 7] = [
    "Insurance.MalformedWithdrawal",
    "Insurance.NoChannel",
    "Insurance.Expired",
    "Insurance.BadProof",
    "Insurance.WrongWithdrawalNonce",
    "Insurance.AboveMaxFromBalance",
    "Insurance.PartnerCannotPay",
];

/// What is in a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// Whose proofs.
    pub withdrawals: Vec<AccountId>,
    /// Who is insured, in what.
    pub deposits: Vec<(AccountId, AssetId)>,
}

/// What the failed batches since the last success say about the next one.
#[derive(Clone, Debug)]
pub struct Retry {
    deposits: usize,
    failures: u32,
    /// Until when a deposit (with its asset) or a partner's proofs (without) are left out.
    left_out: BTreeMap<(AccountId, Option<AssetId>), u64>,
}

impl Default for Retry {
    fn default() -> Self {
        Self { deposits: MAX_BATCH_ACTIONS, failures: 0, left_out: BTreeMap::new() }
    }
}

impl Retry {
    /// How large the next batch may be.
    pub fn limits(&self) -> Limits {
        Limits { deposits: self.deposits, ..Limits::default() }
    }

    /// Whether this deposit failed by itself a short while ago.
    pub fn leaves_out(&self, partner: &AccountId, asset: AssetId, now: u64) -> bool {
        self.is_out(partner, Some(asset), now)
    }

    /// Whether this partner's proof failed a short while ago.
    pub fn leaves_proof_out(&self, partner: &AccountId, now: u64) -> bool {
        self.is_out(partner, None, now)
    }

    fn is_out(&self, partner: &AccountId, asset: Option<AssetId>, now: u64) -> bool {
        self.left_out.get(&(partner.clone(), asset)).is_some_and(|until| now < *until)
    }

    /// A batch went through.
    pub fn succeeded(&mut self) {
        self.deposits = MAX_BATCH_ACTIONS;
        self.failures = 0;
    }

    /// Leaves out for a while what the chain has skipped of a batch that went through.
    pub fn leave_out(&mut self, skipped: &Content, now: u64) {
        let until = now.saturating_add(LEFT_OUT_MS);
        let proofs = skipped.withdrawals.iter().map(|partner| (partner.clone(), None));
        let deposits =
            skipped.deposits.iter().map(|(partner, asset)| (partner.clone(), Some(*asset)));
        self.left_out.extend(proofs.chain(deposits).map(|what| (what, until)));
    }

    /// A batch came to nothing; `error` if the chain refused it. Returns the pause.
    pub fn failed(&mut self, content: &Content, error: Option<&str>, now: u64) -> u64 {
        let pause = RETRY_MS.checked_shl(self.failures).unwrap_or(MAX_PAUSE_MS).min(MAX_PAUSE_MS);
        // Enough to be above the longest pause, too few to shift everything out.
        self.failures = self.failures.saturating_add(1).min(16);
        // Of a batch from before a restart the content is not known.
        let size = Some(content.deposits.len()).filter(|size| *size > 0).unwrap_or(self.deposits);
        self.deposits = (size.min(self.deposits) / 2).max(1);
        self.left_out.retain(|_, until| now < *until);
        let until = now.saturating_add(LEFT_OUT_MS);
        let (Some(error), [(partner, asset)]) = (error, &content.deposits[..]) else {
            return pause;
        };
        if WITHDRAWAL_ERRORS.contains(&error) {
            let proofs = content.withdrawals.iter().map(|partner| ((partner.clone(), None), until));
            self.left_out.extend(proofs);
        } else {
            self.left_out.insert((partner.clone(), Some(*asset)), until);
        }
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_should_leave_out_what_was_skipped_when_the_rest_went_through() {
        let mut retry = Retry::default();
        let proof = Content { withdrawals: vec![account(1)], deposits: vec![] };
        retry.leave_out(&proof, 1_000);
        assert!(retry.leaves_proof_out(&account(1), 2_000));
        assert!(!retry.leaves_out(&account(1), 0, 2_000), "its insurance is another matter");
        retry.leave_out(&batch(1), 1_000);
        assert!(retry.leaves_out(&account(0), 0, 2_000));
        assert!(!retry.leaves_proof_out(&account(1), 1_000 + LEFT_OUT_MS));
        assert_eq!(retry.limits(), Limits::default(), "the next batch is as large as ever");
    }

    const DUST: Option<&str> = Some("Insurance.WouldLeaveDust");

    fn account(byte: u8) -> AccountId {
        AccountId::new([byte; 32])
    }

    fn batch(deposits: u8) -> Content {
        let deposits = (0..deposits).map(|byte| (account(byte), 0)).collect();
        Content { withdrawals: vec![account(200)], deposits }
    }

    #[test]
    fn retry_should_halve_the_batch_down_to_one_when_it_fails_again_and_again() {
        let mut retry = Retry::default();
        assert_eq!(retry.limits().deposits, MAX_BATCH_ACTIONS);
        let mut sizes = vec![];
        let mut size = 10;
        while size > 1 {
            retry.failed(&batch(size), DUST, 0);
            size = u8::try_from(retry.limits().deposits).unwrap();
            sizes.push(size);
        }
        assert_eq!(sizes, [5, 2, 1]);
        retry.succeeded();
        assert_eq!(retry.limits(), Limits::default());
    }

    #[test]
    fn retry_should_wait_longer_each_time_when_nothing_goes_through() {
        let mut retry = Retry::default();
        let mut pause = || retry.failed(&batch(2), DUST, 0);
        assert_eq!([pause(), pause(), pause()], [5_000, 10_000, 20_000]);
        for _ in 0..100 {
            pause();
        }
        assert_eq!(pause(), MAX_PAUSE_MS);
        retry.succeeded();
        assert_eq!(retry.failed(&batch(2), None, 0), RETRY_MS);
    }

    #[test]
    fn retry_should_leave_a_deposit_out_for_a_while_when_it_failed_alone() {
        let mut retry = Retry::default();
        retry.failed(&batch(2), DUST, 0);
        assert!(!retry.leaves_out(&account(0), 0, 1), "it may have been the other one");
        retry.failed(&batch(1), None, 0);
        assert!(!retry.leaves_out(&account(0), 0, 1), "the chain has not judged it");
        retry.failed(&batch(1), DUST, 0);
        assert!(retry.leaves_out(&account(0), 0, LEFT_OUT_MS - 1));
        assert!(!retry.leaves_out(&account(0), 1, 1), "another asset");
        assert!(!retry.leaves_out(&account(0), 0, LEFT_OUT_MS));
        assert!(!retry.leaves_proof_out(&account(200), 1));
    }

    #[test]
    fn retry_should_leave_the_proofs_out_when_a_withdrawal_failed() {
        let mut retry = Retry::default();
        retry.failed(&batch(1), Some("Insurance.BadProof"), 0);
        assert!(retry.leaves_proof_out(&account(200), 1));
        assert!(!retry.leaves_out(&account(0), 0, 1));
    }
}
