//! How a mailbox is watched: its folders, what may be done there, and how soon a dead connection is found.
//!
//! Knows the keys of `[mailbox.NAME]` about that. Never opens a connection. Values come from the
//! configuration.

use jiff::SignedDuration;

use super::duration::parse_duration;
use super::error::ConfigError;
use super::reader::Reader;

/// How a mailbox is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watching {
    /// Folders, as the user writes them: special-use names begin with a backslash. `None`: the inbox, and
    /// the junk folder where there is one.
    pub folders: Option<Vec<String>>,
    /// What becomes of a mail whose token is stored.
    pub handled: Handled,
    /// Watchers on several machines claim mails.
    pub claim: bool,
    /// The longest that a dead connection may go unnoticed.
    pub liveness: SignedDuration,
    /// The age at which a folder is opened anew.
    pub renewal: SignedDuration,
}

impl Default for Watching {
    fn default() -> Self {
        Self {
            folders: None,
            handled: Handled::Leave,
            claim: false,
            liveness: DEFAULT_LIVENESS,
            renewal: DEFAULT_RENEWAL,
        }
    }
}

/// What becomes of a mail whose token is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// Nothing.
    Leave,
    /// It is marked as read.
    Seen,
    /// It is flagged.
    Flag,
    /// It is moved to a folder.
    MoveTo(String),
    /// It is removed for good.
    Delete,
}

/// Quick enough for a pipeline that waits, and two small packets every 20 s.
pub const DEFAULT_LIVENESS: SignedDuration = SignedDuration::from_secs(30);
/// Below the ten minutes after which Exchange falls silent.
pub const DEFAULT_RENEWAL: SignedDuration = SignedDuration::from_mins(9);

/// Below, a slow answer would pass for none; above, nothing would be proven.
const LIVENESS: (SignedDuration, SignedDuration) =
    (SignedDuration::from_secs(6), SignedDuration::from_mins(29));
/// RFC 2177 wants a renewal every 29 minutes.
const RENEWAL: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(1), SignedDuration::from_mins(29));

pub(super) fn read(reader: &Reader<'_>, name: &str) -> Result<Watching, ConfigError> {
    let key = |last| ["mailbox", name, last];
    Ok(Watching {
        folders: folders(reader, &key("folders"))?,
        handled: handled(reader, &key("handled"))?,
        claim: reader.bool(&key("claim")) == Some(true),
        liveness: length(reader, &key("liveness"), DEFAULT_LIVENESS, LIVENESS, "30s")?,
        renewal: length(reader, &key("renewal"), DEFAULT_RENEWAL, RENEWAL, "9m")?,
    })
}

fn folders(reader: &Reader<'_>, key: &[&str]) -> Result<Option<Vec<String>>, ConfigError> {
    let folders = reader.checked_list(key, |folder| match folder {
        "" => Err(("a folder has no name".to_owned(), "remove it".to_owned())),
        folder => Ok(folder.to_owned()),
    })?;
    if folders.as_ref().is_some_and(Vec::is_empty) {
        let hint = "name one, or remove the key: the default is the inbox, and the junk folder if there is one";
        return Err(reader.wrong(key, "the list names no folder", hint));
    }
    Ok(folders)
}

fn handled(reader: &Reader<'_>, key: &[&str]) -> Result<Handled, ConfigError> {
    let hint = "write \"leave\", \"seen\", \"flag\", \"move:FOLDER\" or \"delete\"";
    let text = reader.text(key).unwrap_or("leave");
    match text {
        "leave" => Ok(Handled::Leave),
        "seen" => Ok(Handled::Seen),
        "flag" => Ok(Handled::Flag),
        "delete" => Ok(Handled::Delete),
        other => match other.strip_prefix("move:") {
            Some("") => Err(reader.wrong(key, "the folder to move to has no name", hint)),
            Some(folder) => Ok(Handled::MoveTo(folder.to_owned())),
            None => Err(reader.wrong(key, &format!("{other:?} is not known here"), hint)),
        },
    }
}

fn length(
    reader: &Reader<'_>,
    key: &[&str],
    default: SignedDuration,
    (least, most): (SignedDuration, SignedDuration),
    example: &str,
) -> Result<SignedDuration, ConfigError> {
    let hint = format!("write it as \"{example}\"");
    let Some(text) = reader.text(key) else {
        return Ok(default);
    };
    let length = parse_duration(text).map_err(|problem| reader.wrong(key, &problem, &hint))?;
    if length < least || length > most {
        let problem = format!(
            "{text:?} is not between {} s and {} min",
            least.as_secs(),
            most.as_mins()
        );
        return Err(reader.wrong(key, &problem, &hint));
    }
    Ok(length)
}

#[cfg(test)]
#[path = "watching_tests.rs"]
mod tests;
