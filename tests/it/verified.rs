//! The loop with `verify`: a mailbox, a Salesforce, and a store.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::Value;
use sftoken::testing::salesforce::{Fault, SalesforceStub};

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::run::{Ended, Home, Running};
use crate::support::salesforce::{ANN, BOX, Keeper, ago, genuine, key_file};
use crate::support::stage::fingerprint;

const WORD: &str = "planted<&>'\"password";

mod unlucky;

/// A mailbox whose account is verified.
struct Stage {
    server: Dovecot,
    home: Home,
    keeper: Keeper,
    salesforce: SalesforceStub,
}

impl Stage {
    fn new(verify: &str) -> Self {
        let salesforce = SalesforceStub::start().unwrap();
        salesforce.add_user(ANN, WORD);
        let url = salesforce.url();
        Self::at(verify, salesforce, &url)
    }

    fn at(verify: &str, salesforce: SalesforceStub, url: &str) -> Self {
        let server = Dovecot::start();
        let mut home = Home::new();
        home.set("MAIL_PASSWORD", PASSWORD);
        home.set("ANNS_WORD", WORD);
        let keeper = Keeper::in_home(&home);
        home.configure(&format!(
            "[mailbox.ops]\nurl = \"imaps://{BOX}@localhost:{}\"\nca_file = \"{}\"\n\
             auth = {{ password = \"env:MAIL_PASSWORD\" }}\n[dns]\nkeys = [\"{}\"]\n\
             [store.default]\nurl = \"{}\"\n[[account]]\nusername = \"{ANN}\"\nverify = \"{verify}\"\n\
             password = \"env:ANNS_WORD\"\nlogin_url = \"{url}\"\n",
            server.endpoint(BOX).port,
            server.ca_file().display(),
            key_file(&home),
            keeper.url(),
        ));
        Self {
            server,
            home,
            keeper,
            salesforce,
        }
    }

    /// The reset: the old token is dead, the new one is on its way.
    fn reset(&self) -> String {
        let token = self.salesforce.reset(ANN).unwrap();
        self.deliver(&token, 1);
        token
    }

    fn deliver(&self, token: &str, seconds: i64) {
        self.server.deliver(BOX, &genuine(ANN, token, ago(seconds)));
    }

    fn armed(&self, timeout: &str) -> Running {
        let mut waiting = self.home.start(&["wait", "--json", "--timeout", timeout]);
        let line = waiting.hear_err("armed");
        let line = serde_json::from_str(&line).unwrap();
        crate::schema::check(&crate::schema::schema("waiting"), &line);
        waiting
    }

    fn kept(&self) -> Option<String> {
        self.keeper.kept(ANN)
    }

    fn account(&self, exit: i32) -> Value {
        let ended = self.home.run(&["status", "--json"]).check(exit);
        crate::schema::check(&crate::schema::schema("status"), &ended.json()[0]);
        ended.json()[0]["accounts"][0].clone()
    }
}

/// The stub tells nobody: it is asked.
fn await_attempt(salesforce: &SalesforceStub) {
    let begun = std::time::Instant::now();
    while salesforce.attempts(ANN) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no attempt");
        std::thread::yield_now();
    }
}

#[track_caller]
fn says(ended: &Ended, words: &[&str]) {
    for word in words {
        assert!(ended.err.contains(word), "{word:?} in\n{}", ended.err);
    }
    assert!(!ended.err.contains("planted"), "{}", ended.err);
}

#[test]
fn a_wait_ends_with_a_token_that_logs_in() {
    for when in ["after", "before"] {
        let stage = Stage::new(when);
        let waiting = stage.armed("60s");
        let token = stage.reset();
        let receipts = waiting.end().check(0).json();
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0]["verified"], true, "{when}");
        assert_eq!(stage.kept(), Some(token), "{when}");
        assert_eq!(stage.salesforce.attempts(ANN), 1, "{when}");
        assert_eq!(stage.account(0)["verified"], true);
    }
}

