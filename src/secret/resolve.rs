//! From a reference to the secret.
//!
//! Knows how each place is read. Never shows a value, and never keeps one. The surroundings (the
//! keyring, the environment, the credentials' folder) are arguments.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::{SecretRef, command};
use crate::ingest::secret::Secret;

/// How long a command may take: a password manager may ask for a touch, a person may not be there.
const COMMAND_DEADLINE: Duration = Duration::from_secs(30);
/// Largest file that is taken for a secret.
const MAX_FILE: usize = 64 * 1024;

/// Reads an entry (service, user) of the platform's keyring; `None` when there is no such entry.
pub type Keyring<'k> = &'k (dyn Fn(&str, &str) -> Result<Option<Secret>, String> + 'k);

/// What a reference may point into.
#[derive(Clone, Copy)]
pub struct Sources<'s> {
    /// The platform's keyring.
    pub keyring: Keyring<'s>,
    /// The environment.
    pub env: &'s dyn Fn(&str) -> Option<OsString>,
}

impl std::fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources")
    }
}

/// A reference that gave no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reference}: {problem}")]
pub struct SecretError {
    /// The reference.
    pub reference: String,
    /// What happened: a clause without secrets.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

/// Reads the secret that a reference names. May block: run it off the async threads.
///
/// # Errors
/// When nothing stands there, or it cannot be read, or others could read it too.
pub fn resolve(reference: &SecretRef, from: &Sources<'_>) -> Result<Secret, SecretError> {
    let found = match reference {
        SecretRef::Keyring { service, user } => keyring(service, user, from),
        SecretRef::Env(name) => variable(name, from),
        SecretRef::File(path) => private_file(path),
        SecretRef::Command(argv) => command::first_line(argv, COMMAND_DEADLINE)
            .map_err(|problem| (problem, "run the command by hand and see".to_owned())),
        SecretRef::Systemd(name) => credential(name, from),
    };
    found.map_err(|(problem, hint)| SecretError {
        reference: reference.to_string(),
        problem,
        hint,
    })
}

/// A clause and its remedy.
type Trouble = (String, String);

fn trouble(problem: &str, hint: &str) -> Trouble {
    (problem.to_owned(), hint.to_owned())
}

fn keyring(service: &str, user: &str, from: &Sources<'_>) -> Result<Secret, Trouble> {
    (from.keyring)(service, user)
        .map_err(|problem| (problem, "unlock the keyring, or use another reference".to_owned()))?
        .ok_or_else(|| {
            let store = format!(
                "store it first, as in: secret-tool store --label={service} service {service} username {user}"
            );
            ("the keyring has no such entry".to_owned(), store)
        })
}

fn variable(name: &str, from: &Sources<'_>) -> Result<Secret, Trouble> {
    let value = (from.env)(name)
        .ok_or_else(|| trouble("the variable is not set", "set it in sftoken's environment"))?;
    let value = value
        .into_string()
        .map_err(|_| trouble("the value is not UTF-8", "set it to text"))?;
    trimmed(&Zeroizing::new(value))
}

fn private_file(path: &Path) -> Result<Secret, Trouble> {
    let hint = "name a file that exists and that sftoken's user may read";
    let io = |error: std::io::Error| trouble(&format!("cannot be read: {}", error.kind()), hint);
    let file = File::open(path).map_err(io)?;
    // Asked of the open file, not of the path: what is checked is what is read.
    let about = file.metadata().map_err(io)?;
    if !about.is_file() {
        return Err(trouble("not a file", hint));
    }
    if readable_by_others(&about) {
        let remedy = format!("chmod 600 {}", path.display());
        return Err(("others may read the file".to_owned(), remedy));
    }
    content(file).map_err(io)?
}

fn content(file: File) -> std::io::Result<Result<Secret, Trouble>> {
    // Room for all of it at once: a text that grows leaves copies behind, which nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE + 1));
    file.take(MAX_FILE as u64).read_to_string(&mut text)?;
    Ok(trimmed(&text))
}

#[cfg(unix)]
fn readable_by_others(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    about.mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_about: &std::fs::Metadata) -> bool {
    false
}

/// systemd's folder is private to the unit, whatever the files' modes are (systemd.exec(5)).
fn credential(name: &str, from: &Sources<'_>) -> Result<Secret, Trouble> {
    let hint = format!("add LoadCredential={name}:PATH to the unit");
    let folder = (from.env)("CREDENTIALS_DIRECTORY").ok_or_else(|| {
        (
            "systemd handed over no credentials".to_owned(),
            hint.clone(),
        )
    })?;
    let file = File::open(PathBuf::from(folder).join(name));
    let text = file.and_then(content);
    text.map_err(|error| (format!("cannot be read: {}", error.kind()), hint))?
}

/// One trailing line end goes: editors and `echo` add it. White space stays: it may be meant.
fn trimmed(text: &str) -> Result<Secret, Trouble> {
    let value = text.strip_suffix('\n').unwrap_or(text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.is_empty() {
        return Err(trouble("the secret is empty", "put the secret there"));
    }
    Ok(Secret::new(value.to_owned()))
}
