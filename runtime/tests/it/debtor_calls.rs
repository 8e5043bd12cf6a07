//! A debtor cannot move the asset that it owes out by any call of the runtime (`protocol.md` §6).
//!
//! Every call that a signed account can make is made in the same scene by an account without debts,
//! for which it must succeed, and by a debtor with a fresh income, whose creditor must get all of
//! that income in the same block, whatever the debtor does. A call that the table does not know
//! fails a test: whoever adds a pallet has to say what it does for a debtor.

use crate::chain::*;
use failsafe_primitives::{fees::HubFees, AssetId, Balance, Simplex, NATIVE_ASSET};
use failsafe_runtime::{
    Balances, Parameters, Runtime, RuntimeCall, RuntimeHoldReason, System, TxExtension, FRB, FRD,
};
use frame_support::traits::{fungible::Inspect, GetCallMetadata};
use pallet_assets::{Call as Assets, NextAssetId};
use pallet_balances::Call as Native;
use pallet_batch::Mode;
use pallet_insurance::Call as Channels;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie, Dave, Ferdie};
use sp_runtime::transaction_validity::InvalidTransaction;
use std::collections::BTreeSet;

/// Pallets with calls that no case of the table makes, and why.
const PALLETS_LEFT_OUT: [(&str, &str); 4] = [
    ("Timestamp", "an inherent"),
    ("Grandpa", "root, or nothing to report"),
    ("Sudo", "the sudo key is above debts"),
    ("Parameters", "root"),
];

/// Pallets whose calls the table makes.
const PALLETS: [&str; 11] = [
    "System",
    "Balances",
    "Assets",
    "Custody",
    "Hubs",
    "Debt",
    "Insurance",
    "Batch",
    "Secrets",
    "Exchange",
    "Governance",
];

/// Calls of those pallets that no case makes, and why.
const CALLS_LEFT_OUT: [(&str, &str); 25] = [
    ("System.set_heap_pages", "root"),
    ("System.set_code", "root"),
    ("System.set_code_without_checks", "root"),
    ("System.set_storage", "root"),
    ("System.kill_storage", "root"),
    ("System.kill_prefix", "root"),
    ("System.authorize_upgrade", "root"),
    ("System.authorize_upgrade_without_checks", "root"),
    ("System.apply_authorized_upgrade", "what root authorized"),
    ("Hubs.leave", "its notice is over long after this scene; the deposit pays debts: `debt.rs`"),
    ("Balances.force_transfer", "root"),
    ("Balances.force_unreserve", "root"),
    ("Balances.force_set_balance", "root"),
    ("Balances.force_adjust_total_issuance", "root"),
    ("Assets.force_create", "root"),
    ("Assets.force_set_metadata", "root"),
    ("Assets.force_clear_metadata", "root"),
    ("Assets.force_asset_status", "root"),
    ("Assets.set_reserves", "moves nothing, and there are no reserves in this runtime"),
    ("Custody.claim", "brings money, to its owner alone"),
    ("Governance.vote", "a validator's, and moves nothing"),
    ("Governance.conclude", "does what the agenda does in the same block, whoever asks"),
    ("Governance.set_validators", "root"),
    ("Governance.set_voting_period", "root"),
    ("Insurance.resolve", "does what the agenda does in the same block, whoever asks"),
];

/// What a transaction carries beside its call. Only the payment of fees moves money.
const EXTENSIONS: [&str; 11] = [
    "CheckNonZeroSender",
    "CheckSpecVersion",
    "CheckTxVersion",
    "CheckGenesis",
    "CheckMortality",
    "CheckNonce",
    "CheckWeight",
    "OneBatchPerBlock",
    "ChargeTransactionPayment",
    "CheckMetadataHash",
    "WeightReclaim",
];

const INCOME: Balance = 1_000 * FRD;

