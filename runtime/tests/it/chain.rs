//! A chain in memory: the real runtime from a real preset, blocks that are authored, thrown away
//! and executed again as every other node would do it.

use codec::Encode;
use failsafe_primitives::{
    payload::ack_message, AccountId, AssetId, Balance, ChannelContext, Close, Entry, Epoch,
    Evidence, Pair, Side, Signature, SignedSimplex, Simplex, TwiceSigned, Withdrawal,
    WithdrawalItem, NATIVE_ASSET,
};
use failsafe_runtime::{
    configs::Money, Address, Block, Executive, Header, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeGenesisConfig, SignedPayload, System, TxExtension, UncheckedExtrinsic,
};
use frame_support::{
    dispatch::GetDispatchInfo,
    genesis_builder_helper::{build_state, get_preset},
    traits::fungibles::Inspect,
};
use sp_core::{sr25519, Pair as _, H256};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    generic::Era,
    traits::{Hash as _, Header as _},
    ApplyExtrinsicResult, DigestItem, MultiSignature,
};
use std::collections::BTreeMap;

/// The presets that the tests run on.
pub const DEVELOPMENT: &str = sp_genesis_builder::DEV_RUNTIME_PRESET;
/// The four validators' chain, priced.
pub const LOCAL: &str = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
/// The four validators' chain without prices.
pub const STORY: &str = failsafe_runtime::genesis_config_presets::STORY_RUNTIME_PRESET;

/// First slot of the tests; the chain starts there, not at the beginning of Unix time.
const FIRST_SLOT: u64 = 1_000_000;

/// A key, and what it signs.
#[derive(Clone)]
pub struct Party(pub sr25519::Pair);

impl Party {
    /// One of the well-known keys.
    pub fn known(key: Sr25519Keyring) -> Self {
        Self(key.pair())
    }

    /// Keys that have nothing in any preset, in the order of their ids: the first is left of all.
    pub fn strangers(count: u8) -> Vec<Self> {
        let mut keys: Vec<_> =
            (0..count).map(|i| Self(sr25519::Pair::from_seed(&[i + 1; 32]))).collect();
        keys.sort_by_key(Self::id);
        keys
    }

    /// Its account.
    pub fn id(&self) -> AccountId {
        AccountId::new(self.0.public().0)
    }

    /// Its address in a call.
    pub fn address(&self) -> Address {
        Address::Id(self.id())
    }

    /// Its signature over a payload's message.
    pub fn sign(&self, message: &[u8; 32]) -> MultiSignature {
        self.0.sign(message).into()
    }

    /// A transaction of its.
    pub fn does(&self, call: impl Into<RuntimeCall>) -> Tx {
        Tx { who: self.clone(), call: call.into(), tip: 0, nonce: None, genesis_hash: None }
    }
}

/// A transaction before it is signed.
#[derive(Clone)]
pub struct Tx {
    who: Party,
    call: RuntimeCall,
    tip: Balance,
    nonce: Option<u32>,
    genesis_hash: Option<H256>,
}

impl Tx {
    /// Adds a tip.
    pub fn tip(self, tip: Balance) -> Self {
        Self { tip, ..self }
    }

    /// Whether `who` will sign it.
    pub fn is_by(&self, who: &Party) -> bool {
        self.who.id() == who.id()
    }

    /// Signs with another nonce than the next one.
    pub fn nonce(self, nonce: u32) -> Self {
        Self { nonce: Some(nonce), ..self }
    }

    /// Signs for another chain.
    pub fn for_genesis(self, genesis_hash: H256) -> Self {
        Self { genesis_hash: Some(genesis_hash), ..self }
    }

    /// What is taken from the sender, tip included, before it runs.
    pub fn asked_fee(&self) -> Balance {
        let extrinsic = self.clone().signed();
        let length = u32::try_from(extrinsic.encoded_size()).expect("less than a block");
        let info = extrinsic.get_dispatch_info();
        failsafe_runtime::TransactionPayment::compute_fee(length, &info, self.tip)
    }

