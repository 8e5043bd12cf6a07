//! Implementations of all runtime APIs.

use crate::{
    api::ProposalView, configs::Money, consensus::KeyOwners, dry_run::DryRun, AccountId, AssetId,
    Assets, Aura, Balance, Block, BlockNumber, Clock, Custody, Debt, Exchange, Executive,
    Governance, Grandpa, Hubs, InherentDataExt, Insurance, Nonce, Parameters, Runtime, RuntimeCall,
    RuntimeGenesisConfig, Secrets, SessionKeys, System, TransactionPayment, VERSION,
};
use alloc::{boxed::Box, vec::Vec};
use codec::Encode;
use failsafe_pallet_support::{DebtLedger, UsableClock};
use failsafe_primitives::{
    view::{
        AssetView, BalanceView, ChannelView, DebtView, DisputeView, HubStanding, HubView, Moment,
        OrderView, PairView, SecretView, MAX_ASSETS_LISTED,
    },
    Pair, NATIVE_ASSET,
};
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    traits::{fungibles::Inspect, Get},
    weights::Weight,
};
use pallet_governance::Validator;
use pallet_grandpa::AuthorityId as GrandpaId;
use sp_api::impl_runtime_apis;
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_core::{crypto::KeyTypeId, OpaqueMetadata};
use sp_runtime::{
    traits::{Block as BlockT, NumberFor},
    transaction_validity::{TransactionSource, TransactionValidity},
    ApplyExtrinsicResult,
};
use sp_version::RuntimeVersion;

/// What clients see of an asset; `None` if there is no such.
fn asset_view(id: AssetId) -> Option<AssetView> {
    use frame_support::traits::fungibles::metadata::Inspect as _;
    if !Money::asset_exists(id) {
        return None;
    }
    let (symbol, decimals) = if id == NATIVE_ASSET {
        (b"FRD".to_vec(), 12)
    } else {
        (Assets::symbol(id), Assets::decimals(id))
    };
    Some(AssetView { id, symbol, decimals, minimum: Money::minimum_balance(id) })
}

/// What clients see of an open proposal.
fn proposal_view(id: u32) -> Option<ProposalView> {
    let (proposal, calls, tally) = Governance::proposal(id)?;
    Some(ProposalView { id, proposal, calls, tally, votes: Governance::votes(id) })
}

/// What clients see of a hub's standing.
fn hub_standing(account: AccountId) -> HubStanding {
    let owes = Debt::owes(account.clone());
    HubStanding { owes, ..Hubs::standing(account) }
}

