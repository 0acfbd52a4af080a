//! Access tokens that a store's cloud gives for a while.
//!
//! Knows forms, answers, and when a token must be got anew. Never keeps what it was got with, nor shows an answer.
//! Its data comes from a token endpoint (RFC 6749, 5) or a metadata server.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::StoreError;
use crate::http::{Http, HttpError, Request, Response};
use crate::ingest::secret::Secret;

/// An access token has 2 to 4 KB, with an id token beside it.
const MAX_ANSWER: u64 = 128 * 1024;
/// Where no life is told (RFC 6749, 5.1 only recommends it).
const USUAL_LIFE: Duration = Duration::from_secs(300);

/// A token, and how long it lives.
pub(super) struct Grant {
    pub(super) token: Secret,
    pub(super) lives: Duration,
}

/// A token for one request.
pub(super) struct Granted {
    pub(super) token: Secret,
    /// It was got just now: asking again would give no better one.
    pub(super) is_fresh: bool,
}

/// The token in hand.
#[derive(Debug, Default)]
pub(super) struct Session(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    token: Secret,
    until: Instant,
}

impl Session {
    /// A token that holds, as far as is known: the one in hand, or another.
    pub(super) fn token(
        &self,
        get: impl FnOnce() -> Result<Grant, StoreError>,
    ) -> Result<Granted, StoreError> {
        let mut kept = self.kept();
        let now = Instant::now();
        if let Some(held) = kept.as_ref().filter(|held| now < held.until) {
            let (token, is_fresh) = (held.token.clone(), false);
            return Ok(Granted { token, is_fresh });
        }
        let Grant { token, lives } = get()?;
        // A tenth of its life is left for the request that it is used for.
        let until = now + lives.mul_f32(0.9);
        *kept = Some(Kept {
            token: token.clone(),
            until,
        });
        let is_fresh = true;
        Ok(Granted { token, is_fresh })
    }

    /// The token does not hold any more.
    pub(super) fn forget(&self) {
        *self.kept() = None;
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
