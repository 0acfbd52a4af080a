//! Access tokens that a store's cloud gives for a while.
//!
//! Knows forms and answers. Never keeps what a token was got with, nor shows an answer.
//! Its data comes from a token endpoint (RFC 6749, 5) or a metadata server.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::session::Grant;
use crate::http::{Http, HttpError, Request, Response};
use crate::ingest::secret::Secret;

/// An access token has 2 to 4 KB, with an id token beside it.
const MAX_ANSWER: u64 = 128 * 1024;
/// Where no life is told (RFC 6749, 5.1 only recommends it).
const USUAL_LIFE: Duration = Duration::from_secs(300);

/// Sends a form. Its values may be secrets.
pub(super) fn post(http: &Http, url: &str, form: &[(&str, &str)]) -> Result<Response, HttpError> {
    // Each octet as %XX, a `=` and a `&`: a text that grows leaves copies behind, which nobody wipes.
    let room = form
        .iter()
        .map(|(name, value)| 3 * (name.len() + value.len()) + 2);
    let mut body = Serializer::new(String::with_capacity(room.sum()));
    body.extend_pairs(form);
    let body = Zeroizing::new(body.finish());
    http.send(&Request {
        method: "POST",
        url,
        headers: &[("Accept", "application/json")],
        body: Some(("application/x-www-form-urlencoded", body.as_bytes())),
        limit: MAX_ANSWER,
    })
}

/// Asks with GET, as metadata servers are asked.
pub(super) fn get(http: &Http, url: &str, headers: &[(&str, &str)]) -> Result<Response, HttpError> {
    http.send(&Request {
        method: "GET",
        url,
        headers,
        body: None,
        limit: MAX_ANSWER,
    })
}

#[derive(Deserialize)]
struct Told {
    access_token: String,
    #[serde(default)]
    expires_in: Value,
}

/// The grant in an answer. Azure's metadata server tells the life in a string.
pub(super) fn read(answer: &Response) -> Option<Grant> {
    let told: Told = serde_json::from_slice(&answer.body).ok()?;
    let seconds = match &told.expires_in {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    };
    (!told.access_token.is_empty()).then(|| Grant {
        token: Secret::new(told.access_token),
        lives: seconds.map_or(USUAL_LIFE, Duration::from_secs),
    })
}

#[derive(Default, Deserialize)]
struct Failure {
    #[cfg(feature = "gcp")]
    #[serde(default)]
    error: Value,
    #[cfg(feature = "azure")]
    #[serde(default)]
    error_codes: Vec<u64>,
}

/// The word of a refusal (RFC 6749, 5.2), if it is one: other texts may repeat what was sent.
#[cfg(feature = "gcp")]
pub(super) fn refusal(answer: &Response) -> Option<String> {
    let told: Failure = serde_json::from_slice(&answer.body).ok()?;
    let word = told.error.as_str()?;
    let fits = word.len() <= 40
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    fits.then(|| word.to_owned())
}

/// Microsoft's number of a refusal (`AADSTS…`).
#[cfg(feature = "azure")]
pub(super) fn number(answer: &Response) -> Option<u64> {
    let told: Failure = serde_json::from_slice(&answer.body).ok()?;
    told.error_codes.first().copied()
}
