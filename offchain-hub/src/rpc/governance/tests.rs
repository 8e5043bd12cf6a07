//! Parameters by name, and validators as people write them.

use super::*;

fn changes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

#[test]
fn parameters_should_change_where_they_are_named_and_nowhere_else() {
    let before = Parameters::DEVELOPMENT;
    let wanted = [
        ("delay_user", "9"),
        ("fee_ceiling_ppm", "100"),
        ("hub_deposit", "1.5 FRD"),
        ("keep", "120"),
    ];
    let after = amended(before, &changes(&wanted)).unwrap();
    let expected = Parameters {
        delay_user: 9,
        fee_ceiling_ppm: 100,
        hub_deposit: 1_500_000_000_000,
        keep: 120,
        ..before
    };
    assert_eq!(after, expected);
}

#[test]
fn parameters_should_be_refused_when_a_name_or_a_value_is_wrong() {
    let refused = |name, value| {
        amended(Parameters::DEVELOPMENT, &changes(&[(name, value)])).unwrap_err().to_string()
    };
    let told = refused("delay", "9");
    assert!(told.contains("no parameter \"delay\"") && told.contains("delay_user"), "{told}");
    for (name, value) in [
        ("delay_user", "-1"),
        ("delay_user", "9 FRD"),
        ("fee_ceiling_ppm", "4294967296"),
        ("hub_deposit", "1.5"),
        ("hub_deposit", "0.0000000000001FRD"),
    ] {
        assert!(refused(name, value).contains("is not a value of"), "{name} {value}");
    }
}

#[test]
fn validator_should_be_the_same_when_it_is_shown_and_read_again() {
    let set = Validator {
        account: AccountId::new([1; 32]),
        name: b"one".to_vec(),
        location: "Zürich".as_bytes().to_vec(),
        shares: 25,
        aura: [2; 32],
        grandpa: [3; 32],
    };
    assert_eq!(validator(&validator_row(&set)).unwrap(), set);
    let broken = ValidatorRow { aura: "0x12".into(), ..validator_row(&set) };
    assert!(validator(&broken).is_err());
}

#[test]
fn bytes_should_be_refused_when_they_are_not_hex() {
    assert_eq!(bytes_of(" 0x00ff ").unwrap(), [0, 255]);
    assert!(bytes_of("0x0").unwrap_err().to_string().contains("is not hex"));
}
