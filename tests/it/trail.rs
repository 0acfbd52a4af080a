//! The audit trail: what it tells, and that nobody changes it unseen.

mod command;
mod migrate;
mod processes;
mod prune;
mod tamper;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sftoken::ingest::policy::Org;
use sftoken::ingest::token::Fingerprint;
use sftoken::ledger::{
    Decision, Entry, Event, Filter, Ledger, LedgerErrorKind, Order, Record, Source, TrailHead,
};
use tempfile::TempDir;

const ANN: &str = "integration@acme.example";
const BOB: &str = "nightly@acme.example";

/// A time, so many seconds after the first one.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}

/// A record of BOB's that is no decision's.
fn noted(second: i64) -> Record {
    Record {
        username: Some(BOB.to_owned()),
        detail: Some(format!("number {second}: \u{202e}é😀")),
        ..Record::new(at(second), Event::HookDone)
    }
}

/// A decision about a mail of ANN's.
fn decision(uid: u32, outcome: &str) -> Decision {
    Decision {
        at: at(i64::from(uid)),
        source: Source::Mailbox {
            mailbox: "ops".to_owned(),
            folder: "INBOX".to_owned(),
            uid_validity: 7,
            uid,
        },
        outcome: outcome.to_owned(),
        reason: (outcome != "found").then(|| "dkim_missing".to_owned()),
        username: Some(ANN.to_owned()),
        org: Some(Org::Production),
        fingerprint: Some(Fingerprint::from_text("0123456789abcdef")),
        date: Some(at(0)),
        message_id: Some(format!("{uid}@mail.example")),
        body_hash: Some("ab".repeat(32)),
        more_to_come: false,
        slot: (outcome == "found").then(|| "keyring://sftoken/x".to_owned()),
    }
}

/// A ledger in a file, with eight records: of decisions and of other things, in turn.
struct Kept {
    home: TempDir,
}

impl Kept {
    fn new() -> Self {
        let kept = Self {
            home: tempfile::tempdir().unwrap(),
        };
        let ledger = kept.ledger();
        for (second, outcome) in [
            (1, "refused"),
            (3, "undecided"),
            (5, "not_ours"),
            (7, "found"),
        ] {
            ledger.record(&decision(second, outcome)).unwrap();
            ledger.note(&noted(i64::from(second) + 1)).unwrap();
        }
        kept
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("ledger.db")
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(self.path()).unwrap()
    }

    /// What whoever may write the file does to it.
    fn change(&self, statements: &str) {
        let file = rusqlite::Connection::open(self.path()).unwrap();
        file.execute_batch(statements).unwrap();
    }
}

fn entries(ledger: &Ledger, filter: &Filter) -> Vec<Entry> {
    ledger.trail(filter).unwrap().map(Result::unwrap).collect()
}

fn numbers(ledger: &Ledger, filter: &Filter) -> Vec<u64> {
    let entries = entries(ledger, filter);
    entries.iter().map(|entry| entry.seq).collect()
}

/// What is wrong with the trail, in words.
#[track_caller]
fn broken(path: &Path, anchor: Option<&TrailHead>) -> String {
    let checked = Ledger::open(path).unwrap().check_trail(anchor);
    checked.expect_err("it passes for whole").to_string()
}

#[test]
fn everything_is_told_again_in_its_order() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    let all = entries(&ledger, &Filter::default());
    let events: Vec<&str> = all
        .iter()
        .map(|entry| entry.record.event.as_str())
        .collect();
    let decided = ["refused", "undecided", "not_ours", "stored"];
    let expected: Vec<&str> = decided
        .iter()
        .flat_map(|&word| [word, "hook_done"])
        .collect();
    assert_eq!(events, expected);
    assert_eq!(all[0].record, Record::from(&decision(1, "refused")));
    assert_eq!(all[7].record, noted(8));
    let checked = ledger.check_trail(None).unwrap();
    assert_eq!((checked.records, checked.base), (8, TrailHead::start()));
    assert_eq!(checked.head, ledger.trail_head().unwrap());
    assert_eq!((checked.head.seq, &checked.head.hash), (8, &all[7].hash));
}

#[test]
fn an_empty_trail_is_whole() {
    let ledger = Ledger::in_memory().unwrap();
    assert_eq!(ledger.trail_head().unwrap(), TrailHead::start());
    let checked = ledger.check_trail(Some(&TrailHead::start())).unwrap();
    assert_eq!((checked.records, checked.head), (0, TrailHead::start()));
    assert!(numbers(&ledger, &Filter::default()).is_empty());
}

