//! Why a proxy gave no connection.
//!
//! Knows each fault, its word, clause and remedy. Never holds what a proxy said: only its kind. Its data
//! comes from [`proxy`](crate::inbox::Proxy).

use std::fmt;

use super::{Class, ConnectFault};

/// Why a proxy gave no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyFault {
    /// The proxy itself cannot be reached.
    Unreachable(Box<ConnectFault>),
    /// It did not answer in time; perhaps the server did not answer it.
    TimedOut,
    /// It closed the connection.
    Closed,
    /// It does not answer as a proxy of its kind.
    Protocol,
    /// It said more than its answer.
    Injected,
    /// It wants a user and a password.
    LoginNeeded,
    /// It refused user or password.
    LoginRefused,
    /// User or password cannot be sent to a proxy of its kind.
    LoginUnfit,
    /// Its rules forbid the connection.
    Forbidden,
    /// It cannot reach the server, or does not know its name.
    CannotConnect,
    /// It answered with this HTTP status.
    Status(u16),
}

impl ProxyFault {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "proxy_unreachable",
            Self::TimedOut => "proxy_timeout",
            Self::Closed => "proxy_closed",
            Self::Protocol => "proxy_protocol",
            Self::Injected => "proxy_injection",
            Self::LoginNeeded => "proxy_login_needed",
            Self::LoginRefused => "proxy_login_refused",
            Self::LoginUnfit => "proxy_bad_credential",
            Self::Forbidden => "proxy_forbidden",
            Self::CannotConnect => "proxy_cannot_connect",
            Self::Status(_) => "proxy_refused",
        }
    }

    /// A company's proxy often knows the password of everything else: few tries, as with a mailbox.
    pub(super) fn class(&self) -> Class {
        match self {
            Self::LoginRefused => Class::Auth,
            Self::LoginNeeded | Self::LoginUnfit | Self::Forbidden => Class::Policy,
            _ => Class::Network,
        }
    }

    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "check host and port of `proxy`, and that it is running",
            Self::TimedOut | Self::CannotConnect => {
                "check the mail server's name and port, which the proxy looks up and connects to, and that `proxy` names the right kind"
            }
            Self::Closed | Self::Protocol => {
                "check that `proxy` names the right kind, socks5:// or http://, and its port"
            }
            Self::Injected => {
                "something between here and the mail server answers in its place: a log-in page, perhaps"
            }
            Self::LoginNeeded => "write a USER into `proxy`, and give proxy_password",
            Self::LoginRefused => "check the USER in `proxy`, and proxy_password",
            Self::LoginUnfit => {
                "SOCKS5 takes 1 to 255 bytes for each of user and password, HTTP no control characters and no colon in the user"
            }
            Self::Forbidden => {
                "the proxy's administrator must allow connections to the mail server's port"
            }
            Self::Status(_) => "see the proxy's log",
        }
    }
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(fault) => write!(f, "cannot be reached: {fault}"),
            Self::TimedOut => f.write_str("did not answer in time"),
            Self::Closed => f.write_str("closed the connection"),
            Self::Protocol => f.write_str("does not answer as such a proxy"),
            Self::Injected => f.write_str("sent more than its answer"),
            Self::LoginNeeded => f.write_str("wants a user and a password"),
            Self::LoginRefused => f.write_str("refused the user or the password"),
            Self::LoginUnfit => f.write_str("cannot be sent this user or this password"),
            Self::Forbidden => f.write_str("forbids the connection"),
            Self::CannotConnect => f.write_str("cannot connect to the mail server"),
            Self::Status(status) => write!(f, "answered with status {status}"),
        }
    }
}
