//! How every pallet is configured.

use crate::{
    action_weights::Rebalance,
    consensus::{KeyOwners, Offences, Shares},
    custody_guard::{CustodyHolds, NotAtCustody},
    fees::{AuthorOfSlot, ChargeAboveNoDebt, LengthFee, ToAuthor, WeightFee},
    AccountId, AssetId, Assets, AssetsFreezer, Aura, Balance, Balances, Block, BlockNumber, Clock,
    Custody, Debt, Exchange, Hubs, Insurance, Nonce, PalletInfo, Parameters, Runtime, RuntimeCall,
    RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin, RuntimeTask, Secrets,
    System, EXISTENTIAL_DEPOSIT, FRD, MILLI_FRD, VERSION,
};
use failsafe_pallet_support::deposits::NoReserveForDebtors;
use failsafe_primitives::NATIVE_ASSET;
use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{
        fungible::UnionOf, AsEnsureOriginWithArg, ConstBool, ConstU128, ConstU32, ConstU64,
        ConstU8, Contains, Get, VariantCountOf,
    },
    weights::{
        constants::{
            BlockExecutionWeight, ExtrinsicBaseWeight, ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND,
        },
        Weight,
    },
    PalletId,
};
use frame_system::{
    limits::{BlockLength, BlockWeights},
    EnsureRoot, EnsureSigned,
};
use pallet_transaction_payment::{ConstFeeMultiplier, Multiplier};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{
    traits::{Convert, One},
    Either, Perbill,
};
use sp_version::RuntimeVersion;

/// Share of a block that normal transactions may fill; the rest is for operational ones: disputes,
/// counters, resolves.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);
/// Longest block in bytes.
const MAX_LENGTH: u32 = 5 * 1024 * 1024;

/// As `BlockWeights::with_sensible_defaults`, but a single transaction may take what a class has
/// less 2 % of a block, not 10 %: what our pallets do when a block begins costs far less, and a batch
/// of 5,000 channels must fit with room to spare.
fn block_weights() -> BlockWeights {
    let most = Weight::from_parts(2 * WEIGHT_REF_TIME_PER_SECOND, u64::MAX);
    BlockWeights::builder()
        .base_block(BlockExecutionWeight::get())
        .for_class(DispatchClass::all(), |class| {
            class.base_extrinsic = ExtrinsicBaseWeight::get();
        })
        .for_class(DispatchClass::Normal, |class| class.max_total = Some(NORMAL_RATIO * most))
        .for_class(DispatchClass::Operational, |class| {
            class.max_total = Some(most);
            // What only they can use.
            class.reserved = Some(most - NORMAL_RATIO * most);
        })
        .avg_block_initialization(Perbill::from_percent(2))
        .build_or_panic()
}

parameter_types! {
    pub const BlockHashCount: BlockNumber = 2400;
    pub const Version: RuntimeVersion = VERSION;
    /// Two seconds of execution.
    pub RuntimeBlockWeights: BlockWeights = block_weights();
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(MAX_LENGTH)
        .modify_max_length_for_class(DispatchClass::Normal, |length| {
            *length = NORMAL_RATIO * *length
        })
        .build();
    /// The generic Substrate prefix.
    pub const SS58Prefix: u8 = 42;
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type BaseCallFilter = NotAtCustody;
    type AccountId = AccountId;
    type Nonce = Nonce;
    type BlockHashCount = BlockHashCount;
    type DbWeight = ParityDbWeight;
    type Version = Version;
    type AccountData = pallet_balances::AccountData<Balance>;
    type SS58Prefix = SS58Prefix;
}

/// Slot duration that the chain specification chose, in milliseconds.
pub struct SlotDuration;
impl Get<u64> for SlotDuration {
    fn get() -> u64 {
        pallet_clock::SlotDuration::<Runtime>::get()
    }
}

