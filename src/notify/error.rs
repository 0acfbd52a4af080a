//! Why an event was not taken.
//!
//! Knows classes of failure, each with a stable word, and whether another try could help. Never holds a secret: no URL, no
//! argument. Filled by the ways to deliver.

use std::time::Duration;

/// Why an event was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{receiver}: {problem}")]
pub struct NotifyError {
    /// A program's name, the host of a webhook, or `desktop`.
    pub receiver: String,
    /// The class of it.
    pub kind: NotifyErrorKind,
    /// What happened: a clause without secrets.
    pub problem: String,
    /// What to do about it.
    pub hint: &'static str,
    /// Whether the same event may be taken later, without anybody changing anything.
    pub passing: bool,
    /// How long the receiver wants to be left alone.
    pub wait: Option<Duration>,
}

impl NotifyError {
    /// A failure that will not pass.
    pub(super) fn lasting(
        receiver: &str,
        kind: NotifyErrorKind,
        problem: impl Into<String>,
        hint: &'static str,
    ) -> Self {
        Self {
            receiver: receiver.to_owned(),
            kind,
            problem: problem.into(),
            hint,
            passing: false,
            wait: None,
        }
    }

    /// A failure that may pass.
    pub(super) fn passing(
        receiver: &str,
        kind: NotifyErrorKind,
        problem: impl Into<String>,
        hint: &'static str,
    ) -> Self {
        Self {
            passing: true,
            ..Self::lasting(receiver, kind, problem, hint)
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

/// Classes of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotifyErrorKind {
    /// The program could not be started.
    NotStarted,
    /// The program ended with a status that is not 0.
    ExitStatus,
    /// The program was ended by a signal.
    Signal,
    /// Not done within the deadline.
    Timeout,
    /// The receiver asks to be asked again.
    TryAgain,
    /// Nobody answers.
    Unreachable,
    /// The receiver's certificate is not trusted.
    Untrusted,
    /// The receiver answered, and refused.
    Refused,
    /// The configuration does not hold.
    Misconfigured,
    /// There is no desktop to show anything.
    NoDesktop,
}

impl NotifyErrorKind {
    /// The stable word for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::ExitStatus => "exit_status",
            Self::Signal => "signal",
            Self::Timeout => "timeout",
            Self::TryAgain => "try_again",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
            Self::Refused => "refused",
            Self::Misconfigured => "misconfigured",
            Self::NoDesktop => "no_desktop",
        }
    }
}
