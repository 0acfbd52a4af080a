//! From a fresh connection to a server that knows us: greeting, STARTTLS, capabilities, log-in.
//!
//! Knows LOGIN and SASL PLAIN. Never sends a password before TLS, nor lets one into an error. Its data
//! comes from an [`Endpoint`](super::Endpoint) and a [`Secret`].

use std::collections::BTreeSet;

use async_imap::imap_proto::{Response, Status};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::credential::Proof;
use super::wire::{Done, Wire, capabilities_in, fold};
use super::{InboxError, Phase, TlsFault};
use crate::ingest::secret::Secret;

/// What a server says it can do, in upper case.
#[derive(Clone, Debug, Default)]
pub(super) struct Capabilities(BTreeSet<String>);

impl Capabilities {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// How a server greets.
pub(super) enum Greeting {
    /// Log in, please. With capabilities, if it told them.
    Ok(Option<Capabilities>),
    /// We are known already (RFC 9051, 7.1.4).
    Preauth,
}

/// Reads the greeting. A BYE is an error, as anywhere.
pub(super) async fn greeting(wire: &mut Wire) -> Result<Greeting, InboxError> {
    let deadline = wire.deadline(wire.limits.login);
    let read = wire.receive(|response| match response {
        Response::Data {
            status: Status::Ok,
            outcome,
        } => Some(Greeting::Ok(capabilities_in(outcome).map(collect))),
        Response::Data {
            status: Status::PreAuth,
            ..
        } => Some(Greeting::Preauth),
        _ => None,
    });
    match tokio::time::timeout_at(deadline, read).await {
        Ok(greeting) => {
            greeting?.ok_or_else(|| wire.protocol("the server does not greet as an IMAP server"))
        }
        Err(_) => Err(wire.timeout(Phase::Login)),
    }
}

/// Asks for TLS. After it, everything that was said before is void (RFC 9051, 6.2.1).
pub(super) async fn starttls(wire: &mut Wire) -> Result<(), InboxError> {
    let fault = |at: &str| InboxError::Tls {
        at: at.to_owned(),
        fault: TlsFault::NotOffered,
    };
    match greeting(wire).await? {
        Greeting::Ok(_) => {}
        // who skips the log-in skips STARTTLS with it: a known way to keep a connection in the clear
        Greeting::Preauth => return Err(fault(&wire.at)),
    }
    match wire.command("STARTTLS", &[], |_| ()).await {
        Ok(_) => Ok(()),
        Err(InboxError::Refused { at, .. }) => Err(fault(&at)),
        Err(error) => Err(error),
    }
}

/// Logs in; gives what the server can do afterwards. Servers show more to those they know (iCloud's proxy
/// hides even IDLE before), so an older answer is never kept.
pub(super) async fn log_in(
    wire: &mut Wire,
    greeting: Greeting,
    user: &str,
    proof: &Proof,
) -> Result<Capabilities, InboxError> {
    let done = match greeting {
        Greeting::Preauth => Done::default(),
        Greeting::Ok(known) => {
            let before = match known {
                Some(known) => known,
                None => capabilities(wire).await?,
            };
            match proof {
                Proof::Password(password) => authenticate(wire, &before, user, password).await?,
                Proof::Bearer(..) => {
                    return Err(InboxError::TokenNotOffered {
                        at: wire.at.clone(),
                    });
                }
            }
        }
    };
    match done.capabilities {
        Some(list) => Ok(collect(list)),
        None => capabilities(wire).await,
    }
}

/// Asks what the server can do.
async fn capabilities(wire: &mut Wire) -> Result<Capabilities, InboxError> {
    let mut list = Vec::new();
    wire.command("CAPABILITY", &[], |response| {
        if let Response::Capabilities(told) = response {
            list.extend(told.iter().map(fold));
        }
    })
    .await?;
    Ok(collect(list))
}

fn collect(list: Vec<String>) -> Capabilities {
    Capabilities(list.into_iter().collect())
}

/// PLAIN where the server has it, because it carries any character; LOGIN elsewhere.
async fn authenticate(
    wire: &mut Wire,
    known: &Capabilities,
    user: &str,
    password: &Secret,
) -> Result<Done, InboxError> {
    if [user, password.expose()]
        .iter()
        .any(|text| text.contains(['\r', '\n', '\0']))
    {
        return Err(InboxError::BadCredential {
            at: wire.at.clone(),
        });
    }
    if known.has("AUTH=PLAIN") {
        let answer = Zeroizing::new(
            STANDARD.encode(Zeroizing::new(format!("\0{user}\0{}", password.expose())).as_bytes()),
        );
        let result = plain(wire, known.has("SASL-IR"), &answer).await;
        return result.map_err(|error| refused(error, &[password.expose(), answer.as_str()]));
    }
    if known.has("LOGINDISABLED") {
        return Err(InboxError::LoginDisabled {
            at: wire.at.clone(),
        });
    }
    login(wire, user, password)
        .await
        .map_err(|error| refused(error, &[password.expose()]))
}

/// SASL PLAIN (RFC 4616), at once where the server takes an initial response (RFC 4959).
async fn plain(wire: &mut Wire, at_once: bool, answer: &str) -> Result<Done, InboxError> {
    if at_once {
        let line = Zeroizing::new(format!("AUTHENTICATE PLAIN {answer}"));
        return wire.command("AUTHENTICATE", &[&line], |_| ()).await;
    }
    wire.command("AUTHENTICATE", &["AUTHENTICATE PLAIN", answer], |_| ())
        .await
}

/// LOGIN, with quoted strings; what a quoted string cannot hold (RFC 9051: anything beyond ASCII) goes as
/// a literal, for which the server is asked.
async fn login(wire: &mut Wire, user: &str, password: &Secret) -> Result<Done, InboxError> {
    let mut parts = vec![Zeroizing::new("LOGIN".to_owned())];
    for text in [user, password.expose()] {
        let literal = !text.is_ascii() || text.bytes().any(|b| b.is_ascii_control());
        let Some(line) = parts.last_mut() else { break };
        if literal {
            line.push_str(&format!(" {{{}}}", text.len()));
            parts.push(Zeroizing::new(text.to_owned()));
        } else {
            let quoted = Zeroizing::new(super::folder::quoted(text));
            *line = Zeroizing::new(format!("{} {}", line.as_str(), quoted.as_str()));
        }
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
    wire.command("LOGIN", &parts, |_| ()).await
}

/// A refusal in the log-in is a refusal of the log-in. Servers have been seen to echo the command
/// line: a text with a secret in it is dropped.
fn refused(error: InboxError, secrets: &[&str]) -> InboxError {
    let InboxError::Refused { at, code, text, .. } = error else {
        return error;
    };
    let echoes = secrets
        .iter()
        .any(|secret| !secret.is_empty() && text.contains(secret));
    let text = if echoes { String::new() } else { text };
    InboxError::LoginRefused { at, code, text }
}
