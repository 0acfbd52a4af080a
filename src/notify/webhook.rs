//! A webhook: an event, posted and signed as Standard Webhooks wants it.
//!
//! Knows the signature and what an answer means. Never follows a redirect, never speaks in the clear but to this very machine, and
//! shows of the URL no more than the host: its path may be a secret. URL and signing secret come from the user, the time
//! is an argument.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use ring::hmac;
use url::Url;
use zeroize::Zeroizing;

use super::error::{NotifyError, NotifyErrorKind as Kind};
use super::event::Event;
use super::retry::LONGEST_PAUSE;
use crate::http::{Clear, Fault, Http, HttpError, Request, Response, Target};
use crate::ingest::secret::Secret;

/// The specification wants 15 to 30 s.
pub const DEADLINE: Duration = Duration::from_secs(15);
/// What is read of an answer; nothing is made of it.
const MAX_ANSWER: u64 = 1024 * 1024;
/// What a secret in base64 begins with.
const IN_BASE64: &str = "whsec_";

/// Where events are posted.
#[derive(Debug)]
pub struct Webhook {
    url: Secret,
    host: String,
    key: Option<Key>,
    http: Http,
}

/// What events are signed with.
struct Key(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(redacted)")
    }
}

impl Webhook {
    /// A webhook. `secret` is `whsec_` and base64, or any other text as it is; without one, events are not signed.
    ///
    /// # Errors
    /// When the URL is not one of HTTPS (HTTP, of this machine), or the secret is none.
    pub fn new(url: &Secret, secret: Option<&Secret>, http: &Http) -> Result<Self, NotifyError> {
        let (url, host) = place(url)?;
        let key = secret.map(|secret| key(&host, secret)).transpose()?;
        Ok(Self {
            url,
            host,
            key,
            http: http.within(DEADLINE),
        })
    }

    /// With another deadline than [`DEADLINE`].
    #[must_use]
    pub fn within(self, deadline: Duration) -> Self {
        Self {
            http: self.http.within(deadline),
            ..self
        }
    }

    /// The host, for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.host
    }

    /// Posts an event once. `now` is the time of this try. Blocks, no longer than the deadline.
    ///
    /// # Errors
    /// When nobody answers, or the answer is not one of success.
    pub fn send(&self, event: &Event, now: Timestamp) -> Result<(), NotifyError> {
        let body = event.json().map_err(|error| {
            let problem = format!("the event cannot be written as JSON: {error}");
            self.lasting(
                Kind::Misconfigured,
                problem,
                "report this as a fault of sftoken",
            )
        })?;
        let time = now.as_second().to_string();
        let signature = self
            .key
            .as_ref()
            .map(|key| key.sign(event.id(), &time, &body));
        let mut headers = vec![
            ("Accept", "*/*"),
            ("webhook-id", event.id()),
            ("webhook-timestamp", &time),
        ];
        headers.extend(signature.as_deref().map(|text| ("webhook-signature", text)));
        let request = Request {
            method: "POST",
            url: self.url.expose(),
            headers: &headers,
            body: Some(("application/json", &body)),
            limit: MAX_ANSWER,
        };
        match self.http.send(&request) {
            Ok(answer) => self.judge(&answer, now),
            Err(error) => Err(unanswered(&self.host, error)),
        }
    }

    fn judge(&self, answer: &Response, now: Timestamp) -> Result<(), NotifyError> {
        let status = answer.status;
        let (kind, what, hint) = match status {
            200..=299 => return Ok(()),
            300..=399 => (
                Kind::Misconfigured,
                "the answer leads elsewhere, and is not followed",
                "write the URL to which it leads",
            ),
            410 => (
                Kind::Refused,
                "the receiver is gone for good",
                "write another URL, or remove the webhook",
            ),
            401 | 403 => (
                Kind::Refused,
                "the receiver does not take it",
                "check the URL, the signing secret on both sides, and both clocks",
            ),
            408 | 425 | 429 => return Err(self.busy(answer, now)),
            400..=499 => (
                Kind::Refused,
                "the receiver does not take it",
                "check the URL; a chat's webhook wants a body of its own: use a hook",
            ),
            _ => return Err(self.busy(answer, now)),
        };
        Err(self.lasting(kind, format!("{what} (HTTP {status})"), hint))
    }

    fn busy(&self, answer: &Response, now: Timestamp) -> NotifyError {
        let problem = format!("the receiver cannot take it now (HTTP {})", answer.status);
        let hint = "it will be tried again; see the receiver's log if it stays so";
        let wait = answer
            .header("retry-after")
            .and_then(|text| pause(text, now));
        NotifyError {
            wait,
            ..NotifyError::passing(&self.host, Kind::TryAgain, problem, hint)
        }
    }

    fn lasting(&self, kind: Kind, problem: String, hint: &'static str) -> NotifyError {
        NotifyError::lasting(&self.host, kind, problem, hint)
    }
}

