//! What AWS says when it does not do it, on a stub; and URLs that do not hold.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use StoreErrorKind::{Corrupt, Misconfigured, Refused, Timeout, Unreachable};

/// Every action has this answer. What AWS's own sentence repeats is not told.
#[track_caller]
fn check_answer(
    status: u16,
    code: &str,
    sentence: &str,
    kind: StoreErrorKind,
    problem: &str,
    hint: &str,
) {
    let sentence = format!("{sentence}: planted words, {OLD}");
    let body = json!({"__type": format!("com.amazonaws.x#{code}"), "message": sentence, "Message": sentence}).to_string();
    let stub = Stub::start(move |_| (status, body.clone()));
    for scheme in BOTH {
        let store = behind(&stub, scheme);
        let get = store.get(&key(USERNAME)).unwrap_err();
        for error in [
            store.check().unwrap_err(),
            put(&*store, 1, OLD).unwrap_err(),
            get,
        ] {
            check_error(&error, kind, problem, hint);
            let shown = format!("{error}{}", error.hint);
            assert!(
                !shown.contains("planted") && !shown.contains(OLD),
                "{shown}"
            );
        }
    }
}

#[test]
fn every_answer_has_its_sentence() {
    let check = check_answer;
    check(
        400,
        "ExpiredTokenException",
        "",
        Refused,
        "have expired",
        "aws sso login",
    );
    check(
        400,
        "UnrecognizedClientException",
        "",
        Refused,
        "does not know these credentials",
        "session token",
    );
    check(
        400,
        "InvalidSignatureException",
        "The request signature we calculated",
        Refused,
        "signature does not fit",
        "secret access key",
    );
    check(
        400,
        "InvalidSignatureException",
        "Signature expired: 20200101",
        Refused,
        "clock",
        "NTP",
    );
    check(400, "RequestExpired", "", Refused, "clock", "NTP");
    check(
        400,
        "AccessDeniedException",
        "Access to KMS is not allowed",
        Refused,
        "KMS key",
        "kms:Decrypt",
    );
    check(
        400,
        "AccessDeniedException",
        "User: arn is not authorized to perform: kms:Decrypt",
        Refused,
        "KMS key",
        "kms:Decrypt",
    );
    check(400, "DecryptionFailure", "", Refused, "KMS key", "enabled");
    check(400, "InvalidKeyId", "", Refused, "KMS key", "enabled");
    check(
        400,
        "KMSDisabledException",
        "",
        Refused,
        "KMS key",
        "enabled",
    );
    check(
        400,
        "ThrottlingException",
        "Rate exceeded",
        Unreachable,
        "slow down",
        "tried again",
    );
    check(429, "", "", Unreachable, "slow down", "tried again");
    check(
        500,
        "InternalServerError",
        "",
        Unreachable,
        "trouble of its own",
        "tried again",
    );
    check(
        503,
        "",
        "",
        Unreachable,
        "trouble of its own",
        "tried again",
    );
    check(
        400,
        "LimitExceededException",
        "",
        Refused,
        "quota",
        "ask AWS",
    );
    check(
        400,
        "ParameterMaxVersionLimitExceeded",
        "",
        Refused,
        "quota",
        "labels",
    );
    check(
        400,
        "ValidationException",
        "Value at 'secretString'",
        Refused,
        "does not take the name or the value",
        "allowed pattern",
    );
    check(
        400,
        "SomethingNew\u{1b}[31m",
        "",
        Refused,
        "SomethingNew\u{fffd}[31m",
        "CloudTrail",
    );
    check(418, "", "", Refused, "HTTP 418", "CloudTrail");
}

/// Whoever may not read what is nobody's may read an account's; but where there is one name for all, it is known at once.
#[test]
fn what_is_denied_is_named() {
    let denied =
        json!({"__type": "AccessDeniedException", "Message": "planted: explicit deny"}).to_string();
    let stub = Stub::start(move |_| (400, denied.clone()));
    for (scheme, action) in [
        ("awssm", "secretsmanager:GetSecretValue"),
        ("awsps", "ssm:GetParameterHistory"),
    ] {
        let store_of_each = behind(&stub, scheme);
        store_of_each.check().unwrap();
        let error = put(&*store_of_each, 1, OLD).unwrap_err();
        check_error(&error, Refused, action, "docs/stores.md");
        let endpoint = format!("http://{}", stub.authority());
        let fixed = planted(&store(scheme, "one", &endpoint, ""));
        check_error(
            &fixed.check().unwrap_err(),
            Refused,
            action,
            "docs/stores.md",
        );
    }
}

