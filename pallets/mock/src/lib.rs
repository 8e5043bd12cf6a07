//! One small runtime in which all Failsafe pallets are tested together, so that money that one
//! loses cannot hide behind another one's mock. For tests only.
//!
//! Accounts are real ed25519 keys, since channel signatures are verified for real.

#![allow(missing_docs, reason = "FRAME's runtime macro writes undocumented items")]

use codec::Encode;
use failsafe_pallet_support::{deposits::NoReserveForDebtors, UsableClock};
use failsafe_primitives::{
    fees::HubFees,
    parameters::Parameters as Values,
    payload::{ack_message, ChannelContext},
    simplex::LockHash,
    AccountId, AssetId, Balance, Clock, Close, Collateral, Entry, Epoch, Evidence, Lock, Nonce,
    OwnSimplex, Pair, Side, Signature, SignedSimplex, Simplex, TwiceSigned, Withdrawal,
    WithdrawalItem, NATIVE_ASSET,
};
use frame_support::{
    derive_impl, parameter_types,
    traits::{
        fungible::{Balanced, Credit, UnionOf},
        fungibles::{Inspect, Mutate},
        AsEnsureOriginWithArg, ConstU128, ConstU32, ConstU64, Contains, OnFinalize, OnIdle,
        OnInitialize, OnUnbalanced, VariantCountOf,
    },
    weights::Weight,
    PalletId,
};
use frame_system::{EnsureRoot, EnsureSigned};
use sp_core::{ed25519, sr25519, Pair as _, H256};
use sp_runtime::{
    traits::{Convert, IdentityLookup},
    BuildStorage, Either, MultiSignature,
};

pub use {
    pallet_assets, pallet_balances, pallet_batch, pallet_clock, pallet_custody, pallet_debt,
    pallet_exchange, pallet_governance, pallet_hubs, pallet_insurance, pallet_protocol_parameters,
    pallet_secrets,
};

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
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type UsableBlocks = pallet_clock;
    #[runtime::pallet_index(2)]
    pub type Parameters = pallet_protocol_parameters;
    #[runtime::pallet_index(3)]
    pub type Balances = pallet_balances;
    #[runtime::pallet_index(4)]
    pub type Assets = pallet_assets;
    #[runtime::pallet_index(5)]
    pub type AssetsFreezer = pallet_assets_freezer;
    #[runtime::pallet_index(6)]
    pub type Custody = pallet_custody;
    #[runtime::pallet_index(7)]
    pub type Hubs = pallet_hubs;
    #[runtime::pallet_index(8)]
    pub type Debt = pallet_debt;
    #[runtime::pallet_index(9)]
    pub type Insurance = pallet_insurance;
    #[runtime::pallet_index(10)]
    pub type Batch = pallet_batch;
    #[runtime::pallet_index(11)]
    pub type Secrets = pallet_secrets;
    #[runtime::pallet_index(12)]
    pub type Exchange = pallet_exchange;
    #[runtime::pallet_index(13)]
    pub type Governance = pallet_governance;
}

/// The mock's blocks.
pub type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

/// Smallest native balance of an account.
pub const EXISTENTIAL_DEPOSIT: Balance = 1;

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
}

#[derive_impl(pallet_assets::config_preludes::TestDefaultConfig)]
impl pallet_assets::Config for Test {
    type Balance = Balance;
    type Currency = NoReserveForDebtors<Balances, Debt>;
    type CreateOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type ForceOrigin = EnsureRoot<AccountId>;
    type Freezer = AssetsFreezer;
    type Holder = CustodyHolds;
}

/// An asset that is in custody is not destroyed.
pub struct CustodyHolds;
impl pallet_assets::BalanceOnHold<AssetId, AccountId, Balance> for CustodyHolds {
    fn balance_on_hold(_: AssetId, _: &AccountId) -> Option<Balance> {
        None
    }
    fn died(asset: AssetId, who: &AccountId) {
        Custody::account_died(asset, who);
    }
    fn contains_holds(asset: AssetId) -> bool {
        Custody::is_in_use(asset)
    }
}

