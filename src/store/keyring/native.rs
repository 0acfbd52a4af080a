//! macOS Keychain and Windows Credential Manager.
//!
//! Knows how their entries are built; NOTE: compiled for those targets only, and not yet run by our
//! tests. Never deals with locks: the system asks for itself, and the deadline bounds it. On macOS
//! the entry's access list is tied to the binary's signature; on Windows the blob is bounded (1280
//! characters), which is far above a token.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;

use keyring_core::Entry;
use keyring_core::api::CredentialStore;

use super::trouble::Trouble;
use crate::store::plain::plain;

/// The platform's store.
pub(super) struct Session {
    store: Arc<CredentialStore>,
}

impl Session {
    /// Opens the user's keychain or credential set.
    pub(super) fn open(_: u64) -> Result<Self, Trouble> {
        #[cfg(target_os = "macos")]
        let store = apple_native_keyring_store::keychain::Store::new()?;
        #[cfg(windows)]
        let store = windows_native_keyring_store::Store::new()?;
        Ok(Self { store })
    }

    /// Nothing can be asked without a dialog.
    #[expect(clippy::unused_self, reason = "the Secret Service asks its session")]
    pub(super) fn ready(&self, _: bool) -> Result<(), Trouble> {
        Ok(())
    }

    /// The slot's entry. On Windows it stays on this machine: the default would roam.
    pub(super) fn entry(&self, service: &str, username: &str, _: &str) -> Result<Entry, Trouble> {
        let modifiers = if cfg!(windows) {
            HashMap::from([("persistence", "Local")])
        } else {
            HashMap::new()
        };
        Ok(self.store.build(service, username, Some(&modifiers))?)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(native)")
    }
}

/// A platform error of `keyring-core`, in the library's words.
pub(super) fn trouble(
    cause: Box<dyn StdError + Send + Sync>,
    otherwise: fn(String) -> Trouble,
) -> Trouble {
    otherwise(plain(&cause.to_string()))
}
