//! Several processes append to one trail, and die.
//!
//! The test binary runs itself; [`child`] plays one of them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sftoken::ledger::{Event, Filter, Ledger};

use super::{decision, entries, noted};

/// A process of its own that appends so many records and decisions in turn: says `ready`, waits for a line.
fn spawn(home: &Path, name: u32, count: u32) -> Child {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "trail::processes::child",
            "--ignored",
            "--nocapture",
        ])
        .env("TRAIL_LEDGER", home.join("ledger.db"))
        .env("TRAIL_NAME", name.to_string())
        .env("TRAIL_COUNT", count.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    child.unwrap()
}

#[test]
#[ignore = "the other half of spawn: run by the tests that need it"]
fn child() {
    let number = |name: &str| std::env::var(name).unwrap().parse::<u32>().unwrap();
    let say = |word: &str| writeln!(std::io::stdout(), "\n{word}").unwrap();
    say("ready");
    std::io::stdin().lines().next();
    // NOTE: opened after the signal, so that making it races as well
    let ledger = Ledger::open(std::env::var("TRAIL_LEDGER").unwrap()).unwrap();
    let name = number("TRAIL_NAME");
    for n in 0..number("TRAIL_COUNT") {
        ledger.note(&noted(i64::from(n))).unwrap();
        ledger
            .record(&decision(name * 10_000 + n, "refused"))
            .unwrap();
        say("appended");
    }
}

fn go(child: &mut Child) {
    child.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
}

/// Waits until the child has said `word` so many times.
#[track_caller]
fn hear(child: &mut Child, word: &str, times: usize) {
    let out = BufReader::new(child.stdout.as_mut().unwrap());
    let heard = out.lines().filter(|line| line.as_ref().unwrap() == word);
    assert_eq!(heard.take(times).count(), times, "{word}");
}

#[test]
fn four_processes_make_one_chain() {
    let home = tempfile::tempdir().unwrap();
    let mut children: Vec<Child> = (1..=4).map(|name| spawn(home.path(), name, 20)).collect();
    children
        .iter_mut()
        .for_each(|child| hear(child, "ready", 1));
    children.iter_mut().for_each(go);
    for mut child in children {
        drop(child.stdout.take().map(std::io::read_to_string));
        assert!(child.wait().unwrap().success());
    }
    let ledger = Ledger::open(home.path().join("ledger.db")).unwrap();
    assert_eq!(ledger.check_trail(None).unwrap().records, 4 * 20 * 2);
    let of = |event| {
        let filter = Filter {
            events: vec![event],
            ..Filter::default()
        };
        entries(&ledger, &filter).len()
    };
    assert_eq!((of(Event::HookDone), of(Event::Refused)), (80, 80));
    assert_eq!(ledger.history(None, 1_000).unwrap().len(), 80);
}

/// `kill -9` in the middle of appending: what was said to be there is there, and the chain is whole.
#[test]
fn a_killed_process_leaves_a_whole_chain() {
    for appended in [1, 3, 10] {
        let home = tempfile::tempdir().unwrap();
        let mut child = spawn(home.path(), 1, 100_000);
        hear(&mut child, "ready", 1);
        go(&mut child);
        hear(&mut child, "appended", appended);
        child.kill().unwrap();
        child.wait().unwrap();
        let ledger = Ledger::open(home.path().join("ledger.db")).unwrap();
        let checked = ledger.check_trail(None).unwrap();
        assert!(checked.records >= 2 * appended as u64, "{checked:?}");
        ledger.note(&noted(0)).unwrap();
        ledger.check_trail(Some(&checked.head)).unwrap();
    }
}
