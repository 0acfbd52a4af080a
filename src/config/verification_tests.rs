//! What an account may say of its verification.

use std::path::Path;

use super::{LoginWay, Verification, VerifyWhen, load};
use crate::secret::SecretRef;

fn account(more: &str) -> String {
    format!("[[account]]\nusername = \"a@acme.example\"\npassword = \"env:WORD\"\n{more}\n")
}

#[track_caller]
fn read(more: &str) -> Verification {
    let config = load(&account(more), Path::new("/etc/sftoken.toml"), []);
    config.unwrap().accounts[0].verification.clone()
}

#[track_caller]
fn wrong(more: &str, problem: &str) {
    let error = load(&account(more), Path::new("/etc/sftoken.toml"), []).expect_err(more);
    let shown = format!("{error} {}", error.hint());
    assert!(shown.contains(problem), "{shown}");
    assert!(shown.contains("account.0."), "{shown}");
}

#[test]
fn by_default_nothing_is_tried() {
    assert_eq!(read(""), Verification::default());
    assert_eq!(read("").when, VerifyWhen::Never);
}

#[test]
fn every_key_is_taken() {
    let verification = read(
        "verify = \"before\"\nlogin = \"oauth-password\"\nlogin_url = \"https://acme.my.salesforce.example/\"\n\
         client_id = \"3MVG9\"\nclient_secret = \"env:APP\"\nca_file = \"ca.pem\"\norganization_id = \"00D2w000000Ab9XEAS\"",
    );
    assert_eq!(verification.when, VerifyWhen::Before);
    assert_eq!(
        verification.way,
        LoginWay::OauthPassword {
            client_id: "3MVG9".to_owned(),
            client_secret: Some(SecretRef::Env("APP".to_owned())),
        }
    );
    let url = verification.login_url.as_deref();
    assert_eq!(url, Some("https://acme.my.salesforce.example"));
    assert_eq!(
        verification.ca_file.as_deref(),
        Some(Path::new("/etc/ca.pem"))
    );
    let organization = verification.organization_id.map(|id| id.to_string());
    assert_eq!(organization.as_deref(), Some("00D2w000000Ab9X"));
    assert_eq!(read("verify = \"after\"").when, VerifyWhen::After);
}

#[test]
fn each_key_is_a_variable() {
    let variables = [
        ("SFTOKEN_ACCOUNT_0_VERIFY", "after"),
        ("SFTOKEN_ACCOUNT_0_LOGIN", "oauth-password"),
        ("SFTOKEN_ACCOUNT_0_LOGIN_URL", "http://127.0.0.1:8080"),
        ("SFTOKEN_ACCOUNT_0_CLIENT_ID", "app"),
        ("SFTOKEN_ACCOUNT_0_CLIENT_SECRET", "env:APP"),
        ("SFTOKEN_ACCOUNT_0_ORGANIZATION_ID", "00D2w000000Ab9X"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = load(&account(""), Path::new("/etc/sftoken.toml"), variables).unwrap();
    let verification = &config.accounts[0].verification;
    assert_eq!(verification.when, VerifyWhen::After);
    assert!(
        matches!(&verification.way, LoginWay::OauthPassword { client_id, .. } if client_id == "app")
    );
    assert!(verification.login_url.is_some() && verification.organization_id.is_some());
    // no program that sftoken starts sees it
    assert_eq!(config.private_variables(), ["APP"]);
}

#[test]
fn what_cannot_be_done_is_told() {
    wrong("verify = \"always\"", "\"always\" is not known here");
    wrong("login = \"jwt\"", "\"jwt\" is not known here");
    wrong(
        "login = \"oauth-password\"",
        "account.0.client_id: the key is missing",
    );
    wrong("client_id = \"x\"", "SOAP's login() has no client");
    wrong("client_secret = \"env:X\"", "SOAP's login() has no client");
    wrong(
        "organization_id = \"00D2w000000Ab9\"",
        "is no id of an organization",
    );
    wrong(
        "organization_id = \"00D2w000000Ab9XZZZ\"",
        "is no id of an organization",
    );
    for (url, problem) in [
        ("acme.my.salesforce.example", "not a URL"),
        ("http://acme.my.salesforce.example", "not one of https://"),
        ("ftp://127.0.0.1", "not one of https://"),
        (
            "https://acme.my.salesforce.example/services",
            "more than a host",
        ),
        (
            "https://acme.my.salesforce.example/?x=1",
            "more than a host",
        ),
        (
            "https://ann:word@acme.my.salesforce.example",
            "more than a host",
        ),
        ("https://test.salesforce.com", "users of a production org"),
    ] {
        wrong(&format!("login_url = \"{url}\""), problem);
    }
    let sandbox = "org = \"sandbox\"\nlogin_url = \"https://login.salesforce.com\"";
    wrong(sandbox, "users of a sandbox");
}

#[test]
fn without_a_password_nothing_can_be_tried() {
    for when in ["after", "before"] {
        let text = format!("[[account]]\nusername = \"a@acme.example\"\nverify = \"{when}\"\n");
        let error = load(&text, Path::new("/etc/sftoken.toml"), []).expect_err(when);
        assert!(error.to_string().contains("account.0.verify"), "{error}");
        assert!(error.hint().contains("password = "), "{}", error.hint());
    }
}
