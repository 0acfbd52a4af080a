//! Whoever can write the file changes it, with SQLite and without sftoken: it is told, and where.

use std::fs;

use ring::digest::{SHA256, digest};
use sftoken::ledger::{Ledger, LedgerErrorKind, TrailHead};

use super::{Kept, broken, noted};

/// Changes a whole trail, and expects these words of the check.
#[track_caller]
fn found(statements: &str, words: &str) {
    let kept = Kept::new();
    kept.ledger().check_trail(None).unwrap();
    kept.change(statements);
    let said = broken(&kept.path(), None);
    assert!(said.contains(words), "{statements}: {said}");
}

fn hash_of(prev: &str, seq: u64, record: &str) -> String {
    let hash = digest(&SHA256, format!("{prev}\n{seq}\n{record}").as_bytes());
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn a_changed_record() {
    for set in [
        "record = replace(record, 'refused', 'stored')",
        "record = record || ' '",
        "record = ''",
        "prev = hash",
        "hash = prev",
    ] {
        found(
            &format!("UPDATE trail SET {set} WHERE seq = 1"),
            "record 1 was changed",
        );
    }
}

/// Its own hash is made to fit: then the next record does not follow it.
#[test]
fn a_changed_record_with_a_hash_that_fits() {
    let kept = Kept::new();
    let entry = super::entries(&kept.ledger(), &Default::default()).remove(4);
    let text = entry.text.replace(super::ANN, "mallory@acme.example");
    let hash = hash_of(&entry.prev, 5, &text);
    kept.change(&format!(
        "UPDATE trail SET record = '{text}', hash = '{hash}', username = 'mallory@acme.example' WHERE seq = 5"
    ));
    let said = broken(&kept.path(), None);
    assert!(said.contains("record 6 does not follow record 5"), "{said}");
}

#[test]
fn a_changed_last_record_with_a_hash_that_fits() {
    let kept = Kept::new();
    let entry = super::entries(&kept.ledger(), &Default::default()).remove(7);
    let text = entry.text.replace("hook_done", "hook_failed");
    let hash = hash_of(&entry.prev, 8, &text);
    kept.change(&format!(
        "UPDATE trail SET record = '{text}', hash = '{hash}', event = 'hook_failed' WHERE seq = 8"
    ));
    let said = broken(&kept.path(), None);
    assert!(said.contains("is not the hash of record 8"), "{said}");
}

#[test]
fn removed_records() {
    let forget = "DELETE FROM decisions;";
    found(
        "DELETE FROM trail WHERE seq = 4",
        "records 4 to 4 are missing",
    );
    found(
        "DELETE FROM trail WHERE seq IN (4, 5)",
        "records 4 to 5 are missing",
    );
    found(
        &format!("{forget} DELETE FROM trail WHERE seq <= 2"),
        "records 1 to 2 are missing",
    );
    found(
        &format!("{forget} DELETE FROM trail WHERE seq >= 7"),
        "records 7 to 8 are missing",
    );
    found(
        &format!("{forget} DELETE FROM trail"),
        "records 1 to 8 are missing",
    );
}

/// The records before a gap are numbered anew: the hash holds the number.
#[test]
fn a_removed_record_whose_gap_is_closed() {
    found(
        "DELETE FROM decisions; DELETE FROM trail WHERE seq = 4; UPDATE trail SET seq = seq - 1 WHERE seq > 4",
        "record 4 was changed",
    );
}

const CUT_THE_START: &str = "DELETE FROM decisions; UPDATE trail_ends SET (base_seq, base_hash) =
    (SELECT seq, hash FROM trail WHERE seq = 2); DELETE FROM trail WHERE seq <= 2;";
const CUT_THE_END: &str = "DELETE FROM decisions; DELETE FROM trail WHERE seq > 5;
    UPDATE trail_ends SET (head_seq, head_hash) = (SELECT seq, hash FROM trail WHERE seq = 5);";

#[test]
fn a_start_that_was_cut_off_as_if_by_retention() {
    found(CUT_THE_START, "begins behind record 2, but no record says");
}

#[test]
fn an_end_that_was_cut_off_with_its_head() {
    found(
        CUT_THE_END,
        "given numbers up to 8, but the last record is 5",
    );
}

/// What is appended later does not close the gap.
#[test]
fn an_end_that_was_cut_off_and_grew_again() {
    let kept = Kept::new();
    kept.change(CUT_THE_END);
    let head = kept.ledger().note(&noted(9)).unwrap();
    assert_eq!(head.seq, 9);
    let said = broken(&kept.path(), None);
    assert!(said.contains("records 6 to 8 are missing"), "{said}");
}

/// With SQLite's own count set back as well, the file is as it once was: only an anchor tells.
#[test]
fn an_end_that_was_cut_off_without_a_trace() {
    let kept = Kept::new();
    let anchor = kept.ledger().trail_head().unwrap();
    kept.change(CUT_THE_END);
    kept.change("UPDATE sqlite_sequence SET seq = 5 WHERE name = 'trail'");
    assert_eq!(kept.ledger().check_trail(None).unwrap().records, 5);
    let said = broken(&kept.path(), Some(&anchor));
    assert!(said.contains("the trail ends with 5"), "{said}");
    // and when it has grown beyond the anchor
    for second in 6..10 {
        kept.ledger().note(&noted(second)).unwrap();
    }
    kept.ledger().check_trail(None).unwrap();
    let said = broken(&kept.path(), Some(&anchor));
    assert!(
        said.contains("record 8 is not the one that the anchor names"),
        "{said}"
    );
}

#[test]
fn an_older_copy_in_its_place() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    let copy = kept.home.path().join("copy.db");
    kept.change(&format!("VACUUM INTO '{}'", copy.display()));
    let anchor = ledger.note(&noted(9)).unwrap();
    ledger.check_trail(Some(&anchor)).unwrap();
    drop(ledger);
    fs::copy(copy, kept.path()).unwrap();
    let said = broken(&kept.path(), Some(&anchor));
    assert!(
        said.contains("the anchor names record 9, but the trail ends with 8"),
        "{said}"
    );
}