/// An account in the middle of everything that an account can do.
struct Scene {
    who: Party,
    /// Has a channel with `who`, in which `who` has 50 FRD and 50 FRB.
    partner: Party,
    /// May spend FRB of `who`, and has some of its asset.
    friend: Party,
    /// Has opened a dispute against `who`, but has paid it 3 FRD off chain.
    rival: Party,
    /// Owes `who` 5 FRD and 5 FRB since this block, and has paid 2 more off chain.
    poor: Party,
    owing_since: u32,
    /// Has an account in the asset of `who` that `who` has paid for.
    guest: Party,
    /// Assets of `who`: one in use, one in destruction, one never used, one frozen.
    own: [AssetId; 4],
    /// Assets of Alice: `who` has paid for an account in the first.
    foreign: [AssetId; 2],
    hub: bool,
}

impl Scene {
    fn new(chain: &mut Chain, owed: Option<AssetId>, hub: bool) -> Self {
        let [who, poor, guest] = Party::strangers(3).try_into().ok().expect("three");
        let [alice, partner, friend, rival] = [Alice, Charlie, Dave, Bob].map(Party::known);
        let first = NextAssetId::<Runtime>::get().expect("numbered");
        let foreign = [first, first + 1];
        let own @ [used, dying, unused, frozen] = [2, 3, 4, 5].map(|n| first + n);
        let create = |by: &Party, id: AssetId| {
            by.does(Assets::create { id: id.into(), admin: by.address(), min_balance: 2 })
        };
        let mint = |to: &Party| {
            who.does(Assets::mint { id: used.into(), beneficiary: to.address(), amount: 1_000 })
        };
        let approve = |id: AssetId| {
            let (id, delegate) = (id.into(), friend.address());
            who.does(Assets::approve_transfer { id, delegate, amount: 500 * FRD })
        };
        let name = vec![b'x'];
        chain.all(vec![
            alice.does(transfer(&who, 3_000 * FRD)),
            // Who pays for its account could have it refunded with all that is in it.
            who.does(Assets::touch { id: FRB.into() }),
            alice.does(transfer_of(FRB, &who, 3_000 * FRD)),
            create(&alice, foreign[0]),
            create(&alice, foreign[1]),
            who.does(Assets::touch { id: foreign[0].into() }),
            create(&who, used),
            create(&who, dying),
            create(&who, unused),
            create(&who, frozen),
            mint(&who),
            mint(&friend),
            approve(used),
            approve(FRB),
            who.does(Assets::set_metadata {
                id: used.into(),
                name: name.clone(),
                symbol: name,
                decimals: 0,
            }),
            who.does(Assets::touch_other { id: used.into(), who: guest.address() }),
            who.does(Assets::start_destroy { id: dying.into() }),
            who.does(Assets::freeze_asset { id: frozen.into() }),
            who.does(deposit(50 * FRD, &who, &partner)),
            who.does(deposit_of(FRB, 50 * FRD, &who, &partner)),
        ]);
        if hub {
            assert_eq!(chain.one(who.does(register())), Ok(()));
        }
        // Open until after the debts.
        pallet_governance::VotingPeriod::<Runtime>::put(1_000);
        let own_for_frd = pallet_exchange::Call::place {
            sell_asset: used,
            sell: 100,
            buy_asset: NATIVE_ASSET,
            buy: 100,
            max_matches: 0,
        };
        chain.all(vec![who.does(propose()), who.does(own_for_frd)]);
        let channel = Channel::new(&poor, &who);
        let entry = failsafe_primitives::Entry::sent;
        let entries = vec![entry(NATIVE_ASSET, 5 * FRD), entry(FRB, 5 * FRD)];
        let simplex = Simplex { nonce: 1, entries: entries.try_into().expect("two") };
        let evidence = channel.theirs(&poor, &simplex);
        assert_eq!(chain.one(who.does(dispute(&channel, &poor, evidence))), Ok(()));
        let owing_since = System::block_number();
        chain.run_until_resolved(&channel);
        if let Some(asset) = owed {
            let creditor = Party::known(Ferdie);
            let channel = Channel::new(&who, &creditor);
            let evidence = channel.theirs(&who, &sent_in(asset, 1, 5_000_000 * FRD));
            assert_eq!(chain.one(creditor.does(dispute(&channel, &who, evidence))), Ok(()));
            chain.run_until_resolved(&channel);
        }
        let channel = Channel::new(&who, &rival);
        chain.all(vec![
            rival.does(deposit(10 * FRD, &rival, &who)),
            rival.does(dispute(&channel, &who, Default::default())),
        ]);
        Self { who, partner, friend, rival, poor, owing_since, guest, own, foreign, hub }
    }

