use super::{
    wire::{ToClient, ToTower},
    *,
};
use crate::{
    keys::{AccountKey, Scheme},
    transport::{accept, Frame, Identity, TransportKey},
};
use codec::{DecodeAll, Encode};
use failsafe_channel::{Channel, Moment, PairFacts, Sign};
use failsafe_primitives::{
    simplex::{lock_hash, Lock},
    ChannelContext, Collateral, Entry, Pair, Side, Signature, Simplex, SimplexError, TwiceSigned,
    LIMIT,
};
use sp_core::H256;
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;

const GENESIS: H256 = H256::repeat_byte(7);
/// What a dispute would take.
const LATEST: u64 = 100;
const SECRET: [u8; 32] = [5; 32];

fn key(name: &str) -> AccountKey {
    AccountKey::from_uri(Scheme::Sr25519, &format!("//{name}")).unwrap()
}

/// A client, its partner, and what both have signed.
struct Two {
    client: AccountKey,
    partner: AccountKey,
    context: ChannelContext,
    side: Side,
}

impl Two {
    fn new() -> Self {
        let (client, partner) = (key("client"), key("partner"));
        let pair = Pair::new(client.account(), partner.account()).unwrap();
        let side = pair.side_of(&client.account()).unwrap();
        let context = ChannelContext { genesis_hash: GENESIS, pair, epoch: 3 };
        Self { client, partner, context, side }
    }

    fn signed(&self, from: Side, simplex: Simplex) -> TwiceSigned {
        let (maker, other) = if from == self.side {
            (&self.client, &self.partner)
        } else {
            (&self.partner, &self.client)
        };
        let signature =
            Signature::Direct(maker.sign(&self.context.simplex_message(from, &simplex)));
        let ack = Signature::Direct(other.sign(&self.context.ack_message(from, &simplex)));
        TwiceSigned { from, simplex, signature, ack }
    }

    fn theirs(&self, nonce: u64, sent: u128, locks: &[Lock]) -> TwiceSigned {
        self.signed(self.side.other(), simplex(nonce, sent, locks))
    }

    fn packet(&self) -> WatchPacket {
        WatchPacket {
            context: self.context.clone(),
            theirs: Some(self.theirs(4, 10, &[lock(1, &SECRET)])),
            ours: Some(self.signed(self.side, simplex(2, 5, &[]))),
            secrets: vec![SECRET].try_into().unwrap(),
        }
    }

    fn check(&self, packet: &WatchPacket) -> Result<Side, PacketError> {
        packet.check(&self.client.account(), GENESIS, LATEST)
    }
}

fn lock(id: u64, secret: &[u8; 32]) -> Lock {
    Lock { id, amount: 3, hash: lock_hash(secret), expiry: LATEST }
}

fn simplex(nonce: u64, sent: u128, locks: &[Lock]) -> Simplex {
    let entry = Entry { asset: 0, sent, locks: locks.to_vec().try_into().unwrap() };
    Simplex { nonce, entries: vec![entry].try_into().unwrap() }
}

#[test]
fn packet_should_be_taken_when_both_simplexes_carry_both_signatures() {
    let two = Two::new();
    assert_eq!(two.check(&two.packet()), Ok(two.side));
    let mut half = two.packet();
    half.ours = None;
    assert_eq!(two.check(&half), Ok(two.side));
    half.theirs = None;
    assert_eq!(two.check(&half), Err(PacketError::Empty));
}

#[test]
fn packet_should_be_refused_when_it_is_for_another_chain_or_channel() {
    let two = Two::new();
    let packet = two.packet();
    let other = packet.check(&two.client.account(), H256::zero(), LATEST);
    assert_eq!(other, Err(PacketError::OtherChain(GENESIS)));
    let stranger = packet.check(&key("stranger").account(), GENESIS, LATEST);
    assert_eq!(stranger, Err(PacketError::NotYours));
    let mut later = packet.clone();
    later.context.epoch = 4;
    assert_eq!(two.check(&later), Err(PacketError::BadProof(Whose::Theirs)));
}

#[test]
fn packet_should_be_refused_when_its_pair_is_out_of_order() {
    let two = Two::new();
    let packet = two.packet();
    // Left and right stand behind the genesis hash.
    let mut bytes = packet.encode();
    let (left, right) = (bytes[32..64].to_vec(), bytes[64..96].to_vec());
    bytes[32..64].copy_from_slice(&right);
    bytes[64..96].copy_from_slice(&left);
    let swapped = WatchPacket::decode_all(&mut &bytes[..]).unwrap();
    assert_eq!(two.check(&swapped), Err(PacketError::NotAPair));
}

