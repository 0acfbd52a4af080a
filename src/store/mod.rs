//! Where tokens go: one value into one slot.
//!
//! Knows how each store writes, reads back and fails. Never knows mails, recipes or the ledger: the
//! order of writes is decided by its caller. Secrets come from [`Token::expose`], here and in few
//! other places.

use std::fmt;

use jiff::Timestamp;

use crate::ingest::policy::Org;
use crate::ingest::token::{Fingerprint, Token};

/// Which token: the account, as a store names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The Salesforce username.
    pub username: String,
    /// The kind of org.
    pub org: Org,
}

/// What is known of a token beside its value; stores that can, keep it beside the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// The token's fingerprint.
    pub fingerprint: Fingerprint,
    /// The signed Date of its mail.
    pub date: Timestamp,
    /// The Message-ID of its mail.
    pub message_id: Option<String>,
}

/// What a store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// `publish` is conditional on the store's own revision.
    pub conditional: bool,
    /// `get` works on this machine (an age store without an identity cannot).
    pub readable: bool,
}

/// A place for tokens. Calls may block; run them off the async threads, under a deadline.
pub trait Store: Send + Sync + fmt::Debug {
    /// The slot of `key` as a URL free of secrets; receipts show it.
    fn slot(&self, key: &Key) -> String;

    /// What this store can do.
    fn capabilities(&self) -> Capabilities;

    /// Whether a `publish` could work now. Changes nothing.
    ///
    /// # Errors
    /// The same that `publish` would give.
    fn check(&self) -> Result<(), StoreError>;

    /// Writes the token and reads it back.
    ///
    /// # Errors
    /// When the store is unreachable, locked, refuses, or gives back something else.
    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<(), StoreError>;

    /// The token in the slot, or `None` when the slot is empty.
    ///
    /// # Errors
    /// When the store is unreachable, locked, refuses, holds no token, or cannot be read here.
    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError>;
}

/// Why a store did not do it.
#[derive(Debug, thiserror::Error)]
#[error("{store}: {problem}")]
pub struct StoreError {
    /// The store's URL, free of secrets.
    pub store: String,
    /// What happened: a clause without secrets.
    pub problem: String,
    /// The class of it.
    pub kind: StoreErrorKind,
    /// What to do about it.
    pub hint: String,
}

/// Classes of store errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Nobody answers: try again.
    Unreachable,
    /// Locked, and nobody is there to unlock it: try again after unlocking.
    Locked,
    /// It answered, and refused.
    Refused,
    /// No answer within the deadline: try again.
    Timeout,
    /// This machine can write it but not read it (age without an identity).
    WriteOnly,
    /// What was read back, or stood there, is not what it should be.
    Corrupt,
    /// The store's configuration does not hold.
    Misconfigured,
}
