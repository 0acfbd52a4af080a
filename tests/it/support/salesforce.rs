//! Salesforce, as far as a mailbox sees it: genuine token mails, and a script that keeps the tokens.
//!
//! Knows the test key and the record under which it stands. Never signs as anyone real: the key is
//! published. Its mails carry the date that they are given.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use sftoken::testing::fixture::TokenMail;
use sftoken::testing::sign::{Flaw, Signer, SigningKey};

use super::dovecot::{Dovecot, PASSWORD};
use super::run::Home;

/// The account of most stories.
pub(crate) const ANN: &str = "integration@acme.example";
/// Another one.
pub(crate) const BOB: &str = "nightly@acme.example";
/// Whose mailbox it is.
pub(crate) const BOX: &str = "ann";
/// The selector of most mails.
pub(crate) const SELECTOR: &str = "test1";

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A token that no other call gives.
pub(crate) fn new_token() -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("Tok{number:05}AbCdEfGhIjKlMnOp")
}

fn key() -> SigningKey {
    let pem = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/rsa-2048.pem");
    SigningKey::from_pem(&fs::read_to_string(pem).unwrap()).unwrap()
}

/// The name under which a selector's key stands in the DNS.
pub(crate) fn key_name(selector: &str) -> String {
    format!("{selector}._domainkey.salesforce.com")
}

/// The key's TXT record.
pub(crate) fn key_record() -> String {
    key().dns_record()
}

/// So many seconds ago.
pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_secs(seconds)
}

/// A mail as Salesforce writes it, to be changed or signed.
pub(crate) fn mail(username: &str, token: &str, date: Timestamp) -> TokenMail {
    let mut mail = TokenMail::new(username, token, date);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    mail.message_id = format!("{number}.token@sfdc.example");
    mail
}

/// The genuine mail, with the usual selector.
pub(crate) fn genuine(username: &str, token: &str, date: Timestamp) -> Vec<u8> {
    signed(&mail(username, token, date), SELECTOR)
}

/// Signs a mail.
pub(crate) fn signed(mail: &TokenMail, selector: &str) -> Vec<u8> {
    let key = key();
    let signer = Signer::new(&key, "salesforce.com", selector);
    signer.sign(&mail.bytes().unwrap())
}

/// A mail whose signature is another text's.
pub(crate) fn forged(username: &str, token: &str, date: Timestamp) -> Vec<u8> {
    let key = key();
    let mut signer = Signer::new(&key, "salesforce.com", SELECTOR);
    signer.flaw = Flaw::Signature;
    signer.sign(&mail(username, token, date).bytes().unwrap())
}

/// A mail that has nothing to do with tokens.
pub(crate) fn unrelated(number: usize) -> Vec<u8> {
    format!(
        "From: colleague@acme.example\r\nTo: integrations@acme.example\r\n\
         Subject: lunch {number}\r\nMessage-ID: <{number}@lunch.example>\r\n\r\nAt noon?\r\n"
    )
    .into_bytes()
}

/// A script that keeps tokens and notes every put. It refuses while a file `locked` stands beside it,
/// and its folder is its own.
pub(crate) struct Keeper {
    folder: PathBuf,
}

impl Keeper {
    /// Installs the script in a home.
    pub(crate) fn in_home(home: &Home) -> Self {
        Self::named(home, "keeper")
    }

    /// Installs another one, in a folder of this name.
    pub(crate) fn named(home: &Home, name: &str) -> Self {
        let script = "#!/bin/sh\nhere=${0%/*}\n[ -e $here/locked ] && { cat > /dev/null; exit 75; }\n\
            case $SFTOKEN_ACTION in\n\
            put) token=$(cat); printf '%s' \"$token\" > $here/kept-$SFTOKEN_USERNAME\n\
            echo \"$SFTOKEN_USERNAME $token\" >> $here/puts;;\n\
            get) cat $here/kept-$SFTOKEN_USERNAME 2> /dev/null; exit 0;;\n\
            esac\n";
        let path = home.write(&format!("{name}/keep"), script);
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        Self {
            folder: home.path(name),
        }
    }

    /// The store's URL.
    pub(crate) fn url(&self) -> String {
        format!("exec:{}/keep?get=1&check=1", self.folder.display())
    }

    /// What it keeps for an account.
    pub(crate) fn kept(&self, username: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(format!("kept-{username}"))).ok()
    }

    /// How often a token was put.
    pub(crate) fn puts(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("puts")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// Whether it refuses from now on.
    pub(crate) fn lock(&self, locked: bool) {
        let file = self.folder.join("locked");
        if locked {
            fs::write(file, "").unwrap();
        } else {
            fs::remove_file(file).unwrap();
        }
    }
}

/// The record of the usual key, in a file for `--keys`.
pub(crate) fn key_file(home: &Home) -> String {
    let line = format!("{} {}\n", key_name(SELECTOR), key_record());
    home.write("dns.keys", line)
}

/// The URL of the mailbox.
pub(crate) fn mailbox_url(server: &Dovecot) -> String {
    format!("imaps://{BOX}@localhost:{}", server.endpoint(BOX).port)
}

/// The words that name the mailbox, its password and the keys.
pub(crate) fn mailbox_words(home: &mut Home, server: &Dovecot) -> Vec<String> {
    home.set("MAIL_PASSWORD", PASSWORD);
    let ca = server.ca_file().to_str().unwrap().to_owned();
    let words = [
        "--mailbox",
        &mailbox_url(server),
        "--ca-file",
        &ca,
        "--password",
        "env:MAIL_PASSWORD",
        "--keys",
        &key_file(home),
    ];
    words.map(str::to_owned).to_vec()
}
