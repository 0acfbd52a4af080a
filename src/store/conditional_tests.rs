use std::cell::Cell;
use std::sync::Arc;
use std::thread;

use jiff::Timestamp;

use super::*;
use crate::ingest::order::{Arrival, Rank};
use crate::ingest::policy::Org;
use crate::store::Store as _;
use crate::testing::store::{Fault, MemoryStore};

fn key() -> Key {
    Key {
        username: "integration@acme.example".to_owned(),
        org: Org::Production,
    }
}

/// The token of the mail of this second.
fn mail(second: i64) -> (Token, Meta) {
    let token = Token::new(&format!("TokenOfSecond{second:011}")).unwrap();
    let meta = Meta {
        fingerprint: token.fingerprint(),
        rank: Rank {
            date: Timestamp::from_second(second).unwrap(),
            arrival: Arrival::default(),
        },
        message_id: Some(format!("{second}@mail.example")),
        org: Org::Production,
    };
    (token, meta)
}

fn put(store: &MemoryStore, second: i64) -> Result<Put, StoreError> {
    let (token, meta) = mail(second);
    store.publish(&key(), &token, &meta)
}

/// Mails are published in this order; how each ends, and which stands there at last.
#[track_caller]
fn check(seconds: &[i64], ends: &[Put], newest: i64) {
    let store = MemoryStore::new();
    let ended: Vec<Put> = seconds
        .iter()
        .map(|second| put(&store, *second).unwrap())
        .collect();
    assert_eq!(ended, ends);
    assert_eq!(store.get(&key()).unwrap(), Some(mail(newest).0));
}

#[test]
fn the_newer_one_stays() {
    check(&[1, 2], &[Put::Written, Put::Written], 2);
    check(&[2, 1], &[Put::Written, Put::Superseded], 2);
    check(
        &[1, 2, 1, 2],
        &[Put::Written, Put::Written, Put::Superseded, Put::Unchanged],
        2,
    );
}

#[test]
fn a_copy_in_another_mailbox_is_the_same_mail() {
    let store = MemoryStore::new();
    put(&store, 5).unwrap();
    let (token, mut meta) = mail(5);
    for number in [7, 0] {
        meta.rank.arrival.number = number;
        assert_eq!(
            store.publish(&key(), &token, &meta).unwrap(),
            Put::Unchanged
        );
    }
}

#[test]
fn mails_of_one_second_are_ordered_by_arrival() {
    let store = MemoryStore::new();
    let (first, mut meta) = mail(5);
    meta.rank.arrival.number = 2;
    store.publish(&key(), &first, &meta).unwrap();
    let second = Token::new("AnotherOfTheSameSecond11").unwrap();
    meta.fingerprint = second.fingerprint();
    for (number, end) in [
        (1, Put::Superseded),
        (2, Put::Superseded),
        (3, Put::Written),
    ] {
        meta.rank.arrival.number = number;
        assert_eq!(store.publish(&key(), &second, &meta).unwrap(), end);
    }
}

#[test]
fn the_other_kind_of_org_and_another_account_are_left_alone() {
    let store = MemoryStore::new();
    put(&store, 1).unwrap();
    let held = store.read(&key()).unwrap();
    let (token, mut meta) = mail(2);
    meta.org = Org::Sandbox;
    let sandbox = Note::new(&key(), &meta);
    assert_eq!(
        admit("memory:", &held, &token, &sandbox),
        Ok(Some(Put::OtherOrg))
    );
    let mut other = Note::new(&key(), &mail(2).1);
    other.username = "someone.else@acme.example".to_owned();
    let error = admit("memory:", &held, &token, &other).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Misconfigured);
    assert!(error.hint().contains("{username}"), "{}", error.hint());
}

