//! Why a mailbox gave no answer.
//!
//! Knows each fault, a stable word, a clause and a remedy for it, and how soon it is worth another try.
//! Never holds a secret, raw bytes, or text of a mail. Its data comes from every other file here.

mod proxy;
mod words;

pub use proxy::ProxyFault;

use super::guard::Violation;
use super::text::split_code;
use super::{BearerError, Pin};

/// A fault of a mailbox connection. `at` is `host:port`. After anything but [`InboxError::Refused`] and
/// [`InboxError::NoSuchFolder`] the connection is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "`at`, `code` and `text` say the same in each variant"
)]
pub enum InboxError {
    /// No TCP connection.
    Unreachable { at: String, fault: ConnectFault },
    /// No private connection.
    Tls { at: String, fault: TlsFault },
    /// The server does not let this user in.
    LoginRefused {
        at: String,
        code: Option<String>,
        text: String,
    },
    /// There is no access token to log in with.
    NoToken { at: String, error: BearerError },
    /// The server does not take this access token; `detail` is what it says of it beside the text.
    TokenRefused {
        at: String,
        code: Option<String>,
        text: String,
        detail: Option<String>,
    },
    /// The server takes no access tokens.
    TokenNotOffered { at: String },
    /// The server says OK without proving that it knows the password, as SCRAM demands.
    ServerUnproven { at: String },
    /// The server takes no password, not even over TLS.
    LoginDisabled { at: String },
    /// User name or password cannot be sent: they hold a line end or a NUL.
    BadCredential { at: String },
    /// A command was answered NO or BAD. The connection still works.
    Refused {
        at: String,
        command: &'static str,
        status: &'static str,
        code: Option<String>,
        text: String,
    },
    /// No such folder. The connection still works.
    NoSuchFolder { at: String, folder: String },
    /// The connection is over; `bye` is what the server said, if it did.
    Disconnected { at: String, bye: Option<String> },
    /// The server's answer makes no sense: a clause about it, never its bytes.
    Protocol { at: String, what: &'static str },
    /// No answer in time.
    Timeout { at: String, phase: Phase },
    /// The server's answer is too large or too deep to be looked at.
    Limit { at: String, violation: Violation },
}

/// Why there is no TCP connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectFault {
    /// The name has no address.
    UnknownHost,
    /// The name cannot be looked up now: no DNS, for one.
    LookUpFailed,
    /// Nobody listens there.
    Refused,
    /// Nobody answers.
    TimedOut,
    /// The network has no way there, or the like.
    Failed,
    /// The proxy gave no connection.
    Proxy {
        /// Which: `socks5://HOST:PORT` or `http://HOST:PORT`.
        proxy: String,
        /// Why.
        fault: ProxyFault,
    },
}

/// Why there is no private connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// Nobody whom we trust has signed the certificate.
    Untrusted,
    /// The certificate is for another name.
    NameMismatch,
    /// The certificate is not valid yet, or no longer.
    Expired,
    /// The server does not offer STARTTLS, or wants to skip the log-in before it.
    NotOffered,
    /// The server sent something behind its answer to STARTTLS: someone may have injected it.
    Injected,
    /// The file with certificate authorities cannot be used: a clause about why.
    CaFile(String),
    /// The server's key is none of the pinned ones: the one that it showed, if it showed any.
    PinMismatch(Option<Pin>),
    /// Our certificate or its key cannot be used: a clause about why.
    ClientFile(String),
    /// The server refused our certificate, or misses one.
    ClientRefused,
    /// The handshake failed in another way.
    Handshake,
}

/// What was being waited for when time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// TCP.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Greeting, capabilities or log-in.
    Login,
    /// A command's response.
    Command(&'static str),
}

/// How a fault is to be treated by whoever tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Try again soon.
    Network,
    /// Try again slowly: the server is overloaded, or thinks that we are a nuisance.
    Throttled,
    /// The credential is refused: very few tries, or the account gets locked.
    Auth,
    /// Trying again changes nothing before someone changes something.
    Policy,
}

/// Response codes (RFC 5530, and the field's own) that mean "slow", not "broken".
const SLOW_CODES: [&str; 6] = [
    "UNAVAILABLE",
    // Dovecot's word for its own trouble, a full disk or a missing folder of its own: it passes.
    "SERVERBUG",
    "INUSE",
    "LIMIT",
    "THROTTLED",
    "OVERQUOTA",
];

