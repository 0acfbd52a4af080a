//! Mailboxes over IMAP: how to get the bytes of mails, and how to be woken when there are new ones.
//!
//! Knows one connection: transport, log-in, folders, UIDs, IDLE. Never knows what a mail says, never
//! marks or moves one unless it is asked to (EXAMINE and `BODY.PEEK` otherwise), never connects again by
//! itself, never lets a refusal or a cut pass for "nothing there". Its data comes from a server that may
//! be anyone's.
//!
//! ```text
//! address, proxy, TLS (transport, dial, proxy, tls) -> Guard (guard, announce) -> async-imap's codec -> Wire (wire: tag, OK, deadlines)
//!     -> log-in (login, authenticate, sasl) -> Session (open, folder, fetch, idle, notify, change) -> UIDs, Head, bytes, Wake
//! ```
//!
//! async-imap is used as a codec only. Its convenience calls report refusals and cut connections as
//! success, and its `run_command` exists only behind its own log-in, which prints the password to the
//! `log` crate's TRACE level; so the commands are written to the stream here, and the responses are
//! read with `read_response`. The codec itself traces what it *reads*, bodies included: the feature `imap`
//! takes `log`'s TRACE records out of the whole program when it is built (`Cargo.toml`).

mod announce;
mod authenticate;
mod change;
mod connector;
mod credential;
mod dial;
mod error;
mod fetch;
mod folder;
mod guard;
mod idle;
mod limits;
mod login;
mod notify;
mod open;
mod outcome;
mod pin;
mod proxy;
mod rev2;
mod sasl;
mod session;
mod text;
mod tls;
mod tls_fault;
mod told;
mod transport;
mod wire;

pub use change::{Flags, Removed, Stored};
pub use connector::{Connecting, Connector, Server};
pub use credential::{BearerError, BearerFuture, BearerSource, Credential};
pub use error::{Class, ConnectFault, InboxError, Phase, ProxyFault, TlsFault};
pub use fetch::Head;
pub use folder::Folder;
pub use guard::{Guard, Violation};
pub use idle::Wake;
pub use limits::Limits;
pub use notify::News;
pub use open::{Access, FolderState};
pub use pin::Pin;
pub use proxy::{Proxy, ProxyKind, ProxyLogin};
pub use session::Session;
pub use tls::{ClientIdentity, TlsSetup};

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
    /// By what the server is recognised, and who we are to it. Give endpoints clones of one value: they
    /// share what it has read.
    pub tls: TlsSetup,
    /// The way there, if it is not the direct one.
    pub proxy: Option<Proxy>,
}

impl Endpoint {
    /// `HOST:PORT`, an IPv6 address in brackets: how errors name it.
    #[must_use]
    pub fn at(&self) -> String {
        proxy::authority(&self.host, self.port)
    }
}

/// How a connection becomes private. There is no way to have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314 prefers it).
    ImplicitTls,
    /// TLS after the STARTTLS command, or nothing.
    StartTls,
}
