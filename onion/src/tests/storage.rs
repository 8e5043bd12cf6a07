use super::*;
use crate::{fail, Reason};
use codec::{Decode, Encode};

#[test]
fn route_keys_should_open_failures_when_stored_and_loaded() {
    let route = Route::new(3);
    let loaded = RouteKeys::decode(&mut &route.keys.encode()[..]).unwrap();
    let failure = fail(&route.secrets_shared()[0], &Reason::FeeTooLow);
    assert_eq!(loaded.open(&failure), Ok((0, Reason::FeeTooLow)));
}

#[test]
fn route_keys_should_not_decode_when_they_are_none_or_too_many() {
    let secret = Route::new(1).keys.hops()[0].clone();
    for (count, expected) in [(0, false), (1, true), (10, true), (11, false)] {
        let bytes = vec![secret.clone(); count].encode();
        assert_eq!(RouteKeys::decode(&mut &bytes[..]).is_ok(), expected, "{count}");
    }
}

#[test]
fn hop_secret_should_write_the_same_failure_when_stored_and_loaded() {
    let shared = Route::new(1).secrets_shared().remove(0);
    let loaded = HopSecret::decode(&mut &shared.encode()[..]).unwrap();
    assert_eq!(fail(&loaded, &Reason::Frozen), fail(&shared, &Reason::Frozen));
}
