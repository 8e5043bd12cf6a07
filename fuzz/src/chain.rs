//! A chain in memory: the real runtime, blocks by the real Executive.

use crate::{
    cast::actors,
    laws::{self, Before},
    values::ISSUED,
};
use codec::{DecodeLimit, Encode};
use failsafe_primitives::{Balance, Clock, Parameters};
use failsafe_runtime::{
    Block, Executive, Header, Runtime, RuntimeCall, RuntimeGenesisConfig, System, TxExtension,
    UncheckedExtrinsic, EXISTENTIAL_DEPOSIT, FRB, FRD, MILLI_FRD,
};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    genesis_builder_helper::{build_state, get_preset},
};
use sp_core::{storage::Storage, H256};
use sp_runtime::{
    generic::{CheckedExtrinsic, Era, ExtrinsicFormat},
    traits::{Applyable, Hash as _, Header as _},
    transaction_validity::{TransactionSource, TransactionValidity, TransactionValidityError},
    ApplyExtrinsicResult, DigestItem, DispatchResult, Perbill,
};
use sp_state_machine::BasicExternalities;
use std::sync::OnceLock;

/// First slot; the chain does not start at the beginning of Unix time.
const FIRST_SLOT: u64 = 1_000_000;
/// Issued money of each actor that has any.
const ISSUED_TO_EACH: u64 = 1_000_000_000_000_000;
/// The Executive's limit.
const MAX_EXTRINSIC_DEPTH: u32 = 256;

/// The prices that an input may choose from by its first byte.
fn prices() -> [Parameters; 4] {
    let free = Parameters::DEVELOPMENT;
    let priced = Parameters {
        floor_hub: 10 * FRD,
        floor_user: FRD,
        pair_fee: 10 * MILLI_FRD,
        secret_fee: MILLI_FRD,
        dispute_deposit: 100 * MILLI_FRD,
        hub_deposit: 100 * FRD,
        default_credit: 1_000 * FRD,
        fee_per_second: FRD,
        fee_per_byte: MILLI_FRD / 1_000,
        ..free
    };
    let top_up = Parameters {
        account_top_up: EXISTENTIAL_DEPOSIT,
        dispute_deposit: EXISTENTIAL_DEPOSIT,
        hub_deposit: EXISTENTIAL_DEPOSIT,
        pair_fee: 1,
        secret_fee: 1,
        ..free
    };
    let dear = Parameters { pair_fee: FRD, dispute_deposit: 5 * FRD, floor_user: 0, ..priced };
    [free, priced, top_up, dear]
}

/// A chain between two blocks, or in one.
pub struct Chain {
    parent: Header,
    slot: u64,
    in_block: bool,
    /// Whether the state is looked at after every block, not only at the end.
    pub watched: bool,
}

/// A chain after its first block, to be taken up again and again.
struct Start {
    storage: Storage,
    parent: Header,
}

/// Runs `play` on a new chain with prices chosen by `choice`, then checks every law.
pub fn on(choice: u8, play: impl FnOnce(&mut Chain)) {
    static STARTS: OnceLock<Vec<Start>> = OnceLock::new();
    let starts = STARTS.get_or_init(|| prices().into_iter().map(start).collect());
    let start = &starts[usize::from(choice) % starts.len()];
    BasicExternalities::new(start.storage.clone()).execute_with(|| {
        let mut chain = Chain {
            parent: start.parent.clone(),
            slot: FIRST_SLOT + 1,
            in_block: false,
            watched: false,
        };
        play(&mut chain);
        chain.end();
        laws::check_state();
    });
}

fn start(values: Parameters) -> Start {
    let mut externalities = BasicExternalities::default();
    let parent = externalities.execute_with(|| {
        let config = serde_json::to_vec(&genesis(values)).expect("JSON is written");
        build_state::<RuntimeGenesisConfig>(config).expect("a genesis that the runtime accepts");
        let version = sp_runtime::StateVersion::V1;
        let state_root = H256::from_slice(&sp_io::storage::root(version));
        let no_extrinsics = sp_runtime::traits::BlakeTwo256::ordered_trie_root(vec![], version);
        let parent =
            Header::new(0, no_extrinsics, state_root, Default::default(), Default::default());
        let mut chain = Chain { parent, slot: FIRST_SLOT, in_block: false, watched: false };
        chain.begin(1);
        chain.end();
        laws::check_state();
        chain.parent
    });
    Start { storage: externalities.into_storages(), parent }
}

