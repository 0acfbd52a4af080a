//! A store in memory.
//!
//! Knows what a real conditional store does, and fails on request in each of its ways. Never prints what it
//! holds. Tokens come through the [`Store`] trait.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::ingest::token::Token;
use crate::store::conditional::{self, Conditional, Held, Note, Write};
use crate::store::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind};

const SHOWN: &str = "memory:";

/// A store that lives as long as the value.
///
/// ```
/// use jiff::Timestamp;
/// use sftoken::ingest::{order::{Arrival, Rank}, policy::Org, token::Token};
/// use sftoken::store::{Key, Meta, Put, Store, StoreErrorKind};
/// use sftoken::testing::store::MemoryStore;
///
/// let store = MemoryStore::new();
/// let key = Key { username: "integration@acme.example".into(), org: Org::Production };
/// let token = Token::new("AbCdEfGhIjKlMnOpQrStUvWx")?;
/// let meta = Meta {
///     fingerprint: token.fingerprint(),
///     rank: Rank { date: Timestamp::UNIX_EPOCH, arrival: Arrival::default() },
///     message_id: None,
///     org: Org::Production,
/// };
///
/// store.fail_with(Some(StoreErrorKind::Locked));
/// assert!(store.publish(&key, &token, &meta).is_err());
/// store.fail_with(None);
/// assert_eq!(store.publish(&key, &token, &meta)?, Put::Written);
/// assert_eq!(store.publish(&key, &token, &meta)?, Put::Unchanged);
/// assert_eq!(store.get(&key)?, Some(token));
/// assert_eq!(store.publishes(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Inside>);

/// What happens to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails like this; nothing is written.
    Fail(StoreErrorKind),
    /// Another writer came first; nothing is written.
    Conflict,
    /// It is written wrong: another token stands there.
    Garbled,
    /// It is written, and nobody hears of it: the answer is lost.
    AnswerLost,
}

#[derive(Debug, Default)]
struct Inside {
    slots: HashMap<Key, Slot>,
    failure: Option<StoreErrorKind>,
    faults: VecDeque<Fault>,
    publishes: usize,
}

#[derive(Debug)]
struct Slot {
    token: Token,
    note: Note,
    revision: u64,
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

    /// What happens to the next writes, one each.
    pub fn inject(&self, faults: impl IntoIterator<Item = Fault>) {
        self.inside().faults.extend(faults);
    }

    /// How many tokens were written.
    #[must_use]
    pub fn publishes(&self) -> usize {
        self.inside().publishes
    }

    /// What is known of the slot's token beside its value.
    #[must_use]
    pub fn meta(&self, key: &Key) -> Option<Meta> {
        let inside = self.inside();
        inside.slots.get(key).map(|slot| slot.note.meta.clone())
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> Result<MutexGuard<'_, Inside>, StoreError> {
        let inside = self.inside();
        match inside.failure {
            None => Ok(inside),
            Some(kind) => Err(told_to_fail(kind, "call fail_with(None)")),
        }
    }
}

fn told_to_fail(kind: StoreErrorKind, hint: &str) -> StoreError {
    let problem = format!("told to fail ({})", kind.as_str());
    StoreError::new(SHOWN, kind, problem, hint)
}

impl Store for MemoryStore {
    fn slot(&self, key: &Key) -> String {
        format!("memory:{}/{}", key.org.as_str(), key.username)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: true,
            readable: true,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        self.working().map(drop)
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        conditional::publish(self, key, token, meta, &|_| std::thread::yield_now())
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let inside = self.working()?;
        Ok(inside.slots.get(key).map(|slot| slot.token.clone()))
    }
}

impl Conditional for MemoryStore {
    type Revision = u64;

    fn shown(&self) -> &str {
        SHOWN
    }

    fn read(&self, key: &Key) -> Result<Held<u64>, StoreError> {
        let inside = self.working()?;
        let slot = inside.slots.get(key);
        Ok(Held {
            token: slot.map(|slot| slot.token.clone()),
            note: slot.map(|slot| slot.note.clone()),
            revision: slot.map_or(0, |slot| slot.revision),
        })
    }

    fn write_if(
        &self,
        key: &Key,
        token: &Token,
        note: &Note,
        expected: u64,
    ) -> Result<Write, StoreError> {
        let mut inside = self.working()?;
        let fault = inside.faults.pop_front();
        match fault {
            Some(Fault::Fail(kind)) => return Err(told_to_fail(kind, "nothing: it was told once")),
            Some(Fault::Conflict) => return Ok(Write::Conflict),
            Some(Fault::Garbled | Fault::AnswerLost) | None => {}
        }
        if inside.slots.get(key).map_or(0, |slot| slot.revision) != expected {
            return Ok(Write::Conflict);
        }
        inside.publishes += 1;
        let garbled = Token::new("GarbledGarbledGarbledGar").ok();
        let slot = Slot {
            token: garbled
                .filter(|_| fault == Some(Fault::Garbled))
                .unwrap_or_else(|| token.clone()),
            note: note.clone(),
            revision: expected + 1,
        };
        inside.slots.insert(key.clone(), slot);
        match fault {
            Some(Fault::AnswerLost) => Err(told_to_fail(
                StoreErrorKind::Timeout,
                "nothing: it was told once",
            )),
            _ => Ok(Write::Done),
        }
    }
}
