//! The key of a token in a Secret, and the name of its annotation.
//!
//! Knows what Kubernetes takes as a key, and how a username becomes one. Never lets two usernames meet. Keys come
//! from the store's URL.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

use crate::ingest::policy::Org;
use crate::store::Key;

const USERNAME: &str = "{username}";
/// What an annotation's name may have (Kubernetes' documentation of annotations), less what stands before the key.
const LONGEST: usize = 63 - "key.".len();

/// A key, perhaps with `{username}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyName(String);

impl KeyName {
    /// Letters, digits, `-`, `_` and `.`, with a letter or digit at its ends, so that it fits in an annotation's name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = text.replace(USERNAME, "a");
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let ends = [plain.bytes().next(), plain.bytes().next_back()];
        let fits = plain.bytes().all(inner) && plain.len() <= LONGEST;
        let closed = ends
            .into_iter()
            .all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphanumeric()));
        (fits && closed).then(|| Self(text.to_owned()))
    }

    /// The key of an account: `@` becomes `_40`, and so does all that is no letter, digit or dot. A sandbox's
    /// username has `_sandbox` behind it, where no escape can be; a long key is cut, and told apart by a hash.
    pub(super) fn fill(&self, key: &Key) -> String {
        let mut username = String::new();
        let dots = !key.username.starts_with('.') && !key.username.ends_with('.');
        for byte in key.username.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'.' && dots {
                username.push(char::from(byte));
            } else {
                let _ = write!(username, "_{byte:02X}");
            }
        }
        if key.org == Org::Sandbox {
            username.push_str("_sandbox");
        }
        let mut filled = self.0.replace(USERNAME, &username);
        if filled.len() > LONGEST {
            let hash = digest(&SHA256, filled.as_bytes());
            let hex = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}"));
            filled.truncate(LONGEST - 18);
            filled = format!("{filled}__{}", hex.collect::<String>());
        }
        filled
    }

    /// The annotation that says where a key's token came from.
    pub(super) fn annotation(key: &str) -> String {
        format!("sftoken/key.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(name: &str, username: &str, org: Org) -> String {
        let username = username.to_owned();
        KeyName::parse(name).unwrap().fill(&Key { username, org })
    }

    #[test]
    fn a_username_becomes_a_key_of_its_own() {
        let ann = "ann@acme.example";
        assert_eq!(
            filled("{username}", ann, Org::Production),
            "ann_40acme.example"
        );
        assert_eq!(
            filled("{username}", ann, Org::Sandbox),
            "ann_40acme.example_sandbox"
        );
        assert_eq!(filled("token", ann, Org::Sandbox), "token");
        let long = "x".repeat(80);
        let longer = format!("{long}x");
        let usernames = [
            "a_b@x", "a.b@x", "a-b@x", "a_5Fb@x", "", ".", "..", "a/b", "_sandbox", &long, &longer,
        ];
        let keys: Vec<String> = usernames
            .iter()
            .flat_map(|name| {
                [Org::Production, Org::Sandbox].map(|org| filled("t.{username}.t", name, org))
            })
            .collect();
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{key}");
            assert!(KeyName::parse(key).is_some(), "{key}");
        }
    }

    #[test]
    fn what_kubernetes_does_not_take_is_no_key() {
        let long = "x".repeat(LONGEST + 1);
        for name in [
            "", "a b", "a/b", "-a", "a-", ".", "..", "a@b", "{org}", "ä", &long,
        ] {
            assert_eq!(KeyName::parse(name), None, "{name}");
        }
    }
}
