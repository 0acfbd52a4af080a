//! Any content behind a genuine header: signed anew each time, so that MIME, HTML, CSS and the recipes
//! are reached.
//!
//! What must hold: a token that is found is seen in every way of showing the mail, beside the username
//! that is found; text behind the mail never puts another token in its place.

use std::sync::LazyLock;

use sftoken::ingest::text::View;
use sftoken::testing::sign::{Canonical, Signer, SigningKey};
use sftoken::{Account, Found, Mail, Outcome, Policy, Recipe, examine};

use super::examine::{KEYS, USERNAME, now};

/// A test key; Ed25519 is quick.
pub(super) static SIGNING: LazyLock<SigningKey> = LazyLock::new(|| {
    SigningKey::from_pem(include_str!("../../../../fixtures/keys/ed25519.pem")).unwrap()
});

/// A token mail in the shape of 2026, not signed yet.
pub(super) const UNSIGNED: &str = "Date: Wed, 1 Apr 2026 15:08:44 +0000 (GMT)\r\n\
    From: support@salesforce.com <support@salesforce.com>\r\n\
    To: integrations@acme.example\r\n\
    Message-ID: <1775056124.token@sfdc.net>\r\n\
    Subject: Your new Salesforce security token\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=UTF-8\r\n\r\n\
    Username: integration@acme.example\r\n\
    Security token (case-sensitive): x7Kq2mVb9Lw4TzR1nHc8Yp3Gd\r\n";

/// What is added to a mail that is believed: it must never be taken for it.
const BEHIND: &str = "\r\n\r\nUsername: integration@acme.example\r\nSecurity token (case-sensitive): Behind0Behind0Behind0Beh1\r\n\r\n";

/// The heads of the usual contents; the last byte value of them all means that the content has its own.
const HEADS: [&str; 7] = [
    "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n",
    "Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\n",
    "Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n",
    "Content-Type: text/plain; charset=windows-1252\r\nContent-Transfer-Encoding: base64\r\n",
    "Content-Type: multipart/alternative; boundary=b\r\n",
    "Content-Type: multipart/related; boundary=b\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
];

/// The first byte chooses subject, policy and canonical form, the second the head; the rest is content.
pub(crate) fn run(data: &[u8]) {
    let &[bits, head, ref content @ ..] = data else {
        return;
    };
    let mail = signed(bits, head, content, "");
    let Some(found) = judge(&mail, bits) else {
        return;
    };
    check_seen(&found, Mail::parse(&mail).views().unwrap());
    let longer = signed(bits, head, content, BEHIND);
    if let Some(other) = judge(&longer, bits) {
        let same = other.token.expose() == found.token.expose();
        assert!(same, "the text behind the mail was taken");
    }
}

fn judge(mail: &[u8], bits: u8) -> Option<Found> {
    let account = Account {
        username: USERNAME.to_owned(),
        org: None,
    };
    let policy = Policy {
        accounts: if bits & 1 == 0 { vec![account] } else { vec![] },
        ..Policy::default()
    };
    match examine(
        &Mail::parse(mail),
        &KEYS,
        &policy,
        Recipe::built_in(),
        now(),
    ) {
        Outcome::Found(found) => Some(found),
        _ => None,
    }
}

/// The mail, signed rightly over whatever its content is.
fn signed(bits: u8, head: u8, content: &[u8], behind: &str) -> Vec<u8> {
    let subject = match bits >> 1 & 3 {
        0 => "Your new Salesforce security token",
        1 => "Sandbox: Your new Salesforce security token",
        2 => "Your new Acme Cloud security token",
        _ => "Something else",
    };
    let mut mail = format!(
        "Date: Wed, 1 Apr 2026 15:08:44 +0000 (GMT)\r\n\
         From: support@salesforce.com <support@salesforce.com>\r\n\
         To: integrations@acme.example\r\n\
         Message-ID: <1775056124.token@sfdc.net>\r\n\
         Subject: {subject}\r\n\
         MIME-Version: 1.0\r\n"
    )
    .into_bytes();
    if let Some(head) = HEADS.get(usize::from(head)) {
        mail.extend_from_slice(head.as_bytes());
        mail.extend_from_slice(b"\r\n");
    }
    mail.extend(in_lines(content));
    mail.extend_from_slice(behind.as_bytes());
    let mut signer = Signer::new(&SIGNING, "salesforce.com", "ed");
    if bits & 8 != 0 {
        (signer.header, signer.body) = (Canonical::Simple, Canonical::Relaxed);
    }
    signer.sign(&mail)
}

/// Content as a server could have sent it: every line end is CR LF, and there is no NUL.
pub(super) fn in_lines(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 64);
    for &byte in content {
        match byte {
            b'\r' | 0 => {}
            b'\n' => out.extend_from_slice(b"\r\n"),
            byte => out.push(byte),
        }
    }
    out
}

/// In each view a line that is seen holds the token, and one the username.
fn check_seen(found: &Found, views: &[View]) {
    assert!(!views.is_empty());
    for view in views {
        let shows = |word: &str| {
            view.iter()
                .any(|line| line.visible && line.text.contains(word))
        };
        assert!(shows(found.token.expose()), "the token is not seen");
        assert!(shows(&found.username), "the username is not seen");
    }
}
