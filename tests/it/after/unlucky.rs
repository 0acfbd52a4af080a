//! What comes after, in bad company: times that are not now, mailboxes that are away, steps that are gone.

use serde_json::Value;

use super::{Stage, TELLS};
use crate::support::salesforce::{ANN, BOB, ago, genuine, new_token};
use crate::support::stub::Stub;

#[test]
fn a_replay_at_another_time_tries_a_hook_again_and_tells_that_it_failed() {
    let once = "echo once >> ${0%/*}/tries; test $(wc -l < ${0%/*}/tries) -ge 2 || exit 75; exit 9";
    let stage = Stage::new(once, "true", "");
    let mail = genuine(ANN, &new_token(), ago(40 * 86_400));
    stage.home.write("old.eml", mail);
    let then = ago(40 * 86_400 - 60).to_string();
    let ended = stage.home.run(&["replay", "--now", &then, "old.eml"]);
    ended.check(1);
    assert_eq!(stage.file("tries").lines().count(), 2);
}

#[test]
fn hooks_are_run_although_another_mailbox_is_away() {
    let stage = Stage::new(TELLS, TELLS, "");
    let port = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let path = stage.home.path("config/sftoken/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    stage.home.configure(&format!(
        "{text}[mailbox.away]\nurl = \"imaps://ann@localhost:{port}\"\n\
         auth = {{ password = \"env:MAIL_PASSWORD\" }}\n"
    ));
    let mail = genuine(ANN, &new_token(), ago(5));
    stage.server.deliver(super::BOX, &mail);
    stage.home.run(&["watch", "--once"]).check(5);
    assert_eq!(stage.file("order"), "hook\ntest\n");
}

#[test]
fn a_consumer_is_tested_when_the_hook_is_done_and_not_before() {
    let stage = Stage::new(
        "echo hook >> ${0%/*}/order; test $(wc -l < ${0%/*}/order) -ge 2 || exit 75",
        "echo test >> ${0%/*}/order",
        "",
    );
    let (ended, _) = stage.wait();
    ended.check(0);
    assert_eq!(stage.file("order"), "hook\nhook\ntest\n");
}

#[test]
fn each_consumer_that_fails_is_told() {
    let receiver = Stub::start(|_| (204, String::new()));
    let notify = format!(
        "[notify]\nwebhook = \"http://{}/\"\nevents = [\"consumer_failed\"]",
        receiver.authority()
    );
    let stage = Stage::new("true", "exit 1", &notify);
    let path = stage.home.path("config/sftoken/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let test = stage.home.path("test");
    stage.home.configure(&format!(
        "{text}[[account.consumer]]\nname = \"reports\"\ntest = [\"{}\"]\n",
        test.display()
    ));
    let (ended, _) = stage.wait();
    ended.check(1);
    let events: Vec<Value> = receiver.asked().iter().map(|asked| asked.json()).collect();
    let mut reasons: Vec<&str> = events
        .iter()
        .map(|event| event["reason"].as_str().unwrap())
        .collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["consumer nightly load", "consumer reports"]);
}

#[test]
fn a_consumer_that_was_removed_is_no_trouble_any_more() {
    let stage = Stage::new("true", "exit 1", "");
    let (ended, _) = stage.wait();
    ended.check(1);
    stage.home.run(&["status"]).check(1);
    let path = stage.home.path("config/sftoken/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, _) = text.split_once("[[account.consumer]]").unwrap();
    stage.home.configure(before);
    stage.home.run(&["status"]).check(0);
}

#[test]
fn an_account_that_was_removed_is_shown_and_raises_no_alarm() {
    let stage = Stage::new("exit 1", "true", "");
    let (ended, _) = stage.wait();
    ended.check(1);
    stage.home.run(&["status"]).check(1);
    let path = stage.home.path("config/sftoken/config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, _) = text.split_once("[[account]]").unwrap();
    stage
        .home
        .configure(&format!("{before}[[account]]\nusername = \"{BOB}\"\n"));
    let status = stage.home.run(&["status", "--json"]).check(0);
    assert_eq!(status.json()[0]["accounts"][1]["username"], ANN);
}

#[test]
fn a_reminder_that_could_not_be_noted_is_sent_later() {
    let receiver = Stub::start(|_| (204, String::new()));
    let notify = format!(
        "[notify]\nwebhook = \"http://{}/\"\nevents = [\"due\"]",
        receiver.authority()
    );
    let stage = Stage::new("true", "true", &notify);
    let mail = genuine(ANN, &new_token(), ago(85 * 86_400));
    stage.home.write("old.eml", mail);
    stage.home.run(&["replay", "old.eml"]).check(0);
    let path = stage.home.path("state/sftoken/ledger.db");
    let change = |sql: &str| {
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute_batch(sql).unwrap();
    };
    change("ALTER TABLE trail_ends RENAME TO kept_ends");
    let mut watching = stage.home.start(&["watch"]);
    watching.hear_err("trail_ends");
    watching.kill();
    change("ALTER TABLE kept_ends RENAME TO trail_ends");
    let mut watching = stage.home.start(&["watch"]);
    watching.hear_err("step=\"webhook\"");
    assert_eq!(receiver.asked()[0].json()["event"], "due");
}