    /// What the account has in an asset, with what is reserved or on hold.
    fn wealth(&self, asset: AssetId) -> Balance {
        if asset == NATIVE_ASSET {
            Balances::total_balance(&self.who.id())
        } else {
            free(asset, &self.who)
        }
    }

    fn cases(&self) -> Vec<Case<'_>> {
        let mut cases = self.money();
        cases.extend(self.assets());
        cases.extend(self.channels());
        cases.extend(self.batches());
        cases.extend(self.orders());
        cases.push(self.case(propose(), &[NATIVE_ASSET]));
        cases.push(self.case(pallet_governance::Call::cancel { proposal: 0 }, &[]));
        let update = pallet_hubs::Call::update {
            endpoint: b"localhost:9701".to_vec().try_into().expect("short"),
            transport_key: [7; 32],
            fees: HubFees { base: 0, ppm: 0 },
            routes: Default::default(),
        };
        if self.hub {
            cases.push(self.case(update, &[]));
            cases.push(self.case(pallet_hubs::Call::retire {}, &[]));
        } else {
            cases.push(self.case(register(), &[NATIVE_ASSET]));
            // Their fees are more than a user's floor, and less than a hub's.
            cases.push(self.case(reveal(1_001), &[NATIVE_ASSET]));
        }
        cases
    }

    /// Orders: one asset for the other, and the end of one that rests.
    fn orders(&self) -> Vec<Case<'_>> {
        vec![
            self.case(place(NATIVE_ASSET, FRB), &[NATIVE_ASSET]),
            // Needs a native deposit.
            self.case(place(FRB, NATIVE_ASSET), &[FRB, NATIVE_ASSET]),
            self.case(pallet_exchange::Call::cancel { order: 0 }, &[]),
        ]
    }

    fn case(&self, call: impl Into<RuntimeCall>, moves: &'static [AssetId]) -> Case<'_> {
        Case { by: &self.who, call: call.into(), moves, refused: true, price: 0 }
    }

    /// A call that moves all that can be moved, if that is nothing then nothing.
    fn all(&self, call: impl Into<RuntimeCall>, moves: &'static [AssetId]) -> Case<'_> {
        Case { refused: false, ..self.case(call, moves) }
    }

    fn money(&self) -> Vec<Case<'_>> {
        let (dest, value) = (self.friend.address(), 500 * FRD);
        let to = || dest.clone();
        let forgive = |asset| {
            let (debtor, opened_in) = (self.poor.id(), self.owing_since);
            pallet_debt::Call::forgive { debtor, asset, opened_in, index: 0 }
        };
        let (remark, id) = (vec![1], FRB.into());
        vec![
            self.case(frame_system::Call::remark { remark: remark.clone() }, &[]),
            self.case(frame_system::Call::remark_with_event { remark }, &[]),
            self.case(Native::transfer_allow_death { dest: to(), value }, &[NATIVE_ASSET]),
            self.case(Native::transfer_keep_alive { dest: to(), value }, &[NATIVE_ASSET]),
            self.all(Native::transfer_all { dest: to(), keep_alive: false }, &[NATIVE_ASSET]),
            self.all(Native::transfer_all { dest: to(), keep_alive: true }, &[NATIVE_ASSET]),
            self.all(Assets::transfer_all { id, dest: to(), keep_alive: false }, &[FRB]),
            self.all(Assets::transfer_all { id, dest: to(), keep_alive: true }, &[FRB]),
            self.case(Native::burn { value, keep_alive: false }, &[NATIVE_ASSET]),
            self.case(Native::upgrade_accounts { who: vec![self.who.id()] }, &[]),
            self.case(pallet_debt::Call::enforce { debtor: self.poor.id(), asset: FRB }, &[]),
            Case { price: Parameters::current().secret_fee, ..self.case(reveal(1), &[]) },
            self.case(forgive(NATIVE_ASSET), &[NATIVE_ASSET]),
            self.case(forgive(FRB), &[FRB]),
        ]
    }

    /// The calls of `pallet-assets`.
    fn assets(&self) -> Vec<Case<'_>> {
        let me = || self.who.address();
        let friend = || self.friend.address();
        let frb = || FRB.into();
        let [used, dying, unused, frozen] = self.own.map(codec::Compact);
        let [touched, untouched] = self.foreign.map(codec::Compact);
        let next = NextAssetId::<Runtime>::get().expect("numbered").into();
        let amount = 100 * FRD;
        let (name, symbol) = (vec![b'x'; 50], vec![b'x'; 50]);
        let target = friend;
        let nothing: Vec<Assets<Runtime>> = vec![
            Assets::start_destroy { id: unused },
            Assets::destroy_accounts { id: dying },
            Assets::destroy_approvals { id: dying },
            Assets::finish_destroy { id: dying },
            Assets::mint { id: used, beneficiary: friend(), amount: 5 },
            Assets::burn { id: used, who: friend(), amount: 5 },
            Assets::force_transfer { id: used, source: friend(), dest: me(), amount: 5 },
            Assets::freeze { id: used, who: friend() },
            Assets::thaw { id: used, who: friend() },
            Assets::block { id: used, who: friend() },
            Assets::freeze_asset { id: used },
            Assets::thaw_asset { id: frozen },
            Assets::set_team { id: used, issuer: friend(), admin: friend(), freezer: friend() },
            Assets::clear_metadata { id: used },
            Assets::cancel_approval { id: frb(), delegate: friend() },
            Assets::force_cancel_approval { id: used, owner: me(), delegate: friend() },
            Assets::refund { id: touched, allow_burn: false },
            Assets::set_min_balance { id: used, min_balance: 1 },
            Assets::refund_other { id: used, who: self.guest.address() },
        ];
        // What needs a deposit.
        let native: Vec<Assets<Runtime>> = vec![
            Assets::create { id: next, admin: me(), min_balance: 1 },
            Assets::set_metadata { id: used, name, symbol, decimals: 0 },
            // Would hand over the deposit with the asset.
            Assets::transfer_ownership { id: used, owner: friend() },
            Assets::approve_transfer { id: frb(), delegate: self.guest.address(), amount },
            Assets::touch { id: untouched },
            Assets::touch_other { id: used, who: self.poor.address() },
        ];
        let bonds: Vec<Assets<Runtime>> = vec![
            Assets::transfer { id: frb(), target: target(), amount },
            Assets::transfer_keep_alive { id: frb(), target: target(), amount },
            // Would burn what is in the account.
            Assets::refund { id: frb(), allow_burn: true },
        ];
        let (owner, destination) = (me(), friend());
        let delegate = Assets::transfer_approved { id: frb(), owner, destination, amount };
        let mut cases: Vec<_> = nothing.into_iter().map(|call| self.case(call, &[])).collect();
        cases.extend(native.into_iter().map(|call| self.case(call, &[NATIVE_ASSET])));
        cases.extend(bonds.into_iter().map(|call| self.case(call, &[FRB])));
        cases.push(Case { by: &self.friend, ..self.case(delegate, &[FRB]) });
        cases
    }

    /// The calls of the insurance pallet.
    fn channels(&self) -> Vec<Case<'_>> {
        let Self { who, partner, rival, poor, .. } = self;
        let channel = Channel::new(who, partner);
        let disputed = Channel::new(who, rival);
        let old = Channel::new(who, poor);
        let digest = disputed.view().dispute.expect("open").digest;
        let paid = sent(1, 3 * FRD);
        let pair = &disputed.context.pair;
        let counter_for = Channels::counter_for {
            left: pair.left().clone(),
            right: pair.right().clone(),
            simplexes: vec![disputed.twice(rival, &paid)].try_into().expect("one"),
        };
        let mut before = Channel::new(who, poor);
        before.context.epoch = old.epoch() - 1;
        let late = before.signed(poor, &sent(2, 7 * FRD));
        let late_claim = Channels::late_claim {
            payer: poor.id(),
            epoch: before.epoch(),
            simplex: late.simplex,
            signature: late.signature,
        };
        // More than what the partner can take out of the channel.
        let drawn = |asset| Case {
            by: partner,
            ..self.case(channel.withdrawal_of(partner, &[(asset, 60 * FRD, 20 * FRD)]), &[])
        };
        vec![
            self.case(deposit(100 * FRD, who, partner), &[NATIVE_ASSET]),
            self.case(deposit(100 * FRD, partner, who), &[NATIVE_ASSET]),
            self.case(deposit(100 * FRD, &self.friend, partner), &[NATIVE_ASSET]),
            self.case(deposit_of(FRB, 100 * FRD, who, partner), &[FRB]),
            Case { moves: &[NATIVE_ASSET], ..drawn(NATIVE_ASSET) },
            Case { moves: &[FRB], ..drawn(FRB) },
            self.case(channel.withdrawal(who, 20 * FRD, 0), &[]),
            self.case(channel.withdrawal_of(who, &[(FRB, 20 * FRD, 0)]), &[]),
            self.case(dispute(&channel, partner, Default::default()), &[]),
            self.case(counter(rival, disputed.theirs(rival, &paid)), &[]),
            self.case(counter_for, &[]),
            self.case(Channels::accept { partner: rival.id(), presented: digest }, &[]),
            self.case(channel.close(who, 0), &[]),
            self.case(late_claim, &[]),
        ]
    }

    fn batches(&self) -> Vec<Case<'_>> {
        let pay = |asset| transfer_of(asset, &self.friend, 500 * FRD);
        let back = Channel::new(&self.who, &self.partner).withdrawal(&self.who, 50 * FRD, 0);
        let both = vec![pay(NATIVE_ASSET), pay(FRB), register().into()];
        vec![
            self.case(atomic(vec![pay(NATIVE_ASSET)]), &[NATIVE_ASSET]),
            self.case(atomic(vec![pay(FRB)]), &[FRB]),
            self.case(atomic(vec![back, pay(NATIVE_ASSET)]), &[NATIVE_ASSET]),
            self.case(batch(both, Mode::SkipFailed), &[]),
        ]
    }
}

