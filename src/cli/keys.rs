//! Where this run's DKIM keys come from.
//!
//! Knows files and resolvers. Never judges a key. Records come from `--keys`, `[dns] keys`, or the
//! DNS.

use std::path::PathBuf;

use super::exit::{Exit, Failure};
use crate::config::Dns;
use crate::ingest::keys::KeyAnswers;

/// Answers questions for DKIM keys.
#[derive(Debug)]
pub(crate) enum KeySource {
    /// The records of files; every other name is absent.
    Files(KeyAnswers),
    /// Nobody can be asked: every name is unknown, every mail that needs one undecided.
    Nobody,
}

impl KeySource {
    /// Files when there are any, else the resolver.
    pub(crate) fn open(dns: &Dns) -> Result<Self, Failure> {
        if dns.keys.is_empty() {
            return Ok(Self::resolver(dns));
        }
        let mut records = KeyAnswers::default();
        for file in &dns.keys {
            records.extend(key_file(file)?);
        }
        Ok(Self::Files(records))
    }

    /// NOTE: to be wired to `crate::dns::Resolver::{system, server}` once that edge is here.
    fn resolver(_dns: &Dns) -> Self {
        Self::Nobody
    }

    /// The answers for these names.
    pub(crate) fn answers(&self, names: &[String]) -> KeyAnswers {
        match self {
            Self::Files(records) => records.answering(names.iter().map(String::as_str)),
            Self::Nobody => KeyAnswers::default(),
        }
    }
}

fn key_file(file: &PathBuf) -> Result<KeyAnswers, Failure> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        let problem = format!("{name}: the key file cannot be read: {error}");
        Failure::new(
            Exit::Usage,
            problem,
            "check the path given with --keys or [dns] keys",
        )
    })?;
    KeyAnswers::from_key_file(&text).map_err(|error| {
        let hint = "write one TXT record a line: NAME, a space, VALUE";
        Failure::new(Exit::Usage, format!("{name}: {error}"), hint)
    })
}
