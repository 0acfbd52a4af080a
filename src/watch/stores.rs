//! Which account's token goes to which stores.
//!
//! Knows routes. Never opens a store: they are given. Filled from the configuration, or by a library
//! user.

use std::sync::Arc;

use super::verdict::Trouble;
use crate::store::{Key, Store, StoreError, StoreErrorKind};

/// The stores of each account, and one for accounts that have none of their own.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    own: Vec<(Key, Vec<Arc<dyn Store>>)>,
    default: Vec<Arc<dyn Store>>,
}

impl Stores {
    /// One store for every account.
    #[must_use]
    pub fn all_in(store: Arc<dyn Store>) -> Self {
        Self {
            own: Vec::new(),
            default: vec![store],
        }
    }

    /// Gives an account its own store; called again, one more. Each of them gets every token.
    pub fn route(&mut self, key: Key, store: Arc<dyn Store>) {
        match self.own.iter_mut().find(|(owner, _)| *owner == key) {
            Some((_, stores)) => stores.push(store),
            None => self.own.push((key, vec![store])),
        }
    }

    /// The stores of an account, at least one.
    pub(super) fn of(&self, key: &Key) -> Result<&[Arc<dyn Store>], Trouble> {
        let own = self.own.iter().find(|(owner, _)| owner == key);
        let stores = own.map_or(&self.default, |(_, stores)| stores);
        match stores.is_empty() {
            true => Err(Trouble::Store(no_store(key))),
            false => Ok(stores),
        }
    }

    /// The slots of an account.
    #[must_use]
    pub fn slots(&self, key: &Key) -> Vec<String> {
        let stores = self.of(key).unwrap_or_default();
        stores.iter().map(|store| store.slot(key)).collect()
    }

    /// Every store, each once by its slot for nobody in particular: to check them before waiting.
    pub fn each(&self) -> impl Iterator<Item = &Arc<dyn Store>> {
        let own = self.own.iter().flat_map(|(_, stores)| stores);
        own.chain(&self.default)
    }
}

fn no_store(key: &Key) -> StoreError {
    StoreError::new(
        "no store",
        StoreErrorKind::Misconfigured,
        format!("{} ({}) has no store", key.username, key.org.as_str()),
        "name one: [store.default] url = \"keyring://sftoken\"",
    )
}
