//! A GitHub App, which signs for its installation's token.

use std::process::Command;
use std::sync::atomic::AtomicU64;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};

use super::*;

const KEY: &str = include_str!("../../../../fixtures/keys/rsa-2048.pem");

/// The same key as GitHub gives it: PKCS #1.
fn key_of_the_app() -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/rsa-2048.pem");
    let output = Command::new("openssl")
        .args(["rsa", "-traditional", "-in", file])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("BEGIN RSA PRIVATE KEY"), "{text}");
    text
}

/// The claims of an assertion, once its signature holds.
fn claims(assertion: &str) -> Value {
    let der: String = KEY.lines().filter(|line| !line.starts_with("--")).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let (text, signature) = assertion.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
        .verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
    let claims = text.split_once('.').unwrap().1;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// Gives tokens of one hour to the app `app-1`, installed as 77, and secrets to whoever has the newest.
fn serve_app(repository: &Repository, tokens: &Arc<AtomicU64>) -> Stub {
    let (repository, tokens) = (repository.clone(), Arc::clone(tokens));
    Stub::start(move |asked: &Asked| {
        let bearer = asked.headers["authorization"]
            .strip_prefix("Bearer ")
            .unwrap();
        let installation = asked.path == "/api/v3/repos/acme/jobs/installation";
        if installation || asked.path.ends_with("/access_tokens") {
            let claims = claims(bearer);
            assert_eq!(claims["iss"], "app-1");
            let [from, to] = ["iat", "exp"].map(|name| claims[name].as_i64().unwrap());
            let now = Timestamp::now().as_second();
            assert!(from < now && now < to && to - from <= 600, "{claims}");
        }
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", _) if installation => (200, json!({"id": 77}).to_string()).into(),
            ("POST", "/api/v3/app/installations/77/access_tokens") => {
                let number = tokens.fetch_add(1, Ordering::SeqCst) + 1;
                let end = Timestamp::now() + jiff::SignedDuration::from_hours(1);
                let told =
                    json!({"token": format!("planted-{number}"), "expires_at": end.to_string()});
                (201, told.to_string()).into()
            }
            ("POST", _) => (404, json!({"message": "Not Found"}).to_string()).into(),
            _ if bearer == format!("planted-{}", tokens.load(Ordering::SeqCst)) => {
                repository.answer(asked, PATH)
            }
            _ => (401, json!({"message": "Bad credentials"}).to_string()).into(),
        }
    })
}

#[test]
fn an_app_signs_for_its_installation() {
    for (key, parameters) in [
        (key_of_the_app(), ""),
        (key_of_the_app(), "&installation=77"),
        (KEY.to_owned(), "&installation=77"),
    ] {
        let (repository, tokens) = (Repository::default(), Arc::default());
        let stub = serve_app(&repository, &tokens);
        let planted = Planted::with(&[("env:KEY", &key)]);
        let parameters = format!("&app=app-1&private-key=env:KEY{parameters}");
        let store = planted.open(&url(&stub, "ONE", &parameters)).unwrap();
        let publish = |second, value| {
            let meta = mail_of(second, value);
            store
                .publish(&super::key(USERNAME), &token(value), &meta)
                .unwrap()
        };
        publish(1, OLD);
        publish(2, NEW);
        assert_eq!(tokens.load(Ordering::SeqCst), 1);
        // one that was revoked is got anew, once
        tokens.fetch_add(1, Ordering::SeqCst);
        publish(3, OLD);
        assert_eq!(tokens.load(Ordering::SeqCst), 3);
        assert_eq!(repository.opened("ONE"), OLD);
    }
}

#[test]
fn every_refusal_of_an_app_has_its_sentence() {
    use StoreErrorKind::{Corrupt, Misconfigured, Refused, Unreachable};
    let check = |answer: (u16, String), key: &str, kind, problem: &str, hint: &str| {
        let stub = Stub::start(move |_| answer.clone());
        let planted = Planted::with(&[("env:KEY", key)]);
        let parameters = "&app=app-1&private-key=env:KEY&installation=77";
        let store = planted.open(&url(&stub, "ONE", parameters)).unwrap();
        let error = store.check().unwrap_err();
        check_error(&error, kind, problem, hint);
        assert!(
            !format!("{error}{}", error.hint).contains("planted"),
            "{error}"
        );
    };
    let said = |status: u16| (status, json!({"message": "planted words"}).to_string());
    check(said(401), KEY, Refused, "app's key (HTTP 401)", "clock");
    check(said(403), KEY, Refused, "suspended", "settings");
    check(said(404), KEY, Refused, "not installed", "install it");
    check(said(422), KEY, Refused, "refused (HTTP 422)", "app=");
    check(
        said(502),
        KEY,
        Unreachable,
        "trouble of its own",
        "tried again",
    );
    check(said(201), KEY, Corrupt, "holds no token", "host=");
    check(
        said(201),
        "planted-no-key",
        Misconfigured,
        "no RSA key",
        "private-key=",
    );
}
