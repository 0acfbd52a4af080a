//! Letters, broken lines and texts that cannot be read, on both sides of each rule: `tests/mutants` switches
//! the rules off one by one, and one of these mails must show it.

use sftoken::testing::fixture::{Encoding, Subject};

use super::hostile::refused;
use super::rules_text::{filled, odd, said};
use super::unrelated::{letter, other};
use super::{Case, replaced, salesforce, signed, usual, written};

pub(super) fn cases() -> Vec<Case> {
    [folds(), flowed(), unreadable()].concat()
}

fn folds() -> Vec<Case> {
    vec![
        odd(
            "second-username-behind-a-curly-apostrophe",
            "username_ambiguous",
            "{block}Nom d\u{2019}utilisateur: other@acme.example\n",
        ),
        odd(
            "second-token-behind-full-width-letters",
            "token_ambiguous",
            "{block}Ｓｅｃｕｒｉｔｙ ｔｏｋｅｎ: {other}\n",
        ),
        said(
            "direction-marks-around-values",
            "Username: \u{200e}{user}\u{200e}\nSecurity token: \u{200e}{token}\u{200e}\n",
        ),
        odd(
            "username-with-the-link-of-another",
            "username_missing",
            "Username: {user} <mailto:other@acme.example>\nSecurity token: {token}\n",
        ),
        odd(
            "forwarded-with-labels-in-bold",
            "token_ambiguous",
            "See below.\n\n*From:* Salesforce\n*Sent:* Wednesday\n\n{block}",
        ),
        said(
            "date-above-the-block",
            "Hello.\n\nDate: 1 April 2026\n\n{block}",
        ),
        said("heading-of-three-dashes", "--- Your reset ---\n\n{block}"),
    ]
}

/// Text that was broken at blanks (RFC 3676).
fn flowed() -> Vec<Case> {
    let why = "RFC 3676, 4";
    let bytes = |text: &str, format: &str| {
        let mut mail = usual();
        mail.encoding = Encoding::QuotedPrintable;
        mail.text = Some(filled(text).replace(" \r\n", "=20\r\n"));
        let written = written(&mail);
        let written = replaced(
            &written,
            "charset=UTF-8",
            &format!("charset=UTF-8; {format}"),
        );
        signed(&replaced_all(&written, "=3D20\r\n", "=20\r\n"))
    };
    let said = |name: &str, text: &str, format: &str| {
        salesforce::found(name, why, bytes(text, format), &usual())
    };
    let odd = |name: &str, reason, text: &str, format: &str| {
        refused(name, reason, why, bytes(text, format))
    };
    vec![
        said(
            "flowed-lines-of-their-own",
            "Username: {user} \nSecurity token: {token} \n\n",
            "format=flowed",
        ),
        said(
            "flowed-label-without-its-blank",
            "Username: {user}\n\n安全 \n标记: {token}\n",
            "format=flowed; delsp=yes",
        ),
        odd(
            "flowed-token-of-two-halves",
            "token_invalid",
            "Username: {user}\nSecurity token: x7Kq2mVb9Lw4 \nTzR1nHc8Yp3Gd\n",
            "format=flowed; delsp=yes",
        ),
        odd(
            "flowed-label-above-a-quoted-token",
            "token_missing",
            "Username: {user}\nSecurity token: \n>{token}\n",
            "format=flowed",
        ),
    ]
}

fn replaced_all(text: &[u8], old: &str, new: &str) -> Vec<u8> {
    String::from_utf8_lossy(text).replace(old, new).into_bytes()
}

/// Mails whose text cannot be read, and that need not be.
fn unreadable() -> Vec<Case> {
    let unread = |from: &str, subject: &str| {
        let mail = letter(from, subject, "Hello.\n");
        replaced(&written(&mail), "charset=UTF-8", "charset=x-made-up")
    };
    let mut blanks = letter("robot@other.example", "Hello", "Hello.\n");
    blanks.subject = Subject::Custom("Your new Salesforce security token".to_owned());
    let folds = " \r\n\t".repeat(5) + &format!("{}\r\n\t", " ".repeat(900)).repeat(20);
    vec![
        other(
            "unreadable-text-of-somebody-else",
            "auth 1.6",
            unread(
                "robot@other.example",
                "Ihr neues Salesforce-Sicherheitstoken",
            ),
        ),
        other(
            "unreadable-text-under-another-subject",
            "auth 1.6",
            signed(&unread("support@salesforce.com", "Hello")),
        ),
        other(
            "subject-of-17000-blanks",
            "auth 2.1",
            replaced(
                &written(&blanks),
                "Subject: Your new",
                &format!("Subject: {folds}Your new"),
            ),
        ),
    ]
}
