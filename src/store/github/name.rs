//! The name of a secret.
//!
//! Knows what GitHub takes as one, and how a username becomes a part of it. Never lets two usernames meet. Names
//! come from the store's URL.

use std::fmt::Write as _;

use crate::ingest::policy::Org;
use crate::store::Key;

const USERNAME: &str = "{username}";

/// A name, perhaps with `{username}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(String);

impl Name {
    /// Letters, digits and `_`, no digit first, not beginning with `GITHUB_` (GitHub's documentation of Actions'
    /// secrets). GitHub makes no difference between small and capital letters, so neither do we.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = text.replace(USERNAME, "_").to_ascii_uppercase();
        let fits = plain
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let begins = plain
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit());
        let free = !plain.starts_with("GITHUB_");
        let parts: Vec<String> = text.split(USERNAME).map(str::to_ascii_uppercase).collect();
        (fits && begins && free && !text.starts_with(USERNAME)).then(|| Self(parts.join(USERNAME)))
    }

    /// Whether it is the same for every account.
    pub(super) fn is_fixed(&self) -> bool {
        !self.0.contains(USERNAME)
    }

    /// The name for an account: `@` becomes `_40`, `.` becomes `_2E`; a letter stays, whatever its case, since
    /// Salesforce's usernames have none. A sandbox's has `_SANDBOX` behind it, where no escape can be.
    pub(super) fn fill(&self, key: &Key) -> String {
        let mut username = String::new();
        for byte in key.username.bytes() {
            if byte.is_ascii_alphanumeric() {
                username.push(char::from(byte.to_ascii_uppercase()));
            } else {
                let _ = write!(username, "_{byte:02X}");
            }
        }
        if key.org == Org::Sandbox {
            username.push_str("_SANDBOX");
        }
        self.0.replace(USERNAME, &username)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(name: &str, username: &str, org: Org) -> String {
        let username = username.to_owned();
        Name::parse(name).unwrap().fill(&Key { username, org })
    }

    #[test]
    fn a_username_becomes_a_name_of_its_own() {
        let ann = "ann.b@acme.example";
        let production = filled("sf_{username}", ann, Org::Production);
        assert_eq!(production, "SF_ANN_2EB_40ACME_2EEXAMPLE");
        assert_eq!(
            filled("sf_{username}", ann, Org::Sandbox),
            production + "_SANDBOX"
        );
        assert_eq!(filled("SF_TOKEN", ann, Org::Sandbox), "SF_TOKEN");
        let names = ["a_b@x", "a.b@x", "ab@x", "a_2eb@x"]
            .map(|username| filled("T_{username}", username, Org::Production));
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name}");
        }
    }

    #[test]
    fn what_github_does_not_take_is_no_name() {
        for name in [
            "",
            "1A",
            "GITHUB_TOKEN",
            "github_x",
            "A-B",
            "A B",
            "A/B",
            "{username}",
            "A{org}",
            "Ä",
        ] {
            assert_eq!(Name::parse(name), None, "{name}");
        }
        assert!(Name::parse("_A1").is_some());
    }
}