#[test]
fn what_passes_is_asked_again_a_few_times() {
    let count = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&count);
    let stub = Stub::start(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => (400, json!({"__type": "ThrottlingException"}).to_string()),
        1 => (503, String::new()),
        _ => (
            400,
            json!({"__type": "ResourceNotFoundException"}).to_string(),
        ),
    });
    assert_eq!(held(&*behind(&stub, "awssm")), None);
    assert_eq!(count.load(Ordering::SeqCst), 3);
    // and no more than that
    let stub = Stub::start(|_| (503, String::new()));
    behind(&stub, "awsps").get(&key(USERNAME)).unwrap_err();
    assert_eq!(stub.asked().len(), 3);
}

/// Credentials that have expired meanwhile are found anew, once.
#[test]
fn refused_credentials_are_found_anew() {
    let planted = Planted::with(&[("env:AWS_SECRET", "old")]);
    let stub = Stub::start(|_| {
        (
            400,
            json!({"__type": "ResourceNotFoundException"}).to_string(),
        )
    });
    let endpoint = format!("http://{}", stub.authority());
    let store = planted.open(&store("awssm", "one", &endpoint, "")).unwrap();
    store.check().unwrap();
    store.check().unwrap();
    assert_eq!(planted.reads(), 1, "they are kept");
    let expired = Stub::start(|_| (400, json!({"__type": "ExpiredTokenException"}).to_string()));
    let endpoint = format!("http://{}", expired.authority());
    let store = planted
        .open(&super::store("awssm", "one", &endpoint, ""))
        .unwrap();
    store.check().unwrap_err();
    assert_eq!(
        (planted.reads(), expired.asked().len()),
        (2, 1),
        "they were fresh"
    );
    store.check().unwrap_err();
    assert_eq!(
        (planted.reads(), expired.asked().len()),
        (3, 2),
        "they were not kept"
    );
}

#[test]
fn answers_that_make_no_sense_and_none_at_all() {
    let stub = Stub::start(|_| (200, "<html>".to_owned()));
    let error = behind(&stub, "awssm").get(&key(USERNAME)).unwrap_err();
    check_error(&error, Corrupt, "not understood", "proxy");

    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    for scheme in BOTH {
        let url = store(
            scheme,
            "one",
            &format!("http://127.0.0.1:{port}"),
            "&timeout=1s",
        );
        let started = Instant::now();
        let error = planted(&url).check().unwrap_err();
        check_error(&error, Timeout, "no answer in time", "timeout=");
        assert!(started.elapsed() < Duration::from_secs(20));
    }
    drop(silent);
    let url = store("awsps", "one", &format!("http://127.0.0.1:{port}"), "");
    let error = planted(&url).check().unwrap_err();
    check_error(&error, Unreachable, "refused", "tried again");
    let url = store("awsps", "one", "https://nowhere.invalid", "");
    let error = planted(&url).check().unwrap_err();
    assert!(
        error.kind.is_transient() && error.problem.contains("nowhere.invalid"),
        "{error}"
    );
}

/// Something that is no HTTP, or ends at once, is told with what to look at.
#[test]
fn a_connection_that_breaks_is_told_without_a_word_of_tls() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().for_each(drop));
    for protocol in ["http", "https"] {
        let endpoint = format!("{protocol}://127.0.0.1:{port}");
        let error = planted(&store("awssm", "one", &endpoint, ""));
        let error = error.check().unwrap_err();
        check_error(
            &error,
            Unreachable,
            "127.0.0.1",
            "the region and the endpoint",
        );
    }
}

