//! Stores against the real programs that others read them with.

mod age;
mod aws;
mod azure;
mod default;
mod exec;
mod gcp;
mod github;
mod keyring;
mod kubernetes;
mod process;
mod race;
mod recipes;
mod vault;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use sftoken::ingest::order::{Arrival, Rank};
use sftoken::ingest::policy::Org;
use sftoken::ingest::secret::Secret;
use sftoken::ingest::token::Token;
use sftoken::store::{
    Key, Meta, NoSecret, Secrets, Store, StoreError, StoreErrorKind, StoreOptions, open,
};

const USERNAME: &str = "integration@acme.example";
const OLD: &str = "OldTokenOldTokenOldToken";
const NEW: &str = "NewTokenNewTokenNewToken";

fn key(username: &str) -> Key {
    Key {
        username: username.to_owned(),
        org: Org::Production,
    }
}

fn token(value: &str) -> Token {
    Token::new(value).unwrap()
}

fn meta(token: &Token) -> Meta {
    Meta {
        fingerprint: token.fingerprint(),
        rank: Rank {
            date: Timestamp::from_second(1_764_000_000).unwrap(),
            arrival: Arrival::default(),
        },
        org: Org::Production,
        message_id: Some("one@mail.example".to_owned()),
    }
}

fn options(deadline: Duration) -> StoreOptions {
    StoreOptions {
        interactive: false,
        deadline: Some(deadline),
        ..StoreOptions::default()
    }
}

/// What is known of the token of this second's mail.
fn mail_of(second: i64, value: &str) -> Meta {
    Meta {
        fingerprint: token(value).fingerprint(),
        rank: Rank {
            date: Timestamp::from_second(1_764_000_000 + second).unwrap(),
            arrival: Arrival::default(),
        },
        message_id: Some(format!("{second}@mail.example")),
        org: Org::Production,
    }
}

/// Secrets by reference, as a test plants them; they can be changed.
#[derive(Clone, Debug, Default)]
struct Planted(Arc<Mutex<BTreeMap<String, String>>>, Arc<AtomicUsize>);

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

    /// How often a secret was read.
    fn reads(&self) -> usize {
        self.1.load(Ordering::SeqCst)
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
        self.1.fetch_add(1, Ordering::SeqCst);
        let found = self.0.lock().unwrap().get(reference).cloned();
        found.map(Secret::new).ok_or_else(|| NoSecret {
            problem: format!("{reference} is not set"),
            hint: "set it".to_owned(),
            passing: false,
        })
    }
}

/// Eight seconds in an order of the round's own: Fisher and Yates, with the numbers of Knuth's MMIX.
fn shuffled(round: u64) -> [i64; 8] {
    let mut seconds = [0, 1, 2, 3, 4, 5, 6, 7];
    let mut state = round;
    for at in (1..seconds.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let other = usize::try_from(state >> 33).unwrap() % (at + 1);
        seconds.swap(at, other);
    }
    seconds
}

#[track_caller]
fn check_error(error: &StoreError, kind: StoreErrorKind, problem: &str, hint: &str) {
    assert_eq!(error.kind, kind, "{error} [{}]", error.hint);
    assert!(error.problem.contains(problem), "{error} [{}]", error.hint);
    assert!(error.hint.contains(hint), "{error} [{}]", error.hint);
}