/// A call, and which assets of the scene's account it would move out.
struct Case<'a> {
    by: &'a Party,
    call: RuntimeCall,
    moves: &'static [AssetId],
    /// Whether it is refused for a debtor, rather than moving nothing.
    refused: bool,
    /// What it costs beside the transaction's fee: a debtor pays that from below its floor, too.
    price: Balance,
}

impl Case<'_> {
    fn name(&self) -> String {
        let name = self.call.get_call_metadata();
        format!("{}.{}", name.pallet_name, name.function_name)
    }
}

/// Reveals so many secrets.
fn reveal(count: u16) -> RuntimeCall {
    let secret = |number: u16| {
        let mut secret = [7; 32];
        secret[..2].copy_from_slice(&number.to_le_bytes());
        secret
    };
    let secrets: Vec<_> = (0..count).map(secret).collect();
    pallet_secrets::Call::reveal { secrets: secrets.try_into().expect("at most 1,024") }.into()
}

/// An order to give 500 of one asset for as much of another.
fn place(sell_asset: AssetId, buy_asset: AssetId) -> pallet_exchange::Call<Runtime> {
    let (sell, buy, max_matches) = (500 * FRD, 500 * FRD, 8);
    pallet_exchange::Call::place { sell_asset, sell, buy_asset, buy, max_matches }
}

