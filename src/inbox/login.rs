//! From a fresh connection to a server that knows us: greeting, STARTTLS, capabilities, log-in.
//!
//! Knows the order of these, and that a server shows more to those it knows. Never logs in before TLS, and
//! never sees a secret: [`authenticate`](super::authenticate) does. Its data comes from an
//! [`Endpoint`](super::Endpoint) and the server.

use super::authenticate::authenticate;
use super::credential::Proof;
use super::outcome::{capabilities_in, fold};
use super::wire::{Done, Wire};
use super::{InboxError, Phase, TlsFault, rev2};
use async_imap::imap_proto::{Response, Status};

/// What a server says it can do, as far as anybody here asks: a connection keeps two bytes of the forty names
/// that a server tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Capabilities(u16);

/// Every capability that is asked about, in upper case.
const ASKED: [&str; 13] = [
    "AUTH=OAUTHBEARER",
    "AUTH=PLAIN",
    "AUTH=SCRAM-SHA-256",
    "AUTH=XOAUTH2",
    "CONDSTORE",
    "IDLE",
    "LOGINDISABLED",
    "MOVE",
    "NOTIFY",
    "QRESYNC",
    "SASL-IR",
    "SPECIAL-USE",
    "UIDPLUS",
];

impl Capabilities {
    /// Whether the server told this one, which must be among those that are asked about.
    pub(super) fn has(self, name: &str) -> bool {
        debug_assert!(ASKED.contains(&name), "{name} is not kept");
        self.0 & bit(name) != 0
    }

    /// With what a server that speaks IMAP4rev2 only need not tell.
    fn with_built_in(mut self, wire: &Wire) -> Self {
        if wire.is_rev2_only() {
            self.0 |= rev2::BUILT_IN.iter().fold(0, |all, name| all | bit(name));
        }
        self
    }
}

/// The place of a capability; none for one that nobody asks about.
fn bit(name: &str) -> u16 {
    let at = ASKED.iter().position(|asked| *asked == name);
    at.map_or(0, |at| 1 << at)
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
            authenticate(wire, before.with_built_in(wire), user, proof).await?
        }
    };
    let after = match done.capabilities {
        Some(list) => collect(list),
        None => capabilities(wire).await?,
    };
    Ok(after.with_built_in(wire))
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
    let all = list.iter().fold(0, |all, name| all | bit(name));
    Capabilities(all)
}
