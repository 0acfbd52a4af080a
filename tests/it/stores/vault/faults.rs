//! Each trouble has its kind, its sentence and its remedy.

use super::*;
use crate::support::run::Home;
use crate::support::salesforce::{ANN, ago, genuine, key_file};
use crate::support::stub::Stub;

#[test]
fn a_mount_that_cannot_compare_is_refused() {
    let server = OpenBao::start();
    server.api(
        "POST",
        "sys/mounts/kv1",
        json!({"type": "kv", "options": {"version": "1"}}),
    );
    server.api("POST", "sys/mounts/pki", json!({"type": "pki"}));
    let store = rooted(&server, "kv1/{username}");
    check_error(
        &store.check().unwrap_err(),
        StoreErrorKind::Misconfigured,
        "KV version 1",
        "enable-versioning",
    );
    let error = put(&*store, 1, OLD).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Misconfigured);
    let kept = server.api("GET", "sys/internal/ui/mounts/kv1", Value::Null);
    assert_eq!(kept["data"]["options"]["version"], "1");
    check_error(
        &rooted(&server, "pki/x").check().unwrap_err(),
        StoreErrorKind::Misconfigured,
        "another kind (pki)",
        "KV",
    );
}

#[test]
fn a_mount_may_have_slashes() {
    let server = OpenBao::start();
    server.api(
        "POST",
        "sys/mounts/team/kv",
        json!({"type": "kv", "options": {"version": "2"}}),
    );
    let store = rooted(&server, "team/kv/{org}/{username}");
    put(&*store, 1, OLD).unwrap();
    let path = format!("team/kv/data/production/{USERNAME}");
    assert_eq!(
        server.api("GET", &path, Value::Null)["data"]["data"]["token"],
        OLD
    );
}

#[test]
fn a_sealed_server_is_waited_for() {
    let server = OpenBao::start();
    let store = rooted(&server, "secret/x");
    put(&*store, 1, OLD).unwrap();
    server.api("POST", "sys/seal", json!({}));
    let error = put(&*store, 2, NEW).unwrap_err();
    check_error(&error, StoreErrorKind::Locked, "sealed", "operator unseal");
    assert!(error.kind.is_transient());
}

#[test]
fn a_private_authority_is_named() {
    let server = OpenBao::start_with_tls();
    let planted = Planted::with(&[("env:VAULT_TOKEN", ROOT)]);
    let file = server.authority_file();
    let ca = format!("&ca-file={}", file.display());
    let store = planted.open(&server.url("secret/x", &ca)).unwrap();
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);

    let stranger = planted.open(&server.url("secret/x", "")).unwrap();
    check_error(
        &stranger.check().unwrap_err(),
        StoreErrorKind::Misconfigured,
        "not trusted",
        "ca-file=",
    );
    let plain = server.url("secret/x", &ca).replace("tls=1", "tls=0");
    let error = planted.open(&plain).unwrap().check().unwrap_err();
    check_error(&error, StoreErrorKind::Misconfigured, "speaks TLS", "tls=0");
    let nowhere = server.url("secret/x", "&ca-file=/nonexistent.pem");
    let error = planted.open(&nowhere).unwrap().check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "/nonexistent.pem",
        "PEM",
    );
}

/// What a server answers, whatever it is asked.
#[track_caller]
fn check_answer(status: u16, body: &str, kind: StoreErrorKind, problem: &str) {
    let text = body.to_owned();
    let server = Stub::start(move |_| (status, text.clone()));
    let planted = Planted::with(&[("env:VAULT_TOKEN", "planted-token")]);
    let url = format!("vault://{}/secret/x?tls=0", server.authority());
    let error = planted.open(&url).unwrap().check().unwrap_err();
    check_error(&error, kind, problem, "");
    let shown = format!("{error}{}", error.hint);
    assert!(
        !shown.contains("planted") && !shown.contains('\u{1b}'),
        "{shown:?}"
    );
}

