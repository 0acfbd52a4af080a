//! `[notify]`, `account.on_stored` and `account.consumer`: who is told what became of a token.
//!
//! Knows which commands and URLs could be meant. Never runs or asks one, and shows no webhook's URL: its path may be a
//! secret. Values come from the configuration.

use std::path::PathBuf;

use jiff::SignedDuration;
use url::{Host, Url};

use super::duration::parse_duration;
use super::error::ConfigError;
use super::reader::Reader;
use crate::ingest::event::EventWord;
use crate::ingest::secret::Secret;
use crate::secret::SecretRef;

/// When a hook or a consumer's test is ended: a restart of a service takes half a minute, if it goes badly.
pub const DEFAULT_PROGRAM_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

/// A store's next token waits for the hooks of the one before.
const LONGEST_TIMEOUT: SignedDuration = SignedDuration::from_hours(1);

/// A token that logs in is what everybody expects after one that is stored.
const CHATTY: [EventWord; 2] = [EventWord::Verified, EventWord::Test];

/// A command, and how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program, by a path from the root or a name in PATH, and its arguments.
    pub argv: Vec<String>,
    /// When it is ended.
    pub timeout: SignedDuration,
}

/// Who uses a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its name, for people.
    pub name: String,
    /// What tells whether it works with the token.
    pub test: Option<Command>,
}

/// `[notify]`: who is told, whatever the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Where events are posted.
    pub webhook: Option<Webhook>,
    /// Whether they are shown on the desktop.
    pub desktop: bool,
    /// Which of them are told to the webhook and the desktop.
    pub events: Vec<EventWord>,
}

/// Where events are posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its URL.
    pub url: WebhookUrl,
    /// Where the secret stands that events are signed with.
    pub secret: Option<SecretRef>,
    /// Authorities of the receiver, instead of the system's, PEM.
    pub ca_file: Option<PathBuf>,
}

/// A webhook's URL, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookUrl {
    /// It stands in the configuration.
    Text(Secret),
    /// Where it stands.
    Reference(SecretRef),
}

pub(super) fn read(reader: &Reader<'_>) -> Result<Notify, ConfigError> {
    Ok(Notify {
        webhook: webhook(reader)?,
        desktop: reader.bool(&["notify", "desktop"]) == Some(true),
        events: events(reader)?,
    })
}

fn webhook(reader: &Reader<'_>) -> Result<Option<Webhook>, ConfigError> {
    let secret = reader.secret(&["notify", "webhook_secret"])?;
    let ca_file = reader.path(&["notify", "webhook_ca_file"]);
    if let Some(url) = url(reader)? {
        return Ok(Some(Webhook {
            url,
            secret,
            ca_file,
        }));
    }
    for key in ["webhook_secret", "webhook_ca_file"] {
        if reader.text(&["notify", key]).is_some() {
            let problem = "the key belongs to a webhook, and there is none";
            let hint = "add webhook = \"https://…\", or remove the key";
            return Err(reader.wrong(&["notify", key], problem, hint));
        }
    }
    Ok(None)
}

fn url(reader: &Reader<'_>) -> Result<Option<WebhookUrl>, ConfigError> {
    let key = ["notify", "webhook"];
    let Some(text) = reader.text(&key) else {
        return Ok(None);
    };
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("https" | "http")) {
        return match reader.secret(&key) {
            Ok(reference) => Ok(reference.map(WebhookUrl::Reference)),
            Err(_) => {
                let problem =
                    "the value is neither a URL nor a reference to one (it is not shown here)";
                let hint = format!(
                    "write it as https://HOST/PATH, or where it stands: {}",
                    crate::secret::FORMS
                );
                Err(reader.wrong(&key, problem, &hint))
            }
        };
    }
    match unfit(text) {
        None => Ok(Some(WebhookUrl::Text(Secret::new(text.to_owned())))),
        Some(problem) => Err(reader.wrong(&key, problem, "write it as https://HOST/PATH")),
    }
}

