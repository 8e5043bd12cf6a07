//! Stores of processes that share out the partners of a hub.

use crate::common::{account, new_store, places};
use failsafe_hub::store::{check_owner, check_share, need_share, Share, StoreError};
use sp_core::H256;

const CHAIN: H256 = H256::repeat_byte(7);

fn share(number: usize, count: u8) -> Share {
    Share::new(number, (0..count).map(account).collect()).unwrap()
}

fn is_refused(checked: Result<(), StoreError>) -> bool {
    let problem = checked.expect_err("it must not be used");
    assert!(problem.to_string().contains("docs/processes.md"), "{problem}");
    matches!(problem, StoreError::OtherShare { .. })
}

#[test]
fn store_should_belong_to_one_process_from_its_first_use_on() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        assert_eq!(Share::load(&*store).unwrap(), None);
        for _ in 0..2 {
            check_share(&*store, Some(&share(1, 2))).unwrap();
        }
        check_owner(&*store, &account(1), CHAIN).unwrap();
        assert_eq!(Share::load(&*store).unwrap(), Some(share(1, 2)));
        assert!(is_refused(check_share(&*store, Some(&share(0, 2)))));
        assert!(is_refused(check_share(&*store, Some(&share(1, 3)))));
        assert!(is_refused(check_share(&*store, None)));
        check_share(&*store, Some(&share(1, 2))).unwrap();
    }
}

#[test]
fn used_store_should_not_be_shared_out() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        check_share(&*store, None).unwrap();
        check_owner(&*store, &account(1), CHAIN).unwrap();
        assert!(is_refused(check_share(&*store, Some(&share(0, 2)))));
        check_share(&*store, None).unwrap();
    }
}

#[test]
fn store_of_another_process_should_not_be_used_alone() {
    let dir = tempfile::tempdir().unwrap();
    for place in places(dir.path()) {
        let store = new_store(&place);
        need_share(&*store).unwrap();
        assert!(is_refused(check_share(&*store, None)));
        check_share(&*store, Some(&share(1, 2))).unwrap();
    }
}