    fn signed(self) -> UncheckedExtrinsic {
        let Self { who, call, tip, nonce, genesis_hash } = self;
        let nonce = nonce.unwrap_or_else(|| System::account_nonce(who.id()));
        let extension: TxExtension = (
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
        );
        let mut payload =
            SignedPayload::new(call, extension).expect("the implicit data is there").deconstruct();
        if let Some(other) = genesis_hash {
            // The genesis hash, and the era's block, which is genesis for an immortal one.
            (payload.2 .3, payload.2 .4) = (other, other);
        }
        let (call, extension, implicit) = payload;
        let raw = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
        let signature = raw.using_encoded(|bytes| who.0.sign(bytes));
        UncheckedExtrinsic::new_signed(call, who.address(), signature.into(), extension)
    }
}

/// A chain.
pub struct Chain {
    parent: Header,
    slot: u64,
}

/// Builds the genesis of `preset`, runs `test` on the chain, then checks every invariant and that
/// no money came or went.
pub fn on(preset: &str, test: impl FnOnce(&mut Chain)) {
    on_genesis(&genesis_config(preset), test);
}

/// As [`on`], with a genesis configuration.
pub fn on_genesis(config: &serde_json::Value, test: impl FnOnce(&mut Chain)) {
    sp_io::TestExternalities::default().execute_with(|| {
        let mut chain = Chain::genesis(config);
        let issued = issuance();
        test(&mut chain);
        failsafe_runtime::invariants::check().expect("every invariant");
        let mut now_issued = issuance();
        // Assets that the test itself has created have no "before".
        now_issued.retain(|(asset, _)| issued.iter().any(|(known, _)| known == asset));
        assert_eq!(now_issued, issued, "no money came or went");
    });
}

