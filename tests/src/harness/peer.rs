//! A party that the test moves by hand: the engine of channels on the real transport, one message at
//! a time. For scenarios of single messages that a program makes too fast, or never makes.

use super::{eventually, failure, town::PATIENCE, Chain, Failure, Hub};
use codec::{Decode, Encode};
use failsafe_channel::{
    lock::Offer, AssetTerms, Channel, Context, Effect, Event, Fault, Message, Moment, Reveal, Sign,
};
use failsafe_hub::{
    chain::{follow::facts, ChainClient},
    keys::{AccountKey, Scheme},
    transport::{self, Frame, Identity, Writer},
};
use failsafe_onion::{Hop, Next, RouteKeys};
use failsafe_primitives::{
    simplex::{lock_hash, LockHash},
    AccountId, Balance, Clock, NATIVE_ASSET,
};
use sp_core::H256;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{net::tcp::OwnedWriteHalf, sync::mpsc, task::JoinHandle, time::timeout};

/// How long a hub may take to answer a message.
const ANSWER: Duration = Duration::from_secs(20);
/// Usable blocks that a lock has.
const LOCK_TIME: Clock = 16;

/// An open session.
struct Line {
    writer: Writer<OwnedWriteHalf>,
    frames: mpsc::UnboundedReceiver<Frame>,
    reading: JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// A party at a hub.
pub struct Peer {
    key: Arc<AccountKey>,
    /// Its end of the channel.
    pub channel: Channel,
    client: ChainClient,
    genesis: H256,
    hub: (AccountId, String, [u8; 32]),
    finalized: Moment,
    best: Moment,
    lock_window: u64,
    line: Option<Line>,
    /// What it is about to send.
    pub out: VecDeque<Message>,
    /// What its engine has told it.
    pub events: Vec<Event>,
    /// What it has found wrong with the hub.
    pub faults: Vec<Fault>,
}

/// A lock that a peer has made for another one behind the hub.
pub struct Made {
    /// Its id.
    pub id: u64,
    /// For what the hub says if it fails.
    pub keys: RouteKeys,
}

impl Peer {
    /// The party of `suri`, with a channel at `hub`; not connected.
    pub async fn new(suri: &str, chain: &Chain, hub: &Hub) -> Result<Self, Failure> {
        let key = Arc::new(AccountKey::from_uri(Scheme::Sr25519, suri)?);
        let client = chain.client().clone();
        let genesis = client.info().genesis;
        let head = client.finalized_head().await?;
        let finalized = client.moment(Some(head)).await?;
        let views = client.pairs(&key.account(), &[hub.account().clone()], head).await?;
        let view = views.into_iter().next().ok_or_else(|| failure("no such pair"))?;
        let known = facts(view, finalized);
        let channel = Channel::new(genesis, &key.account(), hub.account(), known)
            .map_err(|e| failure(format!("{e:?}")))?;
        let registered = hub.genesis("")?;
        Ok(Self {
            key,
            channel,
            hub: (hub.account().clone(), registered.endpoint, registered.transport_key),
            lock_window: client.parameters().await?.lock_window,
            client,
            genesis,
            finalized,
            best: finalized,
            line: None,
            out: VecDeque::new(),
            events: vec![],
            faults: vec![],
        })
    }

    /// Its account.
    pub fn account(&self) -> AccountId {
        self.key.account()
    }

    /// Its key.
    pub fn key(&self) -> &AccountKey {
        &self.key
    }

    /// The key to which onions for it are encrypted.
    fn onion_secret(&self) -> [u8; 32] {
        lock_hash(self.key.account().as_ref())
    }

    /// Connects, and waits until both have said where they stand and what they allow: it lets the
    /// hub owe so much.
    pub async fn connect(&mut self, credit: Balance) -> Result<(), Failure> {
        self.dial().await?;
        let terms = AssetTerms { credit, insure_above: u128::MAX >> 8, unsigned_limit: 0 };
        self.call(|channel, _| channel.set_terms(NATIVE_ASSET, terms))?;
        self.flush().await?;
        self.exchange("the hub's terms", |peer| {
            peer.channel.established() && peer.channel.state().received.current(0).is_some()
        })
        .await?;
        // The hub knows this only when it has said so.
        self.exchange("the hub knows our terms", |peer| {
            peer.channel.state().given.acked().is_some()
        })
        .await
    }

