//! Another verifier's word on our signer: dkimpy must take what we sign rightly, and refuse what we
//! spoil. Without it, a mistake that signer and verifier share would be seen by nobody.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// 1 April 2026, 16:00 UTC: the `now` of the corpus.
const NOW: &str = "1775059200";

/// Fixtures of a folder, without their ending, whose expectation fits.
fn stems(folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/mails")
        .join(folder);
    let mut stems = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(stem) = path.to_str().unwrap().strip_suffix(".expected.json") else {
            continue;
        };
        if wanted(&fs::read_to_string(&path).unwrap()) {
            stems.push(stem.to_owned());
        }
    }
    stems.sort();
    stems
}

/// What dkimpy says of each.
fn dkimpy(stems: &[String]) -> BTreeMap<String, bool> {
    let python = std::env::var("SFTOKEN_TEST_PYTHON")
        .expect("run the tests with tests/run.sh: it makes a Python with dkimpy");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oracle.py");
    let output = Command::new(python)
        .arg(script)
        .arg(NOW)
        .args(stems)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let verdict = |line: &str| {
        let (word, stem) = line.split_once(' ').unwrap();
        (stem.to_owned(), word == "pass")
    };
    text.lines().map(verdict).collect()
}

#[track_caller]
fn check(stems: &[String], at_least: usize, expected: bool) {
    assert!(stems.len() >= at_least, "only {} mails", stems.len());
    let told = dkimpy(stems);
    assert_eq!(told.len(), stems.len());
    let odd: Vec<&String> = told
        .iter()
        .filter(|(_, passed)| **passed != expected)
        .map(|(stem, _)| stem)
        .collect();
    assert!(odd.is_empty(), "dkimpy differs on {odd:#?}");
}

#[test]
fn dkimpy_verifies_every_genuine_mail() {
    check(&stems("salesforce", |_| true), 40, true);
}

#[test]
fn dkimpy_refuses_every_changed_mail() {
    check(
        &stems("hostile", |expected| expected.contains("\"dkim_fail_")),
        8,
        false,
    );
}

#[test]
fn dkimpy_verifies_mails_that_only_their_text_condemns() {
    let words = [
        "\"token_",
        "\"username_",
        "\"parts_disagree",
        "\"mime_",
        "\"decode_error",
    ];
    check(
        &stems("hostile", |expected| {
            words.iter().any(|word| expected.contains(word))
        }),
        30,
        true,
    );
}
