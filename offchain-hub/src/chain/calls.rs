//! Every call that hub and wallet submit, as data: it is stored before it is signed.
//!
//! Arguments are encoded by the very types that the pallets decode (`failsafe-primitives`), in the
//! order of the pallets' signatures; a test decodes each with the runtime.

use codec::{Compact, Decode, Encode};
use failsafe_primitives::{
    fees::HubFees, AccountId, AssetId, Balance, Close, Epoch, Evidence, Pair, Signature, Simplex,
    TwiceSigned, Withdrawal, NATIVE_ASSET,
};
use sp_runtime::MultiSignature;

/// A call.
#[derive(Clone, PartialEq, Encode, Decode)]
#[allow(clippy::large_enum_variant, reason = "stored one by one")]
pub enum Call {
    /// `insurance.deposit`.
    #[codec(index = 0)]
    Deposit {
        /// The asset.
        asset: AssetId,
        /// The amount.
        amount: Balance,
        /// For whose side.
        beneficiary: AccountId,
        /// In the channel with whom.
        partner: AccountId,
        /// Only in this epoch.
        epoch: Option<Epoch>,
    },
    /// `insurance.withdraw`.
    #[codec(index = 1)]
    Withdraw {
        /// Who signed the proof.
        partner: AccountId,
        /// What may be withdrawn.
        withdrawal: Withdrawal,
        /// The signature.
        proof: MultiSignature,
    },
    /// `insurance.dispute`.
    #[codec(index = 2)]
    Dispute {
        /// Against whom.
        partner: AccountId,
        /// In which epoch; the chain takes it in no other.
        epoch: Epoch,
        /// All that we have.
        evidence: Evidence,
    },
    /// `insurance.counter`.
    #[codec(index = 3)]
    Counter {
        /// Whose dispute.
        partner: AccountId,
        /// All that we have.
        evidence: Evidence,
    },
    /// `insurance.close`.
    #[codec(index = 4)]
    Close {
        /// With whom.
        partner: AccountId,
        /// What both agreed on.
        close: Close,
        /// The partner's signature.
        signature: MultiSignature,
    },
    /// `insurance.late_claim`.
    #[codec(index = 5)]
    LateClaim {
        /// Who owes it.
        payer: AccountId,
        /// In which epoch.
        epoch: Epoch,
        /// The payer's newest simplex of it.
        simplex: Simplex,
        /// Its signature.
        signature: Signature,
    },
    /// `custody.claim`.
    #[codec(index = 6)]
    Claim {
        /// For whom.
        who: AccountId,
        /// The asset.
        asset: AssetId,
    },
    /// `balances.transfer_allow_death`, or `assets.transfer`.
    #[codec(index = 7)]
    Transfer {
        /// To whom.
        to: AccountId,
        /// The asset.
        asset: AssetId,
        /// The amount.
        amount: Balance,
    },
    /// `hubs.register`.
    #[codec(index = 8)]
    RegisterHub {
        /// Handle without the @.
        handle: Vec<u8>,
        /// `host:port`.
        endpoint: Vec<u8>,
        /// X25519 key.
        transport_key: [u8; 32],
        /// What it asks for forwarding.
        fees: HubFees,
    },
    /// `batch.submit`, atomic.
    #[codec(index = 9)]
    Batch {
        /// The actions.
        actions: Vec<Call>,
    },
    /// `hubs.update`; no routes.
    #[codec(index = 14)]
    UpdateHub {
        /// `host:port`.
        endpoint: Vec<u8>,
        /// X25519 key.
        transport_key: [u8; 32],
        /// What it asks for forwarding.
        fees: HubFees,
    },
    /// `exchange.place`.
    #[codec(index = 15)]
    PlaceOrder {
        /// The asset to give.
        sell_asset: AssetId,
        /// How much of it at most.
        sell: Balance,
        /// The asset to get.
        buy_asset: AssetId,
        /// How much of it for all that is given, at least.
        buy: Balance,
        /// How many resting orders to look at.
        max_matches: u32,
    },
    /// `exchange.cancel`.
    #[codec(index = 16)]
    CancelOrder {
        /// Its number.
        order: u64,
    },
    /// `governance.propose`.
    #[codec(index = 17)]
    Propose {
        /// What it is called.
        title: Vec<u8>,
        /// What it is for.
        text: Vec<u8>,
        /// What is to be carried out, each call as the chain encodes it.
        calls: Vec<Vec<u8>>,
    },
    /// `governance.vote`.
    #[codec(index = 18)]
    Vote {
        /// Number of the proposal.
        proposal: u32,
        /// Whether for it.
        approve: bool,
        /// Why.
        rationale: Vec<u8>,
    },
    /// `governance.cancel`.
    #[codec(index = 19)]
    CancelProposal {
        /// Number of the proposal.
        proposal: u32,
    },
    /// `system.apply_authorized_upgrade`.
    #[codec(index = 22)]
    ApplyUpgrade {
        /// The new runtime's code.
        code: Vec<u8>,
    },
    /// `hubs.retire`.
    #[codec(index = 20)]
    RetireHub,
    /// `hubs.leave`.
    #[codec(index = 21)]
    LeaveHub {
        /// The hub whose notice is over.
        hub: AccountId,
    },
    /// `secrets.reveal`.
    #[codec(index = 10)]
    Reveal {
        /// The secrets.
        secrets: Vec<[u8; 32]>,
    },
    /// `insurance.counter_for`.
    #[codec(index = 11)]
    CounterFor {
        /// The parties in dispute.
        pair: Pair,
        /// At most one of each, with both signatures.
        simplexes: Vec<TwiceSigned>,
    },
    /// `insurance.resolve`.
    #[codec(index = 12)]
    Resolve {
        /// The parties whose dispute is due.
        pair: Pair,
    },
    /// `batch.submit` that skips what fails.
    #[codec(index = 13)]
    BatchSkipping {
        /// The actions.
        actions: Vec<Call>,
    },
}