fn genesis(values: Parameters) -> serde_json::Value {
    let json = |id: Option<&str>| {
        let id = id.map(sp_genesis_builder::PresetId::from);
        let known = failsafe_runtime::genesis_config_presets::get_preset;
        let bytes = get_preset::<RuntimeGenesisConfig>(&id, known).expect("a known preset");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let mut config: serde_json::Value = json(None);
    merge(&mut config, json(Some(sp_genesis_builder::DEV_RUNTIME_PRESET)));
    let mut list = |pallet: &str, field: &str, item: serde_json::Value| {
        config[pallet][field].as_array_mut().expect("a list").push(item);
    };
    for actor in actors().iter().filter(|actor| actor.native > 0) {
        list("balances", "balances", serde_json::json!([actor.id, actor.native]));
    }
    for (asset, owner, sufficient, minimum) in ISSUED {
        let owner = &actors()[owner].id;
        list("assets", "assets", serde_json::json!([asset, owner, sufficient, minimum]));
    }
    for asset in core::iter::once(FRB).chain(ISSUED.map(|(asset, ..)| asset)) {
        // FRB's issuer, the first, has some by the preset.
        for actor in &actors()[1..5] {
            list("assets", "accounts", serde_json::json!([asset, actor.id, ISSUED_TO_EACH]));
        }
    }
    config["assets"]["nextAssetId"] = serde_json::json!(5);
    config["parameters"]["values"] = serde_json::to_value(values).expect("numbers");
    config
}

fn merge(base: &mut serde_json::Value, patch: serde_json::Value) {
    match (base, patch) {
        (serde_json::Value::Object(base), serde_json::Value::Object(patch)) => {
            for (key, value) in patch {
                merge(base.entry(key).or_insert(serde_json::Value::Null), value);
            }
        },
        (base, patch) => *base = patch,
    }
}

/// What a transaction carries beside its call.
pub fn extension(nonce: u32, tip: Balance) -> TxExtension {
    (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::immortal()),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_batch::OneBatchPerBlock::new(),
        pallet_transaction_payment::ChargeTransactionPayment::from(tip),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
        frame_system::WeightReclaim::new(),
    )
}

/// What became of a transaction: not valid, or how its call ended.
pub type Applied = Result<DispatchResult, TransactionValidityError>;

