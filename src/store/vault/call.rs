//! One request to Vault, and its answer in plain words.
//!
//! Knows headers and statuses. Never shows a token, nor a server's words that hold what was sent. Its data comes
//! from the server.

use serde::Deserialize;

use super::Vault;
use crate::http::{Request, Response};
use crate::ingest::secret::Secret;
use crate::store::plain::plain;
use crate::store::remote::{MAX_ANSWER, unanswered};
use crate::store::{StoreError, StoreErrorKind as Kind};

#[derive(Default, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<String>,
}

/// Whether a refusal holds these words.
pub(super) fn says(body: &[u8], words: &str) -> bool {
    let told: Errors = serde_json::from_slice(body).unwrap_or_default();
    told.errors.iter().any(|error| error.contains(words))
}

impl Vault {
    /// Asks with a token of ours. One that was got earlier may have expired or been revoked since: another is
    /// got, once.
    pub(super) fn authorized(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&[u8]>,
    ) -> Result<Response, StoreError> {
        let token = self.auth.token(self)?;
        let answer = self.ask(method, path, body, Some(&token.secret))?;
        if answer.status != 403 || token.is_fresh {
            return Ok(answer);
        }
        self.auth.forget();
        let token = self.auth.token(self)?;
        self.ask(method, path, body, Some(&token.secret))
    }

    /// Asks. Answers that say "not now" are errors here; what is asked decides what the others mean.
    pub(super) fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&[u8]>,
        token: Option<&Secret>,
    ) -> Result<Response, StoreError> {
        // Vault takes a request with this header only, where it is told to (`require_request_header`).
        let mut headers = vec![("X-Vault-Request", "true"), ("Accept", "application/json")];
        headers.extend(token.map(|token| ("X-Vault-Token", token.expose())));
        let namespace = self.namespace.as_deref();
        headers.extend(namespace.map(|name| ("X-Vault-Namespace", name)));
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let answer = self.http.send(&Request {
            method,
            url: &format!("{}{path}", self.api),
            headers: &headers,
            body: body.map(|body| (kind, body)),
            limit: MAX_ANSWER,
        });
        let answer = answer.map_err(|error| unanswered(&self.shown, error))?;
        match self.not_now(&answer) {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }

    fn not_now(&self, answer: &Response) -> Option<StoreError> {
        let again = "nothing to do if it passes: it will be tried again";
        let (kind, what, hint) = match answer.status {
            503 if says(&answer.body, "sealed") => (
                Kind::Locked,
                "the server is sealed",
                "unseal it (`vault operator unseal`); it will be tried again",
            ),
            // Go's server says so itself.
            400 if answer
                .body
                .starts_with(b"Client sent an HTTP request to an HTTPS server") =>
            {
                (
                    Kind::Misconfigured,
                    "the server speaks TLS",
                    "leave tls=0 out of the store's URL",
                )
            }
            501 => (
                Kind::Unreachable,
                "the server is not initialized",
                "set it up (`vault operator init`); it will be tried again",
            ),
            429 => (Kind::Unreachable, "a rate limit is reached", again),
            412 => (
                Kind::Unreachable,
                "a replica has not heard of the latest write yet",
                again,
            ),
            472 | 473 => (
                Kind::Unreachable,
                "this node is a standby",
                "name the active node, or the address in front of them",
            ),
            300..=399 => (
                Kind::Unreachable,
                "this node is a standby and sends elsewhere, where no token is sent",
                "name the active node, or the address in front of them; or let standbys forward requests",
            ),
            500..=599 => (
                Kind::Unreachable,
                "the server has a trouble of its own",
                "see the server's log; it will be tried again",
            ),
            _ => return None,
        };
        let problem = format!("{what} (HTTP {})", answer.status);
        Some(self.fail(kind, problem, hint))
    }

    /// 403: is it the token, or what it may do?
    pub(super) fn forbidden(&self, what: &str, path: &str) -> StoreError {
        let itself = self
            .auth
            .token(self)
            .and_then(|token| self.ask("GET", "auth/token/lookup-self", None, Some(&token.secret)));
        match itself {
            Err(error) => error,
            Ok(answer) if answer.status == 403 => self.fail(
                Kind::Refused,
                "the token is expired, revoked, or of another namespace".to_owned(),
                "get a new one to where the store's URL says; a token that renews itself comes by auth=approle, kubernetes or jwt",
            ),
            Ok(_) => {
                let hint = format!("give its policy: path \"{}\" {{ capabilities = [\"create\", \"read\", \"update\"] }}", plain(path));
                StoreError::new(&self.shown, Kind::Refused, plain(what), hint)
            }
        }
    }

    /// A status that has no meaning here. NOTE: the server's words help, unless it gives back what it was sent: so
    /// they are not told where our token is in them, nor after a write (then `body` is empty).
    pub(super) fn unexpected(&self, status: u16, body: &[u8]) -> StoreError {
        let told: Errors = serde_json::from_slice(body).unwrap_or_default();
        let ours = self.auth.token(self).map(|token| token.secret);
        let safe = |text: &&String| {
            ours.as_ref()
                .is_ok_and(|ours| !text.contains(ours.expose()))
        };
        let said = told.errors.first().filter(safe);
        let said = said.map_or(String::new(), |text| format!(": {}", plain(text)));
        let problem = format!("the server refuses (HTTP {status}){said}");
        let hint = "see the server's audit log, and check the store's URL";
        self.fail(Kind::Refused, problem, hint)
    }

    /// An answer that makes no sense.
    pub(super) fn odd(&self, what: &str) -> StoreError {
        let hint = "check that the host is the server's, and that no proxy answers in its place";
        self.fail(Kind::Corrupt, what.to_owned(), hint)
    }

    /// NOTE: a note that a newer version wrote must not pass for none, or an older token could win.
    pub(super) fn unread_note(&self) -> StoreError {
        let problem =
            "the secret's field `sftoken`, which says how new its token is, cannot be read";
        let hint = "update sftoken, if a newer one has written it; otherwise remove the field, and the next token writes it anew";
        self.fail(Kind::Corrupt, problem.to_owned(), hint)
    }

    pub(super) fn fail(&self, kind: Kind, problem: String, hint: &str) -> StoreError {
        StoreError::new(&self.shown, kind, problem, hint)
    }
}