impl Key {
    /// `v1,` and the HMAC of id, time and body, in base64.
    fn sign(&self, id: &str, time: &str, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut signed = hmac::Context::with_key(&key);
        for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
            signed.update(part);
        }
        format!("v1,{}", STANDARD.encode(signed.sign()))
    }
}

/// The URL as it is sent, and its host. No error shows the URL.
fn place(url: &Secret) -> Result<(Secret, String), NotifyError> {
    let wrong = |problem: &str| {
        let hint = "write it as https://HOST/PATH, or where it stands";
        NotifyError::lasting("webhook", Kind::Misconfigured, problem, hint)
    };
    let mut parsed = Url::parse(url.expose().trim())
        .map_err(|_| wrong("the webhook's URL is none (it is not shown here)"))?;
    if parsed.password().is_some() || !parsed.username().is_empty() {
        return Err(wrong("the webhook's URL holds a log-in, which is not sent"));
    }
    parsed.set_fragment(None);
    let host = Target::parse(parsed.as_str(), Clear::default())
        .map_err(|_| wrong("the webhook's URL is not one of HTTPS"))?
        .host;
    Ok((Secret::new(parsed.into()), host))
}

fn key(host: &str, secret: &Secret) -> Result<Key, NotifyError> {
    let hint = "write whsec_ and base64, as the receiver shows it, or any other text of 24 letters or more";
    let wrong = |problem| NotifyError::lasting(host, Kind::Misconfigured, problem, hint);
    let text = secret.expose().trim();
    let bytes = match text.strip_prefix(IN_BASE64) {
        Some(text) => STANDARD
            .decode(text)
            .map_err(|_| wrong("the signing secret is no base64 behind whsec_"))?,
        None => text.as_bytes().to_vec(),
    };
    match bytes.is_empty() {
        true => Err(wrong("the signing secret is empty")),
        false => Ok(Key(Zeroizing::new(bytes))),
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3); bounded.
fn pause(text: &str, now: Timestamp) -> Option<Duration> {
    let seconds = match text.trim().parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let then = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            u64::try_from(then.duration_since(now).as_secs()).unwrap_or_default()
        }
    };
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

fn unanswered(receiver: &str, HttpError { fault, .. }: HttpError) -> NotifyError {
    let network = "it will be tried again; check the network, and HTTPS_PROXY if there is one";
    let (kind, what, hint) = match fault {
        Fault::NotHttps => {
            let problem = "the webhook's URL is not one of HTTPS";
            let hint = "write it as https://HOST/PATH";
            return NotifyError::lasting(receiver, Kind::Misconfigured, problem, hint);
        }
        Fault::Authorities(path, what) => {
            let problem = format!("the file of authorities {} {what}", path.display());
            let hint = "give a readable PEM file";
            return NotifyError::lasting(receiver, Kind::Misconfigured, problem, hint);
        }
        Fault::Timeout => (Kind::Timeout, "no answer in time", network),
        Fault::NoAddress => (
            Kind::Unreachable,
            "the host name has no address",
            "check the host in the webhook's URL, and this machine's DNS",
        ),
        Fault::ConnectionRefused => (Kind::Unreachable, "the connection was refused", network),
        Fault::ConnectionFailed => (Kind::Unreachable, "the connection broke", network),
        Fault::NoWay => (Kind::Unreachable, "there is no way to connect", network),
        Fault::Untrusted => (
            Kind::Untrusted,
            "the certificate is not trusted",
            "if the receiver has a private certificate authority, name its file (webhook_ca_file); check this machine's clock",
        ),
        Fault::Handshake => (Kind::Unreachable, "the TLS handshake failed", network),
        Fault::TooLarge => (
            Kind::TryAgain,
            "the answer is too large",
            "check the URL: a webhook answers with a few bytes",
        ),
        Fault::NoHttp => (
            Kind::Unreachable,
            "the answer is no HTTP",
            "check the host and the port in the webhook's URL",
        ),
    };
    NotifyError::passing(receiver, kind, what, hint)
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
