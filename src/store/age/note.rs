//! `meta.json`: what is known of the token beside it.
//!
//! Knows which file it stands for, and for whom that was sealed. Never holds a secret. Written before and
//! after the token's file; a note that cannot be read counts as none.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::Sealed;
use super::recipients::{Recipients, hex};
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;
use crate::store::{Key, Meta};

/// `meta.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    schema: u32,
    /// `pending` while token.age is being replaced: it may then be the one before.
    state: String,
    username: String,
    org: Org,
    fingerprint: Fingerprint,
    date: Timestamp,
    message_id: Option<String>,
    writer: String,
    /// For whom the file was sealed: the fingerprint of the list.
    recipients: String,
    /// SHA-256 of the sealed file: one that somebody else has put there is told apart.
    sealed: String,
}

impl Note {
    /// Of a file that is about to be written.
    pub(super) fn pending(key: &Key, meta: &Meta, sealed: &Sealed<'_>) -> Self {
        Self {
            schema: 1,
            state: "pending".to_owned(),
            username: key.username.clone(),
            org: key.org,
            fingerprint: meta.fingerprint.clone(),
            date: meta.rank.date,
            message_id: meta.message_id.clone(),
            writer: concat!("sftoken ", env!("CARGO_PKG_VERSION")).to_owned(),
            recipients: sealed.to.fingerprint(),
            sealed: sha256(sealed.file),
        }
    }

    /// Once the file stands.
    pub(super) fn stored(self) -> Self {
        let state = "stored".to_owned();
        Self { state, ..self }
    }

    /// Of another file with the same token.
    pub(super) fn of(self, sealed: &Sealed<'_>) -> Self {
        Self {
            writer: concat!("sftoken ", env!("CARGO_PKG_VERSION")).to_owned(),
            recipients: sealed.to.fingerprint(),
            sealed: sha256(sealed.file),
            ..self
        }
    }

    /// Whether this is the file that the note stands for.
    pub(super) fn is_of(&self, file: &[u8]) -> bool {
        self.sealed == sha256(file)
    }

    /// Whether the file was sealed for these.
    pub(super) fn is_for(&self, recipients: &Recipients) -> bool {
        self.recipients == recipients.fingerprint()
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}
