//! Who we are: a service account's key, an external account's token, the machine's service account.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::project::refusal;
use super::*;
use crate::stores::process::{StoreProcess, this};
use crate::support::stub::{Asked, Reply};

const KEY: &str = include_str!("../../../../fixtures/keys/rsa-2048.pem");
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

fn granted(token: &str) -> (u16, String) {
    (
        200,
        json!({"access_token": token, "expires_in": 3599}).to_string(),
    )
}

/// A project without secrets, for whoever has this token.
fn empty(asked: &Asked, access: &str) -> (u16, String) {
    match asked.headers.get("authorization") {
        Some(given) if *given == format!("Bearer {access}") => refusal(404, "NOT_FOUND", ""),
        _ => refusal(401, "UNAUTHENTICATED", ""),
    }
}

fn form(asked: &Asked) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(asked.body.as_bytes())
        .into_owned()
        .collect()
}

/// The claims of an assertion, once its signature holds.
fn claims(assertion: &str) -> (Value, Value) {
    let der: String = KEY.lines().filter(|line| !line.starts_with("--")).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let (text, signature) = assertion.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
        .verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
    let part = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (header, claims) = text.split_once('.').unwrap();
    (part(header), part(claims))
}

#[test]
fn a_service_account_signs_what_it_asks_for() {
    let stub = Stub::start(|asked: &Asked| {
        if asked.path != "/token" {
            return empty(asked, "planted-access");
        }
        let form = form(asked);
        assert_eq!(
            form["grant_type"],
            "urn:ietf:params:oauth:grant-type:jwt-bearer"
        );
        let (header, claims) = claims(&form["assertion"]);
        assert_eq!(
            (&header["alg"], &header["kid"]),
            (&json!("RS256"), &json!("key-1"))
        );
        assert_eq!(claims["iss"], "jobs@acme-jobs.example");
        assert_eq!(
            claims["scope"],
            "https://www.googleapis.com/auth/cloud-platform"
        );
        assert_eq!(
            claims["aud"],
            format!("http://{}/token", asked.headers["host"])
        );
        let [from, to] = ["iat", "exp"].map(|name| claims[name].as_i64().unwrap());
        let now = Timestamp::now().as_second();
        assert!((now - 60..=now).contains(&from) && from < to && to <= from + 3600);
        granted("planted-access")
    });
    let account = |key: &str| {
        json!({"type": "service_account", "client_email": "jobs@acme-jobs.example", "private_key": key,
            "private_key_id": "key-1", "token_uri": format!("http://{}/token", stub.authority())})
        .to_string()
    };
    let url = url(&stub, "salesforce", "");
    let planted = Planted::with(&[("env:PLANTED", &account(KEY))]);
    planted.open(&url).unwrap().check().unwrap();

    let planted = Planted::with(&[("env:PLANTED", &account("planted-no-key"))]);
    let error = planted.open(&url).unwrap().check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "no RSA key",
        "new key",
    );
    assert!(
        !format!("{error}{}", error.hint).contains("planted-no"),
        "{error}"
    );
}

/// Workload identity federation, with a token from a file and from a URL, and a service account behind it.
#[test]
fn an_external_account_exchanges_its_token() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("subject");
    std::fs::write(&file, "planted-subject\n").unwrap();
    let stub = Stub::start(|asked: &Asked| match asked.path.as_str() {
        "/subject?audience=x" => {
            assert_eq!(asked.headers["authorization"], "Bearer planted-runner");
            (200, json!({"value": "planted-subject"}).to_string())
        }
        "/sts" => {
            let form = form(asked);
            assert_eq!(form["grant_type"], TOKEN_EXCHANGE);
            assert_eq!(form["audience"], "//iam.googleapis.com/pools/acme");
            assert_eq!(form["subject_token"], "planted-subject");
            assert_eq!(
                form["subject_token_type"],
                "urn:ietf:params:oauth:token-type:jwt"
            );
            granted("planted-federated")
        }
        "/impersonate" => {
            assert_eq!(asked.headers["authorization"], "Bearer planted-federated");
            let scope = &asked.json()["scope"][0];
            assert_eq!(scope, "https://www.googleapis.com/auth/cloud-platform");
            let end = Timestamp::now() + jiff::SignedDuration::from_mins(60);
            let told = json!({"accessToken": "planted-account", "expireTime": end.to_string()});
            (200, told.to_string())
        }
        _ if asked.path.contains("/one") => empty(asked, "planted-federated"),
        _ => empty(asked, "planted-account"),
    });
    let server = stub.authority();
    let mut external = json!({
        "type": "external_account", "audience": "//iam.googleapis.com/pools/acme",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": format!("http://{server}/sts"),
        "credential_source": {"file": file},
    });
    let check = |external: &Value, name: &str| {
        let planted = Planted::with(&[("env:PLANTED", &external.to_string())]);
        planted.open(&url(&stub, name, "")).unwrap().check()
    };
    check(&external, "one").unwrap();
    external["service_account_impersonation_url"] = json!(format!("http://{server}/impersonate"));
    check(&external, "two").unwrap();
    external["credential_source"] = json!({
        "url": format!("http://{server}/subject?audience=x"), "headers": {"Authorization": "Bearer planted-runner"},
        "format": {"type": "json", "subject_token_field_name": "value"},
    });
    check(&external, "two").unwrap();

    external["credential_source"]["format"]["subject_token_field_name"] = json!("other");
    let error = check(&external, "two").unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "holds none",
        "format",
    );
    external["credential_source"] = json!({"file": folder.path().join("nothing")});
    let error = check(&external, "two").unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "cannot be read",
        "source",
    );
    external["credential_source"] = json!({"environment_id": "aws1"});
    let error = check(&external, "two").unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "a file or a URL",
        "workload-identity-pools",
    );
}