impl pallet_assets_freezer::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeFreezeReason = RuntimeFreezeReason;
}

/// Asset 0 is native, every other number an issued asset.
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

/// All money behind one interface.
pub type Money = UnionOf<Balances, Assets, ByNumber, AssetId, AccountId>;
/// Its freezes.
pub type Freezes = UnionOf<Balances, AssetsFreezer, ByNumber, AssetId, AccountId>;

impl pallet_clock::Config for Test {
    type WeightInfo = ();
}

impl pallet_protocol_parameters::Config for Test {
    type AmendOrigin = EnsureRoot<AccountId>;
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type WeightInfo = ();
}

parameter_types! {
    /// Names the custody account.
    pub const CustodyId: PalletId = PalletId(*b"fs/custd");
}

impl pallet_custody::Config for Test {
    type Assets = Money;
    type Debts = Debt;
    type WeightInfo = ();
    type PalletId = CustodyId;
}

impl pallet_hubs::Config for Test {
    type Native = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Debts = Debt;
    type Clock = UsableBlocks;
    type Parameters = Parameters;
    type WeightInfo = ();
}

impl pallet_debt::Config for Test {
    type Assets = Money;
    type Freezer = Freezes;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type Custody = Custody;
    type Hubs = Hubs;
    type OnDebtor = Exchange;
    type Parameters = Parameters;
    type MaxPayments = ConstU32<8>;
    type MaxPaymentsPerCredit = ConstU32<1>;
    type MaxVisits = ConstU32<16>;
    type WeightInfo = ();
}

impl pallet_insurance::Config for Test {
    type Assets = Money;
    type Native = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type OnPairFee = ();
    type Custody = Custody;
    type Debts = Debt;
    type Clock = UsableBlocks;
    type Hubs = Hubs;
    type Secrets = Secrets;
    type Parameters = Parameters;
    type WeightInfo = ();
}

impl pallet_secrets::Config for Test {
    type Native = Balances;
    type OnFee = ();
    type Debts = Debt;
    type Clock = UsableBlocks;
    type Disputes = Insurance;
    type Parameters = Parameters;
    type WeightInfo = ();
}

/// What a resting order costs its owner until it is gone.
pub const ORDER_DEPOSIT: Balance = 2;

impl pallet_exchange::Config for Test {
    type Assets = Money;
    type Native = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Custody = Custody;
    type Debts = Debt;
    type Deposit = ConstU128<ORDER_DEPOSIT>;
    type MaxMatches = ConstU32<16>;
    type MaxRecalls = ConstU32<4>;
    type WeightInfo = ();
}

parameter_types! {
    /// What calls of a proposal may weigh.
    pub const HeaviestProposal: Weight = Weight::from_parts(100_000_000_000, u64::MAX);
    /// What the consensus was told last.
    pub static Told: (Vec<sr25519::Public>, pallet_governance::Finalizers) = Default::default();
}

/// What a proposal costs until it is concluded.
pub const PROPOSAL_DEPOSIT: Balance = 5;
/// Blocks of a session.
pub const SESSION: u64 = 10;
/// Who gets lost deposits.
pub const FORFEITED: AccountId = AccountId::new([0xfe; 32]);

/// Only remembers what it was told.
pub struct Remembered;
impl pallet_governance::Consensus for Remembered {
    fn begin(slots: Vec<sr25519::Public>, finalizers: pallet_governance::Finalizers) {
        Told::set((slots, finalizers));
    }
    fn change(
        slots: Vec<sr25519::Public>,
        finalizers: pallet_governance::Finalizers,
    ) -> sp_runtime::DispatchResult {
        Told::set((slots, finalizers));
        Ok(())
    }
}

/// Gives lost deposits to [`FORFEITED`].
pub struct Forfeited;
impl OnUnbalanced<Credit<AccountId, Balances>> for Forfeited {
    fn on_nonzero_unbalanced(credit: Credit<AccountId, Balances>) {
        drop(Balances::resolve(&FORFEITED, credit));
    }
}