impl InboxError {
    /// The stable word for machines.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { fault, .. } => fault.kind(),
            Self::Tls { fault, .. } => fault.kind(),
            Self::LoginRefused { .. } => "login_refused",
            Self::NoToken { error, .. } => error.kind,
            Self::TokenRefused { .. } => "token_refused",
            Self::TokenNotOffered { .. } => "token_not_offered",
            Self::ServerUnproven { .. } => "server_unproven",
            Self::LoginDisabled { .. } => "login_disabled",
            Self::BadCredential { .. } => "bad_credential",
            Self::Refused { .. } => "command_refused",
            Self::NoSuchFolder { .. } => "no_such_folder",
            Self::Disconnected { .. } => "disconnected",
            Self::Protocol { .. } => "protocol",
            Self::Timeout { .. } => "timeout",
            Self::Limit { .. } => "limit",
        }
    }

    /// How to treat it.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable {
                fault: ConnectFault::Proxy { fault, .. },
                ..
            } => fault.class(),
            Self::NoToken { error, .. } => error.class,
            Self::LoginRefused { code, text, .. } | Self::TokenRefused { code, text, .. }
                if is_slow(code.as_deref(), text) =>
            {
                Class::Throttled
            }
            Self::LoginRefused { .. }
            | Self::TokenRefused { .. }
            | Self::ServerUnproven { .. }
            | Self::BadCredential { .. } => Class::Auth,
            Self::Disconnected {
                bye: Some(text), ..
            } if is_slow_bye(text) => Class::Throttled,
            Self::Tls {
                fault: TlsFault::Handshake,
                ..
            } => Class::Network,
            Self::Tls { .. }
            | Self::LoginDisabled { .. }
            | Self::TokenNotOffered { .. }
            | Self::NoSuchFolder { .. } => Class::Policy,
            // who lets us in and then does not serve us may do so later
            Self::Refused { .. } => Class::Throttled,
            _ => Class::Network,
        }
    }

    /// Whether trying again, without anyone doing anything, may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.class(), Class::Network | Class::Throttled)
    }

    /// Whether the session ended with its access token: a normal event, about once an hour (Exchange:
    /// "Session invalidated - AccessTokenExpired", Gmail: "Session expired, please login again"; facts,
    /// 3.6).
    #[must_use]
    pub fn is_expiry(&self) -> bool {
        let Self::Disconnected {
            bye: Some(text), ..
        } = self
        else {
            return false;
        };
        let text = text.to_ascii_lowercase();
        [
            "accesstokenexpired",
            "session expired",
            "session invalidated",
        ]
        .iter()
        .any(|told| text.contains(told))
    }
}

impl ConnectFault {
    fn kind(&self) -> &'static str {
        match self {
            Self::UnknownHost => "unknown_host",
            Self::LookUpFailed => "lookup_failed",
            Self::Refused => "connection_refused",
            Self::TimedOut => "connect_timeout",
            Self::Failed => "unreachable",
            Self::Proxy { fault, .. } => fault.kind(),
        }
    }
}

impl TlsFault {
    fn kind(&self) -> &'static str {
        match self {
            Self::Untrusted => "certificate_untrusted",
            Self::NameMismatch => "certificate_name",
            Self::Expired => "certificate_expired",
            Self::NotOffered => "starttls_not_offered",
            Self::Injected => "starttls_injection",
            Self::CaFile(_) => "ca_file",
            Self::PinMismatch(_) => "pin_mismatch",
            Self::ClientFile(_) => "client_certificate",
            Self::ClientRefused => "client_certificate_refused",
            Self::Handshake => "tls_failed",
        }
    }
}

/// A BYE has its code in front of its text.
fn is_slow_bye(text: &str) -> bool {
    let (code, text) = split_code(text);
    is_slow(code.as_ref().map(|code| code.word.as_str()), text)
}

/// Gmail, Exchange, Dovecot and WildDuck say it in words (facts, 3.9). ALERT is no such code: Gmail says
/// with it that it wants an app password, too.
fn is_slow(code: Option<&str>, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let told = [
        "too many",
        "throttl",
        "try again later",
        "temporar",
        // Exchange: "Server Unavailable. 15", "Server Busy"
        "unavailable",
        "busy",
    ]
    .iter()
    .any(|t| text.contains(t));
    told || code.is_some_and(|code| SLOW_CODES.contains(&code))
}
