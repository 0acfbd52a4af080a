//! How fast the heart goes over a folder of mails, in one thread, files in memory.
//!
//! `cargo bench --bench folder -- FOLDER [KEYS]` prints one JSON line: mails, found, bytes and the
//! seconds of the best of five passes. Without KEYS no proof is demanded.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark")]

use std::path::PathBuf;
use std::time::Instant;

use sftoken::ingest::policy::Demand;
use sftoken::{KeyAnswers, Mail, Outcome, Policy, Recipe, as_sent, examine};

fn main() {
    let mut args = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"));
    let folder = PathBuf::from(args.next().expect("usage: folder FOLDER [KEYS]"));
    let keys = args
        .next()
        .map(|path| std::fs::read_to_string(path).expect("key file"));
    let demand = if keys.is_some() {
        Demand::Dkim
    } else {
        Demand::Nothing
    };
    let keys = KeyAnswers::from_key_file(&keys.unwrap_or_default()).expect("key file");
    let mails: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .expect("folder")
        .map(|entry| std::fs::read(entry.expect("entry").path()).expect("mail"))
        .map(|bytes| as_sent(&bytes).into_owned())
        .collect();
    let policy = Policy {
        demand,
        ..Policy::default()
    };
    let now = jiff::Timestamp::now();
    let (mut best, mut found) = (f64::MAX, 0);
    for _ in 0..5 {
        let begin = Instant::now();
        found = mails
            .iter()
            .filter(|bytes| is_found(bytes, &keys, &policy, now))
            .count();
        best = best.min(begin.elapsed().as_secs_f64());
    }
    let bytes: usize = mails.iter().map(Vec::len).sum();
    println!(
        "{{\"mails\":{},\"found\":{found},\"bytes\":{bytes},\"best_s\":{best}}}",
        mails.len()
    );
}

fn is_found(bytes: &[u8], keys: &KeyAnswers, policy: &Policy, now: jiff::Timestamp) -> bool {
    let mail = Mail::parse(bytes);
    matches!(
        examine(&mail, keys, policy, Recipe::built_in(), now),
        Outcome::Found(_)
    )
}
