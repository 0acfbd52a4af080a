//! The secrets that stores need themselves, to log in.
//!
//! Knows that they stand elsewhere, under a reference. Never keeps one, nor knows the kinds of references. Whoever
//! opens a store says how they are read.

use std::fmt;

use crate::ingest::secret::Secret;

/// Reads the secrets that stores need themselves. May block; called for each use, so that a secret may be
/// changed meanwhile.
pub trait Secrets: fmt::Debug + Send + Sync {
    /// The secret at a reference, as `env:NAME` or `file:/PATH`.
    ///
    /// # Errors
    /// When the text is no reference, or there is no secret now. No error shows the text of what is no reference.
    fn read(&self, reference: &str) -> Result<Secret, NoSecret>;
}

/// Why there is no secret: a clause and a remedy, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct NoSecret {
    /// What happened.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
    /// It may be there later, without anybody changing the configuration.
    pub passing: bool,
}
