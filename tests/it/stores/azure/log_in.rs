//! Who we are: an app's secret, a workload's token, the machine's identity.

use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::vault::{form, refusal};
use super::*;
use crate::stores::process::{StoreProcess, this};
use crate::support::stub::Asked;

#[test]
fn a_client_logs_in_once_and_again_when_its_token_is_revoked() {
    let vault = Vault::default();
    let stub = vault.start();
    let store = open(&stub, "salesforce");
    put(&*store, 1, OLD).unwrap();
    assert_eq!(vault.change(|inside| inside.logged_in), 1);
    vault.change(|inside| inside.revoked = 1);
    put(&*store, 2, NEW).unwrap();
    assert_eq!(vault.change(|inside| inside.logged_in), 2);
    // one that never holds is not asked for for ever
    vault.change(|inside| inside.revoked = 99);
    let error = put(&*store, 3, OLD).unwrap_err();
    check_error(&error, StoreErrorKind::Refused, "access token", "tenant");
    assert_eq!(vault.change(|inside| inside.logged_in), 3);
}

#[test]
fn a_wrong_secret_is_told_and_the_right_one_is_read_next_time() {
    let vault = Vault::default();
    let stub = vault.start();
    let planted = Planted::with(&[("env:PLANTED", "planted-wrong-secret")]);
    let store = planted.open(&url(&stub, "salesforce", "")).unwrap();
    let error = store.check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Refused,
        "secret is wrong (HTTP 401, AADSTS7000215)",
        "not its id",
    );
    assert!(!format!("{error}{}", error.hint).contains("planted"));
    planted.set("env:PLANTED", "planted-client-secret");
    store.check().unwrap();
}

#[test]
fn a_workload_gives_the_token_of_its_cluster() {
    let vault = Vault::default();
    let stub = vault.start();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "planted-federated-token\n").unwrap();
    let server = stub.authority();
    let url = format!(
        "akv://acme-jobs/salesforce?tls=0&host={server}&authority={server}&tenant=acme.example&client-id=client-1\
         &federated-token={}",
        file.display()
    );
    let store = Planted::default().open(&url).unwrap();
    store.check().unwrap();

    // what the cluster puts into a pod is enough
    let url = format!("akv://acme-jobs/salesforce?tls=0&host={server}&authority={server}");
    let mut pod = Command::new(this());
    pod.env("AZURE_FEDERATED_TOKEN_FILE", &file)
        .env("AZURE_CLIENT_ID", "client-1")
        .env("AZURE_TENANT_ID", "acme.example");
    assert_eq!(StoreProcess::open(&url, pod).ask("check"), "ready");

    std::fs::remove_file(&file).unwrap();
    vault.change(|inside| inside.revoked = 99);
    let error = store.check().unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "cannot be read",
        "federated-token=",
    );
}

#[test]
fn every_refusal_of_a_log_in_has_its_sentence() {
    use StoreErrorKind::{Corrupt, Refused, Unreachable};
    for (status, number, kind, problem, hint) in [
        (401, 7_000_222, Refused, "has expired", "new one"),
        (400, 700_016, Refused, "no such client", "client-id="),
        (400, 90_002, Refused, "no such tenant", "tenant="),
        (401, 700_213, Refused, "no federated credential", "audience"),
        (
            400,
            1,
            Refused,
            "log-in is refused (HTTP 400, AADSTS1)",
            "sign-in log",
        ),
        (429, 0, Unreachable, "slow down", "tried again"),
        (503, 0, Unreachable, "trouble of its own", "tried again"),
        (200, 0, Corrupt, "holds no token", "authority="),
    ] {
        let told =
            json!({"error": "x", "error_codes": [number], "error_description": "planted words"});
        let stub = Stub::start(move |_| (status, told.to_string()));
        let error = open(&stub, "salesforce").check().unwrap_err();
        check_error(&error, kind, problem, hint);
        assert!(
            !format!("{error}{}", error.hint).contains("planted"),
            "{error}"
        );
    }
}

/// A virtual machine's metadata service, and the vault behind the same stub.
fn machine(asked: &Asked) -> (u16, String) {
    let (path, query) = asked.path.split_once('?').unwrap_or_default();
    let query = form(query);
    match path {
        "/metadata/identity/oauth2/token" => {
            assert_eq!(asked.headers["metadata"], "true");
            assert_eq!(query["api-version"], "2018-02-01");
        }
        "/msi/token" => {
            assert_eq!(asked.headers["x-identity-header"], "planted-header");
            assert_eq!(query["api-version"], "2019-08-01");
        }
        _ if asked.headers["authorization"] == "Bearer planted-access" => {
            return match path.ends_with("/versions") {
                true => (200, json!({"value": []}).to_string()),
                false => refusal(404, "SecretNotFound", None),
            };
        }
        _ => return refusal(401, "Unauthorized", None),
    }
    assert_eq!(query["resource"], "https://vault.azure.net");
    if query
        .get("client_id")
        .is_some_and(|client| client != "client-1")
    {
        return (400, json!({"error": "invalid_request"}).to_string());
    }
    let told =
        json!({"access_token": "planted-access", "expires_in": "86399", "token_type": "Bearer"});
    (200, told.to_string())
}

#[test]
fn a_machine_has_an_identity_of_its_own() {
    let stub = Stub::start(machine);
    let server = stub.authority();
    let url = format!("akv://acme-jobs/salesforce?tls=0&host={server}");
    // Not loopback, for which there is never a proxy: nobody's proxy may see the machine's token.
    let metadata = server.replace("127.0.0.1", "http://0.0.0.0");
    let on_machine = || {
        let mut command = Command::new(this());
        command
            .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", &metadata)
            .env("HTTP_PROXY", "http://127.0.0.1:9")
            .env("http_proxy", "http://127.0.0.1:9");
        command
    };
    assert_eq!(StoreProcess::open(&url, on_machine()).ask("check"), "ready");
    let named = format!("{url}&client-id=client-1");
    assert_eq!(
        StoreProcess::open(&named, on_machine()).ask("check"),
        "ready"
    );
    let other = StoreProcess::open(&format!("{url}&client-id=other"), on_machine()).ask("check");
    assert!(
        other.starts_with("store_refused") && other.contains("managed identity"),
        "{other}"
    );

    let mut app = Command::new(this());
    app.env("IDENTITY_ENDPOINT", format!("http://{server}/msi/token"))
        .env("IDENTITY_HEADER", "planted-header");
    assert_eq!(StoreProcess::open(&url, app).ask("check"), "ready");

    let mut elsewhere = Command::new(this());
    elsewhere.env("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9");
    let told = StoreProcess::open(&url, elsewhere).ask("check");
    assert!(
        told.starts_with("store_unreachable") && told.contains("client-secret="),
        "{told}"
    );
}
