//! Mails: genuine, forged and others', and the store that keeps their tokens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sftoken::ingest::token::Token;
use sftoken::store::{Capabilities, Key, Meta, Put, Store, StoreError};
use sftoken::testing::fixture::TokenMail;
use sftoken::testing::sign::{Flaw, Signer, SigningKey};
use sftoken::testing::store::MemoryStore;
use sftoken::{KeyAnswer, KeyAnswers};

/// Signs as Salesforce would, with the published test key.
pub(crate) struct Sender {
    key: SigningKey,
    number: u64,
}

impl Sender {
    pub(crate) fn new() -> Self {
        let pem = include_str!("../../fixtures/keys/rsa-2048.pem");
        Self {
            key: SigningKey::from_pem(pem).unwrap(),
            number: 0,
        }
    }

    pub(crate) fn keys(&self) -> KeyAnswers {
        let mut keys = KeyAnswers::default();
        let record = KeyAnswer::Records(vec![self.key.dns_record()]);
        keys.insert("soak._domainkey.salesforce.com", record);
        keys
    }

    /// A mail with a token that no other has.
    pub(crate) fn genuine(&mut self, username: &str, date: Timestamp) -> (String, Vec<u8>) {
        self.signed(username, date, None)
    }

    /// A mail whose signature is another text's.
    pub(crate) fn forged(&mut self, username: &str, date: Timestamp) -> Vec<u8> {
        self.signed(username, date, Some(Flaw::Signature)).1
    }

    fn signed(&mut self, username: &str, date: Timestamp, flaw: Option<Flaw>) -> (String, Vec<u8>) {
        self.number += 1;
        let token = format!("Tok{:05}AbCdEfGhIjKlMnOp", self.number);
        let mut mail = TokenMail::new(username, &token, date);
        mail.message_id = format!("{}.token@sfdc.example", self.number);
        let mut signer = Signer::new(&self.key, "salesforce.com", "soak");
        if let Some(flaw) = flaw {
            signer.flaw = flaw;
        }
        let bytes = signer.sign(&mail.bytes().unwrap());
        (token, bytes)
    }

    /// A mail that has nothing to do with tokens.
    pub(crate) fn unrelated(&mut self) -> Vec<u8> {
        self.number += 1;
        let number = self.number;
        format!(
            "From: colleague@acme.example\r\nTo: integrations@acme.example\r\n\
             Subject: lunch {number}\r\nMessage-ID: <{number}@lunch.example>\r\n\r\nAt noon?\r\n"
        )
        .into_bytes()
    }
}

/// A store that notes every write.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    pub(crate) inner: MemoryStore,
    puts: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Vault {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The tokens that were written for an account, in order.
    pub(crate) fn puts(&self, username: &str) -> Vec<String> {
        let puts = self.puts.lock().unwrap();
        puts.get(username).cloned().unwrap_or_default()
    }
}

impl Store for Vault {
    fn slot(&self, key: &Key) -> String {
        self.inner.slot(key)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn check(&self) -> Result<(), StoreError> {
        self.inner.check()
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        let put = self.inner.publish(key, token, meta)?;
        if put != Put::Written {
            return Ok(put);
        }
        let mut puts = self.puts.lock().unwrap();
        let of = puts.entry(key.username.clone()).or_default();
        of.push(token.expose().to_owned());
        Ok(put)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        self.inner.get(key)
    }
}
