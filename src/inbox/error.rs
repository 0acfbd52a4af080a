//! Why a mailbox gave no answer.
//!
//! Knows each fault, a stable word, a clause and a remedy for it, and how soon it is worth another try.
//! Never holds a secret, raw bytes, or text of a mail. Its data comes from every other file here.

use std::fmt;

use super::guard::Violation;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectFault {
    /// The name has no address, or cannot be looked up.
    UnknownHost,
    /// Nobody listens there.
    Refused,
    /// Nobody answers.
    TimedOut,
    /// The network has no way there, or the like.
    Failed,
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
    "INUSE",
    "LIMIT",
    "THROTTLED",
    "ALERT",
    "OVERQUOTA",
];

impl InboxError {
    /// The stable word for machines.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable {
                fault: ConnectFault::UnknownHost,
                ..
            } => "unknown_host",
            Self::Unreachable {
                fault: ConnectFault::Refused,
                ..
            } => "connection_refused",
            Self::Unreachable {
                fault: ConnectFault::TimedOut,
                ..
            } => "connect_timeout",
            Self::Unreachable {
                fault: ConnectFault::Failed,
                ..
            } => "unreachable",
            Self::Tls {
                fault: TlsFault::Untrusted,
                ..
            } => "certificate_untrusted",
            Self::Tls {
                fault: TlsFault::NameMismatch,
                ..
            } => "certificate_name",
            Self::Tls {
                fault: TlsFault::Expired,
                ..
            } => "certificate_expired",
            Self::Tls {
                fault: TlsFault::NotOffered,
                ..
            } => "starttls_not_offered",
            Self::Tls {
                fault: TlsFault::Injected,
                ..
            } => "starttls_injection",
            Self::Tls {
                fault: TlsFault::CaFile(_),
                ..
            } => "ca_file",
            Self::Tls {
                fault: TlsFault::Handshake,
                ..
            } => "tls_failed",
            Self::LoginRefused { .. } => "login_refused",
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
            Self::LoginRefused { code, text, .. } if is_slow(code.as_deref(), text) => {
                Class::Throttled
            }
            Self::LoginRefused { .. } | Self::BadCredential { .. } => Class::Auth,
            Self::Refused { code, text, .. } if is_slow(code.as_deref(), text) => Class::Throttled,
            Self::Disconnected {
                bye: Some(text), ..
            } if is_slow(None, text) => Class::Throttled,
            Self::Tls {
                fault: TlsFault::Handshake,
                ..
            } => Class::Network,
            Self::Tls { .. } | Self::LoginDisabled { .. } | Self::NoSuchFolder { .. } => {
                Class::Policy
            }
            Self::Refused { .. } => Class::Policy,
            _ => Class::Network,
        }
    }

    /// Whether trying again, without anyone doing anything, may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.class(), Class::Network | Class::Throttled)
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable {
                fault: ConnectFault::UnknownHost,
                ..
            } => "check the host name in the mailbox URL, and this machine's DNS",
            Self::Unreachable {
                fault: ConnectFault::Refused,
                ..
            } => {
                "check the port (993 for imaps, 143 for STARTTLS), and whether IMAP is switched on"
            }
            Self::Unreachable { .. } => {
                "check the network and any firewall between here and the mail server"
            }
            Self::Tls { fault, .. } => fault.hint(),
            Self::LoginRefused { .. } if self.class() == Class::Throttled => {
                "the server asks to slow down: close other connections to this mailbox, or wait"
            }
            Self::LoginRefused { .. } => {
                "check user name and password; many providers want an app password, and IMAP switched on in their settings"
            }
            Self::LoginDisabled { .. } => {
                "the server takes no passwords: see its manual for what it takes"
            }
            Self::BadCredential { .. } => {
                "check where the password comes from: a trailing line end is easily stored with it"
            }
            Self::Refused { text, .. } if is_not_connected(text) => {
                "Exchange let the user in but has no mailbox for it: check licence, IMAP access, the service principal's permission, and that the user name is the mailbox's own"
            }
            Self::Refused { .. } => "see the server's text; its log may say more",
            Self::NoSuchFolder { .. } => {
                "check the folder's name: `\\Junk` and the like are understood, other names are as the server lists them"
            }
            Self::Disconnected { .. } | Self::Timeout { .. } => {
                "nothing to do if it passes; otherwise check the network and the server's connection limits"
            }
            Self::Protocol { .. } => {
                "check that host and port are those of an IMAP server; if they are, report it"
            }
            Self::Limit { .. } => {
                "no IMAP server needs such responses for what sftoken asks: check that it is the right one"
            }
        }
    }
}

