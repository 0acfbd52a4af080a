//! One account, several slots: each on its own.

mod late;

use serde_json::Value;

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::run::{Home, Running};
use crate::support::salesforce::{ANN, BOX, Keeper, ago, genuine, key_file, new_token};
use crate::support::stage::{await_stored, fingerprint};

/// A mailbox whose account has two stores.
struct Two {
    server: Dovecot,
    home: Home,
    first: Keeper,
    second: Keeper,
}

impl Two {
    fn new() -> Self {
        let server = Dovecot::start();
        let mut home = Home::new();
        home.set("MAIL_PASSWORD", PASSWORD);
        let (first, second) = (
            Keeper::named(&home, "first"),
            Keeper::named(&home, "second"),
        );
        home.configure(&format!(
            "[mailbox.ops]\nurl = \"imaps://{BOX}@localhost:{}\"\nca_file = \"{}\"\n\
             auth = {{ password = \"env:MAIL_PASSWORD\" }}\n[dns]\nkeys = [\"{}\"]\n\
             [store.one]\nurl = \"{}\"\n[store.two]\nurl = \"{}\"\n\
             [[account]]\nusername = \"{ANN}\"\nstore = [\"one\", \"two\"]\n",
            server.endpoint(BOX).port,
            server.ca_file().display(),
            key_file(&home),
            first.url(),
            second.url(),
        ));
        Self {
            server,
            home,
            first,
            second,
        }
    }

    fn reset(&self, seconds: i64) -> String {
        let token = new_token();
        self.server
            .deliver(BOX, &genuine(ANN, &token, ago(seconds)));
        token
    }

    fn status(&self, exit: i32) -> Value {
        let ended = self.home.run(&["status", "--json"]).check(exit);
        crate::schema::check(&crate::schema::schema("status"), &ended.json()[0]);
        ended.json()[0]["accounts"][0].clone()
    }

    #[track_caller]
    fn check_kept(&self, first: Option<&str>, second: Option<&str>) {
        assert_eq!(self.first.kept(ANN).as_deref(), first);
        assert_eq!(self.second.kept(ANN).as_deref(), second);
    }
}

/// The slot of a receipt that tells of a stored token.
fn slot(line: &str) -> String {
    let receipt: Value = serde_json::from_str(line).unwrap();
    assert_ne!(receipt["stored_at"], Value::Null, "{line}");
    receipt["slot"].as_str().unwrap().to_owned()
}

fn two_receipts(watching: &mut Running, token: &str) -> [String; 2] {
    let print = fingerprint(token);
    [watching.hear_out(&print), watching.hear_out(&print)]
}

#[test]
fn each_gets_the_token_and_has_its_receipt() {
    let stage = Two::new();
    let mut watching = stage.home.start(&["watch", "--json"]);
    let token = stage.reset(5);
    let [one, two] = two_receipts(&mut watching, &token);
    assert!(slot(&one).contains("/first/"), "{one}");
    assert!(slot(&two).contains("/second/"), "{two}");
    stage.check_kept(Some(&token), Some(&token));
    let status = stage.status(0);
    assert_eq!(status["state"], "ok");
    assert_eq!(status["slots"].as_array().unwrap().len(), 2);
    assert_eq!(stage.home.run(&["get", ANN]).check(0).out, token);
}