impl pallet_governance::Config for Test {
    type RuntimeCall = RuntimeCall;
    type Native = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type OnForfeit = Forfeited;
    type Debts = Debt;
    type Clock = UsableBlocks;
    type Consensus = Remembered;
    type Session = ConstU64<SESSION>;
    type Deposit = ConstU128<PROPOSAL_DEPOSIT>;
    type MaxWeight = HeaviestProposal;
    type WeightInfo = ();
}

/// Everything but batches may be an action.
pub struct Actions;
impl Contains<RuntimeCall> for Actions {
    fn contains(call: &RuntimeCall) -> bool {
        !matches!(call, RuntimeCall::Batch(_))
    }
}

impl pallet_batch::Config for Test {
    type RuntimeCall = RuntimeCall;
    type Actions = Actions;
    type MaxActions = ConstU32<64>;
    type ActionWeights = ();
    type Debts = Debt;
    type WeightInfo = ();
}

/// A secret by its number.
pub fn secret(number: u8) -> [u8; 32] {
    [number; 32]
}

/// The hash of a secret.
pub fn hash_of(number: u8) -> LockHash {
    sp_io::hashing::sha2_256(&secret(number))
}

/// `who` reveals these secrets.
pub fn reveal(who: &Party, numbers: &[u8]) -> sp_runtime::DispatchResult {
    let secrets: Vec<_> = numbers.iter().map(|number| secret(*number)).collect();
    let secrets = secrets.try_into().expect("few secrets");
    Secrets::reveal(who.origin(), secrets).map(drop).map_err(|refused| refused.error)
}

/// Number of the issued asset of the mock's genesis.
pub const FRB: AssetId = 1;

/// A party: a key and what it signs.
#[derive(Clone)]
pub struct Party(ed25519::Pair);

impl Party {
    /// Parties in the order of their ids: `Party::ordered(3)[0]` is left of all others.
    pub fn ordered(count: u8) -> Vec<Party> {
        let seed = |i: u8| Party(ed25519::Pair::from_seed(&[i + 1; 32]));
        let mut parties: Vec<_> = (0..count).map(seed).collect();
        parties.sort_by_key(Party::id);
        parties
    }

    /// Its account.
    pub fn id(&self) -> AccountId {
        AccountId::new(self.0.public().0)
    }

    /// Its signature over a payload's message.
    pub fn sign(&self, message: &[u8; 32]) -> MultiSignature {
        self.0.sign(message).into()
    }

    /// Its signed extrinsic's origin.
    pub fn origin(&self) -> RuntimeOrigin {
        RuntimeOrigin::signed(self.id())
    }
}

/// The channel of two parties in an epoch: makes what they sign.
pub struct Channel<'a> {
    /// Left.
    pub left: &'a Party,
    /// Right.
    pub right: &'a Party,
    /// What signatures are bound to.
    pub context: ChannelContext,
}

impl<'a> Channel<'a> {
    /// The channel of `a` and `b` in their current epoch.
    pub fn new(a: &'a Party, b: &'a Party) -> Self {
        let (left, right) = if a.id() < b.id() { (a, b) } else { (b, a) };
        let pair = Pair::new(left.id(), right.id()).expect("two parties");
        let record = pallet_insurance::Channels::<Test>::get(left.id(), right.id());
        let epoch = record.map_or(0, |record| record.epoch);
        let genesis_hash = System::block_hash(0);
        Self { left, right, context: ChannelContext { genesis_hash, pair, epoch } }
    }

    /// The same channel in another epoch.
    pub fn in_epoch(mut self, epoch: Epoch) -> Self {
        self.context.epoch = epoch;
        self
    }

