//! Which of our environment a program may see.
//!
//! Knows what credentials are called. Never passes them on by itself: the mailbox's password and the
//! log-in of a store are none of the program's business. The names that are passed all the same come from
//! the program's user.

use std::process::Command;

/// Parts of names that mean a credential.
const SECRET: [&str; 9] = [
    "TOKEN",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "CREDENTIAL",
    "ACCESS_KEY",
    "API_KEY",
    "PRIVATE_KEY",
];
/// Beginnings of names that are ours, or another store's.
const OURS: [&str; 6] = ["SFTOKEN_", "AWS_", "VAULT_", "BAO_", "AZURE_", "IDENTITY_"];

/// Takes every credential, and what is in `private`, out of the command's environment but for what is in `kept`.
pub(super) fn clean(command: &mut Command, private: &[String], kept: &[String]) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let held = |names: &[String]| names.iter().any(|name| *name == text);
        if (is_credential(&text) || held(private)) && !held(kept) {
            command.env_remove(&name);
        }
    }
}

fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    OURS.iter().any(|start| name.starts_with(start))
        || SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::is_credential;

    #[test]
    fn credentials_are_known_by_their_names() {
        for name in [
            "VAULT_TOKEN",
            "AWS_PROFILE",
            "SFTOKEN_CONFIG",
            "imap_password",
            "GH_TOKEN",
            "IDENTITY_HEADER",
            "CREDENTIALS_DIRECTORY",
        ] {
            assert!(is_credential(name), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "LANG",
            "GNUPGHOME",
            "XDG_RUNTIME_DIR",
            "DBUS_SESSION_BUS_ADDRESS",
        ] {
            assert!(!is_credential(name), "{name}");
        }
    }
}
