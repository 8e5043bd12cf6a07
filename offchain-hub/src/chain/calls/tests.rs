//! What the encoder makes is what the runtime reads.

use super::*;
use codec::DecodeAll;
use failsafe_primitives::{payload::WithdrawalItem, Entry, OwnSimplex, Side, SignedSimplex};
use failsafe_runtime::{Runtime, RuntimeCall};
use sp_core::sr25519;
use sp_runtime::MultiAddress;
use subxt::Metadata;

fn who(byte: u8) -> AccountId {
    AccountId::new([byte; 32])
}

fn signature(byte: u8) -> MultiSignature {
    sr25519::Signature::from_raw([byte; 64]).into()
}

fn simplex(nonce: u64) -> Simplex {
    let entries = vec![Entry::sent(0, 7), Entry::sent(3, 1 << 100)];
    Simplex { nonce, entries: entries.try_into().unwrap() }
}

fn evidence() -> Evidence {
    let signature = Signature::Direct(signature(1));
    Evidence {
        theirs: Some(SignedSimplex { simplex: simplex(4), signature: signature.clone() }),
        ours: Some(OwnSimplex::Unacked {
            simplex: simplex(9),
            acked: Some((simplex(8), signature)),
        }),
    }
}

fn withdrawal() -> Withdrawal {
    let item = WithdrawalItem { asset: 1, amount: 5, max_from_balance: 2 };
    Withdrawal { withdrawal_nonce: 3, valid_until: 99, items: vec![item].try_into().unwrap() }
}

fn pair() -> Pair {
    Pair::new(who(2), who(1)).unwrap()
}

fn twice_signed() -> TwiceSigned {
    let [signature, ack] = [1, 2].map(|byte| Signature::Direct(signature(byte)));
    TwiceSigned { from: Side::Right, simplex: simplex(5), signature, ack }
}

/// Encodes by the metadata, decodes by the runtime's types.
fn read_by_runtime(call: &Call) -> RuntimeCall {
    let opaque = sp_io::TestExternalities::default()
        .execute_with(|| Runtime::metadata_at_version(15).expect("version 15 is there"));
    let metadata = Metadata::decode_from(&opaque).expect("metadata is well formed");
    let place = |pallet: &str, name: &str| -> Result<[u8; 2], String> {
        let found = metadata.pallet_by_name(pallet).ok_or_else(|| pallet.to_string())?;
        let variant = found.call_variant_by_name(name).ok_or_else(|| name.to_string())?;
        Ok([found.call_index(), variant.index])
    };
    let Encoded { pallet, call, arguments } = call.encode_for(&place).expect("it is known");
    let mut bytes = place(pallet, call).expect("it is known").to_vec();
    bytes.extend(arguments);
    RuntimeCall::decode_all(&mut &bytes[..]).expect("the runtime reads all of it")
}

