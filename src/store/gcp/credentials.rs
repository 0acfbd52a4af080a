//! A credentials file of Google's (AIP-4110), read.
//!
//! Knows service accounts, users and external accounts. Never keeps the text, nor shows a part of it. Text comes from
//! where the URL or the environment says.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::ingest::secret::Secret;

const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// What may be asked for access tokens.
#[derive(Debug)]
pub(super) enum Credentials {
    ServiceAccount(ServiceAccount),
    User(User),
    External(External),
}

#[derive(Debug)]
pub(super) struct ServiceAccount {
    pub(super) email: String,
    pub(super) key: Secret,
    pub(super) key_id: Option<String>,
    pub(super) token_uri: String,
}

#[derive(Debug)]
pub(super) struct User {
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) refresh: Secret,
    pub(super) token_uri: String,
    /// The project that pays for the requests.
    pub(super) quota: Option<String>,
}

/// Workload identity federation: a token of someone else's, for one of Google's.
#[derive(Debug, Deserialize)]
pub(super) struct External {
    pub(super) audience: String,
    pub(super) subject_token_type: String,
    pub(super) token_url: String,
    pub(super) credential_source: Source,
    pub(super) service_account_impersonation_url: Option<String>,
}

/// Where the token of someone else's stands.
#[derive(Deserialize)]
pub(super) struct Source {
    pub(super) file: Option<String>,
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) format: Format,
}

impl fmt::Debug for Source {
    /// Headers may hold a secret, as those of GitHub Actions do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").finish_non_exhaustive()
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Format {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    subject_token_field_name: String,
}

/// Why a file is none: a clause.
pub(super) type Problem = &'static str;

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct ServiceAccountRead {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct UserRead {
    client_id: String,
    client_secret: String,
    refresh_token: String,
    token_uri: Option<String>,
    quota_project_id: Option<String>,
}

impl Credentials {
    /// Reads the JSON of a file.
    pub(super) fn parse(text: &Secret) -> Result<Self, Problem> {
        let text = text.expose();
        let kind: Kind = serde_json::from_str(text)
            .map_err(|_| "they are no credentials of Google's in JSON")?;
        let lacks = "a part of them is missing";
        match kind.kind.as_str() {
            "service_account" => {
                let read: ServiceAccountRead = serde_json::from_str(text).map_err(|_| lacks)?;
                Ok(Self::ServiceAccount(ServiceAccount {
                    email: read.client_email,
                    key: Secret::new(read.private_key),
                    key_id: read.private_key_id,
                    token_uri: read.token_uri.unwrap_or_else(|| TOKEN_URI.to_owned()),
                }))
            }
            "authorized_user" => {
                let read: UserRead = serde_json::from_str(text).map_err(|_| lacks)?;
                Ok(Self::User(User {
                    client_id: read.client_id,
                    client_secret: Secret::new(read.client_secret),
                    refresh: Secret::new(read.refresh_token),
                    token_uri: read.token_uri.unwrap_or_else(|| TOKEN_URI.to_owned()),
                    quota: read.quota_project_id,
                }))
            }
            "external_account" => {
                let read: External = serde_json::from_str(text).map_err(|_| lacks)?;
                let source = &read.credential_source;
                match source.file.is_some() != source.url.is_some() {
                    true => Ok(Self::External(read)),
                    false => Err(
                        "an external account is taken with a file or a URL as its source, and with no other",
                    ),
                }
            }
            _ => Err("their type is none of service_account, authorized_user and external_account"),
        }
    }
}

impl Format {
    /// The token in what the source holds.
    pub(super) fn token(&self, text: &Secret) -> Option<Secret> {
        let text = text.expose();
        if self.kind != "json" {
            return Some(Secret::new(text.trim().to_owned()));
        }
        let mut fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).ok()?;
        match fields.remove(&self.subject_token_field_name)? {
            serde_json::Value::String(token) => Some(Secret::new(token)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Credentials, Problem> {
        Credentials::parse(&Secret::new(text.to_owned()))
    }

    #[test]
    fn what_is_no_credentials_is_told_without_its_words() {
        let external = r#"{"type": "external_account", "audience": "a", "subject_token_type": "t",
            "token_url": "u", "credential_source": SOURCE}"#;
        let source = |text: &str| external.replace("SOURCE", text);
        for (text, problem) in [
            ("planted", "in JSON"),
            (r#"{"type": "planted"}"#, "type is none"),
            (
                r#"{"type": "service_account", "private_key": "planted"}"#,
                "missing",
            ),
            (
                r#"{"type": "authorized_user", "refresh_token": "planted"}"#,
                "missing",
            ),
            (&source(r#"{"environment_id": "aws1"}"#), "a file or a URL"),
            (
                &source(r#"{"executable": {"command": "planted"}}"#),
                "a file or a URL",
            ),
        ] {
            let told = read(text).unwrap_err();
            assert!(
                told.contains(problem) && !told.contains("planted"),
                "{told}"
            );
        }
        assert!(matches!(
            read(&source(r#"{"file": "/x"}"#)),
            Ok(Credentials::External(_))
        ));
    }

    #[test]
    fn nothing_secret_is_shown() {
        for text in [
            r#"{"type": "external_account", "audience": "a", "subject_token_type": "t", "token_url": "u",
                "credential_source": {"url": "https://x.example", "headers": {"Authorization": "planted"}}}"#,
            r#"{"type": "service_account", "client_email": "e", "private_key": "planted"}"#,
            r#"{"type": "authorized_user", "client_id": "c", "client_secret": "planted", "refresh_token": "planted"}"#,
        ] {
            let shown = format!("{:?}", read(text).unwrap());
            assert!(!shown.contains("planted"), "{shown}");
        }
    }

    #[test]
    fn a_token_is_found_in_its_format() {
        let format = |text: &str| serde_json::from_str::<Format>(text).unwrap();
        let token = |format: &Format, text: &str| {
            let found = format.token(&Secret::new(text.to_owned()))?;
            Some(found.expose().to_owned())
        };
        assert_eq!(token(&Format::default(), "t1\n").as_deref(), Some("t1"));
        let json = format(r#"{"type": "json", "subject_token_field_name": "id"}"#);
        assert_eq!(token(&json, r#"{"id": "t2"}"#).as_deref(), Some("t2"));
        assert_eq!(token(&json, r#"{"id": 2}"#), None);
    }
}
