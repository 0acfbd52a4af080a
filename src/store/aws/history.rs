//! A parameter's versions, and which of them should stand.
//!
//! Knows the note in a version's description, and the newest token among the versions that sftoken wrote. Never asks
//! anything, nor trusts a note that is not of its version's value. Versions come from the Parameter Store.

use serde::Deserialize;
use serde_json::json;

use crate::ingest::token::Token;
use crate::store::conditional::Note;
use crate::store::token_in;

/// What our notes begin with: descriptions are for people, who write others.
const MARK: &str = "sftoken ";
/// API reference, PutParameter.
const LONGEST: usize = 1024;

/// One version, as the service tells it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Version {
    #[serde(rename = "Version")]
    pub(super) number: u64,
    #[serde(rename = "Type")]
    pub(super) kind: String,
    pub(super) key_id: Option<String>,
    allowed_pattern: Option<String>,
    value: String,
    description: Option<String>,
}

impl Drop for Version {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.value);
    }
}

/// All versions that the service still has.
#[derive(Default)]
pub(super) struct History(Vec<Version>);

impl History {
    pub(super) fn add(&mut self, more: Vec<Version>) {
        self.0.extend(more);
    }

    /// The current version.
    pub(super) fn current(&self) -> Option<&Version> {
        self.0.iter().max_by_key(|version| version.number)
    }

    /// The version that should be current: the newest token of the account whose the current one is. What somebody else
    /// has written stands, until the next token comes.
    pub(super) fn rightful(&self) -> Option<&Version> {
        let current = self.current()?;
        let Some(ours) = current.ours() else {
            return Some(current);
        };
        let of_same = |version: &&Version| {
            version.ours().is_some_and(|note| {
                note.username == ours.username && note.meta.org == ours.meta.org
            })
        };
        let rank = |version: &&Version| (version.ours().map(|note| note.meta.rank), version.number);
        self.0.iter().filter(of_same).max_by_key(rank)
    }
}

impl Version {
    pub(super) fn token(&self) -> Option<Token> {
        token_in(self.value.as_bytes())
    }

    /// The note, if there is one; an error, if it cannot be read.
    pub(super) fn note(&self) -> Result<Option<Note>, serde_json::Error> {
        let text = self.description.as_deref();
        let text = text.and_then(|text| text.strip_prefix(MARK));
        text.map(serde_json::from_str).transpose()
    }

    /// The note, if it is of this value.
    fn ours(&self) -> Option<Note> {
        let note = self.note().ok().flatten()?;
        let is_of_value = self.token()?.fingerprint() == note.meta.fingerprint;
        is_of_value.then_some(note)
    }

    /// The request that writes a token over this version. What somebody has set for the parameter stays.
    pub(super) fn overwritten(
        &self,
        name: &str,
        token: &Token,
        note: &Note,
        kms_key: Option<&str>,
    ) -> serde_json::Value {
        let mut asked = created(name, token, note, kms_key.or(self.key_id.as_deref()));
        asked["Overwrite"] = json!(true);
        if let Some(pattern) = &self.allowed_pattern {
            asked["AllowedPattern"] = json!(pattern);
        }
        asked
    }
}

/// The request that makes a parameter, if there is none.
pub(super) fn created(
    name: &str,
    token: &Token,
    note: &Note,
    kms_key: Option<&str>,
) -> serde_json::Value {
    let mut asked = json!({
        "Name": name, "Type": SECURE, "Value": token.expose(), "Overwrite": false,
        "Description": description(note),
    });
    if let Some(key) = kms_key {
        asked["KeyId"] = json!(key);
    }
    asked
}

/// The type of what is encrypted.
pub(super) const SECURE: &str = "SecureString";

fn description(note: &Note) -> String {
    format!("{MARK}{}", json!(note))
}

/// A Message-ID as it stands in descriptions: they have no room for the longest (998 letters, RFC 5322).
pub(super) fn fitting(message_id: Option<String>) -> Option<String> {
    const ROOM: usize = LONGEST / 2;
    let message_id = message_id?;
    let spelled = json!(message_id).to_string();
    if spelled.len() <= ROOM {
        return Some(message_id);
    }
    let hash = ring::digest::digest(&ring::digest::SHA256, message_id.as_bytes());
    let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    Some(format!("sha256:{}", hex.collect::<String>()))
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
