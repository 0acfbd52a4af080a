//! The ledger, shared by threads and by processes that die.

mod processes;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use jiff::Timestamp;
use sftoken::ingest::event::{OutcomeWord, Proof, Receipt, Report, SCHEMA};
use sftoken::ingest::order::{Arrival, Rank};
use sftoken::ingest::policy::Org;
use sftoken::ingest::token::{Fingerprint, Token};
use sftoken::ledger::{Admit, Candidate, Decision, Ledger, LedgerErrorKind, Source, State};

const SLOT: &str = "memory:production/integration@acme.example";
const USERNAME: &str = "integration@acme.example";
const NOON: i64 = 1_764_000_000;

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(NOON + i64::try_from(second).unwrap()).unwrap()
}

/// The token of the mail that came `second` seconds after noon.
fn token(second: u64) -> Token {
    Token::new(&format!("PlantedSecretToken{second:06}")).unwrap()
}

fn mail(second: u64) -> Candidate {
    let arrival = Arrival {
        internal_date: Some(at(second)),
        uid_validity: 7,
        number: second,
    };
    Candidate {
        rank: Rank {
            date: at(second),
            arrival,
        },
        fingerprint: token(second).fingerprint(),
        message_id: Some(format!("{second}@mail.example")),
        org: Org::Production,
    }
}

fn receipt(second: u64) -> Receipt {
    Receipt {
        report: Report {
            schema: SCHEMA,
            source: format!("ops/INBOX;UIDVALIDITY=7/;UID={second}"),
            outcome: OutcomeWord::Found,
            reason: None,
            username: Some(USERNAME.to_owned()),
            org: Some(Org::Production),
            token: None,
            fingerprint: Some(token(second).fingerprint()),
            date: Some(at(second)),
            message_id: Some(format!("{second}@mail.example")),
            proof: Proof::NONE,
        },
        slot: Some(SLOT.to_owned()),
        stored_at: Some(at(second + 1)),
        superseded: false,
        verified: None,
    }
}

fn decision(uid: u32, outcome: &str) -> Decision {
    Decision {
        at: at(u64::from(uid)),
        source: Source::Mailbox {
            mailbox: "ops".to_owned(),
            folder: "INBOX".to_owned(),
            uid_validity: 7,
            uid,
        },
        outcome: outcome.to_owned(),
        reason: Some("dkim_missing".to_owned()),
        username: Some(USERNAME.to_owned()),
        org: Some(Org::Sandbox),
        fingerprint: Some(Fingerprint::from_text("0123456789abcdef")),
        date: Some(at(1)),
        message_id: Some("1@mail.example".to_owned()),
        body_hash: Some("ab".repeat(32)),
        slot: Some(SLOT.to_owned()),
        more_to_come: false,
    }
}

