//! S70: many random operations, honest and not, by five accounts in two assets. After each block no
//! money has come or gone; at checkpoints every invariant holds.

use crate::{chain::*, stage::acked};
use failsafe_primitives::{
    evidence::OwnSimplex, split, AssetId, Balance, Close, Entry, Evidence, Simplex, NATIVE_ASSET,
};
use failsafe_runtime::{Debt, Runtime, RuntimeCall, RuntimeEvent, System, FRB, FRD};
use sp_keyring::Sr25519Keyring::Alice;
use std::collections::BTreeMap;

const OPERATIONS: usize = 10_000;
const ACCOUNTS: usize = 5;
/// Operations of each account in a block.
const AT_ONCE: usize = 4;
const ASSETS: [AssetId; 2] = [NATIVE_ASSET, FRB];

/// Numbers that look random, the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(bound).expect("small")).expect("small")
    }

    fn asset(&mut self) -> AssetId {
        ASSETS[self.below(2)]
    }

    /// Up to 2,000 units, sometimes not whole, seldom nothing.
    fn amount(&mut self) -> Balance {
        let whole = Balance::from(self.roll() % 2_000) * FRD;
        if self.below(4) == 0 {
            whole + Balance::from(self.roll() % 1_000_000)
        } else {
            whole
        }
    }
}

/// Who pays, who is paid, and in which epoch.
type Direction = (usize, usize, u32);

struct World {
    dice: Dice,
    parties: Vec<Party>,
    /// What has been signed in each direction, oldest first.
    signed: BTreeMap<Direction, Vec<Simplex>>,
}

impl World {
    /// Somebody else than `who`.
    fn other(&mut self, who: usize) -> usize {
        (who + 1 + self.dice.below(ACCOUNTS - 1)) % ACCOUNTS
    }

