//! What `parse` prints for each outcome, and how it ends.

use super::*;
use crate::ingest::Found;
use crate::ingest::event::{Proof, ProofMethod};
use crate::ingest::policy::Org;
use crate::ingest::refusal::Pending;
use crate::ingest::refusal::{NotOurs, Refusal};
use crate::ingest::token::Token;

const TOKEN: &str = "abcdefghijklmnopqrstuvwx";

fn found() -> Outcome {
    Outcome::Found(Found {
        token: Token::new(TOKEN).unwrap(),
        username: "integration@acme.example".to_owned(),
        org: Org::Production,
        date: "2026-11-23T10:00:00Z".parse().unwrap(),
        proof: Proof {
            method: ProofMethod::Dkim,
            domain: Some("salesforce.com".to_owned()),
            selector: Some("s1".to_owned()),
        },
        warnings: vec!["an odd\u{1b} length".to_owned()],
    })
}

fn printed(outcome: &Outcome, json: bool, reveal: bool, unproven: bool) -> String {
    let report = Report::new("a\u{1b}.eml", &Mail::parse(b"Subject: x\r\n\r\n"), outcome);
    let mut output = Output {
        out: io::BufWriter::new(Vec::new()),
        style: Style::PLAIN,
        at_once: false,
        json,
        reveal,
        unproven,
    };
    output.print(&report, outcome).unwrap();
    String::from_utf8(output.out.into_inner().unwrap()).unwrap()
}

#[test]
fn the_token_is_shown_only_on_demand() {
    for json in [false, true] {
        assert!(!printed(&found(), json, false, false).contains(TOKEN));
        assert!(printed(&found(), json, true, false).contains(TOKEN));
    }
}

#[test]
fn json_is_the_report_key_by_key_in_the_contracts_order() {
    for outcome in [found(), Outcome::Refused(Refusal::DkimMissing)] {
        let report = Report::new("x.eml", &Mail::parse(b"Subject: x\r\n\r\n"), &outcome);
        let shown = serde_json::to_string(&Shown::new(&report, &outcome, false)).unwrap();
        assert_eq!(shown, serde_json::to_string(&report).unwrap());
    }
}

#[test]
fn a_paragraph_for_people() {
    let text = printed(&found(), false, false, false);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "a\\u{1b}.eml: found");
    assert_eq!(
        lines[1],
        "  account     integration@acme.example (production)"
    );
    assert!(text.contains("  proof       DKIM signature by d=salesforce.com s=s1\n"));
    assert!(text.contains("  note        an odd\\u{1b} length\n"));
}

#[test]
fn unproven_is_loud() {
    assert!(printed(&found(), false, false, true).contains("found, NOT PROVEN"));
}

#[test]
fn a_refusal_says_what_to_do() {
    let text = printed(
        &Outcome::Refused(Refusal::DkimKeyMissing),
        false,
        false,
        false,
    );
    assert!(text.contains(": refused (dkim_key_missing): "));
    assert!(text.contains("  hint        "));
}

#[test]
fn the_worst_outcome_decides_the_status() {
    let exit = |outcomes: &[Outcome], unreadable| {
        let mut tally = Tally {
            unreadable,
            ..Tally::default()
        };
        outcomes.iter().for_each(|outcome| tally.count(outcome));
        tally.exit()
    };
    let refused = || Outcome::Refused(Refusal::DkimMissing);
    let undecided = || Outcome::Undecided(Pending::DkimTemperror);
    let not_ours = || Outcome::NotOurs(NotOurs::NotCandidate);
    assert_eq!(exit(&[found(), undecided(), refused()], 1), Exit::Refused);
    assert_eq!(exit(&[found(), undecided()], 0), Exit::Failed);
    assert_eq!(exit(&[found()], 1), Exit::Failed);
    assert_eq!(exit(&[not_ours(), found()], 0), Exit::Done);
    assert_eq!(exit(&[not_ours()], 0), Exit::Nothing);
    assert_eq!(exit(&[], 0), Exit::Nothing);
}
