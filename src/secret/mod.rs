//! Secrets by reference: the configuration names a place, never a password.
//!
//! Knows the five kinds of places, how to read each, and how to write two of them. Never shows what it
//! read: errors name the reference only. The keyring is an argument, because `store` owns it.

pub mod command;
mod lock;
mod resolve;
mod save;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub use lock::{SecretLock, lock};
pub use resolve::{Keyring, SecretError, Sources, resolve};
pub use save::{KeyringWriter, SaveError, check_file, save};

/// The forms of a reference, for remedies.
pub const FORMS: &str =
    "keyring:SERVICE/USER, env:NAME, file:PATH, command:ARGV or systemd:CREDENTIAL";

/// Where a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// An entry of the platform's keyring.
    Keyring {
        /// Service of the entry.
        service: String,
        /// User of the entry.
        user: String,
    },
    /// A variable of the environment.
    Env(String),
    /// A file that nobody else may read.
    File(PathBuf),
    /// The first line that a command prints; no shell.
    Command(Vec<String>),
    /// A credential that systemd hands to the unit.
    Systemd(String),
}

/// The service of a keyring entry that is named without one.
pub const DEFAULT_SERVICE: &str = "sftoken";

/// The text is not a reference. The text is not kept: it may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct NotAReference {
    problem: &'static str,
}

impl SecretRef {
    /// Reads a reference. A relative path is one beside `base`.
    ///
    /// # Errors
    /// When the text is none of the five forms. The error does not show the text.
    pub fn parse(text: &str, base: &Path) -> Result<Self, NotAReference> {
        let wrong = |problem| Err(NotAReference { problem });
        let Some((kind, rest)) = text.split_once(':') else {
            return wrong("the value is not a reference to a secret (it is not shown here)");
        };
        match kind {
            "keyring" | "env" | "file" | "command" | "systemd" if rest.trim().is_empty() => {
                wrong("nothing stands behind the colon of the reference")
            }
            "keyring" => Ok(keyring(rest)),
            "env" if rest.contains(['=', '\0']) => wrong("a variable's name holds no `=` or NUL"),
            "env" => Ok(Self::Env(rest.to_owned())),
            "file" => Ok(Self::File(base.join(rest))),
            "command" => command::split(rest).map(Self::Command),
            "systemd" if rest.contains('/') || rest.starts_with('.') => {
                wrong("a credential's name holds no slash and no dot in front")
            }
            "systemd" => Ok(Self::Systemd(rest.to_owned())),
            _ => wrong("the value is not a reference to a secret (it is not shown here)"),
        }
    }
}

impl NotAReference {
    pub(crate) const fn new(problem: &'static str) -> Self {
        Self { problem }
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        format!("write where the secret stands: {FORMS}")
    }
}

/// `SERVICE/USER` splits at the first slash; `NAME` alone is a user of the service `sftoken`.
fn keyring(rest: &str) -> SecretRef {
    let (service, user) = rest.split_once('/').unwrap_or((DEFAULT_SERVICE, rest));
    SecretRef::Keyring {
        service: service.to_owned(),
        user: user.to_owned(),
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring { service, user } => write!(f, "keyring:{service}/{user}"),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            // NOTE: arguments may hold more than the user wants to see in a log.
            Self::Command(argv) => write!(f, "command:{}", argv.first().map_or("", |a| a)),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}
