//! Which version of a parameter should stand.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::ingest::order::{Arrival, Rank};
use crate::ingest::policy::Org;
use crate::store::{Key, Meta};

const ANN: &str = "ann@acme.example";

fn token(second: i64) -> Token {
    Token::new(&format!("TokenOfSecond{second:011}")).unwrap()
}

fn note(username: &str, second: i64) -> Note {
    let key = Key {
        username: username.to_owned(),
        org: Org::Production,
    };
    let meta = Meta {
        fingerprint: token(second).fingerprint(),
        rank: Rank {
            date: Timestamp::from_second(1_764_000_000 + second).unwrap(),
            arrival: Arrival::default(),
        },
        message_id: fitting(Some(format!("{second}@mail.example"))),
        org: Org::Production,
    };
    Note::new(&key, &meta)
}

/// Versions from 1, each of a user's mail of a second.
fn history(written: &[(&str, i64)]) -> History {
    let mut history = History::default();
    for (number, (username, second)) in (1..).zip(written) {
        let version = json!({
            "Version": number, "Type": SECURE, "Value": token(*second).expose(),
            "Description": description(&note(username, *second)),
        });
        history.add(vec![serde_json::from_value(version).unwrap()]);
    }
    history
}

#[track_caller]
fn check(history: &History, rightful: u64) {
    assert_eq!(history.rightful().unwrap().number, rightful);
}

#[test]
fn the_newest_token_should_stand() {
    check(&history(&[(ANN, 1)]), 1);
    check(&history(&[(ANN, 1), (ANN, 2)]), 2);
    check(&history(&[(ANN, 1), (ANN, 3), (ANN, 2)]), 2);
    // put back already: the later of the two
    check(&history(&[(ANN, 1), (ANN, 3), (ANN, 2), (ANN, 3)]), 4);
    // another account's does not come back into this one's place
    check(&history(&[("bob@acme.example", 9), (ANN, 2)]), 2);
    assert!(History::default().rightful().is_none());
}

#[test]
fn what_somebody_else_wrote_stands() {
    let mut history = history(&[(ANN, 3), (ANN, 1)]);
    let version = |description: &str| json!({"Version": 3, "Type": SECURE, "Value": token(1).expose(), "Description": description});
    for description in ["by hand".to_owned(), description(&note(ANN, 2))] {
        history.0.truncate(2);
        history.add(vec![serde_json::from_value(version(&description)).unwrap()]);
        check(&history, 3);
    }
    // a note in the history that is not of its value counts for nothing
    history.0.truncate(2);
    history.0[0].value = token(7).expose().to_owned();
    check(&history, 2);
}

#[test]
fn a_description_has_room_for_every_note() {
    let mut long = note(&"u".repeat(80), 1);
    for message_id in ["m".repeat(998), "\u{1}".repeat(998), "ä".repeat(499)] {
        long.meta.message_id = fitting(Some(message_id));
        assert!(description(&long).len() <= LONGEST);
    }
    assert_ne!(
        fitting(Some("m".repeat(998))),
        fitting(Some("m".repeat(997)))
    );
    assert_eq!(fitting(Some("a@b".to_owned())).as_deref(), Some("a@b"));
}
