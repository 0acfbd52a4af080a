//! Who we are to Google Cloud.
//!
//! Knows how credentials, or the machine's metadata server, become an access token. Never keeps a secret that stands
//! elsewhere, nor shows an answer. Its data comes from the URL, and from what Google puts beside a workload.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::credentials::{Credentials, External, ServiceAccount, User};
use crate::http::{Http, Request, Response};
use crate::ingest::secret::{Secret, joined};
use crate::store::grant;
use crate::store::jwt;
use crate::store::remote::{MAX_ANSWER, Place, unanswered};
use crate::store::session::Grant;
use crate::store::{StoreError, StoreErrorKind as Kind};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// The longest that Google takes for an assertion is an hour; ours is used at once.
const ASSERTION: i64 = 300;

/// A way to prove who we are.
#[derive(Debug)]
pub(super) enum LogIn {
    /// Credentials that somebody has given.
    Given {
        http: Http,
        at: At,
        /// The project that pays, where the credentials name one.
        quota: Mutex<Option<String>>,
    },
    /// The service account of the machine, from its metadata server.
    Machine { http: Http, url: String },
}

/// Where credentials stand.
#[derive(Debug)]
pub(super) enum At {
    Place(Place),
    /// `GOOGLE_APPLICATION_CREDENTIALS`. NOTE: its mode is the platform's affair: a federated one holds no secret.
    File(PathBuf),
}

impl LogIn {
    /// A new access token.
    pub(super) fn get(&self, shown: &str) -> Result<Grant, StoreError> {
        let asking = Asking { shown };
        match self {
            Self::Machine { http, url } => asking.machine(http, url),
            Self::Given { http, at, quota } => {
                let found = at.read(shown)?;
                let found =
                    Credentials::parse(&found).map_err(|problem| at.wrong(shown, problem))?;
                if let Credentials::User(user) = &found {
                    quota
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .clone_from(&user.quota);
                }
                let grant = match &found {
                    Credentials::ServiceAccount(account) => asking.service_account(http, account),
                    Credentials::User(user) => asking.user(http, user),
                    Credentials::External(external) => asking.external(http, external),
                };
                grant.inspect_err(|_| at.forget())
            }
        }
    }

    /// The project that pays for the requests, if it is another than the secret's.
    pub(super) fn quota(&self) -> Option<String> {
        match self {
            Self::Given { quota, .. } => {
                quota.lock().unwrap_or_else(PoisonError::into_inner).clone()
            }
            Self::Machine { .. } => None,
        }
    }
}

impl At {
    fn read(&self, shown: &str) -> Result<Secret, StoreError> {
        match self {
            Self::Place(place) => place.recent(shown).map(|(secret, _)| secret),
            Self::File(path) => file(path, shown, "GOOGLE_APPLICATION_CREDENTIALS"),
        }
    }

    fn forget(&self) {
        if let Self::Place(place) = self {
            place.forget();
        }
    }

    fn wrong(&self, shown: &str, problem: &str) -> StoreError {
        let place = match self {
            Self::Place(_) => "credentials= in the store's URL names",
            Self::File(_) => "GOOGLE_APPLICATION_CREDENTIALS names",
        };
        StoreError::new(
            shown,
            Kind::Misconfigured,
            format!("the credentials cannot be used: {problem}"),
            format!(
                "see the file that {place}: a service account's key, as the console gives it, or the file of gcloud iam workload-identity-pools create-cred-config"
            ),
        )
    }
}

fn file(path: &Path, shown: &str, who: &str) -> Result<Secret, StoreError> {
    std::fs::read_to_string(path)
        .map(Secret::new)
        .map_err(|error| {
            let problem = format!("{} cannot be read: {}", path.display(), error.kind());
            let hint = format!("it is what {who} names: see whether it is there, and may be read");
            StoreError::new(shown, Kind::Misconfigured, problem, hint)
        })
}

/// Requests for a token, for one store.
struct Asking<'s> {
    shown: &'s str,
}

