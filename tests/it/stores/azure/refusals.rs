//! Each failure has its sentence, and no secret in it.

use serde_json::{Value, json};

use super::vault::{refusal, version};
use super::*;
use crate::support::stub::Asked;

/// A vault that logs us in and answers everything else alike.
#[track_caller]
fn check_answer(answer: (u16, String), kind: StoreErrorKind, problem: &str, hint: &str) {
    let stub = Stub::start(move |asked: &Asked| {
        if asked.path.ends_with("/token") {
            let told = json!({"access_token": "planted-access", "expires_in": 3599});
            return (200, told.to_string());
        }
        answer.clone()
    });
    let store = open(&stub, "salesforce");
    let error = store.check().unwrap_err();
    check_error(&error, kind, problem, hint);
    let put = put(&*store, 1, OLD).unwrap_err();
    assert_eq!(put.kind, kind, "{put}");
    let shown = format!("{error}{}{put}{}", error.hint, put.hint);
    assert!(
        !shown.contains("planted") && !shown.contains(OLD),
        "{shown}"
    );
}

#[test]
fn every_answer_has_its_sentence() {
    use StoreErrorKind::{Corrupt, Misconfigured, Refused, Unreachable};
    check_answer(
        refusal(401, "Unauthorized", None),
        Refused,
        "access token",
        "cloud=",
    );
    check_answer(
        refusal(403, "Forbidden", Some("ForbiddenByRbac")),
        Refused,
        "may not list the versions of",
        "Secrets Officer",
    );
    check_answer(
        refusal(403, "Forbidden", Some("ForbiddenByFirewall")),
        Refused,
        "firewall",
        "networking",
    );
    check_answer(
        refusal(302, "", None),
        Misconfigured,
        "sends elsewhere",
        "vault's name",
    );
    check_answer(
        refusal(429, "Throttled", None),
        Unreachable,
        "slow down",
        "tried again",
    );
    check_answer(
        refusal(500, "InternalServerError", None),
        Unreachable,
        "trouble of its own",
        "tried again",
    );
    check_answer(
        refusal(409, "Conflict", Some("ObjectIsBeingDeleted")),
        Unreachable,
        "being deleted",
        "tried again",
    );
    check_answer(
        refusal(418, "Teapot", None),
        Refused,
        "does not list",
        "diagnostic log",
    );
    check_answer(
        (200, "<html>".to_owned()),
        Corrupt,
        "not understood",
        "no proxy",
    );
}

/// Soft deletion: the name is taken until it is purged.
#[test]
fn a_deleted_name_is_told() {
    let vault = Vault::default();
    let stub = vault.start();
    vault.change(|inside| inside.deleted.push("salesforce".to_owned()));
    let error = put(&*open(&stub, "salesforce"), 1, OLD).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Refused,
        "deleted secret of this name is kept",
        "purge",
    );
    assert!(!format!("{error}{}", error.hint).contains("planted"));
}

/// Our access token goes to no other host, whatever the vault says.
#[test]
fn pages_of_another_host_are_not_asked_for() {
    let elsewhere = Stub::start(|_| (200, json!({"value": []}).to_string()));
    let link = format!(
        "http://{}/secrets/salesforce/versions",
        elsewhere.authority()
    );
    check_answer(
        (200, json!({"value": [], "nextLink": link}).to_string()),
        StoreErrorKind::Corrupt,
        "another host",
        "no proxy",
    );
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn pages_that_have_no_end_are_left() {
    let stub = Stub::start(|asked: &Asked| -> (u16, String) {
        if asked.path.ends_with("/token") {
            return (200, json!({"access_token": "planted-access"}).to_string());
        }
        let link = format!(
            "http://{}/secrets/salesforce/versions?again",
            asked.headers["host"]
        );
        (200, json!({"value": [], "nextLink": link}).to_string())
    });
    let error = open(&stub, "salesforce").check().unwrap_err();
    check_error(&error, StoreErrorKind::Corrupt, "more versions", "purge");
    assert!(stub.asked().len() < 60);
}

#[test]
fn tags_that_leave_no_room_are_told() {
    let vault = Vault::default();
    let stub = vault.start();
    vault.change(|inside| {
        let tags = (0..15).map(|number| (format!("t{number}"), Value::Null.to_string()));
        let full = version(0, OLD, tags.collect());
        inside.secrets.insert("salesforce".to_owned(), vec![full]);
    });
    let error = put(&*open(&stub, "salesforce"), 1, NEW).unwrap_err();
    check_error(&error, StoreErrorKind::Refused, "no room", "15 tags");
}

#[test]
fn a_url_that_does_not_hold_is_told_before_anything_is_asked() {
    for (url, problem) in [
        ("akv://acme-jobs", "no vault and secret"),
        ("akv:acme-jobs/x", "no vault and secret"),
        ("akv://a/x", "vault"),
        ("akv://acme.jobs/x", "vault"),
        ("akv://acme-jobs/a_b", "no secret of this name"),
        ("akv://acme-jobs/a/b", "no secret of this name"),
        ("akv://acme-jobs/{user}", "no secret of this name"),
        ("akv://acme-jobs/x?cloud=moon", "cloud is unknown"),
        ("akv://acme-jobs/x?tls=0", "without TLS"),
        ("akv://acme-jobs/x?host=a%2Fb", "host is none"),
        (
            "akv://acme-jobs/x?authority=https:%2F%2Fh",
            "authority is none",
        ),
        ("akv://acme-jobs/x?auth=magic", "unknown"),
        (
            "akv://acme-jobs/x?client-secret=env:X&tenant=t",
            "no client-id=",
        ),
        (
            "akv://acme-jobs/x?client-secret=env:X&client-id=c",
            "no tenant=",
        ),
        (
            "akv://acme-jobs/x?auth=workload-identity",
            "no federated-token=",
        ),
        ("akv://acme-jobs/x?key=y", "unknown here"),
    ] {
        let error = Planted::default().open(url).unwrap_err();
        check_error(&error, StoreErrorKind::Misconfigured, problem, "");
    }
}
