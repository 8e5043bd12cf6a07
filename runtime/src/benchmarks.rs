//! The runtime as the benchmarks see it: which there are, and how they set up a state.

use crate::{
    AccountId, AllPalletsWithSystem, AssetId, Assets, Balance, BlockNumber, Custody, Debt, Runtime,
    RuntimeCall, System, FRD, MILLI_FRD,
};
use alloc::{string::String, vec::Vec};
use failsafe_pallet_support::{
    benchmarking::{stranger, Signer, World, UNIT},
    Custody as _, DebtLedger,
};
use failsafe_primitives::{
    simplex::LockHash, ChannelContext, Clock, Collateral, Pair, Parameters, Side, Withdrawal,
    WithdrawalItem, NATIVE_ASSET,
};
use frame_benchmarking::{define_benchmarks, BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
    fungibles::Mutate, Get, StorageInfo, StorageInfoTrait, WhitelistedStorageKeys,
};
use pallet_batch::benchmarking::{Channels, Rebalances};
use pallet_insurance::{ChannelRecord, Row};
use sp_core::sr25519;
use sp_runtime::{generic::DigestItem, traits::Zero};

define_benchmarks!(
    [pallet_batch, crate::Batch]
    [pallet_clock, crate::Clock]
    [pallet_custody, crate::Custody]
    [pallet_debt, crate::Debt]
    [pallet_exchange, crate::Exchange]
    [pallet_governance, crate::Governance]
    [pallet_hubs, crate::Hubs]
    [pallet_insurance, crate::Insurance]
    [pallet_protocol_parameters, crate::Parameters]
    [pallet_secrets, crate::Secrets]
);

/// All benchmarks, and the names of the storage items.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// Runs a benchmark.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}

/// Everything costs, far less than a [`UNIT`].
const CHARGED: Parameters = Parameters {
    floor_hub: 10 * FRD,
    floor_user: FRD,
    account_top_up: 10 * MILLI_FRD,
    pair_fee: 10 * MILLI_FRD,
    // A thousand and more at once are paid from below a hub's floor.
    secret_fee: MILLI_FRD,
    dispute_deposit: 100 * MILLI_FRD,
    hub_deposit: 100 * FRD,
    default_credit: 1_000 * FRD,
    fee_per_second: FRD,
    fee_per_byte: MILLI_FRD / 1_000,
    ..Parameters::DEVELOPMENT
};

impl World for Runtime {
    fn charge_everything() {
        pallet_protocol_parameters::Current::<Runtime>::put(CHARGED);
        let author = sr25519::Public::from_raw([9; 32]);
        let authorities = alloc::vec![author.into()];
        pallet_aura::Authorities::<Runtime>::put(frame_support::BoundedVec::truncate_from(
            authorities,
        ));
        let slot = codec::Encode::encode(&0u64);
        System::deposit_log(DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot));
        // Somebody who can get even a small fee.
        Self::give(&AccountId::new(author.0), NATIVE_ASSET, UNIT);
    }

    fn no_top_up() {
        let values = Parameters { account_top_up: 0, ..CHARGED };
        pallet_protocol_parameters::Current::<Runtime>::put(values);
    }

    fn create_asset(asset: AssetId, minimum: Balance, sufficient: bool) {
        use frame_support::traits::fungibles::{Create, Inspect};
        if !Assets::asset_exists(asset) {
            // Genesis has set which number is next.
            pallet_assets::NextAssetId::<Runtime>::kill();
            let owner = stranger("issuer", 0, 0);
            <Assets as Create<AccountId>>::create(asset, owner, sufficient, minimum)
                .expect("there is no such asset");
        }
    }

    fn give(who: &AccountId, asset: AssetId, amount: Balance) {
        crate::configs::Money::mint_into(asset, who, amount).expect("it can be minted");
    }

    fn insure(from: &AccountId, asset: AssetId, amount: Balance) {
        Custody::take(from, asset, amount).expect("it can be insured");
    }

    fn crowd_custody() {
        let most: u32 = <Runtime as frame_system::Config>::MaxConsumers::get();
        for i in 0..most {
            let asset = 20_000 + i;
            Self::create_asset(asset, 1, false);
            // The last ones find no room.
            let _ = crate::configs::Money::mint_into(asset, &Custody::account(), UNIT);
        }
    }

    fn make_unclaimed(who: &AccountId, asset: AssetId, amount: Balance) {
        pallet_custody::Unclaimed::<Runtime>::insert(who, asset, amount);
        pallet_custody::UnclaimedSum::<Runtime>::insert(asset, amount);
    }

    fn book(
        debtor: &AccountId,
        creditor: &AccountId,
        asset: AssetId,
        amount: Balance,
        opened_in: BlockNumber,
    ) {
        let booked = Debt::pay_or_book(debtor, creditor, asset, amount, opened_in);
        assert_eq!(booked, amount, "the debtor has nothing");
    }

    fn register_hub(who: &AccountId) {
        let record = pallet_hubs::benchmarking::longest_record(0);
        pallet_hubs::Handles::<Runtime>::insert(&record.handle, who);
        pallet_hubs::Hubs::<Runtime>::insert(who, record);
    }

    fn set_clock(now: Clock) {
        pallet_clock::Now::<Runtime>::put(now);
    }

    fn reveal(index: u32) -> LockHash {
        let mut secret = [0; 32];
        secret[..4].copy_from_slice(&index.to_le_bytes());
        let hash = sp_io::hashing::sha2_256(&secret);
        let at = pallet_clock::Now::<Runtime>::get();
        let revealed = pallet_secrets::Revealed { secret, at, keep_until: Clock::MAX };
        pallet_secrets::Reveals::<Runtime>::insert(hash, revealed);
        hash
    }
}