    fn party(&self, side: Side) -> &Party {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// A simplex signed by its maker.
    pub fn signed(&self, from: Side, simplex: &Simplex) -> SignedSimplex {
        let message = self.context.simplex_message(from, simplex);
        let signature = Signature::Direct(self.party(from).sign(&message));
        SignedSimplex { simplex: simplex.clone(), signature }
    }

    /// The partner's acknowledgement of a simplex of `from`.
    pub fn ack(&self, from: Side, simplex: &Simplex) -> Signature {
        let message = ack_message(&self.context.simplex_message(from, simplex));
        Signature::Direct(self.party(from.other()).sign(&message))
    }

    /// Evidence of the partner's simplex.
    pub fn theirs(&self, from: Side, simplex: &Simplex) -> Evidence {
        Evidence { theirs: Some(self.signed(from, simplex)), ours: None }
    }

    /// Evidence of one's own acknowledged simplex.
    pub fn ours(&self, from: Side, simplex: &Simplex) -> Evidence {
        let ack = self.ack(from, simplex);
        Evidence { theirs: None, ours: Some(OwnSimplex::Acked { simplex: simplex.clone(), ack }) }
    }

    /// Evidence of both: the submitter's own acknowledged simplex and the partner's.
    pub fn both(&self, submitter: Side, own: &Simplex, partners: &Simplex) -> Evidence {
        Evidence {
            theirs: Some(self.signed(submitter.other(), partners)),
            ours: self.ours(submitter, own).ours,
        }
    }

    /// A simplex with both signatures.
    pub fn twice(&self, from: Side, simplex: &Simplex) -> TwiceSigned {
        let SignedSimplex { simplex, signature } = self.signed(from, simplex);
        TwiceSigned { from, ack: self.ack(from, &simplex), simplex, signature }
    }

    /// A withdrawal of `items` (asset, amount, most from balance) for `to` with the partner's
    /// proof.
    pub fn withdrawal(
        &self,
        to: Side,
        withdrawal_nonce: Nonce,
        items: &[(AssetId, Balance, Balance)],
    ) -> (Withdrawal, MultiSignature) {
        let item = |&(asset, amount, max_from_balance): &(AssetId, Balance, Balance)| {
            WithdrawalItem { asset, amount, max_from_balance }
        };
        let items: Vec<_> = items.iter().map(item).collect();
        let items = items.try_into().expect("few items");
        let withdrawal = Withdrawal { withdrawal_nonce, valid_until: 1_000_000, items };
        let message = self.context.withdrawal_message(to, &withdrawal);
        let proof = self.party(to.other()).sign(&message);
        (withdrawal, proof)
    }

    /// A close with the signature of `by`.
    pub fn close(&self, by: Side, offdeltas: &[(AssetId, i128)]) -> (Close, MultiSignature) {
        let offdeltas = offdeltas.to_vec().try_into().expect("few assets");
        let close = Close { valid_until: 1_000_000, offdeltas };
        let signature = self.party(by).sign(&self.context.close_message(&close));
        (close, signature)
    }

    /// Collateral of the pair in `asset`.
    pub fn collateral(&self, asset: AssetId) -> Collateral {
        let key = (self.context.pair.left(), self.context.pair.right(), asset);
        pallet_insurance::Rows::<Test>::get(key).map(|row| row.collateral).unwrap_or_default()
    }

    /// What the responder names when it accepts the open dispute as it is now.
    pub fn digest(&self) -> H256 {
        let view = Insurance::channel(self.left.id(), self.right.id());
        view.and_then(|view| view.dispute).expect("an open dispute").digest
    }

    /// The open dispute.
    pub fn dispute(&self) -> Option<pallet_insurance::Dispute> {
        pallet_insurance::Disputes::<Test>::get(self.left.id(), self.right.id())
    }
}

/// A simplex that has sent native money.
pub fn sent(nonce: Nonce, amount: Balance) -> Simplex {
    Simplex { nonce, entries: vec![Entry::sent(NATIVE_ASSET, amount)].try_into().expect("one") }
}

/// A simplex that has sent native money and has one lock (amount, number of its secret, expiry).
pub fn sent_and_locked(
    nonce: Nonce,
    amount: Balance,
    (locked, secret, expiry): (Balance, u8, Clock),
) -> Simplex {
    let lock = Lock { id: 1, amount: locked, hash: hash_of(secret), expiry };
    let entry = Entry {
        asset: NATIVE_ASSET,
        sent: amount,
        locks: vec![lock].try_into().expect("one lock"),
    };
    Simplex { nonce, entries: vec![entry].try_into().expect("one entry") }
}

/// A validator whose keys are those of its account.
pub fn validator(who: &Party, shares: u32) -> pallet_governance::Validator {
    let key = who.0.public().0;
    pallet_governance::Validator {
        account: who.id(),
        name: format!("validator {}", key[0]).into_bytes().try_into().expect("short"),
        location: b"here".to_vec().try_into().expect("short"),
        shares,
        aura: sr25519::Public::from_raw(key),
        grandpa: ed25519::Public::from_raw(key),
    }
}

/// Builds a chain state, runs a test in it and checks every invariant at its end.
pub struct ExtBuilder {
    balances: Vec<(AccountId, Balance)>,
    frb: Vec<(AccountId, Balance)>,
    hubs: Vec<AccountId>,
    validators: Vec<pallet_governance::Validator>,
    values: Values,
}

impl Default for ExtBuilder {
    /// The defaults of the scenarios: delays of 4 and 8, no fees, no floor.
    fn default() -> Self {
        let values = Values { delay_hub: 4, delay_user: 8, ..Values::DEVELOPMENT };
        Self { balances: vec![], frb: vec![], hubs: vec![], validators: vec![], values }
    }
}

impl ExtBuilder {
    /// Native money of `who`.
    pub fn balance(mut self, who: &Party, amount: Balance) -> Self {
        self.balances.push((who.id(), amount));
        self
    }

