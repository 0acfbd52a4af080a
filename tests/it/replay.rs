//! Every mail of `fixtures/mails` through the whole examination.

use std::fs;
use std::path::{Path, PathBuf};

use sftoken::ingest::event::{OutcomeWord, Proof, Report};
use sftoken::ingest::keys::KeyAnswers;
use sftoken::ingest::mail::{Mail, as_sent};
use sftoken::ingest::policy::{Account, Policy};

use sftoken::ingest::recipe::Recipe;
use sftoken::ingest::{Outcome, examine, questions};

use crate::explain::check_accounts;

/// What stands in `NAME.expected.json`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    outcome: OutcomeWord,
    reason: Option<String>,
    username: Option<String>,
    org: Option<sftoken::ingest::policy::Org>,
    token: Option<String>,
    now: jiff::Timestamp,
    accounts: Vec<String>,
    /// Keys of `[trust]`; without them, the default.
    policy: Option<serde_json::Map<String, serde_json::Value>>,
    /// Compared where it is told.
    proof: Option<Proof>,
}

/// The verdict in the form of [`Expected`], for comparing and for showing.
fn told(report: &Report, token: Option<&str>) -> String {
    let Report {
        outcome,
        reason,
        username,
        org,
        ..
    } = report;
    format!("{outcome:?} {reason:?} {username:?} {org:?} {token:?}")
}

fn wanted(expected: &Expected) -> String {
    let Expected {
        outcome,
        reason,
        username,
        org,
        token,
        ..
    } = expected;
    format!(
        "{outcome:?} {reason:?} {username:?} {org:?} {:?}",
        token.as_deref()
    )
}

fn policy(expected: &Expected) -> Policy {
    let account = |username: &String| Account {
        username: username.clone(),
        org: None,
    };
    Policy {
        accounts: expected.accounts.iter().map(account).collect(),
        max_age: None,
        ..trust(expected)
    }
}

/// The policy, read as the user would write it.
fn trust(expected: &Expected) -> Policy {
    let Some(keys) = &expected.policy else {
        return Policy::default();
    };
    // A TOML value is written as in JSON, but for a table.
    let value = |value: &serde_json::Value| value.to_string().replace("\":", "\" = ");
    let keys: String = keys
        .iter()
        .map(|(key, told)| format!("{key} = {}\n", value(told)))
        .collect();
    let config = sftoken::config::load(&format!("[trust]\n{keys}"), Path::new("policy"), []);
    config.unwrap().policy
}

fn judge(file: &[u8], keys: &KeyAnswers, expected: &Expected) -> String {
    let bytes = as_sent(file);
    let mail = Mail::parse(&bytes);
    let (policy, recipes) = (policy(expected), Recipe::built_in());
    let names = questions(&mail, &policy, recipes, expected.now);
    assert!(names.len() <= 3, "{} DNS questions", names.len());
    let answers = keys.answering(names.iter().map(String::as_str));
    let outcome = examine(&mail, &answers, &policy, recipes, expected.now);
    check_accounts(&mail, &answers, &policy, expected.now);
    let token = match &outcome {
        Outcome::Found(found) => Some(found.token.expose().to_owned()),
        _ => None,
    };
    let report = Report::new("fixture", &mail, &outcome);
    if let Some(proof) = &expected.proof {
        assert_eq!(&report.proof, proof);
    }
    told(&report, token.as_deref())
}

/// The file with bare LF, if every line end is CR LF: what an editor or version control leaves.
fn with_lf(file: &[u8]) -> Option<Vec<u8>> {
    let lf: Vec<u8> = file.iter().copied().filter(|&byte| byte != b'\r').collect();
    let mut crlf = Vec::with_capacity(file.len());
    for &byte in &lf {
        if byte == b'\n' {
            crlf.push(b'\r');
        }
        crlf.push(byte);
    }
    (crlf == file).then_some(lf)
}

/// What is wrong with one fixture, a line each.
fn complaints(path: &Path) -> Vec<String> {
    let file = fs::read(path).unwrap();
    let keys = fs::read_to_string(path.with_extension("keys")).unwrap();
    let keys = KeyAnswers::from_key_file(&keys).unwrap();
    let expected = fs::read_to_string(path.with_extension("expected.json")).unwrap();
    let expected: Expected = serde_json::from_str(&expected).unwrap();
    let forms = [
        Some(("CR LF", file.clone())),
        with_lf(&file).map(|lf| ("LF", lf)),
    ];
    let mut complaints = Vec::new();
    for (form, bytes) in forms.into_iter().flatten() {
        let told = judge(&bytes, &keys, &expected);
        let wanted = wanted(&expected);
        if told != wanted {
            complaints.push(format!(
                "{} ({form})\n     told {told}\n   wanted {wanted}",
                path.display()
            ));
        }
    }
    complaints
}

fn mails(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/mails")
        .join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
        .collect();
    paths.sort();
    paths
}

/// A guard against an empty corpus, and the verdict on each mail of it.
#[track_caller]
fn check(folder: &str, at_least: usize) {
    let mails = mails(folder);
    assert!(
        mails.len() >= at_least,
        "only {} mails in {folder}",
        mails.len()
    );
    let complaints: Vec<String> = mails.iter().flat_map(|path| complaints(path)).collect();
    let count = complaints.len();
    assert!(
        complaints.is_empty(),
        "{count} verdicts differ:\n{}",
        complaints.join("\n")
    );
}

#[test]
fn every_form_of_the_mail_is_read() {
    check("salesforce", 40);
}

#[test]
fn no_hostile_mail_is_believed() {
    check("hostile", 60);
}

#[test]
fn another_policy_gives_another_verdict() {
    check("policy", 60);
}

#[test]
fn other_peoples_mail_is_left_alone() {
    check("unrelated", 12);
}