fn propose() -> pallet_governance::Call<Runtime> {
    let call = frame_system::Call::remark { remark: vec![1] };
    pallet_governance::Call::propose {
        title: Default::default(),
        text: Default::default(),
        calls: vec![Box::new(call.into())],
    }
}

fn register() -> pallet_hubs::Call<Runtime> {
    pallet_hubs::Call::register {
        handle: b"eu".to_vec().try_into().expect("short"),
        endpoint: b"localhost:9700".to_vec().try_into().expect("short"),
        transport_key: [7; 32],
        fees: HubFees { base: 0, ppm: 0 },
        routes: Default::default(),
    }
}

/// How a call is made.
#[derive(Clone, Copy)]
enum Way {
    Alone,
    Batched(Mode),
}

/// Makes every call as an account that owes `asset` and gets an income in it just before.
fn assert_nothing_escapes(asset: AssetId, hub: bool, way: Way) {
    on(DEVELOPMENT, |chain| {
        let scene = Scene::new(chain, Some(asset), hub);
        let creditor = Party::known(Ferdie);
        for case in scene.cases() {
            let name = case.name();
            let Case { by, mut call, moves, mut refused, price } = case;
            if let Way::Batched(mode) = way {
                if name == "Batch.submit" {
                    continue;
                }
                call = batch(vec![call], mode);
                refused &= mode == Mode::Atomic;
            }
            let before = scene.wealth(asset) + free(asset, &creditor);
            let (result, fees, after) = chain.trial(|chain| {
                let income = Party::known(Alice).does(transfer_of(asset, &scene.who, INCOME));
                let results = chain.block(vec![income, by.does(call.clone())]);
                assert_eq!(results[0], Ok(Ok(())));
                (results[1], fees_paid(), scene.wealth(asset) + free(asset, &creditor))
            });
            let paid = asset == NATIVE_ASSET && by.id() == scene.who.id();
            let fee = if paid { fees.get(1).copied().unwrap_or_default() + price } else { 0 };
            assert!(after >= before + INCOME - fee, "{result:?}: something escaped by {call:?}");
            if moves.contains(&asset) {
                let failed = result.map(|result| result.is_err());
                assert_eq!(failed, Ok(refused), "{result:?}: {call:?}");
                assert_eq!(after, before + INCOME - fee, "{call:?}");
            } else {
                assert_eq!(result, Ok(Ok(())), "{call:?}");
            }
        }
    });
}

