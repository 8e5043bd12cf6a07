//! Calls that move or govern money outside channels, made from bytes.

use crate::{
    bytes::Bytes,
    cast::{actor_of, anybody},
    channels::{Signed, Two},
    values::{amount, issued},
};
use failsafe_primitives::{
    fees::HubFees, parameters::MAX_TIME, AccountId, Balance, Clock, Parameters as Values,
    NATIVE_ASSET,
};
use failsafe_runtime::{
    configs::Money, Address, Parameters, Runtime, RuntimeCall, EXISTENTIAL_DEPOSIT, FRD,
};
use frame_support::traits::{fungibles::Inspect, Get};
use pallet_assets::Call as Assets;
use pallet_balances::Call as Balances;

fn address(who: AccountId) -> Address {
    Address::Id(who)
}

fn somebody(two: Two, bytes: &mut Bytes<'_>) -> AccountId {
    match bytes.u8() {
        0..=99 => two.partner.id.clone(),
        100..=119 => two.me.id.clone(),
        _ => anybody(bytes),
    }
}

/// A transfer of native money, or its destruction.
pub fn native(two: Two, bytes: &mut Bytes<'_>) -> RuntimeCall {
    let choice = bytes.u8();
    let dest = address(somebody(two, bytes));
    let value = amount(bytes, &[Money::balance(NATIVE_ASSET, &two.me.id)]);
    let call = match choice {
        0..=159 => Balances::transfer_allow_death { dest, value },
        160..=219 => Balances::transfer_keep_alive { dest, value },
        220..=229 => Balances::transfer_all { dest, keep_alive: choice & 1 == 0 },
        230..=249 => Balances::burn { value, keep_alive: choice & 1 == 0 },
        _ => Balances::upgrade_accounts { who: vec![two.me.id.clone(), two.partner.id.clone()] },
    };
    call.into()
}

/// A call of `pallet-assets` that anybody may make with what he has.
pub fn assets(two: Two, bytes: &mut Bytes<'_>) -> RuntimeCall {
    let choice = bytes.u8() % 16;
    let asset = issued(bytes);
    let who = somebody(two, bytes);
    let amount = amount(bytes, &[Money::balance(asset, &two.me.id), Money::balance(asset, &who)]);
    let (id, target, me) = (asset.into(), address(who), two.me.address());
    let call = match choice {
        0..=4 => Assets::transfer { id, target, amount },
        5 => Assets::transfer_keep_alive { id, target, amount },
        6 | 7 => Assets::transfer_all { id, dest: target, keep_alive: bytes.u8() & 1 == 0 },
        8 | 9 => Assets::approve_transfer { id, delegate: target, amount },
        10 => Assets::cancel_approval { id, delegate: target },
        11 | 12 => {
            let destination = if bytes.u8() & 1 == 0 { me } else { address(anybody(bytes)) };
            Assets::transfer_approved { id, owner: target, destination, amount }
        },
        13 => Assets::touch { id },
        14 => Assets::refund { id, allow_burn: bytes.u8() & 1 == 0 },
        _ => Assets::refund_other { id, who: target },
    };
    call.into()
}

/// A call of `pallet-assets` for issuer, admin, freezer or owner, and who makes it: if they are
/// `free` to act one of them, else `two.me`.
pub fn issuer(two: Two, free: bool, bytes: &mut Bytes<'_>) -> Signed {
    let all = bytes.u8();
    let choice = all % 32;
    let asset = issued(bytes);
    let details = pallet_assets::Asset::<Runtime>::get(asset);
    let entitled = details.and_then(|details| match choice {
        3..=7 => actor_of(&details.issuer),
        8..=11 => actor_of(&details.admin),
        12..=17 => actor_of(&details.freezer),
        18.. => actor_of(&details.owner),
        _ => None,
    });
    let by = entitled.filter(|_| free && all < 224).unwrap_or(two.me);
    let who = anybody(bytes);
    let known = [Money::balance(asset, &who), Money::total_issuance(asset)];
    let amount = amount(bytes, &known);
    let (id, who, me) = (asset.into(), address(who), by.address());
    let minimum = if bytes.u8() < 128 { bytes.u8().into() } else { amount };
    let call = match choice {
        0..=2 => Assets::create { id, admin: me, min_balance: minimum },
        3..=7 => Assets::mint { id, beneficiary: who, amount },
        8 | 9 => Assets::burn { id, who, amount },
        10 | 11 => {
            let dest = address(anybody(bytes));
            Assets::force_transfer { id, source: who, dest, amount }
        },
        12 | 13 => Assets::freeze { id, who },
        14 => Assets::thaw { id, who },
        15 => Assets::freeze_asset { id },
        16 => Assets::thaw_asset { id },
        17 => Assets::block { id, who },
        18 => Assets::transfer_ownership { id, owner: who },
        19 => {
            let (admin, freezer) = (address(anybody(bytes)), address(anybody(bytes)));
            Assets::set_team { id, issuer: who, admin, freezer }
        },
        20 => {
            let name = bytes.take(4).to_vec();
            let symbol = bytes.take(4).to_vec();
            Assets::set_metadata { id, name, symbol, decimals: bytes.u8() }
        },
        21 => Assets::clear_metadata { id },
        22 | 23 => Assets::start_destroy { id },
        24 => Assets::destroy_accounts { id },
        25 => Assets::destroy_approvals { id },
        26 => Assets::finish_destroy { id },
        27 | 28 => Assets::set_min_balance { id, min_balance: minimum },
        29 => Assets::touch_other { id, who },
        30 => Assets::refund_other { id, who },
        _ => Assets::force_cancel_approval { id, owner: who, delegate: me },
    };
    (by, call.into())
}