    fn pair(&self, who: usize, partner: usize) -> Channel<'_> {
        Channel::new(&self.parties[who], &self.parties[partner])
    }

    /// `payer` pays off chain. Nothing limits it: what is not insured becomes a debt.
    fn pay(&mut self, payer: usize, payee: usize, epoch: u32) {
        let (asset, amount) = (self.dice.asset(), self.dice.amount());
        let history = self.signed.entry((payer, payee, epoch)).or_default();
        let last = history.last().cloned().unwrap_or_default();
        let sum = |asset: AssetId, more| Entry::sent(asset, last.sent(asset) + more);
        let entries = ASSETS.map(|each| sum(each, if each == asset { amount } else { 0 }));
        let entries = entries.to_vec().try_into().expect("two");
        history.push(Simplex { nonce: last.nonce + 1, entries });
    }

    /// One of the signed simplexes: mostly the newest.
    fn simplex(&mut self, direction: Direction) -> Option<Simplex> {
        let history = self.signed.get(&direction)?;
        let back = if self.dice.below(3) == 0 { self.dice.below(history.len()) } else { 0 };
        history.get(history.len() - 1 - back).cloned()
    }

    fn evidence(&mut self, who: usize, partner: usize, epoch: u32) -> Evidence {
        let theirs = self.simplex((partner, who, epoch)).filter(|_| self.dice.below(4) > 0);
        let own = self.simplex((who, partner, epoch)).filter(|_| self.dice.below(2) > 0);
        let unacked = self.dice.below(4) == 0;
        let channel = self.pair(who, partner);
        let theirs = theirs.map(|simplex| channel.signed(&self.parties[partner], &simplex));
        let ours = own.and_then(|simplex| {
            if unacked {
                return Some(OwnSimplex::Unacked { simplex, acked: None });
            }
            acked(&channel, &self.parties[who], &simplex).ours
        });
        Evidence { theirs, ours }
    }

    /// Something for `who` to do.
    fn operation(&mut self, who: usize) -> (&'static str, RuntimeCall) {
        let partner = self.other(who);
        let (asset, amount) = (self.dice.asset(), self.dice.amount());
        let view = self.pair(who, partner).view();
        if self.dice.below(3) == 0 {
            self.pay(who, partner, view.epoch);
        }
        let dice = self.dice.below(20);
        let (me, them) = (self.parties[who].clone(), self.parties[partner].clone());
        match dice {
            0 | 1 => ("transfer", transfer_of(asset, &them, amount)),
            2..=5 => {
                let (beneficiary, other) = if dice == 2 { (&them, &me) } else { (&me, &them) };
                ("deposit", deposit_of(asset, amount, beneficiary, other))
            },
            6 | 7 => {
                let most = if dice == 6 { 0 } else { self.dice.amount() };
                let channel = self.pair(who, partner);
                ("withdraw", channel.withdrawal_of(&me, &[(asset, amount / 4 + 1, most)]))
            },
            8..=10 => {
                let evidence = self.evidence(who, partner, view.epoch);
                ("dispute", dispute(&self.pair(who, partner), &them, evidence))
            },
            11 | 12 => {
                let evidence = self.evidence(who, partner, view.epoch);
                ("counter", counter(&them, evidence))
            },
            13 => {
                let presented = view.dispute.map(|open| open.digest).unwrap_or_default();
                let partner = them.id();
                ("accept", pallet_insurance::Call::accept { partner, presented }.into())
            },
            14 if self.dice.below(3) == 0 => ("close", self.close(who, partner, asset)),
            15 => ("late_claim", self.late_claim(who, partner, view.epoch)),
            16 => {
                let (left, right) = (view.pair.left().clone(), view.pair.right().clone());
                ("resolve", pallet_insurance::Call::resolve { left, right }.into())
            },
            17 => {
                let debtor = them.id();
                ("enforce", pallet_debt::Call::enforce { debtor, asset }.into())
            },
            18 => ("forgive", self.forgive(who, asset)),
            _ => {
                let actions = vec![
                    transfer_of(asset, &them, amount / 10),
                    deposit_of(asset, amount / 10, &me, &them),
                ];
                let modes = [pallet_batch::Mode::Atomic, pallet_batch::Mode::SkipFailed];
                ("batch", batch(actions, modes[self.dice.below(2)]))
            },
        }
    }

    /// A close by the newest simplexes, without debts.
    fn close(&mut self, who: usize, partner: usize, asset: AssetId) -> RuntimeCall {
        let channel = self.pair(who, partner);
        let (insurance, ondelta) = channel.collateral_in(asset);
        let whole = split(insurance, ondelta);
        let right = i128::try_from(whole.right_insured).expect("small");
        // Left pays right a part of what it has, or all the other way.
        let offdelta = if whole.left_insured > 0 { -1 } else { right / 2 };
        let offdeltas = vec![(asset, offdelta)].try_into().expect("one");
        let close = Close { valid_until: 1_000_000, offdeltas };
        let message = channel.context.close_message(&close);
        let signature = self.parties[partner].sign(&message);
        let partner = self.parties[partner].id();
        pallet_insurance::Call::close { partner, close, signature }.into()
    }

    fn late_claim(&mut self, who: usize, partner: usize, epoch: u32) -> RuntimeCall {
        let old = epoch.saturating_sub(1);
        let simplex = self.signed.get(&(partner, who, old)).and_then(|all| all.last()).cloned();
        let mut channel = self.pair(who, partner);
        channel.context.epoch = old;
        crate::stage::late_claim(&channel, &self.parties[partner], &simplex.unwrap_or_default())
    }

    /// Forgives a debt to `who`, if there is one and `who` owes nothing.
    fn forgive(&mut self, who: usize, asset: AssetId) -> RuntimeCall {
        let me = self.parties[who].id();
        let free_to =
            |asset: AssetId| Debt::owes(me.clone()).iter().all(|(owed, _)| *owed != asset);
        let mine = pallet_debt::Debts::<Runtime>::iter()
            .find(|(key, debt)| debt.creditor == me && free_to(key.1));
        let (debtor, asset, opened_in, index) =
            mine.map_or((me.clone(), asset, 0, 0), |(key, _)| key);
        pallet_debt::Call::forgive { debtor, asset, opened_in, index }.into()
    }

    /// The operations as transactions, of the accounts in turn. Where one is not let into the block,
    /// those of its account behind it are not either.
    fn transactions(&self, operations: &[(&str, RuntimeCall)]) -> Vec<Tx> {
        let mut nonces: Vec<_> =
            self.parties.iter().map(|who| System::account_nonce(who.id())).collect();
        let turns = (0..ACCOUNTS).cycle().zip(operations);
        let signed = turns.map(|(who, (_, call))| {
            let nonce = nonces[who];
            nonces[who] += 1;
            self.parties[who].does(call.clone()).nonce(nonce)
        });
        signed.collect()
    }

    fn balances(&self) -> Vec<[Balance; 2]> {
        self.parties.iter().map(|who| ASSETS.map(|asset| free(asset, who))).collect()
    }
}