/// The genesis configuration of a preset: its patch over the default.
pub fn genesis_config(preset: &str) -> serde_json::Value {
    let json = |id: Option<&str>| {
        let id = id.map(sp_genesis_builder::PresetId::from);
        let known = failsafe_runtime::genesis_config_presets::get_preset;
        let bytes = get_preset::<RuntimeGenesisConfig>(&id, known).expect("a known preset");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let mut config = json(None);
    merge(&mut config, json(Some(preset)));
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

impl Chain {
    fn genesis(config: &serde_json::Value) -> Self {
        let config = serde_json::to_vec(config).expect("JSON is written");
        build_state::<RuntimeGenesisConfig>(config).expect("a genesis that the runtime accepts");
        let version = sp_runtime::StateVersion::V1;
        let state_root = H256::from_slice(&sp_io::storage::root(version));
        let no_extrinsics = sp_runtime::traits::BlakeTwo256::ordered_trie_root(vec![], version);
        let parent =
            Header::new(0, no_extrinsics, state_root, Default::default(), Default::default());
        let mut chain = Self { parent, slot: FIRST_SLOT };
        // From here on `System::block_hash(0)` is the hash of genesis.
        chain.block(vec![]);
        chain
    }

    /// The next block with these transactions; those that are not valid are left out. Returns
    /// what became of each.
    pub fn block(&mut self, transactions: Vec<Tx>) -> Vec<ApplyExtrinsicResult> {
        self.slot += 1;
        sp_io::storage::start_transaction();
        let (results, block) = self.author(transactions);
        sp_io::storage::rollback_transaction();
        self.parent = block.header.clone();
        Executive::execute_block(block.into());
        results
    }

    /// The next block as its author would send it, without any effect here.
    pub fn proposed(&self, transactions: Vec<Tx>) -> Block {
        let author = Self { parent: self.parent.clone(), slot: self.slot + 1 };
        sp_io::storage::start_transaction();
        let (_, block) = author.author(transactions);
        sp_io::storage::rollback_transaction();
        block
    }

    fn author(&self, transactions: Vec<Tx>) -> (Vec<ApplyExtrinsicResult>, Block) {
        let slot = sp_consensus_aura::Slot::from(self.slot);
        let digest = sp_runtime::Digest {
            logs: vec![DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot.encode())],
        };
        let number = self.parent.number() + 1;
        let header =
            Header::new(number, Default::default(), Default::default(), self.parent.hash(), digest);
        Executive::initialize_block(&header);
        let now = self.slot * failsafe_runtime::Aura::slot_duration();
        let inherent = UncheckedExtrinsic::new_bare(pallet_timestamp::Call::set { now }.into());
        assert_eq!(Executive::apply_extrinsic(inherent.clone()), Ok(Ok(())));
        let mut extrinsics = vec![inherent];
        let mut results = vec![];
        for transaction in transactions {
            let extrinsic = transaction.signed();
            sp_io::storage::start_transaction();
            let result = Executive::apply_extrinsic(extrinsic.clone());
            if result.is_ok() {
                sp_io::storage::commit_transaction();
                extrinsics.push(extrinsic);
            } else {
                sp_io::storage::rollback_transaction();
            }
            results.push(result);
        }
        (results, Block { header: Executive::finalize_block(), extrinsics })
    }

    /// A block with one transaction, which must be valid. Returns how its call ended.
    pub fn one(&mut self, transaction: Tx) -> sp_runtime::DispatchResult {
        self.block(vec![transaction]).remove(0).expect("a valid transaction")
    }

    /// Blocks with one transaction each, whose calls must succeed.
    pub fn all(&mut self, transactions: Vec<Tx>) {
        for transaction in transactions {
            assert_eq!(self.one(transaction), Ok(()));
        }
    }

    /// Runs `what`, then forgets all that it did to the chain.
    pub fn trial<R>(&mut self, what: impl FnOnce(&mut Self) -> R) -> R {
        let mut fork = Self { parent: self.parent.clone(), slot: self.slot };
        sp_io::storage::start_transaction();
        let result = what(&mut fork);
        sp_io::storage::rollback_transaction();
        result
    }

    /// Empty blocks until the usable clock shows `clock`.
    pub fn run_to_clock(&mut self, clock: u64) {
        while now() < clock {
            self.block(vec![]);
        }
    }

    /// Empty blocks until the dispute of the two is resolved.
    pub fn run_until_resolved(&mut self, channel: &Channel<'_>) {
        let due = channel.view().dispute.expect("an open dispute").resolve_at;
        self.run_to_clock(due);
        assert_eq!(channel.view().dispute, None, "resolved by the agenda");
    }

    /// The account that authors the next block.
    pub fn next_author(&self) -> AccountId {
        let authorities = pallet_aura::Authorities::<Runtime>::get();
        let length = u64::try_from(authorities.len()).expect("few authorities");
        let index = usize::try_from((self.slot + 1) % length).expect("few authorities");
        let key: sr25519::Public = authorities[index].clone().into();
        AccountId::new(key.0)
    }
}

/// The usable clock.
pub fn now() -> u64 {
    failsafe_runtime::Clock::now()
}

/// Free money of `who`.
pub fn free(asset: AssetId, who: &Party) -> Balance {
    Money::balance(asset, &who.id())
}

/// All issuances, by asset.
pub fn issuance() -> Vec<(AssetId, Balance)> {
    let issued = pallet_assets::Asset::<Runtime>::iter_keys();
    let mut all: Vec<_> = core::iter::once(NATIVE_ASSET).chain(issued).collect();
    all.sort_unstable();
    all.into_iter().map(|asset| (asset, Money::total_issuance(asset))).collect()
}

/// The events of the last block.
pub fn events() -> Vec<RuntimeEvent> {
    System::events().into_iter().map(|record| record.event).collect()
}

/// What fees were paid in the last block, with tips: one per transaction.
pub fn fees_paid() -> Vec<Balance> {
    use pallet_transaction_payment::Event::TransactionFeePaid;
    let fee = |event| match event {
        RuntimeEvent::TransactionPayment(TransactionFeePaid { actual_fee, .. }) => Some(actual_fee),
        _ => None,
    };
    events().into_iter().filter_map(fee).collect()
}

/// The channel of two parties in an epoch: makes what they sign.
pub struct Channel<'a> {
    left: &'a Party,
    right: &'a Party,
    /// What signatures are bound to.
    pub context: ChannelContext,
}

