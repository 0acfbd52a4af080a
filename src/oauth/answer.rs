//! What an endpoint answers.
//!
//! Knows the JSON of tokens, device codes and refusals (RFC 6749, 5; RFC 8628, 3.2). Never keeps a text of it
//! that could hold a secret. Its data comes from [`Http`](super::Http).

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{Refusal, refused};
use super::http::Response;
use super::{Brand, OauthError, Retry};
use crate::ingest::secret::Secret;

/// The life of a token whose provider does not tell it (RFC 6749, 5.1, recommends to). A refused one is
/// renewed before.
const USUAL_LIFE: Duration = Duration::from_secs(3600);
/// The largest token: Microsoft's have 3 KB.
const MAX_TOKEN: usize = 16 * 1024;
/// Characters of a provider's text that are shown.
const SHOWN: usize = 200;

/// Tokens of one answer.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Lets in.
    pub access: Secret,
    /// Gets the next access token; absent when the old one goes on, and with client credentials.
    pub refresh: Option<Secret>,
    /// How long the access token lives.
    pub lives: Duration,
}

#[derive(Deserialize)]
struct TokenBody {
    access_token: Option<String>,
    refresh_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Value>,
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    error: Option<String>,
    error_description: Option<String>,
    error_subtype: Option<String>,
    error_codes: Option<Vec<u64>>,
}

/// An endpoint, for errors.
#[derive(Clone, Copy)]
pub(super) struct Asked<'f> {
    pub(super) host: &'f str,
    pub(super) brand: Brand,
    /// What was sent and must not come back in a text.
    pub(super) secrets: &'f [&'f str],
}

impl Asked<'_> {
    /// The body of a success, or why it is none.
    pub(super) fn read<T: DeserializeOwned>(self, response: &Response) -> Result<T, OauthError> {
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_ok();
        match response.status {
            200..=299 if is_json => serde_json::from_slice(&response.body)
                .map_err(|_| OauthError::answer(self.host, "the answer is not what was asked for")),
            200..=299 => Err(OauthError::answer(self.host, "the answer is no JSON")),
            status => Err(self.refusal(status, &response.body)),
        }
    }

    fn refusal(self, status: u16, body: &[u8]) -> OauthError {
        let told: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
        let (Some(error), false) = (told.error.as_deref(), status == 429) else {
            return self.by_status(status);
        };
        let description = self.clean(told.error_description.as_deref().unwrap_or_default());
        let number = told.error_codes.as_deref().and_then(|codes| codes.first());
        let own = number
            .map(|number| format!("AADSTS{number}"))
            .or_else(|| aadsts(&description))
            .or(told.error_subtype.map(|text| word(&text)));
        let refusal = Refusal {
            error: &word(error),
            own: own.as_deref(),
            description: &description,
        };
        refused(self.host, self.brand, refusal)
    }

    fn by_status(self, status: u16) -> OauthError {
        let host = self.host;
        let (kind, retry, what, hint) = match status {
            429 => (
                "oauth_throttled",
                Retry::Slowly,
                "the provider asks to slow down",
                "nothing to do if it passes; otherwise look for another program that asks for tokens with this client",
            ),
            300..=399 => (
                "oauth_answer",
                Retry::Never,
                "the endpoint sends elsewhere, where no secret is sent",
                "write the endpoint's final URL",
            ),
            500..=599 => (
                "oauth_unavailable",
                Retry::Soon,
                "the provider has a trouble of its own",
                "nothing to do if it passes; otherwise see the provider's status page",
            ),
            404 | 405 => (
                "oauth_answer",
                Retry::Never,
                "there is no such endpoint",
                "check auth.token_url, auth.device_url and auth.tenant",
            ),
            _ => (
                "oauth_answer",
                Retry::Soon,
                "the answer is no JSON",
                "check that the URL is the provider's, and that no proxy answers in its place",
            ),
        };
        OauthError::new(kind, retry, format!("{host}: {what} (HTTP {status})"), hint)
    }

    /// Tokens that can be used as they are.
    pub(super) fn tokens(self, response: &Response) -> Result<Tokens, OauthError> {
        let body: TokenBody = self.read(response)?;
        let bearer = body.token_type.as_deref().unwrap_or("Bearer");
        if !bearer.eq_ignore_ascii_case("bearer") {
            let what = "the token is of a type that mail servers do not take";
            return Err(OauthError::answer(self.host, what));
        }
        let access = body
            .access_token
            .and_then(usable)
            .ok_or_else(|| OauthError::answer(self.host, "the answer holds no access token"))?;
        Ok(Tokens {
            access,
            refresh: body.refresh_token.and_then(usable),
            lives: body
                .expires_in
                .as_ref()
                .and_then(seconds)
                .unwrap_or(USUAL_LIFE),
        })
    }

    /// The first line, printable, bounded, and without a secret.
    fn clean(self, text: &str) -> String {
        if self
            .secrets
            .iter()
            .any(|secret| !secret.is_empty() && text.contains(secret))
        {
            return String::new();
        }
        let line = text.lines().next().unwrap_or_default();
        let plain = |letter: char| match letter.is_control() || !letter.is_ascii() {
            true => '\u{fffd}',
            false => letter,
        };
        line.chars().take(SHOWN).map(plain).collect()
    }
}

/// A number, or the text of one: some providers quote it.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // a day at most: a provider's clock may be in milliseconds
    (number >= 0.0).then(|| Duration::from_secs_f64(number.min(86_400.0)))
}

/// Printable ASCII without spaces, as in `Authorization: Bearer` (RFC 6750, 2.1, allows less).
fn usable(token: String) -> Option<Secret> {
    let good = !token.is_empty()
        && token.len() <= MAX_TOKEN
        && token.bytes().all(|byte| byte.is_ascii_graphic());
    good.then(|| Secret::new(token))
}

/// `AADSTS700082` at the beginning of Microsoft's descriptions.
fn aadsts(text: &str) -> Option<String> {
    let number = text.trim_start().strip_prefix("AADSTS")?;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty() && digits.len() <= 10).then(|| format!("AADSTS{digits}"))
}

/// An error's word: nothing but letters, digits, `_` and `-`.
fn word(text: &str) -> String {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    text.chars().filter(plain).take(60).collect()
}
