//! Compare, then set: how a store with a conditional write takes a token.
//!
//! Knows the order of tokens in a slot, conflicts, and reading back. Never writes over a newer token, whoever
//! races, and never over another account's. What is held comes from the store, the pauses from its caller.
//!
//! ```text
//!       ┌──────────── another writer came between: pause ◄─┐
//!       ▼                                                  │
//! read: token, note, revision ─► admit ─► write_if(revision) ─► read back ─► Put::Written
//!                                  └─► Put::{Unchanged, Superseded, OtherOrg}
//! ```

use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::{Key, Meta, Put, StoreError, StoreErrorKind};
use crate::ingest::token::Token;

/// Each conflict means that another writer got through. A fleet that writes one slot more than this often at
/// once is tried again later, as when a store is away.
const TRIES: u32 = 16;
/// A write takes a store 5 to 50 ms.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits before the given try (from 1), for a time that differs between writers.
pub type Pause<'p> = &'p dyn Fn(u32);

/// A store with a conditional write.
pub trait Conditional {
    /// What a write is conditional on, and whatever else a write must know of what was read.
    type Revision;

    /// The store's URL for errors, free of secrets.
    fn shown(&self) -> &str;

    /// What the slot holds now. An empty slot has a revision too.
    ///
    /// # Errors
    /// When the store is unreachable, locked, refuses, or holds what cannot be understood.
    fn read(&self, key: &Key) -> Result<Held<Self::Revision>, StoreError>;

    /// Writes token and note together, unless the slot has another revision by now.
    ///
    /// # Errors
    /// When the store is unreachable, locked or refuses. A conflict is no error.
    fn write_if(
        &self,
        key: &Key,
        token: &Token,
        note: &Note,
        expected: Self::Revision,
    ) -> Result<Write, StoreError>;
}

/// What a slot holds.
#[derive(Debug)]
pub struct Held<R> {
    /// The token, if there is one.
    pub token: Option<Token>,
    /// Where it came from; `None` when the slot is empty, or when someone else has written it. A store that
    /// can, keeps the note of a token that was deleted.
    pub note: Option<Note>,
    /// The revision that was read.
    pub revision: R,
}

/// What stands beside a token, free of secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The Salesforce username.
    pub username: String,
    /// The rest.
    #[serde(flatten)]
    pub meta: Meta,
}

/// How a conditional write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// It is written.
    Done,
    /// Another writer came first: nothing was written.
    Conflict,
}

impl Note {
    /// The note of a token.
    #[must_use]
    pub fn new(key: &Key, meta: &Meta) -> Self {
        Self {
            username: key.username.clone(),
            meta: meta.clone(),
        }
    }

    /// The same mail may stand in two mailboxes, with two arrivals, as for the ledger.
    fn same_mail(&self, other: &Self) -> bool {
        self.meta.fingerprint == other.meta.fingerprint
            && self.meta.message_id == other.meta.message_id
            && self.meta.rank.date == other.meta.rank.date
    }
}

/// Publishes a token into a conditional store and reads it back.
///
/// # Errors
/// As [`Store::publish`](super::Store::publish).
pub fn publish<S: Conditional + ?Sized>(
    store: &S,
    key: &Key,
    token: &Token,
    meta: &Meta,
    pause: Pause<'_>,
) -> Result<Put, StoreError> {
    let note = Note::new(key, meta);
    for attempt in 0..TRIES {
        if attempt > 0 {
            pause(attempt);
        }
        let held = store.read(key)?;
        if let Some(kept) = admit(store.shown(), &held, token, &note)? {
            return Ok(kept);
        }
        if store.write_if(key, token, &note, held.revision)? == Write::Done {
            return confirm(store, key, token, &note);
        }
    }
    Err(StoreError::new(
        store.shown(),
        StoreErrorKind::Unreachable,
        format!("{TRIES} times another writer came first"),
        "it will be tried again; see who writes to this slot so often",
    ))
}

/// Whether the slot keeps what it holds; `None`: it is to be written.
fn admit<R>(
    shown: &str,
    held: &Held<R>,
    token: &Token,
    note: &Note,
) -> Result<Option<Put>, StoreError> {
    let Some(before) = &held.note else {
        return Ok(None);
    };
    if before.username != note.username {
        return Err(stranger(shown));
    }
    if before.meta.org != note.meta.org {
        return Ok(Some(Put::OtherOrg));
    }
    if before.same_mail(note) {
        return match &held.token {
            Some(same) if same == token => Ok(Some(Put::Unchanged)),
            Some(_) => Err(changed(shown)),
            None => Ok(None),
        };
    }
    let newer = note.meta.rank > before.meta.rank;
    Ok((!newer).then_some(Put::Superseded))
}

/// Reads back. A newer token may have come right after ours; anything else is not what was written.
fn confirm<S: Conditional + ?Sized>(
    store: &S,
    key: &Key,
    token: &Token,
    note: &Note,
) -> Result<Put, StoreError> {
    let held = store.read(key)?;
    match &held.note {
        Some(found) if found == note && held.token.as_ref() == Some(token) => Ok(Put::Written),
        Some(found) if found.username == note.username && found.meta.rank > note.meta.rank => {
            Ok(Put::Superseded)
        }
        _ => Err(StoreError::new(
            store.shown(),
            StoreErrorKind::Corrupt,
            "what was read back is not what was written",
            "another program writes to the same slot: find it; the token is tried again",
        )),
    }
}

/// NOTE: a person's token may be newer than the mail, and a garbled one must not stay: neither is ours to guess.
fn changed(shown: &str) -> StoreError {
    StoreError::new(
        shown,
        StoreErrorKind::Corrupt,
        "the slot holds another token than the one that this mail brought and that was stored there",
        "find out who changed it: if that token is right, ignore this; to let the mail's token return, delete the slot's value",
    )
}

fn stranger(shown: &str) -> StoreError {
    StoreError::new(
        shown,
        StoreErrorKind::Misconfigured,
        "the slot holds the token of another account",
        "give each account its own: write {username} in the store's URL, or give it another store",
    )
}

/// Sleeps longer with each try, by chance: writers that met once do not meet again.
pub fn jitter(attempt: u32) {
    let mut byte = [0];
    // Without randomness the pauses are alike, which costs tries and nothing else.
    let _ = SystemRandom::new().fill(&mut byte);
    let most = PAUSE.saturating_mul(attempt);
    std::thread::sleep(most.mul_f64(f64::from(byte[0]) / 255.0));
}

#[cfg(test)]
#[cfg(feature = "testing")]
#[path = "conditional_tests.rs"]
mod tests;