/// A call of `pallet-assets` that only root may make.
pub fn root_over_assets(bytes: &mut Bytes<'_>) -> RuntimeCall {
    let choice = bytes.u8();
    let asset = issued(bytes);
    let (owner, issuer) = (address(anybody(bytes)), address(anybody(bytes)));
    let min_balance = match bytes.u8() {
        0..=199 => bytes.u8().into(),
        _ => amount(bytes, &[Money::minimum_balance(asset)]),
    };
    let (id, is_sufficient) = (asset.into(), choice & 1 == 0);
    let call = match choice {
        0..=149 => {
            let (admin, freezer) = (issuer.clone(), issuer.clone());
            Assets::force_asset_status {
                id,
                owner,
                issuer,
                admin,
                freezer,
                min_balance,
                is_sufficient,
                is_frozen: bytes.rarely(32),
            }
        },
        150..=229 => Assets::force_create { id, owner, is_sufficient, min_balance },
        _ => Assets::force_clear_metadata { id },
    };
    call.into()
}

/// A call of `pallet-hubs`.
pub fn hubs(two: Two, bytes: &mut Bytes<'_>) -> RuntimeCall {
    let choice = bytes.u8();
    let endpoint = match bytes.u8() {
        0..=223 => b"hub.example:4000".to_vec(),
        _ => bytes.take(12).to_vec(),
    };
    let endpoint = endpoint.try_into().unwrap_or_default();
    let ppm = if bytes.rarely(8) { bytes.u32() } else { 1_000 };
    let fees = HubFees { base: amount(bytes, &[]), ppm };
    let routes = (0..bytes.below(3)).map(|_| anybody(bytes)).collect::<Vec<_>>();
    let routes = routes.try_into().unwrap_or_default();
    let transport_key = [bytes.u8(); 32];
    let handle = match bytes.u8() {
        0..=199 => vec![b'a' + <[u8; 32]>::from(two.me.id.clone())[0] % 26],
        _ => bytes.take(6).to_vec(),
    };
    match choice {
        0..=127 => {
            let handle = handle.try_into().unwrap_or_default();
            pallet_hubs::Call::register { handle, endpoint, transport_key, fees, routes }.into()
        },
        128..=179 => pallet_hubs::Call::update { endpoint, transport_key, fees, routes }.into(),
        180..=219 => pallet_hubs::Call::<Runtime>::retire {}.into(),
        _ => pallet_hubs::Call::leave { hub: anybody(bytes) }.into(),
    }
}

/// An amendment: the present numbers with up to three of them changed, valid or not.
pub fn amendment(bytes: &mut Bytes<'_>) -> RuntimeCall {
    let mut values = <Parameters as Get<Values>>::get();
    for _ in 0..1 + bytes.below(3) {
        let field = bytes.u8() % 19;
        let time: Clock = match bytes.u8() {
            choice @ 0..=199 => choice.into(),
            200..=219 => MAX_TIME,
            220..=224 => MAX_TIME + 1,
            225..=229 => Clock::MAX,
            _ => bytes.u16().into(),
        };
        let amount = match bytes.u8() {
            0..=99 => 0,
            100..=149 => EXISTENTIAL_DEPOSIT,
            150..=199 => FRD,
            _ => amount(bytes, &[]),
        };
        change(&mut values, field, time, amount);
    }
    pallet_protocol_parameters::Call::amend { values }.into()
}

fn change(values: &mut Values, field: u8, time: Clock, amount: Balance) {
    match field {
        0 => values.delay_hub = time,
        1 => {
            values.delay_user = time;
            values.late = values.late.max(time.saturating_mul(10));
        },
        2 => values.lock_window = time,
        3 => values.forward_margin = time,
        4 => values.act = time,
        5 => values.final_min = time,
        6 => values.keep = time,
        7 => values.late = time,
        8 => values.floor_hub = amount,
        9 => values.floor_user = amount,
        10 => values.account_top_up = amount,
        11 => values.pair_fee = amount,
        12 => values.dispute_deposit = amount,
        13 => values.hub_deposit = amount,
        14 => values.fee_ceiling_ppm = u32::try_from(time).unwrap_or(u32::MAX),
        15 => values.default_credit = amount,
        16 => values.fee_per_second = amount,
        17 => values.fee_per_byte = amount,
        _ => values.secret_fee = amount,
    }
}

/// A remark.
pub fn remark(bytes: &mut Bytes<'_>) -> RuntimeCall {
    let remark = bytes.take(8).to_vec();
    frame_system::Call::<Runtime>::remark_with_event { remark }.into()
}
