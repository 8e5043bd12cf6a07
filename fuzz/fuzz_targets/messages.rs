//! What a partner sends: arbitrary messages and plausible ones, in any order, to the engine of hub
//! and wallet. No message may end the process, and a faulty one changes nothing.

#![no_main]

use codec::{Decode, DecodeAll, Encode};
use failsafe_channel::{
    lock::{Answer, Offer, Secret},
    AssetTerms, Channel, Context, Effect, Message, Moment, PairFacts, PaymentId, Purpose, Reveal,
    Sign,
};
use failsafe_fuzz::{bytes::Bytes, values};
use failsafe_primitives::{
    simplex::{lock_hash, LockHash},
    AccountId, Balance, Collateral, NATIVE_ASSET,
};
use libfuzzer_sys::fuzz_target;
use sp_core::{ed25519, Pair as _, H256};
use sp_runtime::MultiSignature;

/// Most steps of an input.
const MAX_STEPS: usize = 64;
const GENESIS: H256 = H256::repeat_byte(7);
const FUNDS: Balance = 1_000_000;

fuzz_target!(|input: &[u8]| {
    if let Ok(message) = Message::decode_all(&mut &input[..]) {
        assert_eq!(Message::decode(&mut &message.encode()[..]), Ok(message));
    }
    drop(Channel::decode_state(input));
    play(Bytes::new(input));
});

struct Key(ed25519::Pair);

impl Sign for Key {
    fn account(&self) -> AccountId {
        AccountId::new(self.0.public().0)
    }

    fn sign(&self, message: &[u8; 32]) -> MultiSignature {
        self.0.sign(message).into()
    }
}

/// One of a few secrets. Those with an even number come to the chain at the clock of their number.
fn secret(number: u8) -> Secret {
    [number % 8; 32]
}

/// The registry of secrets at `at`.
fn reveals(at: Moment) -> impl Fn(&LockHash) -> Option<Reveal> {
    move |hash| {
        let mut known = (0..8).step_by(2).map(|number| (number, secret(number)));
        let (number, secret) = known.find(|(_, secret)| lock_hash(secret) == *hash)?;
        let shown = 12 + 4 * u64::from(number);
        (shown <= at.clock).then_some(Reveal { secret, at: shown })
    }
}

fn context<'a>(
    key: &'a Key,
    at: Moment,
    reveals: &'a dyn Fn(&LockHash) -> Option<Reveal>,
) -> Context<'a> {
    Context { signer: key, finalized: at, best: at, lock_window: 20, reveals }
}

/// One of two parties, and what is on its way to it.
struct Party {
    key: Key,
    channel: Channel,
    inbox: Vec<Vec<u8>>,
}

fn play(mut bytes: Bytes<'_>) {
    let keys = [1, 2].map(|seed| Key(ed25519::Pair::from_seed(&[seed; 32])));
    let mut at = Moment { block: 10, clock: 10 };
    let ids = keys.each_ref().map(Sign::account);
    let mut facts = PairFacts::unknown(&ids[0], &ids[1], at).expect("two accounts");
    let ondelta = i128::from(bytes.u16()) * 16;
    facts.view.collateral = vec![(NATIVE_ASSET, Collateral { insurance: FUNDS, ondelta })];
    let mut others = [ids[1].clone(), ids[0].clone()].into_iter();
    let mut parties = keys.map(|key| {
        let partner = others.next().expect("two");
        let channel = Channel::new(GENESIS, &key.account(), &partner, facts.clone());
        Party { key, channel: channel.expect("two accounts"), inbox: vec![] }
    });
    for who in 0..2 {
        let effects = parties[who].channel.connected();
        carry_out(&mut parties, who, effects);
        let terms = AssetTerms { credit: 1_000, insure_above: 0, unsigned_limit: 100 };
        let effects = parties[who].channel.set_terms(NATIVE_ASSET, terms);
        carry_out(&mut parties, who, effects.unwrap_or_default());
    }
    for _ in 0..MAX_STEPS {
        if bytes.is_empty() {
            break;
        }
        step(&mut parties, &mut at, &mut facts, &mut bytes);
    }
}