#[test]
fn a_receipt_for_people_says_that_it_logs_in() {
    let stage = Stage::new("after");
    let mut waiting = stage.home.start(&["wait", "--timeout", "60s"]);
    waiting.hear_err("armed");
    stage.reset();
    let ended = waiting.end().check(0);
    assert!(
        ended.out.trim_end().ends_with(", logs in)"),
        "{}",
        ended.out
    );
}

#[test]
fn after_the_store_a_refused_token_ends_the_wait_with_7() {
    let stage = Stage::new("after");
    let waiting = stage.armed("60s");
    let token = "NotTheTokenOfThisUser012";
    stage.deliver(token, 1);
    let ended = waiting.end().check(7);
    says(&ended, &["does not log in", "Login History"]);
    assert_eq!(ended.json()[0]["verified"], false, "it is stored, and told");
    assert_eq!(stage.kept().as_deref(), Some(token));
    assert_eq!(stage.salesforce.attempts(ANN), 1);
    let account = stage.account(7);
    assert_eq!(account["state"], "failing");
    assert_eq!(account["login"]["state"], "refused");
    assert_eq!(account["login"]["stored"], true);
}

#[test]
fn before_the_store_a_refused_token_leaves_the_old_one() {
    let stage = Stage::new("before");
    let waiting = stage.armed("60s");
    let old = stage.reset();
    waiting.end().check(0);

    let waiting = stage.armed("60s");
    // the user is locked, or the password is another one by now: Salesforce does not tell
    stage.salesforce.add_user(ANN, "another");
    let newer = stage.reset();
    let ended = waiting.end().check(7);
    says(&ended, &["does not log in", "the one before stays"]);
    assert_eq!(ended.json().len(), 0, "nothing is stored");
    assert_eq!(stage.kept(), Some(old.clone()));
    // neither another wait, nor a daemon, tries it again
    let mut watching = stage.home.start(&["watch", "--json"]);
    watching.hear_out("log_in_refused");
    watching.kill();
    assert_eq!(stage.salesforce.attempts(ANN), 2);
    let account = stage.account(7);
    assert_eq!(account["login"]["stored"], false);
    assert_eq!(account["login"]["fingerprint"], fingerprint(&newer));

    // a person found out why
    stage.salesforce.add_user(ANN, WORD);
    stage.salesforce.set_token(ANN, &newer);
    let told = stage.home.run(&["verify", ANN]).check(7);
    says(&told, &["kept out", "--again"]);
    stage.home.run(&["verify", ANN, "--again"]).check(0);
    assert_eq!(stage.kept(), Some(newer));
    assert_eq!(stage.account(0)["verified"], true);
    assert_eq!(stage.salesforce.attempts(ANN), 4);
}

#[test]
fn an_org_that_forbids_the_log_in_is_told_apart() {
    let stage = Stage::new("after");
    stage.salesforce.fail(Fault::LoginDisabled);
    let waiting = stage.armed("60s");
    let token = stage.reset();
    let ended = waiting.end().check(7);
    says(&ended, &["Enable SOAP API login()"]);
    assert_eq!(
        ended.json()[0]["verified"],
        Value::Null,
        "nothing is known of the token"
    );
    assert_eq!(stage.kept(), Some(token));
}

#[test]
fn a_salesforce_that_is_silent_is_not_a_bad_token() {
    let stage = Stage::new("after");
    stage.salesforce.fail(Fault::Cut);
    let waiting = stage.armed("60s");
    let token = stage.reset();
    let ended = waiting.end().check(1);
    says(&ended, &["is not known to log in"]);
    assert_eq!(ended.json()[0]["verified"], Value::Null);
    assert_eq!(stage.kept(), Some(token));
    assert_eq!(stage.salesforce.attempts(ANN), 1, "it is not asked again");
}

#[test]
fn a_salesforce_that_cannot_be_reached_is_tried_until_it_can() {
    // the stub's port, before it is there
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let salesforce = SalesforceStub::start().unwrap();
    salesforce.add_user(ANN, WORD);
    let stage = Stage::at("before", salesforce, &format!("http://127.0.0.1:{port}"));
    let mut waiting = stage.armed("90s");
    let token = stage.reset();
    waiting.hear_err("is not known to log in");
    assert_eq!(stage.kept(), None);
    let target = stage.salesforce.address();
    // from now on it leads to the stub
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = std::net::TcpStream::connect(target).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (server, client);
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    let receipts = waiting.end_within(Duration::from_secs(90)).check(0).json();
    assert_eq!(receipts[0]["verified"], true);
    assert_eq!(stage.kept(), Some(token));
    assert_eq!(stage.salesforce.attempts(ANN), 1);
}

