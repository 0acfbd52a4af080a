//! Vault's API on a real OpenBao, and on a stub where a server cannot be made to say it.

mod access;
mod faults;
mod order;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sftoken::ingest::order::{Arrival, Rank};
use sftoken::ingest::policy::Org;
use sftoken::ingest::secret::Secret;
use sftoken::store::{
    Key, Meta, NoSecret, Put, Secrets, Store, StoreError, StoreErrorKind, StoreOptions, open,
};

use super::{NEW, OLD, USERNAME, key, token};
use crate::support::openbao::{OpenBao, ROOT};

/// Secrets by reference, as a test plants them; they can be changed.
#[derive(Clone, Debug, Default)]
struct Planted(Arc<Mutex<BTreeMap<String, String>>>);

impl Planted {
    fn with(pairs: &[(&str, &str)]) -> Self {
        let planted = Self::default();
        for (name, value) in pairs {
            planted.set(name, value);
        }
        planted
    }

    fn set(&self, name: &str, value: &str) {
        self.0
            .lock()
            .unwrap()
            .insert(name.to_owned(), value.to_owned());
    }

    fn open(&self, url: &str) -> Result<Arc<dyn Store>, StoreError> {
        let options = StoreOptions {
            deadline: Some(Duration::from_secs(30)),
            secrets: Some(Arc::new(self.clone())),
            ..StoreOptions::default()
        };
        open(url, &options)
    }
}

impl Secrets for Planted {
    fn read(&self, reference: &str) -> Result<Secret, NoSecret> {
        let found = self.0.lock().unwrap().get(reference).cloned();
        found.map(Secret::new).ok_or_else(|| NoSecret {
            problem: format!("{reference} is not set"),
            hint: "set it".to_owned(),
            passing: false,
        })
    }
}

/// The store at a path of a server, as root.
fn rooted(server: &OpenBao, path: &str) -> Arc<dyn Store> {
    let planted = Planted::with(&[("env:VAULT_TOKEN", ROOT)]);
    planted.open(&server.url(path, "")).unwrap()
}

/// What is known of the token of this second's mail.
fn mail_of(second: i64, value: &str) -> Meta {
    Meta {
        fingerprint: token(value).fingerprint(),
        rank: Rank {
            date: jiff::Timestamp::from_second(1_764_000_000 + second).unwrap(),
            arrival: Arrival::default(),
        },
        message_id: Some(format!("{second}@mail.example")),
        org: Org::Production,
    }
}

fn put(store: &dyn Store, second: i64, value: &str) -> Result<Put, StoreError> {
    store.publish(&key(USERNAME), &token(value), &mail_of(second, value))
}

fn held(store: &dyn Store) -> Option<String> {
    let held = store.get(&key(USERNAME)).unwrap();
    held.map(|token| token.expose().to_owned())
}

#[track_caller]
fn check_error(error: &StoreError, kind: StoreErrorKind, problem: &str, hint: &str) {
    assert_eq!(error.kind, kind, "{error} [{}]", error.hint);
    assert!(error.problem.contains(problem), "{error} [{}]", error.hint);
    assert!(error.hint.contains(hint), "{error} [{}]", error.hint);
}