impl<'a> Channel<'a> {
    /// The channel of `a` and `b` in their current epoch.
    pub fn new(a: &'a Party, b: &'a Party) -> Self {
        let (left, right) = if a.id() < b.id() { (a, b) } else { (b, a) };
        let pair = Pair::new(left.id(), right.id()).expect("two parties");
        let genesis_hash = System::block_hash(0);
        let context = ChannelContext { genesis_hash, pair, epoch: 0 };
        let epoch = Self { left, right, context: context.clone() }.view().epoch;
        Self { left, right, context: ChannelContext { epoch, ..context } }
    }

    /// The epoch.
    pub fn epoch(&self) -> Epoch {
        self.context.epoch
    }

    /// What the chain shows of it.
    pub fn view(&self) -> failsafe_primitives::view::ChannelView {
        failsafe_runtime::Insurance::channel(self.left.id(), self.right.id()).expect("two parties")
    }

    /// Insurance and ondelta in the native asset.
    pub fn collateral(&self) -> (Balance, i128) {
        self.collateral_in(NATIVE_ASSET)
    }

    /// Insurance and ondelta.
    pub fn collateral_in(&self, asset: AssetId) -> (Balance, i128) {
        let rows = self.view().collateral;
        let row = rows.iter().find(|(number, _)| *number == asset);
        row.map_or((0, 0), |(_, row)| (row.insurance, row.ondelta))
    }

    /// The side of `who`.
    pub fn side(&self, who: &Party) -> Side {
        self.context.pair.side_of(&who.id()).expect("a party")
    }

