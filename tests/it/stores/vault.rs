//! Vault's API on a real OpenBao, and on a stub where a server cannot be made to say it.

mod access;
mod faults;
mod order;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sftoken::ingest::policy::Org;
use sftoken::store::{Key, Put, Store, StoreError, StoreErrorKind};

use super::{NEW, OLD, Planted, USERNAME, check_error, key, mail_of, token};
use crate::support::openbao::{OpenBao, ROOT};

/// The store at a path of a server, as root.
fn rooted(server: &OpenBao, path: &str) -> Arc<dyn Store> {
    let planted = Planted::with(&[("env:VAULT_TOKEN", ROOT)]);
    planted.open(&server.url(path, "")).unwrap()
}

fn put(store: &dyn Store, second: i64, value: &str) -> Result<Put, StoreError> {
    store.publish(&key(USERNAME), &token(value), &mail_of(second, value))
}

fn held(store: &dyn Store) -> Option<String> {
    let held = store.get(&key(USERNAME)).unwrap();
    held.map(|token| token.expose().to_owned())
}
