//! Which keys of `auth` go together.

use std::path::Path;

use super::super::{Config, load};
use super::*;

fn config(auth: &str) -> Result<Config, ConfigError> {
    let text = format!(
        "[mailbox.ops]\nurl = \"imaps://ops@acme.example@imap.acme.example\"\n[mailbox.ops.auth]\n{auth}"
    );
    load(&text, Path::new("/etc/sftoken.toml"), [])
}

fn oauth(auth: &str) -> Oauth {
    let config = config(auth).unwrap_or_else(|error| panic!("{error}"));
    config.mailboxes[0].oauth.clone().unwrap()
}

#[track_caller]
fn wrong(auth: &str, key: &str, problem: &str, hint: &str) {
    let error = config(auth).expect_err(auth);
    assert_eq!(error.key(), format!("mailbox.ops.auth.{key}"), "{error}");
    assert!(error.to_string().contains(problem), "{error}");
    assert!(error.hint().contains(hint), "{}", error.hint());
}

#[test]
fn each_provider_needs_little() {
    let google = oauth(
        "oauth2 = \"google\"\nclient_id = \"id\"\nclient_secret = \"env:S\"\nrefresh_token = \"file:rt\"",
    );
    assert_eq!(google.provider, OauthProvider::Google);
    assert_eq!(
        google.grant,
        OauthGrant::RefreshToken(SecretRef::File("/etc/rt".into()))
    );
    let user = oauth("oauth2 = \"microsoft\"\nclient_id = \"id\"\nrefresh_token = \"keyring:ms\"");
    let tenant = "organizations".to_owned();
    assert_eq!(user.provider, OauthProvider::Microsoft { tenant });
    let app = oauth(
        "oauth2 = \"microsoft\"\nclient_id = \"id\"\nclient_secret = \"env:S\"\n\
         grant = \"client_credentials\"\ntenant = \"acme.example\"",
    );
    assert_eq!(app.grant, OauthGrant::ClientCredentials);
    let other = oauth(
        "oauth2 = \"generic\"\nclient_id = \"id\"\nrefresh_token = \"env:RT\"\nca_file = \"ca.pem\"\n\
         token_url = \"https://login.acme.example/token\"\ndevice_url = \"http://127.0.0.1:9/device\"",
    );
    assert_eq!(other.provider, OauthProvider::Generic);
    assert_eq!(other.ca_file, Some("/etc/ca.pem".into()));
}

#[test]
fn what_does_not_go_together_is_told_with_the_remedy() {
    let google = "oauth2 = \"google\"\nclient_id = \"id\"\n";
    let microsoft = "oauth2 = \"microsoft\"\nclient_id = \"id\"\n";
    let generic = "oauth2 = \"generic\"\nclient_id = \"id\"\nrefresh_token = \"env:RT\"\n";
    let with = |begin: &str, rest: &str| format!("{begin}{rest}");
    wrong(
        "oauth2 = \"gogle\"",
        "oauth2",
        "is not known here",
        "google",
    );
    wrong(
        "client_id = \"id\"",
        "client_id",
        "auth.oauth2",
        "add oauth2",
    );
    wrong("oauth2 = \"google\"", "client_id", "missing", "console");
    wrong(
        &with(google, "password = \"env:P\""),
        "password",
        "both are given",
        "remove one",
    );
    wrong(google, "client_secret", "Google wants", "client_secret =");
    wrong(
        &with(google, "grant = \"client_credentials\""),
        "grant",
        "Google gives no mail",
        "authorize",
    );
    wrong(
        &with(google, "tenant = \"x\""),
        "tenant",
        "only Microsoft",
        "remove",
    );
    wrong(
        &with(microsoft, "tenant = \"a/b\""),
        "tenant",
        "is not a tenant",
        "Directory",
    );
    wrong(microsoft, "refresh_token", "no place", "sftoken authorize");
    let app = with(microsoft, "grant = \"client_credentials\"\n");
    wrong(&app, "tenant", "need the tenant", "Directory");
    let app = with(&app, "tenant = \"acme.example\"\n");
    wrong(
        &app,
        "client_secret",
        "need the client's secret",
        "keyring:",
    );
    let app = with(&app, "client_secret = \"env:S\"\nrefresh_token = \"env:R\"");
    wrong(&app, "refresh_token", "have no refresh token", "remove");
    wrong(generic, "token_url", "by its endpoint", "https://");
    for (url, problem) in [
        ("http://login.acme.example/token", "https:// only"),
        ("http://127.0.0.1.example/", "https:// only"),
        ("token", "not a URL"),
        ("https://u:planted@login.acme.example/", "holds a user"),
    ] {
        let text = with(generic, &format!("token_url = \"{url}\""));
        wrong(&text, "token_url", problem, "https://");
    }
}

#[test]
fn a_secret_in_the_file_is_refused_and_never_shown() {
    for key in ["client_secret", "refresh_token"] {
        let mut keys = vec!["client_secret = \"env:S\"", "refresh_token = \"env:R\""];
        keys.retain(|other| !other.starts_with(key));
        let text = format!(
            "oauth2 = \"google\"\nclient_id = \"id\"\n{}\n{key} = \"planted\"",
            keys[0]
        );
        let error = config(&text).expect_err(key);
        assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        assert!(error.to_string().contains("not a reference"), "{error}");
    }
}

#[test]
fn variables_name_the_same_keys() {
    let variables = [
        ("URL", "imaps://ops@imap.acme.example"),
        ("AUTH_OAUTH2", "google"),
        ("AUTH_CLIENT_ID", "id"),
        ("AUTH_CLIENT_SECRET", "env:S"),
        ("AUTH_REFRESH_TOKEN", "keyring:g"),
    ];
    let variables =
        variables.map(|(key, value)| (format!("SFTOKEN_MAILBOX_OPS_{key}"), value.to_owned()));
    let config = load("", Path::new("/etc/sftoken.toml"), variables).unwrap();
    assert_eq!(config.mailboxes[0].oauth.as_ref().unwrap().client_id, "id");
}