#[test]
fn one_that_fails_holds_back_none_and_gets_it_later() {
    let stage = Two::new();
    stage.second.lock(true);
    let mut watching = stage.home.start(&["watch", "--json"]);
    let token = stage.reset(5);
    assert!(slot(&watching.hear_out(&fingerprint(&token))).contains("/first/"));
    watching.hear_out("store_");
    stage.check_kept(Some(&token), None);
    let status = stage.status(6);
    assert_eq!(status["state"], "failing");
    let states: Vec<&Value> = status["slots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slot| &slot["state"])
        .collect();
    assert_eq!(states, ["ok", "failing"]);
    let text = stage.home.run(&["status"]).check(6).out;
    assert!(text.contains("failing exec:"), "{text}");

    stage.second.lock(false);
    while !slot(&watching.hear_out("\"stored_at\":\"")).contains("/second/") {}
    stage.check_kept(Some(&token), Some(&token));
    assert_eq!(stage.status(0)["state"], "ok");
    assert_eq!(
        stage.first.puts().len(),
        1,
        "the first is not written again"
    );
    assert_eq!(stage.second.puts().len(), 1);
}

#[test]
fn the_one_that_failed_is_not_forgotten_when_the_daemon_dies() {
    let stage = Two::new();
    stage.second.lock(true);
    let mut watching = stage.home.start(&["watch", "--json"]);
    let token = stage.reset(5);
    watching.hear_out(&fingerprint(&token));
    watching.hear_out("store_");
    watching.kill();

    stage.second.lock(false);
    let mut watching = stage.home.start(&["watch", "--json"]);
    while !slot(&watching.hear_out("\"stored_at\":\"")).contains("/second/") {}
    stage.check_kept(Some(&token), Some(&token));
    assert_eq!(
        stage.first.puts().len(),
        1,
        "the first is not written again"
    );
}

#[test]
fn a_newer_token_overtakes_the_one_that_waits() {
    let stage = Two::new();
    stage.second.lock(true);
    let mut watching = stage.home.start(&["watch", "--json"]);
    let older = stage.reset(50);
    watching.hear_out(&fingerprint(&older));
    watching.hear_out("store_");
    let newer = stage.reset(5);
    watching.hear_out(&fingerprint(&newer));
    stage.second.lock(false);
    while !slot(&watching.hear_out("\"stored_at\":\"")).contains("/second/") {}
    stage.check_kept(Some(&newer), Some(&newer));
    // the older one may have been tried first, or not: it never comes last
    assert!(stage.second.puts().last().unwrap().ends_with(&newer));
    let outdated = genuine(ANN, &new_token(), ago(100));
    stage.server.deliver(BOX, &outdated);
    watching.hear_out("older_than_current");
    watching.hear_out("older_than_current");
    stage.check_kept(Some(&newer), Some(&newer));
}

#[test]
fn a_wait_is_for_all_of_them() {
    let stage = Two::new();
    stage.second.lock(true);
    // the store is asked before anything is reset
    let ended = stage.home.run(&["wait", "--timeout", "5s"]).check(6);
    assert!(!ended.err.contains("armed:"), "{}", ended.err);

    stage.second.lock(false);
    let mut waiting = stage.home.start(&["wait", "--json", "--timeout", "4s"]);
    waiting.hear_err("armed");
    stage.second.lock(true);
    let token = stage.reset(1);
    let ended = waiting.end().check(6);
    assert_eq!(ended.json().len(), 1, "what is stored is told: {ended:?}");
    assert_eq!(ended.json()[0]["fingerprint"], fingerprint(&token));
    assert!(ended.err.contains("in part only"), "{}", ended.err);
    assert!(
        ended.err.contains("second"),
        "the store is named: {}",
        ended.err
    );

    let mut waiting = stage.home.start(&["wait", "--json", "--timeout", "60s"]);
    stage.second.lock(false);
    waiting.hear_err("armed");
    let token = stage.reset(0);
    let receipts = waiting.end().check(0).json();
    assert_eq!(receipts.len(), 2);
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt["fingerprint"] == fingerprint(&token))
    );
}

#[test]
fn the_same_place_by_two_names_is_refused() {
    let home = Home::new();
    home.configure(&format!(
        "[store.one]\nurl = \"keyring://x\"\n[store.two]\nurl = \"keyring://x\"\n\
         [[account]]\nusername = \"{ANN}\"\nstore = [\"one\", \"two\"]\n"
    ));
    let ended = home.run(&["status"]).check(2);
    assert!(ended.err.contains("same url"), "{}", ended.err);
}

#[test]
fn a_replay_fills_a_slot_that_was_added_later() {
    let stage = Two::new();
    let token = new_token();
    stage.home.write("good.eml", genuine(ANN, &token, ago(60)));
    let only_one = [("SFTOKEN_ACCOUNT_0_STORE", "one")];
    let mut command = stage.home.command(env!("CARGO_BIN_EXE_sftoken"));
    command.args(["replay", "good.eml"]).envs(only_one);
    Running::of(command, b"").end().check(0);
    stage.check_kept(Some(&token), None);
    stage.home.run(&["replay", "good.eml"]).check(0);
    stage.check_kept(Some(&token), Some(&token));
    assert_eq!(stage.first.puts().len(), 1);
    let mut watching = stage.home.start(&["watch", "--json"]);
    let newer = stage.reset(1);
    await_stored(&mut watching, &newer);
}
