//! Several processes on one ledger, racing and dying.
//!
//! The test binary runs itself; [`child`] plays one writer.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

use sftoken::ledger::{Ledger, State};

use super::{SLOT, mail, receipt, token};

/// Does what the loop does with one mail: lock, intend, put, read back, commit. The store is a file.
fn write(ledger: &Ledger, store: &Path, second: u64) {
    let _lock = ledger.lock(SLOT).unwrap();
    if ledger.intend(SLOT, &mail(second)).unwrap().writes() {
        fs::write(store, token(second).expose()).unwrap();
        assert!(ledger.commit(SLOT, &receipt(second)).unwrap());
    }
}

/// A writer in a process of its own: opens the ledger, says `ready`, waits for a line, and does
/// `LEDGER_ACT`.
fn spawn(home: &Path, act: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "ledger::processes::child",
            "--ignored",
            "--nocapture",
        ])
        .env("LEDGER_HOME", home)
        .env("LEDGER_ACT", act)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the child says `word`.
#[track_caller]
fn hear(child: &mut Child, word: &str) {
    let out = BufReader::new(child.stdout.as_mut().unwrap());
    let found = out.lines().any(|line| line.unwrap() == word);
    assert!(found, "the child never said {word:?}");
}

fn say(word: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "\n{word}").unwrap();
}

#[test]
#[ignore = "the other half of spawn: run by the tests that need it"]
fn child() {
    let home = std::env::var("LEDGER_HOME").unwrap();
    let (path, store) = (
        Path::new(&home).join("ledger.db"),
        Path::new(&home).join("store"),
    );
    let act = std::env::var("LEDGER_ACT").unwrap();
    let go = || std::io::stdin().lines().next();
    match act.split_once(' ').unwrap() {
        ("write", second) => {
            say("ready");
            go();
            // NOTE: opened after the signal, so that opening and migrating race as well.
            let ledger = Ledger::open(path).unwrap();
            write(&ledger, &store, second.parse().unwrap());
        }
        ("hold", second) => {
            let ledger = Ledger::open(path).unwrap();
            let _lock = ledger.lock(SLOT).unwrap();
            ledger.intend(SLOT, &mail(second.parse().unwrap())).unwrap();
            say("ready");
            go();
        }
        (other, _) => panic!("{other}"),
    }
}

/// Asks SQLite directly, with the interpreter that every test machine has.
pub(super) fn sqlite(path: &Path, statement: &str) {
    let script =
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()";
    let status = Command::new("python3")
        .args(["-c", script])
        .arg(path)
        .arg(statement)
        .status();
    assert!(status.expect("python3 must be installed").success());
}

#[track_caller]
fn check_newest(home: &Path, second: u64) {
    let ledger = Ledger::open(home.join("ledger.db")).unwrap();
    let newest = ledger.newest(SLOT).unwrap().unwrap();
    assert_eq!(newest.mail, mail(second));
    assert_eq!(newest.state, State::Stored);
    assert_eq!(newest.receipt, Some(receipt(second)));
    assert_eq!(
        fs::read_to_string(home.join("store")).unwrap(),
        token(second).expose()
    );
}

/// An order without a pattern, the same in every run.
fn shuffled(round: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (1..=8).collect();
    order.sort_by_key(|second| {
        (second * 2_654_435_761 + round * 40_503).wrapping_mul(round + 7) % 1009
    });
    order
}

#[test]
fn eight_processes_in_any_order_end_with_the_newest() {
    for round in 0..3 {
        let home = tempfile::tempdir().unwrap();
        let acts = shuffled(round)
            .into_iter()
            .map(|second| format!("write {second}"));
        let mut writers: Vec<Child> = acts.map(|act| spawn(home.path(), &act)).collect();
        writers.iter_mut().for_each(|writer| hear(writer, "ready"));
        for writer in &mut writers {
            writer.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
        }
        for mut writer in writers {
            drop(writer.stdout.take().map(std::io::read_to_string));
            assert!(writer.wait().unwrap().success());
        }
        check_newest(home.path(), 8);
    }
}

#[test]
fn eight_threads_in_any_order_end_with_the_newest() {
    for round in 0..10 {
        let home = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(home.path().join("ledger.db")).unwrap();
        let store = home.path().join("store");
        thread::scope(|scope| {
            for second in shuffled(round) {
                let (ledger, store) = (&ledger, &store);
                scope.spawn(move || write(ledger, store, second));
            }
        });
        check_newest(home.path(), 8);
    }
}

/// `kill -9` between intent and receipt: the lock is free again, the mail is retried, an older one
/// does not slip in.
#[test]
fn a_killed_writer_holds_nothing_and_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = spawn(home.path(), "hold 5");
    hear(&mut writer, "ready");
    let ledger = Ledger::open(home.path().join("ledger.db")).unwrap();
    assert!(ledger.try_lock(SLOT).unwrap().is_none());
    writer.kill().unwrap();
    writer.wait().unwrap();
    let store = home.path().join("store");
    write(&ledger, &store, 4);
    assert!(!store.exists(), "an older mail slipped in");
    assert_eq!(ledger.newest(SLOT).unwrap().unwrap().state, State::Pending);
    write(&ledger, &store, 5);
    check_newest(home.path(), 5);
}
