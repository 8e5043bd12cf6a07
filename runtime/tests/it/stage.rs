//! Scenarios that start in the middle: balances and channels that are brought to given numbers, on
//! the chain without prices. Numbers are whole units, as in the scenarios.

use crate::chain::*;
use failsafe_primitives::{
    evidence::OwnSimplex, AssetId, Balance, Evidence, Simplex, Withdrawal, WithdrawalItem,
    NATIVE_ASSET,
};
use failsafe_runtime::{RuntimeCall, FRB, FRD};
use sp_keyring::Sr25519Keyring::Alice;

/// The assets of genesis.
pub const BOTH: [AssetId; 2] = [NATIVE_ASSET, FRB];

/// A signed number of smallest units.
pub fn units(amount: i128) -> i128 {
    amount * i128::try_from(FRD).expect("fits")
}

/// Runs `test` on a new chain without prices for each asset of genesis, with `N` strangers in the
/// order of their ids, who own nothing but what they need to sign: one unit of the other asset.
pub fn in_both<const N: usize>(test: impl Fn(&mut Chain, AssetId, [&Party; N])) {
    for (asset, other) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        on(STORY, |chain| {
            let parties = Party::strangers(u8::try_from(N).expect("few"));
            for party in &parties {
                fund(chain, other, party, 1);
            }
            let each: Vec<_> = parties.iter().collect();
            test(chain, asset, each.try_into().ok().expect("as many"));
        });
    }
}

/// Brings what `who` has of `asset` to `amount`, with money of Alice's or back to her.
pub fn fund(chain: &mut Chain, asset: AssetId, who: &Party, amount: Balance) {
    bring_to(chain, asset, who, amount * FRD);
}

fn bring_to(chain: &mut Chain, asset: AssetId, who: &Party, wanted: Balance) {
    let (has, alice) = (free(asset, who), Party::known(Alice));
    let transaction = if has < wanted {
        alice.does(transfer_of(asset, who, wanted - has))
    } else if has > wanted {
        who.does(transfer_of(asset, &alice, has - wanted))
    } else {
        return;
    };
    assert_eq!(chain.one(transaction), Ok(()));
}

/// What `who` has of `asset`.
pub fn has(asset: AssetId, who: &Party) -> Balance {
    let amount = free(asset, who);
    assert_eq!(amount % FRD, 0, "whole units");
    amount / FRD
}

/// The channel of `left` and `right`, brought to `(insurance, ondelta)`, while both keep what they
/// have.
pub fn channel_at<'a>(
    chain: &mut Chain,
    asset: AssetId,
    [left, right]: [&'a Party; 2],
    (insurance, ondelta): (Balance, i128),
) -> Channel<'a> {
    let before = [left, right].map(|who| free(asset, who));
    let for_left = u128::try_from(ondelta).unwrap_or_default();
    let below = u128::try_from(-ondelta).unwrap_or_default();
    // What lies beyond the insurance is first put in, and then taken out by the other side.
    let above = for_left.saturating_sub(insurance);
    let for_right = (insurance + above + below) - for_left;
    for (side, amount, other) in [(left, for_left, right), (right, for_right, left)] {
        if amount > 0 {
            fund(chain, asset, side, before.iter().max().expect("two") / FRD + amount + 1);
            assert_eq!(chain.one(side.does(deposit_of(asset, amount * FRD, side, other))), Ok(()));
        }
    }
    let channel = Channel::new(left, right);
    for (side, amount) in [(right, above), (left, below)] {
        if amount > 0 {
            let proof = channel.withdrawal_of(side, &[(asset, amount * FRD, 0)]);
            assert_eq!(chain.one(side.does(proof)), Ok(()));
        }
    }
    for (who, amount) in [left, right].into_iter().zip(before) {
        bring_to(chain, asset, who, amount);
    }
    assert_eq!(channel.collateral_in(asset), (insurance * FRD, units(ondelta)));
    channel
}

