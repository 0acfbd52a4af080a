//! Each failure has its sentence, and no secret in it.

use serde_json::json;

use super::project::refusal;
use super::*;
use crate::support::stub::Asked;

/// A project that logs us in and answers everything else alike.
#[track_caller]
fn check_answer(answer: (u16, String), kind: StoreErrorKind, problem: &str, hint: &str) {
    let stub = Stub::start(move |asked: &Asked| {
        if asked.path == "/token" {
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
        refusal(401, "UNAUTHENTICATED", ""),
        Refused,
        "access token",
        "disabled",
    );
    check_answer(
        refusal(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED"),
        Refused,
        "may not get the secret salesforce",
        "secretmanager.versions.access",
    );
    check_answer(
        refusal(403, "PERMISSION_DENIED", "SERVICE_DISABLED"),
        Misconfigured,
        "not enabled",
        "gcloud services enable",
    );
    check_answer(
        refusal(403, "PERMISSION_DENIED", "BILLING_DISABLED"),
        Misconfigured,
        "billing",
        "give it one",
    );
    check_answer(
        refusal(429, "RESOURCE_EXHAUSTED", ""),
        Unreachable,
        "quota",
        "tried again",
    );
    check_answer(
        refusal(503, "UNAVAILABLE", ""),
        Unreachable,
        "trouble of its own",
        "tried again",
    );
    check_answer(
        refusal(302, "", ""),
        Misconfigured,
        "sends elsewhere",
        "host=",
    );
    check_answer(refusal(418, "", ""), Refused, "does not get", "audit log");
    check_answer(
        (200, "<html>".to_owned()),
        Corrupt,
        "not understood",
        "proxy",
    );
}

/// Each step of a publish, refused.
#[test]
fn every_step_has_its_sentence() {
    for (step, refusal, kind, problem, hint) in [
        (
            "POST ?secretId",
            refusal(403, "PERMISSION_DENIED", ""),
            StoreErrorKind::Refused,
            "may not create",
            "secrets.create",
        ),
        (
            "POST ?secretId",
            refusal(400, "FAILED_PRECONDITION", ""),
            StoreErrorKind::Refused,
            "a policy",
            "location=",
        ),
        (
            "POST ?secretId",
            refusal(404, "NOT_FOUND", ""),
            StoreErrorKind::Misconfigured,
            "no such project",
            "URL",
        ),
        (
            "POST :addVersion",
            refusal(403, "PERMISSION_DENIED", ""),
            StoreErrorKind::Refused,
            "may not add a version to",
            "versions.access and add",
        ),
        (
            "GET :access",
            refusal(403, "PERMISSION_DENIED", ""),
            StoreErrorKind::Refused,
            "may not access",
            "versions.access",
        ),
        (
            "PATCH ?updateMask",
            refusal(403, "PERMISSION_DENIED", ""),
            StoreErrorKind::Refused,
            "may not update",
            "secrets.get and update",
        ),
        (
            "PATCH ?updateMask",
            refusal(429, "RESOURCE_EXHAUSTED", ""),
            StoreErrorKind::Unreachable,
            "quota",
            "tried again",
        ),
        // for ever
        (
            "PATCH ?updateMask",
            refusal(400, "FAILED_PRECONDITION", ""),
            StoreErrorKind::Unreachable,
            "another writer",
            "tried again",
        ),
    ] {
        let project = Project::default();
        let inner = project.start();
        let through = inner.authority();
        let (method, part) = step.split_once(' ').unwrap();
        let stub = Stub::start(move |asked: &Asked| {
            if asked.method == method && asked.path.contains(part) {
                return refusal.clone();
            }
            crate::support::stub::forward(&through, asked)
        });
        let error = put(&*open(&stub, "salesforce"), 1, OLD).unwrap_err();
        check_error(&error, kind, problem, hint);
        let shown = format!("{error}{}", error.hint);
        assert!(
            !shown.contains("planted") && !shown.contains(OLD),
            "{shown}"
        );
    }
}

/// A payload that does not fit its checksum is no token.
#[test]
fn damage_on_the_way_is_seen() {
    let project = Project::default();
    let inner = project.start();
    let through = inner.authority();
    let stub = Stub::start(move |asked: &Asked| {
        let (status, body) = crate::support::stub::forward(&through, asked);
        let mut told: serde_json::Value = serde_json::from_str(&body).unwrap();
        if told["payload"]["dataCrc32c"].is_string() {
            told["payload"]["dataCrc32c"] = json!("7");
        }
        (status, told.to_string())
    });
    let store = open(&stub, "salesforce");
    let error = put(&*store, 1, OLD).unwrap_err();
    check_error(&error, StoreErrorKind::Corrupt, "damaged", "tried again");
    assert_eq!(
        store.get(&key(USERNAME)).unwrap_err().kind,
        StoreErrorKind::Corrupt
    );
}

#[test]
fn a_url_that_does_not_hold_is_told_before_anything_is_asked() {
    for (url, problem) in [
        ("gcsm://acme-jobs", "no project and secret"),
        ("gcsm:acme-jobs/x", "no project and secret"),
        ("gcsm://Acme/x", "project"),
        ("gcsm://acme_jobs/x", "project"),
        ("gcsm://acme-jobs/a.b", "no secret of this name"),
        ("gcsm://acme-jobs/a/b", "no secret of this name"),
        ("gcsm://acme-jobs/{user}", "no secret of this name"),
        ("gcsm://acme-jobs/x?alias=latest", "no alias"),
        ("gcsm://acme-jobs/x?alias=7", "no alias"),
        ("gcsm://acme-jobs/x?tls=0", "without TLS"),
        ("gcsm://acme-jobs/x?host=a%2Fb", "host is none"),
        ("gcsm://acme-jobs/x?location=a%2Fb", "location is none"),
        ("gcsm://acme-jobs/x?version=7", "unknown here"),
    ] {
        let error = Planted::default().open(url).unwrap_err();
        check_error(&error, StoreErrorKind::Misconfigured, problem, "");
    }
    let store = Planted::default()
        .open("gcsm://acme-jobs/x?location=europe-west3&credentials=env:NONE")
        .unwrap();
    assert_eq!(
        store.slot(&key(USERNAME)),
        "gcsm://acme-jobs/locations/europe-west3/x"
    );
}
