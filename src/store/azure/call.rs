//! One request to Key Vault, and its refusal in plain words.
//!
//! Knows headers, statuses and codes. Never shows a token, nor a server's words. Its data comes from the vault.

use serde::Deserialize;

use super::Azure;
use crate::http::{Request, Response};
use crate::store::remote::{MAX_ANSWER, unanswered};
use crate::store::session::Granted;
use crate::store::{StoreError, StoreErrorKind as Kind};

/// The API as it was documented when this was written; older vaults of sovereign clouds have it.
const VERSION: &str = "7.4";

/// The vault's refusal. Its innermost code tells most.
#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: Code,
}

#[derive(Default, Deserialize)]
struct Code {
    #[serde(default)]
    code: String,
    #[serde(default)]
    innererror: Option<Box<Code>>,
}

fn code(answer: &Response) -> String {
    let told: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    match told.error.innererror {
        Some(inner) if !inner.code.is_empty() => inner.code,
        _ => told.error.code,
    }
}

/// A version that is disabled, not yet valid, or expired cannot be read.
pub(super) fn is_disabled(answer: &Response) -> bool {
    ["SecretDisabled", "SecretNotYetValid", "SecretExpired"].contains(&code(answer).as_str())
}

impl Azure {
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}?api-version={VERSION}", self.secrets)
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
        let bearer = crate::ingest::secret::joined(&["Bearer ", granted.token.expose()]);
        let answer = self.http.send(&Request {
            method,
            url,
            headers: &[("Authorization", &bearer), ("Accept", "application/json")],
            body: body.map(|body| ("application/json", body)),
            limit: MAX_ANSWER,
        });
        let answer = answer.map_err(|error| unanswered(&self.shown, error))?;
        let again = "nothing to do if it passes: it will be tried again";
        let (what, hint) = match answer.status {
            429 => ("the vault asks to slow down", again),
            500..=599 => (
                "the vault has a trouble of its own",
                "see Azure's status page; it will be tried again",
            ),
            409 if [
                "ObjectIsBeingDeleted",
                "ObjectIsBeingRecovered",
                "ObjectIsBeingCreated",
            ]
            .contains(&code(&answer).as_str()) =>
            {
                ("the secret is being deleted or recovered", again)
            }
            _ => return Ok(answer),
        };
        let problem = format!("{what} (HTTP {})", answer.status);
        Err(self.fail(Kind::Unreachable, problem, hint))
    }

    /// Why an answer to a verb is no success.
    pub(super) fn refused(&self, verb: &str, answer: &Response) -> StoreError {
        let role = "give it the role \"Key Vault Secrets Officer\" on the secret or the vault, or in an access policy the secret permissions get, list and set";
        let code = code(answer);
        let (kind, what, hint) = match (answer.status, code.as_str()) {
            (401, _) => (
                Kind::Refused,
                "the vault does not take the access token".to_owned(),
                "check that the tenant is the vault's own, and cloud= in the store's URL",
            ),
            (403, _) if is_disabled(answer) => (
                Kind::Refused,
                "the secret's newest version is disabled, expired or not yet valid".to_owned(),
                "enable it, or wait for the next token: it makes a new version",
            ),
            (403, "ForbiddenByFirewall" | "ForbiddenByConnection") => (
                Kind::Refused,
                "the vault's firewall does not let this machine in".to_owned(),
                "allow its address in the vault's networking, or use the private endpoint",
            ),
            (403, _) => (
                Kind::Refused,
                format!("this identity may not {verb} the secret"),
                role,
            ),
            (404, _) => (
                Kind::Misconfigured,
                "there is no such vault or secret".to_owned(),
                "check the vault's name in the store's URL",
            ),
            (409, "ObjectIsDeletedButRecoverable") => (
                Kind::Refused,
                "a deleted secret of this name is kept, and can be recovered".to_owned(),
                "recover it (az keyvault secret recover) or purge it (az keyvault secret purge); or name another one in the store's URL",
            ),
            (300..=399, _) => (
                Kind::Misconfigured,
                "the vault sends elsewhere, where no token is sent".to_owned(),
                "check the vault's name in the store's URL",
            ),
            _ => (
                Kind::Refused,
                format!("the vault does not {verb} the secret"),
                "see the vault's diagnostic log",
            ),
        };
        self.fail(kind, format!("{what} (HTTP {})", answer.status), hint)
    }

    /// An answer that makes no sense.
    pub(super) fn odd(&self, what: &str) -> StoreError {
        let hint = "check the vault in the store's URL, and that no proxy answers in its place";
        self.fail(Kind::Corrupt, what.to_owned(), hint)
    }

    /// NOTE: a note that a newer version wrote must not pass for none, or an older token could win.
    pub(super) fn unread_note(&self) -> StoreError {
        let problem = "the tag sftoken of one of the secret's versions, which says how new the token is, cannot be read";
        let hint = "update sftoken, if a newer one has written it; otherwise remove the version's tags that begin with sftoken";
        self.fail(Kind::Corrupt, problem.to_owned(), hint)
    }
}
