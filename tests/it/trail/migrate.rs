//! A ledger of a version without a trail.

use sftoken::ledger::{Decision, Event, Filter, Ledger, Source};

use super::{decision, entries, noted};

/// As version 3 made it.
const VERSION_3: &str = concat!(
    include_str!("../../../src/ledger/schema_1.sql"),
    include_str!("../../../src/ledger/schema_2.sql"),
    include_str!("../../../src/ledger/schema_3.sql"),
    "PRAGMA user_version = 3;",
);

const DECIDED: &str = "
INSERT INTO decisions VALUES (4, '2025-11-24T16:00:01Z', 'ops', 'INBOX', 7, 1, NULL, 'refused', 'dkim_missing',
    'integration@acme.example', 'production', '0123456789abcdef', '2025-11-24T16:00:00Z', '1@mail.example', 'abab', NULL);
INSERT INTO decisions VALUES (9, '2025-11-24T16:00:02.123456789Z', NULL, NULL, NULL, NULL, 'x.mbox#2', 'found', NULL,
    'nightly@acme.example', 'sandbox', 'fedcba9876543210', NULL, NULL, NULL, 'keyring://sftoken/y');
INSERT INTO slots (slot, rank, fingerprint, org, state) VALUES ('s', '{}', 'x', 'sandbox', 'pending');
INSERT INTO cursors VALUES ('ops', 'INBOX', 7, 12, 5);
";

/// What the older program does to the file, now or later.
fn older(path: &std::path::Path, statements: &str) -> rusqlite::Result<()> {
    rusqlite::Connection::open(path)?.execute_batch(statements)
}

#[test]
fn its_decisions_are_taken_over_in_their_order() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ledger.db");
    older(&path, VERSION_3).unwrap();
    older(&path, DECIDED).unwrap();
    let ledger = Ledger::open(&path).unwrap();
    let all = entries(&ledger, &Filter::default());
    let events: Vec<Event> = all.iter().map(|entry| entry.record.event).collect();
    assert_eq!(events, [Event::Refused, Event::Stored, Event::TookOver]);
    let file = "x.mbox#2".to_owned();
    assert_eq!(all[1].record.source, Some(Source::File { file }));
    assert_eq!(
        all[2].record.detail.as_deref(),
        Some("2 decisions of schema version 3")
    );
    assert_eq!(all[2].record.at, all[1].record.at);
    assert_eq!(ledger.cursor("ops", "INBOX").unwrap(), Some((7, 12)));
    let decided = ledger.decided("ops", "INBOX", 7, 1, Some("1@mail.example"));
    assert_eq!(decided.unwrap().as_deref(), Some("refused"));
    assert_eq!(ledger.check_trail(None).unwrap().records, 3);
    // once
    drop(ledger);
    let again = Ledger::open(&path).unwrap();
    again.record(&decision(2, "refused")).unwrap();
    assert_eq!(again.check_trail(None).unwrap().records, 4);
    let first: Vec<Decision> = again.history(None, 10).unwrap();
    assert_eq!(first.len(), 3);
}

#[test]
fn an_empty_one_begins_an_empty_trail() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ledger.db");
    older(&path, VERSION_3).unwrap();
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.check_trail(None).unwrap().records, 0);
    assert_eq!(ledger.note(&noted(1)).unwrap().seq, 1);
}

/// A daemon of the older version that still runs: it is told to be restarted, and no decision is
/// without a record.
#[test]
fn an_older_program_that_still_runs_decides_nothing_unrecorded() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ledger.db");
    older(&path, VERSION_3).unwrap();
    let ledger = Ledger::open(&path).unwrap();
    let columns = "INSERT INTO decisions (at, outcome) VALUES ('2026-01-01T00:00:00Z', 'refused')";
    let error = older(&path, columns).unwrap_err();
    assert!(error.to_string().contains("restart this one"), "{error}");
    assert_eq!(ledger.check_trail(None).unwrap().records, 0);
}