/// What cannot be asked is no refusal, and each sentence says how far the token got.
#[test]
fn a_wait_that_could_not_try_the_token_says_how_far_it_got() {
    for (when, words) in [
        ("after", "is stored, and could not be tried at a log-in"),
        ("before", "came, and is not stored"),
    ] {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let salesforce = SalesforceStub::start().unwrap();
        salesforce.add_user(ANN, WORD);
        let stage = Stage::at(when, salesforce, &nobody);
        let waiting = stage.armed("4s");
        let token = stage.reset();
        let ended = waiting.end().check(1);
        says(&ended, &[words, "nobody can be reached"]);
        assert!(!ended.err.contains("does not log in"), "{}", ended.err);
        let kept = (when == "after").then_some(token);
        assert_eq!(stage.kept(), kept, "{when}");
    }
}

#[test]
fn hooks_of_a_stored_token_are_done_also_when_the_wait_fails() {
    let mut stage = Stage::new("after");
    // it asks for another try first
    let hook =
        "test -e ${0%/*}/tried || { touch ${0%/*}/tried; exit 75; }; echo done > ${0%/*}/hooked";
    let hook = stage.home.write("hook", format!("#!/bin/sh\n{hook}\n"));
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o700)).unwrap();
    stage.home.set("SFTOKEN_ACCOUNT_0_ON_STORED", &hook);
    stage.salesforce.fail(Fault::LoginDisabled);
    let waiting = stage.armed("60s");
    stage.reset();
    waiting.end().check(7);
    let hooked = fs::read_to_string(stage.home.path("hooked"));
    assert_eq!(hooked.unwrap(), "done\n");
}

#[test]
fn a_late_mail_of_an_earlier_reset_does_not_end_the_wait() {
    let stage = Stage::new("before");
    let dead = stage.salesforce.reset(ANN).unwrap();
    let mut waiting = stage.armed("60s");
    // dead since the reset that is waited for, and late by an hour
    let token = stage.salesforce.reset(ANN).unwrap();
    stage.deliver(&dead, 3600);
    waiting.hear_err("does not log in");
    stage.deliver(&token, 0);
    let receipts = waiting.end().check(0).json();
    assert_eq!(receipts.len(), 1);
    assert_eq!(stage.kept(), Some(token));
}

#[test]
fn a_daemon_and_a_wait_try_a_token_once_together() {
    let stage = Stage::new("after");
    let watching = stage.home.start(&["watch", "--json"]);
    let waiting = stage.armed("60s");
    let token = stage.reset();
    let receipts = waiting.end().check(0).json();
    assert_eq!(receipts[0]["verified"], true);
    assert_eq!(stage.kept(), Some(token));
    watching.stop().check(143);
    assert_eq!(stage.keeper.puts().len(), 1);
    assert_eq!(stage.salesforce.attempts(ANN), 1);
}

#[test]
fn a_daemon_that_is_killed_during_the_log_in_does_not_log_in_twice() {
    let stage = Stage::new("after");
    stage.salesforce.fail(Fault::Silence);
    let watching = stage.home.start(&["watch", "--json"]);
    let token = stage.reset();
    await_attempt(&stage.salesforce);
    watching.kill();
    stage.salesforce.heal();
    let mut watching = stage.home.start(&["watch", "--json"]);
    let line = watching.hear_out(&fingerprint(&token));
    let receipt: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(receipt["verified"], Value::Null);
    assert_eq!(stage.salesforce.attempts(ANN), 1);
    assert_eq!(stage.account(1)["login"]["state"], "unknown");
    // a person may
    stage.home.run(&["verify", ANN]).check(0);
    assert_eq!(stage.account(0)["verified"], true);
}