    /// Opens a session.
    pub async fn dial(&mut self) -> Result<(), Failure> {
        let identity = Identity { signer: self.key.clone(), genesis: self.genesis };
        let (account, endpoint, transport_key) = &self.hub;
        let session = eventually("the hub takes the session", PATIENCE, || async {
            Ok(Some(transport::dial(endpoint, transport_key, account, &identity).await?))
        })
        .await?;
        let (mut reader, writer) = (session.reader, session.writer);
        let (queue, frames) = mpsc::unbounded_channel();
        // Reading must not be cut short in the middle of a frame.
        let reading = tokio::spawn(async move {
            while let Ok(frame) = reader.read().await {
                if queue.send(frame).is_err() {
                    return;
                }
            }
        });
        self.line = Some(Line { writer, frames, reading });
        let effects = self.channel.connected();
        self.apply(effects);
        self.flush().await
    }

    /// Ends the session.
    pub fn hang_up(&mut self) {
        self.line = None;
        self.out.clear();
        self.channel.disconnected();
    }

    /// Asks the engine for something. What it wants sent stays in [`Self::out`].
    pub fn call(
        &mut self,
        f: impl FnOnce(&mut Channel, &Context<'_>) -> Result<Vec<Effect>, failsafe_channel::Refusal>,
    ) -> Result<(), Failure> {
        let key = self.key.clone();
        let ctx = context(&key, self.finalized, self.best, self.lock_window);
        let effects = f(&mut self.channel, &ctx)?;
        self.apply(effects);
        Ok(())
    }

    fn tell(&mut self, f: impl FnOnce(&mut Channel, &Context<'_>) -> Vec<Effect>) {
        let key = self.key.clone();
        let ctx = context(&key, self.finalized, self.best, self.lock_window);
        let effects = f(&mut self.channel, &ctx);
        self.apply(effects);
    }

    fn apply(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(message) => self.out.push_back(message),
                Effect::Event(event) => self.events.push(event),
                Effect::Fault(fault) => self.faults.push(fault),
                // It has no disk, and the test does not let it dispute.
                Effect::Persist | Effect::Submit(_) => {},
            }
        }
    }

    /// Sends what it has to say.
    pub async fn flush(&mut self) -> Result<(), Failure> {
        while let Some(message) = self.out.pop_front() {
            self.post(&message).await?;
        }
        Ok(())
    }

    /// Sends this message, whatever the engine thinks of it.
    pub async fn post(&mut self, message: &Message) -> Result<(), Failure> {
        let line = self.line.as_mut().ok_or_else(|| failure("there is no session"))?;
        line.writer.write(&Frame::Channel(message.encode())).await?;
        Ok(line.writer.flush().await?)
    }

    /// The next message of the hub, if one comes within `patience`. The engine has not seen it.
    pub async fn hear(&mut self, patience: Duration) -> Result<Option<Message>, Failure> {
        let line = self.line.as_mut().ok_or_else(|| failure("there is no session"))?;
        loop {
            match timeout(patience, line.frames.recv()).await {
                Err(_) => return Ok(None),
                Ok(None) => return Err(failure("the hub has closed the session")),
                Ok(Some(Frame::Bye(reason))) => {
                    return Err(failure(format!("the hub has ended the session: {reason}")))
                },
                Ok(Some(Frame::Elsewhere(place))) => {
                    return Err(failure(format!("another process has the channel: {place}")))
                },
                Ok(Some(Frame::Ping)) => {},
                Ok(Some(Frame::Channel(bytes))) => {
                    return Ok(Some(Message::decode(&mut &bytes[..])?))
                },
            }
        }
    }

    /// The next message of the hub that is of this kind; those before it are handed to the engine.
    pub async fn hear_until(
        &mut self,
        what: &str,
        wanted: impl Fn(&Message) -> bool,
    ) -> Result<Message, Failure> {
        let waiting = async {
            loop {
                self.follow().await?;
                match self.hear(Duration::from_millis(100)).await? {
                    Some(message) if wanted(&message) => return Ok(message),
                    Some(message) => self.take(message),
                    None => {},
                }
                self.flush().await?;
            }
        };
        timeout(ANSWER, waiting)
            .await
            .map_err(|_| failure(format!("{what}: not within {ANSWER:?}")))?
    }

    /// Hands a message of the hub to the engine.
    pub fn take(&mut self, message: Message) {
        self.tell(|channel, ctx| channel.receive(ctx, message));
    }

    /// Acknowledges what it has.
    pub fn acknowledge(&mut self) {
        self.tell(|channel, ctx| channel.flush_ack(ctx));
    }