#[test]
fn packet_should_be_refused_when_a_signature_is_missing_or_of_somebody_else() {
    let two = Two::new();
    for whose in [Whose::Ours, Whose::Theirs] {
        for ack in [false, true] {
            let mut packet = two.packet();
            let part = match whose {
                Whose::Ours => packet.ours.as_mut().unwrap(),
                Whose::Theirs => packet.theirs.as_mut().unwrap(),
            };
            let forged = Signature::Direct(key("forger").sign(&[0; 32]));
            *(if ack { &mut part.ack } else { &mut part.signature }) = forged;
            assert_eq!(two.check(&packet), Err(PacketError::BadProof(whose)), "{whose} {ack}");
        }
    }
    let mut changed = two.packet();
    changed.theirs.as_mut().unwrap().simplex.nonce += 1;
    assert_eq!(two.check(&changed), Err(PacketError::BadProof(Whose::Theirs)));
}

#[test]
fn packet_should_be_refused_when_a_simplex_is_of_the_wrong_side_or_malformed() {
    let two = Two::new();
    let mut packet = two.packet();
    packet.theirs = packet.ours.clone();
    packet.secrets = Default::default();
    assert_eq!(two.check(&packet), Err(PacketError::WrongSide(Whose::Theirs)));
    packet = two.packet();
    packet.ours = Some(two.signed(two.side, simplex(2, LIMIT + 1, &[])));
    let malformed = PacketError::Malformed(Whose::Ours, SimplexError::Limit);
    assert_eq!(two.check(&packet), Err(malformed));
}

#[test]
fn packet_should_be_refused_when_a_lock_expires_later_than_a_dispute_would_take() {
    let two = Two::new();
    let mut packet = two.packet();
    let late = Lock { expiry: LATEST + 1, ..lock(1, &SECRET) };
    packet.theirs = Some(two.theirs(4, 10, &[late]));
    let error = PacketError::ExpiryTooFar(Whose::Theirs, LATEST);
    assert_eq!(two.check(&packet), Err(error.clone()));
    assert!(error.is_temporary(), "the tower's node may be behind");
}

#[test]
fn packet_should_be_refused_when_a_secret_opens_no_lock_or_is_there_twice() {
    let two = Two::new();
    let mut packet = two.packet();
    packet.secrets = vec![[9; 32]].try_into().unwrap();
    assert_eq!(two.check(&packet), Err(PacketError::SecretWithoutLock));
    packet.secrets = vec![SECRET, SECRET].try_into().unwrap();
    assert_eq!(two.check(&packet), Err(PacketError::SecretTwice));
}

#[test]
fn packet_should_be_refused_when_something_of_it_is_older_than_what_is_known() {
    let two = Two::new();
    let known = two.packet();
    assert_eq!(known.check_newer(&known), Ok(()));
    let mut older = known.clone();
    older.theirs = Some(two.theirs(3, 9, &[]));
    let lower = PacketError::NonceLower { whose: Whose::Theirs, got: 3, known: 4 };
    assert_eq!(older.check_newer(&known), Err(lower));
    let mut without = known.clone();
    without.ours = None;
    let lower = PacketError::NonceLower { whose: Whose::Ours, got: 0, known: 2 };
    assert_eq!(without.check_newer(&known), Err(lower));
    let mut other = known.clone();
    other.theirs = Some(two.theirs(4, 11, &[]));
    assert_eq!(other.check_newer(&known), Err(PacketError::OtherContent(Whose::Theirs)));
}

#[test]
fn secret_should_be_kept_when_a_newer_packet_leaves_it_out_and_its_lock_is_pending() {
    let two = Two::new();
    let known = two.packet();
    let mut newer = known.clone();
    newer.secrets = Default::default();
    newer.theirs = Some(two.theirs(5, 10, &[lock(1, &SECRET), lock(2, &[6; 32])]));
    newer.keep_secrets_of(&known);
    assert_eq!(newer.secrets.to_vec(), vec![SECRET]);
    let mut settled = known.clone();
    settled.secrets = Default::default();
    settled.theirs = Some(two.theirs(6, 13, &[]));
    settled.keep_secrets_of(&known);
    assert!(settled.secrets.is_empty(), "its lock is gone");
}

