//! Typed reading of entries, with errors that name the place.
//!
//! Knows a key's value, place and base folder. Never knows what a key is for. Entries come from the
//! file and the environment.

use std::path::{Path, PathBuf};

use super::entries::{Entries, Value};
use super::error::{ConfigError, Place};
use crate::secret::SecretRef;

/// Entries, and the file that they belong to.
pub(super) struct Reader<'e> {
    pub(super) entries: &'e Entries,
    pub(super) file: &'e Path,
}

impl Reader<'_> {
    /// The folder that relative paths are meant from.
    pub(super) fn base(&self) -> &Path {
        self.file.parent().unwrap_or_else(|| Path::new(""))
    }

    pub(super) fn text(&self, key: &[&str]) -> Option<&str> {
        match self.entries.get(key)? {
            (Value::Text(text), _) => Some(text),
            _ => None,
        }
    }

    pub(super) fn bool(&self, key: &[&str]) -> Option<bool> {
        match self.entries.get(key)? {
            (Value::Bool(value), _) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn number(&self, key: &[&str]) -> Option<i64> {
        match self.entries.get(key)? {
            (Value::Number(value), _) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn list(&self, key: &[&str]) -> Option<&[String]> {
        match self.entries.get(key)? {
            (Value::List(texts), _) => Some(texts),
            _ => None,
        }
    }

    /// An error at a key; a key that is absent is one of the nearest table that is not.
    pub(super) fn wrong(&self, key: &[&str], problem: &str, hint: &str) -> ConfigError {
        let place = (0..=key.len())
            .rev()
            .find_map(|depth| self.entries.get(&key[..depth]))
            .map_or_else(
                || Place::Absent(self.file.to_owned()),
                |(_, place)| place.clone(),
            );
        ConfigError::new(place, &key.join("."), problem, hint)
    }

    pub(super) fn required(&self, key: &[&str], hint: &str) -> Result<&str, ConfigError> {
        self.text(key)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.wrong(key, "the key is missing or empty", hint))
    }

    /// One of a few words.
    pub(super) fn word<'w>(&self, key: &[&str], words: &[&'w str]) -> Result<&'w str, ConfigError> {
        let Some(text) = self.text(key) else {
            return Ok(words[0]);
        };
        let known = words.iter().find(|word| **word == text);
        known.copied().ok_or_else(|| {
            let hint = format!("write one of: {}", words.join(", "));
            self.wrong(key, &format!("{text:?} is not known here"), &hint)
        })
    }

    pub(super) fn path(&self, key: &[&str]) -> Option<PathBuf> {
        self.text(key).map(|path| self.base().join(path))
    }

    pub(super) fn secret(&self, key: &[&str]) -> Result<Option<SecretRef>, ConfigError> {
        self.text(key)
            .map(|text| SecretRef::parse(text, self.base()))
            .transpose()
            .map_err(|error| self.wrong(key, &error.to_string(), &error.hint()))
    }

    /// Each element of a list, in order, through a check that gives a clause for a bad one.
    pub(super) fn checked_list(
        &self,
        key: &[&str],
        check: impl Fn(&str) -> Result<String, (String, String)>,
    ) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(list) = self.list(key) else {
            return Ok(None);
        };
        let checked: Result<Vec<String>, _> = list.iter().map(|text| check(text)).collect();
        checked
            .map(Some)
            .map_err(|(problem, hint)| self.wrong(key, &problem, &hint))
    }

    /// A word of the contract that this version does not do is never passed over in silence.
    pub(super) fn not_yet(&self, key: &[&str], hint: &str) -> ConfigError {
        let problem = "this version of sftoken does not do this yet";
        self.wrong(key, problem, hint)
    }
}