    /// Looks at the chain.
    pub async fn follow(&mut self) -> Result<(), Failure> {
        let head = self.client.finalized_head().await?;
        let finalized = self.client.moment(Some(head)).await?;
        if finalized.block > self.finalized.block {
            let partner = self.hub.0.clone();
            let views = self.client.pairs(&self.key.account(), &[partner], head).await?;
            let view = views.into_iter().next().ok_or_else(|| failure("no such pair"))?;
            let known = facts(view, finalized);
            self.finalized = finalized;
            self.best = self.client.moment(None).await?;
            if known.view != self.channel.state().facts.view {
                self.tell(|channel, ctx| channel.on_finalized(ctx, known));
            }
            self.tell(Channel::on_block);
        }
        Ok(())
    }

    /// Takes and sends messages, acknowledging what comes, until `done`.
    pub async fn exchange(
        &mut self,
        what: &str,
        done: impl Fn(&Self) -> bool,
    ) -> Result<(), Failure> {
        let going = async {
            loop {
                self.follow().await?;
                self.acknowledge();
                self.flush().await?;
                if done(self) {
                    return Ok(());
                }
                if let Some(message) = self.hear(Duration::from_millis(50)).await? {
                    self.take(message);
                }
            }
        };
        timeout(PATIENCE, going).await.map_err(|_| failure(format!("{what}: not in time")))?
    }

    /// Locks `amount` for `to` behind the hub, which keeps nothing; `told` is what `to` is told to
    /// expect. What is to be sent stays in [`Self::out`].
    pub fn lock_for(
        &mut self,
        to: &Recipient,
        amount: Balance,
        told: Balance,
        secret: &[u8; 32],
    ) -> Result<Made, Failure> {
        self.lock_by_hash(to, amount, told, lock_hash(secret))
    }

    /// [`Self::lock_for`], of a secret that only `to` knows.
    pub fn lock_by_hash(
        &mut self,
        to: &Recipient,
        amount: Balance,
        told: Balance,
        hash: LockHash,
    ) -> Result<Made, Failure> {
        self.lock_until(to, amount, told, hash, [LOCK_TIME; 2])
    }

    /// [`Self::lock_by_hash`], with the usable blocks that the lock for the hub and the one for `to`
    /// have from now on.
    pub fn lock_until(
        &mut self,
        to: &Recipient,
        amount: Balance,
        told: Balance,
        hash: LockHash,
        blocks: [Clock; 2],
    ) -> Result<Made, Failure> {
        let (offer, keys) = self.offer_until(to, amount, told, hash, blocks)?;
        Ok(Made { id: self.lock(offer)?, keys })
    }

    /// What [`Self::lock_until`] offers, and the keys for its failure.
    pub fn offer_until(
        &self,
        to: &Recipient,
        amount: Balance,
        told: Balance,
        hash: LockHash,
        [expiry, onward]: [Clock; 2],
    ) -> Result<(Offer, RouteKeys), Failure> {
        let [expiry, onward] = [self.best.clock + expiry, self.best.clock + onward];
        let next = Next::Recipient(to.account.clone().into());
        let here = Next::Here { total: told, payment_secret: to.payment_secret };
        let hops = [
            (self.hub.2, Hop { next, asset: NATIVE_ASSET, amount, expiry: onward }),
            (to.onion_key, Hop { next: here, asset: NATIVE_ASSET, amount: told, expiry: onward }),
        ];
        let (packet, keys) = failsafe_onion::build(&rand::random(), &hops, &hash)?;
        let onion = packet.encode().try_into().map_err(|_| failure("a long onion"))?;
        Ok((Offer { asset: NATIVE_ASSET, amount, hash, expiry, onion }, keys))
    }

    /// Makes a lock, and returns its number.
    pub fn lock(&mut self, offer: Offer) -> Result<u64, Failure> {
        let mut id = 0;
        self.call(|channel, ctx| {
            let (made, effects) = channel.lock(ctx, offer)?;
            id = made;
            Ok(effects)
        })?;
        Ok(id)
    }

    /// Itself as the recipient of a lock.
    pub fn recipient(&self) -> Recipient {
        Recipient {
            account: self.account(),
            onion_key: failsafe_onion::public_key(&self.onion_secret()),
            payment_secret: [7; 32],
        }
    }
}

/// To whom a lock is made.
pub struct Recipient {
    /// The account.
    pub account: AccountId,
    /// The key to which its onions are encrypted.
    pub onion_key: [u8; 32],
    /// From its invoice.
    pub payment_secret: [u8; 32],
}

/// Nothing of a peer's locks is revealed on chain.
fn context(key: &AccountKey, finalized: Moment, best: Moment, lock_window: u64) -> Context<'_> {
    const NONE: &dyn Fn(&LockHash) -> Option<Reveal> = &|_| None;
    Context { signer: key, finalized, best, lock_window, reveals: NONE }
}