impl TlsFault {
    fn hint(&self) -> &'static str {
        match self {
            Self::Untrusted => {
                "if the server has a private certificate authority, give its certificate with ca_file"
            }
            Self::NameMismatch => "use the host name that the certificate bears",
            Self::Expired => {
                "check this machine's clock; if it is right, the server's certificate must be renewed"
            }
            Self::NotOffered => "use implicit TLS (imaps://, port 993)",
            Self::Injected => {
                "someone may be tampering with the connection: use implicit TLS (imaps://, port 993)"
            }
            Self::CaFile(_) => "give a readable PEM file",
            Self::Handshake => {
                "check that the port is for TLS from the start (993) or for STARTTLS (143), as configured"
            }
        }
    }
}

/// Gmail, Exchange, Dovecot and WildDuck say it in words (facts, 3.9).
fn is_slow(code: Option<&str>, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let told = ["too many", "throttl", "try again later", "temporar"]
        .iter()
        .any(|t| text.contains(t));
    told || code.is_some_and(|code| SLOW_CODES.contains(&code))
}

/// Exchange Online after a good log-in (facts, 3.7).
fn is_not_connected(text: &str) -> bool {
    text.contains("authenticated but not connected")
}

impl fmt::Display for InboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { at, fault } => write!(f, "{at}: {fault}"),
            Self::Tls { at, fault } => write!(f, "{at}: {fault}"),
            Self::LoginRefused { at, code, text } => {
                write!(
                    f,
                    "{at} refused the log-in{}",
                    Said {
                        code: code.as_deref(),
                        text
                    }
                )
            }
            Self::LoginDisabled { at } => write!(f, "{at} offers no log-in with a password"),
            Self::BadCredential { at } => write!(
                f,
                "the user name or password for {at} holds a line end or a NUL"
            ),
            Self::Refused {
                at,
                command,
                status,
                code,
                text,
            } => {
                write!(
                    f,
                    "{at} answered {command} with {status}{}",
                    Said {
                        code: code.as_deref(),
                        text
                    }
                )
            }
            Self::NoSuchFolder { at, folder } => write!(f, "{at} has no folder {folder}"),
            Self::Disconnected { at, bye: None } => write!(f, "{at} closed the connection"),
            Self::Disconnected {
                at,
                bye: Some(text),
            } => {
                write!(f, "{at} closed the connection{}", Said { code: None, text })
            }
            Self::Protocol { at, what } => write!(f, "{at}: {what}"),
            Self::Timeout { at, phase } => write!(f, "{at} did not answer in time {phase}"),
            Self::Limit { at, violation } => write!(f, "{at}: {violation}"),
        }
    }
}

impl std::error::Error for InboxError {}

/// What a server said, behind a clause.
struct Said<'a> {
    code: Option<&'a str>,
    text: &'a str,
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.text) {
            (None, "") => Ok(()),
            (None, text) => write!(f, ": {text}"),
            (Some(code), "") => write!(f, ": [{code}]"),
            (Some(code), text) => write!(f, ": [{code}] {text}"),
        }
    }
}

impl fmt::Display for ConnectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownHost => "the host name has no address",
            Self::Refused => "the connection was refused",
            Self::TimedOut => "nobody answered in time",
            Self::Failed => "there is no way to connect",
        })
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untrusted => f.write_str("the server's certificate is not trusted"),
            Self::NameMismatch => f.write_str("the server's certificate is for another name"),
            Self::Expired => f.write_str("the server's certificate is not valid at this time"),
            Self::NotOffered => f.write_str("the server does not offer STARTTLS"),
            Self::Injected => f.write_str("the server sent more than its answer to STARTTLS"),
            Self::CaFile(why) => write!(f, "ca_file: {why}"),
            Self::Handshake => f.write_str("the TLS handshake failed"),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("while connecting"),
            Self::Tls => f.write_str("in the TLS handshake"),
            Self::Login => f.write_str("in the log-in"),
            Self::Command(command) => write!(f, "to {command}"),
        }
    }
}
