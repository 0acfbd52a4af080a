//! What comes after: hooks, tests of consumers and a webhook, from the mail to the trail.

mod unlucky;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use sftoken::ledger::{Event, Record};

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::run::{Ended, Home};
use crate::support::salesforce::{ANN, BOX, Keeper, ago, genuine, key_file, new_token};
use crate::support::stage::{await_stored, fingerprint};
use crate::support::stub::Stub;

/// A mailbox whose account has a hook and a consumer with a test.
struct Stage {
    server: Dovecot,
    home: Home,
    keeper: Keeper,
}

impl Stage {
    /// With the texts of a hook and of a test, as shell scripts.
    fn new(hook: &str, test: &str, notify: &str) -> Self {
        let server = Dovecot::start();
        let mut home = Home::new();
        home.set("MAIL_PASSWORD", PASSWORD);
        let keeper = Keeper::in_home(&home);
        for (name, text) in [("hook", hook), ("test", test)] {
            let path = home.write(name, format!("#!/bin/sh\n{text}\n"));
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        home.configure(&format!(
            "[mailbox.ops]\nurl = \"imaps://{BOX}@localhost:{}\"\nca_file = \"{}\"\n\
             auth = {{ password = \"env:MAIL_PASSWORD\" }}\n[dns]\nkeys = [\"{}\"]\n\
             [store.default]\nurl = \"{}\"\n{notify}\n[[account]]\nusername = \"{ANN}\"\n\
             max_age = \"90d\"\non_stored = [\"{hook}\"]\n[[account.consumer]]\n\
             name = \"nightly load\"\ntest = [\"{test}\"]\ntimeout = \"20s\"\n",
            server.endpoint(BOX).port,
            server.ca_file().display(),
            key_file(&home),
            keeper.url(),
            hook = home.path("hook").display(),
            test = home.path("test").display(),
        ));
        Self {
            server,
            home,
            keeper,
        }
    }

    /// `wait`, with a reset that is on its way once it is armed.
    fn wait(&self) -> (Ended, String) {
        let mut waiting = self.home.start(&["wait", "--json", "--timeout", "60s"]);
        waiting.hear_err("armed");
        let token = new_token();
        self.server.deliver(BOX, &genuine(ANN, &token, ago(1)));
        (waiting.end(), token)
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.home.path(name)).unwrap_or_default()
    }

    /// The events of the trail, in order.
    fn trail(&self) -> Vec<String> {
        let lines = self.home.run(&["history", "--json"]).check(0).json();
        lines
            .iter()
            .map(|line| line["event"].as_str().unwrap().to_owned())
            .collect()
    }
}

const TELLS: &str =
    "cat > ${0%/*}/told-${0##*/}; env > ${0%/*}/env-${0##*/}; echo ${0##*/} >> ${0%/*}/order";

#[test]
fn hook_then_test_are_done_before_the_wait_ends() {
    let stage = Stage::new(TELLS, TELLS, "");
    let (ended, token) = stage.wait();
    ended.check(0);
    assert_eq!(stage.file("order"), "hook\ntest\n");
    let told: Value = serde_json::from_str(&stage.file("told-hook")).unwrap();
    crate::schema::check(&crate::schema::schema("event"), &told);
    assert_eq!(told["event"], "stored");
    assert_eq!(told["username"], ANN);
    assert_eq!(told["fingerprint"], fingerprint(&token));
    assert_eq!(told["slots"].as_array().unwrap().len(), 1);
    let stored = stage.home.run(&["history", "--json"]).check(0).json();
    let stored = stored
        .iter()
        .find(|line| line["event"] == "stored")
        .unwrap();
    assert_eq!(
        told["trail"]["hash"], stored["hash"],
        "the event stands there"
    );
    for file in ["told-hook", "told-test", "env-hook", "env-test"] {
        let text = stage.file(file);
        assert!(
            !text.contains(&token) && !text.contains(PASSWORD),
            "{file}: {text}"
        );
    }
    assert_eq!(
        stage.trail(),
        ["armed", "stored", "disarmed", "hook_done", "consumer_ok"]
    );
    stage.home.run(&["history", "--check"]).check(0);
    stage.home.run(&["status"]).check(0);
}

#[test]
fn a_hook_that_fails_undoes_nothing_and_is_loud() {
    let stage = Stage::new("echo no such service >&2; exit 1", TELLS, "");
    let (ended, token) = stage.wait();
    let ended = ended.check(1);
    assert_eq!(
        ended.json()[0]["fingerprint"],
        fingerprint(&token),
        "the receipt is printed"
    );
    for words in ["on_stored", "no such service", "the tokens are stored"] {
        assert!(ended.err.contains(words), "{words}: {}", ended.err);
    }
    assert_eq!(stage.keeper.kept(ANN), Some(token));
    assert_eq!(stage.file("order"), "test\n", "the other steps are done");
    let status = stage.home.run(&["status", "--json"]).check(1);
    crate::schema::check(&crate::schema::schema("status"), &status.json()[0]);
    let account = &status.json()[0]["accounts"][0];
    assert_eq!(account["state"], "failing");
    assert_eq!(account["steps"][0]["step"], "on_stored");
    assert_eq!(account["steps"][0]["ok"], false);
    assert!(
        stage
            .home
            .run(&["status"])
            .check(1)
            .out
            .contains("no such service")
    );
    assert!(stage.trail().contains(&"hook_failed".to_owned()));
}