impl Asking<'_> {
    /// A signed assertion for a token (RFC 7523).
    fn service_account(&self, http: &Http, account: &ServiceAccount) -> Result<Grant, StoreError> {
        let now = Timestamp::now().as_second();
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": account.key_id});
        let claims = json!({
            "iss": account.email, "scope": SCOPE, "aud": account.token_uri,
            "iat": now, "exp": now + ASSERTION,
        });
        let assertion = jwt::signed(&header, &claims, &account.key).ok_or_else(|| {
            let problem = "the private key in the credentials is no RSA key in PEM form";
            let hint = "make a new key of the service account, and take its file as it comes";
            StoreError::new(self.shown, Kind::Misconfigured, problem, hint)
        })?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.expose()),
        ];
        self.form(http, &account.token_uri, &form)
    }

    fn user(&self, http: &Http, user: &User) -> Result<Grant, StoreError> {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", user.client_id.as_str()),
            ("client_secret", user.client_secret.expose()),
            ("refresh_token", user.refresh.expose()),
        ];
        self.form(http, &user.token_uri, &form)
    }

    /// Someone else's token for one of Google's (RFC 8693), and that for a service account's where one is named.
    fn external(&self, http: &Http, external: &External) -> Result<Grant, StoreError> {
        let subject = self.subject(http, external)?;
        let form = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("audience", external.audience.as_str()),
            ("scope", SCOPE),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("subject_token_type", external.subject_token_type.as_str()),
            ("subject_token", subject.expose()),
        ];
        let federated = self.form(http, &external.token_url, &form)?;
        match &external.service_account_impersonation_url {
            None => Ok(federated),
            Some(url) => self.impersonated(http, url, &federated.token),
        }
    }

    fn subject(&self, http: &Http, external: &External) -> Result<Secret, StoreError> {
        let source = &external.credential_source;
        let text = match (&source.file, &source.url) {
            (Some(path), _) => file(Path::new(path), self.shown, "the credentials' source")?,
            (None, url) => {
                let headers: Vec<(&str, &str)> = source
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                let answer = grant::get(http, url.as_deref().unwrap_or_default(), &headers);
                let answer = answer.map_err(|error| unanswered(self.shown, error))?;
                if answer.status != 200 {
                    return Err(self.refused(&answer, "the source of the external account's token"));
                }
                Secret::new(String::from_utf8_lossy(&answer.body).into_owned())
            }
        };
        source.format.token(&text).ok_or_else(|| {
            let problem = "the source of the external account's token holds none";
            let hint = "compare it with format in the credentials' credential_source";
            StoreError::new(self.shown, Kind::Misconfigured, problem, hint)
        })
    }

    fn impersonated(&self, http: &Http, url: &str, token: &Secret) -> Result<Grant, StoreError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Told {
            access_token: String,
            expire_time: Timestamp,
        }
        let bearer = joined(&["Bearer ", token.expose()]);
        let body = json!({"scope": [SCOPE]}).to_string();
        let answer = http.send(&Request {
            method: "POST",
            url,
            headers: &[("Authorization", &bearer), ("Accept", "application/json")],
            body: Some(("application/json", body.as_bytes())),
            limit: MAX_ANSWER,
        });
        let answer = answer.map_err(|error| unanswered(self.shown, error))?;
        if answer.status != 200 {
            return Err(self.refused(&answer, "the service account"));
        }
        let told: Option<Told> = serde_json::from_slice(&answer.body).ok();
        let told = told.ok_or_else(|| self.odd())?;
        let left = told.expire_time.duration_since(Timestamp::now());
        Ok(Grant {
            token: Secret::new(told.access_token),
            lives: Duration::try_from(left).unwrap_or_default(),
        })
    }

    fn machine(&self, http: &Http, url: &str) -> Result<Grant, StoreError> {
        let answer = grant::get(http, url, &[("Metadata-Flavor", "Google")]);
        let answer = answer.map_err(|error| {
            let problem = format!("{}: no metadata server answers", error.host);
            let hint = "elsewhere than on Google Cloud, give credentials= in the store's URL, or GOOGLE_APPLICATION_CREDENTIALS; on Google Cloud it will be tried again";
            StoreError::new(self.shown, Kind::Unreachable, problem, hint)
        })?;
        match answer.status {
            // Whoever else answers there is no metadata server (Google's documentation of it).
            200 if answer.header("metadata-flavor") == Some("Google") => {
                grant::read(&answer).ok_or_else(|| self.odd())
            }
            200 => Err(self.odd()),
            404 => Err(StoreError::new(
                self.shown,
                Kind::Refused,
                "this machine has no service account (HTTP 404)",
                "give it one, or give credentials= in the store's URL",
            )),
            _ => Err(self.refused(&answer, "the metadata server")),
        }
    }

    fn form(&self, http: &Http, url: &str, form: &[(&str, &str)]) -> Result<Grant, StoreError> {
        let answer = grant::post(http, url, form);
        let answer = answer.map_err(|error| unanswered(self.shown, error))?;
        match answer.status {
            200 => grant::read(&answer).ok_or_else(|| self.odd()),
            _ => Err(self.refused(&answer, "the log-in")),
        }
    }

    fn refused(&self, answer: &Response, who: &str) -> StoreError {
        if matches!(answer.status, 429 | 500..=599) {
            let problem = format!("{who} has a trouble of its own (HTTP {})", answer.status);
            let hint = "nothing to do if it passes: it will be tried again";
            return StoreError::new(self.shown, Kind::Unreachable, problem, hint);
        }
        let word = grant::refusal(answer);
        let hint = match word.as_deref() {
            Some("invalid_grant") => {
                "the key or refresh token is revoked, the service account is gone, or this machine's clock is wrong"
            }
            Some("invalid_client" | "unauthorized_client") => {
                "make new credentials, and put them where the store's URL says"
            }
            Some("invalid_target") => {
                "check audience in the credentials: the workload identity pool's provider"
            }
            _ if answer.status == 403 => {
                "let the external account take the service account's place: roles/iam.workloadIdentityUser"
            }
            _ => "see the credentials that the store's URL or GOOGLE_APPLICATION_CREDENTIALS names",
        };
        let word = word.map_or(String::new(), |word| format!(", {word}"));
        let problem = format!("{who} refuses (HTTP {}{word})", answer.status);
        StoreError::new(self.shown, Kind::Refused, problem, hint)
    }

    fn odd(&self) -> StoreError {
        let problem = "the answer to the log-in holds no token";
        let hint = "check that no proxy answers in Google's place";
        StoreError::new(self.shown, Kind::Corrupt, problem, hint)
    }
}