#[test]
fn inserted_records() {
    let copied = "INSERT INTO trail SELECT seq + 1, at, event, username, record, prev, hash FROM trail WHERE seq = 8;";
    found(copied, "record 9 was put in");
    found(
        &format!("{copied} UPDATE trail_ends SET head_seq = 9"),
        "record 9 was changed",
    );
    found(
        "INSERT INTO trail SELECT 0, at, event, username, record, prev, hash FROM trail WHERE seq = 1",
        "record 0 was put in",
    );
    found(
        "INSERT INTO trail SELECT -1, at, event, username, record, prev, hash FROM trail WHERE seq = 1",
        "was put in",
    );
}

/// A record that was made to follow the last one, behind the back of the head: nor does what comes later.
#[test]
fn an_inserted_record_with_a_hash_that_fits() {
    let kept = Kept::new();
    let last = super::entries(&kept.ledger(), &Default::default()).remove(7);
    let hash = hash_of(&last.hash, 9, &last.text);
    kept.change(&format!(
        "INSERT INTO trail SELECT 9, at, event, username, record, hash, '{hash}' FROM trail WHERE seq = 8"
    ));
    assert!(broken(&kept.path(), None).contains("record 9 was put in"));
    assert_eq!(kept.ledger().note(&noted(9)).unwrap().seq, 10);
    let said = broken(&kept.path(), None);
    assert!(
        said.contains("record 10 does not follow record 9"),
        "{said}"
    );
}

#[test]
fn records_in_another_order() {
    let swap = "UPDATE trail SET seq = -1 WHERE seq = 2; UPDATE trail SET seq = 2 WHERE seq = 4;
        UPDATE trail SET seq = 4 WHERE seq = -1;";
    found(swap, "record 2 was changed");
}

#[test]
fn a_changed_head() {
    found(
        "UPDATE trail_ends SET head_hash = base_hash",
        "is not the hash of record 8",
    );
    found("UPDATE trail_ends SET head_seq = 7", "record 8 was put in");
    found(
        "UPDATE trail_ends SET head_seq = 9",
        "records 9 to 9 are missing",
    );
    found(
        "UPDATE trail_ends SET base_hash = head_hash",
        "record 1 does not follow record 0",
    );
    found("DELETE FROM trail_ends", "ends of the trail is missing");
    found(
        "UPDATE sqlite_sequence SET seq = 7",
        "given numbers up to 7",
    );
    found(
        "UPDATE sqlite_sequence SET seq = 9",
        "given numbers up to 9",
    );
    found("DELETE FROM sqlite_sequence", "given numbers up to 0");
}

#[test]
fn a_column_that_says_something_else() {
    for (set, column) in [
        ("at = at + 1", "at"),
        ("event = 'notified'", "event"),
        ("username = 'mallory@acme.example'", "username"),
        ("username = NULL", "username"),
    ] {
        found(
            &format!("UPDATE trail SET {set} WHERE seq = 3"),
            &format!("record 3: the column `{column}`"),
        );
    }
}