    /// Issued money of `who`.
    pub fn frb(mut self, who: &Party, amount: Balance) -> Self {
        self.frb.push((who.id(), amount));
        self
    }

    /// Registers `who` as a hub.
    pub fn hub(mut self, who: &Party) -> Self {
        self.hubs.push(who.id());
        self
    }

    /// Makes `who` a validator.
    pub fn validator(mut self, who: &Party, shares: u32) -> Self {
        self.validators.push(validator(who, shares));
        self
    }

    /// Changes the parameters; they are not checked, so that scenarios may use their own delays.
    pub fn parameters(mut self, change: impl FnOnce(&mut Values)) -> Self {
        change(&mut self.values);
        self
    }

    /// The state at block 1, usable clock 1.
    pub fn build(self) -> sp_io::TestExternalities {
        let hub = |(i, account): (usize, &AccountId)| pallet_hubs::GenesisHub {
            account: account.clone(),
            handle: format!("hub{i}"),
            endpoint: "127.0.0.1:9900".into(),
            transport_key: [0; 32],
            fees: HubFees::default(),
        };
        let owner = AccountId::new([0xee; 32]);
        let storage = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances: self.balances,
                dev_accounts: None,
            },
            assets: pallet_assets::GenesisConfig {
                assets: vec![(FRB, owner, true, 1)],
                metadata: vec![(FRB, b"FRB".to_vec(), b"FRB".to_vec(), 12)],
                accounts: self.frb.into_iter().map(|(who, amount)| (FRB, who, amount)).collect(),
                ..Default::default()
            },
            hubs: pallet_hubs::GenesisConfig {
                hubs: self.hubs.iter().enumerate().map(hub).collect(),
                ..Default::default()
            },
            governance: pallet_governance::GenesisConfig {
                validators: self.validators,
                ..Default::default()
            },
            ..Default::default()
        };
        let mut ext: sp_io::TestExternalities =
            storage.build_storage().expect("a valid genesis").into();
        ext.execute_with(|| {
            pallet_protocol_parameters::Current::<Test>::put(self.values);
            frame_system::BlockHash::<Test>::insert(0, H256::repeat_byte(0x9e));
            System::set_block_number(0);
            next_block();
        });
        ext
    }

    /// Runs `test`, then checks every invariant and that no money came or went.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        let issued: Balance = self.frb.iter().map(|(_, amount)| amount).sum();
        let native: Balance = self.balances.iter().map(|(_, amount)| amount).sum();
        self.build().execute_with(|| {
            test();
            check_invariants();
            assert_eq!(Balances::total_issuance(), native + EXISTENTIAL_DEPOSIT, "FRD conserved");
            assert_eq!(Money::total_issuance(FRB), issued, "FRB conserved");
        });
    }
}

