//! Texts and subjects on both sides of each rule: `tests/mutants` switches the rules off one by
//! one, and one of these mails must show it.

use sftoken::testing::fixture::{Encoding, Subject};

use super::hostile::{case, refused};
use super::hostile_text::{WHY, block, other_block, text};
use super::unrelated::{letter, other};
use super::{Case, OTHER, TOKEN, USER, salesforce, signed, usual, written};

pub(super) fn cases() -> Vec<Case> {
    [labels(), pairs(), unseen(), taken(), forwards(), claims()].concat()
}

/// A text that is believed.
pub(super) fn said(name: &str, text: &str) -> Case {
    let text = filled(text);
    salesforce::case(name, WHY, |mail| {
        mail.encoding = Encoding::QuotedPrintable;
        mail.text = Some(text);
    })
}

/// A text that is not.
pub(super) fn odd(name: &str, reason: &'static str, words: &str) -> Case {
    text(name, reason, WHY, filled(words))
}

pub(super) fn filled(text: &str) -> String {
    text.replace("{user}", USER)
        .replace("{token}", TOKEN)
        .replace("{other}", OTHER)
        .replace("{block}", &block())
        .replace('\n', "\r\n")
        .replace("\r\r\n", "\r\n")
}

fn labels() -> Vec<Case> {
    let long = format!("{}@acme.example", "a".repeat(250));
    vec![
        odd(
            "label-in-an-unclosed-bracket",
            "token_missing",
            "Konto: {user}\n(: Kennung: {other} Username: {user} Security token (case-sensitive): {token}\n",
        ),
        odd(
            "sentence-in-front-of-the-token-label",
            "token_missing",
            "Username: {user}\nNote: your security token: {token}\n",
        ),
        odd(
            "sentence-in-front-of-the-username-label",
            "username_missing",
            "Note: the username: {user}\nSecurity token: {token}\n",
        ),
        odd(
            "token-label-with-a-note",
            "token_ambiguous",
            "{block}Security token: note: {other}\n",
        ),
        odd(
            "username-without-a-dot-in-its-domain",
            "username_missing",
            "Username: integration@acme\nSecurity token: {token}\n",
        ),
        odd(
            "username-with-a-quote",
            "username_missing",
            "Username: inte\"gration@acme.example\nSecurity token: {token}\n",
        ),
        odd(
            "username-of-263-octets",
            "username_missing",
            &format!("Username: {long}\nSecurity token: {{token}}\n"),
        ),
        odd(
            "address-below-an-unknown-word",
            "username_missing",
            "Acme\n{user}\nSecurity token: {token}\n",
        ),
        odd(
            "hash-behind-the-username",
            "token_missing",
            "Kasutaja: {user}\nRäsi: 0a1b2c3d4e5f6a7b8c9d0e1f2\n",
        ),
    ]
}

fn pairs() -> Vec<Case> {
    vec![
        odd(
            "line-between-username-and-token",
            "username_missing",
            "Username: {user}\nThis line stands between.\nSecurity token: {token}\n",
        ),
        odd(
            "another-value-behind-the-username",
            "token_missing",
            "Username: {user}\nSession: {token}\n",
        ),
        odd(
            "token-label-beside-an-unknown-one",
            "token_ambiguous",
            "Benutzername: {user}\nKennung: {other}\n\nSecurity token: none\n",
        ),
        odd(
            "username-label-beside-an-unknown-one",
            "username_ambiguous",
            "Username: somebody@acme.example\n\nKonto: {user}\nSecurity token: {token}\n",
        ),
        odd(
            "two-pairs-behind-unknown-labels",
            "token_ambiguous",
            "Konto: {user}\nKennung: {token}\n\nKonto: {user}\nKennung: {other}\n",
        ),
    ]
}

/// What stands behind `>` is somebody else's word.
fn unseen() -> Vec<Case> {
    vec![
        odd(
            "quoted-token-label-alone",
            "token_ambiguous",
            "{block}\n> Security token: {other}\n",
        ),
        odd(
            "quoted-pair-behind-unknown-labels",
            "token_ambiguous",
            "{block}\n> Konto: somebody@acme.example\n> Kennung: {other}\n",
        ),
        odd(
            "quoted-username-label-alone",
            "username_ambiguous",
            "{block}\n> Username: somebody@acme.example\n",
        ),
        said(
            "quoted-address-and-a-long-word",
            "{block}\n> Owner: somebody@acme.example\n> Project: InternationalHoldings\n",
        ),
        said(
            "quoted-address-and-a-record-id",
            "{block}\n> Owner: somebody@acme.example\n> Record: 5003000000D8cuI\n",
        ),
    ]
}

