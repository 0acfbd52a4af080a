//! The whole examination, without a demand for proof unless a test says so.

mod content;
mod proof;

use super::policy::{Account, Demand};
use super::*;

const TOKEN: &str = "Zq4TnV8sLw2KdXb7Rm1YcGf5P";
const HEAD: &str = "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nFrom: support@salesforce.com\r\nTo: ops@acme.example\r\nSubject: Your new Salesforce security token\r\nMIME-Version: 1.0\r\n";
const TEXT: &str = "Content-Type: text/plain; charset=UTF-8\r\n\r\nUsername: integration@acme.example\r\nSecurity token (case-sensitive): Zq4TnV8sLw2KdXb7Rm1YcGf5P\r\n";

/// Without a demand for proof: these tests are about everything else.
fn policy() -> Policy {
    Policy {
        demand: Demand::Nothing,
        ..Policy::default()
    }
}

fn for_accounts(accounts: &[(&str, Option<Org>)]) -> Policy {
    let accounts = accounts
        .iter()
        .map(|&(username, org)| Account {
            username: username.to_owned(),
            org,
        })
        .collect();
    Policy {
        accounts,
        ..policy()
    }
}

fn outcome(mail: &str, policy: &Policy) -> Outcome {
    let mail = Mail::parse(mail.as_bytes());
    let now = "2026-11-23T10:05:00Z".parse().unwrap();
    examine(
        &mail,
        &KeyAnswers::default(),
        policy,
        Recipe::built_in(),
        now,
    )
}

#[track_caller]
fn word(mail: &str, policy: &Policy) -> String {
    match outcome(mail, policy) {
        Outcome::Found(found) => {
            assert_eq!(found.token.expose(), TOKEN);
            format!("{}@{}", found.username, found.org.as_str())
        }
        Outcome::NotOurs(why) => why.kind().to_owned(),
        Outcome::Refused(why) => why.kind().to_owned(),
        Outcome::Undecided(why) => why.kind().to_owned(),
    }
}

/// The token mail with another content header and body.
fn with_content(content: &str) -> String {
    format!("{HEAD}{content}")
}

#[test]
fn the_plain_mail_is_found() {
    let mail = format!("{HEAD}{TEXT}");
    assert_eq!(
        word(&mail, &policy()),
        "integration@acme.example@production"
    );
}

#[test]
fn without_a_signature_and_with_the_default_policy_nothing_is_found() {
    let mail = format!("{HEAD}{TEXT}");
    assert_eq!(word(&mail, &Policy::default()), "dkim_missing");
}

#[test]
fn gates_in_their_order() {
    let mail = format!("{HEAD}{TEXT}");
    let cases = [
        (
            mail.replace("From: support@", "From: x@evil.example, support@"),
            "from_invalid",
        ),
        (
            mail.replace("From: support@", "From: support@eu."),
            "from_not_allowed",
        ),
        (format!("To: b@acme.example\r\n{mail}"), "header_duplicate"),
        (mail.replace("Date: ", "X-Date: "), "header_missing"),
        (mail.replace("10:00:00", "10:30:00"), "date_future"),
        (mail.replace("Mon, 23 Nov 2026", "soon"), "date_invalid"),
        (
            mail.replace("security token\r\n", "security token\r\nFrom : a\r\n"),
            "header_syntax",
        ),
        (mail.replace("Username: ", "Username:\n "), "bad_bytes"),
        (mail.replace("UTF-8", "utf-7"), "charset_unsupported"),
        (mail.replace("UTF-8", "klingon"), "charset_unsupported"),
        (
            mail.replace("text/plain", "application/json"),
            "mime_unexpected",
        ),
        (
            mail.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n"),
            "decode_error",
        ),
        (
            mail.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: x-own\r\n\r\n"),
            "decode_error",
        ),
        (
            mail.replace(
                "\r\n\r\n",
                "\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n",
            ),
            "mime_unexpected",
        ),
        (format!("{mail}{}", "x".repeat(300_000)), "too_large"),
    ];
    for (mail, expected) in cases {
        assert_eq!(
            word(&mail, &policy()),
            expected,
            "{}",
            &mail[..mail.len().min(900)]
        );
    }
    let old = Policy {
        max_age: Some(jiff::SignedDuration::from_mins(4)),
        ..policy()
    };
    assert_eq!(word(&mail, &old), "date_too_old");
}

#[test]
fn accounts_decide_whose_mail_it_is() {
    let mail = format!("{HEAD}{TEXT}");
    let sandbox = mail.replace("Subject: ", "Subject: Sandbox: ");
    let ours = "integration@acme.example";
    assert_eq!(
        word(&mail, &for_accounts(&[("other@acme.example", None)])),
        "unknown_account"
    );
    assert_eq!(
        word(&sandbox, &for_accounts(&[(ours, None)])),
        "integration@acme.example@sandbox"
    );
    assert_eq!(
        word(&sandbox, &for_accounts(&[(ours, Some(Org::Production))])),
        "unknown_account"
    );
    assert_eq!(
        word(&sandbox, &for_accounts(&[(ours, Some(Org::Sandbox))])),
        "integration@acme.example@sandbox"
    );
    assert_eq!(
        word(&mail, &for_accounts(&[(ours, Some(Org::Sandbox))])),
        "integration@acme.example@sandbox"
    );
    let both = for_accounts(&[(ours, Some(Org::Sandbox)), (ours, Some(Org::Production))]);
    assert_eq!(word(&mail, &both), "integration@acme.example@production");
}

