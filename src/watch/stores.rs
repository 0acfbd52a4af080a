//! Which account's token goes to which store.
//!
//! Knows routes. Never opens a store: they are given. Filled from the configuration, or by a library
//! user.

use std::sync::Arc;

use super::verdict::Trouble;
use crate::store::{Key, Store, StoreError, StoreErrorKind};

/// The store of each account, and one for accounts that have none of their own.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    own: Vec<(Key, Arc<dyn Store>)>,
    default: Option<Arc<dyn Store>>,
}

impl Stores {
    /// One store for every account.
    #[must_use]
    pub fn all_in(store: Arc<dyn Store>) -> Self {
        Self {
            own: Vec::new(),
            default: Some(store),
        }
    }

    /// Gives an account its own store.
    pub fn route(&mut self, key: Key, store: Arc<dyn Store>) {
        self.own.push((key, store));
    }

    /// The store of an account.
    pub(super) fn of(&self, key: &Key) -> Result<Arc<dyn Store>, Trouble> {
        let own = self.own.iter().find(|(owner, _)| owner == key);
        let store = own.map(|(_, store)| store).or(self.default.as_ref());
        store.cloned().ok_or_else(|| Trouble::Store(no_store(key)))
    }

    /// Every store, each once by its slot for nobody in particular: to check them before waiting.
    pub fn each(&self) -> impl Iterator<Item = &Arc<dyn Store>> {
        self.own.iter().map(|(_, store)| store).chain(&self.default)
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