/// Checks the invariants of every pallet and those that span two.
pub fn check_invariants() {
    Custody::do_try_state().expect("custody");
    Hubs::do_try_state().expect("hubs");
    Debt::do_try_state().expect("debt");
    Insurance::do_try_state().expect("insurance");
    Secrets::do_try_state().expect("secrets");
    Exchange::do_try_state().expect("exchange");
    Governance::do_try_state().expect("governance");
    // Exactly: nobody sends money to custody in these tests.
    for (asset, expected) in Custody::expected() {
        let balance = Money::balance(asset, &Custody::account());
        assert_eq!(balance, expected, "custody of asset {asset} = held + unclaimed + seed");
    }
    let mut kept = Insurance::insured();
    for (asset, sum) in Exchange::offered() {
        *kept.entry(asset).or_default() += sum;
    }
    for (asset, held) in pallet_custody::Held::<Test>::iter() {
        let sum = kept.remove(&asset).unwrap_or_default();
        assert_eq!(sum, held, "insured and offered: custody of asset {asset}");
    }
    assert!(kept.values().all(|sum| *sum == 0), "insured or offered but not held");
    let native: Balance = frame_system::Account::<Test>::iter()
        .map(|(_, account)| account.data.free + account.data.reserved)
        .sum();
    assert_eq!(native, Balances::total_issuance(), "the sum of all accounts");
    for asset in pallet_assets::Asset::<Test>::iter_keys() {
        let sum: Balance = pallet_assets::Account::<Test>::iter_key_prefix(asset)
            .map(|who| Money::balance(asset, &who))
            .sum();
        let issued = Money::total_issuance(asset);
        assert_eq!(sum, issued, "the sum of all accounts of asset {asset}");
    }
}

/// Ends the block with its idle work and begins the next.
pub fn next_block() {
    let now = System::block_number();
    if now > 0 {
        let remaining = Weight::from_parts(1_000_000_000_000, u64::MAX);
        AllPalletsWithSystem::on_idle(now, remaining);
        AllPalletsWithSystem::on_finalize(now);
    }
    System::set_block_number(now + 1);
    AllPalletsWithSystem::on_initialize(now + 1);
}

/// Goes on until the usable clock shows `clock`.
pub fn run_to_clock(clock: Clock) {
    while <UsableBlocks as UsableClock>::now() < clock {
        next_block();
    }
}

/// The usable clock.
pub fn now() -> Clock {
    <UsableBlocks as UsableClock>::now()
}

/// Free money of `who`.
pub fn free(asset: AssetId, who: &Party) -> Balance {
    Money::balance(asset, &who.id())
}

/// Open debts of `debtor` in native money, in the order in which they were opened.
pub fn debts(debtor: &Party) -> Vec<(AccountId, Balance)> {
    let mut views = Debt::debts_of(debtor.id(), NATIVE_ASSET, u32::MAX);
    views.sort_by_key(|view| view.opened_in);
    views.into_iter().map(|view| (view.creditor, view.left)).collect()
}

/// Gives away money of nobody: a mint, as a payment from outside.
pub fn mint(asset: AssetId, who: &Party, amount: Balance) {
    Money::mint_into(asset, &who.id(), amount).expect("the mint fits");
}

/// The names of our pallets' events so far.
pub fn event_names() -> Vec<String> {
    System::events().into_iter().map(|record| format!("{:?}", record.event)).collect()
}

/// A payload as bytes, to compare lengths.
pub fn encoded_len(value: &impl Encode) -> usize {
    value.encoded_size()
}
