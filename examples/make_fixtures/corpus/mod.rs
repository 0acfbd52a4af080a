//! The corpus: every mail with its keys, what is expected of it, and where it comes from.
//!
//! Knows cases as values and as files. Never reads a clock or random numbers. Its mails are built
//! by `testing::fixture` and signed by `testing::sign` with the public keys of `fixtures/keys`.

mod hostile;
mod hostile_dkim;
mod hostile_html;
mod hostile_style;
mod hostile_text;
mod languages;
mod policy;
mod provider;
mod provider_hostile;
mod rules_header;
mod rules_html;
mod rules_letters;
mod rules_mime;
mod rules_provider;
mod rules_style;
mod rules_text;
mod salesforce;
mod templates;
mod unrelated;

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};
use sftoken::testing::fixture::TokenMail;
use sftoken::testing::sign::{Signer, SigningKey};

/// The account of most mails.
pub(crate) const USER: &str = "integration@acme.example";
/// Its token: invented, 25 characters of all three kinds, as those seen.
pub(crate) const TOKEN: &str = "x7Kq2mVb9Lw4TzR1nHc8Yp3Gd";
/// Another token, for a second block: invented.
pub(crate) const OTHER: &str = "Zz0Yy1Xx2Ww3Vv4Uu5Tt6Ss7R";
/// The selector: invented, since that of token mails is not known.
pub(crate) const SELECTOR: &str = "sf2026";
/// When the mails are examined.
const NOW: &str = "2026-04-01T16:00:00Z";
/// When most mails were sent: 1 April 2026, 15:08:44 UTC, as the public sample of that day.
pub(crate) const SENT: i64 = 1_775_056_124;

