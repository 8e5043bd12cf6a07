//! What is measured with: two parties with real keys, and the channel between them.

use codec::{DecodeAll, Encode};
use failsafe_channel::{
    AssetTerms, Channel, Context, Effect, Event, Message, Moment, PairFacts, PaymentId, Purpose,
    Sign,
};
use failsafe_hub::keys::{AccountKey, Scheme};
use failsafe_primitives::{Balance, ChannelContext, Collateral, Pair, NATIVE_ASSET as FRD};
use failsafe_tests::harness::{failure, Failure};
use sp_core::H256;
use std::{collections::VecDeque, hint::black_box};

/// Hash of the first block of a chain that there is not.
pub const GENESIS: H256 = H256::repeat_byte(7);
/// Collateral of the channel; left owns all of it.
const INSURANCE: u64 = 1_000_000_000_000_000;

/// The key of an account, sr25519 as wallets make it.
pub fn key(secret: &str) -> Result<AccountKey, Failure> {
    Ok(AccountKey::from_uri(Scheme::Sr25519, secret)?)
}

/// The keys of left and right.
pub fn keys() -> Result<[AccountKey; 2], Failure> {
    let mut keys = [key("//bench//a")?, key("//bench//b")?];
    keys.sort_by_key(Sign::account);
    Ok(keys)
}

/// What the two sign for.
pub fn context(keys: &[AccountKey; 2]) -> Result<ChannelContext, Failure> {
    let pair = Pair::new(keys[0].account(), keys[1].account());
    let pair = pair.map_err(|_| failure("two accounts make a pair"))?;
    Ok(ChannelContext { genesis_hash: GENESIS, pair, epoch: 0 })
}

struct Party {
    key: AccountKey,
    channel: Channel,
    /// Encoded messages on their way to the partner.
    out: VecDeque<Vec<u8>>,
    received: u64,
}

/// Two engines with the hosts around them left out: what is to be stored is encoded, what is to be
/// sent is encoded and decoded.
pub struct Channels {
    parties: [Party; 2],
    at: Moment,
    paid: u64,
    /// Bytes of the newest message of left.
    sent: usize,
}

impl Channels {
    /// Left owns all the collateral; both are connected and take FRD.
    pub fn new() -> Result<Self, Failure> {
        let keys = keys()?;
        let at = Moment { block: 10, clock: 10 };
        let ids = keys.each_ref().map(Sign::account);
        let no_pair = |_| failure("two accounts make a pair");
        let mut facts = PairFacts::unknown(&ids[0], &ids[1], at).map_err(no_pair)?;
        let collateral =
            Collateral { insurance: Balance::from(INSURANCE), ondelta: i128::from(INSURANCE) };
        facts.view.collateral = vec![(FRD, collateral)];
        let party = |key: AccountKey, partner| {
            let channel = Channel::new(GENESIS, &key.account(), partner, facts.clone());
            let channel = channel.map_err(no_pair)?;
            Ok::<_, Failure>(Party { key, channel, out: VecDeque::new(), received: 0 })
        };
        let [left, right] = keys;
        let parties = [party(left, &ids[1])?, party(right, &ids[0])?];
        let mut channels = Self { parties, at, paid: 0, sent: 0 };
        for who in [0, 1] {
            channels.call(who, |channel, _| Ok(channel.connected()))?;
        }
        for who in [0, 1] {
            let terms = AssetTerms::default();
            channels.call(who, |channel, _| Ok(channel.set_terms(FRD, terms)?))?;
        }
        channels.deliver()?;
        Ok(channels)
    }

    /// Right takes payments of left without a signature, whatever they sum up to.
    pub fn allow_unsigned(&mut self) -> Result<(), Failure> {
        let unsigned_limit = Balance::from(INSURANCE);
        let terms = AssetTerms { unsigned_limit, ..AssetTerms::default() };
        self.call(1, |channel, _| Ok(channel.set_terms(FRD, terms)?))?;
        self.deliver()
    }

    /// Left pays right 1, and right has it.
    pub fn pay(&mut self) -> Result<(), Failure> {
        self.pay_by(|channel, ctx, purpose| Ok(channel.pay(ctx, FRD, 1, purpose)?))
    }

    /// The same without a signature, as far as right allows that.
    pub fn pay_unsigned(&mut self) -> Result<(), Failure> {
        self.pay_by(|channel, ctx, purpose| Ok(channel.pay_unsigned(ctx, FRD, 1, purpose)?))
    }

    fn pay_by(
        &mut self,
        pay: impl FnOnce(&mut Channel, &Context<'_>, Purpose) -> Result<Vec<Effect>, Failure>,
    ) -> Result<(), Failure> {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.paid.to_le_bytes());
        self.paid = self.paid.checked_add(1).ok_or_else(|| failure("too many payments"))?;
        let purpose = Purpose::Direct { id: PaymentId(id) };
        self.call(0, |channel, ctx| pay(channel, ctx, purpose))?;
        self.deliver()?;
        if self.parties[1].received != self.paid {
            return Err(failure("the payment has not arrived"));
        }
        Ok(())
    }

    /// Right acknowledges what it has, and left takes the receipt.
    pub fn acknowledge(&mut self) -> Result<(), Failure> {
        self.call(1, |channel, ctx| Ok(channel.flush_ack(ctx)))?;
        self.deliver()?;
        let left = self.parties[0].channel.state();
        let acked = left.acked.as_ref().map_or(0, |acked| acked.simplex.nonce);
        if acked != left.mine.nonce() {
            return Err(failure("the payment is not acknowledged"));
        }
        Ok(())
    }

    /// Bytes of the newest message of left, encoded.
    pub fn message_size(&self) -> usize {
        self.sent
    }

    /// Left's channel.
    pub fn left(&self) -> &Channel {
        &self.parties[0].channel
    }

    fn call(
        &mut self,
        who: usize,
        ask: impl FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, Failure>,
    ) -> Result<(), Failure> {
        let party = &mut self.parties[who];
        let (finalized, best) = (self.at, self.at);
        let reveals = |_: &_| None;
        let ctx =
            Context { signer: &party.key, finalized, best, lock_window: 20, reveals: &reveals };
        for effect in ask(&mut party.channel, &ctx)? {
            match effect {
                Effect::Persist => drop(black_box(party.channel.encode_state())),
                Effect::Send(message) => party.out.push_back(message.encode()),
                Effect::Event(Event::Received { .. }) => {
                    party.received = party.received.saturating_add(1);
                },
                Effect::Event(_) => {},
                Effect::Submit(action) => return Err(failure(format!("submitted: {action:?}"))),
                Effect::Fault(fault) => return Err(failure(format!("a fault: {fault:?}"))),
            }
        }
        Ok(())
    }

    /// Delivers everything, and what follows from it.
    fn deliver(&mut self) -> Result<(), Failure> {
        loop {
            let next = [0, 1].into_iter().find_map(|from| {
                let bytes = self.parties.get_mut(from)?.out.pop_front()?;
                Some((1usize.saturating_sub(from), bytes))
            });
            let Some((to, bytes)) = next else { return Ok(()) };
            if to == 1 {
                self.sent = bytes.len();
            }
            let message = Message::decode_all(&mut &bytes[..])?;
            self.call(to, |channel, ctx| Ok(channel.receive(ctx, message)))?;
        }
    }
}
