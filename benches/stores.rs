//! How long a token takes into each store, and 200 tokens at once.
//!
//! `cargo bench --all-features --bench stores` prints two tables. It starts what it needs, on loopback and in a home of
//! its own: a GNOME Keyring and an OpenBao, as the tests do (`tests/run.sh` says what must be installed). Numbers after
//! `--` are those of publishes and of tokens at once: `-- 200 200`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark"
)]

#[path = "stores/at_once.rs"]
mod at_once;
#[path = "stores/shelf.rs"]
mod shelf;
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "the tests' servers: some are not needed here"
)]
#[path = "../tests/it/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use sftoken::ingest::order::{Arrival, Rank};
use sftoken::store::{Key, Meta, Store};
use sftoken::{Org, Token};

use shelf::Shelf;
use support::secret_service::SecretService;

/// Publishes of one row are measured so often.
const PUBLISHES: usize = 200;
/// Tokens that come at once.
const TOKENS: usize = 200;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // A keyring's bus is found by the environment, so the rest runs in a process that has it.
    if std::env::var_os("STORES_BENCH").is_none() {
        let service = SecretService::unlocked();
        let mut child = service.command(std::env::current_exe().unwrap());
        let status = child.args(words).env("STORES_BENCH", "1").status();
        assert!(status.unwrap().success());
        return;
    }
    let mut numbers = words.iter().filter_map(|word| word.parse().ok());
    let publishes = numbers.next().unwrap_or(PUBLISHES);
    let tokens = numbers.next().unwrap_or(TOKENS);
    let shelf = Shelf::new();
    println!("| store | publishes | p50 ms | p95 ms | max ms |\n|---|---|---|---|---|");
    for (name, url) in shelf.stores() {
        row(name, latencies(&*shelf.open(&url), publishes));
    }
    println!();
    at_once::table(&shelf, tokens);
}

/// One after the other, each newer than the one before.
fn latencies(store: &dyn Store, count: usize) -> Vec<Duration> {
    let begin = Timestamp::now() - SignedDuration::from_hours(1);
    let key = Key {
        username: "integration@acme.example".to_owned(),
        org: Org::Production,
    };
    let mut taken: Vec<Duration> = (0..count)
        .map(|number| {
            let token = Token::new(&shelf::token(number)).unwrap();
            let date = begin + SignedDuration::from_secs(i64::try_from(number).unwrap());
            let meta = Meta {
                fingerprint: token.fingerprint(),
                rank: Rank {
                    date,
                    arrival: Arrival::default(),
                },
                message_id: Some(format!("{number}@mail.example")),
                org: Org::Production,
            };
            let before = Instant::now();
            store.publish(&key, &token, &meta).unwrap();
            before.elapsed()
        })
        .collect();
    taken.sort();
    taken
}

fn row(name: &str, sorted: Vec<Duration>) {
    let at = |share: f64| {
        let place = (sorted.len() as f64 * share) as usize;
        sorted[place.min(sorted.len() - 1)].as_secs_f64() * 1000.0
    };
    println!(
        "| {name} | {} | {:.2} | {:.2} | {:.2} |",
        sorted.len(),
        at(0.5),
        at(0.95),
        at(1.0)
    );
}
