//! Mailboxes over IMAP: how to get the bytes of mails, and how to be woken when there are new ones.
//!
//! Knows one connection: transport, log-in, one folder, UIDs, IDLE. Never knows what a mail says, never
//! marks or moves one (EXAMINE and `BODY.PEEK` only), never connects again by itself, never lets a
//! refusal or a cut pass for "nothing there". Its data comes from a server that may be anyone's.
//!
//! ```text
//! tcp/TLS (transport) -> Guard (guard, announce) -> async-imap's codec -> Wire (wire: tag, OK, deadlines)
//!     -> log-in (login, authenticate, sasl) -> Session (session, folder, fetch, idle) -> UIDs, Head, bytes, Wake
//! ```
//!
//! async-imap is used as a codec only. Its convenience calls report refusals and cut connections as
//! success, and its `run_command` exists only behind its own log-in, which prints the password to the
//! `log` crate's TRACE level; so the commands are written to the stream here, and the responses are
//! read with `read_response`. The codec itself still traces what it *reads*: sftoken installs no bridge
//! from `log`, and a program that does should not let `async_imap` below DEBUG.

mod announce;
mod authenticate;
mod authorities;
mod credential;
mod error;
mod fetch;
mod folder;
mod guard;
mod idle;
mod limits;
mod login;
mod sasl;
mod session;
mod text;
mod transport;
mod wire;

pub use authorities::Authorities;
pub use credential::{BearerError, BearerFuture, BearerSource, Credential};
pub use error::{Class, ConnectFault, InboxError, Phase, TlsFault};
pub use fetch::Head;
pub use folder::Folder;
pub use guard::{Guard, Violation};
pub use idle::Wake;
pub use limits::Limits;
pub use session::{FolderState, Session};

/// Where a mailbox is, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The server's name (or address): also the name that its certificate must bear.
    pub host: String,
    /// The port: 993 for implicit TLS, 143 for STARTTLS.
    pub port: u16,
    /// How the connection becomes private.
    pub security: Security,
    /// The user name to log in with.
    pub user: String,
    /// Who may sign the server's certificate. Give endpoints clones of one value: they share what it
    /// has read.
    pub authorities: Authorities,
}

/// How a connection becomes private. There is no way to have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314 prefers it).
    ImplicitTls,
    /// TLS after the STARTTLS command, or nothing.
    StartTls,
}