/// What the platform puts into the environment.
#[test]
fn a_machine_has_a_service_account_of_its_own() {
    let stub = Stub::start(|asked: &Asked| {
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        if asked.path != path {
            return Reply::from(empty(asked, "planted-access"));
        }
        assert_eq!(asked.headers["metadata-flavor"], "Google");
        Reply::from(granted("planted-access")).with("Metadata-Flavor", "Google")
    });
    let server = stub.authority();
    let url = format!("gcsm://acme-jobs/salesforce?tls=0&host={server}");
    // Not loopback, for which there is never a proxy: nobody's proxy may see the machine's token.
    let metadata = server.replace("127.0.0.1", "0.0.0.0");
    let mut machine = Command::new(this());
    machine
        .env("GCE_METADATA_HOST", metadata)
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9");
    assert_eq!(StoreProcess::open(&url, machine).ask("check"), "ready");

    let mut elsewhere = Command::new(this());
    elsewhere.env("GCE_METADATA_HOST", "127.0.0.1:9");
    let told = StoreProcess::open(&url, elsewhere).ask("check");
    assert!(
        told.starts_with("store_unreachable") && told.contains("credentials="),
        "{told}"
    );

    // whoever else answers there is none
    let other = Stub::start(|_| granted("planted-access"));
    let mut strange = Command::new(this());
    strange.env("GCE_METADATA_HOST", other.authority());
    let told = StoreProcess::open(&url, strange).ask("check");
    assert!(told.starts_with("store_corrupt"), "{told}");

    let folder = TempDir::new().unwrap();
    let file = folder.path().join("credentials.json");
    let mut named = Command::new(this());
    named.env("GOOGLE_APPLICATION_CREDENTIALS", &file);
    let told = StoreProcess::open(&url, named).ask("check");
    assert!(
        told.contains("GOOGLE_APPLICATION_CREDENTIALS names"),
        "{told}"
    );
}

#[test]
fn every_refusal_of_a_log_in_has_its_sentence() {
    use StoreErrorKind::{Corrupt, Refused, Unreachable};
    for (status, word, kind, problem, hint) in [
        (
            400,
            "invalid_grant",
            Refused,
            "refuses (HTTP 400, invalid_grant)",
            "clock",
        ),
        (
            401,
            "invalid_client",
            Refused,
            "invalid_client",
            "new credentials",
        ),
        (400, "invalid_target", Refused, "invalid_target", "audience"),
        (
            400,
            "planted words",
            Refused,
            "refuses (HTTP 400)",
            "GOOGLE_APPLICATION_CREDENTIALS",
        ),
        (503, "", Unreachable, "trouble of its own", "tried again"),
        (200, "", Corrupt, "holds no token", "proxy"),
    ] {
        let told = json!({"error": word, "error_description": "planted words"});
        let stub = Stub::start(move |_| (status, told.to_string()));
        let error = open(&stub, "salesforce").check().unwrap_err();
        check_error(&error, kind, problem, hint);
        assert!(
            !format!("{error}{}", error.hint).contains("planted"),
            "{error}"
        );
    }
}

#[test]
fn a_revoked_token_is_got_anew_once() {
    let project = Project::default();
    let stub = project.start();
    let store = open(&stub, "salesforce");
    put(&*store, 1, OLD).unwrap();
    project.change(|inside| inside.logged_in += 1);
    put(&*store, 2, NEW).unwrap();
    assert_eq!(project.change(|inside| inside.logged_in), 3);
}