/// What must come out.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// username, org, token.
    Found(String, &'static str, String),
    Refused(&'static str),
    NotOurs(&'static str),
}

/// One mail of the corpus.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    folder: &'static str,
    name: String,
    provenance: String,
    mail: Vec<u8>,
    keys: Vec<String>,
    expected: Expected,
    accounts: Vec<String>,
    /// Keys of `[trust]` that differ from the default, and the proof that is expected then.
    policy: Option<Value>,
    proof: Option<Value>,
}

impl Case {
    pub(crate) fn new(
        folder: &'static str,
        name: &str,
        provenance: &str,
        mail: Vec<u8>,
        expected: Expected,
    ) -> Self {
        let accounts = vec![USER.to_owned()];
        let (name, provenance) = (name.to_owned(), provenance.to_owned());
        Self {
            folder,
            name,
            provenance,
            mail,
            keys: usual_keys(),
            expected,
            accounts,
            policy: None,
            proof: None,
        }
    }

    pub(crate) fn keys(mut self, keys: Vec<String>) -> Self {
        self.keys = keys;
        self
    }

    pub(crate) fn accounts(mut self, accounts: &[&str]) -> Self {
        self.accounts = accounts.iter().map(|&account| account.to_owned()).collect();
        self
    }

    pub(crate) fn policy(mut self, policy: Value) -> Self {
        self.policy = Some(policy);
        self
    }

    pub(crate) fn proof(mut self, proof: Value) -> Self {
        self.proof = Some(proof);
        self
    }

    pub(crate) fn renamed(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    fn files(&self) -> [(String, Vec<u8>); 3] {
        let stem = format!("mails/{}/{}", self.folder, self.name);
        let keys: String = self.keys.iter().map(|line| format!("{line}\n")).collect();
        [
            (format!("{stem}.eml"), self.mail.clone()),
            (format!("{stem}.keys"), keys.into_bytes()),
            (
                format!("{stem}.expected.json"),
                self.expectation().into_bytes(),
            ),
        ]
    }

    fn expectation(&self) -> String {
        let (outcome, reason, found) = match &self.expected {
            Expected::Found(username, org, token) => ("found", None, Some((username, org, token))),
            Expected::Refused(reason) => ("refused", Some(reason), None),
            Expected::NotOurs(reason) => ("not_ours", Some(reason), None),
        };
        let mut value = json!({
            "outcome": outcome,
            "reason": reason,
            "username": found.map(|found| found.0),
            "org": found.map(|found| found.1),
            "token": found.map(|found| found.2),
            "now": NOW,
            "accounts": self.accounts,
        });
        for (key, told) in [("policy", &self.policy), ("proof", &self.proof)] {
            if let Some(told) = told {
                value[key] = told.clone();
            }
        }
        format!(
            "{}\n",
            serde_json::to_string_pretty(&value).expect("it is JSON")
        )
    }
}

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    [
        salesforce::cases(),
        languages::cases(),
        templates::cases(),
        hostile::cases(),
        hostile_dkim::cases(),
        hostile_text::cases(),
        hostile_html::cases(),
        rules_header::cases(),
        rules_html::cases(),
        rules_mime::cases(),
        rules_text::cases(),
        rules_letters::cases(),
        hostile_style::cases(),
        rules_style::cases(),
        unrelated::cases(),
        policy::cases(),
        provider::cases(),
        provider_hostile::cases(),
        rules_provider::cases(),
    ]
    .concat()
}

/// All files, by their path under `fixtures/`.
pub(crate) fn files() -> Vec<(String, Vec<u8>)> {
    let cases = cases();
    let mut files: Vec<_> = cases.iter().flat_map(Case::files).collect();
    files.push(("README.md".to_owned(), readme(&cases).into_bytes()));
    files
}

fn readme(cases: &[Case]) -> String {
    let mut text = include_str!("README.head.md").to_owned();
    for folder in ["salesforce", "hostile", "unrelated", "policy"] {
        write!(
            text,
            "\n## {folder}\n\n| mail | expected | what it stands on |\n|---|---|---|\n"
        )
        .expect("a string");
        for case in cases.iter().filter(|case| case.folder == folder) {
            let expected = match &case.expected {
                Expected::Found(..) => "found",
                Expected::Refused(reason) | Expected::NotOurs(reason) => reason,
            };
            writeln!(
                text,
                "| `{}` | {expected} | {} |",
                case.name, case.provenance
            )
            .expect("a string");
        }
    }
    text
}

/// A published test key.
pub(crate) fn key(name: &str) -> SigningKey {
    let pem = match name {
        "rsa-2048" => include_str!("../../../fixtures/keys/rsa-2048.pem"),
        "rsa-1024" => include_str!("../../../fixtures/keys/rsa-1024.pem"),
        "rsa-768" => include_str!("../../../fixtures/keys/rsa-768.pem"),
        "rsa-512" => include_str!("../../../fixtures/keys/rsa-512.pem"),
        _ => include_str!("../../../fixtures/keys/ed25519.pem"),
    };
    SigningKey::from_pem(pem).expect("a published key")
}

fn usual_keys() -> Vec<String> {
    vec![record(
        "salesforce.com",
        SELECTOR,
        &key("rsa-2048").dns_record(),
    )]
}

/// A line of a key file.
pub(crate) fn record(domain: &str, selector: &str, value: &str) -> String {
    format!("{selector}._domainkey.{domain} {value}")
}

/// The mail that was seen, for [`USER`].
pub(crate) fn usual() -> TokenMail {
    let sent = Timestamp::from_second(SENT).expect("a time");
    TokenMail::new(USER, TOKEN, sent)
}

/// Its bytes, unsigned.
pub(crate) fn written(mail: &TokenMail) -> Vec<u8> {
    mail.bytes()
        .unwrap_or_else(|error| panic!("{} {}: {error}", mail.language.code, mail.charset))
}

/// Signed with the usual key, after changes to how it is signed.
pub(crate) fn signed_by(mail: &[u8], change: impl FnOnce(&mut Signer<'_>)) -> Vec<u8> {
    let key = key("rsa-2048");
    let mut signer = Signer::new(&key, "salesforce.com", SELECTOR);
    change(&mut signer);
    signer.sign(mail)
}

/// Signed as usual.
pub(crate) fn signed(mail: &[u8]) -> Vec<u8> {
    signed_by(mail, |_| ())
}

/// One text in the place of another, which must stand there.
pub(crate) fn replaced(mail: &[u8], old: &str, new: &str) -> Vec<u8> {
    let at = mail
        .windows(old.len())
        .position(|part| part == old.as_bytes());
    let at = at.unwrap_or_else(|| panic!("no {old:?}"));
    [&mail[..at], new.as_bytes(), &mail[at + old.len()..]].concat()
}

/// A header field on top.
pub(crate) fn under(field: &str, mail: &[u8]) -> Vec<u8> {
    [field.as_bytes(), b"\r\n", mail].concat()
}
