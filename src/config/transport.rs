//! `[mailbox.NAME]`: how its server is reached and recognised.
//!
//! Knows authorities, pinned keys, a client certificate and a proxy. Never lets one key silently switch
//! another off, and never holds a secret: only references. Values come from the configuration alone, not
//! from variables such as `HTTPS_PROXY`.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::ConfigError;
use super::mailbox::{decoded, host_and_port};
use super::reader::Reader;
use crate::secret::SecretRef;

/// How a mailbox's server is reached and recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transport {
    /// Who is who in the encrypted part.
    pub tls: Tls,
    /// The way there, if it is not the direct one.
    pub proxy: Option<Proxy>,
}

/// By what the server is recognised, and who we are to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates to trust beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the public keys that alone are trusted, instead of any authority; empty: authorities.
    pub pinned_keys: Vec<[u8; 32]>,
    /// A certificate of ours.
    pub client: Option<ClientCertificate>,
}

/// A certificate of ours, and where its key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: SecretRef,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The user, and where the password stands.
    pub login: Option<(String, SecretRef)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// `socks5://`; the proxy looks names up.
    Socks5,
    /// `http://`: CONNECT.
    Http,
}

pub(super) fn read(reader: &Reader<'_>, name: &str) -> Result<Transport, ConfigError> {
    Ok(Transport {
        tls: Tls {
            ca_file: reader.path(&["mailbox", name, "ca_file"]),
            pinned_keys: pinned_keys(reader, name)?,
            client: client(reader, name)?,
        },
        proxy: proxy(reader, name)?,
    })
}

const PIN: &str = "write it as pinned_keys = [\"sha256:BASE64\"]; docs/configuration.md has the command that prints it";

fn pinned_keys(reader: &Reader<'_>, name: &str) -> Result<Vec<[u8; 32]>, ConfigError> {
    let key = ["mailbox", name, "pinned_keys"];
    let Some(list) = reader.list(&key) else {
        return Ok(Vec::new());
    };
    if list.is_empty() {
        let hint = "name one, or remove the key: certificate authorities then decide";
        return Err(reader.wrong(&key, "an empty list trusts no server", hint));
    }
    if reader.text(&["mailbox", name, "ca_file"]).is_some() {
        let hint = "remove one of the two: a pinned key stands instead of certificate authorities";
        return Err(reader.wrong(&key, "the key has no use beside ca_file", hint));
    }
    let pin = |text: &String| {
        let wrong = || reader.wrong(&key, &format!("{text:?} is not the SHA-256 of a key"), PIN);
        digest(text).ok_or_else(wrong)
    };
    list.iter().map(pin).collect()
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let digest = STANDARD.decode(text.strip_prefix("sha256:")?).ok()?;
    digest.try_into().ok()
}

fn client(reader: &Reader<'_>, name: &str) -> Result<Option<ClientCertificate>, ConfigError> {
    let (certificate, key) = (
        ["mailbox", name, "client_cert"],
        ["mailbox", name, "client_key"],
    );
    match (reader.path(&certificate), reader.secret(&key)?) {
        (None, None) => Ok(None),
        (Some(_), Some(SecretRef::Command(_))) => {
            let hint = "write client_key = \"file:PATH\"";
            Err(reader.wrong(&key, "a command gives one line, and a key has more", hint))
        }
        (Some(certificate), Some(key)) => Ok(Some(ClientCertificate { certificate, key })),
        (Some(_), None) => {
            let hint = "add where its private key stands: client_key = \"file:PATH\"";
            Err(reader.wrong(&certificate, "the certificate has no key", hint))
        }
        (None, Some(_)) => {
            let hint = "add the certificate: client_cert = \"PATH\"";
            Err(reader.wrong(&key, "the key has no certificate", hint))
        }
    }
}

const PROXY: &str =
    "write it as proxy = \"socks5://proxy.example.com:1080\" or \"http://proxy.example.com:3128\"";

fn proxy(reader: &Reader<'_>, name: &str) -> Result<Option<Proxy>, ConfigError> {
    let (key, password_key) = (
        ["mailbox", name, "proxy"],
        ["mailbox", name, "proxy_password"],
    );
    let password = reader.secret(&password_key)?;
    let Some(text) = reader.text(&key) else {
        return match password {
            None => Ok(None),
            Some(_) => Err(reader.wrong(&password_key, "there is no proxy for it", PROXY)),
        };
    };
    let url = parse(text).map_err(|(problem, hint)| reader.wrong(&key, &problem, &hint))?;
    let login = match (url.user, password) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user, password)),
        (Some(_), None) => {
            let hint = "add where the password stands: proxy_password = \"keyring:NAME\"";
            return Err(reader.wrong(&key, "the proxy's user has no password", hint));
        }
        (None, Some(_)) => {
            let hint = "name the user, as in proxy = \"socks5://USER@proxy.example.com:1080\"";
            return Err(reader.wrong(&password_key, "the proxy has no user", hint));
        }
    };
    let (kind, host, port) = (url.kind, url.host, url.port);
    Ok(Some(Proxy {
        kind,
        host,
        port,
        login,
    }))
}

struct ProxyUrl {
    kind: ProxyKind,
    host: String,
    port: u16,
    user: Option<String>,
}

/// Reads `socks5://[USER@]HOST:PORT`.
fn parse(text: &str) -> Result<ProxyUrl, (String, String)> {
    // NOTE: nothing of the text is shown before it is known to hold no password.
    let wrong = |problem: &str| (problem.to_owned(), PROXY.to_owned());
    let (scheme, rest) = text
        .split_once("://")
        .ok_or_else(|| wrong("this is not a URL"))?;
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    if user.is_some_and(|user| user.contains(':')) {
        let hint = "a password is never in a URL: give a reference to it in proxy_password";
        return Err((
            "the URL holds a password (it is not shown)".to_owned(),
            hint.to_owned(),
        ));
    }
    let kind = match scheme {
        // curl's name for a SOCKS5 proxy that looks names up: there is no other kind here
        "socks5" | "socks5h" => ProxyKind::Socks5,
        "http" => ProxyKind::Http,
        other => return Err(wrong(&format!("{other:?} is not socks5 or http"))),
    };
    let (host, port) = host_and_port(place, None, PROXY)?;
    let user = user.map(|user| {
        usable(user, kind).ok_or_else(|| wrong("the URL's user cannot be sent to such a proxy"))
    });
    Ok(ProxyUrl {
        kind,
        host,
        port,
        user: user.transpose()?,
    })
}

/// What a proxy of this kind can be told: RFC 1929 counts lengths in a byte, RFC 7617 ends the user at a
/// colon.
fn usable(user: &str, kind: ProxyKind) -> Option<String> {
    let user = decoded(user)?;
    let fits = match kind {
        ProxyKind::Socks5 => user.len() <= 255,
        ProxyKind::Http => !user.contains(':'),
    };
    (fits && !user.is_empty() && !user.contains(char::is_control)).then_some(user)
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