impl Chain {
    /// Starts a block, `skip` blocks after the last one. Blocks in between are taken as empty ones
    /// in which nothing was done on idle: the usable clock goes on, whatever was due is late.
    pub fn begin(&mut self, skip: u32) {
        if self.in_block {
            return;
        }
        let skip = skip.max(1);
        self.in_block = true;
        self.slot += u64::from(skip);
        let slot = sp_consensus_aura::Slot::from(self.slot);
        let digest = sp_runtime::Digest {
            logs: vec![DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot.encode())],
        };
        let number = self.parent.number() + skip;
        System::set_block_number(number - 1);
        pallet_clock::Now::<Runtime>::mutate(|now| *now += Clock::from(skip - 1));
        let header =
            Header::new(number, Default::default(), Default::default(), self.parent.hash(), digest);
        Executive::initialize_block(&header);
        let now = self.slot * failsafe_runtime::Aura::slot_duration();
        let inherent = UncheckedExtrinsic::new_bare(pallet_timestamp::Call::set { now }.into());
        assert_eq!(Executive::apply_extrinsic(inherent), Ok(Ok(())));
        Executive::inherents_applied();
    }

    /// Ends the block, if there is one.
    pub fn end(&mut self) {
        if !self.in_block {
            return;
        }
        self.in_block = false;
        let (issued, used) = (laws::issuance(), System::block_weight().total());
        self.parent = Executive::finalize_block();
        laws::check_block(used);
        if self.watched {
            laws::check_state();
        }
        assert_eq!(laws::issuance(), issued, "money came or went at the end of a block");
    }

    /// The next block, and the end of the current one.
    pub fn next(&mut self, skip: u32) {
        self.end();
        self.begin(skip);
    }

    /// Fills the block to a share of its weight, as other transactions would.
    pub fn fill(&mut self, share: Perbill) {
        let most = <Runtime as frame_system::Config>::BlockWeights::get().max_block;
        let used = System::block_weight().total();
        let missing = (share * most).saturating_sub(used);
        System::register_extra_weight_unchecked(missing, DispatchClass::Normal);
    }

    /// A transaction of `who`, signature taken as given, on the path of the Executive.
    pub fn apply(&mut self, who: usize, call: RuntimeCall, tip: Balance) -> Applied {
        self.begin(1);
        let actor = &actors()[who];
        let extension = extension(System::account_nonce(&actor.id), tip);
        let encoded = {
            let signature = sp_core::ed25519::Signature::default().into();
            let (call, extension) = (call.clone(), extension.clone());
            UncheckedExtrinsic::new_signed(call, actor.address(), signature, extension).encode()
        };
        let decoded =
            UncheckedExtrinsic::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut &encoded[..]);
        if decoded.is_err() {
            return Ok(Err(sp_runtime::DispatchError::Unavailable));
        }
        let before = Before::of(&call);
        let checked = CheckedExtrinsic {
            format: ExtrinsicFormat::Signed(actor.id.clone(), extension),
            function: call,
        };
        let info = CheckedExtrinsic::<_, _, _>::get_dispatch_info(&checked);
        sp_io::storage::start_transaction();
        let length = encoded.len();
        System::note_extrinsic(encoded);
        match Applyable::apply::<Runtime>(checked, &info, length) {
            Err(invalid) => {
                sp_io::storage::rollback_transaction();
                Err(invalid)
            },
            Ok(result) => {
                sp_io::storage::commit_transaction();
                let post = result.unwrap_or_else(|error| error.post_info);
                laws::check_weight(&post, &info);
                System::note_applied_extrinsic(&result, info);
                let result = result.map(drop).map_err(|error| error.error);
                before.check();
                Ok(result)
            },
        }
    }

    /// What the transaction pool would say of `extrinsic` between two blocks.
    pub fn validate(&mut self, extrinsic: &UncheckedExtrinsic) -> TransactionValidity {
        self.end();
        sp_io::storage::start_transaction();
        let at = self.parent.hash();
        let source = TransactionSource::External;
        let validity = Executive::validate_transaction(source, extrinsic.clone(), at);
        sp_io::storage::rollback_transaction();
        validity
    }

    /// Authors a block of these extrinsics, throws it away and executes it again, as another node
    /// would. Returns what became of each.
    pub fn block(&mut self, extrinsics: Vec<UncheckedExtrinsic>) -> Vec<ApplyExtrinsicResult> {
        self.end();
        let parent = self.parent.clone();
        sp_io::storage::start_transaction();
        self.begin(1);
        let now = self.slot * failsafe_runtime::Aura::slot_duration();
        let inherent = UncheckedExtrinsic::new_bare(pallet_timestamp::Call::set { now }.into());
        let mut included = vec![inherent];
        let mut results = vec![];
        for extrinsic in extrinsics {
            sp_io::storage::start_transaction();
            let result = Executive::apply_extrinsic(extrinsic.clone());
            if result.is_ok() {
                sp_io::storage::commit_transaction();
                included.push(extrinsic);
            } else {
                sp_io::storage::rollback_transaction();
            }
            results.push(result);
        }
        self.end();
        sp_io::storage::rollback_transaction();
        let block = Block { header: self.parent.clone(), extrinsics: included };
        let encoded = block.encode();
        let decoded: Block =
            DecodeLimit::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut &encoded[..])
                .expect("an authored block is decoded");
        assert_eq!(decoded.header.parent_hash(), &parent.hash());
        // Panics when the state root or the extrinsics' root is another one.
        Executive::execute_block(decoded.into());
        results
    }
}
