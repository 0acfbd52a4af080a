//! How the account of a mail reads.

use super::*;
use crate::ingest::explain::explain;
use crate::ingest::keys::{KeyAnswer, KeyAnswers};
use crate::ingest::mail::Mail;
use crate::ingest::policy::Policy;
use crate::ingest::recipe::Recipe;

const MAIL: &str = "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nFrom: support@salesforce.com\r\nSubject: Your new Salesforce security token\r\n\r\nUsername: integration@acme.example\r\nSecurity token: Zq4TnV8sLw2KdXb7Rm1YcGf5P\r\n";
const SIGNATURE: &str = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=salesforce.com; s=s1; h=from:to:subject:date; t=1795428000; bh=AAAA; b=AAAA\r\n";

fn told(mail: &str, answer: KeyAnswer, style: Style) -> String {
    let mut keys = KeyAnswers::default();
    keys.insert("s1._domainkey.salesforce.com", answer);
    let now = "2026-11-23T10:05:30Z".parse().unwrap();
    let mail = Mail::parse(mail.as_bytes());
    let (_, seen) = explain(&mail, &keys, &Policy::default(), Recipe::built_in(), now);
    let mut text = Vec::new();
    write(&mut text, &seen, style).unwrap();
    String::from_utf8(text).unwrap()
}

fn plain(mail: &str, answer: KeyAnswer) -> String {
    told(mail, answer, Style::PLAIN)
}

#[test]
fn the_gate_that_failed_says_why_and_what_to_do() {
    let text = plain(&format!("{SIGNATURE}{MAIL}"), KeyAnswer::Absent);
    let expected = "  checked
    held    claim     only this mail has such a subject
                      subject: Your new Salesforce security token
    held    fields    328 bytes, 4 header fields
    held    sender    support@salesforce.com
    FAILED  proof     dkim_key_missing: the DNS has no such DKIM key, or not exactly one
                      DKIM signatures: 1; none holds
                      hint: an old mail's key may be gone from the DNS: give it with --keys
    -       date      not reached
    -       structure not reached
    -       token     not reached
    -       account   not reached
    -       order     where a token is stored: parse stores none
  DKIM signature 1 of 1: does not count (dkim_key_missing): the DNS has no such DKIM key, or not exactly one
    tags    d=salesforce.com s=s1 a=rsa-sha256 c=relaxed/relaxed
    covers  h=from:to:subject:date
    time    t=2026-11-23T10:00:00Z
    key     s1._domainkey.salesforce.com: no such record
";
    assert_eq!(text, expected);
}

#[test]
fn what_cannot_be_told_yet_is_neither_held_nor_failed() {
    let text = plain(&format!("{SIGNATURE}{MAIL}"), KeyAnswer::Unknown);
    assert!(text.contains("    OPEN    proof     dkim_temperror: "));
    assert!(text.contains("1 of 1: open (dkim_temperror): "));
    assert!(text.contains("    key     s1._domainkey.salesforce.com: could not be asked\n"));
}

#[test]
fn a_field_that_stands_twice_is_named() {
    let text = plain(
        &format!("To: a@acme.example\r\nTo: b@acme.example\r\n{MAIL}"),
        KeyAnswer::Absent,
    );
    assert!(
        text.contains("    FAILED  fields    header_duplicate: "),
        "{text}"
    );
    assert!(
        text.contains("5 header fields, more than one of: to\n"),
        "{text}"
    );
}

#[test]
fn signatures_beyond_the_limit_are_counted() {
    let text = plain(
        &format!("{}{MAIL}", SIGNATURE.repeat(10)),
        KeyAnswer::Absent,
    );
    assert_eq!(text.matches("\n  DKIM signature ").count(), 8);
    assert!(text.ends_with("\n  not looked at: 2 more\n"), "{text}");
}

#[test]
fn long_texts_are_cut_and_long_lists_are_broken() {
    let fields: Vec<String> = (0..400).map(|number| format!("x-field-{number}")).collect();
    let from = format!("h=from:{}", fields[..200].join(":"));
    let long = format!("{SIGNATURE}{MAIL}")
        .replace(
            "Subject: ",
            &format!("Subject: {} ", "Salesforce token ".repeat(60)),
        )
        .replace("h=from", &from);
    let text = plain(&long, KeyAnswer::Absent);
    assert!(text.contains("more characters)"), "{text}");
    assert!(text.contains("\n              … (44 more)\n"), "{text}");
    let wide: Vec<&str> = text
        .lines()
        .filter(|line| line.chars().count() > 220)
        .collect();
    assert!(wide.is_empty(), "{wide:?}");
    let broken = text.lines().filter(|line| line.contains("x-field-"));
    assert!(broken.clone().count() > 10 && broken.clone().all(|line| line.len() < 100));
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let mail = format!("{SIGNATURE}{MAIL}");
    let coloured = told(&mail, KeyAnswer::Absent, Style::COLOURED);
    let stripped = ["\u{1b}[1;31m", "\u{1b}[1;32m", "\u{1b}[1;33m", "\u{1b}[0m"]
        .iter()
        .fold(coloured.clone(), |text, code| text.replace(code, ""));
    assert_ne!(coloured, stripped);
    assert_eq!(stripped, plain(&mail, KeyAnswer::Absent));
}

#[test]
fn ages_have_two_units() {
    let date = Timestamp::UNIX_EPOCH;
    let age = |seconds| dated(date, SignedDuration::from_secs(seconds));
    assert_eq!(age(59), "1970-01-01T00:00:00Z, 59 s ago");
    assert_eq!(age(61), "1970-01-01T00:00:00Z, 1 min 1 s ago");
    assert_eq!(age(7_260), "1970-01-01T00:00:00Z, 2 h 1 min ago");
    assert_eq!(age(-180_000), "1970-01-01T00:00:00Z, 2 d 2 h in the future");
}

/// What a terminal of this width shows: no line is longer, and nothing begins at the edge.
#[track_caller]
fn check_folded(mail: &str, columns: usize) {
    let text = told(mail, KeyAnswer::Absent, Style::wide(columns));
    let long: Vec<&str> = text
        .lines()
        .filter(|line| line.chars().count() > columns)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
    let words = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(words(&text), words(&plain(mail, KeyAnswer::Absent)));
    let known = ["  checked", "  DKIM signature 1 of 1:"];
    let odd = |line: &&str| {
        !line.starts_with("    ") && !known.iter().any(|known| line.starts_with(known))
    };
    assert_eq!(text.lines().find(odd), None, "{text}");
}

#[test]
fn on_a_terminal_lines_are_broken_between_words() {
    let mail = format!("{SIGNATURE}{MAIL}");
    for columns in [60, 80, 100] {
        check_folded(&mail, columns);
    }
    let text = told(&mail, KeyAnswer::Absent, Style::wide(60));
    let expected = "    FAILED  proof     dkim_key_missing: the DNS has no such
                      DKIM key, or not exactly one
                      DKIM signatures: 1; none holds
                      hint: an old mail's key may be gone
                      from the DNS: give it with --keys
";
    assert!(text.contains(expected), "{text}");
}

/// A subject that is padded to the terminal's edge would write a line of its own there.
#[test]
fn text_of_a_mail_cannot_begin_a_line_of_its_own() {
    let padded = |blank: &str| {
        let subject = format!(
            "Subject: Salesforce token {}held    proof     all is well ",
            blank.repeat(90)
        );
        format!("{SIGNATURE}{MAIL}").replace("Subject: ", &subject)
    };
    for blank in [" ", "\u{a0}", "\u{3000}", "x"] {
        check_folded(&padded(blank), 80);
    }
}