/// What a person wrote is newer than what was there, and a replay changes nothing; a newer mail does.
#[test]
fn a_token_that_a_person_put_there_is_replaced_by_a_newer_mail_only() {
    let (token, meta) = mail(5);
    let changed = Held {
        token: Token::new("PutThereByAPersonByHand1").ok(),
        note: Some(Note::new(&key(), &meta)),
        revision: (),
    };
    let by_hand = |second| {
        let (token, meta) = mail(second);
        admit("memory:", &changed, &token, &Note::new(&key(), &meta)).unwrap()
    };
    assert_eq!(by_hand(4), Some(Put::Superseded));
    assert_eq!(by_hand(6), None);
    let again = admit("memory:", &changed, &token, &Note::new(&key(), &meta));
    assert_eq!(again.unwrap_err().kind, StoreErrorKind::Corrupt);
    let deleted = Held {
        token: None,
        note: Some(Note::new(&key(), &meta)),
        revision: (),
    };
    let note = |second| Note::new(&key(), &mail(second).1);
    assert_eq!(
        admit("memory:", &deleted, &token, &note(4)),
        Ok(Some(Put::Superseded))
    );
    assert_eq!(admit("memory:", &deleted, &token, &note(5)), Ok(None));
}

#[test]
fn conflicts_are_tried_again_after_a_pause_and_not_for_ever() {
    let store = MemoryStore::new();
    store.inject([Fault::Conflict; 3]);
    let (token, meta) = mail(1);
    let pauses = Cell::new(Vec::new());
    let pause = |attempt| {
        let mut told = pauses.take();
        told.push(attempt);
        pauses.set(told);
    };
    let put = publish(&store, &key(), &token, &meta, &pause).unwrap();
    assert_eq!((put, pauses.take()), (Put::Written, vec![1, 2, 3]));

    store.inject([Fault::Conflict; TRIES as usize]);
    let (token, meta) = mail(2);
    let error = publish(&store, &key(), &token, &meta, &pause).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unreachable);
    assert!(error.kind.is_transient());
    assert_eq!(store.get(&key()).unwrap(), Some(mail(1).0));
}

#[test]
fn what_is_read_back_must_be_what_was_written() {
    let store = MemoryStore::new();
    store.inject([Fault::Garbled]);
    assert_eq!(
        put(&store, 1).unwrap_err().kind,
        StoreErrorKind::Corrupt,
        "a garbled write passed"
    );
    // and it does not pass for a newer one, or the mail would be settled and its token lost
    assert_eq!(put(&store, 1).unwrap_err().kind, StoreErrorKind::Corrupt);
    assert_eq!(put(&store, 2).unwrap(), Put::Written);
}

#[test]
fn an_answer_that_was_lost_is_found_when_it_is_tried_again() {
    let store = MemoryStore::new();
    store.inject([Fault::AnswerLost]);
    assert_eq!(put(&store, 1).unwrap_err().kind, StoreErrorKind::Timeout);
    assert_eq!(put(&store, 1).unwrap(), Put::Unchanged);
}

#[test]
fn a_store_that_is_away_takes_nothing() {
    let store = MemoryStore::new();
    store.inject([Fault::Fail(StoreErrorKind::Unreachable)]);
    assert_eq!(
        put(&store, 1).unwrap_err().kind,
        StoreErrorKind::Unreachable
    );
    assert_eq!(store.get(&key()).unwrap(), None);
}

#[test]
fn eight_writers_end_with_the_newest_whatever_their_order() {
    for round in 0..50 {
        let store = Arc::new(MemoryStore::new());
        let seconds = (0..8).map(|place| (place * 5 + round) % 8);
        let writers: Vec<_> = seconds
            .map(|second| {
                let store = Arc::clone(&store);
                thread::spawn(move || put(&store, second).unwrap())
            })
            .collect();
        for writer in writers {
            let ended = writer.join().unwrap();
            assert!(matches!(ended, Put::Written | Put::Superseded), "{ended:?}");
        }
        assert_eq!(store.get(&key()).unwrap(), Some(mail(7).0));
    }
}
