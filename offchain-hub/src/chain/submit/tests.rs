//! What is decided without a node.

use super::*;
use sp_runtime::generic::Era;

fn judged(code: i32, text: &str, first: bool) -> Trouble {
    Refusal::by_code(code, text.into()).judge(first)
}

const OUTDATED: &str = "Transaction is outdated";
const ANCIENT: &str = "Transaction has an ancient birth block";
const POOR: &str = "Inability to pay some fees (e.g. account balance too low)";

#[test]
fn resubmission_should_wait_when_the_node_refuses_it_for_whatever_reason() {
    for code in 1000..1050 {
        for text in [OUTDATED, ANCIENT, POOR, "Custom error: 7", ""] {
            let trouble = judged(code, text, false);
            assert!(matches!(trouble, Trouble::Pending(_) | Trouble::Chain(_)), "{code} {text}");
        }
    }
}

#[test]
fn first_submission_should_wait_when_the_pool_or_a_block_may_have_it() {
    for (code, text) in [(1010, OUTDATED), (1012, ""), (1013, ""), (1014, "")] {
        assert!(matches!(judged(code, text, true), Trouble::Pending(_)), "{code}");
    }
}

#[test]
fn first_submission_should_wait_when_the_answer_is_no_pools_refusal() {
    for code in [-32_603, -32_009, 1040] {
        assert!(matches!(judged(code, "busy", true), Trouble::Chain(_)), "{code}");
    }
    let lost = subxt::rpcs::Error::DisconnectedWillReconnect("gone".into());
    let lost = ExtrinsicError::ErrorSubmittingTransaction(lost.into());
    assert!(matches!(Refusal::of(&lost).judge(true), Trouble::Chain(_)));
}

#[test]
fn first_submission_should_be_signed_anew_when_its_refusal_passes_by() {
    let bad = "Transaction has a bad signature";
    for (code, text) in [(1010, ANCIENT), (1010, bad), (1016, ""), (1021, "")] {
        assert!(matches!(judged(code, text, true), Trouble::Refused(_)), "{code} {text}");
    }
}

#[test]
fn first_submission_should_be_rejected_when_it_is_invalid() {
    for text in [POOR, "Custom error: 7"] {
        assert!(matches!(judged(1010, text, true), Trouble::Rejected(_)), "{text}");
    }
}

#[test]
fn era_should_be_the_runtimes_when_it_begins_anywhere() {
    for birth in [0, 1, 63, 64, 65, 1_000_003] {
        let signed = Signed { bytes: vec![], hash: [0; 32], nonce: 0, birth };
        let era = Era::mortal(ERA.into(), birth.into());
        let encoded = subxt::utils::Era::mortal(ERA.into(), birth.into()).encode();
        assert_eq!(encoded, era.encode());
        assert_eq!(era.birth(signed.death().into()), u64::from(birth));
        assert_eq!(era.death(birth.into()), u64::from(signed.death()) + 1);
    }
}

#[test]
fn birth_should_be_the_finalized_block_when_finality_is_in_time() {
    assert_eq!(birth(100, 103), 100);
    assert_eq!(birth(0, 3), 0);
    // Another node's view may be behind.
    assert_eq!(birth(100, 98), 100);
}

#[test]
fn birth_should_leave_most_of_the_era_when_finality_is_late() {
    let born = birth(100, 1_000);
    assert!(born < 1_000);
    assert!(1_000 - born <= ERA / 2);
}

#[test]
fn pause_should_stay_within_seconds_when_rounds_bring_nothing() {
    assert_eq!(pause(0), RETRY);
    assert!(pause(2) > pause(1));
    assert!(pause(u32::MAX) < Duration::from_secs(5));
}

fn answer(text: &str) -> BackendError {
    let answer = format!(r#"{{"code":4003,"message":"{text}"}}"#);
    subxt::rpcs::Error::User(serde_json::from_str(&answer).unwrap()).into()
}

#[test]
fn state_should_count_as_lost_when_only_the_node_says_so() {
    assert!(has_discarded(&answer("Client error: UnknownBlock: State already discarded for 0x1")));
    assert!(has_discarded(&answer("Api called for an unknown Block: State already discarded")));
    assert!(!has_discarded(&answer("Client error: too busy")));
    let lost = subxt::rpcs::Error::DisconnectedWillReconnect("discarded".into());
    assert!(!has_discarded(&lost.into()));
}

#[test]
fn call_should_not_be_sent_again_when_its_end_is_unknown() {
    let Fate::Ended(outcome) = unknown("block 7 has it".into()) else { panic!("not ended") };
    let call = Call::Claim { who: AccountId::new([1; 32]), asset: 0 };
    let mut record = Record::new(Intent::User, call);
    let Some(Outcome::Unknown { reason }) = settle(outcome, &mut record) else {
        panic!("not settled")
    };
    assert!(reason.contains("block 7 has it"), "{reason}");
}
