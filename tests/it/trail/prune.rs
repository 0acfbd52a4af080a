//! Retention: old records go, the rest stays checkable.

use sftoken::ledger::{Event, Filter, LedgerErrorKind, Record, TrailHead};

use super::{Kept, at, broken, decision, entries, noted, numbers};

const ALL: Filter = Filter {
    username: None,
    since: None,
    until: None,
    events: Vec::new(),
    limit: None,
    order: sftoken::ledger::Order::OldestFirst,
};

#[test]
fn old_records_go_and_the_trail_says_so() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    let old = entries(&ledger, &ALL);
    assert_eq!(ledger.prune(at(4), at(100)).unwrap(), 3);
    assert_eq!(numbers(&ledger, &ALL), [4, 5, 6, 7, 8, 9]);
    let said = entries(&ledger, &ALL).remove(5).record;
    let through = TrailHead {
        seq: 3,
        hash: old[2].hash.clone(),
    };
    assert_eq!((said.at, said.event), (at(100), Event::Pruned));
    assert_eq!(said.detail, Some(through.to_string()));
    let checked = ledger.check_trail(None).unwrap();
    assert_eq!((checked.records, checked.base), (6, through));
    // again: nothing is older, and nothing is said
    assert_eq!(ledger.prune(at(4), at(101)).unwrap(), 0);
    assert_eq!(ledger.prune(at(0), at(101)).unwrap(), 0);
    assert_eq!(ledger.trail_head().unwrap().seq, 9);
    // and once more, with all that was there
    assert_eq!(ledger.prune(at(101), at(102)).unwrap(), 6);
    assert_eq!(numbers(&ledger, &ALL), [10]);
    ledger.record(&decision(50, "refused")).unwrap();
    ledger.check_trail(None).unwrap();
}

/// What the clock did wrong: behind a record that is young, old ones stay.
#[test]
fn no_younger_record_ever_goes() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    for second in [500, 9, 10] {
        ledger.note(&noted(second)).unwrap();
    }
    assert_eq!(ledger.prune(at(100), at(600)).unwrap(), 8);
    assert_eq!(numbers(&ledger, &ALL), [9, 10, 11, 12]);
    ledger.check_trail(None).unwrap();
}

/// A token that was stored orders mails of its second for ever; what else was decided about old mails is not
/// asked for again.
#[test]
fn decisions_go_with_their_records_but_for_stored_tokens() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    ledger.record(&decision(9, "refused")).unwrap();
    ledger.prune(at(9), at(100)).unwrap();
    let left: Vec<String> = ledger
        .history(None, 9)
        .unwrap()
        .into_iter()
        .map(|row| row.outcome)
        .collect();
    assert_eq!(left, ["refused", "found"]);
    ledger.check_trail(None).unwrap();
    // one that was made up, as if its record had gone
    kept.change("UPDATE decisions SET trail = 3 WHERE outcome = 'refused'");
    assert!(broken(&kept.path(), None).contains("the same record, or a later one"));
    kept.change("UPDATE decisions SET trail = 8 WHERE outcome = 'refused'");
    assert!(broken(&kept.path(), None).contains("the trail does not know it"));
}

#[test]
fn an_anchor_of_what_is_gone_cannot_be_compared() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    let anchors: Vec<TrailHead> = entries(&ledger, &ALL)
        .into_iter()
        .map(|entry| TrailHead {
            seq: entry.seq,
            hash: entry.hash,
        })
        .collect();
    ledger.prune(at(5), at(100)).unwrap();
    let said = ledger
        .check_trail(Some(&anchors[2]))
        .unwrap_err()
        .to_string();
    assert!(said.contains("retention has removed (up to 4)"), "{said}");
    // the last that went is known by its hash
    for anchor in &anchors[3..] {
        ledger.check_trail(Some(anchor)).unwrap();
    }
    let other = TrailHead {
        hash: anchors[0].hash.clone(),
        ..anchors[3].clone()
    };
    ledger.check_trail(Some(&other)).unwrap_err();
}

#[test]
fn a_base_that_no_record_names_is_found() {
    let kept = Kept::new();
    kept.ledger().prune(at(3), at(100)).unwrap();
    kept.change(
        "UPDATE trail_ends SET (base_seq, base_hash) = (SELECT seq, hash FROM trail WHERE seq = 4);
        DELETE FROM decisions; DELETE FROM trail WHERE seq <= 4",
    );
    let said = broken(&kept.path(), None);
    assert!(
        said.contains("begins behind record 4, but no record says"),
        "{said}"
    );
}

/// What somebody changed is evidence, and is not swept away.
#[test]
fn nothing_goes_from_a_trail_that_is_not_whole() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    kept.change("DELETE FROM trail WHERE seq = 2");
    let error = ledger.prune(at(5), at(100)).unwrap_err();
    assert_eq!(error.kind, LedgerErrorKind::Trail);
    assert!(
        error.problem.contains("records 2 to 2 are missing"),
        "{error}"
    );
    assert_eq!(numbers(&ledger, &ALL), [1, 3, 4, 5, 6, 7, 8]);
    // what is changed and young does not keep old records
    ledger.prune(at(2), at(100)).unwrap();
}

/// The bytes go, too: of the name, nothing is left in the file.
#[test]
fn what_is_removed_is_overwritten() {
    let kept = Kept::new();
    let ledger = kept.ledger();
    let marked = Record {
        detail: Some("MarkOfOldRecord".to_owned()),
        ..noted(9)
    };
    ledger.note(&marked).unwrap();
    let holds = || {
        kept.change("PRAGMA wal_checkpoint(TRUNCATE)");
        let bytes = std::fs::read(kept.path()).unwrap();
        memchr::memmem::find(&bytes, b"MarkOfOldRecord").is_some()
    };
    assert!(holds());
    ledger.prune(at(50), at(100)).unwrap();
    assert!(!holds());
}
