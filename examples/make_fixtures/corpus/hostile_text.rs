//! Genuinely signed mails whose parts or text must not be believed: the platform signs what an
//! org's owner wrote (auth 1.5, *platform abuse*), so the text is a gate of its own.

use sftoken::testing::fixture::{Encoding, Language};

use super::hostile::{case, refused};
use super::{Case, OTHER, TOKEN, USER, replaced, signed, usual, written};

pub(super) const WHY: &str = "auth 1.6";

pub(super) fn cases() -> Vec<Case> {
    [parts(), encodings(), usernames(), tokens()].concat()
}

pub(super) fn block() -> String {
    format!("Username: {USER}\r\nSecurity token (case-sensitive): {TOKEN}\r\n")
}

pub(super) fn other_block() -> String {
    block().replace(TOKEN, OTHER)
}

/// A mail whose content is written by hand, genuinely signed.
pub(super) fn shaped(name: &str, reason: &'static str, content: &str) -> Case {
    let mail = written(&usual());
    let cut = "Content-Type: text/plain";
    let at = mail
        .windows(cut.len())
        .position(|part| part == cut.as_bytes())
        .unwrap_or(mail.len());
    refused(
        name,
        reason,
        WHY,
        signed(&[&mail[..at], content.as_bytes()].concat()),
    )
}

pub(super) fn mixed(kind: &str, parts: &[(&str, &str)]) -> String {
    let mut text = format!("Content-Type: multipart/{kind}; boundary=\"b\"\r\n\r\n");
    for (head, body) in parts {
        text.push_str(&format!("--b\r\n{head}\r\n\r\n{body}\r\n"));
    }
    text + "--b--\r\n"
}

pub(super) const PLAIN: &str = "Content-Type: text/plain; charset=UTF-8";

fn parts() -> Vec<Case> {
    let block = block();
    let inner = format!("From: a@acme.example\r\nSubject: x\r\n\r\n{block}");
    let attached = format!("{PLAIN}\r\nContent-Disposition: attachment; filename=token.txt");
    let open = format!(
        "Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n--b\r\n{PLAIN}\r\n\r\n{block}"
    );
    let preamble = mixed("alternative", &[(PLAIN, "See the attachment.")]).replacen(
        "--b\r\n",
        &format!("{block}\r\n--b\r\n"),
        1,
    );
    let twice = mixed("alternative", &[(PLAIN, &block)])
        .replace("boundary=\"b\"", "boundary=\"b\"; boundary=\"c\"");
    vec![
        shaped(
            "token-in-attachment",
            "mime_unexpected",
            &mixed(
                "mixed",
                &[(PLAIN, "See the attachment."), (&attached, &block)],
            ),
        ),
        shaped(
            "attachment-beside-token",
            "mime_unexpected",
            &mixed(
                "mixed",
                &[
                    (PLAIN, &block),
                    ("Content-Type: application/pdf; name=x.pdf", "x"),
                ],
            ),
        ),
        shaped(
            "forwarded-as-attachment",
            "mime_unexpected",
            &mixed(
                "mixed",
                &[
                    (PLAIN, "See below."),
                    ("Content-Type: message/rfc822", &inner),
                ],
            ),
        ),
        shaped(
            "forwarded-mail-alone",
            "mime_unexpected",
            &format!("Content-Type: message/rfc822\r\n\r\n{inner}"),
        ),
        shaped(
            "calendar-part",
            "mime_unexpected",
            &mixed(
                "alternative",
                &[(PLAIN, &block), ("Content-Type: text/calendar", &block)],
            ),
        ),
        shaped("no-closing-boundary", "mime_ambiguous", &open),
        shaped("two-boundaries", "mime_ambiguous", &twice),
        shaped(
            "part-with-two-content-types",
            "mime_ambiguous",
            &mixed(
                "alternative",
                &[(&format!("{PLAIN}\r\nContent-Type: text/html"), &block)],
            ),
        ),
        shaped("block-in-preamble", "token_ambiguous", &preamble),
        shaped(
            "second-block-in-epilogue",
            "token_ambiguous",
            &format!(
                "{}{}",
                mixed("alternative", &[(PLAIN, &block)]),
                other_block()
            ),
        ),
    ]
}

