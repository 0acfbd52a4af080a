//! One request to GitHub, and its refusal in plain words.
//!
//! Knows headers, limits and statuses. Never shows a token, nor a server's words. Its data comes from the server.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::GitHub;
use crate::http::{Request, Response};
use crate::ingest::secret::{Secret, joined};
use crate::store::remote::{MAX_ANSWER, unanswered};
use crate::store::{StoreError, StoreErrorKind as Kind};

/// The API as it was documented when this was written.
const VERSION: &str = "2022-11-28";

/// When an answer was sent.
pub(super) fn date(answer: &Response) -> Option<Timestamp> {
    let text = answer.header("date")?.replace("GMT", "+0000");
    let date = rfc2822::DateTimeParser::new().parse_timestamp(&text);
    date.ok()
}

impl GitHub {
    /// Asks with a token of ours. One that was got earlier may have been revoked since: another is got, once.
    pub(super) fn ask(
        &self,
        method: &'static str,
        url: &str,
        body: Option<&[u8]>,
    ) -> Result<Response, StoreError> {
        let granted = self.log_in.token(self)?;
        let answer = self.send(method, url, body, &granted.token)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.log_in.forget();
        if granted.is_fresh {
            return Ok(answer);
        }
        let granted = self.log_in.token(self)?;
        self.send(method, url, body, &granted.token)
    }

    /// Asks. Answers that say "not now" are errors here.
    pub(super) fn send(
        &self,
        method: &'static str,
        url: &str,
        body: Option<&[u8]>,
        token: &Secret,
    ) -> Result<Response, StoreError> {
        let bearer = joined(&["Bearer ", token.expose()]);
        let answer = self.http.send(&Request {
            method,
            url,
            headers: &[
                ("Authorization", &bearer),
                ("Accept", "application/vnd.github+json"),
                ("X-GitHub-Api-Version", VERSION),
            ],
            body: body.map(|body| ("application/json", body)),
            limit: MAX_ANSWER,
        });
        let answer = answer.map_err(|error| unanswered(&self.shown, error))?;
        match self.not_now(&answer) {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }

    /// Limits come as 403 or 429 (GitHub's documentation: rate limits for the REST API).
    fn not_now(&self, answer: &Response) -> Option<StoreError> {
        let spent = answer.header("x-ratelimit-remaining") == Some("0");
        let wait = answer
            .header("retry-after")
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let limited = answer.status == 429 || answer.status == 403 && (spent || wait.is_some());
        if limited {
            let wait = wait.map_or(String::new(), |seconds| format!(", for {seconds} s"));
            let problem = format!("a rate limit is reached{wait} (HTTP {})", answer.status);
            let hint = "nothing to do if it passes: it will be tried again; otherwise see what else uses this token";
            return Some(self.fail(Kind::Unreachable, problem, hint));
        }
        (answer.status >= 500).then(|| {
            let problem = format!("GitHub has a trouble of its own (HTTP {})", answer.status);
            self.fail(
                Kind::Unreachable,
                problem,
                "see GitHub's status page; it will be tried again",
            )
        })
    }

    /// Why an answer is no success.
    pub(super) fn refused(&self, answer: &Response) -> StoreError {
        let permission = match self.organization {
            false => {
                "give the token or the app \"Secrets: read and write\" on the repository (for an environment, \"Environments: read and write\"; a classic token, the scope repo)"
            }
            true => {
                "give the token or the app the organization's permission \"Secrets: read and write\" (a classic token, the scope admin:org)"
            }
        };
        let (kind, what, hint) = match answer.status {
            401 => (
                Kind::Refused,
                "the token is wrong, expired or revoked",
                "make a new one, and put it where the store's URL says",
            ),
            403 => (Kind::Refused, "the token may not do that", permission),
            // For what may not be seen GitHub says that it is not there.
            404 => (
                Kind::Refused,
                "there is no such repository, environment or organization, or the token may not see its secrets",
                permission,
            ),
            422 => (
                Kind::Refused,
                "GitHub does not take the secret",
                "if the repository's key was changed meanwhile, the next try succeeds; otherwise check the secret's name",
            ),
            300..=399 => (
                Kind::Misconfigured,
                "the repository or the organization was renamed or moved, and no token is sent elsewhere",
                "write its new name (OWNER/REPO) in the store's URL",
            ),
            _ => (Kind::Refused, "GitHub refuses", "check the store's URL"),
        };
        self.fail(kind, format!("{what} (HTTP {})", answer.status), hint)
    }

    /// An answer that makes no sense.
    pub(super) fn odd(&self, what: &str) -> StoreError {
        let hint = "check host= in the store's URL, and that no proxy answers in its place";
        self.fail(Kind::Corrupt, what.to_owned(), hint)
    }
}