#[test]
fn message_should_not_be_a_frame_of_a_hub_when_a_tower_is_mistaken_for_one() {
    let two = Two::new();
    let messages = [ToTower::Watch { number: 1, packet: two.packet() }, ToTower::Ping];
    for message in messages {
        assert!(Frame::decode_all(&mut &message.encode()[..]).is_err());
    }
    for frame in [Frame::Ping, Frame::Channel(vec![1]), Frame::Bye("no".into())] {
        assert!(ToTower::decode_all(&mut &frame.encode()[..]).is_err());
        assert!(ToClient::decode_all(&mut &frame.encode()[..]).is_err());
    }
}

#[test]
fn tower_address_should_be_the_same_when_written_and_read() {
    let address = TowerAddress {
        account: key("tower").account(),
        endpoint: "tower.example:9960".into(),
        transport_key: [0xab; 32],
    };
    assert_eq!(address.to_string().parse(), Ok(address.clone()));
    let text = address.to_string();
    for wrong in [
        text.replace('@', ""),
        text.replace('#', ""),
        text.replace(":9960", ""),
        text.replace("9960", "99600"),
        text.replace("abab", "zz"),
        text.replace("tower.example", ""),
    ] {
        let error = wrong.parse::<TowerAddress>().unwrap_err().to_string();
        assert!(error.contains("failsafe-tower run"), "{error}");
    }
}

// --- hand-over ---------------------------------------------------------------------------------

/// The client's channel with a partner of whom nothing was heard.
fn channel(two: &Two) -> Channel {
    let (me, partner) = (two.client.account(), two.partner.account());
    let at = Moment { block: 5, clock: 5 };
    let mut facts = PairFacts::unknown(&me, &partner, at).unwrap();
    let ondelta = if two.side == Side::Left { 100 } else { 0 };
    facts.view.collateral = vec![(0, Collateral { insurance: 100, ondelta })];
    facts.view.epoch = 3;
    Channel::new(GENESIS, &me, &partner, facts).unwrap()
}

#[test]
fn snapshot_should_be_empty_when_the_partner_has_signed_nothing() {
    let two = Two::new();
    assert_eq!(Snapshot::of(&channel(&two)), None);
}

#[test]
fn packet_should_carry_our_acknowledgement_when_made_from_what_the_partner_has_signed() {
    let two = Two::new();
    let snapshot = snapshot(&two, two.theirs(4, 10, &[]));
    let packet = snapshot.packet(&two.client);
    assert_eq!(two.check(&packet), Ok(two.side));
    assert_eq!(packet.theirs.unwrap().simplex.nonce, 4);
    assert_eq!(packet.ours, None, "the partner has acknowledged nothing of ours");
}

/// A tower of the test: takes one session and answers what it is told to.
struct FakeTower {
    listener: TcpListener,
    transport: TransportKey,
    identity: Identity,
}

impl FakeTower {
    async fn new() -> (Self, TowerAddress) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let transport = TransportKey::generate();
        let address = TowerAddress {
            account: key("tower").account(),
            endpoint: listener.local_addr().unwrap().to_string(),
            transport_key: transport.public(),
        };
        let identity = Identity { signer: Arc::new(key("tower")), genesis: GENESIS };
        (Self { listener, transport, identity }, address)
    }

    async fn session(&self) -> crate::transport::Session {
        let (stream, _) = self.listener.accept().await.unwrap();
        accept(stream, &self.transport, &self.identity).await.unwrap()
    }
}

async fn next_packet(session: &mut crate::transport::Session) -> (u64, WatchPacket) {
    loop {
        let read = session.reader.read_value::<ToTower>();
        let message = tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        if let ToTower::Watch { number, packet } = message {
            return (number, packet);
        }
    }
}

async fn say(session: &mut crate::transport::Session, message: ToClient) {
    session.writer.write_value(&message).await.unwrap();
    session.writer.flush().await.unwrap();
}

/// A snapshot in which the partner has signed `theirs`.
fn snapshot(two: &Two, theirs: TwiceSigned) -> Snapshot {
    let mut state = channel(two).state().clone();
    state.theirs.simplex = theirs.simplex;
    state.theirs.signature = Some(theirs.signature);
    Snapshot::of(&Channel::from_state(state)).unwrap()
}

