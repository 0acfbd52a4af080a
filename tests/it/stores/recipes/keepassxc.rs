//! The recipe for KeePassXC: a database that a key file, and perhaps a password, opens.

use std::fs;

use super::super::{NEW, USERNAME};
use super::kitchen::Kitchen;
use crate::support::run::Running;

/// A database with a key file; with a password too, where one is given.
pub(super) fn keepassxc(password: Option<&str>) -> (Kitchen, String) {
    let kitchen = Kitchen::new("keepassxc.sh", "keepassxc-cli");
    kitchen.home.write("tokens.key", [7; 64]);
    let mut query = format!(
        "&arg={}&arg={}",
        kitchen.at("tokens.kdbx"),
        kitchen.at("tokens.key")
    );
    let create = "keepassxc-cli db-create --quiet --decryption-time 100 --set-key-file tokens.key";
    if let Some(password) = password {
        // as an editor leaves it, with a line end, or not
        let file = kitchen.home.write("password", password);
        query = format!("{query}&arg={file}");
        let word = password.trim_end();
        kitchen
            .sh(&format!(
                "printf '{word}\\n{word}\\n' | {create} --set-password tokens.kdbx"
            ))
            .check(0);
    } else {
        kitchen.sh(&format!("{create} tokens.kdbx")).check(0);
    }
    (kitchen, query)
}

#[test]
fn keepassxc_keeps_tokens() {
    let (kitchen, query) = keepassxc(None);
    kitchen.check_keeps(&query);
    for password in ["correct horse\n", "correct horse"] {
        let (kitchen, query) = keepassxc(Some(password));
        let mut store = kitchen.store(&query);
        store.ask(&format!("publish {USERNAME} {NEW}"));
        assert_eq!(store.ask(&format!("get {USERNAME}")), NEW);
        kitchen.check_told();
    }
}

#[test]
fn keepassxc_of_which_the_key_is_away_is_tried_again() {
    let (kitchen, query) = keepassxc(None);
    let question = format!("publish {USERNAME} {NEW}");
    let (key, away) = (kitchen.home.path("tokens.key"), kitchen.home.path("away"));
    fs::rename(&key, &away).unwrap();
    kitchen.check_trouble(
        &query,
        &question,
        "store_unreachable",
        "tokens.key is not there",
    );
    kitchen.home.write("tokens.key", [8; 64]);
    kitchen.check_trouble(&query, &question, "store_refused", "is it this key");
    fs::rename(&away, &key).unwrap();
    assert!(kitchen.store(&query).ask(&question).starts_with("exec:/"));
    kitchen.check_missing(&query);
}

/// Two accounts in one database: keepassxc-cli alone would lose one of them.
#[test]
fn keepassxc_written_by_two_at_a_time_loses_neither() {
    let (kitchen, query) = keepassxc(None);
    let names: Vec<String> = (0..4)
        .map(|number| format!("user{number}@acme.example"))
        .collect();
    let (shared, query) = (&kitchen, &query);
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(move || {
                let answer = shared.store(query).ask(&format!("publish {name} {NEW}"));
                assert!(answer.starts_with("exec:/"), "{answer}");
            });
        }
    });
    for name in &names {
        assert_eq!(kitchen.store(query).ask(&format!("get {name}")), NEW);
    }
}

#[test]
fn keepassxc_that_is_busy_is_tried_again() {
    let (kitchen, query) = keepassxc(None);
    let mut holder = kitchen.home.command("sh");
    holder.args([
        "-c",
        "exec 9>tokens.kdbx.lock; flock 9; echo held; exec sleep 600",
    ]);
    let mut holder = Running::of(holder, b"");
    holder.hear_out("held");
    kitchen.check_trouble(&query, "check", "store_unreachable", "another sftoken");
}