fn taken() -> Vec<Case> {
    vec![
        said(
            "heading-with-a-colon-above-a-label",
            "Details:\nUsername\n{user}\nSecurity token: {token}\n",
        ),
        said(
            "heading-that-is-a-label",
            "Security token\nReset\n\n{block}",
        ),
        said(
            "emphasis-around-labels",
            "*Username:* {user}\n*Security token (case-sensitive):* {token}\n",
        ),
        said(
            "sentence-as-token-label",
            "Username: {user}\nYour new security token is: {token}\n",
        ),
        said("code-behind-an-empty-line", "{block}\nRef12345\n"),
        said("word-below-the-token", "{block}Thanks\n"),
        said(
            "soft-hyphen-in-a-label",
            "Username: {user}\nSecu\u{ad}rity token: {token}\n",
        ),
        said(
            "line-separator-between-the-lines",
            "Username: {user}\u{2028}Security token: {token}\n",
        ),
    ]
}

fn forwards() -> Vec<Case> {
    vec![
        odd(
            "forwarded-block",
            "token_ambiguous",
            "Look:\n-----Original Message-----\n{block}",
        ),
        odd(
            "block-forwarded-by-a-phone",
            "token_ambiguous",
            "Look:\nBegin forwarded message:\n{block}",
        ),
        said("line-of-dashes", "---------- --------\n{block}"),
        said("heading-behind-dashes", "---- Your new token\n{block}"),
    ]
}

fn claims() -> Vec<Case> {
    let quoted = format!(
        "What is this?\n\n> Username: {USER}\n> Security token (case-sensitive): {TOKEN}\n"
    );
    let ask = letter(
        "colleague@acme.example",
        "My new Salesforce security token",
        &quoted,
    );
    let german = letter(
        "robot@other.example",
        "Ihr neuer Sicherheitstoken",
        &format!("Benutzername: {USER}\nSicherheitstoken: {TOKEN}\n"),
    );
    let mut unlisted = usual();
    unlisted.subject = Subject::Custom("Something new".to_owned());
    let mut elsewhere = unlisted.clone();
    elsewhere.from = "robot@other.example".to_owned();
    let mut bare = usual();
    bare.text = Some("Hello.\r\n".to_owned());
    let twice = [b"Subject: Hello\r\n".as_slice(), &signed(&written(&bare))].concat();
    let subject = |text: &str| Subject::Custom(text.to_owned());
    vec![
        other("colleague-asks-about-the-token", "auth 1.6", written(&ask)),
        other(
            "another-services-token-in-german",
            "auth 1.6",
            written(&german),
        ),
        refused(
            "unsigned-under-an-unlisted-subject",
            "dkim_missing",
            "auth 2.1",
            written(&unlisted),
        ),
        refused(
            "signed-for-an-unlisted-sender",
            "from_not_allowed",
            "auth 2.1",
            signed(&written(&elsewhere)),
        ),
        refused(
            "unknown-subject-on-top",
            "header_duplicate",
            "auth 1.5",
            twice,
        ),
        case(
            "subject-in-an-unknown-charset",
            "subject_invalid",
            "RFC 2047",
            |mail| {
                mail.subject = subject("Your new Salesforce security token =?x-made-up?Q?=FF?=");
            },
        ),
        case(
            "subject-that-cannot-be-decoded",
            "subject_invalid",
            "RFC 2047",
            |mail| {
                mail.subject = subject(
                    "Your new Salesforce security token =?UTF-8?Q?=E3?= =?UTF-8?Q?=81=82?= =?UTF-8?Q?=ZZ?=",
                );
            },
        ),
        salesforce::case(
            "subject-cut-inside-a-character",
            "RFC 2047, 5: some do it",
            |mail| {
                mail.subject = subject(
                    "=?UTF-8?Q?Nouveau_jeton_de_s=C3?= =?UTF-8?Q?=A9curit=C3=A9_Salesforce?=",
                );
            },
        ),
        salesforce::case("long-signature-of-the-org", WHY, |mail| {
            mail.text = Some(format!("{}\r\n{}", block(), "-- \r\nAcme\r\n"));
        }),
        odd(
            "block-of-another-behind",
            "token_ambiguous",
            &format!("{}\n{}", block(), other_block()),
        ),
    ]
}
