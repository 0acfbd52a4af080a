//! One at a time: whoever reads a secret, and puts the next one in its place.
//!
//! Knows lock files, which the system releases when their holder dies, however it dies. Never deletes one:
//! another process may be waiting on it. The folder for places that are no files comes from the caller.

use std::fmt::Write as _;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};

use super::{SecretError, SecretRef};

/// The right to replace a secret, until it is dropped.
#[derive(Debug)]
#[must_use = "the secret is locked only as long as this lives"]
pub struct SecretLock(#[expect(dead_code, reason = "held, then dropped")] Option<File>);

/// How long another one may take: a provider has 30 s for its answer, and few processes share a secret.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the lock is asked for: no system lets a thread wait for it with an end.
const AGAIN: Duration = Duration::from_millis(50);

/// Waits until nobody else, in this process or another, replaces the secret. Blocks, for a minute at most:
/// run it off the async threads. Where nothing can be written there is nothing to lock.
///
/// # Errors
/// When another one holds it all the time.
pub fn lock(reference: &SecretRef, folder: Option<&Path>) -> Result<SecretLock, SecretError> {
    lock_within(reference, folder, PATIENCE)
}

fn lock_within(
    reference: &SecretRef,
    folder: Option<&Path>,
    patience: Duration,
) -> Result<SecretLock, SecretError> {
    let Some(path) = lock_file(reference, folder) else {
        return Ok(SecretLock(None));
    };
    let file = match open(&path) {
        Ok(file) => file,
        Err(error) => {
            // nor can a new secret be saved there: that is told when it is tried
            tracing::debug!(file = %path.display(), "not locked: {error}");
            return Ok(SecretLock(None));
        }
    };
    let end = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(SecretLock(Some(file))),
            Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(AGAIN),
            Err(TryLockError::WouldBlock) => return Err(held(reference, &path)),
            // a file system without locks: as good as it gets
            Err(TryLockError::Error(error)) => {
                tracing::debug!(file = %path.display(), "not locked: {error}");
                return Ok(SecretLock(None));
            }
        }
    }
}

fn held(reference: &SecretRef, path: &Path) -> SecretError {
    SecretError {
        reference: reference.to_string(),
        problem: "another program has been replacing it for a minute".to_owned(),
        hint: format!(
            "see which one holds {}, and whether it hangs: `fuser {0}`",
            path.display()
        ),
    }
}

/// Beside a file, so that whoever shares the file shares the lock; else by a hash of the reference.
fn lock_file(reference: &SecretRef, folder: Option<&Path>) -> Option<PathBuf> {
    match reference {
        SecretRef::File(path) => {
            let mut name = std::ffi::OsString::from(".");
            name.push(path.file_name()?);
            name.push(".lock");
            Some(path.with_file_name(name))
        }
        SecretRef::Keyring { .. } => {
            let hash = digest(&SHA256, reference.to_string().as_bytes());
            let mut name = String::new();
            for byte in hash.as_ref().iter().take(16) {
                // writing to a String cannot fail
                let _ = write!(name, "{byte:02x}");
            }
            Some(folder?.join("secrets.locks").join(name))
        }
        SecretRef::Env(_) | SecretRef::Command(_) | SecretRef::Systemd(_) => None,
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(120);

    fn references(home: &Path) -> [SecretRef; 2] {
        let keyring = SecretRef::Keyring {
            service: "sftoken".to_owned(),
            user: "ops".to_owned(),
        };
        [SecretRef::File(home.join("refresh")), keyring]
    }

    #[test]
    fn a_second_one_waits_until_the_first_is_done() {
        let home = tempfile::tempdir().unwrap();
        for reference in references(home.path()) {
            let first = lock(&reference, Some(home.path())).unwrap();
            let error = lock_within(&reference, Some(home.path()), SOON).unwrap_err();
            assert!(error.problem.contains("another program"), "{error}");
            let waiting = std::thread::spawn({
                let (reference, home) = (reference.clone(), home.path().to_owned());
                move || lock(&reference, Some(&home)).map(drop)
            });
            assert!(!waiting.is_finished());
            drop(first);
            waiting.join().unwrap().unwrap();
        }
    }

    #[test]
    fn what_cannot_be_written_is_not_locked() {
        let home = tempfile::tempdir().unwrap();
        let env = SecretRef::Env("X".to_owned());
        let missing = SecretRef::File("/proc/self/none/refresh".into());
        for reference in [env, missing] {
            let _first = lock(&reference, Some(home.path())).unwrap();
            let _second = lock_within(&reference, Some(home.path()), SOON).unwrap();
        }
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
