//! The Secret Service over D-Bus: GNOME Keyring, KWallet, KeePassXC.
//!
//! Knows the default collection, and whether it is locked, without a dialog. Never opens one unless
//! it may, and takes it away after the deadline. Errors of D-Bus are told apart by their names.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;

use dbus_secret_service::{EncryptionType, Error, SecretService};
use keyring_core::Entry;
use keyring_core::api::CredentialStore;

use super::trouble::Trouble;
use crate::store::plain::plain;

/// Two connections: one to ask about locks, and `keyring-core`'s, encrypted, for the secrets.
pub(super) struct Session {
    probe: SecretService,
    store: Arc<CredentialStore>,
}

impl Session {
    /// Connects. `patience`: seconds after which an unanswered dialog is taken away.
    pub(super) fn open(patience: u64) -> Result<Self, Trouble> {
        let plain = EncryptionType::Plain; // NOTE: no secret goes over this one.
        let probe = SecretService::connect_with_max_prompt_timeout(plain, patience)
            .map_err(|error| told(&error, Trouble::Other))?;
        let store = dbus_secret_service_keyring_store::Store::new()?;
        Ok(Self { probe, store })
    }

    /// That there is a default collection, unlocked. A bare "no entry" would not tell: a daemon
    /// without any collection says the same (facts, 1.3).
    pub(super) fn ready(&self, interactive: bool) -> Result<(), Trouble> {
        let fail = |error: Error| told(&error, Trouble::Other);
        let collection = self.probe.get_default_collection().map_err(fail)?;
        match collection.is_locked().map_err(fail)? {
            false => Ok(()),
            true if interactive => collection.unlock().map_err(fail),
            true => Err(Trouble::Locked),
        }
    }

    /// The slot's entry, with a label for the keyring's own window.
    pub(super) fn entry(
        &self,
        service: &str,
        username: &str,
        label: &str,
    ) -> Result<Entry, Trouble> {
        let modifiers = HashMap::from([("label", label)]);
        Ok(self.store.build(service, username, Some(&modifiers))?)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(Secret Service)")
    }
}

/// What a platform error of `keyring-core` means; `otherwise` says it in the library's words.
pub(super) fn trouble(
    cause: Box<dyn StdError + Send + Sync>,
    otherwise: fn(String) -> Trouble,
) -> Trouble {
    match cause.downcast_ref::<Error>() {
        Some(error) => told(error, otherwise),
        None => otherwise(plain(&cause.to_string())),
    }
}

fn told(error: &Error, otherwise: fn(String) -> Trouble) -> Trouble {
    match error {
        Error::Dbus(dbus) => {
            let name = dbus.name().unwrap_or_default();
            let text = dbus.message().unwrap_or_default();
            by_name(name, text).unwrap_or_else(|| otherwise(plain(&format!("{name}: {text}"))))
        }
        Error::Locked => Trouble::Locked,
        Error::Prompt => Trouble::Dismissed,
        Error::NoResult => Trouble::NoCollection,
        Error::Unavailable => Trouble::NoProvider,
        other => otherwise(plain(&other.to_string())),
    }
}

/// D-Bus error names as seen (facts, 1.3) and as libdbus documents them.
fn by_name(name: &str, text: &str) -> Option<Trouble> {
    let client_side = text.contains("autolaunch") || text.contains("dbus-launch");
    let short = name
        .strip_prefix("org.freedesktop.DBus.Error.")
        .or_else(|| name.strip_prefix("org.freedesktop.Secret.Error."));
    match short? {
        "FileNotFound" | "NoServer" | "BadAddress" | "NotSupported" => Some(Trouble::NoBus),
        start if start.starts_with("Spawn.") && client_side => Some(Trouble::NoBus),
        start if start.starts_with("Spawn.") => Some(Trouble::NoProvider),
        "ServiceUnknown" | "NameHasNoOwner" => Some(Trouble::NoProvider),
        "NoSession" | "Disconnected" | "UnknownObject" => Some(Trouble::Forgotten),
        "NoReply" | "Timeout" | "TimedOut" => Some(Trouble::Silent),
        "IsLocked" => Some(Trouble::Locked),
        _ => None,
    }
}