#[test]
fn h07_debtor_should_move_nothing_when_it_owes_frd() {
    assert_nothing_escapes(NATIVE_ASSET, false, Way::Alone);
}

#[test]
fn h07_debtor_should_move_nothing_when_it_is_a_hub_and_owes_frd() {
    assert_nothing_escapes(NATIVE_ASSET, true, Way::Alone);
}

#[test]
fn h07_debtor_should_move_nothing_when_it_owes_an_issued_asset() {
    assert_nothing_escapes(FRB, false, Way::Alone);
}

#[test]
fn h07_debtor_should_move_nothing_when_it_is_a_hub_and_owes_an_issued_asset() {
    assert_nothing_escapes(FRB, true, Way::Alone);
}

#[test]
fn h07_debtor_should_move_nothing_when_it_wraps_every_call_in_a_batch() {
    for asset in [NATIVE_ASSET, FRB] {
        for mode in [Mode::Atomic, Mode::SkipFailed] {
            assert_nothing_escapes(asset, false, Way::Batched(mode));
        }
    }
}

/// Whatever the call is, what it pays for being in the block comes from below the floor.
#[test]
fn h07_debtor_should_be_kept_out_of_the_block_when_tip_or_fee_pass_the_floor() {
    on(DEVELOPMENT, |chain| {
        let scene = Scene::new(chain, Some(NATIVE_ASSET), false);
        let income = || Party::known(Alice).does(transfer(&scene.who, INCOME));
        let floor = Parameters::current().floor_user;
        let second = |chain: &mut Chain, tx: Tx| {
            chain.trial(|chain| {
                let results = chain.block(vec![income(), tx]);
                assert_eq!(results[0], Ok(Ok(())));
                results[1]
            })
        };
        let refused = Err(InvalidTransaction::Payment.into());
        for case in scene.cases().into_iter().filter(|case| case.by.id() == scene.who.id()) {
            // Even a call that turns out to be free is paid for first.
            let tx = scene.who.does(case.call.clone()).tip(floor);
            assert_eq!(second(chain, tx), refused, "{:?}", case.call);
        }
        // A fee for length: two million bytes cost twice the floor.
        let remark = vec![0; 2_000_000];
        let long = || RuntimeCall::from(frame_system::Call::remark { remark: remark.clone() });
        assert_eq!(second(chain, scene.who.does(long())), refused);
        assert_eq!(second(chain, scene.friend.does(long())), Ok(Ok(())));
    });
}

