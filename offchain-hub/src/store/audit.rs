//! Looks at everything that a store has: whether it can be read, and whether it holds together.

use super::{Batch, Owner, Record, Share, Store, StoreError, Table, Tables};
use crate::{
    keys::AccountKey,
    party::{Core, Policy},
};
use failsafe_channel::{state::Half, Channel};
use failsafe_primitives::{simplex::MAX_LOCKS_HUBS, AccountId, Entry, Side};
use sp_core::H256;
use std::sync::Arc;

/// Records in memory, to be looked at.
struct Copy(Tables);

impl Store for Copy {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.scan(table)?.into_iter().find(|(known, _)| known == key);
        Ok(found.map(|(_, value)| value))
    }

    fn scan(&self, table: Table) -> Result<Vec<Record>, StoreError> {
        let of = self.0.iter().filter(|(known, _)| *known == table);
        Ok(of.flat_map(|(_, records)| records.clone()).collect())
    }

    fn commit(&self, _: &Batch) -> Result<(), StoreError> {
        let reason = "this is a copy to look at".to_string();
        Err(StoreError::Failed { path: "memory".into(), reason })
    }

    fn snapshot(&self) -> Result<Tables, StoreError> {
        Ok(self.0.clone())
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Whose store it is.
    pub owner: Owner,
    /// How many channels.
    pub channels: usize,
    /// How many records in all.
    pub records: usize,
    /// Channels that do not hold together, with what is wrong.
    pub broken: Vec<String>,
    /// How many channels were restored and wait for their partner.
    pub restored: usize,
    /// How many channels have lost data, as their partners have proved.
    pub lost: usize,
}

/// Reads all records and checks the channels.
///
/// # Errors
/// [`StoreError`] when something cannot be read at all.
pub fn audit(tables: Tables, key: &AccountKey) -> Result<Audit, StoreError> {
    let copy = Arc::new(Copy(tables));
    let owner = super::owner(&*copy)?;
    let records = copy.0.iter().map(|(_, records)| records.len()).sum();
    // Reading is what a party does at its start.
    let genesis = owner.genesis.unwrap_or_default();
    let core = Core::load(Arc::new(key.clone()), genesis, Policy::payer(), [0; 32], copy.clone())?;
    let channels = core.channels();
    let by_key = |channel: &Channel| core.channel(channel.partner()).is_some();
    let mut broken = vec![];
    for channel in &channels {
        let process = core.share().filter(|share| share.is_process(channel.partner()));
        let me = process.map_or(&owner.account, Share::account);
        let problem = match check(channel, me, genesis) {
            Ok(()) if by_key(channel) => continue,
            Ok(()) => "it is stored under another partner".to_string(),
            Err(problem) => problem,
        };
        broken.push(format!("{}: {problem}", channel.partner()));
    }
    Ok(Audit {
        channels: channels.len(),
        records,
        broken,
        restored: channels.iter().filter(|channel| channel.restored()).count(),
        lost: channels.iter().filter(|channel| channel.state().data_lost).count(),
        owner,
    })
}

/// What always holds of a stored channel.
fn check(channel: &Channel, me: &AccountId, genesis: H256) -> Result<(), String> {
    let state = channel.state();
    if channel.me() != me {
        return Err(format!("it is one of {}", channel.me()));
    }
    if state.context.genesis_hash != genesis {
        return Err(format!("it is of the chain {:?}", state.context.genesis_hash));
    }
    if state.facts.view.epoch != state.context.epoch {
        return Err("its facts are of another epoch".into());
    }
    let side = channel.side();
    check_half(channel, side, &state.mine, "our")?;
    check_half(channel, side.other(), &state.theirs, "the partner's")?;
    if let Some(acked) = &state.acked {
        let context = &state.context;
        if acked.simplex.nonce > state.mine.nonce() {
            return Err("more was acknowledged than signed".into());
        }
        let message = context.simplex_message(side, &acked.simplex);
        let ack = context.ack_message(side, &acked.simplex);
        let signed = acked.signature.verify(&message, channel.me())
            && acked.ack.verify(&ack, channel.partner());
        if !signed {
            return Err("the signatures of the acknowledged simplex are wrong".into());
        }
    }
    // The partner acknowledges only what is signed.
    if state.mine.has_tail() && state.outbox.is_empty() {
        return Err("payments of ours have no signature and are not kept to be sent again".into());
    }
    let mut nonces = state.outbox.iter().map(|sent| sent.simplex.nonce);
    let first = nonces.next();
    let in_row = nonces.try_fold(first.unwrap_or(0), |last, next| {
        (last.checked_add(1) == Some(next)).then_some(next)
    });
    match (first, in_row) {
        (Some(_), last) if last != Some(state.mine.nonce()) => {
            Err("the updates that were not acknowledged do not lead to our simplex".into())
        },
        _ => Ok(()),
    }
}

fn check_half(channel: &Channel, from: Side, half: &Half, whose: &str) -> Result<(), String> {
    let state = channel.state();
    // Former hubs may hold more than they may add.
    let valid = half.simplex.validate(MAX_LOCKS_HUBS);
    valid.map_err(|e| format!("{whose} simplex is not valid: {e:?}"))?;
    // Payments may follow the newest signature that none covers yet.
    let Some(newest) = half.signed() else {
        return if half.nonce() == 0 || half.has_tail() {
            Ok(())
        } else {
            Err(format!("{whose} simplex has no signature"))
        };
    };
    let message = state.context.simplex_message(from, &newest.simplex);
    if !newest.signature.verify(&message, state.context.account(from)) {
        return Err(format!("the signature of {whose} simplex is wrong"));
    }
    let less = |entry: &Entry| half.simplex.sent(entry.asset) < entry.sent;
    if newest.simplex.nonce > half.nonce() || newest.simplex.entries.iter().any(less) {
        return Err(format!("{whose} simplex has less than what was signed before it"));
    }
    Ok(())
}
