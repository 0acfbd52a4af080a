//! What is wrong with a configuration, and where.
//!
//! Knows the place, the key, a clause and a remedy. Never holds a secret: the value of a key that
//! refers to a secret is not shown. Filled by the other files of `config`.

use std::fmt;
use std::path::PathBuf;

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file, at a line (from 1).
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// In a variable of the environment.
    Env(String),
    /// On the command line, by an option.
    Option(&'static str),
    /// Nowhere: the key is absent, in this file.
    Absent(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => f.write_str(name),
            Self::Option(name) => f.write_str(name),
            Self::Absent(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) problem: String,
    pub(super) hint: String,
}

impl ConfigError {
    pub(super) fn new(place: Place, key: &str, problem: &str, hint: &str) -> Self {
        Self {
            place,
            key: key.to_owned(),
            problem: problem.to_owned(),
            hint: hint.to_owned(),
        }
    }

    /// Where the bad value was said.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The key, dotted: `mailbox.ops.url`. Empty when the file is not TOML.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ConfigError {}
