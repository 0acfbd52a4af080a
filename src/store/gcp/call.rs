//! One request to Secret Manager, and its refusal in plain words.
//!
//! Knows headers, statuses and reasons. Never shows a token, nor a server's words. Its data comes from the API.

use serde::Deserialize;

use super::Gcp;
use crate::http::{Request, Response};
use crate::ingest::secret::joined;
use crate::store::remote::{MAX_ANSWER, unanswered};
use crate::store::session::Granted;
use crate::store::{StoreError, StoreErrorKind as Kind};

/// `google.rpc.Status`, the API's refusal.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: Status,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    status: String,
    #[serde(default)]
    details: Vec<Detail>,
}

/// `google.rpc.ErrorInfo`, among others.
#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    reason: String,
}

fn status(answer: &Response) -> Status {
    let told: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    told.error
}

/// An etag that does not hold any more (HTTP 400: Google's documentation of etags), or a version that is disabled or
/// destroyed.
pub(super) fn is_precondition(answer: &Response) -> bool {
    ["FAILED_PRECONDITION", "ABORTED"].contains(&status(answer).status.as_str())
}

impl Gcp {
    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.secrets)
    }

    /// Asks with a token of ours.
    pub(super) fn authorized(
        &self,
        method: &'static str,
        url: &str,
        body: Option<&[u8]>,
    ) -> Result<Response, StoreError> {
        self.session.ask(
            || self.log_in.get(&self.shown),
            |granted| self.ask(method, url, body, granted),
        )
    }

    /// Asks. Answers that say "not now" are errors here.
    fn ask(
        &self,
        method: &'static str,
        url: &str,
        body: Option<&[u8]>,
        granted: &Granted,
    ) -> Result<Response, StoreError> {
        let bearer = joined(&["Bearer ", granted.token.expose()]);
        let quota = self.log_in.quota();
        let mut headers = vec![
            ("Authorization", bearer.as_str()),
            ("Accept", "application/json"),
        ];
        headers.extend(
            quota
                .as_deref()
                .map(|project| ("x-goog-user-project", project)),
        );
        let answer = self.http.send(&Request {
            method,
            url,
            headers: &headers,
            body: body.map(|body| ("application/json", body)),
            limit: MAX_ANSWER,
        });
        let answer = answer.map_err(|error| unanswered(&self.shown, error))?;
        let (what, hint) = match answer.status {
            429 => (
                "a quota of the project is used up",
                "nothing to do if it passes: it will be tried again; otherwise see the project's quotas",
            ),
            500..=599 => (
                "Secret Manager has a trouble of its own",
                "see Google Cloud's status page; it will be tried again",
            ),
            _ => return Ok(answer),
        };
        let problem = format!("{what} (HTTP {})", answer.status);
        Err(self.fail(Kind::Unreachable, problem, hint))
    }

    /// Why an answer to a verb is no success.
    pub(super) fn refused(&self, verb: &str, name: &str, answer: &Response) -> StoreError {
        let told = status(answer);
        let reason = |word: &str| told.details.iter().any(|detail| detail.reason == word);
        let rights = "give it secretmanager.secrets.get and update, secretmanager.versions.access and add on the secret; and secretmanager.secrets.create on the project, unless the secret is there already";
        let (kind, what, hint) = match answer.status {
            401 => (
                Kind::Refused,
                "Secret Manager does not take the access token".to_owned(),
                "see whether the service account is disabled; check this machine's clock",
            ),
            403 if reason("SERVICE_DISABLED") => (
                Kind::Misconfigured,
                "Secret Manager is not enabled in the project".to_owned(),
                "enable it (gcloud services enable secretmanager.googleapis.com), in the project that the credentials belong to as well",
            ),
            403 if reason("BILLING_DISABLED") => (
                Kind::Misconfigured,
                "the project has no billing account".to_owned(),
                "give it one",
            ),
            403 => (
                Kind::Refused,
                format!("this identity may not {verb} the secret {name}"),
                rights,
            ),
            404 => (
                Kind::Misconfigured,
                "there is no such project".to_owned(),
                "correct it in the store's URL",
            ),
            400 if told.status == "FAILED_PRECONDITION" => (
                Kind::Refused,
                format!("a policy does not let anybody {verb} the secret {name}"),
                "where the organisation says in which places data may be, make the secret yourself, or add location= to the store's URL",
            ),
            300..=399 => (
                Kind::Misconfigured,
                "Secret Manager sends elsewhere, where no token is sent".to_owned(),
                "check host= and location= in the store's URL",
            ),
            _ => (
                Kind::Refused,
                format!("Secret Manager does not {verb} the secret {name}"),
                "see the project's audit log, and check the store's URL",
            ),
        };
        self.fail(kind, format!("{what} (HTTP {})", answer.status), hint)
    }

    /// An answer that makes no sense.
    pub(super) fn odd(&self, what: &str) -> StoreError {
        let hint = "it will be tried again; check that no proxy answers in Google's place";
        self.fail(Kind::Corrupt, what.to_owned(), hint)
    }

    /// NOTE: a note that a newer version wrote must not pass for none, or an older token could win.
    pub(super) fn unread_note(&self) -> StoreError {
        let problem =
            "the secret's annotation sftoken, which says how new the token is, cannot be read";
        let hint = "update sftoken, if a newer one has written it; otherwise remove the annotation, and the next token writes it anew";
        self.fail(Kind::Corrupt, problem.to_owned(), hint)
    }
}
