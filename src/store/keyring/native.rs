//! macOS Keychain and Windows Credential Manager.
//!
//! Knows how their entries are built and what their refusals mean; NOTE: compiled for those targets by CI, and
//! not yet run on either by our tests. Never deals with locks: the system asks for itself, and the deadline
//! bounds it. On macOS the entry's access list is tied to the binary's signature; on Windows an entry takes
//! 2560 bytes, 1280 letters in its UTF-16, which is far above a token.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;

use keyring_core::Entry;
use keyring_core::api::CredentialStore;

#[cfg(target_os = "macos")]
use security_framework::base::Error as SecurityError;

use super::trouble::Trouble;
use crate::store::plain::plain;

/// Locked, and nobody may be asked: over SSH, in a daemon. This and the next: Security/SecBase.h.
#[cfg(target_os = "macos")]
const INTERACTION_NOT_ALLOWED: i32 = -25308;
/// The dialog was dismissed.
#[cfg(target_os = "macos")]
const USER_CANCELED: i32 = -128;
/// A wrong password, or "deny" in the dialog.
#[cfg(target_os = "macos")]
const AUTH_FAILED: i32 = -25293;

/// The platform's store.
pub(super) struct Session {
    store: Arc<CredentialStore>,
}

impl Session {
    /// Opens the user's keychain or credential set.
    pub(super) fn open(_: u64) -> Result<Self, Trouble> {
        #[cfg(target_os = "macos")]
        let store = apple_native_keyring_store::keychain::Store::new()?;
        // `USERNAME@SERVICE`, where Python's `keyring` looks as well (its backends/Windows.py); the default
        // is `USERNAME.SERVICE`.
        #[cfg(windows)]
        let store =
            windows_native_keyring_store::Store::new_with_configuration(&HashMap::from([(
                "divider", "@",
            )]))?;
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

/// What a platform error of `keyring-core` means; `otherwise` says it in the library's words.
pub(super) fn trouble(
    cause: Box<dyn StdError + Send + Sync>,
    otherwise: fn(String) -> Trouble,
) -> Trouble {
    #[cfg(target_os = "macos")]
    match cause
        .downcast_ref()
        .map(|error: &SecurityError| error.code())
    {
        Some(INTERACTION_NOT_ALLOWED) => return Trouble::Locked,
        Some(USER_CANCELED | AUTH_FAILED) => return Trouble::Dismissed,
        _ => {}
    }
    otherwise(plain(&cause.to_string()))
}
