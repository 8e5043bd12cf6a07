use crate::support::*;
use codec::{Compact, Encode};
use failsafe_primitives::{AccountId, Rate};
use failsafe_routing::{
    Announcement, AnnouncementError, Graph, Hint, SignedAnnouncement, MAX_HINTS, MAX_RATES,
};
use proptest::prelude::*;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::MultiSignature;

fn one_hub() -> Graph {
    graph(vec![hub(1, 0, &[]), hub(2, 0, &[])], &[])
}

fn many(count: u32) -> Vec<Hint> {
    let neighbour = |i: u32| AccountId::new(blake2_256(&i.encode()));
    (0..count).map(|i| Hint { neighbour: neighbour(i), asset: 0, capacity: None }).collect()
}

#[test]
fn announcement_should_be_refused_when_it_is_older_or_as_old() {
    let mut graph = one_hub();
    graph.announce(announced(1, 900, vec![]), NOW).unwrap();
    for at in [899, 900] {
        let older = graph.announce(announced(1, at, vec![hint(2, None)]), NOW);
        assert_eq!(older, Err(AnnouncementError::NotNewer { known: 900 }));
    }
}

#[test]
fn announcement_should_replace_the_whole_older_one_when_it_is_newer() {
    let mut graph = graph(vec![hub(1, 0, &[]), hub(2, 0, &[]), hub(3, 0, &[])], &[(1, 2, 50)]);
    graph.announce(announced(1, NOW + 1, vec![hint(3, Some(9))]), NOW).unwrap();
    assert_eq!(capacity(&graph, 1, 2), failsafe_routing::Capacity::None);
    assert_eq!(capacity(&graph, 1, 3), failsafe_routing::Capacity::AtMost(9));
}

#[test]
fn announcement_should_be_refused_when_its_clock_is_too_far_ahead() {
    let mut graph = one_hub();
    let latest = NOW + MAX_AHEAD;
    let result = graph.announce(announced(1, latest + 1, vec![]), NOW);
    assert_eq!(result, Err(AnnouncementError::TooFarAhead { latest }));
    assert_eq!(graph.announce(announced(1, latest, vec![]), NOW), Ok(()));
}

#[test]
fn announcement_should_be_refused_when_the_hub_is_not_registered() {
    let result = one_hub().announce(announced(3, NOW, vec![]), NOW);
    assert_eq!(result, Err(AnnouncementError::UnknownHub));
}

#[test]
fn announcement_should_be_refused_when_another_key_has_signed() {
    let mut forged = announced(1, NOW, vec![]);
    forged.signature = announced(2, NOW, vec![]).signature;
    assert_eq!(one_hub().announce(forged, NOW), Err(AnnouncementError::BadSignature));
}

#[test]
fn announcement_should_be_refused_when_it_was_signed_for_another_chain() {
    let announcement = Announcement::new(account(1), NOW, vec![], vec![]).unwrap();
    let message = announcement.message(&H256([8; 32]));
    let signature = MultiSignature::Ed25519(sp_core::Pair::sign(&key(1), &message));
    let foreign = SignedAnnouncement { announcement, signature };
    assert_eq!(one_hub().announce(foreign, NOW), Err(AnnouncementError::BadSignature));
}

#[test]
fn announcement_should_be_refused_when_anything_in_it_was_changed() {
    let good = announced(1, NOW, vec![hint(2, Some(5))]);
    let mut later = good.clone();
    later.announcement.at += 1;
    let mut more = good.clone();
    more.announcement.hints[0].capacity = Some(6);
    for changed in [later, more] {
        assert_eq!(one_hub().announce(changed, NOW), Err(AnnouncementError::BadSignature));
    }
}

#[test]
fn announcement_should_be_refused_when_its_hints_are_not_in_order() {
    let mut announcement =
        Announcement::new(account(1), NOW, vec![hint(2, None), hint(3, None)], vec![]).unwrap();
    let mut hints = announcement.hints.to_vec();
    hints.reverse();
    announcement.hints = hints.try_into().unwrap();
    let result = one_hub().announce(signed(1, announcement), NOW);
    assert_eq!(result, Err(AnnouncementError::Order));
}

#[test]
fn announcement_should_not_be_made_when_a_neighbour_and_asset_come_twice() {
    let twice = Announcement::new(account(1), NOW, vec![hint(2, None), hint(2, Some(1))], vec![]);
    assert_eq!(twice, Err(AnnouncementError::Order));
}

#[test]
fn announcement_should_not_be_made_when_it_names_its_own_hub() {
    let own = Announcement::new(account(1), NOW, vec![hint(1, None)], vec![]);
    assert_eq!(own, Err(AnnouncementError::OwnAccount));
}

