//! `sftoken verify`: statuses, words and JSON.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use sftoken::testing::salesforce::Fault;
use sftoken::verify::{Cause, Why};

use super::{APP, APP_WORD, Org, PASSWORD};
use crate::schema::{check, schema};
use crate::support::run::{Ended, Home};
use crate::support::salesforce::ANN;

/// A home whose store holds ANN's token, and an org that knows it.
struct Desk {
    home: Home,
    org: Org,
}

impl Desk {
    fn new() -> Self {
        let mut home = Home::new();
        let org = Org::new();
        let script = "#!/bin/sh\n[ -e \"${0%/*}/locked\" ] && exit 75\n\
            [ \"$SFTOKEN_ACTION\" = get ] || exit 1\ncat \"${0%/*}/kept\" 2> /dev/null; exit 0\n";
        let path = home.write("shelf/read", script);
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        home.write("shelf/kept", org.token.expose());
        home.set("ANNS_WORD", PASSWORD);
        home.set("APPS_WORD", APP_WORD);
        let desk = Self { home, org };
        desk.configure("password = \"env:ANNS_WORD\"");
        desk
    }

    fn configure(&self, more: &str) {
        let store = self.home.path("shelf/read");
        self.home.configure(&format!(
            "[store.default]\nurl = \"exec:{}?get=1\"\n[[account]]\nusername = \"{ANN}\"\nlogin_url = \"{}\"\n{more}\n",
            store.display(),
            self.org.stub.url()
        ));
    }

    fn verify(&self, words: &[&str]) -> Ended {
        self.home.run(&[&["verify", ANN], words].concat())
    }

    #[track_caller]
    fn json(&self, status: i32) -> Value {
        let mut lines = self.verify(&["--json"]).check(status).json();
        assert_eq!(lines.len(), 1);
        let line = lines.remove(0);
        check(&schema("verification"), &line);
        line
    }
}

#[test]
fn a_good_token_is_said_and_done() {
    let desk = Desk::new();
    let ended = desk.verify(&[]).check(0);
    let address = desk.org.stub.address();
    assert_eq!(
        ended.out,
        format!("{ANN}: the token logs in to {address} (organization 00D5e000001Xy7QEAS)\n")
    );
    assert_eq!(ended.err, "");
    let mut line = desk.json(0);
    assert!(line["at"].take().as_str().unwrap().ends_with('Z'));
    assert_eq!(
        line,
        json!({
            "schema": 1, "username": ANN, "org": "production", "at": null,
            "fingerprint": desk.org.token.fingerprint().as_str(),
            "slot": desk.json(0)["slot"], "verified": true, "reason": null,
            "organization_id": "00D5e000001Xy7QEAS",
        })
    );
    assert_eq!(desk.org.stub.attempts(ANN), 3);
    assert_eq!(desk.org.stub.sessions(), 0);
}

#[test]
fn by_oauth_as_well() {
    let desk = Desk::new();
    desk.configure(&format!(
        "password = \"env:ANNS_WORD\"\nlogin = \"oauth-password\"\nclient_id = \"{APP}\"\nclient_secret = \"env:APPS_WORD\"\n\
         organization_id = \"00D5e000001Xy7Q\""
    ));
    desk.verify(&["--org", "production"]).check(0);
    desk.org.stub.reset(ANN).unwrap();
    let line = desk.json(7);
    assert_eq!(
        (&line["verified"], &line["reason"]),
        (&json!(false), &json!("invalid_grant"))
    );
}