#[test]
fn a_language_that_nobody_listed_works_for_a_configured_username() {
    let mail = format!("{HEAD}{TEXT}")
        .replace("Your new Salesforce security token", "Qapla'")
        .replace("Username", "pong")
        .replace("Security token (case-sensitive)", "ngoq");
    assert_eq!(
        word(&mail, &for_accounts(&[("integration@acme.example", None)])),
        "integration@acme.example@production"
    );
    assert_eq!(
        word(&mail, &for_accounts(&[("other@acme.example", None)])),
        "unknown_account"
    );
    assert_eq!(word(&mail, &policy()), "not_candidate");
}

#[test]
fn look_alikes_are_not_ours() {
    let accounts = for_accounts(&[("integration@acme.example", None)]);
    for (subject, body) in [
        (
            "Verify your identity in Salesforce",
            "Username: integration@acme.example\r\n\r\nVerification Code: 123456\r\n",
        ),
        (
            "Welcome to Salesforce",
            "Username: integration@acme.example\r\nOrganization ID: 00D000000000001EAA\r\n",
        ),
        (
            "Finish resetting your Salesforce password",
            "Username: integration@acme.example\r\nLink: https://x.example/abc\r\n",
        ),
        ("FW: Your new Salesforce security token", "see attached"),
        ("All about your Salesforce security token", "Read on."),
    ] {
        let mail = format!("{HEAD}Content-Type: text/plain\r\n\r\n{body}")
            .replace("Your new Salesforce security token", subject);
        assert_eq!(word(&mail, &accounts), "not_candidate", "{subject}");
        assert_eq!(word(&mail, &policy()), "not_candidate", "{subject}");
    }
    let bank = format!("{HEAD}{TEXT}")
        .replace("Salesforce security", "Acme Bank security")
        .replace("support@salesforce.com", "info@bank.example")
        .replace("Username", "Dear customer");
    let body = bank
        .replace("Security token (case-sensitive)", "Order")
        .replace("Dear customer: integration@acme.example", "Hello");
    assert_eq!(word(&body, &accounts), "not_candidate");
}

#[test]
fn most_mail_is_passed_over_by_its_header() {
    let other =
        "From: Salesforce <ann@shop.example>\r\nSubject: your security token report\r\n\r\n";
    assert!(!worth_fetching(
        &Mail::parse(other.as_bytes()),
        &policy(),
        Recipe::built_in()
    ));
    let head = format!("{HEAD}\r\n");
    assert!(worth_fetching(
        &Mail::parse(head.as_bytes()),
        &policy(),
        Recipe::built_in()
    ));
}

#[test]
fn any_octets_give_an_outcome() {
    let mail = format!("{HEAD}{TEXT}");
    for end in 0..mail.len() {
        let _ = outcome(&mail[..end], &policy());
    }
    let nested = format!(
        "{HEAD}{}",
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n".repeat(5000)
    );
    assert_eq!(word(&nested, &policy()), "mime_unexpected");
}

#[test]
fn a_colleagues_answer_is_not_ours() {
    let quoted =
        "> Username: integration@acme.example\r\n> Security token: Zq4TnV8sLw2KdXb7Rm1YcGf5P\r\n";
    let inline = TEXT.split_once("\r\n\r\n").unwrap().1;
    let accounts = for_accounts(&[("integration@acme.example", None)]);
    for (subject, body) in [
        ("Re: Your new Salesforce security token", quoted),
        ("FW: Your new Salesforce security token", inline),
        ("Question about the Salesforce security token", quoted),
    ] {
        let mail = with_content(&format!("\r\n{body}"))
            .replace("Your new Salesforce security token", subject)
            .replace("support@salesforce.com", "ann@acme.example");
        assert_eq!(word(&mail, &accounts), "not_candidate", "{subject}");
        assert_eq!(word(&mail, &policy()), "not_candidate", "{subject}");
    }
}

#[test]
fn a_relays_unreadable_signature_hides_no_reason() {
    let relay = "DKIM-Signature: v=1; a=rsa-sha256; d=relay.example; oops\r\n";
    let mail = format!("{relay}{HEAD}{TEXT}");
    assert_eq!(word(&mail, &Policy::default()), "dkim_not_aligned");
    let ours = "DKIM-Signature: v=1; d=salesforce.com; oops\r\n";
    let mail = format!("{relay}{ours}{HEAD}{TEXT}");
    assert_eq!(word(&mail, &Policy::default()), "dkim_malformed");
    let many = format!(
        "DKIM-Signature: d=salesforce.com;{}\r\n",
        "a=b;".repeat(4000)
    );
    assert_eq!(
        word(
            &format!("{}{HEAD}{TEXT}", many.repeat(8)),
            &Policy::default()
        ),
        "dkim_malformed"
    );
}

#[test]
fn bodies_that_are_built_to_take_long_take_no_longer() {
    for piece in [
        ":",
        "::\r\n",
        "a:\r\n",
        "\r\n",
        "(:",
        "：",
        "\t",
        "Username:\r\n",
        "-----a---\r\n",
        "> ",
    ] {
        let mail = with_content(&format!("\r\n{}", piece.repeat(120_000 / piece.len())));
        let _ = word(&mail, &policy());
    }
}