/// Evidence of both simplexes, as `by` has them.
pub fn both(
    channel: &Channel<'_>,
    by: &Party,
    own: &Simplex,
    other: (&Party, &Simplex),
) -> Evidence {
    let own = channel.twice(by, own);
    let ours = OwnSimplex::Acked { simplex: own.simplex, ack: own.ack };
    Evidence { ours: Some(ours), ..channel.theirs(other.0, other.1) }
}

/// Evidence of one's own simplex, acknowledged by the partner.
pub fn acked(channel: &Channel<'_>, by: &Party, own: &Simplex) -> Evidence {
    let own = channel.twice(by, own);
    let ours = OwnSimplex::Acked { simplex: own.simplex, ack: own.ack };
    Evidence { theirs: None, ours: Some(ours) }
}

/// What left and right would have got if right disputed now, left having sent the first number and
/// right the second.
pub fn worth(
    chain: &mut Chain,
    asset: AssetId,
    [left, right]: [&Party; 2],
    paid: [Balance; 2],
) -> [Balance; 2] {
    chain.trial(|chain| {
        let before = [left, right].map(|who| has(asset, who));
        let channel = Channel::new(left, right);
        let [by_left, by_right] = paid.map(|amount| sent_in(asset, 1, amount * FRD));
        let evidence = both(&channel, right, &by_right, (left, &by_left));
        assert_eq!(chain.one(right.does(dispute(&channel, left, evidence))), Ok(()));
        chain.run_until_resolved(&channel);
        let after = [left, right].map(|who| has(asset, who));
        [after[0] - before[0], after[1] - before[1]]
    })
}

/// `to` withdraws by a proof with this nonce and last clock.
pub fn withdrawal_until(
    channel: &Channel<'_>,
    (to, partner): (&Party, &Party),
    (withdrawal_nonce, valid_until): (u64, u64),
    items: &[(AssetId, Balance, Balance)],
) -> RuntimeCall {
    let item =
        |&(asset, amount, max_from_balance): &_| WithdrawalItem { asset, amount, max_from_balance };
    let items: Vec<_> = items.iter().map(item).collect();
    let items = items.try_into().expect("few");
    let withdrawal = Withdrawal { withdrawal_nonce, valid_until, items };
    let proof = partner.sign(&channel.context.withdrawal_message(channel.side(to), &withdrawal));
    pallet_insurance::Call::withdraw { partner: partner.id(), withdrawal, proof }.into()
}

/// A deposit to `beneficiary@partner` that is bound to an epoch.
pub fn deposit_in_epoch(
    asset: AssetId,
    amount: Balance,
    beneficiary: &Party,
    partner: &Party,
    epoch: u32,
) -> RuntimeCall {
    let (beneficiary, partner) = (beneficiary.id(), partner.id());
    let epoch = Some(epoch);
    pallet_insurance::Call::deposit { asset, amount, beneficiary, partner, epoch }.into()
}

/// A late claim by the partner of `payer` in an old epoch.
pub fn late_claim(channel: &Channel<'_>, payer: &Party, simplex: &Simplex) -> RuntimeCall {
    let signed = channel.signed(payer, simplex);
    pallet_insurance::Call::late_claim {
        payer: payer.id(),
        epoch: channel.epoch(),
        simplex: signed.simplex,
        signature: signed.signature,
    }
    .into()
}

/// A registration as a hub that asks no fees.
pub fn register(handle: &str) -> pallet_hubs::Call<failsafe_runtime::Runtime> {
    pallet_hubs::Call::register {
        handle: handle.as_bytes().to_vec().try_into().expect("short"),
        endpoint: b"localhost:9700".to_vec().try_into().expect("short"),
        transport_key: [7; 32],
        fees: failsafe_primitives::fees::HubFees { base: 0, ppm: 0 },
        routes: Default::default(),
    }
}
