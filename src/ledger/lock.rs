//! One writer for each slot, across threads and processes.
//!
//! Knows lock files beside the ledger, which the system releases when their holder dies, however it
//! dies. Never deletes one: another process may be waiting on it. Slots are named by the stores.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use ring::digest::{SHA256, digest};

use super::Ledger;
use super::error::LedgerError;

/// The right to write one slot, until it is dropped.
#[derive(Debug)]
#[must_use = "the slot is locked only as long as this lives"]
pub struct SlotLock(#[expect(dead_code, reason = "held, then dropped")] Held);

#[derive(Debug)]
#[expect(dead_code, reason = "held, then dropped")]
enum Held {
    File(File),
    Memory(Claim),
}

/// Where locks are kept.
#[derive(Debug)]
pub(super) enum Locks {
    /// A folder of lock files.
    Folder(PathBuf),
    /// For a ledger in memory, which no other process can reach.
    Memory(Arc<Claims>),
}

/// The slots that are locked now, and the bell that rings when one is free again.
#[derive(Debug, Default)]
pub(super) struct Claims {
    taken: Mutex<HashSet<String>>,
    freed: Condvar,
}

#[derive(Debug)]
struct Claim {
    name: String,
    claims: Arc<Claims>,
}

impl Ledger {
    /// Waits until nobody else writes `slot`, in this process or another, and keeps it for the
    /// caller. Blocks the thread, as long as another put takes; a holder that was killed holds
    /// nothing.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn lock(&self, slot: &str) -> Result<SlotLock, LedgerError> {
        self.locks.take(&self.path, slot)
    }

    /// Like [`lock`](Self::lock), but `None` at once when somebody else has it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn try_lock(&self, slot: &str) -> Result<Option<SlotLock>, LedgerError> {
        self.locks.try_take(&self.path, slot)
    }
}

impl Locks {
    pub(super) fn beside(ledger: &Path) -> Self {
        let mut name = ledger.file_name().unwrap_or_default().to_os_string();
        name.push(".locks");
        Self::Folder(ledger.with_file_name(name))
    }

    pub(super) fn in_memory() -> Self {
        Self::Memory(Arc::default())
    }

    pub(super) fn take(&self, ledger: &Path, name: &str) -> Result<SlotLock, LedgerError> {
        match self {
            Self::Folder(folder) => {
                let locked = lock_file(folder, name).and_then(|file| {
                    file.lock()?;
                    Ok(file)
                });
                locked
                    .map(|file| SlotLock(Held::File(file)))
                    .map_err(|error| LedgerError::io(ledger, "lock it", &error))
            }
            Self::Memory(claims) => Ok(claims.wait_for(name)),
        }
    }

    fn try_take(&self, ledger: &Path, name: &str) -> Result<Option<SlotLock>, LedgerError> {
        let fail = |error: io::Error| LedgerError::io(ledger, "lock it", &error);
        match self {
            Self::Folder(folder) => {
                let file = lock_file(folder, name).map_err(fail)?;
                match file.try_lock() {
                    Ok(()) => Ok(Some(SlotLock(Held::File(file)))),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => Err(fail(error)),
                }
            }
            Self::Memory(claims) => {
                let free = claims.taken().insert(name.to_owned());
                Ok(free.then(|| claims.claimed(name)))
            }
        }
    }
}

impl Claims {
    fn taken(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(self: &Arc<Self>, name: &str) -> SlotLock {
        let taken = self
            .freed
            .wait_while(self.taken(), |taken| taken.contains(name));
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        taken.insert(name.to_owned());
        self.claimed(name)
    }

    fn claimed(self: &Arc<Self>, name: &str) -> SlotLock {
        SlotLock(Held::Memory(Claim {
            name: name.to_owned(),
            claims: Arc::clone(self),
        }))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.taken().remove(&self.name);
        self.claims.freed.notify_all();
    }
}

/// The lock file of a name; a slot's URL may hold any letters, its hash does not.
fn lock_file(folder: &Path, name: &str) -> io::Result<File> {
    make_private_folder(folder)?;
    let hash = digest(&SHA256, name.as_bytes());
    let hex = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join(hex.collect::<String>()))
}

pub(super) fn make_private_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
