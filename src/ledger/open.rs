//! The ledger's file: made privately, brought to the present schema, shared safely.
//!
//! Knows SQLite's settings and the schema's versions. Never opens a ledger that a newer program has
//! written. The path comes from the caller.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::error::{LedgerError, LedgerErrorKind};
use super::lock::Locks;
use super::trail;

/// A write takes milliseconds; ten seconds of waiting mean that something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// Each step brings a ledger from the version of its index to the next. Never edit one that was
/// released: add another.
const STEPS: [&str; 5] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];
/// The step that brought the audit trail: what was decided before is taken over into it.
const TRAIL_STEP: u32 = 4;

/// What happened, and what is newest. Any number of threads and processes may share the file.
#[derive(Debug)]
pub struct Ledger {
    pub(super) path: PathBuf,
    pub(super) locks: Locks,
    connection: Mutex<Connection>,
}

impl Ledger {
    /// Opens the ledger at `path`; makes it (0600) and its folder (0700) where there is none.
    ///
    /// # Errors
    /// When it cannot be read or written, is damaged, or was written by a newer program.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, LedgerError> {
        let path = path.into();
        let locks = Locks::beside(&path);
        make_private(&path).map_err(|error| LedgerError::io(&path, "make it", &error))?;
        // NOTE: SQLite answers "busy" at once, without waiting, when two processes switch a new file
        // to WAL (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode").
        let opening = locks.take(&path, "open")?;
        let connection = Connection::open_with_flags(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        );
        let connection = connection.map_err(|error| LedgerError::sqlite(&path, &error))?;
        let ledger = Self::prepare(path, locks, connection)?;
        drop(opening);
        Ok(ledger)
    }

    /// A ledger that lives as long as the value, for tests and for `replay` without state.
    ///
    /// # Errors
    /// When SQLite has no memory.
    pub fn in_memory() -> Result<Self, LedgerError> {
        let path = PathBuf::from(":memory:");
        let connection = Connection::open_in_memory();
        let connection = connection.map_err(|error| LedgerError::sqlite(&path, &error))?;
        Self::prepare(path, Locks::in_memory(), connection)
    }

    fn prepare(path: PathBuf, locks: Locks, connection: Connection) -> Result<Self, LedgerError> {
        let ledger = Self {
            path,
            locks,
            connection: Mutex::new(connection),
        };
        ledger.read(|connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A committed receipt survives a power cut.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "foreign_keys", true)?;
            // What retention removes is overwritten, not only forgotten.
            connection.pragma_update(None, "secure_delete", true)
        })?;
        ledger.migrate()?;
        Ok(ledger)
    }

    fn migrate(&self) -> Result<(), LedgerError> {
        let found = self.write(|ledger| {
            let found: u32 = ledger.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for (version, step) in (1..).zip(STEPS) {
                if version <= found {
                    continue;
                }
                ledger.execute_batch(step)?;
                if version == TRAIL_STEP {
                    trail::take_over(ledger, found)?;
                }
                ledger.pragma_update(None, "user_version", version)?;
            }
            Ok(found)
        })?;
        let known = (1..).zip(STEPS).last().map_or(0, |(version, _)| version);
        if found <= known {
            return Ok(());
        }
        let problem = format!("it has schema version {found}, and this program knows {known}");
        Err(LedgerError::new(
            &self.path,
            LedgerErrorKind::Newer,
            problem,
        ))
    }

    /// Does `work` with the connection.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(|error| LedgerError::sqlite(&self.path, &error))
    }

    /// Does `work` in one transaction that has the right to write from its start, so that what it
    /// reads is still true when it writes.
    pub(super) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let done = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .and_then(|transaction| {
                let value = work(&transaction)?;
                transaction.commit()?;
                Ok(value)
            });
        done.map_err(|error| LedgerError::sqlite(&self.path, &error))
    }
}

fn make_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        super::lock::make_private_folder(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            fs::metadata(path).map(drop)
        }
        outcome => outcome.map(drop),
    }
}