impl_runtime_apis! {
    impl crate::api::FailsafeApi<Block> for Runtime {
        fn moment() -> Moment {
            Moment { block: System::block_number(), clock: <Clock as UsableClock>::now() }
        }

        fn parameters() -> failsafe_primitives::Parameters {
            <Parameters as Get<_>>::get()
        }

        fn channel(a: AccountId, b: AccountId) -> Option<ChannelView> {
            Insurance::channel(a, b)
        }

        fn pairs(who: AccountId, partners: Vec<AccountId>) -> Vec<PairView> {
            let view = |partner: AccountId| {
                Some(PairView {
                    channel: Insurance::channel(who.clone(), partner.clone())?,
                    owed_to_account: Debt::owed_between(partner.clone(), who.clone()),
                    owed_by_account: Debt::owed_between(who.clone(), partner),
                })
            };
            partners.into_iter().filter_map(view).collect()
        }

        fn asset(id: AssetId) -> Option<AssetView> {
            asset_view(id)
        }

        fn assets() -> Vec<AssetView> {
            let mut issued: Vec<_> = pallet_assets::Asset::<Runtime>::iter_keys().collect();
            issued.sort_unstable();
            let all = core::iter::once(NATIVE_ASSET).chain(issued);
            all.filter_map(asset_view).take(MAX_ASSETS_LISTED).collect()
        }

        fn balances(who: AccountId, assets: Vec<AssetId>) -> Vec<BalanceView> {
            let view = |asset| BalanceView {
                asset,
                free: Money::balance(asset, &who),
                spendable: <Debt as DebtLedger>::spendable(&who, asset),
                unclaimed: Custody::unclaimed(who.clone(), asset),
            };
            assets.into_iter().map(view).collect()
        }

        fn owes(debtor: AccountId) -> Vec<(AssetId, Balance)> {
            Debt::owes(debtor)
        }

        fn owed_to(debtor: AccountId, creditor: AccountId, asset: AssetId) -> Balance {
            Debt::owed_to(debtor, creditor, asset)
        }

        fn debts_of(debtor: AccountId, asset: AssetId, limit: u32) -> Vec<DebtView> {
            Debt::debts_of(debtor, asset, limit)
        }

        fn open_disputes(limit: u32) -> Vec<(Pair, DisputeView)> {
            Insurance::open_disputes(limit)
        }

        fn secret(hash: [u8; 32]) -> Option<SecretView> {
            Secrets::secret(hash)
        }

        fn hub(account: AccountId) -> Option<HubView> {
            Hubs::hub(account)
        }

        fn hub_by_handle(handle: Vec<u8>) -> Option<HubView> {
            Hubs::hub_by_handle(handle)
        }

        fn hubs() -> Vec<HubView> {
            Hubs::hubs()
        }

        fn hub_standing(account: AccountId) -> HubStanding {
            hub_standing(account)
        }

        fn hub_standings() -> Vec<HubStanding> {
            pallet_hubs::Hubs::<Runtime>::iter_keys().map(hub_standing).collect()
        }

        fn book(sell_asset: AssetId, buy_asset: AssetId, limit: u32) -> Vec<OrderView> {
            Exchange::book(sell_asset, buy_asset, limit)
        }

        fn orders(owner: AccountId, limit: u32) -> Vec<OrderView> {
            Exchange::orders(owner, limit)
        }

        fn order(id: u64) -> Option<OrderView> {
            Exchange::order(id)
        }
    }

    impl crate::api::GovernanceApi<Block> for Runtime {
        fn validators() -> Vec<Validator> {
            Governance::validators()
        }

        fn planned() -> Option<(BlockNumber, Vec<Validator>)> {
            pallet_governance::Planned::<Runtime>::get()
                .map(|plan| (plan.border, plan.validators.into_inner()))
        }

        fn voting_period() -> u64 {
            pallet_governance::VotingPeriod::<Runtime>::get()
        }

        fn proposals() -> Vec<ProposalView> {
            let open = pallet_governance::Agenda::<Runtime>::get();
            open.into_iter().filter_map(|(_, id)| proposal_view(id)).collect()
        }

        fn proposal(id: u32) -> Option<ProposalView> {
            proposal_view(id)
        }

        fn dry_run_proposal(id: u32) -> Option<DryRun> {
            let (_, calls, _) = Governance::proposal(id)?;
            Some(crate::dry_run::dry_run(calls))
        }

        fn dry_run(calls: Vec<Box<RuntimeCall>>) -> DryRun {
            crate::dry_run::dry_run(calls)
        }
    }

    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block);
        }

        fn initialize_block(
            header: &<Block as BlockT>::Header,
        ) -> sp_runtime::ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
        fn execute_view_function(
            id: frame_support::view_functions::ViewFunctionId,
            input: Vec<u8>,
        ) -> Result<Vec<u8>, frame_support::view_functions::ViewFunctionDispatchError> {
            Runtime::execute_view_function(id, input)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> <Block as BlockT>::Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(
            data: sp_inherents::InherentData,
        ) -> Vec<<Block as BlockT>::Extrinsic> {
            data.create_extrinsics()
        }

        fn check_inherents(
            block: <Block as BlockT>::LazyBlock,
            data: sp_inherents::InherentData,
        ) -> sp_inherents::CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            tx: <Block as BlockT>::Extrinsic,
            block_hash: <Block as BlockT>::Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, tx, block_hash)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &<Block as BlockT>::Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_consensus_aura::AuraApi<Block, AuraId> for Runtime {
        fn slot_duration() -> sp_consensus_aura::SlotDuration {
            sp_consensus_aura::SlotDuration::from_millis(Aura::slot_duration())
        }

        fn authorities() -> Vec<AuraId> {
            pallet_aura::Authorities::<Runtime>::get().into_inner()
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(
            owner: Vec<u8>,
            seed: Option<Vec<u8>>,
        ) -> sp_session::OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }

        fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> sp_consensus_grandpa::AuthorityList {
            Grandpa::grandpa_authorities()
        }

        fn current_set_id() -> sp_consensus_grandpa::SetId {
            Grandpa::current_set_id()
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            equivocation: sp_consensus_grandpa::EquivocationProof<
                <Block as BlockT>::Hash,
                NumberFor<Block>,
            >,
            owner: sp_consensus_grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            Grandpa::submit_unsigned_equivocation_report(equivocation, owner.decode()?)
        }

        fn generate_key_ownership_proof(
            set: sp_consensus_grandpa::SetId,
            key: GrandpaId,
        ) -> Option<sp_consensus_grandpa::OpaqueKeyOwnershipProof> {
            let proof = KeyOwners::proof(set, &key)?;
            Some(sp_consensus_grandpa::OpaqueKeyOwnershipProof::new(proof.encode()))
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance>
        for Runtime
    {
        fn query_info(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_info(uxt, len)
        }

        fn query_fee_details(
            uxt: <Block as BlockT>::Extrinsic,
            len: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_fee_details(uxt, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
        Block,
        Balance,
        RuntimeCall,
    > for Runtime
    {
        fn query_call_info(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    #[cfg(feature = "try-runtime")]
    impl frame_try_runtime::TryRuntime<Block> for Runtime {
        fn on_runtime_upgrade(checks: frame_try_runtime::UpgradeCheckSelect) -> (Weight, Weight) {
            let weight = Executive::try_runtime_upgrade(checks).expect("the upgrade's checks hold");
            (weight, crate::configs::RuntimeBlockWeights::get().max_block)
        }

        fn execute_block(
            block: <Block as BlockT>::LazyBlock,
            state_root_check: bool,
            signature_check: bool,
            select: frame_try_runtime::TryStateSelect,
        ) -> Weight {
            Executive::try_execute_block(block, state_root_check, signature_check, select)
                .expect("the block's checks hold")
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (
            Vec<frame_benchmarking::BenchmarkList>,
            Vec<frame_support::traits::StorageInfo>,
        ) {
            crate::benchmarks::metadata(extra)
        }

        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            crate::benchmarks::dispatch(config)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, crate::genesis_config_presets::get_preset)
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            crate::genesis_config_presets::preset_names()
        }
    }
}
