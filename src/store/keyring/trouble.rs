//! What goes wrong with keyrings, and what to do about each.
//!
//! Knows a sentence and a remedy for each trouble (facts, 1.3: what was seen). Never holds a secret:
//! errors of the libraries that carry values are told by name. Made from `keyring-core`'s errors.

use std::fmt;
use std::time::Duration;

use keyring_core::Error;

use crate::store::plain::plain;
use crate::store::{StoreError, StoreErrorKind as Kind};

/// What went wrong with a keyring.
#[derive(Debug)]
#[cfg_attr(
    any(target_os = "macos", windows),
    expect(dead_code, reason = "some troubles are the Secret Service's own")
)]
pub(super) enum Trouble {
    /// No session bus: cron, ssh, a container.
    NoBus,
    /// A bus, and nobody on it who keeps secrets.
    NoProvider,
    /// A provider without a default collection.
    NoCollection,
    /// Locked, and nobody may be asked.
    Locked,
    /// The dialog was dismissed or not answered, or could not be shown.
    Dismissed,
    /// Nothing came back in time.
    NoAnswer(Duration),
    /// The daemon holds its name on the bus and says nothing.
    Silent,
    /// The daemon does not know our session: it was started again.
    Forgotten,
    /// The platform refuses access.
    NoAccess(String),
    /// Read back, it was not what was written.
    Differs,
    /// The slot holds something else than a token.
    NoToken,
    /// Several entries in one slot, with different tokens.
    Disagree(usize),
    /// The operation's thread ended without an answer.
    Crashed,
    /// Something else, in the library's words.
    Other(String),
}

const COLLECTION: &str = "create a default keyring (seahorse: File, New, Password Keyring, then Set as default), or use age files";

const UNLOCK: &str = if cfg!(target_os = "macos") {
    "unlock the keychain: security unlock-keychain; over SSH it is locked, whoever is logged in"
} else {
    "unlock the keyring (log in to the desktop, or open seahorse), or run the command on a terminal, where it may ask"
};

impl Trouble {
    /// Whether a new session may help.
    pub(super) fn wants_new_session(&self) -> bool {
        matches!(
            self,
            Self::Forgotten | Self::Other(_) | Self::NoBus | Self::NoProvider
        )
    }

    /// As an error of the store `shown`.
    pub(super) fn told(&self, shown: &str) -> StoreError {
        StoreError::new(shown, self.kind(), self.to_string(), self.hint(shown))
    }

    fn kind(&self) -> Kind {
        match self {
            Self::NoBus | Self::NoProvider | Self::NoCollection => Kind::Unreachable,
            Self::Forgotten | Self::Crashed | Self::Other(_) => Kind::Unreachable,
            Self::Locked | Self::Dismissed => Kind::Locked,
            Self::NoAnswer(_) | Self::Silent => Kind::Timeout,
            Self::NoAccess(_) => Kind::Refused,
            Self::Differs | Self::NoToken | Self::Disagree(_) => Kind::Corrupt,
        }
    }

    fn hint(&self, shown: &str) -> String {
        match self {
            Self::NoBus => "run sftoken inside the desktop session, or set DBUS_SESSION_BUS_ADDRESS; on a machine without a desktop, use age files".to_owned(),
            Self::NoProvider => "install and start a keyring (gnome-keyring, KWallet or KeePassXC), or use age files".to_owned(),
            Self::NoCollection => COLLECTION.to_owned(),
            Self::Locked => UNLOCK.to_owned(),
            Self::Dismissed => "try again and answer the dialog; without a screen, unlock the keyring first".to_owned(),
            Self::NoAnswer(_) => "look for a dialog that waits for the keyring's password, answer it, and try again".to_owned(),
            Self::Silent => "restart the keyring's daemon (log out and in again)".to_owned(),
            Self::Forgotten => "try again; if it stays so, log out and in again".to_owned(),
            Self::NoAccess(_) => "allow sftoken to use the keyring, and try again".to_owned(),
            Self::Differs => "another program writes to the same entry: find it, and try again".to_owned(),
            Self::NoToken => format!("look at the entry in {shown}; if it is not wanted, remove it"),
            Self::Disagree(_) => format!("the next token goes into all of them; or remove all but one of the entries in {shown}"),
            Self::Crashed | Self::Other(_) => "try again; if it stays so, restart the keyring's daemon".to_owned(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBus => f.write_str("there is no D-Bus session bus, so no keyring can be reached"),
            Self::NoProvider => f.write_str("no program on the session bus keeps secrets"),
            Self::NoCollection => f.write_str("the keyring has no default collection"),
            Self::Locked => f.write_str("the keyring is locked, and nobody is there to unlock it"),
            Self::Dismissed => f.write_str("the keyring is locked, and the dialog to unlock it was dismissed, not answered, or could not be shown"),
            Self::NoAnswer(limit) => write!(f, "the keyring gave no answer within {} s", limit.as_secs_f32()),
            Self::Silent => f.write_str("the keyring's daemon does not answer"),
            Self::Forgotten => f.write_str("the keyring's daemon was restarted and does not take a new session"),
            Self::NoAccess(text) => write!(f, "the platform refuses access to the keyring: {text}"),
            Self::Differs => f.write_str("the keyring gave back something else than was written"),
            Self::NoToken => f.write_str("the keyring's entry holds something that is no token"),
            Self::Disagree(count) => write!(f, "{count} entries of the keyring stand for this account, with different tokens"),
            Self::Crashed => f.write_str("the keyring's library gave up"),
            Self::Other(text) => write!(f, "the keyring failed: {text}"),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::PlatformFailure(cause) => super::platform::trouble(cause, Self::Other),
            Error::NoStorageAccess(cause) => super::platform::trouble(cause, Self::NoAccess),
            // NOTE: these two carry the secret's bytes; not even their Debug is shown.
            Error::BadEncoding(_) | Error::BadDataFormat(..) => Self::NoToken,
            Error::Ambiguous(entries) => Self::Disagree(entries.len()),
            other => Self::Other(plain(&other.to_string())),
        }
    }
}

#[cfg(test)]
#[path = "trouble_tests.rs"]
mod tests;