/// Runs `check` on a ledger in memory and on one in a file.
#[track_caller]
fn both(check: impl Fn(&Ledger)) {
    check(&Ledger::in_memory().unwrap());
    let home = tempfile::tempdir().unwrap();
    check(&Ledger::open(home.path().join("ledger.db")).unwrap());
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_token_goes_from_intent_to_receipt() {
    both(|ledger| {
        let _lock = ledger.lock(SLOT).unwrap();
        assert_eq!(ledger.newest(SLOT).unwrap(), None);
        assert_eq!(ledger.intend(SLOT, &mail(1)).unwrap(), Admit::Write);
        let newest = ledger.newest(SLOT).unwrap().unwrap();
        assert_eq!((newest.mail, newest.state), (mail(1), State::Pending));
        assert!(ledger.commit(SLOT, &receipt(1)).unwrap());
        let newest = ledger.newest(SLOT).unwrap().unwrap();
        assert_eq!(newest.state, State::Stored);
        assert_eq!(newest.receipt, Some(receipt(1)));
        assert_eq!(ledger.receipt(USERNAME).unwrap(), Some(receipt(1)));
        assert_eq!(ledger.receipts().unwrap(), [receipt(1)]);
        assert_eq!(ledger.receipt("other@acme.example").unwrap(), None);
        assert_eq!(ledger.intend(SLOT, &mail(1)).unwrap(), Admit::AlreadyStored);
        assert_eq!(ledger.intend(SLOT, &mail(0)).unwrap(), Admit::Superseded);
    });
}

#[test]
fn a_newer_mail_whose_write_failed_still_beats_the_older() {
    both(|ledger| {
        ledger.intend(SLOT, &mail(1)).unwrap();
        ledger.commit(SLOT, &receipt(1)).unwrap();
        assert_eq!(ledger.intend(SLOT, &mail(3)).unwrap(), Admit::Write);
        assert_eq!(ledger.intend(SLOT, &mail(2)).unwrap(), Admit::Superseded);
        assert_eq!(ledger.intend(SLOT, &mail(1)).unwrap(), Admit::Superseded);
        assert_eq!(ledger.intend(SLOT, &mail(3)).unwrap(), Admit::Retry);
        // What the store really holds, until the newer one is confirmed:
        assert_eq!(ledger.receipt(USERNAME).unwrap(), Some(receipt(1)));
        // A writer that was overtaken while it wrote does not become the newest.
        assert!(!ledger.commit(SLOT, &receipt(2)).unwrap());
        assert_eq!(ledger.newest(SLOT).unwrap().unwrap().state, State::Pending);
    });
}

#[test]
fn a_verification_replaces_the_receipt() {
    both(|ledger| {
        ledger.intend(SLOT, &mail(1)).unwrap();
        ledger.commit(SLOT, &receipt(1)).unwrap();
        let verified = Receipt {
            verified: Some(true),
            ..receipt(1)
        };
        assert!(ledger.commit(SLOT, &verified).unwrap());
        assert_eq!(ledger.receipts().unwrap(), [verified]);
    });
}

#[test]
fn a_cursor_goes_back_with_its_folder_only() {
    both(|ledger| {
        let cursor = || ledger.cursor("ops", "INBOX").unwrap();
        ledger.move_cursor_back("ops", "INBOX", 7, 3).unwrap();
        assert_eq!(cursor(), None);
        ledger.set_cursor("ops", "INBOX", 7, 9).unwrap();
        for (validity, next, expected) in [(8, 1, 9), (7, 12, 9), (7, 3, 3)] {
            ledger
                .move_cursor_back("ops", "INBOX", validity, next)
                .unwrap();
            assert_eq!(cursor(), Some((7, expected)));
        }
    });
}

#[test]
fn a_cursor_never_goes_back_within_one_uidvalidity() {
    both(|ledger| {
        assert_eq!(ledger.cursor("ops", "INBOX").unwrap(), None);
        for (set, expected) in [
            ((7, 10), (7, 10)),
            ((7, 9), (7, 10)), // a process that lags behind
            ((7, 12), (7, 12)),
            ((8, 1), (8, 1)), // the server has numbered its mails anew
            ((8, u32::MAX), (8, u32::MAX)),
        ] {
            ledger.set_cursor("ops", "INBOX", set.0, set.1).unwrap();
            assert_eq!(ledger.cursor("ops", "INBOX").unwrap(), Some(expected));
        }
        assert_eq!(ledger.cursor("ops", "Junk").unwrap(), None);
    });
}

#[test]
fn a_count_of_changes_belongs_to_one_uidvalidity() {
    both(|ledger| {
        let noted = |validity| ledger.mod_seq("ops", "INBOX", validity).unwrap();
        ledger.set_mod_seq("ops", "INBOX", 7, 50).unwrap();
        assert_eq!(noted(7), None, "nothing is known of the folder");
        ledger.set_cursor("ops", "INBOX", 7, 10).unwrap();
        for changes in [50, 40, u64::MAX >> 1] {
            ledger.set_mod_seq("ops", "INBOX", 7, changes).unwrap();
            ledger.set_cursor("ops", "INBOX", 7, 11).unwrap();
            assert_eq!(noted(7), Some(changes));
        }
        assert_eq!(noted(8), None);
        ledger.set_mod_seq("ops", "INBOX", 8, 5).unwrap();
        ledger.set_cursor("ops", "INBOX", 8, 1).unwrap();
        assert_eq!((noted(7), noted(8)), (None, None));
    });
}

/// What an older program has written is brought up to date, and nothing of it is lost.
#[test]
fn an_older_programs_ledger_is_taken_over() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ledger.db");
    let first = Ledger::open(&path).unwrap();
    first.set_cursor("ops", "INBOX", 7, 10).unwrap();
    drop(first);
    // as version 2 had it
    for made_since in [
        "DROP TABLE trail",
        "DROP TABLE trail_ends",
        "DROP TRIGGER decisions_have_records",
        "ALTER TABLE decisions DROP COLUMN trail",
    ] {
        processes::sqlite(&path, made_since);
    }
    processes::sqlite(&path, "ALTER TABLE cursors DROP COLUMN mod_seq");
    processes::sqlite(&path, "ALTER TABLE decisions DROP COLUMN more_to_come");
    for table in [
        "troubles",
        "windows",
        "logins",
        "errands",
        "results",
        "reminders",
    ] {
        processes::sqlite(&path, &format!("DROP TABLE {table}"));
    }
    processes::sqlite(&path, "PRAGMA user_version = 2");
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.cursor("ops", "INBOX").unwrap(), Some((7, 10)));
    assert_eq!(ledger.mod_seq("ops", "INBOX", 7).unwrap(), None);
    ledger.set_mod_seq("ops", "INBOX", 7, 5).unwrap();
    drop(ledger);
    let again = Ledger::open(&path).unwrap();
    assert_eq!(again.mod_seq("ops", "INBOX", 7).unwrap(), Some(5));
}

