//! A store in memory.
//!
//! Knows what a real store does, and fails on request in each of its ways. Never prints what it
//! holds. Tokens come through the [`Store`] trait.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ingest::token::Token;
use crate::store::{Capabilities, Key, Meta, Store, StoreError, StoreErrorKind};

/// A store that lives as long as the value.
///
/// ```
/// use jiff::Timestamp;
/// use sftoken::ingest::{policy::Org, token::Token};
/// use sftoken::store::{Key, Meta, Store, StoreErrorKind};
/// use sftoken::testing::store::MemoryStore;
///
/// let store = MemoryStore::new();
/// let key = Key { username: "integration@acme.example".into(), org: Org::Production };
/// let token = Token::new("AbCdEfGhIjKlMnOpQrStUvWx")?;
/// let meta = Meta { fingerprint: token.fingerprint(), date: Timestamp::UNIX_EPOCH, message_id: None };
///
/// store.fail_with(Some(StoreErrorKind::Locked));
/// assert!(store.publish(&key, &token, &meta).is_err());
/// store.fail_with(None);
/// store.publish(&key, &token, &meta)?;
/// assert_eq!(store.get(&key)?, Some(token));
/// assert_eq!(store.publishes(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    slots: HashMap<Key, (Token, Meta)>,
    failure: Option<StoreErrorKind>,
    publishes: usize,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every call fails like this; `None`: no more.
    pub fn fail_with(&self, failure: Option<StoreErrorKind>) {
        self.inside().failure = failure;
    }

    /// How many tokens were written.
    #[must_use]
    pub fn publishes(&self) -> usize {
        self.inside().publishes
    }

    /// What is known of the slot's token beside its value.
    #[must_use]
    pub fn meta(&self, key: &Key) -> Option<Meta> {
        self.inside().slots.get(key).map(|(_, meta)| meta.clone())
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> Result<MutexGuard<'_, Inside>, StoreError> {
        let inside = self.inside();
        match inside.failure {
            None => Ok(inside),
            Some(kind) => Err(StoreError::new(
                "memory:",
                kind,
                format!("told to fail ({})", kind.as_str()),
                "call fail_with(None)",
            )),
        }
    }
}

impl Store for MemoryStore {
    fn slot(&self, key: &Key) -> String {
        format!("memory:{}/{}", key.org.as_str(), key.username)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: false,
            readable: true,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        self.working().map(drop)
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<(), StoreError> {
        let mut inside = self.working()?;
        inside.publishes += 1;
        inside
            .slots
            .insert(key.clone(), (token.clone(), meta.clone()));
        Ok(())
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let inside = self.working()?;
        Ok(inside.slots.get(key).map(|(token, _)| token.clone()))
    }
}
