//! How the program ends: one table of exit statuses.
//!
//! Knows each status and its meaning (tests hold the README against it). Never prints. The ends come
//! from the commands.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Failed, or could not know.
    Failed,
    /// The command line or the configuration cannot be used.
    Usage,
    /// Nothing found, or not in time.
    Nothing,
    /// A mail claimed to be a token mail and was refused.
    Refused,
    /// The mailbox is unreachable, or the log-in was refused.
    Mailbox,
    /// The store is unreachable, locked or refusing.
    Store,
    /// The token does not log in.
    Verification,
    /// The child's own status.
    Child(u8),
    /// Ended by a signal.
    Signal(u8),
}

/// The table, as `--help` shows it; tests hold [`Exit::code`] and the README against it.
pub(crate) const HELP: &str = "\
Exit status:
  0      done
  1      failed
  2      usage or configuration
  3      nothing found, or not in time
  4      a mail claimed to be one and was refused
  5      mailbox unreachable or log-in refused
  6      store unreachable, locked or refusing
  7      the token does not log in
  128+n  ended by signal n; a command behind `--` that fails gives its own";

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Nothing => 3,
            Self::Refused => 4,
            Self::Mailbox => 5,
            Self::Store => 6,
            Self::Verification => 7,
            Self::Child(status) => status,
            Self::Signal(signal) => 128_u8.saturating_add(signal),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the program ends.
    pub(crate) exit: Exit,
    /// What happened: a clause; empty when there is nothing to say.
    pub(crate) problem: String,
    /// What to do about it; may be empty.
    pub(crate) hint: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, problem: impl ToString, hint: impl ToString) -> Self {
        Self {
            exit,
            problem: problem.to_string(),
            hint: hint.to_string(),
        }
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::new(Exit::Usage, &error, error.hint())
    }
}

/// SIGPIPE; Rust ignores it, and gives an error instead.
const SIGPIPE: u8 = 13;

/// Whoever read standard output has gone: end quietly, as programs do that die of SIGPIPE.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::new(Exit::Signal(SIGPIPE), "", ""),
            _ => Self::new(
                Exit::Failed,
                format!("cannot write to standard output: {error}"),
                "check the disk that it is redirected to",
            ),
        }
    }
}