#[test]
fn contacts_only_grow_younger() {
    both(|ledger| {
        let seen = |folder: &str, second| {
            let key = ("ops".to_owned(), folder.to_owned());
            ledger.contacts_seen(&[(key, at(second))].into()).unwrap();
        };
        seen("Junk", 5);
        seen("INBOX", 9);
        seen("INBOX", 8);
        let expected = [("INBOX", at(9)), ("Junk", at(5))];
        let expected = expected.map(|(folder, at)| ("ops".to_owned(), folder.to_owned(), at));
        assert_eq!(ledger.contacts().unwrap(), expected);
    });
}

#[test]
fn the_audit_trail_tells_everything_again() {
    both(|ledger| {
        let file = Decision {
            source: Source::File {
                file: "mails/x.mbox#3".to_owned(),
            },
            reason: None,
            username: None,
            ..decision(9, "not_ours")
        };
        ledger.record(&decision(1, "refused")).unwrap();
        ledger.record(&file).unwrap();
        let all = ledger.history(None, 10).unwrap();
        assert_eq!(all, [file.clone(), decision(1, "refused")]);
        assert_eq!(
            ledger.history(Some(USERNAME), 10).unwrap(),
            [decision(1, "refused")]
        );
        assert_eq!(ledger.history(None, 1).unwrap(), [file]);
    });
}

#[test]
fn undecided_is_not_decided() {
    both(|ledger| {
        let id = Some("1@mail.example");
        let decided = |uid| ledger.decided("ops", "INBOX", 7, uid, id).unwrap();
        ledger.record(&decision(1, "undecided")).unwrap();
        assert_eq!(decided(1), None);
        ledger.record(&decision(1, "refused")).unwrap();
        ledger.record(&decision(1, "undecided")).unwrap();
        assert_eq!(decided(1).as_deref(), Some("refused"));
        assert_eq!(decided(2), None);
        assert_eq!(ledger.decided("ops", "INBOX", 8, 1, id).unwrap(), None);
        // the place was given to another mail
        for other in [None, Some("2@mail.example")] {
            assert_eq!(ledger.decided("ops", "INBOX", 7, 1, other).unwrap(), None);
        }
    });
}

#[test]
fn one_writer_for_each_slot() {
    both(|ledger| {
        let held = ledger.lock(SLOT).unwrap();
        assert!(ledger.try_lock(SLOT).unwrap().is_none());
        assert!(ledger.try_lock("another slot").unwrap().is_some());
        let (entered, seen) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _second = ledger.lock(SLOT).unwrap();
                entered.send("second").unwrap();
            });
            assert!(seen.try_recv().is_err());
            entered.send("first").unwrap();
            drop(held);
        });
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), ["first", "second"]);
    });
}

#[test]
fn it_is_private_and_holds_no_token() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("state/sftoken");
    let ledger = Ledger::open(folder.join("ledger.db")).unwrap();
    ledger.intend(SLOT, &mail(1)).unwrap();
    ledger.commit(SLOT, &receipt(1)).unwrap();
    ledger.record(&decision(1, "found")).unwrap();
    let _lock = ledger.lock(SLOT).unwrap();
    assert_eq!(mode(&folder), 0o700);
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_eq!(mode(&path), 0o700);
            continue;
        }
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let bytes = fs::read(&path).unwrap();
        let planted = token(1);
        let holds = |text: &str| {
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        assert!(!holds(planted.expose()), "{}", path.display());
        assert!(!holds("PlantedSecret"), "{}", path.display());
        seen += usize::from(holds(planted.fingerprint().as_str()));
    }
    assert!(
        seen > 0,
        "the fingerprint is nowhere: the search does not work"
    );
}

#[test]
fn what_is_no_ledger_is_said_to_be_none() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ledger.db");
    fs::write(&path, "dear diary, ".repeat(500)).unwrap();
    let error = Ledger::open(&path).unwrap_err();
    assert_eq!(error.kind, LedgerErrorKind::Corrupt, "{error}");
    assert!(error.hint().contains("mv '"), "{}", error.hint());
}

#[test]
fn a_newer_programs_ledger_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("ledger.db");
    drop(Ledger::open(&path).unwrap());
    processes::sqlite(&path, "PRAGMA user_version = 99");
    let error = Ledger::open(&path).unwrap_err();
    assert_eq!(error.kind, LedgerErrorKind::Newer, "{error}");
    assert!(error.problem.contains("99"), "{error}");
}

#[test]
fn a_place_that_cannot_be_is_told() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let error = Ledger::open(home.path().join("file/ledger.db")).unwrap_err();
    assert_eq!(error.kind, LedgerErrorKind::Io, "{error}");
    let error = Ledger::open(home.path()).unwrap_err();
    assert!(
        error.to_string().contains("cannot") || error.to_string().contains("unable"),
        "{error}"
    );
}
