//! Many tokens at once through the whole pipeline: proof, store, ledger on the disk.
//!
//! Knows two ways: `sftoken replay`, one mail after the other in one process, and the library with all mails in flight.
//! Never counts the making of the mails, nor the start of servers. Each run has a ledger of its own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use sftoken::dns::Resolver;
use sftoken::ingest::order::Arrival;
use sftoken::ledger::{Ledger, Source};
use sftoken::watch::{Letter, Pipeline, Stores, Verdict};
use sftoken::{KeyAnswers, Policy};

use crate::shelf::{Shelf, token};
use crate::support::openbao::ROOT;
use crate::support::salesforce::{SELECTOR, ago, genuine, key_name, key_record};

/// Prints a row for each store.
pub(crate) fn table(shelf: &Shelf, count: usize) {
    println!(
        "| store | tokens | `replay`: wall s | CPU s | all in flight: wall s | stored at the first try |\n|---|---|---|---|---|---|"
    );
    // one round for each way, so that no mail is older than what is there
    let mails = |round: usize| {
        (0..count).map(move |number| {
            let username = format!("user{number}@acme.example");
            let age = i64::try_from(1000 - 100 * round).unwrap();
            genuine(&username, &token(count * round + number), ago(age))
        })
    };
    let keys = format!("{} {}\n", key_name(SELECTOR), key_record());
    let folder = shelf.folder().join("mails");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, mail) in mails(0).enumerate() {
        std::fs::write(folder.join(format!("{number}.eml")), mail).unwrap();
    }
    std::fs::write(shelf.folder().join("dns.keys"), &keys).unwrap();
    for (name, url) in shelf.stores() {
        let (wall, cpu) = match url.as_str() {
            "memory" => ("-".to_owned(), "-".to_owned()),
            url => replay(shelf, &folder, url),
        };
        let letters: Vec<Letter> = mails(1).enumerate().map(letter).collect();
        let (flight, stored) = in_flight(shelf, &url, letters, &keys);
        println!("| {name} | {count} | {wall} | {cpu} | {flight:.2} | {stored} |");
    }
}

fn letter((number, bytes): (usize, Vec<u8>)) -> Letter {
    let name = format!("{number}.eml");
    Letter {
        bytes,
        source: Source::File { file: name.clone() },
        name,
        arrival: Arrival {
            number: number as u64,
            ..Arrival::default()
        },
    }
}

/// `sftoken replay` over the folder: wall time, and CPU time with the programs that it starts.
fn replay(shelf: &Shelf, mails: &Path, url: &str) -> (String, String) {
    let state = tempfile::tempdir_in(shelf.folder()).unwrap();
    let before = (Instant::now(), children_cpu());
    let output = Command::new(env!("CARGO_BIN_EXE_sftoken"))
        .args(["replay", "-q", "--keys"])
        .arg(shelf.folder().join("dns.keys"))
        .args(["--store", url])
        .arg(mails)
        .env("XDG_STATE_HOME", state.path())
        .env("ROOT_TOKEN", ROOT)
        .output()
        .unwrap();
    let wall = before.0.elapsed().as_secs_f64();
    assert!(output.status.success(), "{output:?}");
    let cpu = children_cpu() - before.1;
    (format!("{wall:.2}"), format!("{cpu:.2}"))
}

/// All mails at once, in one process, as when 200 mailboxes bring one each.
fn in_flight(shelf: &Shelf, url: &str, letters: Vec<Letter>, keys: &str) -> (f64, usize) {
    let state = tempfile::tempdir_in(shelf.folder()).unwrap();
    let pipeline = Arc::new(Pipeline::new(
        Arc::new(Policy::default()),
        Arc::new(Resolver::from_files(
            KeyAnswers::from_key_file(keys).unwrap(),
        )),
        Arc::new(Stores::all_in(shelf.open(url))),
        Arc::new(Ledger::open(state.path().join("ledger.db")).unwrap()),
    ));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let before = Instant::now();
    let stored = runtime.unwrap().block_on(async {
        let running: Vec<_> = letters
            .into_iter()
            .map(|letter| {
                let pipeline = Arc::clone(&pipeline);
                tokio::spawn(async move { pipeline.process(letter).await.remove(0) })
            })
            .collect();
        let mut stored = 0;
        for one in running {
            match one.await.unwrap() {
                Verdict::Settled(receipt) if receipt.stored_at.is_some() => stored += 1,
                Verdict::Settled(receipt) => panic!("{receipt:?}"),
                Verdict::Open(_, trouble) => eprintln!("{trouble}"),
            }
        }
        stored
    });
    (before.elapsed().as_secs_f64(), stored)
}

/// CPU seconds of the children that have ended: proc(5), fields 16 and 17, in ticks of 10 ms.
fn children_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind = stat.rsplit(')').next().unwrap();
    let fields: Vec<f64> = behind
        .split_whitespace()
        .map(|field| field.parse().unwrap_or_default())
        .collect();
    (fields[13] + fields[14]) / 100.0
}