fn encodings() -> Vec<Case> {
    let part = |charset: &str, encoding: &str, body: &str| {
        format!(
            "Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
        )
    };
    let base64 = "VXNlcm5hbWU6IGludGVncmF0aW9uQGFjbWUuZXhhbXBsZQ0K";
    let german = {
        let mut mail = usual();
        mail.language = Language::named("de").expect("a language of the table");
        mail.encoding = Encoding::Base64;
        let unread = replaced(
            &written(&mail),
            "text/plain; charset=UTF-8",
            "text/plain; charset=x-made-up",
        );
        refused(
            "charset-unknown-under-a-german-subject",
            "charset_unsupported",
            WHY,
            signed(&unread),
        )
    };
    vec![
        german,
        shaped(
            "charset-unknown",
            "charset_unsupported",
            &part("x-made-up", "7bit", &block()),
        ),
        shaped(
            "charset-utf-7",
            "charset_unsupported",
            &part("UTF-7", "7bit", &block()),
        ),
        shaped(
            "base64-with-foreign-characters",
            "decode_error",
            &part("UTF-8", "base64", &format!("{base64}!!\r\n{base64}")),
        ),
        shaped(
            "base64-with-padding-inside",
            "decode_error",
            &part("UTF-8", "base64", &format!("VQ==\r\n{base64}")),
        ),
        shaped(
            "quoted-printable-broken",
            "decode_error",
            &part(
                "UTF-8",
                "quoted-printable",
                &block().replace(TOKEN, "x7Kq=ZZ2mVb9Lw4TzR1nHc8Yp3Gd"),
            ),
        ),
        shaped(
            "transfer-encoding-unknown",
            "decode_error",
            &part("UTF-8", "x-uuencode", &block()),
        ),
        shaped(
            "invalid-utf-8",
            "decode_error",
            &part(
                "UTF-8",
                "quoted-printable",
                &format!("=FF=FE\r\n{}", block()),
            ),
        ),
    ]
}

pub(super) fn text(name: &str, reason: &'static str, why: &str, text: String) -> Case {
    case(name, reason, why, |mail| {
        mail.encoding = Encoding::QuotedPrintable;
        mail.text = Some(text);
    })
}

fn usernames() -> Vec<Case> {
    let token_line = format!("Security token (case-sensitive): {TOKEN}\r\n");
    vec![
        text(
            "no-username",
            "username_missing",
            WHY,
            format!("We've sent you a new token.\r\n\r\n{token_line}"),
        ),
        text(
            "username-is-no-address",
            "username_missing",
            WHY,
            format!("Username: integration\r\n{token_line}"),
        ),
        text(
            "two-usernames",
            "username_ambiguous",
            WHY,
            format!("Username: {USER}\r\n{}", block()),
        ),
        text(
            "second-username-behind",
            "username_ambiguous",
            WHY,
            format!("{}Username: evil@evil.example\r\n", block()),
        ),
        text(
            "quoted-forward",
            "token_ambiguous",
            "auth 1.6: a quoted mail is someone else's word",
            format!("Look:\r\n> Username: {USER}\r\n> {token_line}"),
        ),
    ]
}

fn tokens() -> Vec<Case> {
    let token = |name: &str, why: &str, token: String| {
        let line = format!("Security token (case-sensitive): {token}\r\n");
        text(
            name,
            "token_invalid",
            why,
            format!("Username: {USER}\r\n{line}\r\nFor more information.\r\n"),
        )
    };
    let cycled = |length: usize| TOKEN.chars().cycle().take(length).collect::<String>();
    vec![
        token("token-of-14", "mail 1.6", cycled(14)),
        token("token-of-65", "mail 1.6", cycled(65)),
        token(
            "token-with-punctuation",
            "auth 1.6",
            TOKEN.replace('L', "!"),
        ),
        token(
            "token-with-shell-words",
            "auth 6: T12",
            "$(reboot)".to_owned(),
        ),
        token(
            "token-with-zero-width-space",
            "auth 1.6",
            TOKEN.replace('L', "L\u{200b}"),
        ),
        token(
            "token-with-cyrillic-letter",
            "auth 1.6",
            TOKEN.replace('c', "\u{441}"),
        ),
        token(
            "token-with-bidi-control",
            "auth 1.6",
            TOKEN.replace('L', "L\u{202e}"),
        ),
        token(
            "token-with-full-width-letter",
            "auth 1.6",
            TOKEN.replace('K', "Ｋ"),
        ),
        token(
            "token-in-two-lines",
            "auth 1.6: the value may go on",
            format!("{TOKEN}\r\nMoreOfIt1234567"),
        ),
        text(
            "no-token-line",
            "token_missing",
            WHY,
            format!("Username: {USER}\r\n\r\nFor more information.\r\n"),
        ),
        text(
            "token-label-without-value",
            "token_missing",
            WHY,
            format!(
                "Username: {USER}\r\nSecurity token (case-sensitive):\r\n\r\nFor more information.\r\n"
            ),
        ),
        text(
            "two-blocks",
            "token_ambiguous",
            "auth 1.6: the attacker's own name can hold a block",
            format!("Dear\r\n{}\r\n{}", other_block(), block()),
        ),
        text(
            "two-tokens",
            "token_ambiguous",
            WHY,
            format!("{}Security token (case-sensitive): {OTHER}\r\n", block()),
        ),
    ]
}
