//! One request to Kubernetes, and its refusal in plain words.
//!
//! Knows headers and statuses. Never shows a token, nor a server's words. Its data comes from the server.

use serde::Deserialize;

use super::Kubernetes;
use super::kubeconfig::Access;
use crate::http::{Request, Response};
use crate::ingest::secret::joined;
use crate::store::remote::{MAX_ANSWER, unanswered};
use crate::store::{StoreError, StoreErrorKind as Kind};

/// `Status`, the API's refusal.
#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    message: String,
}

impl Kubernetes {
    /// Asks. Answers that say "not now" are errors here. What was got earlier may have ended since: it is got anew, once.
    pub(super) fn ask(
        &self,
        method: &'static str,
        url: &str,
        body: Option<&[u8]>,
    ) -> Result<Response, StoreError> {
        let access = self.log_in.access(&self.http, &self.shown)?;
        let mut answer = self.send(&access, method, url, body)?;
        if answer.status == 401 {
            self.log_in.forget();
            if !access.is_fresh {
                let access = self.log_in.access(&self.http, &self.shown)?;
                answer = self.send(&access, method, url, body)?;
            }
        }
        let what = match answer.status {
            429 => "the server asks to slow down",
            500..=599 => "the server has a trouble of its own",
            _ => return Ok(answer),
        };
        let problem = format!("{what} (HTTP {})", answer.status);
        let hint = "nothing to do if it passes: it will be tried again; otherwise see the cluster's control plane";
        Err(self.fail(Kind::Unreachable, problem, hint))
    }

    fn send(
        &self,
        access: &Access,
        method: &'static str,
        url: &str,
        body: Option<&[u8]>,
    ) -> Result<Response, StoreError> {
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let bearer = access.token.as_ref();
        let bearer = bearer.map(|token| joined(&["Bearer ", token.expose()]));
        let mut headers = vec![("Accept", "application/json")];
        headers.extend(
            bearer
                .as_ref()
                .map(|bearer| ("Authorization", bearer.as_str())),
        );
        let answer = access.http.send(&Request {
            method,
            url,
            headers: &headers,
            body: body.map(|body| (kind, body)),
            limit: MAX_ANSWER,
        });
        answer.map_err(|error| unanswered(&self.shown, error))
    }

    /// Why an answer to a verb is no success.
    pub(super) fn refused(&self, verb: &str, answer: &Response) -> StoreError {
        let told: Status = serde_json::from_slice(&answer.body).unwrap_or_default();
        let place = format!("{}/{}", self.namespace, self.name);
        let (kind, what, hint) = match answer.status {
            401 => (
                Kind::Refused,
                "the token or certificate is wrong or expired".to_owned(),
                "in a pod, see its service account; elsewhere, make a new one (kubectl create token), or log in again as the kubeconfig says".to_owned(),
            ),
            403 => (
                Kind::Refused,
                format!("the token may not {verb} the Secret {place}"),
                self.rules(),
            ),
            404 => (
                Kind::Misconfigured,
                format!("there is no namespace {}", self.namespace),
                "make it, or correct the store's URL".to_owned(),
            ),
            422 if told.message.contains("immutable") => (
                Kind::Refused,
                format!("the Secret {place} is immutable"),
                "remove it, and let sftoken make another, or name another one".to_owned(),
            ),
            _ => (
                Kind::Refused,
                format!("the server does not {verb} the Secret {place}"),
                "see the cluster's audit log: an admission controller may have refused it".to_owned(),
            ),
        };
        self.fail(kind, format!("{what} (HTTP {})", answer.status), &hint)
    }

    /// What a Role needs. `create` cannot be bound to a name (Kubernetes' documentation of RBAC).
    fn rules(&self) -> String {
        format!(
            "give its Role in {}: {{apiGroups: [\"\"], resources: [secrets], resourceNames: [{}], verbs: [get, patch]}}; \
             and {{apiGroups: [\"\"], resources: [secrets], verbs: [create]}}, unless the Secret is there already",
            self.namespace, self.name
        )
    }

    /// An answer that makes no sense.
    pub(super) fn odd(&self, what: &str) -> StoreError {
        let hint = "check server= in the store's URL or the kubeconfig, and that no proxy answers in its place";
        self.fail(Kind::Corrupt, what.to_owned(), hint)
    }

    /// NOTE: a note that a newer version wrote must not pass for none, or an older token could win.
    pub(super) fn unread_note(&self, annotation: &str) -> StoreError {
        let problem =
            format!("the annotation {annotation}, which says how new the token is, cannot be read");
        let hint = "update sftoken, if a newer one has written it; otherwise remove the annotation, and the next token writes it anew";
        self.fail(Kind::Corrupt, problem, hint)
    }
}