/// Insured parts add up to the insurance, in every row, whatever delta is.
fn check_rows() {
    for (_, row) in pallet_insurance::Rows::<Runtime>::iter() {
        let collateral = row.collateral;
        let shares = split(collateral.insurance, collateral.ondelta);
        assert_eq!(shares.left_insured + shares.right_insured, collateral.insurance);
        assert!(shares.left_owes == 0 || shares.right_owes == 0);
    }
}

/// A block in which the chain acts alone: nobody but a debtor loses by enforcement.
fn check_nobody_pays_but_debtors(chain: &mut Chain, world: &World) {
    let before = world.balances();
    let owes = |who: &Party, asset| Debt::owes(who.id()).iter().any(|(owed, _)| *owed == asset);
    let debtors: Vec<_> =
        world.parties.iter().map(|who| ASSETS.map(|asset| owes(who, asset))).collect();
    chain.block(vec![]);
    let resolved = |event: &RuntimeEvent| {
        use pallet_insurance::Event::DisputeResolved;
        matches!(event, RuntimeEvent::Insurance(DisputeResolved { .. }))
    };
    if events().iter().any(resolved) {
        return;
    }
    for (who, after) in world.balances().iter().enumerate() {
        for (asset, left) in after.iter().enumerate() {
            let paid = *left < before[who][asset];
            assert!(!paid || debtors[who][asset], "{who} paid in asset {asset} and owes nothing");
        }
    }
}

#[test]
fn s70_money_should_be_conserved_when_five_accounts_do_10_000_random_things() {
    on(DEVELOPMENT, |chain| {
        let parties = Party::strangers(5);
        for who in &parties {
            for asset in ASSETS {
                let gift = transfer_of(asset, who, 5_000 * FRD);
                assert_eq!(chain.one(Party::known(Alice).does(gift)), Ok(()));
            }
        }
        let mut world = World { dice: Dice(70), parties, signed: BTreeMap::new() };
        let issued = issuance();
        let mut done: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        for round in 0..OPERATIONS / ACCOUNTS / AT_ONCE {
            let all = (0..ACCOUNTS * AT_ONCE).map(|place| world.operation(place % ACCOUNTS));
            let operations: Vec<_> = all.collect();
            let results = chain.block(world.transactions(&operations));
            for ((name, _), result) in operations.into_iter().zip(results) {
                done.entry(name).or_default()[usize::from(result == Ok(Ok(())))] += 1;
            }
            assert_eq!(issuance(), issued, "round {round}");
            if round % 10 == 0 {
                check_rows();
                failsafe_runtime::invariants::check().expect("every invariant");
                check_nobody_pays_but_debtors(chain, &world);
            }
        }
        assert_eq!(done.values().flatten().sum::<usize>(), OPERATIONS);
        // Nothing is random enough if it never works. The chain itself is mostly faster to resolve
        // and to enforce.
        assert_eq!(done.len(), 12);
        for (name, [_, succeeded]) in &done {
            let least = if ["enforce", "resolve"].contains(name) { 1 } else { 20 };
            assert!(*succeeded >= least, "{name} has succeeded {succeeded} times only: {done:?}");
        }
    });
}
