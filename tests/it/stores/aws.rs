//! AWS's two stores, on moto, and on a stub where it cannot be made to say it.

mod access;
mod faults;
mod order;
mod parameters;
mod secrets;
mod silence;

use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use sftoken::ingest::policy::Org;
use sftoken::store::{Key, Put, Store, StoreError, StoreErrorKind, StoreOptions, open};

use super::{NEW, OLD, Planted, USERNAME, check_error, key, mail_of, token};
use crate::support::moto::{ANYBODY, Moto, action, gate, store};
use crate::support::stub::{Asked, Stub};

/// The name of the account's slot, in both stores.
const SECRET: &str = "sf/integration@acme.example";
const PARAMETER: &str = "/sf/integration_40acme.example";
const BOTH: [&str; 2] = ["awssm", "awsps"];

fn planted(url: &str) -> Arc<dyn Store> {
    let planted = Planted::with(&[("env:AWS_SECRET", ANYBODY.1)]);
    planted.open(url).unwrap()
}

/// The store of a kind on a server, each account with a name of its own.
fn at(server: &Moto, scheme: &str) -> Arc<dyn Store> {
    planted(&server.store(scheme, "sf/{username}", ""))
}

/// The same, behind a gate.
fn behind(gate: &Stub, scheme: &str) -> Arc<dyn Store> {
    let endpoint = format!("http://{}", gate.authority());
    planted(&store(scheme, "sf/{username}", &endpoint, ""))
}

fn put(store: &dyn Store, second: i64, value: &str) -> Result<Put, StoreError> {
    store.publish(&key(USERNAME), &token(value), &mail_of(second, value))
}

fn held(store: &dyn Store) -> Option<String> {
    let held = store.get(&key(USERNAME)).unwrap();
    held.map(|token| token.expose().to_owned())
}

/// The token of a second's mail.
fn of_second(second: i64) -> String {
    format!("TokenOfSecond{second:011}")
}
