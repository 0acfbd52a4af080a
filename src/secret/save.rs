//! A secret put back where its reference says.
//!
//! Knows which places can be written, and that a write is whole or not at all. Never writes to a place that
//! others could read, and never shows a value. The keyring is an argument, as for reading.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{SecretError, SecretRef};
use crate::ingest::secret::{Secret, joined};

/// Writes an entry (service, user) of the platform's keyring, and reads it back.
pub type KeyringWriter<'k> = &'k (dyn Fn(&str, &str, &Secret) -> Result<(), String> + 'k);

/// Why a secret was not saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// Such a place is never written.
    #[error("{reference} can only be read")]
    ReadOnly {
        /// The reference.
        reference: String,
    },
    /// It failed; what was there is there still.
    #[error(transparent)]
    Failed(SecretError),
}

impl SaveError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::ReadOnly { .. } => "use keyring:SERVICE/USER or file:PATH",
            Self::Failed(error) => &error.hint,
        }
    }
}

impl SecretRef {
    /// Whether [`save`] can write such a place.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        matches!(self, Self::Keyring { .. } | Self::File(_))
    }
}

/// Puts a secret where the reference says, and reads it back. May block: run it off the async threads.
///
/// # Errors
/// When the place cannot be written, now or ever.
pub fn save(
    reference: &SecretRef,
    secret: &Secret,
    keyring: KeyringWriter<'_>,
) -> Result<(), SaveError> {
    let saved = match reference {
        SecretRef::Keyring { service, user } => keyring(service, user, secret).map_err(|problem| {
            (
                problem,
                "unlock the keyring, or use another reference".to_owned(),
            )
        }),
        SecretRef::File(path) => private_file(path, secret),
        SecretRef::Env(_) | SecretRef::Command(_) | SecretRef::Systemd(_) => {
            return Err(SaveError::ReadOnly {
                reference: reference.to_string(),
            });
        }
    };
    saved.map_err(|(problem, hint)| {
        SaveError::Failed(SecretError {
            reference: reference.to_string(),
            problem,
            hint,
        })
    })
}

/// Whether a file could be saved now, told before somebody takes trouble for its content. Of other places
/// nothing can be told here.
///
/// # Errors
/// As [`save`].
pub fn check_file(reference: &SecretRef) -> Result<(), SaveError> {
    let SecretRef::File(path) = reference else {
        return Ok(());
    };
    let tried = real(path).and_then(|path| new_file(&folder_of(&path)));
    tried.map(drop).map_err(|error| {
        let (problem, hint) = told(path, &error);
        SaveError::Failed(SecretError {
            reference: reference.to_string(),
            problem,
            hint,
        })
    })
}

fn private_file(path: &Path, secret: &Secret) -> Result<(), (String, String)> {
    replace(path, secret).map_err(|error| told(path, &error))
}

fn told(path: &Path, error: &io::Error) -> (String, String) {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let hint = format!(
        "let sftoken's user write in the folder {}: the file is replaced whole",
        folder.display()
    );
    (format!("cannot be written: {}", error.kind()), hint)
}

/// Puts a secret into a file that only its owner may read, and reads it back.
fn replace(path: &Path, secret: &Secret) -> io::Result<()> {
    let text = joined(&[secret.expose(), "\n"]);
    write_private(path, text.as_bytes())
}

/// Writes a file that only its owner may read, whole or not at all: a new one beside the old one, synced, and
/// renamed over it, so that a crash leaves one of the two. A link is followed, so that it stays one.
///
/// # Errors
/// When the folder cannot be written to, or something else than `content` is read back.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = real(path)?;
    let folder = folder_of(&path);
    let mut file = new_file(&folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    sync(&folder)?;
    read_back(&path, content)
}

/// The file behind a link.
fn real(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        real => real,
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// For its owner alone, as tempfile makes it.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sftoken-").tempfile_in(folder)
}

/// A rename lasts once its folder is on the disk (fsync(2)).
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn read_back(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut found = Zeroizing::new(Vec::with_capacity(content.len() + 1));
    File::open(path)?
        .take(content.len() as u64 + 1)
        .read_to_end(&mut found)?;
    match *found == content {
        true => Ok(()),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