fn step(parties: &mut [Party; 2], at: &mut Moment, facts: &mut PairFacts, bytes: &mut Bytes<'_>) {
    let choice = bytes.u8();
    let who = usize::from(choice & 1);
    let known = [FUNDS, FUNDS / 2];
    let Party { key, channel, .. } = &mut parties[who];
    let reveals = reveals(*at);
    let ctx = context(key, *at, &reveals);
    let effects = match (choice >> 1) % 40 {
        0..=9 => return deliver(parties, *at, who, bytes),
        10..=12 => {
            let amount = values::amount(bytes, &known);
            let id = PaymentId([bytes.u8(); 16]);
            channel.pay(&ctx, NATIVE_ASSET, amount, Purpose::Direct { id }).unwrap_or_default()
        },
        13 => {
            let (amount, purpose) = (bytes.u8().into(), Purpose::Direct { id: PaymentId([1; 16]) });
            channel.pay_unsigned(&ctx, NATIVE_ASSET, amount, purpose).unwrap_or_default()
        },
        14 => channel.sign_unsigned(&ctx),
        15 | 16 => {
            let amount = values::amount(bytes, &known);
            let items = vec![(NATIVE_ASSET, amount)];
            channel.reserve(&ctx, items, bytes.u8().into()).unwrap_or_default()
        },
        17 => channel.request_close(&ctx, bytes.u8() & 1 == 0).unwrap_or_default(),
        18 => channel.dispute().unwrap_or_default(),
        19 | 20 => channel.flush_ack(&ctx),
        21 => {
            channel.disconnected();
            channel.connected()
        },
        22 => {
            let credit = values::amount(bytes, &known);
            let terms = AssetTerms { credit, insure_above: 0, unsigned_limit: 100 };
            channel.set_terms(NATIVE_ASSET, terms).unwrap_or_default()
        },
        23..=25 => return next_block(parties, at, facts, bytes),
        26 => {
            // A restart: everything but the session is stored.
            let stored = channel.encode_state();
            *channel = Channel::decode_state(&stored).expect("its own state");
            channel.connected()
        },
        32..=34 => {
            let (hash, amount) = (lock_hash(&secret(bytes.u8())), values::amount(bytes, &known));
            let expiry = at.clock + u64::from(bytes.u8() % 32);
            let onion = Default::default();
            let offer = Offer { asset: NATIVE_ASSET, amount, hash, expiry, onion };
            channel.lock(&ctx, offer).map(|(_, effects)| effects).unwrap_or_default()
        },
        35 => channel.fulfill(bytes.u8().into(), secret(bytes.u8())).unwrap_or_default(),
        36 => channel.fail_lock(bytes.u8().into(), Default::default()).unwrap_or_default(),
        37..=39 => {
            let known = channel.state().said.iter().filter_map(|(id, answer)| match answer {
                Answer::Fulfilled(secret) => Some((*id, *secret)),
                Answer::Failed(_) => None,
            });
            let known = known.collect();
            channel.settle(&ctx, known).unwrap_or_default()
        },
        _ => match bytes.decode() {
            Some(message) => return receive(parties, *at, who, message),
            None => return,
        },
    };
    carry_out(parties, who, effects);
}

/// The chain goes on; now and then it shows more collateral or another epoch.
fn next_block(
    parties: &mut [Party; 2],
    at: &mut Moment,
    facts: &mut PairFacts,
    bytes: &mut Bytes<'_>,
) {
    let choice = bytes.u8();
    let past = 1 + u32::from(choice % 16);
    at.block += past;
    at.clock += u64::from(past);
    facts.at = *at;
    match choice {
        200..=219 => {
            let (_, row) = &mut facts.view.collateral[0];
            row.insurance = row.insurance.saturating_add(bytes.u16().into());
        },
        220..=239 => facts.view.withdrawal_nonces[usize::from(choice & 1)] += 1,
        240.. => {
            facts.view.epoch += 1;
            facts.view.withdrawal_nonces = [0, 0];
        },
        _ => {},
    }
    for who in 0..2 {
        let Party { key, channel, .. } = &mut parties[who];
        let reveals = reveals(*at);
        let ctx = context(key, *at, &reveals);
        let mut effects = channel.on_best(facts);
        effects.extend(channel.on_finalized(&ctx, facts.clone()));
        effects.extend(channel.on_block(&ctx));
        carry_out(parties, who, effects);
    }
}

/// A message that is on its way arrives, now and then changed, twice, or before its turn.
fn deliver(parties: &mut [Party; 2], at: Moment, who: usize, bytes: &mut Bytes<'_>) {
    let inbox = &mut parties[who].inbox;
    if inbox.is_empty() {
        return;
    }
    let place = if bytes.rarely(16) { bytes.below(inbox.len()) } else { 0 };
    let sent = if bytes.rarely(16) { inbox[place].clone() } else { inbox.remove(place) };
    let message = Message::decode_all(&mut &sent[..]).expect("what was sent is a message");
    let message = if bytes.rarely(24) { bytes.mutate(message) } else { message };
    receive(parties, at, who, message);
}

fn receive(parties: &mut [Party; 2], at: Moment, who: usize, message: Message) {
    let Party { key, channel, .. } = &mut parties[who];
    let before = channel.encode_state();
    let reveals = reveals(at);
    let ctx = context(key, at, &reveals);
    let effects = channel.receive(&ctx, message);
    if let [Effect::Fault(_)] = &effects[..] {
        assert!(channel.encode_state() == before, "a faulty message has changed something");
    }
    carry_out(parties, who, effects);
}

fn carry_out(parties: &mut [Party; 2], who: usize, effects: Vec<Effect>) {
    let last = effects.len().saturating_sub(1);
    for (place, effect) in effects.into_iter().enumerate() {
        match effect {
            Effect::Send(message) => parties[1 - who].inbox.push(message.encode()),
            Effect::Fault(_) => {
                assert_eq!(place, last, "a fault is the last effect");
                parties.iter_mut().for_each(|party| {
                    party.channel.disconnected();
                    party.inbox.clear();
                });
                for who in 0..2 {
                    let effects = parties[who].channel.connected();
                    carry_out(parties, who, effects);
                }
            },
            Effect::Persist => {
                let stored = parties[who].channel.encode_state();
                assert!(Channel::decode_state(&stored).is_ok(), "a state that cannot be read");
            },
            Effect::Submit(_) | Effect::Event(_) => {},
        }
    }
}