fn cases() -> Vec<(Call, RuntimeCall)> {
    use pallet_insurance::Call as Insurance;
    let (partner, beneficiary) = (who(1), who(2));
    let close = Close { valid_until: 8, offdeltas: vec![(0, -5)].try_into().unwrap() };
    let fees = HubFees { base: 3, ppm: 10 };
    let (asset, amount, epoch) = (2, 1 << 90, 6);
    let to = who(4);
    vec![
        (
            Call::Deposit {
                asset,
                amount,
                beneficiary: beneficiary.clone(),
                partner: partner.clone(),
                epoch: Some(epoch),
            },
            Insurance::deposit {
                asset,
                amount,
                beneficiary,
                partner: partner.clone(),
                epoch: Some(epoch),
            }
            .into(),
        ),
        (
            Call::Withdraw {
                partner: partner.clone(),
                withdrawal: withdrawal(),
                proof: signature(2),
            },
            Insurance::withdraw {
                partner: partner.clone(),
                withdrawal: withdrawal(),
                proof: signature(2),
            }
            .into(),
        ),
        (
            Call::Dispute { partner: partner.clone(), epoch, evidence: evidence() },
            Insurance::dispute { partner: partner.clone(), epoch, evidence: evidence() }.into(),
        ),
        (
            Call::PlaceOrder { sell_asset: 0, sell: amount, buy_asset: 1, buy: 7, max_matches: 64 },
            pallet_exchange::Call::place {
                sell_asset: 0,
                sell: amount,
                buy_asset: 1,
                buy: 7,
                max_matches: 64,
            }
            .into(),
        ),
        (
            Call::CancelOrder { order: 1 << 40 },
            pallet_exchange::Call::cancel { order: 1 << 40 }.into(),
        ),
        (
            Call::Counter { partner: partner.clone(), evidence: evidence() },
            Insurance::counter { partner: partner.clone(), evidence: evidence() }.into(),
        ),
        (
            Call::Close { partner: partner.clone(), close: close.clone(), signature: signature(3) },
            Insurance::close { partner: partner.clone(), close, signature: signature(3) }.into(),
        ),
        (
            Call::LateClaim {
                payer: partner.clone(),
                epoch,
                simplex: simplex(2),
                signature: Signature::Direct(signature(4)),
            },
            Insurance::late_claim {
                payer: partner.clone(),
                epoch,
                simplex: simplex(2),
                signature: Signature::Direct(signature(4)),
            }
            .into(),
        ),
        (
            Call::Reveal { secrets: vec![[6; 32], [7; 32]] },
            pallet_secrets::Call::reveal { secrets: vec![[6; 32], [7; 32]].try_into().unwrap() }
                .into(),
        ),
        (
            Call::CounterFor { pair: pair(), simplexes: vec![twice_signed()] },
            Insurance::counter_for {
                left: who(1),
                right: who(2),
                simplexes: vec![twice_signed()].try_into().unwrap(),
            }
            .into(),
        ),
        (Call::Resolve { pair: pair() }, Insurance::resolve { left: who(1), right: who(2) }.into()),
        (
            Call::Claim { who: partner.clone(), asset },
            pallet_custody::Call::claim { who: partner, asset }.into(),
        ),
        (
            Call::Transfer { to: to.clone(), asset: NATIVE_ASSET, amount },
            pallet_balances::Call::transfer_allow_death {
                dest: MultiAddress::Id(to.clone()),
                value: amount,
            }
            .into(),
        ),
        (
            Call::Transfer { to: to.clone(), asset, amount },
            pallet_assets::Call::transfer {
                id: Compact(asset),
                target: MultiAddress::Id(to),
                amount,
            }
            .into(),
        ),
        (
            Call::RegisterHub {
                handle: b"one".to_vec(),
                endpoint: b"h:1".to_vec(),
                transport_key: [9; 32],
                fees,
            },
            pallet_hubs::Call::register {
                handle: b"one".to_vec().try_into().unwrap(),
                endpoint: b"h:1".to_vec().try_into().unwrap(),
                transport_key: [9; 32],
                fees,
                routes: Default::default(),
            }
            .into(),
        ),
        (
            Call::UpdateHub { endpoint: b"h:2".to_vec(), transport_key: [8; 32], fees },
            pallet_hubs::Call::update {
                endpoint: b"h:2".to_vec().try_into().unwrap(),
                transport_key: [8; 32],
                fees,
                routes: Default::default(),
            }
            .into(),
        ),
        (Call::RetireHub, pallet_hubs::Call::retire {}.into()),
        (Call::LeaveHub { hub: who(8) }, pallet_hubs::Call::leave { hub: who(8) }.into()),
        (
            Call::Vote { proposal: 3, approve: true, rationale: b"I have tried it.".to_vec() },
            pallet_governance::Call::vote {
                proposal: 3,
                approve: true,
                rationale: b"I have tried it.".to_vec().try_into().unwrap(),
            }
            .into(),
        ),
        (
            Call::CancelProposal { proposal: 3 },
            pallet_governance::Call::cancel { proposal: 3 }.into(),
        ),
    ]
}

#[test]
fn upload_should_be_what_the_runtime_reads() {
    let code = b"\0asm".to_vec();
    let read = read_by_runtime(&Call::ApplyUpgrade { code: code.clone() });
    assert_eq!(read.encode()[2..], code.encode());
}

#[test]
fn proposal_should_be_what_the_runtime_reads_when_it_has_two_calls() {
    let calls: [RuntimeCall; 2] = [
        pallet_governance::Call::set_voting_period { period: 20 }.into(),
        pallet_hubs::Call::retire {}.into(),
    ];
    let call = Call::Propose {
        title: b"Two".to_vec(),
        text: b"All or none.".to_vec(),
        calls: calls.iter().map(Encode::encode).collect(),
    };
    let expected = pallet_governance::Call::propose {
        title: b"Two".to_vec().try_into().unwrap(),
        text: b"All or none.".to_vec().try_into().unwrap(),
        calls: calls.map(Box::new).to_vec(),
    };
    assert_eq!(read_by_runtime(&call), expected.into());
}

#[test]
fn call_should_be_what_the_runtime_reads_when_encoded_by_metadata() {
    for (call, expected) in cases() {
        assert_eq!(read_by_runtime(&call), expected, "{}", call.name());
    }
}

#[test]
fn batch_should_be_what_the_runtime_reads_when_it_holds_every_kind_of_action() {
    let (actions, expected): (Vec<_>, Vec<_>) = cases().into_iter().unzip();
    let submit = |mode| pallet_batch::Call::submit { actions: expected.clone(), mode }.into();
    let skipping = Call::BatchSkipping { actions: actions.clone() };
    assert_eq!(read_by_runtime(&skipping), submit(pallet_batch::Mode::SkipFailed));
    assert_eq!(read_by_runtime(&Call::Batch { actions }), submit(pallet_batch::Mode::Atomic));
}