#[test]
fn a_filter_takes_what_fits_in_either_order() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    let all = Filter::default();
    let of_ann = Filter {
        username: Some(ANN.to_owned()),
        ..all.clone()
    };
    for (filter, expected) in [
        (of_ann.clone(), vec![1, 3, 5, 7]),
        (
            Filter {
                limit: Some(3),
                ..of_ann
            },
            vec![3, 5, 7],
        ),
        (
            Filter {
                limit: Some(2),
                ..all.clone()
            },
            vec![7, 8],
        ),
        (
            Filter {
                since: Some(at(3)),
                until: Some(at(6)),
                ..all.clone()
            },
            vec![3, 4, 5],
        ),
        (
            Filter {
                events: vec![Event::Stored, Event::Refused],
                ..all.clone()
            },
            vec![1, 7],
        ),
        (
            Filter {
                events: vec![Event::Armed],
                ..all.clone()
            },
            vec![],
        ),
        (
            Filter {
                username: Some("nobody".to_owned()),
                ..all.clone()
            },
            vec![],
        ),
        (
            Filter {
                since: Some(at(9)),
                ..all.clone()
            },
            vec![],
        ),
        (
            Filter {
                limit: Some(0),
                ..all
            },
            vec![],
        ),
    ] {
        assert_eq!(numbers(&ledger, &filter), expected, "{filter:?}");
        let backwards = Filter {
            order: Order::NewestFirst,
            ..filter
        };
        let mut numbers = numbers(&ledger, &backwards);
        numbers.reverse();
        assert_eq!(numbers, expected, "{backwards:?}");
    }
}

/// Times within one second, whose texts do not sort as they do.
#[test]
fn parts_of_a_second_count() {
    let ledger = Ledger::in_memory().unwrap();
    let times = ["10:00:00Z", "10:00:00.000001Z", "10:00:00.5Z", "10:00:01Z"]
        .map(|time| format!("2026-11-23T{time}").parse::<Timestamp>().unwrap());
    for time in times {
        ledger.note(&Record::new(time, Event::Armed)).unwrap();
    }
    let between = |since, until| Filter {
        since,
        until,
        ..Filter::default()
    };
    for (n, time) in (1..).zip(times) {
        let since = between(Some(time), None);
        assert_eq!(numbers(&ledger, &since), (n..=4).collect::<Vec<_>>());
        let until = between(None, Some(time));
        assert_eq!(numbers(&ledger, &until), (1..n).collect::<Vec<_>>());
    }
    let nanosecond = "2026-11-23T10:00:00.000000001Z".parse().unwrap();
    assert_eq!(
        numbers(&ledger, &between(Some(nanosecond), None)),
        [2, 3, 4]
    );
}

#[test]
fn many_records_are_read_in_pages_to_where_the_trail_ended() {
    let ledger = Ledger::in_memory().unwrap();
    for second in 0..1_000 {
        ledger.note(&noted(second)).unwrap();
    }
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let filter = Filter {
            order,
            ..Filter::default()
        };
        let before = ledger.trail_head().unwrap().seq;
        let mut trail = ledger.trail(&filter).unwrap();
        trail.next().unwrap().unwrap();
        ledger.note(&noted(1_000)).unwrap();
        assert_eq!(trail.count() as u64, before - 1);
    }
}

/// A decision without its record, or the other way round, would be found by the check.
#[test]
fn a_decision_and_its_record_are_one() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    let no_outcome = decision(9, "perhaps");
    let error = ledger.record(&no_outcome).unwrap_err();
    assert_eq!(error.kind, LedgerErrorKind::Trail, "{error}");
    kept.change(
        "CREATE TRIGGER no BEFORE UPDATE ON trail_ends BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    ledger.record(&decision(9, "refused")).unwrap_err();
    kept.change("DROP TRIGGER no");
    assert_eq!(ledger.history(None, 100).unwrap().len(), 4);
    assert_eq!(ledger.check_trail(None).unwrap().records, 8);
}

#[test]
fn an_anchor_is_a_number_and_a_hash() {
    let head = Kept::new().ledger().trail_head().unwrap();
    assert_eq!(head.to_string().parse(), Ok(head.clone()));
    assert_eq!(
        format!(" {}\n", head.to_string().to_uppercase()).parse(),
        Ok(head.clone())
    );
    for bad in [
        "",
        "8",
        "8:",
        &head.hash,
        &format!("-8:{}", head.hash),
        &format!("+8:{}", head.hash),
    ] {
        assert!(bad.parse::<TrailHead>().is_err(), "{bad}");
    }
}