/// An issuer who owes in its own currency has powers over its own account, too.
#[test]
fn h07_issuer_should_move_nothing_when_it_owes_its_own_currency() {
    on(DEVELOPMENT, |chain| {
        let scene = Scene::new(chain, None, false);
        let (who, friend, asset) = (&scene.who, &scene.friend, scene.own[0]);
        let creditor = Party::known(Charlie);
        let id = || codec::Compact(asset);
        let (me, dest) = (|| who.address(), || friend.address());
        let paid = Assets::transfer { id: id(), target: creditor.address(), amount: 100 };
        assert_eq!(chain.one(who.does(paid)), Ok(()));
        let channel = Channel::new(who, &creditor);
        let evidence = channel.theirs(who, &sent_in(asset, 1, 1_000_000));
        assert_eq!(chain.one(creditor.does(dispute(&channel, who, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        // What the resting order offered was paid as well; 2 are the seed of custody.
        assert_eq!((free(asset, who), free(asset, &creditor)), (0, 998));
        let team = || Assets::set_team { id: id(), issuer: me(), admin: dest(), freezer: me() };
        let by_admin = |by: &Party| {
            vec![
                by.does(Assets::burn { id: id(), who: me(), amount: 400 }),
                by.does(Assets::force_transfer {
                    id: id(),
                    source: me(),
                    dest: dest(),
                    amount: 400,
                }),
            ]
        };
        let mut all = by_admin(who);
        all.extend([
            who.does(Assets::transfer { id: id(), target: dest(), amount: 400 }),
            who.does(Assets::transfer_all { id: id(), dest: dest(), keep_alive: false }),
            who.does(Assets::refund { id: id(), allow_burn: true }),
            who.does(deposit_of(asset, 400, who, &scene.partner)),
            // Approved before the debt.
            friend.does(Assets::transfer_approved {
                id: id(),
                owner: me(),
                destination: dest(),
                amount: 400,
            }),
        ]);
        let income = || friend.does(Assets::transfer { id: id(), target: me(), amount: 500 });
        let mut escapes = |before: Option<Tx>, tx: Tx| {
            chain.trial(|chain| {
                chain.all(before.into_iter().collect());
                let next = System::account_nonce(friend.id());
                let tx = if tx.is_by(friend) { tx.nonce(next + 1) } else { tx };
                let results = chain.block(vec![income(), tx]);
                assert_eq!(results[0], Ok(Ok(())));
                (free(asset, who), free(asset, &creditor))
            })
        };
        for tx in all {
            assert_eq!(escapes(None, tx), (0, 1_498));
        }
        for tx in by_admin(friend) {
            assert_eq!(escapes(Some(who.does(team())), tx), (0, 1_498), "by another admin");
        }
    });
}

#[test]
fn calls_should_succeed_when_nothing_is_owed() {
    // Without this, the refusals of the debtors could be due to the scene.
    for hub in [false, true] {
        on(DEVELOPMENT, |chain| {
            let scene = Scene::new(chain, None, hub);
            for Case { by, call, .. } in scene.cases() {
                let result = chain.trial(|chain| chain.one(by.does(call.clone())));
                assert_eq!(result, Ok(()), "{call:?}");
            }
        });
    }
}

#[test]
fn assets_should_leave_when_a_call_moves_them_and_nothing_is_owed() {
    on(DEVELOPMENT, |chain| {
        let scene = Scene::new(chain, None, false);
        for case in scene.cases() {
            for asset in case.moves {
                // A forgiven debt leaves without having been there; a deposit stays on hold.
                let stays = [
                    "Debt.forgive",
                    "Hubs.register",
                    "Governance.propose",
                    "Assets.create",
                    "Assets.set_metadata",
                    "Assets.approve_transfer",
                    "Assets.touch",
                    "Assets.touch_other",
                ];
                let (name, call) = (case.name(), &case.call);
                let before = scene.wealth(*asset);
                let (after, fee) = chain.trial(|chain| {
                    assert_eq!(chain.one(case.by.does(call.clone())), Ok(()));
                    (scene.wealth(*asset), fees_paid()[0])
                });
                let order = place(FRB, NATIVE_ASSET);
                let stays = stays.contains(&name.as_str())
                    || (*asset == NATIVE_ASSET && *call == RuntimeCall::from(order));
                let mine = *asset == NATIVE_ASSET && case.by.id() == scene.who.id();
                let fee = if mine { fee } else { 0 };
                assert_eq!(after < before - fee, !stays, "{call:?}");
            }
        }
    });
}

#[test]
fn table_should_know_every_pallet_when_the_runtime_grows() {
    let known: BTreeSet<_> =
        PALLETS.into_iter().chain(PALLETS_LEFT_OUT.map(|(name, _)| name)).collect();
    let calls: BTreeSet<_> = RuntimeCall::get_module_names().iter().copied().collect();
    assert_eq!(calls, known, "say what the calls of a new pallet do for a debtor");
}

/// What every transaction carries can move money as well as its call.
#[test]
fn table_should_know_every_extension_and_hold_when_the_runtime_grows() {
    use sp_runtime::traits::TransactionExtension;
    let extensions = <TxExtension as TransactionExtension<RuntimeCall>>::metadata();
    let names: Vec<_> = extensions.iter().map(|extension| extension.identifier).collect();
    assert_eq!(names, EXTENSIONS, "say what a new extension does for a debtor");
    // Deposits of hubs, disputes, orders and proposals.
    let holds = <RuntimeHoldReason as frame_support::traits::VariantCount>::VARIANT_COUNT;
    assert_eq!(holds, 4, "say whether a debtor can hide an income under a new hold");
}

#[test]
fn table_should_know_every_call_when_the_runtime_grows() {
    on(DEVELOPMENT, |chain| {
        let mut tried = BTreeSet::new();
        for hub in [false, true] {
            chain.trial(|chain| {
                let scene = Scene::new(chain, None, hub);
                tried.extend(scene.cases().iter().map(Case::name));
            });
        }
        let known: BTreeSet<_> =
            tried.into_iter().chain(CALLS_LEFT_OUT.map(|(name, _)| name.into())).collect();
        let all: BTreeSet<_> = PALLETS
            .iter()
            .flat_map(|pallet| {
                let names = RuntimeCall::get_call_names(pallet).iter();
                names.map(move |name| format!("{pallet}.{name}"))
            })
            .collect();
        assert_eq!(all, known, "say what a new call does for a debtor");
    });
}