/// A server that turns the pages of a history for ever.
#[test]
fn a_history_without_an_end_is_given_up() {
    let stub = Stub::start(|_| {
        (
            200,
            json!({"Parameters": [], "NextToken": "more"}).to_string(),
        )
    });
    let error = put(&*behind(&stub, "awsps"), 1, OLD).unwrap_err();
    check_error(&error, Corrupt, "no end", "endpoint");
    assert_eq!(stub.asked().len(), 20);
}

/// Stores are called from plain threads; one that is called from a runtime all the same does its work and does not panic.
#[test]
fn no_runtime_of_the_callers_matters() {
    let stub = Stub::start(|_| (400, json!({"__type": "ParameterNotFound"}).to_string()));
    for threads in [1, 2] {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.block_on(async { behind(&stub, "awsps").get(&key(USERNAME)) });
        assert_eq!(inside.unwrap(), None);
        let store = behind(&stub, "awsps");
        let blocking = runtime.spawn_blocking(move || store.get(&key(USERNAME)));
        assert_eq!(runtime.block_on(blocking).unwrap().unwrap(), None);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let inside = runtime.block_on(async { behind(&stub, "awsps").get(&key(USERNAME)) });
    assert_eq!(inside.unwrap(), None);
}

#[test]
fn a_url_that_does_not_hold_is_told_before_anything_is_asked() {
    for (url, problem) in [
        ("awssm://eu-west-1", "no region and name"),
        ("awssm:eu-west-1/x", "no region and name"),
        ("awssm://eu-west-1/", "is empty"),
        ("awssm:///x", "the region"),
        ("awssm://EU-WEST-1/x", "the region"),
        ("awssm://eu.west/x", "the region"),
        (
            "awssm://user:planted@eu-west-1/x",
            "a user name or a password",
        ),
        (
            "awssm://AKIAIOSFODNN7EXAMPLE@eu-west-1/x",
            "a user name or a password",
        ),
        ("awssm://a@b@eu-west-1/x", "a user name or a password"),
        ("vault://ops@eu-west-1/x/y", "a user name or a password"),
        ("awssm://eu-west-1/a b", "not taken by AWS"),
        ("awsps://eu-west-1/a@b", "not taken by AWS"),
        ("awsps://eu-west-1/aws/x", "for itself"),
        ("awssm://eu-west-1/{user}", "placeholder"),
        ("awssm://eu-west-1/x?tls=0", "\"tls\""),
        ("awsps://eu-west-1/x?field=a", "unknown here"),
        ("awssm://eu-west-1/x?field=sftoken", "field"),
        ("awssm://eu-west-1/x?endpoint=h", "endpoint"),
        ("awssm://eu-west-1/x?endpoint=ftp://h", "endpoint"),
        (
            "awssm://eu-west-1/x?endpoint=https://u:planted@h",
            "endpoint",
        ),
        ("awssm://eu-west-1/x?endpoint=https://h/path", "endpoint"),
        (
            "awssm://eu-west-1/x?access-key=AKIAIOSFODNN7EXAMPLE",
            "go together",
        ),
        ("awssm://eu-west-1/x?secret-key=env:X", "go together"),
        (
            "awssm://eu-west-1/x?access-key=short&secret-key=env:X",
            "access key",
        ),
        (
            "awssm://ops@eu-west-1/x?access-key=AKIAIOSFODNN7EXAMPLE&secret-key=env:X",
            "both a profile",
        ),
    ] {
        let error = open(url, &StoreOptions::default()).unwrap_err();
        check_error(&error, Misconfigured, problem, "");
        assert!(
            !format!("{error}{}", error.hint).contains("planted"),
            "{error}"
        );
    }
}

/// A secret key in the URL itself is no reference: whoever reads it says so, and does not repeat it.
#[test]
fn a_missing_secret_key_is_told() {
    let url = "awssm://eu-west-1/x?access-key=AKIAIOSFODNN7EXAMPLE&secret-key=env:NOT_THERE";
    let error = Planted::default().open(url).unwrap().check().unwrap_err();
    check_error(&error, Misconfigured, "NOT_THERE", "");
    let error = open(url, &StoreOptions::default())
        .unwrap()
        .check()
        .unwrap_err();
    check_error(
        &error,
        Misconfigured,
        "does not tell its stores",
        "StoreOptions",
    );
}
