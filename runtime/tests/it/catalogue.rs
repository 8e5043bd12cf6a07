//! The list of what must be tested cannot rot: every id of `docs/scenarios.md` names files, and each
//! of them has a test whose name begins with the id.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Scenarios that live on chain, pitfalls of the chain, and rules of the protocol that speak of it.
const REQUIRED: &str = "
    S01 S02 S03 S04 S06 S07 S08 S09 S11 S12 S13 S15 S16
    S17 S18 S19 S20 S21 S24 S25 S26 S27 S29 S30 S31 S32
    S34 S35 S38 S40 S40f S41 S56 S58 S60 S61 S62 S68 S69 S70
    H01 H02 H03 H04 H05 H06 H07 H08 H11 H12 H20 H21 H22 H23 H29 H30 H31 H32 H33 H36 H38 H39 H40
    H44 H47 H48 H49
    M2 M3 M6 M9 M11 M12 M13 M14 M15 M16 M17 M18 M21
    A1 A3 A5 A6 A7 A8 A9 A10 A11 A12 A15 A16 A19
";

/// Seen from the package, where Cargo runs tests; clones may share what was built.
fn root() -> &'static Path {
    Path::new("..")
}

/// Whether a word is an id: a letter, a number, and for S40f an `f`.
fn is_id(word: &str) -> bool {
    let number = word.strip_prefix(['S', 'H', 'M', 'A']).unwrap_or_default();
    let digits = number.strip_suffix('f').unwrap_or(number);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The tables of that section: per id the files that have its tests.
fn listed() -> BTreeMap<String, Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/scenarios.md")).expect("the page");
    let (_, rest) = page.split_once("\n## Where each is tested").expect("the section");
    let section = rest.split("\n## ").next().unwrap_or_default();
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let id = cells.next().filter(|id| is_id(id))?;
        let files = cells.next_back()?.split('`').filter(|file| file.ends_with(".rs"));
        Some((id.to_owned(), files.map(str::to_owned).collect()))
    };
    section.lines().filter_map(row).collect()
}

/// The ids with which names of functions in a source begin: `fn s40f_…` gives S40f.
fn ids_in(source: &str) -> BTreeSet<String> {
    let id = |line: &str| {
        let (prefix, _) = line.trim_start().strip_prefix("fn ")?.split_once('_')?;
        let mut letters = prefix.chars();
        let id: String = letters.next()?.to_uppercase().chain(letters).collect();
        is_id(&id).then_some(id)
    };
    let mut tests = BTreeSet::new();
    let mut is_test = false;
    for line in source.lines() {
        if let Some(id) = id(line).filter(|_| is_test) {
            tests.insert(id);
        }
        let line = line.trim_start();
        is_test = line == "#[test]" || (is_test && (line.starts_with("#[") || line.is_empty()));
    }
    tests
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn list_should_have_every_id_that_lives_on_chain() {
    let listed = listed();
    for id in REQUIRED.split_whitespace() {
        assert!(listed.contains_key(id), "{id} is missing in docs/scenarios.md");
    }
}

#[test]
fn list_should_name_only_files_that_have_a_test_of_the_id() {
    for (id, files) in listed() {
        assert!(!files.is_empty(), "{id} is tested nowhere");
        for file in files {
            assert!(ids_in(&read(&root().join(&file))).contains(&id), "{id} is not in {file}");
        }
    }
}

#[test]
fn tests_should_begin_with_known_ids_only() {
    let listed = listed();
    let mut files = vec![];
    for folder in ["primitives", "pallets", "runtime"] {
        crate::pitfalls_chain::sources(&root().join(folder), &mut files);
    }
    let mut found = 0;
    for file in files {
        for id in ids_in(&read(&file)) {
            assert!(listed.contains_key(&id), "{}: what is {id}?", file.display());
            found += 1;
        }
    }
    assert!(found > 150, "{found} files with ids");
}