// Secrets stay out of logs, and the rest of a call is long.
impl core::fmt::Debug for Call {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Call({})", self.name())
    }
}

/// How the runtime names a call, and its encoded arguments.
pub(super) struct Encoded {
    pub pallet: &'static str,
    pub call: &'static str,
    pub arguments: Vec<u8>,
}

impl Call {
    /// Whether to do it twice is the same as once: secrets count by their first reveal.
    pub(super) fn is_repeatable(&self) -> bool {
        matches!(self, Self::Reveal { .. })
    }

    /// A name for logs and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Deposit { .. } => "insurance.deposit",
            Self::Withdraw { .. } => "insurance.withdraw",
            Self::Dispute { .. } => "insurance.dispute",
            Self::Counter { .. } => "insurance.counter",
            Self::Close { .. } => "insurance.close",
            Self::LateClaim { .. } => "insurance.late_claim",
            Self::Claim { .. } => "custody.claim",
            Self::Transfer { asset: NATIVE_ASSET, .. } => "balances.transfer_allow_death",
            Self::Transfer { .. } => "assets.transfer",
            Self::RegisterHub { .. } => "hubs.register",
            Self::UpdateHub { .. } => "hubs.update",
            Self::Batch { .. } | Self::BatchSkipping { .. } => "batch.submit",
            Self::Reveal { .. } => "secrets.reveal",
            Self::CounterFor { .. } => "insurance.counter_for",
            Self::Resolve { .. } => "insurance.resolve",
            Self::PlaceOrder { .. } => "exchange.place",
            Self::CancelOrder { .. } => "exchange.cancel",
            Self::Propose { .. } => "governance.propose",
            Self::Vote { .. } => "governance.vote",
            Self::CancelProposal { .. } => "governance.cancel",
            Self::ApplyUpgrade { .. } => "system.apply_authorized_upgrade",
            Self::RetireHub => "hubs.retire",
            Self::LeaveHub { .. } => "hubs.leave",
        }
    }

    /// How many secrets it reveals.
    pub fn secrets(&self) -> usize {
        match self {
            Self::Reveal { secrets } => secrets.len(),
            _ => 0,
        }
    }

    /// Whether it brings this withdrawal proof to the chain.
    pub fn uses(&self, withdrawal_proof: &MultiSignature) -> bool {
        match self {
            Self::Withdraw { proof, .. } => proof == withdrawal_proof,
            Self::Batch { actions } | Self::BatchSkipping { actions } => {
                actions.iter().any(|action| action.uses(withdrawal_proof))
            },
            _ => false,
        }
    }

    /// Encodes the call. `place` gives the indices of a pallet and its call, for actions of a batch.
    pub(super) fn encode_for<E>(
        &self,
        place: &impl Fn(&str, &str) -> Result<[u8; 2], E>,
    ) -> Result<Encoded, E> {
        /// `MultiAddress::Id`.
        const ID: u8 = 0;
        let (pallet, call, arguments) = match self {
            Self::Deposit { asset, amount, beneficiary, partner, epoch } => (
                "Insurance",
                "deposit",
                (asset, Compact(*amount), beneficiary, partner, epoch).encode(),
            ),
            Self::Withdraw { partner, withdrawal, proof } => {
                ("Insurance", "withdraw", (partner, withdrawal, proof).encode())
            },
            Self::Dispute { partner, epoch, evidence } => {
                ("Insurance", "dispute", (partner, epoch, evidence).encode())
            },
            Self::Counter { partner, evidence } => {
                ("Insurance", "counter", (partner, evidence).encode())
            },
            Self::Close { partner, close, signature } => {
                ("Insurance", "close", (partner, close, signature).encode())
            },
            Self::LateClaim { payer, epoch, simplex, signature } => {
                ("Insurance", "late_claim", (payer, epoch, simplex, signature).encode())
            },
            Self::Claim { who, asset } => ("Custody", "claim", (who, asset).encode()),
            Self::Transfer { to, asset: NATIVE_ASSET, amount } => {
                ("Balances", "transfer_allow_death", (ID, to, Compact(*amount)).encode())
            },
            Self::Transfer { to, asset, amount } => {
                ("Assets", "transfer", (Compact(*asset), ID, to, Compact(*amount)).encode())
            },
            Self::RegisterHub { handle, endpoint, transport_key, fees } => {
                let no_routes: Vec<AccountId> = vec![];
                let arguments = (handle, endpoint, transport_key, fees, no_routes).encode();
                ("Hubs", "register", arguments)
            },
            Self::UpdateHub { endpoint, transport_key, fees } => {
                let no_routes: Vec<AccountId> = vec![];
                ("Hubs", "update", (endpoint, transport_key, fees, no_routes).encode())
            },
            Self::Batch { actions } | Self::BatchSkipping { actions } => {
                let count = u32::try_from(actions.len()).unwrap_or(u32::MAX);
                let mut arguments = Compact(count).encode();
                for action in actions {
                    let inner = action.encode_for(place)?;
                    arguments.extend(place(inner.pallet, inner.call)?);
                    arguments.extend(inner.arguments);
                }
                // `Mode::Atomic`, `Mode::SkipFailed`.
                arguments.push(u8::from(matches!(self, Self::BatchSkipping { .. })));
                ("Batch", "submit", arguments)
            },
            Self::Reveal { secrets } => ("Secrets", "reveal", secrets.encode()),
            Self::PlaceOrder { sell_asset, sell, buy_asset, buy, max_matches } => {
                ("Exchange", "place", (sell_asset, sell, buy_asset, buy, max_matches).encode())
            },
            Self::CancelOrder { order } => ("Exchange", "cancel", order.encode()),
            Self::Propose { title, text, calls } => {
                let arguments = [(title, text).encode(), list_of(calls)].concat();
                ("Governance", "propose", arguments)
            },
            Self::Vote { proposal, approve, rationale } => {
                ("Governance", "vote", (proposal, approve, rationale).encode())
            },
            Self::CancelProposal { proposal } => ("Governance", "cancel", proposal.encode()),
            Self::ApplyUpgrade { code } => ("System", "apply_authorized_upgrade", code.encode()),
            Self::RetireHub => ("Hubs", "retire", vec![]),
            Self::LeaveHub { hub } => ("Hubs", "leave", hub.encode()),
            Self::CounterFor { pair, simplexes } => {
                ("Insurance", "counter_for", (pair.left(), pair.right(), simplexes).encode())
            },
            Self::Resolve { pair } => {
                ("Insurance", "resolve", (pair.left(), pair.right()).encode())
            },
        };
        Ok(Encoded { pallet, call, arguments })
    }
}

/// Calls that are encoded already, as the chain reads a list of them.
pub(super) fn list_of<T: AsRef<[u8]>>(calls: &[T]) -> Vec<u8> {
    let mut bytes = Compact(u32::try_from(calls.len()).unwrap_or(u32::MAX)).encode();
    bytes.extend(calls.iter().flat_map(AsRef::as_ref));
    bytes
}

#[cfg(test)]
mod tests;