async fn until(handover: &Handover, wanted: impl Fn(&TowerStanding) -> bool) {
    for _ in 0..400 {
        if wanted(&handover.standing()[0]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not in time: {:?}", handover.standing());
}

fn start(handover: &Handover, two: &Two) -> tokio::task::JoinSet<()> {
    let identity = Identity { signer: Arc::new(two.client.clone()), genesis: GENESIS };
    let mut tasks = tokio::task::JoinSet::new();
    for task in handover.tasks(&Arc::new(identity)) {
        tasks.spawn(task);
    }
    tasks
}

#[tokio::test]
async fn handover_should_send_the_newest_again_when_the_tower_was_lost_before_its_receipt() {
    let two = Two::new();
    let partner = two.partner.account();
    let (tower, address) = FakeTower::new().await;
    let handover = Handover::new([address]);
    let _tasks = start(&handover, &two);

    handover.update(&partner, 3, Some(snapshot(&two, two.theirs(1, 1, &[]))));
    let mut session = tower.session().await;
    let (_, packet) = next_packet(&mut session).await;
    assert_eq!(two.check(&packet), Ok(two.side), "it is signed so that it can be used");
    // Lost before the receipt; meanwhile there is something newer.
    drop(session);
    handover.update(&partner, 3, Some(snapshot(&two, two.theirs(2, 2, &[]))));
    let mut session = tower.session().await;
    let (number, packet) = next_packet(&mut session).await;
    assert_eq!(packet.theirs.unwrap().simplex.nonce, 2);
    assert_eq!(handover.standing()[0].waiting, 1);
    handover.finish(Duration::from_millis(50)).await;
    assert_eq!(handover.standing()[0].waiting, 1, "a stop waits, but not for ever");
    say(&mut session, ToClient::Receipt { number }).await;
    handover.finish(Duration::from_secs(20)).await;
    let standing = handover.standing();
    assert_eq!((standing[0].receipted, standing[0].waiting), (1, 0));
}

#[tokio::test]
async fn handover_should_send_one_packet_with_the_newest_when_many_changes_come_at_once() {
    let two = Two::new();
    let partner = two.partner.account();
    let (tower, address) = FakeTower::new().await;
    let handover = Handover::new([address]);
    let _tasks = start(&handover, &two);
    for nonce in 1..=50 {
        let snapshot = snapshot(&two, two.theirs(nonce, nonce.into(), &[]));
        handover.update(&partner, 3, Some(snapshot));
    }
    let mut session = tower.session().await;
    let (first, packet) = next_packet(&mut session).await;
    assert_eq!(packet.theirs.unwrap().simplex.nonce, 50);
    // While one is on its way, no other of the channel is.
    for nonce in 51..=60 {
        let snapshot = snapshot(&two, two.theirs(nonce, nonce.into(), &[]));
        handover.update(&partner, 3, Some(snapshot));
    }
    let quiet = tokio::time::timeout(Duration::from_millis(600), next_packet(&mut session)).await;
    assert!(quiet.is_err(), "the receipt of the one before is missing");
    drop(session);
    let mut session = tower.session().await;
    let (second, packet) = next_packet(&mut session).await;
    assert_eq!(packet.theirs.unwrap().simplex.nonce, 60);
    assert!(second > first);
}

#[tokio::test]
async fn handover_should_try_again_when_the_tower_cannot_take_a_packet_yet() {
    let two = Two::new();
    let (tower, address) = FakeTower::new().await;
    let handover = Handover::new([address]);
    let _tasks = start(&handover, &two);
    let snapshot = snapshot(&two, two.theirs(1, 1, &[]));
    handover.update(&two.partner.account(), 3, Some(snapshot));
    let mut session = tower.session().await;
    let (number, _) = next_packet(&mut session).await;
    say(&mut session, ToClient::Refused { number, reason: PacketError::NotReady }).await;
    until(&handover, |standing| standing.refused.len() == 1).await;
    let (number, _) = next_packet(&mut session).await;
    say(&mut session, ToClient::Receipt { number }).await;
    until(&handover, |standing| standing.receipted == 1 && standing.refused.is_empty()).await;
}

#[tokio::test]
async fn handover_should_tell_why_when_a_tower_is_not_there() {
    let two = Two::new();
    let address = TowerAddress {
        account: key("tower").account(),
        endpoint: "127.0.0.1:1".into(),
        transport_key: [1; 32],
    };
    let handover = Handover::new([address]);
    let _tasks = start(&handover, &two);
    until(&handover, |standing| standing.trouble.is_some() && !standing.connected).await;
}