#[test]
fn every_answer_has_its_sentence() {
    use StoreErrorKind::{Corrupt, Locked, Misconfigured, Refused, Unreachable};
    check_answer(503, r#"{"errors":["Vault is sealed"]}"#, Locked, "sealed");
    check_answer(503, "<html>", Unreachable, "trouble of its own");
    check_answer(500, "", Unreachable, "trouble of its own");
    check_answer(501, "", Unreachable, "not initialized");
    check_answer(
        429,
        r#"{"errors":["request path rate limited"]}"#,
        Unreachable,
        "rate limit",
    );
    check_answer(412, "", Unreachable, "replica");
    check_answer(472, "", Unreachable, "standby");
    check_answer(473, "", Unreachable, "standby");
    check_answer(307, "", Unreachable, "sends elsewhere");
    check_answer(
        403,
        r#"{"errors":["permission denied"]}"#,
        Refused,
        "expired, revoked",
    );
    check_answer(404, r#"{"errors":[]}"#, Misconfigured, "namespace");
    check_answer(
        200,
        "<html>log in to this network</html>",
        Corrupt,
        "not understood",
    );
    check_answer(
        200,
        r#"{"data":{"path":"secret/"}}"#,
        Corrupt,
        "not understood",
    );
    check_answer(418, "{\"errors\":[\"a\u{1b}[2Jb\"]}", Refused, "HTTP 418");
}

/// Not even one that gives back everything that it was sent.
#[test]
fn a_server_that_repeats_us_is_not_repeated() {
    for talkative in ["/mounts/", "/data/"] {
        for method in ["GET", "POST"] {
            let server = Stub::start(move |asked| {
                let echo = format!("{} {:?}", asked.body, asked.headers);
                if asked.path.contains(talkative) && asked.method == method {
                    return (418, json!({"errors": [echo]}).to_string());
                }
                let mount = json!({"path": "secret/", "type": "kv", "options": {"version": "2"}});
                match asked.path.contains("/mounts/") {
                    true => (200, json!({"data": mount}).to_string()),
                    false => (404, json!({"errors": []}).to_string()),
                }
            });
            let planted = Planted::with(&[("env:VAULT_TOKEN", "planted-token")]);
            let url = format!("vault://{}/secret/x?tls=0", server.authority());
            let error = put(&*planted.open(&url).unwrap(), 1, OLD).unwrap_err();
            let shown = format!("{error}{}", error.hint);
            assert!(
                !shown.contains("planted") && !shown.contains(OLD),
                "{shown}"
            );
        }
    }
}

#[test]
fn nobody_there_is_told_so() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let planted = Planted::with(&[("env:VAULT_TOKEN", "t")]);
    let gone = planted
        .open(&format!("vault://127.0.0.1:{port}/secret/x?tls=0"))
        .unwrap();
    check_error(
        &gone.check().unwrap_err(),
        StoreErrorKind::Unreachable,
        "refused",
        "server runs",
    );
    let secretless = Planted::default()
        .open("vault://vault.example/secret/x")
        .unwrap();
    check_error(
        &secretless.check().unwrap_err(),
        StoreErrorKind::Misconfigured,
        "env:VAULT_TOKEN is not set",
        "set it",
    );
}

#[track_caller]
fn check_url(url: &str, problem: &str) {
    let error = Planted::default().open(url).unwrap_err();
    check_error(&error, StoreErrorKind::Misconfigured, problem, "");
    assert!(
        !format!("{error}{}", error.hint).contains("planted"),
        "{error} {}",
        error.hint
    );
}

#[test]
fn a_url_that_does_not_hold_is_told_before_anything_is_asked() {
    check_url("vault:secret/x", "no host");
    check_url("vault://host", "no host and path");
    check_url("vault://host/secret", "no path in it");
    check_url("vault:///secret/x", "host");
    check_url("vault://ho st/secret/x", "host");
    check_url("vault://host:http/secret/x", "port");
    check_url("vault://user:planted@host/secret/x", "password");
    check_url("vault://host/secret/../x", "empty");
    check_url("vault://host/secret/{user}", "placeholder");
    check_url("vault://host/secret/x?auth=ldap", "log in");
    check_url("vault://host/secret/x?auth=approle", "role-id");
    check_url("vault://host/secret/x?auth=kubernetes", "role");
    check_url("vault://host/secret/x?auth=jwt&role=r", "jwt");
    check_url("vault://host/secret/x?auth-mount=x", "auth-mount");
    check_url("vault://host/secret/x?ca-file=ca.pem", "root");
    check_url("vault://host/secret/x?timeout=soon", "timeout");
    check_url("vault://host/secret/x?tls=false", "neither 0 nor 1");
    check_url("vault://host/secret/x?field=sftoken", "field");
    check_url("vault://host/secret/x?password=planted", "unknown here");
}

/// The whole command, at its most talkative: neither token is told.
#[test]
fn replay_stores_and_get_reads() {
    let server = OpenBao::start();
    let mut home = Home::new();
    home.set("VAULT_TOKEN", ROOT);
    let keys = key_file(&home);
    home.write("mails/old.eml", genuine(ANN, OLD, ago(600)));
    home.write("mails/new.eml", genuine(ANN, NEW, ago(60)));
    let url = server.url("secret/sf/{username}", "");
    let stored = home.run(&["replay", "-vv", "--store", &url, "--keys", &keys, "mails"]);
    let told = format!("{}{}", stored.out, stored.err);
    assert!(told.contains(&format!("/secret/sf/{ANN}")), "{told}");
    for secret in [OLD, NEW, ROOT] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    let got = home.run(&["get", "--store", &url, ANN]).check(0);
    assert_eq!(got.out, NEW);

    home.set("VAULT_TOKEN", "planted-wrong");
    let refused = home.run(&["get", "--store", &url, ANN]).check(6);
    assert!(refused.err.contains("expired, revoked"), "{}", refused.err);
    let typed = server.url("secret/sf/{username}", "&token=planted-token-itself");
    let refused = home.run(&["get", "--store", &typed, ANN]).check(2);
    assert!(!refused.err.contains("planted"), "{}", refused.err);
    let relative = server.url("secret/sf/{username}", "&token=file:secret");
    let refused = home.run(&["get", "--store", &relative, ANN]).check(2);
    assert!(refused.err.contains("file:/PATH"), "{}", refused.err);
}
