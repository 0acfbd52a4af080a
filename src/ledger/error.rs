//! Why the ledger did not do it.
//!
//! Knows classes of failure, each with a stable word and a remedy. Never holds a value of the ledger.
//! Made from SQLite's and the file system's errors.

use std::path::Path;

use rusqlite::ErrorCode;

use super::trail::TrailProblem;

/// Why the ledger did not do it.
#[derive(Debug, thiserror::Error)]
#[error("the ledger {path}: {problem}")]
pub struct LedgerError {
    /// The ledger's file.
    pub path: String,
    /// What happened: a clause.
    pub problem: String,
    /// The class of it.
    pub kind: LedgerErrorKind,
}

/// Classes of ledger errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerErrorKind {
    /// The file is not a ledger, or damaged.
    Corrupt,
    /// Another process held it for too long: try again.
    Busy,
    /// It cannot be written.
    ReadOnly,
    /// A newer version of this program has written it.
    Newer,
    /// The disk is full or broken.
    Io,
    /// The audit trail is not as it was written.
    Trail,
}

impl LedgerErrorKind {
    /// The stable word for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Corrupt => "ledger_corrupt",
            Self::Busy => "ledger_busy",
            Self::ReadOnly => "ledger_read_only",
            Self::Newer => "ledger_newer",
            Self::Io => "ledger_io",
            Self::Trail => "ledger_trail",
        }
    }
}

impl LedgerError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self.kind {
            LedgerErrorKind::Corrupt => format!(
                "move it away (mv '{0}' '{0}.broken') and start again: tokens stay in their stores, and mails are read again",
                self.path
            ),
            LedgerErrorKind::Busy => "another sftoken holds it: try again".to_owned(),
            LedgerErrorKind::ReadOnly => {
                "check the owner and the permissions of the file and its folder".to_owned()
            }
            LedgerErrorKind::Newer => "update sftoken on this machine".to_owned(),
            LedgerErrorKind::Io => "check the disk and its free space".to_owned(),
            LedgerErrorKind::Trail => {
                "keep a copy of the file as it is, and see what sftoken history --check says"
                    .to_owned()
            }
        }
    }

    pub(super) fn new(path: &Path, kind: LedgerErrorKind, problem: impl Into<String>) -> Self {
        Self {
            path: path.display().to_string(),
            problem: problem.into(),
            kind,
        }
    }

    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, ToSqlConversionFailure};
        if let FromSqlConversionFailure(_, _, inner) | ToSqlConversionFailure(inner) = error
            && let Some(problem) = inner.downcast_ref::<TrailProblem>()
        {
            return Self::new(path, LedgerErrorKind::Trail, problem.to_string());
        }
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => LedgerErrorKind::Corrupt,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerErrorKind::Busy,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                LedgerErrorKind::ReadOnly
            }
            // A table or column that is missing, or holds what we never wrote.
            Some(ErrorCode::Unknown) | None => LedgerErrorKind::Corrupt,
            Some(_) => LedgerErrorKind::Io,
        };
        Self::new(path, kind, error.to_string())
    }

    pub(super) fn io(path: &Path, doing: &str, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                LedgerErrorKind::ReadOnly
            }
            _ => LedgerErrorKind::Io,
        };
        Self::new(path, kind, format!("cannot {doing}: {error}"))
    }
}
