//! What `parse` prints for each outcome, and how it ends.

use super::*;
use crate::ingest::Found;
use crate::ingest::event::{Proof, ProofMethod};
use crate::ingest::keys::KeyAnswers;
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

/// What the user asked for.
#[derive(Clone, Copy, Default)]
struct Asked {
    json: bool,
    reveal: bool,
    unproven: bool,
    account: bool,
}

fn printed(outcome: &Outcome, asked: Asked) -> String {
    let mail = Mail::parse(b"Subject: x\r\n\r\n");
    let report = &Report::new("a\u{1b}.eml", &mail, outcome);
    let (keys, policy) = (KeyAnswers::default(), Policy::default());
    let now = Timestamp::UNIX_EPOCH;
    let (_, seen) = explain(&mail, &keys, &policy, Recipe::built_in(), now);
    let mut output = Output {
        out: io::BufWriter::new(Vec::new()),
        style: Style::PLAIN,
        at_once: false,
        json: asked.json,
        reveal: asked.reveal,
        unproven: asked.unproven,
    };
    let told = Told {
        report,
        outcome,
        seen: asked.account.then_some(&seen),
    };
    output.print(told).unwrap();
    String::from_utf8(output.out.into_inner().unwrap()).unwrap()
}

#[test]
fn the_token_is_shown_only_on_demand() {
    for (json, account) in [(false, false), (false, true), (true, false)] {
        let asked = Asked {
            json,
            account,
            ..Asked::default()
        };
        assert!(!printed(&found(), asked).contains(TOKEN));
        let asked = Asked {
            reveal: true,
            ..asked
        };
        assert!(printed(&found(), asked).contains(TOKEN));
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
fn one_line_for_a_mail_among_others() {
    let line = printed(&found(), Asked::default());
    let expected = "a\\u{1b}.eml: found: integration@acme.example (production), 2026-11-23T10:00:00Z, fingerprint 93b0cabf8668e0c5; an odd\\u{1b} length\n";
    assert_eq!(line, expected);
    let refused = printed(&Outcome::Refused(Refusal::DkimMissing), Asked::default());
    let expected = "a\\u{1b}.eml: refused (dkim_missing): the mail has no DKIM signature\n";
    assert_eq!(refused, expected);
}

#[test]
fn a_paragraph_for_people() {
    let account = Asked {
        account: true,
        ..Asked::default()
    };
    let text = printed(&found(), account);
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "a\\u{1b}.eml: found",
        "  username    integration@acme.example",
        "  org         production",
        "  date        2026-11-23T10:00:00Z",
        "  token       24 letters and digits, not shown (--reveal shows it)",
        "  fingerprint 93b0cabf8668e0c5",
        "  proof       DKIM signature by d=salesforce.com s=s1",
        "  note        an odd\\u{1b} length",
        "  checked",
    ];
    assert_eq!(lines[..expected.len()], expected);
}

#[test]
fn unproven_is_loud() {
    for account in [false, true] {
        let asked = Asked {
            unproven: true,
            account,
            ..Asked::default()
        };
        assert!(printed(&found(), asked).contains("found, NOT PROVEN"));
    }
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