/// The loop goes by the decisions: one that is made up would keep a mail from it.
#[test]
fn a_decision_that_is_made_up_or_changed() {
    let columns = "at, mailbox, folder, uid_validity, uid, file, outcome, reason, username, org,
        fingerprint, date, message_id, body_hash, slot";
    let made_up = |trail: &str| {
        format!(
            "DROP TRIGGER decisions_have_records; INSERT INTO decisions ({columns}, trail)
            SELECT {columns}, {trail} FROM decisions WHERE id = 1"
        )
    };
    found(&made_up("NULL"), "decision 5: the trail does not know it");
    found(&made_up("77"), "decision 5: the trail does not know it");
    found(
        &made_up("trail"),
        "decision 5: another one has the same record",
    );
    found(
        &made_up("8"),
        "decision 5: its record is not one of a decision",
    );
    for (set, column) in [
        ("at = date", "at"),
        ("mailbox = 'x'", "mailbox"),
        ("folder = 'x'", "folder"),
        ("uid_validity = 8", "uid_validity"),
        ("uid = 99", "uid"),
        ("outcome = 'found'", "outcome"),
        ("reason = NULL", "reason"),
        ("username = 'x'", "username"),
        ("org = 'sandbox'", "org"),
        ("fingerprint = 'x'", "fingerprint"),
        ("date = at", "date"),
        ("message_id = NULL", "message_id"),
        ("body_hash = ''", "body_hash"),
        ("slot = 'x'", "slot"),
        ("file = 'x'", "file"),
    ] {
        found(
            &format!("UPDATE decisions SET {set} WHERE id = 1"),
            &format!("decision 1: its `{column}` is not what its record says"),
        );
    }
}

#[test]
fn a_head_that_was_written_down_earlier() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    let all = super::entries(&ledger, &Default::default());
    for entry in &all {
        let mut anchor = TrailHead {
            seq: entry.seq,
            hash: entry.hash.clone(),
        };
        ledger.check_trail(Some(&anchor)).unwrap();
        anchor.hash.clone_from(&entry.prev);
        let said = ledger.check_trail(Some(&anchor)).unwrap_err();
        assert_eq!(said.seq(), Some(entry.seq), "{said}");
        assert!(
            said.to_string().contains("the one that the anchor names"),
            "{said}"
        );
    }
    let nowhere = TrailHead {
        hash: "1".repeat(64),
        ..TrailHead::start()
    };
    ledger.check_trail(Some(&nowhere)).unwrap_err();
}

/// Who rewrites everything leaves a chain that is whole: the anchor alone tells.
#[test]
fn a_trail_that_was_rewritten_whole() {
    let kept = Kept::new();
    let anchor = kept.ledger().trail_head().unwrap();
    let mut prev = TrailHead::start().hash;
    let mut script = "DELETE FROM decisions;".to_owned();
    for entry in super::entries(&kept.ledger(), &Default::default()) {
        let text = entry.text.replace("hook_done", "hook_failed");
        let event = entry
            .record
            .event
            .as_str()
            .replace("hook_done", "hook_failed");
        let (seq, hash) = (entry.seq, hash_of(&prev, entry.seq, &text));
        script += &format!(
            "UPDATE trail SET record = '{text}', event = '{event}', prev = '{prev}', hash = '{hash}' WHERE seq = {seq};
            UPDATE trail_ends SET head_hash = '{hash}';"
        );
        prev = hash;
    }
    kept.change(&script);
    kept.ledger().check_trail(None).unwrap();
    let said = broken(&kept.path(), Some(&anchor));
    assert!(said.contains("record 8 is not the one"), "{said}");
}

#[test]
fn what_cannot_be_read_is_not_called_whole() {
    let kept = Kept::new();
    kept.change("ALTER TABLE trail RENAME TO gone");
    let said = kept.ledger().check_trail(None).unwrap_err();
    assert!(said.to_string().contains("no such table"), "{said}");
    // a record with a text that is none, in a chain that fits
    let kept = Kept::new();
    let last = super::entries(&kept.ledger(), &Default::default()).remove(7);
    let hash = hash_of(&last.prev, 8, "{}");
    kept.change(&format!(
        "UPDATE trail SET record = '{{}}', hash = '{hash}' WHERE seq = 8; UPDATE trail_ends SET head_hash = '{hash}'"
    ));
    assert_eq!(broken(&kept.path(), None), "record 8 cannot be read");
    let ledger = kept.ledger();
    let read: Result<Vec<_>, _> = ledger.trail(&Default::default()).unwrap().collect();
    assert_eq!(read.unwrap_err().kind, LedgerErrorKind::Trail);
}

/// Without its end a trail is not continued: that would make two of one.
#[test]
fn nothing_is_appended_to_a_trail_without_an_end() {
    let kept = Kept::new();
    kept.change("DELETE FROM trail_ends");
    let error = Ledger::open(kept.path())
        .unwrap()
        .note(&noted(9))
        .unwrap_err();
    assert_eq!(error.kind, LedgerErrorKind::Trail, "{error}");
    assert!(error.hint().contains("history --check"), "{}", error.hint());
}
