//! The Failsafe chain as one WebAssembly runtime: channels with insurance, disputes, debts, batches
//! and a registry of hubs, over balances and issued assets, authored by Aura and finalized by
//! GRANDPA.
//!
//! | module | what is in it |
//! |---|---|
//! | [`action_weights`] | what the actions of a batch weigh together |
//! | [`configs`] | how every pallet is configured |
//! | [`consensus`] | how shares become authorship and finality, and reports of double votes |
//! | [`custody_guard`] | what keeps issuers' hands off insured funds |
//! | [`dry_run`] | what calls would change |
//! | [`fees`] | what a transaction costs and who gets it |
//! | [`api`] | what clients ask, so that nobody decodes storage |
//! | [`apis`] | implementations of all runtime APIs |
//! | [`genesis_config_presets`] | development, local and story chains |
//! | `invariants` | what must hold over all pallets |

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]
#![allow(missing_docs, reason = "the runtime macros write undocumented items")]

extern crate alloc;

pub mod action_weights;
pub mod api;
pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod consensus;
pub mod custody_guard;
pub mod dry_run;
pub mod fees;
pub mod genesis_config_presets;
#[cfg(any(feature = "try-runtime", feature = "std"))]
pub mod invariants;

use alloc::vec::Vec;
use sp_runtime::{
    generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

pub use failsafe_primitives::{AssetId, Balance};

/// What users sign extrinsics and payloads with.
pub type Signature = MultiSignature;
/// 32 bytes; SS58 is its text form.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Number of an account's next extrinsic.
pub type Nonce = u32;
/// Hash of blocks and storage.
pub type Hash = sp_core::H256;
/// Number of a block.
pub type BlockNumber = u32;
/// How calls name accounts.
pub type Address = MultiAddress<AccountId, ()>;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// Types for code that does not look into extrinsics: the node.
pub mod opaque {
    use super::{BlakeTwo256, BlockNumber};
    use sp_runtime::generic;
    pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

    /// Header of a block.
    pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
    /// A block.
    pub type Block = generic::Block<Header, UncheckedExtrinsic>;
}

impl_opaque_keys! {
    pub struct SessionKeys {
        pub aura: Aura,
        pub grandpa: Grandpa,
    }
}

/// `spec_version` goes up with every change of logic, `transaction_version` when an existing call
/// or extension changes its encoding.
#[cfg(not(feature = "previous-version"))]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: alloc::borrow::Cow::Borrowed("failsafe"),
    impl_name: alloc::borrow::Cow::Borrowed("failsafe"),
    authoring_version: 1,
    spec_version: 3,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 2,
    system_version: 1,
};

/// The version from which a rehearsal upgrades to [`VERSION`]: one less.
#[cfg(feature = "previous-version")]
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: alloc::borrow::Cow::Borrowed("failsafe"),
    impl_name: alloc::borrow::Cow::Borrowed("failsafe"),
    authoring_version: 1,
    spec_version: 2,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 2,
    system_version: 1,
};

/// One FRD in its smallest units.
pub const FRD: Balance = 1_000_000_000_000;
/// A thousandth of an FRD.
pub const MILLI_FRD: Balance = FRD / 1_000;
/// Smallest balance that keeps an account alive.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_FRD;
/// Number of the second genesis asset, FRB.
pub const FRB: AssetId = 1;

/// What every transaction carries beside its call.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    pallet_batch::OneBatchPerBlock<Runtime>,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
    frame_system::WeightReclaim<Runtime>,
);

/// An extrinsic as it travels.
pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What the sender of an extrinsic signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Carries out blocks.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    // System and consensus.
    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;
    #[runtime::pallet_index(2)]
    pub type Aura = pallet_aura;
    #[runtime::pallet_index(3)]
    pub type Authorship = pallet_authorship;
    #[runtime::pallet_index(4)]
    pub type Grandpa = pallet_grandpa;
    #[runtime::pallet_index(9)]
    pub type Sudo = pallet_sudo;

    // Money.
    #[runtime::pallet_index(10)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(11)]
    pub type TransactionPayment = pallet_transaction_payment;
    #[runtime::pallet_index(12)]
    pub type Assets = pallet_assets;
    #[runtime::pallet_index(13)]
    pub type AssetsFreezer = pallet_assets_freezer;

    // Governance.
    #[runtime::pallet_index(20)]
    pub type Parameters = pallet_protocol_parameters;
    #[runtime::pallet_index(21)]
    pub type Governance = pallet_governance;

    // Channels.
    #[runtime::pallet_index(30)]
    pub type Clock = pallet_clock;
    #[runtime::pallet_index(31)]
    pub type Custody = pallet_custody;
    #[runtime::pallet_index(32)]
    pub type Hubs = pallet_hubs;
    #[runtime::pallet_index(33)]
    pub type Debt = pallet_debt;
    #[runtime::pallet_index(34)]
    pub type Insurance = pallet_insurance;
    #[runtime::pallet_index(35)]
    pub type Batch = pallet_batch;
    #[runtime::pallet_index(36)]
    pub type Secrets = pallet_secrets;
    #[runtime::pallet_index(37)]
    pub type Exchange = pallet_exchange;
}
