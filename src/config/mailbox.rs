//! `[mailbox.NAME]`: where mail is read.
//!
//! Knows a mailbox's URL, log-in and folders. Never opens a connection, and never holds a password:
//! only a reference to one. Values come from the configuration or from `--mailbox`.

use std::path::Path;

use super::auth::{self, Oauth};
use super::error::{ConfigError, Place};
use super::reader::Reader;
use super::transport::{self, Transport};
use super::watching::{self, Watching};
use crate::secret::SecretRef;

/// How the connection is secured. There is no unsecured one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte: `imaps://`, port 993.
    Tls,
    /// STARTTLS, demanded: `imap://`, port 143.
    StartTls,
}

/// Where a mailbox is, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxUrl {
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS or STARTTLS.
    pub security: Security,
    /// The user to log in as.
    pub user: String,
}

/// A mailbox to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The user's name for it.
    pub name: String,
    /// Where it is, and whose.
    pub url: MailboxUrl,
    /// How its server is reached and recognised.
    pub transport: Transport,
    /// Where the password stands; `None`: ask, unless it is OAuth.
    pub password: Option<SecretRef>,
    /// Log-in by OAuth, instead of a password.
    pub oauth: Option<Oauth>,
    /// Its folders, and how they are watched.
    pub watching: Watching,
}

/// The name of the mailbox that `--mailbox` gives.
pub const COMMAND_LINE: &str = "command-line";

impl Mailbox {
    /// A mailbox from `--mailbox`, for use without a configuration file.
    ///
    /// # Errors
    /// When the text is not an IMAP URL.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        let url = parse_url(url).map_err(|(problem, hint)| {
            ConfigError::new(Place::Option("--mailbox"), "", &problem, &hint)
        })?;
        Ok(Self {
            name: COMMAND_LINE.to_owned(),
            url,
            transport: Transport::default(),
            password: None,
            oauth: None,
            watching: Watching::default(),
        })
    }
}

/// A secret reference from `--password`.
///
/// # Errors
/// When the text is not a reference; the text is not shown.
pub fn password_option(text: &str) -> Result<SecretRef, ConfigError> {
    SecretRef::parse(text, Path::new("")).map_err(|error| {
        let place = Place::Option("--password");
        ConfigError::new(place, "", &error.to_string(), &error.hint())
    })
}

pub(super) fn read_all(reader: &Reader<'_>) -> Result<Vec<Mailbox>, ConfigError> {
    let names = reader.entries.names(&["mailbox"]);
    names.iter().map(|name| read(reader, name)).collect()
}

fn read(reader: &Reader<'_>, name: &str) -> Result<Mailbox, ConfigError> {
    let key = |last| ["mailbox", name, last];
    refuse_what_is_not_done(reader, name)?;
    let text = reader.required(&key("url"), EXAMPLE)?;
    let url =
        parse_url(text).map_err(|(problem, hint)| reader.wrong(&key("url"), &problem, &hint))?;
    Ok(Mailbox {
        name: name.to_owned(),
        url,
        transport: transport::read(reader, name)?,
        password: reader.secret(&["mailbox", name, "auth", "password"])?,
        oauth: auth::read(reader, name)?,
        watching: watching::read(reader, name)?,
    })
}

fn refuse_what_is_not_done(reader: &Reader<'_>, name: &str) -> Result<(), ConfigError> {
    for last in ["preset", "address"] {
        let key = ["mailbox", name, last];
        if reader.entries.get(&key).is_some() {
            return Err(reader.not_yet(&key, EXAMPLE));
        }
    }
    Ok(())
}

const EXAMPLE: &str = "write it as url = \"imaps://user@example.com@imap.example.com\"";

/// Reads `imaps://USER@HOST:PORT`; USER may hold an `@`, so that the last one splits.
fn parse_url(text: &str) -> Result<MailboxUrl, (String, String)> {
    // NOTE: nothing of the text is shown before it is known to hold no password.
    let wrong = |problem: &str| (problem.to_owned(), EXAMPLE.to_owned());
    let (scheme, rest) = text
        .split_once("://")
        .ok_or_else(|| wrong("this is not a URL"))?;
    let (user, place) = rest
        .rsplit_once('@')
        .ok_or_else(|| wrong("the URL names no user"))?;
    if user.contains(':') {
        let hint = "a password is never in a URL: give a reference to it, and write a colon in a user as %3A";
        return Err((
            "the URL holds a password (it is not shown)".to_owned(),
            hint.to_owned(),
        ));
    }
    let (security, port) = match scheme {
        "imaps" => (Security::Tls, 993),
        "imap" => (Security::StartTls, 143),
        other => return Err(wrong(&format!("{other:?} is not imaps or imap"))),
    };
    let (host, port) = host_and_port(place, Some(port), EXAMPLE)?;
    let user = decoded(user).ok_or_else(|| wrong("the URL's user is not percent-encoded UTF-8"))?;
    if user.is_empty() || user.contains(char::is_control) {
        return Err(wrong("the URL names no user"));
    }
    Ok(MailboxUrl {
        host,
        port,
        security,
        user,
    })
}

/// Splits `HOST:PORT`; an IPv6 address stands in brackets.
pub(super) fn host_and_port(
    place: &str,
    default: Option<u16>,
    example: &str,
) -> Result<(String, u16), (String, String)> {
    let wrong = |problem: String| (problem, example.to_owned());
    let place = place.strip_suffix('/').unwrap_or(place);
    if let Some((_, path)) = place.split_once(['/', '?', '#']) {
        let problem = format!("the URL goes on behind the host: {path:?}");
        return Err(match default {
            Some(_) => (
                problem,
                "name folders with folders = [\"INBOX\"]".to_owned(),
            ),
            None => wrong(problem),
        });
    }
    let parsed = url::Url::parse(&format!("imap://{place}"))
        .map_err(|error| wrong(format!("{place:?} is not a host and a port: {error}")))?;
    let host = parsed.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| wrong("the URL names no host".to_owned()))?;
    if host.contains([' ', '%', '\\']) || parsed.port() == Some(0) {
        return Err(wrong(format!("{place:?} is not a host and a port")));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = parsed.port().or(default);
    let port = port.ok_or_else(|| wrong("the URL names no port".to_owned()))?;
    Ok((bare.to_ascii_lowercase(), port))
}

pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| hex)?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}