    fn party(&self, side: Side) -> &Party {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// A simplex of `payer`, signed.
    pub fn signed(&self, payer: &Party, simplex: &Simplex) -> SignedSimplex {
        let message = self.context.simplex_message(self.side(payer), simplex);
        SignedSimplex {
            simplex: simplex.clone(),
            signature: Signature::Direct(payer.sign(&message)),
        }
    }

    /// Evidence of a simplex of the partner `payer`.
    pub fn theirs(&self, payer: &Party, simplex: &Simplex) -> Evidence {
        Evidence { theirs: Some(self.signed(payer, simplex)), ours: None }
    }

    /// A simplex of `payer` with both signatures.
    pub fn twice(&self, payer: &Party, simplex: &Simplex) -> TwiceSigned {
        let from = self.side(payer);
        let SignedSimplex { simplex, signature } = self.signed(payer, simplex);
        let message = ack_message(&self.context.simplex_message(from, &simplex));
        let ack = Signature::Direct(self.party(from.other()).sign(&message));
        TwiceSigned { from, simplex, signature, ack }
    }

    /// `to` withdraws `amount` of the native asset, of which at most `from_balance` from the
    /// partner's balance.
    pub fn withdrawal(&self, to: &Party, amount: Balance, from_balance: Balance) -> RuntimeCall {
        self.withdrawal_of(to, &[(NATIVE_ASSET, amount, from_balance)])
    }

    /// `to` withdraws these assets, amounts, and at most so much from the partner's balance.
    pub fn withdrawal_of(&self, to: &Party, items: &[(AssetId, Balance, Balance)]) -> RuntimeCall {
        let side = self.side(to);
        let item = |&(asset, amount, max_from_balance): &_| WithdrawalItem {
            asset,
            amount,
            max_from_balance,
        };
        let items: Vec<_> = items.iter().map(item).collect();
        let withdrawal = Withdrawal {
            withdrawal_nonce: self.view().withdrawal_nonces[side.index()],
            valid_until: 1_000_000,
            items: items.try_into().expect("few"),
        };
        let message = self.context.withdrawal_message(side, &withdrawal);
        let partner = self.party(side.other());
        let proof = partner.sign(&message);
        pallet_insurance::Call::withdraw { partner: partner.id(), withdrawal, proof }.into()
    }

    /// `by` submits the close with this native offdelta that its partner has signed.
    pub fn close(&self, by: &Party, offdelta: i128) -> RuntimeCall {
        let offdeltas = vec![(NATIVE_ASSET, offdelta)].try_into().expect("one");
        let close = Close { valid_until: 1_000_000, offdeltas };
        let partner = self.party(self.side(by).other());
        let signature = partner.sign(&self.context.close_message(&close));
        pallet_insurance::Call::close { partner: partner.id(), close, signature }.into()
    }
}

/// A simplex that has sent native money.
pub fn sent(nonce: u64, amount: Balance) -> Simplex {
    sent_in(NATIVE_ASSET, nonce, amount)
}

/// A simplex that has sent money.
pub fn sent_in(asset: AssetId, nonce: u64, amount: Balance) -> Simplex {
    Simplex { nonce, entries: vec![Entry::sent(asset, amount)].try_into().expect("one") }
}

/// A deposit of native money to `beneficiary@partner`.
pub fn deposit(amount: Balance, beneficiary: &Party, partner: &Party) -> RuntimeCall {
    deposit_of(NATIVE_ASSET, amount, beneficiary, partner)
}

/// A deposit to `beneficiary@partner`.
pub fn deposit_of(
    asset: AssetId,
    amount: Balance,
    beneficiary: &Party,
    partner: &Party,
) -> RuntimeCall {
    let (beneficiary, partner) = (beneficiary.id(), partner.id());
    pallet_insurance::Call::deposit { asset, amount, beneficiary, partner, epoch: None }.into()
}

/// A dispute with `partner` in the current epoch.
pub fn dispute(channel: &Channel<'_>, partner: &Party, evidence: Evidence) -> RuntimeCall {
    let epoch = channel.epoch();
    pallet_insurance::Call::dispute { partner: partner.id(), epoch, evidence }.into()
}

/// A counter to the dispute of `partner`.
pub fn counter(partner: &Party, evidence: Evidence) -> RuntimeCall {
    pallet_insurance::Call::counter { partner: partner.id(), evidence }.into()
}

/// A transfer of native money.
pub fn transfer(to: &Party, value: Balance) -> RuntimeCall {
    pallet_balances::Call::transfer_allow_death { dest: to.address(), value }.into()
}

/// A transfer of any asset.
pub fn transfer_of(asset: AssetId, to: &Party, amount: Balance) -> RuntimeCall {
    if asset == NATIVE_ASSET {
        return transfer(to, amount);
    }
    pallet_assets::Call::transfer { id: asset.into(), target: to.address(), amount }.into()
}

/// A batch.
pub fn batch(actions: Vec<RuntimeCall>, mode: pallet_batch::Mode) -> RuntimeCall {
    pallet_batch::Call::submit { actions, mode }.into()
}

/// An atomic batch.
pub fn atomic(actions: Vec<RuntimeCall>) -> RuntimeCall {
    batch(actions, pallet_batch::Mode::Atomic)
}

/// The whole storage of the chain.
pub fn storage() -> BTreeMap<Vec<u8>, Vec<u8>> {
    let next = |key: &Vec<u8>| sp_io::storage::next_key(key);
    core::iter::successors(next(&vec![]), next)
        .map(|key| {
            let value = sp_io::storage::get(&key).expect("a key with a value");
            (key, value.to_vec())
        })
        .collect()
}
