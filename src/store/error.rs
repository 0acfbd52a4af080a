//! Why a store did not do it.
//!
//! Knows classes of failure, each with a stable word. Never holds a token, nor the arguments of a
//! store's URL. Filled by each store with its own sentence and remedy.

/// Why a store did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{store}: {problem}")]
pub struct StoreError {
    /// The store's URL, free of secrets.
    pub store: String,
    /// What happened: a clause without secrets.
    pub problem: String,
    /// The class of it.
    pub kind: StoreErrorKind,
    /// What to do about it.
    pub hint: String,
}

impl StoreError {
    /// A failure of `store`: what happened, and what to do about it.
    #[must_use]
    pub fn new(
        store: &str,
        kind: StoreErrorKind,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            store: store.to_owned(),
            problem: problem.into(),
            kind,
            hint: hint.into(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// Classes of store errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Nobody answers: try again.
    Unreachable,
    /// Locked, and nobody is there to unlock it: try again after unlocking.
    Locked,
    /// It answered, and refused.
    Refused,
    /// No answer within the deadline: try again.
    Timeout,
    /// This machine can write it but not read it (age without an identity).
    WriteOnly,
    /// What was read back, or stood there, is not what it should be.
    Corrupt,
    /// The store's configuration does not hold.
    Misconfigured,
}

impl StoreErrorKind {
    /// The stable word for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "store_unreachable",
            Self::Locked => "store_locked",
            Self::Refused => "store_refused",
            Self::Timeout => "store_timeout",
            Self::WriteOnly => "store_write_only",
            Self::Corrupt => "store_corrupt",
            Self::Misconfigured => "store_misconfigured",
        }
    }

    /// Whether the same call may work later without anybody changing the configuration.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unreachable | Self::Locked | Self::Timeout)
    }
}
