//! The sentences about the faults of a mailbox connection.
//!
//! Knows a clause and a remedy for each. Never decides anything by them. Its data is the fault.

use std::fmt;

use super::{Class, ConnectFault, InboxError, Phase, TlsFault};

impl InboxError {
    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::Unreachable {
                fault: ConnectFault::UnknownHost,
                ..
            } => "check the host name in the mailbox URL, and this machine's DNS",
            Self::Unreachable {
                fault: ConnectFault::LookUpFailed,
                ..
            } => "check the network, and this machine's DNS",
            Self::Unreachable {
                fault: ConnectFault::Refused,
                ..
            } => {
                "check the port (993 for imaps, 143 for STARTTLS), and whether IMAP is switched on"
            }
            Self::Unreachable {
                fault: ConnectFault::Proxy { fault, .. },
                ..
            } => fault.hint(),
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
            Self::NoToken { error, .. } => &error.hint,
            Self::TokenRefused { .. } if self.class() == Class::Throttled => {
                "the server asks to slow down: close other connections to this mailbox, or wait"
            }
            Self::TokenRefused { .. } => {
                "check that the user name is the mailbox's own address, that the token is for IMAP (its scope), and that IMAP is switched on for the mailbox; Microsoft 365 with client credentials also wants Add-MailboxPermission for the app"
            }
            Self::TokenNotOffered { .. } => {
                "log in with a password (auth.password), or see the server's manual for how it takes tokens"
            }
            Self::ServerUnproven { .. } => {
                "someone may be posing as the server: check who signed its certificate, and ask its administrator"
            }
            Self::LoginDisabled { .. } => {
                "the server takes no passwords: many then take OAuth (auth.oauth2); see its manual"
            }
            Self::BadCredential { .. } => {
                "check where the password comes from: a trailing line end is easily stored with it"
            }
            Self::Refused { text, .. } if is_not_connected(text) => {
                "Exchange took the token and opens no mailbox for it. Four causes: the user has no licence with a mailbox; IMAP is off (Set-CASMailbox -ImapEnabled $true); the app may not open it (New-ServicePrincipal with the object id of the enterprise application, not of the app registration, then Add-MailboxPermission); or the user name is not the mailbox's own address (a shared mailbox has its own)"
            }
            Self::Refused {
                code: Some(code), ..
            } if code == "OVERQUOTA" => {
                "make room there, or let the mail stay where it is (handled = \"seen\")"
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
            Self::PinMismatch(_) => {
                "somebody may stand between; only if the server's operator confirms the new key, write it into pinned_keys"
            }
            Self::ClientFile(_) => {
                "give a readable PEM file in client_cert, and its key as `openssl pkcs8 -topk8 -nodes -in KEY` prints it in client_key"
            }
            Self::ClientRefused => {
                "give the certificate that the server's operator issued to you with client_cert and client_key, and check that it has not expired"
            }
            Self::Handshake => {
                "check that the port is for TLS from the start (993) or for STARTTLS (143), as configured"
            }
        }
    }
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
            Self::NoToken { at, error } => write!(f, "no access token for {at}: {error}"),
            Self::TokenRefused {
                at,
                code,
                text,
                detail,
            } => {
                let code = code.as_deref();
                write!(f, "{at} refused the access token{}", Said { code, text })?;
                detail
                    .as_ref()
                    .map_or(Ok(()), |detail| write!(f, " ({detail})"))
            }
            Self::TokenNotOffered { at } => {
                write!(f, "{at} offers no log-in with an access token")
            }
            Self::ServerUnproven { at } => {
                write!(f, "{at} does not prove that it knows the password (SCRAM)")
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
            Self::LookUpFailed => "the host name cannot be looked up at the moment",
            Self::Refused => "the connection was refused",
            Self::TimedOut => "nobody answered in time",
            Self::Failed => "there is no way to connect",
            Self::Proxy { proxy, fault } => return write!(f, "the proxy {proxy} {fault}"),
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
            Self::PinMismatch(Some(pin)) => {
                write!(f, "the server's key is none of the pinned ones, but {pin}")
            }
            Self::PinMismatch(None) => {
                f.write_str("the server shows no key to compare with the pinned ones")
            }
            Self::ClientFile(why) => write!(f, "client_cert: {why}"),
            Self::ClientRefused => {
                f.write_str("the server refused the client certificate, or misses one")
            }
            Self::Handshake => f.write_str("the TLS handshake failed"),
        }
    }
}

impl std::error::Error for TlsFault {}

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