#[test]
fn a_refusal_is_a_seven_and_a_doubt_is_a_one() {
    let desk = Desk::new();
    for (fault, status, reason) in [
        (Fault::LoginDisabled, 7, "login_disabled"),
        (Fault::PermissionMissing, 7, "permission_missing"),
        (Fault::PasswordExpired, 7, "password_expired"),
        (Fault::LockedOut, 7, "locked_out"),
        (Fault::Status(503), 1, "unavailable"),
        (Fault::Cut, 1, "cut"),
        (Fault::Html, 1, "unreadable"),
    ] {
        desk.org.stub.fail_next(1, fault);
        let line = desk.json(status);
        assert_eq!(
            (&line["verified"], &line["reason"]),
            (&Value::Null, &json!(reason))
        );
    }
    desk.org.stub.reset(ANN).unwrap();
    let line = desk.json(7);
    assert_eq!(
        (&line["verified"], &line["reason"]),
        (&json!(false), &json!("invalid_login"))
    );
    let ended = desk.verify(&[]).check(7);
    assert_eq!(ended.out, "");
    assert!(
        ended.err.starts_with(&format!("error: {ANN}: ")),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("hint: "), "{}", ended.err);
    // one attempt for each
    assert_eq!(desk.org.stub.attempts(ANN), 9);
}

#[test]
fn another_organization_is_named() {
    let desk = Desk::new();
    desk.configure("password = \"env:ANNS_WORD\"\norganization_id = \"00D2w000000Ab9XEAS\"");
    let line = desk.json(7);
    assert_eq!(line["reason"], "other_organization");
    assert_eq!(line["organization_id"], "00D5e000001Xy7QEAS");
    assert_eq!(line["verified"], Value::Null);
    let ended = desk.verify(&[]).check(7);
    assert!(ended.err.contains("(00D5e000001Xy7QEAS)"), "{}", ended.err);
}

#[test]
fn what_is_missing_here_costs_no_attempt() {
    let desk = Desk::new();
    desk.home.write("shelf/locked", "");
    desk.verify(&[]).check(6);
    fs::remove_file(desk.home.path("shelf/locked")).unwrap();
    fs::remove_file(desk.home.path("shelf/kept")).unwrap();
    desk.verify(&[]).check(3);
    let other = desk.home.run(&["verify", "nobody@acme.example"]).check(2);
    assert!(other.err.contains("not configured"), "{}", other.err);
    desk.verify(&["--org", "sandbox"]).check(2);
    desk.configure("");
    let ended = desk.verify(&[]).check(2);
    assert!(ended.err.contains("password = "), "{}", ended.err);
    desk.configure("password = \"env:NOT_SET\"");
    desk.verify(&[]).check(2);
    desk.home.write("shelf/kept", desk.org.token.expose());
    desk.configure("password = \"env:ANNS_WORD\"\nca_file = \"none.pem\"");
    desk.verify(&[]).check(2);
    assert_eq!(desk.org.stub.attempts(ANN), 0);
}

/// At its loudest, whatever comes.
#[test]
fn the_log_tells_no_secret() {
    let mut desk = Desk::new();
    desk.home.set("SFTOKEN_LOG", "trace");
    for fault in [
        None,
        Some(Fault::LoginDisabled),
        Some(Fault::Cut),
        Some(Fault::Html),
    ] {
        if let Some(fault) = fault {
            desk.org.stub.fail_next(1, fault);
        }
        for form in ["text", "json"] {
            let ended = desk.verify(&["-vv", "--log-format", form]);
            assert!(ended.err.contains("tried to log in"), "{}", ended.err);
            let all = format!("{}{}", ended.out, ended.err);
            for secret in [PASSWORD, desk.org.token.expose(), "00D5e000001Xy7QEAS!"] {
                assert!(!all.contains(secret), "{all}");
            }
        }
    }
}

#[test]
fn every_reason_is_a_word_of_the_schema_and_no_other_is() {
    let schema = schema("verification");
    let words = schema["properties"]["reason"]["enum"].as_array().unwrap();
    let of_code = Why::ALL.iter().map(|why| why.kind());
    let of_code = of_code.chain(Cause::ALL.iter().map(|cause| cause.kind()));
    let mut of_code: Vec<Value> = of_code.map(Value::from).collect();
    of_code.push(Value::Null);
    assert_eq!(words, &of_code);
}