#[test]
fn a_consumer_that_does_not_work_is_in_plain_sight_until_it_does() {
    let stage = Stage::new("true", "test -e ${0%/*}/healed", "");
    let (ended, _) = stage.wait();
    assert!(ended.check(1).err.contains("consumer nightly load"));
    stage.home.run(&["status"]).check(1);
    stage.home.write("healed", "");
    let (ended, _) = stage.wait();
    ended.check(0);
    stage.home.run(&["status"]).check(0);
}

#[test]
fn a_hook_that_asks_for_another_try_gets_it() {
    let stage = Stage::new(
        "echo once >> ${0%/*}/tries; test $(wc -l < ${0%/*}/tries) -ge 2 || exit 75",
        "true",
        "",
    );
    let (ended, _) = stage.wait();
    ended.check(0);
    assert_eq!(stage.file("tries").lines().count(), 2);
}

#[test]
fn a_daemon_that_is_killed_before_the_hook_runs_it_after_the_start() {
    // the first time, the hook takes for ever
    let stage = Stage::new(
        "echo once >> ${0%/*}/tries; test -e ${0%/*}/go || exec sleep 1000",
        "true",
        "",
    );
    let mut watching = stage.home.start(&["watch", "--json"]);
    let token = new_token();
    stage.server.deliver(BOX, &genuine(ANN, &token, ago(1)));
    await_stored(&mut watching, &token);
    watching.kill();
    stage.home.write("go", "");
    let mut watching = stage.home.start(&["watch", "--json"]);
    watching.hear_err("step=\"consumer nightly load\"");
    assert!(stage.trail().contains(&"hook_done".to_owned()));
    assert_eq!(stage.keeper.puts().len(), 1);
}

#[test]
fn a_webhook_is_told_of_what_it_asked_for() {
    let receiver = Stub::start(|_| (204, String::new()));
    let url = format!("http://{}/planted-path", receiver.authority());
    let notify = format!("[notify]\nwebhook = \"{url}\"\nevents = [\"stored\", \"hook_failed\"]");
    let stage = Stage::new("exit 1", "true", &notify);
    let (ended, token) = stage.wait();
    let ended = ended.check(1);
    let events: Vec<Value> = receiver.asked().iter().map(|asked| asked.json()).collect();
    let words: Vec<&str> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["stored", "hook_failed"]);
    assert_eq!(events[1]["reason"], "on_stored");
    let said = format!("{events:?}{}", ended.err);
    assert!(
        !said.contains(&token) && !ended.err.contains("planted-path"),
        "{said}"
    );
    let trail = stage.trail();
    assert_eq!(
        trail
            .iter()
            .filter(|event| *event == "webhook_done")
            .count(),
        2,
        "{trail:?}"
    );
}

#[test]
fn a_webhook_that_is_away_holds_up_no_wait_and_is_told_later() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let notify = format!("[notify]\nwebhook = \"http://{address}/\"");
    let stage = Stage::new("true", "true", &notify);
    let (ended, _) = stage.wait();
    ended.check(0);
    let status = stage.home.run(&["status", "--json"]).check(0);
    assert_eq!(status.json()[0]["accounts"][0]["waiting"], 1);
    let receiver = Stub::start_at(address, |_| (204, String::new()));
    let mut watching = stage.home.start(&["watch"]);
    watching.hear_err("step=\"webhook\"");
    assert_eq!(receiver.asked().len(), 1);
}

#[test]
fn a_replay_follows_up_too_and_only_once() {
    let stage = Stage::new(TELLS, TELLS, "");
    stage
        .home
        .write("good.eml", genuine(ANN, &new_token(), ago(60)));
    stage.home.run(&["replay", "good.eml"]).check(0);
    stage.home.run(&["replay", "good.eml"]).check(0);
    assert_eq!(stage.file("order"), "hook\ntest\n");
}

#[test]
fn an_old_token_is_reminded_of_once() {
    let receiver = Stub::start(|_| (204, String::new()));
    let notify = format!(
        "[notify]\nwebhook = \"http://{}/\"\nevents = [\"due\", \"overdue\"]",
        receiver.authority()
    );
    let stage = Stage::new("true", "true", &notify);
    stage
        .home
        .write("old.eml", genuine(ANN, &new_token(), ago(85 * 86_400)));
    stage.home.run(&["replay", "old.eml"]).check(0);
    for _ in 0..2 {
        let mut watching = stage.home.start(&["watch"]);
        watching.hear_err("connected");
        if receiver.asked().is_empty() {
            watching.hear_err("step=\"webhook\"");
        }
        watching.stop();
    }
    let events: Vec<Value> = receiver.asked().iter().map(|asked| asked.json()).collect();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["event"], "due");
    assert_eq!(events[0]["age_days"], 85);
    assert_eq!(
        stage.trail().iter().filter(|event| *event == "due").count(),
        1
    );
}

#[test]
fn a_daemon_removes_records_past_their_time_and_the_chain_holds() {
    let mut stage = Stage::new("true", "true", "");
    let ledger = stage.home.ledger();
    for days in [500, 450, 10] {
        let record = Record {
            username: Some(ANN.to_owned()),
            ..Record::new(ago(days * 86_400), Event::Verified)
        };
        ledger.note(&record).unwrap();
    }
    stage.home.set("SFTOKEN_TRAIL_KEEP", "400d");
    let mut watching = stage.home.start(&["watch"]);
    watching.hear_err("old records of the audit trail are removed");
    watching.stop();
    assert_eq!(stage.trail(), ["verified", "pruned"]);
    stage.home.run(&["history", "--check"]).check(0);
}
