//! Where tokens go: one value into one slot.
//!
//! Knows how each store writes, reads back and fails. Never knows mails, recipes or the ledger: the
//! order of writes is decided by its caller. Secrets come from [`Token::expose`], here and in few
//! other places.
//!
//! ```text
//! URL -> open -> Store ── publish(key, token, meta): write -> read back -> Put
//!                      └─ get(key): the token, or the empty slot, or why not
//! ```
//!
//! A store that can compare and set is [`Conditional`]: it reads and writes, and one driver,
//! [`conditional::publish`], does the rest.

#[cfg_attr(
    not(any(
        all(feature = "exec", unix),
        feature = "vault",
        feature = "kubernetes",
        feature = "github",
        feature = "aws",
        feature = "gcp",
        feature = "azure"
    )),
    expect(dead_code, reason = "only some stores have parameters")
)]
mod address;
#[cfg(feature = "age")]
mod age;
#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
pub mod conditional;
mod error;
#[cfg(all(feature = "exec", unix))]
mod exec;
#[cfg(feature = "gcp")]
mod gcp;
#[cfg(feature = "github")]
mod github;
#[cfg(any(feature = "gcp", feature = "azure"))]
mod grant;
#[cfg(any(feature = "gcp", feature = "github"))]
mod jwt;
#[cfg(feature = "keyring")]
mod keyring;
#[cfg(feature = "kubernetes")]
mod kubernetes;
#[cfg(any(feature = "gcp", feature = "azure"))]
mod name;
mod open;
#[cfg(any(feature = "gcp", feature = "github", feature = "kubernetes"))]
mod pem;
#[cfg(any(
    feature = "vault",
    feature = "kubernetes",
    feature = "github",
    feature = "aws",
    feature = "gcp",
    feature = "azure"
))]
mod remote;
mod secrets;
#[cfg(any(feature = "gcp", feature = "azure", feature = "github"))]
mod session;
#[cfg(any(feature = "vault", feature = "aws"))]
mod template;
#[cfg(feature = "vault")]
mod vault;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ingest::order::Rank;
use crate::ingest::policy::Org;
use crate::ingest::token::{Fingerprint, Token};
#[cfg(any(
    feature = "keyring",
    all(feature = "exec", unix),
    feature = "vault",
    feature = "kubernetes",
    feature = "aws"
))]
use crate::plain;

pub use conditional::Conditional;
pub use error::{StoreError, StoreErrorKind};
#[cfg(feature = "keyring")]
pub use keyring::{password, set_password};
pub use open::{StoreOptions, choose_default, open};
pub use secrets::{NoSecret, Secrets};

/// Which token: the account, as a store names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The Salesforce username.
    pub username: String,
    /// The kind of org.
    pub org: Org,
}

/// What is known of a token beside its value; stores that can, keep it beside the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The token's fingerprint.
    pub fingerprint: Fingerprint,
    /// Its mail's place in the order of tokens: the signed Date, then the arrival.
    pub rank: Rank,
    /// The Message-ID of its mail.
    pub message_id: Option<String>,
    /// The kind of org.
    pub org: Org,
}

/// How a publish ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Written and read back.
    Written,
    /// The slot holds the token of this very mail already: nothing was written.
    Unchanged,
    /// The slot holds a newer token: nothing was written, or the newer one came right after.
    Superseded,
    /// The slot holds a token of the other kind of org: nothing was written.
    OtherOrg,
}

/// What a store can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// `publish` is conditional on the store's own revision; otherwise the ledger orders writes.
    pub conditional: bool,
    /// `get` works on this machine (an age store without an identity cannot).
    pub readable: bool,
}

/// A place for tokens. Calls may block, each for a bounded time; run them off the async threads.
pub trait Store: Send + Sync + fmt::Debug {
    /// The slot of `key` as a URL free of secrets; receipts show it, and the ledger orders the
    /// writes of each slot. Two keys share a slot when the store cannot tell them apart.
    fn slot(&self, key: &Key) -> String;

    /// What this store can do.
    fn capabilities(&self) -> Capabilities;

    /// Whether a `publish` could work now. Changes nothing.
    ///
    /// # Errors
    /// The same that `publish` would give.
    fn check(&self) -> Result<(), StoreError>;

    /// Writes the token and reads it back. Writing the same token again is harmless. A store that is
    /// not [conditional](Capabilities::conditional) writes whatever it is given: its caller has the order.
    ///
    /// # Errors
    /// When the store is unreachable, locked, refuses, or gives back something else.
    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError>;

    /// The token in the slot, or `None` when the slot is empty.
    ///
    /// # Errors
    /// When the store is unreachable, locked, refuses, holds no token, or cannot be read here.
    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError>;

    /// Brings the slot up to what is configured now, without changing its token: an age file whose recipients
    /// have changed is sealed anew. `true`: it was done; `false`: there was nothing to do, as in most stores. Its
    /// caller holds the slot's lock, so that no other token is written meanwhile.
    ///
    /// # Errors
    /// When the slot does not fit the configuration, and this machine cannot change that.
    fn renew(&self, key: &Key) -> Result<bool, StoreError> {
        let _ = key;
        Ok(false)
    }
}

/// The token in bytes that a store gave back; line ends that a person's `echo` left are forgiven.
#[cfg(any(
    feature = "keyring",
    feature = "age",
    feature = "exec",
    feature = "vault",
    feature = "kubernetes",
    feature = "aws",
    feature = "gcp",
    feature = "azure"
))]
fn token_in(bytes: &[u8]) -> Option<Token> {
    let text = std::str::from_utf8(bytes).ok()?;
    Token::new(text.trim_end_matches(['\r', '\n'])).ok()
}