/// Half a slot: the shortest time between two blocks.
pub struct HalfSlot;
impl Get<u64> for HalfSlot {
    fn get() -> u64 {
        SlotDuration::get() / 2
    }
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = HalfSlot;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type DisabledValidators = ();
    // One per slot of a round: as many as there may be shares.
    type MaxAuthorities = ConstU32<{ pallet_governance::MAX_SHARES }>;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = SlotDuration;
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = AuthorOfSlot;
    type EventHandler = ();
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<{ pallet_governance::MAX_VALIDATORS }>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<{ pallet_governance::KEPT_SETS }>;
    type KeyOwnerProof = sp_session::MembershipProof;
    type EquivocationReportSystem =
        pallet_grandpa::EquivocationReportSystem<Self, Offences, KeyOwners, ConstU64<600>>;
}

impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
    type Balance = Balance;
    type DustRemoval = ();
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ();
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

parameter_types! {
    /// Prices do not follow the load: they are protocol parameters.
    pub FeeMultiplier: Multiplier = Multiplier::one();
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = ChargeAboveNoDebt;
    type WeightToFee = WeightFee;
    type LengthToFee = LengthFee;
    type FeeMultiplierUpdate = ConstFeeMultiplier<FeeMultiplier>;
    type OperationalFeeMultiplier = ConstU8<1>;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_assets::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Balance = Balance;
    type RemoveItemsLimit = ConstU32<1000>;
    type AssetId = AssetId;
    type AssetIdParameter = codec::Compact<AssetId>;
    type ReserveData = ();
    type Currency = NoReserveForDebtors<Balances, Debt>;
    type CreateOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type ForceOrigin = EnsureRoot<AccountId>;
    type AssetDeposit = ConstU128<{ 10 * FRD }>;
    type AssetAccountDeposit = ConstU128<{ 10 * MILLI_FRD }>;
    type MetadataDepositBase = ConstU128<FRD>;
    type MetadataDepositPerByte = ConstU128<MILLI_FRD>;
    type ApprovalDeposit = ConstU128<MILLI_FRD>;
    type StringLimit = ConstU32<50>;
    type Freezer = AssetsFreezer;
    type Holder = CustodyHolds;
    type Extra = ();
    type CallbackHandle = ();
    // Numbers in a row from genesis on, so that nobody takes 0, which is FRD.
    type AssetIdAllocator = pallet_assets::AutoIncAssetId<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
    type WeightInfo = pallet_assets::weights::SubstrateWeight<Runtime>;
}

impl pallet_assets_freezer::Config for Runtime {
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type RuntimeEvent = RuntimeEvent;
}

/// Asset 0 is FRD, every other number an issued asset.
pub struct ByNumber;
impl Convert<AssetId, Either<(), AssetId>> for ByNumber {
    fn convert(asset: AssetId) -> Either<(), AssetId> {
        if asset == NATIVE_ASSET {
            Either::Left(())
        } else {
            Either::Right(asset)
        }
    }
}

/// FRD and all issued assets behind one interface.
pub type Money = UnionOf<Balances, Assets, ByNumber, AssetId, AccountId>;
/// Their freezes.
pub type Freezes = UnionOf<Balances, AssetsFreezer, ByNumber, AssetId, AccountId>;

impl pallet_protocol_parameters::Config for Runtime {
    type AmendOrigin = EnsureRoot<AccountId>;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type WeightInfo = pallet_protocol_parameters::weights::SubstrateWeight<Runtime>;
}

impl pallet_clock::Config for Runtime {
    type WeightInfo = pallet_clock::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    pub const CustodyId: PalletId = PalletId(*b"fs/custd");
}

impl pallet_custody::Config for Runtime {
    type Assets = Money;
    type Debts = Debt;
    type WeightInfo = pallet_custody::weights::SubstrateWeight<Runtime>;
    type PalletId = CustodyId;
}

