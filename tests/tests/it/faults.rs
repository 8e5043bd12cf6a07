//! The switch for faults is in `failsafe-faulty` alone.

use failsafe_tests::{
    fault::NAMES,
    harness::{program, Failure},
};
use std::process::Command;

const RELEASED: [&str; 2] = ["failsafe-hub", "failsafe"];

#[test]
fn released_programs_should_not_have_the_switch_for_faults() -> Result<(), Failure> {
    for name in RELEASED {
        for args in [&["--help"][..], &["run", "--help"], &["daemon", "--help"]] {
            let help = Command::new(program(name)?).args(args).output()?;
            let text = String::from_utf8_lossy(&help.stdout).into_owned();
            assert!(!text.contains("--fault"), "{name} {args:?}: {text}");
        }
        let refused = Command::new(program(name)?).args(["--fault", "dont-ack"]).output()?;
        assert!(!refused.status.success());
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(error.contains("unexpected argument"), "{name}: {error}");
    }
    Ok(())
}

#[test]
fn released_programs_should_not_contain_the_names_of_faults() -> Result<(), Failure> {
    let names: Vec<&str> = NAMES.split(", ").map(|name| name.split('=').next().unwrap()).collect();
    let read = |name: &str| -> Result<String, Failure> {
        // Bytes that are no text become something else, names of faults stay.
        Ok(String::from_utf8_lossy(&std::fs::read(program(name)?)?).into_owned())
    };
    let faulty = read("failsafe-faulty")?;
    let released = RELEASED.map(read);
    // Shorter names are words of other things.
    for name in names.iter().filter(|name| name.contains('-')) {
        assert!(faulty.contains(name), "{name}: the search finds what is there");
        for (text, released) in released.iter().zip(RELEASED) {
            let text = text.as_ref().map_err(|problem| problem.to_string())?;
            assert!(!text.contains(name), "{released} contains {name}");
        }
    }
    Ok(())
}

#[test]
fn faulty_program_should_say_what_it_takes_when_the_fault_is_unknown() -> Result<(), Failure> {
    let args = ["hub", "run", "--fault", "dont-worry"];
    let refused = Command::new(program("failsafe-faulty")?).args(args).output()?;
    assert!(!refused.status.success());
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(error.contains("dont-settle") && error.contains("drop=N%"), "{error}");
    Ok(())
}