/// What is wrong with a URL; the URL is not shown.
fn unfit(text: &str) -> Option<&'static str> {
    let Ok(url) = Url::parse(text) else {
        return Some("the webhook's URL is none (it is not shown here)");
    };
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() == "http" && !here {
        return Some("the webhook's URL is not one of HTTPS");
    }
    let log_in = !url.username().is_empty() || url.password().is_some();
    log_in.then_some("the webhook's URL holds a log-in, which is not sent")
}

fn events(reader: &Reader<'_>) -> Result<Vec<EventWord>, ConfigError> {
    let key = ["notify", "events"];
    let Some(words) = reader.list(&key) else {
        let usual = EventWord::ALL.iter().filter(|word| !CHATTY.contains(word));
        return Ok(usual.copied().collect());
    };
    // a test is sent by whoever wants to see it arrive
    let known = || {
        EventWord::ALL
            .iter()
            .filter(|word| **word != EventWord::Test)
    };
    let mut events = Vec::new();
    for word in words {
        let Some(event) = known().find(|event| event.as_str() == word) else {
            let known: Vec<&str> = known().map(|event| event.as_str()).collect();
            let hint = format!("write some of: {}", known.join(", "));
            return Err(reader.wrong(&key, &format!("there is no event {word:?}"), &hint));
        };
        if !events.contains(event) {
            events.push(*event);
        }
    }
    Ok(events)
}

/// The command at a key, and its timeout at another one.
pub(super) fn command(
    reader: &Reader<'_>,
    key: &[&str],
    timeout_key: &[&str],
) -> Result<Option<Command>, ConfigError> {
    let timeout = timeout(reader, timeout_key)?;
    let Some(argv) = reader.list(key).filter(|argv| !argv.is_empty()) else {
        if timeout.is_some() {
            let name = key.last().copied().unwrap_or_default();
            let problem = format!("the key belongs to {name}, and there is none");
            return Err(reader.wrong(timeout_key, &problem, "remove the key"));
        }
        return Ok(None);
    };
    let problem = match argv[0].as_str() {
        "" => "the command has no name",
        name if name.contains('/') && !name.starts_with('/') => {
            "the program's path does not start at the root"
        }
        _ if argv.iter().any(|word| word.contains('\0')) => "the command holds a NUL",
        _ => {
            return Ok(Some(Command {
                argv: argv.to_vec(),
                timeout: timeout.unwrap_or(DEFAULT_PROGRAM_TIMEOUT),
            }));
        }
    };
    let hint = "write a path from the root, or a name that is in PATH, and each argument for itself: [\"systemctl\", \"restart\", \"nightly-load\"]";
    Err(reader.wrong(key, problem, hint))
}

fn timeout(reader: &Reader<'_>, key: &[&str]) -> Result<Option<SignedDuration>, ConfigError> {
    let Some(text) = reader.text(key) else {
        return Ok(None);
    };
    let hint = "write it as \"1m\"";
    let timeout = parse_duration(text).map_err(|problem| reader.wrong(key, &problem, hint))?;
    if timeout > LONGEST_TIMEOUT {
        let problem = format!("{text:?} is longer than an hour");
        return Err(reader.wrong(key, &problem, hint));
    }
    Ok(Some(timeout))
}

pub(super) fn consumers(reader: &Reader<'_>, account: &str) -> Result<Vec<Consumer>, ConfigError> {
    let numbers = reader.entries.names(&["account", account, "consumer"]);
    let consumer = |number: &String| {
        let key = |last| ["account", account, "consumer", number, last];
        let hint = "write it as name = \"nightly load\"";
        Ok(Consumer {
            name: reader.required(&key("name"), hint)?.to_owned(),
            test: command(reader, &key("test"), &key("timeout"))?,
        })
    };
    numbers.iter().map(consumer).collect()
}

#[cfg(test)]
#[path = "notify_tests.rs"]
mod tests;