impl pallet_hubs::Config for Runtime {
    type Native = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Debts = Debt;
    type Clock = Clock;
    type Parameters = Parameters;
    type WeightInfo = pallet_hubs::weights::SubstrateWeight<Runtime>;
}

impl pallet_debt::Config for Runtime {
    type Assets = Money;
    type Freezer = Freezes;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type Custody = Custody;
    type Hubs = Hubs;
    type OnDebtor = Exchange;
    type Parameters = Parameters;
    type MaxPayments = ConstU32<32>;
    type MaxPaymentsPerCredit = ConstU32<1>;
    type MaxVisits = ConstU32<256>;
    type WeightInfo = pallet_debt::weights::SubstrateWeight<Runtime>;
}

impl pallet_insurance::Config for Runtime {
    type Assets = Money;
    type Native = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type OnPairFee = ToAuthor;
    type Custody = Custody;
    type Debts = Debt;
    type Clock = Clock;
    type Hubs = Hubs;
    type Secrets = Secrets;
    type Parameters = Parameters;
    type WeightInfo = pallet_insurance::weights::SubstrateWeight<Runtime>;
}

impl pallet_secrets::Config for Runtime {
    type Native = Balances;
    type OnFee = ToAuthor;
    type Debts = Debt;
    type Clock = Clock;
    type Disputes = Insurance;
    type Parameters = Parameters;
    type WeightInfo = pallet_secrets::weights::SubstrateWeight<Runtime>;
}

impl pallet_exchange::Config for Runtime {
    type Assets = Money;
    type Native = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Custody = Custody;
    type Debts = Debt;
    type Deposit = ConstU128<{ 10 * MILLI_FRD }>;
    type MaxMatches = ConstU32<64>;
    type MaxRecalls = ConstU32<256>;
    type WeightInfo = pallet_exchange::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    /// Calls of a proposal fit what one pallet may take on idle, with room for counting the votes.
    pub HeaviestProposal: Weight =
        Perbill::from_percent(20) * RuntimeBlockWeights::get().max_block;
}

/// Deposit of a proposal. In the runtime of rehearsals it is half of that, so that everybody can see
/// which of the two is in force.
const PROPOSAL_DEPOSIT: Balance =
    if cfg!(feature = "previous-version") { 5 * FRD } else { 10 * FRD };

impl pallet_governance::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type Native = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type OnForfeit = ToAuthor;
    type Debts = Debt;
    type Clock = Clock;
    type Consensus = Shares;
    type Session = ConstU32<20>;
    type Deposit = ConstU128<PROPOSAL_DEPOSIT>;
    type MaxWeight = HeaviestProposal;
    type WeightInfo = pallet_governance::weights::SubstrateWeight<Runtime>;
}

/// What may be an action of a batch: money, assets, channels, secrets, hubs, debts, orders,
/// proposals and votes; not system calls, sudo, amendments, or batches.
pub struct Actions;
impl Contains<RuntimeCall> for Actions {
    fn contains(call: &RuntimeCall) -> bool {
        matches!(
            call,
            RuntimeCall::Balances(_)
                | RuntimeCall::Assets(_)
                | RuntimeCall::Custody(_)
                | RuntimeCall::Hubs(_)
                | RuntimeCall::Debt(_)
                | RuntimeCall::Insurance(_)
                | RuntimeCall::Secrets(_)
                | RuntimeCall::Exchange(_)
                | RuntimeCall::Governance(
                    pallet_governance::Call::propose { .. }
                        | pallet_governance::Call::vote { .. }
                        | pallet_governance::Call::cancel { .. }
                )
                | RuntimeCall::System(frame_system::Call::remark { .. })
                | RuntimeCall::System(frame_system::Call::remark_with_event { .. })
        )
    }
}

impl pallet_batch::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type Actions = Actions;
    type MaxActions = ConstU32<10_000>;
    type ActionWeights = Rebalance;
    type Debts = Debt;
    type WeightInfo = pallet_batch::weights::SubstrateWeight<Runtime>;
}
