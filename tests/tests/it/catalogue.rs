//! The list of what is tested off chain cannot rot: every row of that section of
//! `docs/scenarios.md` names files, and tests that are in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Scenarios of payments and hubs, pitfalls of the off-chain part, and rules of the protocol that
/// speak of it.
const REQUIRED: &str = "
    S40f S43 S44 S45 S46 S47 S49 S50 S51 S52 S53 S55 S56 S58 S60 S61 S62 S64 S65 S66
    H09 H10 H13 H14 H15 H16 H17 H18 H19 H24 H25 H26 H27 H28 H32b H34 H35 H37 H41 H42 H43 H45 H46
    H50 H51
    M1 M2 M4 M5 M7 M8 M9 M10 M12 M19 M20 M21
    A3 A5 A11 A14 A17 A18
";

/// Seen from the package, where Cargo runs tests; clones may share what was built.
fn root() -> &'static Path {
    Path::new("..")
}

/// Per id the tests with their files.
fn listed() -> BTreeMap<String, Vec<(String, String)>> {
    let page = std::fs::read_to_string(root().join("docs/scenarios.md")).expect("the page");
    let (_, rest) = page.split_once("\n## Off chain, test by test").expect("the section");
    let section = rest.split("\n## ").next().unwrap_or_default();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| ")?.trim_end_matches(" |").split(" | ");
        let (id, tests) = (cells.next()?, cells.last()?);
        let mut file = None;
        let mut found = vec![];
        for name in tests.split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                file = Some(name.to_owned());
            } else {
                found.push((file.clone()?, name.to_owned()));
            }
        }
        (!found.is_empty()).then(|| (id.to_owned(), found))
    };
    section.lines().filter_map(row).collect()
}

/// Names of the test functions in a source.
fn tests_in(source: &str) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        let name = line.trim_start_matches("async ").strip_prefix("fn ");
        if let Some((name, _)) = name.filter(|_| is_test).and_then(|rest| rest.split_once('(')) {
            tests.insert(name.to_owned());
        }
        is_test = line == "#[test]"
            || line.starts_with("#[tokio::test")
            || (is_test && (line.starts_with("#[") || line.starts_with("//") || line.is_empty()));
    }
    tests
}

#[test]
fn list_should_have_every_id_that_lives_off_chain() {
    let listed = listed();
    for id in REQUIRED.split_whitespace() {
        assert!(listed.contains_key(id), "{id} is missing in docs/scenarios.md");
    }
}

#[test]
fn list_should_have_a_test_named_after_it_for_every_id() {
    let listed = listed();
    for id in REQUIRED.split_whitespace() {
        let part = id.to_lowercase();
        let named = |(_, test): &(String, String)| {
            test.split("_should_").next().is_some_and(|ids| ids.split('_').any(|id| id == part))
        };
        assert!(listed[id].iter().any(named), "no test of {id} has it in its name");
    }
}

#[test]
fn list_should_name_only_tests_that_are_there() {
    for (id, tests) in listed() {
        for (file, test) in tests {
            let source = std::fs::read_to_string(root().join(&file));
            let source = source.unwrap_or_else(|error| panic!("{id}: {file}: {error}"));
            assert!(tests_in(&source).contains(&test), "{id}: {test} is not in {file}");
        }
    }
}

#[test]
fn list_should_have_every_process_test_whose_name_begins_with_an_id() {
    let listed: BTreeSet<String> = listed().into_values().flatten().map(|(_, test)| test).collect();
    let folder = root().join("tests/tests/it");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of these tests") {
        let source = std::fs::read_to_string(entry.expect("a file").path()).expect("a source");
        for test in tests_in(&source) {
            let id = test.split('_').next().unwrap_or_default();
            let digits = id.strip_prefix(['s', 'h', 'm', 'a']).unwrap_or_default();
            if digits.starts_with(|c: char| c.is_ascii_digit()) && !test.contains("_demo_") {
                assert!(listed.contains(&test), "{test} is not in docs/scenarios.md");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count} tests with ids");
}
