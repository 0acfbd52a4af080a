//! The DKIM keys that were asked for, as answers.
//!
//! Knows three answers: records, no such record, could not ask. Never asks: `dns` does, or a file.

use std::collections::BTreeMap;

/// What came back for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    /// The TXT records of the name, each with its strings joined (RFC 6376, 3.6.2.2).
    Records(Vec<String>),
    /// The name, or a TXT record of it, does not exist.
    Absent,
    /// It could not be asked: try again.
    Unknown,
}

/// Answers by name, without the final dot, lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAnswers(BTreeMap<String, KeyAnswer>);

/// A line of a key file is not `NAME VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not `NAME VALUE`, as in `s1._domainkey.example.com v=DKIM1; p=…`")]
pub struct KeyFileError {
    /// Number of the line, from 1.
    pub line: usize,
}

impl KeyAnswers {
    /// Adds the answer for a name; records of one name add up.
    pub fn insert(&mut self, name: &str, answer: KeyAnswer) {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        match (self.0.get_mut(&name), answer) {
            (Some(KeyAnswer::Records(old)), KeyAnswer::Records(new)) => old.extend(new),
            (_, answer) => {
                self.0.insert(name, answer);
            }
        }
    }

    /// The answer for a name; one that nobody asked for is [`KeyAnswer::Unknown`].
    #[must_use]
    pub fn get(&self, name: &str) -> &KeyAnswer {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.0.get(&name).unwrap_or(&KeyAnswer::Unknown)
    }

    /// Takes over all answers of another set.
    pub fn extend(&mut self, other: Self) {
        for (name, answer) in other.0 {
            self.insert(&name, answer);
        }
    }

    /// The same set, in which every name that it does not hold is absent, for these names.
    #[must_use]
    pub fn answering<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut answers = Self::default();
        for name in names {
            let known = match self.get(name) {
                KeyAnswer::Unknown => KeyAnswer::Absent,
                known => known.clone(),
            };
            answers.insert(name, known);
        }
        answers
    }

    /// Reads a key file: one record a line, `NAME VALUE`; empty lines and lines that begin with `#`
    /// are skipped. Several records of one name are several records.
    ///
    /// # Errors
    /// At the first line that is neither.
    pub fn from_key_file(text: &str) -> Result<Self, KeyFileError> {
        let mut answers = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, value) = line
                .split_once([' ', '\t'])
                .ok_or(KeyFileError { line: number + 1 })?;
            let records = KeyAnswer::Records(vec![value.trim().to_owned()]);
            answers.insert(name, records);
        }
        Ok(answers)
    }
}