#[test]
fn announcement_should_not_be_made_when_it_has_too_many_hints() {
    assert!(Announcement::new(account(1), NOW, many(MAX_HINTS), vec![]).is_ok());
    let above = Announcement::new(account(1), NOW, many(MAX_HINTS + 1), vec![]);
    assert_eq!(above, Err(AnnouncementError::TooManyHints));
}

#[test]
fn announcement_should_be_refused_when_its_rates_are_out_of_order_too_many_or_none() {
    let rate = |takes, gives| Rate { takes, gives, take_amount: 1, give_amount: 1 };
    let good = vec![rate(2, 1), rate(0, 1), rate(0, 2)];
    let made = Announcement::new(account(1), NOW, vec![], good).unwrap();
    assert_eq!(
        made.rates.iter().map(|rate| (rate.takes, rate.gives)).collect::<Vec<_>>(),
        [(0, 1), (0, 2), (2, 1)]
    );
    let mut unordered = made.clone();
    unordered.rates = vec![rate(2, 1), rate(0, 1)].try_into().unwrap();
    let result = one_hub().announce(signed(1, unordered), NOW);
    assert_eq!(result, Err(AnnouncementError::Rates));
    assert!(one_hub().announce(signed(1, made), NOW).is_ok());
    let many = (1..=MAX_RATES + 1).map(|asset| rate(0, asset)).collect();
    let twice = vec![rate(0, 1), rate(0, 1)];
    let worthless = vec![Rate { give_amount: 0, ..rate(0, 1) }];
    for rates in [many, twice, worthless, vec![rate(1, 1)]] {
        let made = Announcement::new(account(1), NOW, vec![], rates);
        assert_eq!(made, Err(AnnouncementError::Rates));
    }
}

#[test]
fn decoding_should_give_the_same_announcement_when_it_was_encoded() {
    let original = announced(1, NOW, many(MAX_HINTS));
    assert_eq!(SignedAnnouncement::from_bytes(&original.encode()), Ok(original));
}

#[test]
fn decoding_should_tell_when_there_are_too_many_hints() {
    let bytes = (account(1), NOW, many(MAX_HINTS + 1), announced(1, NOW, vec![]).signature);
    let result = SignedAnnouncement::from_bytes(&bytes.encode());
    assert_eq!(result, Err(AnnouncementError::TooManyHints));
    let claimed = (account(1), NOW, Compact(u32::MAX)).encode();
    let result = SignedAnnouncement::from_bytes(&claimed);
    assert_eq!(result, Err(AnnouncementError::TooManyHints));
}

#[test]
fn decoding_should_be_refused_when_bytes_follow() {
    let mut bytes = announced(1, NOW, vec![hint(2, None)]).encode();
    bytes.push(0);
    assert_eq!(SignedAnnouncement::from_bytes(&bytes), Err(AnnouncementError::Malformed));
}

#[test]
fn message_should_be_the_documented_bytes_when_hashed() {
    let rate = Rate { takes: 3, gives: 4, take_amount: 7, give_amount: 8 };
    let announcement =
        Announcement::new(account(1), 5, vec![hint(2, Some(9))], vec![rate]).unwrap();
    let mut bytes = vec![4 * 23];
    bytes.extend(b"failsafe/announcement/2");
    bytes.extend(GENESIS.0);
    bytes.extend(<[u8; 32]>::from(account(1)));
    bytes.extend(5u64.to_le_bytes());
    bytes.push(4);
    bytes.extend(<[u8; 32]>::from(account(2)));
    bytes.extend(0u32.to_le_bytes());
    bytes.push(1);
    bytes.extend(9u128.to_le_bytes());
    bytes.push(4);
    bytes.extend(3u32.to_le_bytes());
    bytes.extend(4u32.to_le_bytes());
    bytes.extend(7u128.to_le_bytes());
    bytes.extend(8u128.to_le_bytes());
    assert_eq!(announcement.message(&GENESIS), blake2_256(&bytes));
}

proptest! {
    #[test]
    fn decoding_should_not_panic_when_the_bytes_are_arbitrary(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = SignedAnnouncement::from_bytes(&bytes);
    }

    #[test]
    fn announcing_should_not_panic_when_a_good_announcement_is_damaged(
        position in 0usize..200, value in any::<u8>(),
    ) {
        let mut bytes = announced(1, NOW, vec![hint(2, Some(3)), hint(3, None)]).encode();
        let position = position % bytes.len();
        bytes[position] = value;
        if let Ok(damaged) = SignedAnnouncement::from_bytes(&bytes) {
            let whole = damaged == announced(1, NOW, vec![hint(2, Some(3)), hint(3, None)]);
            prop_assert_eq!(one_hub().announce(damaged, NOW).is_ok(), whole);
        }
    }
}
