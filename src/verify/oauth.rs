//! OAuth's username-password flow, as Salesforce has it.
//!
//! Knows its form, and the answers that Salesforce documents. Never asks for more than a token for this moment, and has it
//! revoked. Its data comes from Salesforce, or whoever answers in its place.

use serde::Deserialize;
use url::Url;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::doubt::{of_status, unanswered};
use super::refusal::of_oauth;
use super::{Cause, Failed, Http, LogIn, LoggedIn, Session, plain_code};
use crate::http::{Request, Response};
use crate::ingest::secret::{Secret, append};
use crate::ingest::token::Token;

/// Some 1 KB; an id token may come with it.
const MAX_ANSWER: u64 = 64 * 1024;
/// The longest form of one byte: `%7E`
const LONGEST: usize = 3;

/// One value, in pieces that belong together.
type Part<'p> = (&'static str, &'p [&'p str]);

/// Asks, once.
pub(super) fn log_in(
    to: &LogIn,
    client_id: &str,
    client_secret: Option<&Secret>,
    username: &str,
    password: &Secret,
    token: &Token,
) -> Result<Session, Failed> {
    let secrets = [password.expose(), token.expose()];
    let app_secret = client_secret.map(|secret| [secret.expose()]);
    let (id, name) = ([client_id], [username]);
    let mut parts: Vec<Part<'_>> = vec![
        ("grant_type", &["password"]),
        ("client_id", &id),
        ("username", &name),
        ("password", &secrets),
    ];
    if let Some(secret) = &app_secret {
        parts.push(("client_secret", secret));
    }
    let url = format!("{}/services/oauth2/token", to.endpoint);
    let response = send(&to.http, &url, &form(&parts));
    let response = response.map_err(|(cause, sent)| Failed::Unknown(cause, sent))?;
    judged(&response, secrets)
}

/// Ends a session. The clause is for the log.
pub(super) fn revoke(http: &Http, url: &str, session: &Secret) -> Result<(), String> {
    let http = http.within(super::TIME_TO_END);
    let body = form(&[("token", &[session.expose()])]);
    match send(&http, url, &body) {
        Ok(response) if response.status == 200 => Ok(()),
        Ok(response) => Err(format!("HTTP {}", response.status)),
        Err((cause, _)) => Err(cause.to_string()),
    }
}

fn send(http: &Http, url: &str, body: &str) -> Result<Response, (Cause, bool)> {
    let request = Request {
        method: "POST",
        url,
        headers: &[("Accept", "application/json")],
        body: Some(("application/x-www-form-urlencoded", body.as_bytes())),
        limit: MAX_ANSWER,
    };
    http.send(&request).map_err(|error| unanswered(&error))
}

/// A form, in memory that never grows.
pub(super) fn form(parts: &[Part<'_>]) -> Zeroizing<String> {
    let pieces = parts.iter().map(|(name, pieces)| {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        name.len() + LONGEST * length + 2
    });
    let mut form = Zeroizing::new(String::with_capacity(pieces.sum()));
    for (name, pieces) in parts {
        if !form.is_empty() {
            append(&mut form, "&");
        }
        append(&mut form, name);
        append(&mut form, "=");
        for piece in *pieces {
            byte_serialize(piece.as_bytes()).for_each(|text| append(&mut form, text));
        }
    }
    form
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// `https://login.salesforce.com/id/ORGANIZATION/USER`
    id: Option<String>,
    instance_url: Option<String>,
}

#[derive(Deserialize)]
struct Denied {
    error: String,
    #[serde(default)]
    error_description: String,
}

fn judged(response: &Response, secrets: [&str; 2]) -> Result<Session, Failed> {
    let unknown = |cause| Err(Failed::Unknown(cause, true));
    let unread = unknown(of_status(response.status));
    match response.status {
        200 => serde_json::from_slice(&response.body)
            .ok()
            .and_then(session)
            .map_or(unread, Ok),
        400..=499 => match serde_json::from_slice::<Denied>(&response.body) {
            Ok(denied) => {
                let code = plain_code(&denied.error, secrets);
                Err(of_oauth(&code, &denied.error_description))
            }
            Err(_) => unread,
        },
        _ => unread,
    }
}

fn session(granted: Granted) -> Option<Session> {
    let secret = Secret::new(granted.access_token);
    if secret.expose().is_empty() {
        return None;
    }
    let identity = granted.id.as_deref().and_then(|id| Url::parse(id).ok());
    let mut last = identity.iter().flat_map(Url::path_segments).flatten().rev();
    let (user, organization) = (last.next(), last.next());
    let instance = granted.instance_url.as_deref();
    let instance = instance.map(|url| url.trim_end_matches('/'));
    Some(Session {
        about: LoggedIn {
            organization_id: organization.and_then(super::id),
            user_id: user.and_then(super::id),
            server_host: instance.and_then(super::host),
        },
        secret,
        url: instance.map(|url| format!("{url}/services/oauth2/revoke")),
        password_expired: false,
    })
}
