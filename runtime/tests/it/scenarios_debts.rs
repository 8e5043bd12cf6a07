//! Scenarios of section D over the whole chain.

use crate::{chain::*, stage::*};
use failsafe_primitives::{AssetId, Balance, NATIVE_ASSET};
use failsafe_runtime::{Debt, FRD};
use sp_keyring::Sr25519Keyring::Bob;

/// `creditor` takes to the chain that `debtor` has sent so much, and leaves it open.
fn open<'a>(
    chain: &mut Chain,
    asset: AssetId,
    [debtor, creditor]: [&'a Party; 2],
    owed: Balance,
) -> Channel<'a> {
    let channel = Channel::new(debtor, creditor);
    let evidence = channel.theirs(debtor, &sent_in(asset, 1, owed * FRD));
    assert_eq!(chain.one(creditor.does(dispute(&channel, debtor, evidence))), Ok(()));
    channel
}

fn income(chain: &mut Chain, asset: AssetId, to: &Party, amount: Balance) {
    assert_eq!(chain.one(Party::known(Bob).does(transfer_of(asset, to, amount * FRD))), Ok(()));
}

#[test]
fn s34_debts_should_be_paid_first_in_first_out_in_either_asset() {
    in_both(|chain, asset, [h, a, b, c]| {
        let owed = [(a, 300), (b, 500), (c, 200)];
        let open = owed.map(|(who, amount)| open(chain, asset, [h, who], amount));
        open.iter().for_each(|channel| chain.run_until_resolved(channel));
        let have = || [a, b, c, h].map(|who| has(asset, who));
        income(chain, asset, h, 400);
        assert_eq!(have(), [300, 100, 0, 0]);
        assert_eq!(Debt::owed_to(h.id(), b.id(), asset), 400 * FRD);
        income(chain, asset, h, 1_000);
        assert_eq!(have(), [300, 500, 200, 400]);
        assert_eq!(Debt::owes(h.id()), vec![]);
    });
}

/// A floor of 100,000 and a debtor with `has`, who is found to owe 60,000. Returns what he and his
/// creditor have then, and the debt.
fn floor(debtor_has: Balance) -> [Balance; 3] {
    let mut config = genesis_config(STORY);
    // A thousandth of an FRD each, so that they fit the accounts of the preset.
    let unit = FRD / 1_000;
    config["parameters"]["values"]["floorUser"] =
        u64::try_from(100_000 * unit).expect("fits").into();
    let mut result = [0; 3];
    on_genesis(&config, |chain| {
        let [debtor, creditor] = &Party::strangers(2)[..] else { panic!("two") };
        let bob = Party::known(Bob);
        chain.all(vec![
            bob.does(transfer(debtor, debtor_has * unit)),
            bob.does(transfer(creditor, 1_000 * unit)),
        ]);
        let channel = Channel::new(debtor, creditor);
        let evidence = channel.theirs(debtor, &sent(1, 60_000 * unit));
        assert_eq!(chain.one(creditor.does(dispute(&channel, debtor, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        let debt = Debt::owed_to(debtor.id(), creditor.id(), NATIVE_ASSET);
        let all = [free(NATIVE_ASSET, debtor), free(NATIVE_ASSET, creditor), debt];
        // Asking for it changes nothing.
        let enforce = pallet_debt::Call::enforce { debtor: debtor.id(), asset: NATIVE_ASSET };
        let _ = chain.one(bob.does(enforce));
        assert_eq!(free(NATIVE_ASSET, debtor), all[0]);
        result = all.map(|amount| amount / unit);
    });
    result
}

#[test]
fn s35_debt_should_be_paid_down_to_the_floor_when_the_balance_covers_it() {
    // The old rule looked at the whole balance, and paid 60,000.
    assert_eq!(floor(150_000), [100_000, 51_000, 10_000]);
}

#[test]
fn s35_debt_should_not_be_touched_when_the_balance_is_below_the_floor() {
    // The old rule paid balance − floor: −50,000, so the creditor paid and the debt grew.
    assert_eq!(floor(50_000), [50_000, 1_000, 60_000]);
}