/// What each channel of a rebalance has insured.
const INSURED: Balance = UNIT;

/// Gives a channel its record and collateral.
fn open(pair: &Pair, asset: AssetId) {
    let (left, right) = (pair.left(), pair.right());
    pallet_insurance::Channels::<Runtime>::insert(left, right, ChannelRecord::default());
    let collateral = Collateral { insurance: INSURED, ondelta: 0 };
    let opened_by = (asset != NATIVE_ASSET).then_some(Side::Left);
    pallet_insurance::Rows::<Runtime>::insert((left, right, asset), Row { collateral, opened_by });
}

impl Rebalances for Runtime {
    fn rebalancer() -> AccountId {
        stranger("rebalancer", 0, 0)
    }

    fn failing() -> RuntimeCall {
        let who = Self::rebalancer();
        RuntimeCall::Insurance(pallet_insurance::Call::resolve { left: who.clone(), right: who })
    }

    fn withdrawals(asset: AssetId, count: u32) -> Vec<RuntimeCall> {
        let who = Self::rebalancer();
        let sponsor = stranger("sponsor", 0, 0);
        let all = INSURED.saturating_mul(count.into());
        Self::give(&sponsor, asset, all.saturating_add(UNIT));
        Self::insure(&sponsor, asset, all);
        let genesis_hash = System::block_hash(BlockNumber::zero());
        let withdrawal = |i| {
            let partner = Signer::new(i);
            let pair = Pair::new(who.clone(), partner.id()).expect("two accounts");
            open(&pair, asset);
            let side = pair.side_of(&who).expect("a party");
            let item = WithdrawalItem { asset, amount: INSURED / 2, max_from_balance: 0 };
            let items = alloc::vec![item].try_into().expect("one item");
            let withdrawal = Withdrawal { withdrawal_nonce: 0, valid_until: Clock::MAX, items };
            let context = ChannelContext { genesis_hash, pair, epoch: 0 };
            let proof = partner.sign(&context.withdrawal_message(side, &withdrawal));
            let partner = partner.id();
            pallet_insurance::Call::withdraw { partner, withdrawal, proof }.into()
        };
        (0..count).map(withdrawal).collect()
    }

    fn deposits(asset: AssetId, count: u32, channels: Channels) -> Vec<RuntimeCall> {
        let who = Self::rebalancer();
        for asset in [NATIVE_ASSET, asset] {
            Self::give(&who, asset, UNIT.saturating_mul(count.saturating_add(1).into()));
        }
        let deposit = |i| {
            let partner = stranger("partner", 0, i);
            let beneficiary = match channels {
                Channels::NewParties => stranger("beneficiary", 0, i),
                Channels::Known | Channels::New => who.clone(),
            };
            let pair = Pair::new(beneficiary.clone(), partner.clone()).expect("two accounts");
            if channels == Channels::Known {
                open(&pair, asset);
            }
            if channels != Channels::NewParties {
                Self::give(&partner, NATIVE_ASSET, UNIT);
            }
            let (amount, epoch) = (UNIT / 2, Some(0));
            pallet_insurance::Call::deposit { asset, amount, beneficiary, partner, epoch }.into()
        };
        (0..count).map(deposit).collect()
    }
}
