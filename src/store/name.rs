//! The name of a secret, where few letters are allowed.
//!
//! Knows the rules of each such store, and how a username becomes a part of a name. Never lets two usernames meet.
//! Names come from a store's URL, the rest from the account.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

use super::Key;
use crate::ingest::policy::Org;

const USERNAME: &str = "{username}";
const ORG: &str = "{org}";

/// What a store takes as a name: ASCII letters and digits, and some more.
#[derive(Debug)]
pub(super) struct Rules {
    /// What may stand between them.
    pub(super) marks: &'static [u8],
    /// One of them: what an escape begins with.
    pub(super) escape: char,
    /// The longest name.
    pub(super) longest: usize,
    /// Small and capital letters are the same.
    pub(super) folds: bool,
}

/// A name, perhaps with `{username}` and `{org}` in it.
#[derive(Clone, Debug)]
pub(super) struct Name {
    text: String,
    rules: &'static Rules,
}

impl Name {
    /// `None`: the store takes no such name.
    pub(super) fn parse(text: &str, rules: &'static Rules) -> Option<Self> {
        let plain = text.replace(USERNAME, "a").replace(ORG, "a");
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || rules.marks.contains(&byte);
        let whole = !plain.is_empty() && plain.len() <= rules.longest && plain.bytes().all(fits);
        whole.then(|| Self {
            text: text.to_owned(),
            rules,
        })
    }

    /// The name for an account: all that is no letter or digit becomes an escape and two hex digits. A sandbox's
    /// username has `sandbox` behind it, where no escape can be, unless the name says the org; a long name is cut, and told
    /// apart by a hash.
    pub(super) fn fill(&self, key: &Key) -> String {
        let escape = self.rules.escape;
        let mut username = String::new();
        for byte in key.username.bytes() {
            if byte.is_ascii_alphanumeric() {
                username.push(char::from(byte));
            } else {
                let _ = write!(username, "{escape}{byte:02X}");
            }
        }
        if key.org == Org::Sandbox && !self.text.contains(ORG) {
            let _ = write!(username, "{escape}sandbox");
        }
        let mut filled = self.text.replace(USERNAME, &username);
        filled = filled.replace(ORG, key.org.as_str());
        if self.rules.folds {
            filled.make_ascii_lowercase();
        }
        self.shortened(filled)
    }

    fn shortened(&self, mut filled: String) -> String {
        if filled.len() > self.rules.longest {
            let hash = digest(&SHA256, filled.as_bytes());
            let hex = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}"));
            let (hex, escape) = (hex.collect::<String>(), self.rules.escape);
            filled.truncate(self.rules.longest - 18);
            let _ = write!(filled, "{escape}{escape}{hex}");
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Rules = Rules {
        marks: b"-_",
        escape: '_',
        longest: 60,
        folds: false,
    };
    const FOLDED: Rules = Rules {
        marks: b"-",
        escape: '-',
        longest: 60,
        folds: true,
    };

    fn filled(name: &str, rules: &'static Rules, username: &str, org: Org) -> String {
        let username = username.to_owned();
        Name::parse(name, rules)
            .unwrap()
            .fill(&Key { username, org })
    }

    #[test]
    fn a_username_becomes_a_name_that_can_be_read() {
        let ann = "Ann.b@acme.example";
        for (name, rules, org, expected) in [
            (
                "sf-{username}",
                &FREE,
                Org::Production,
                "sf-Ann_2Eb_40acme_2Eexample",
            ),
            (
                "SF-{username}",
                &FOLDED,
                Org::Production,
                "sf-ann-2eb-40acme-2eexample",
            ),
            (
                "{username}",
                &FOLDED,
                Org::Sandbox,
                "ann-2eb-40acme-2eexample-sandbox",
            ),
            (
                "{org}-{username}",
                &FOLDED,
                Org::Sandbox,
                "sandbox-ann-2eb-40acme-2eexample",
            ),
            ("one", &FREE, Org::Sandbox, "one"),
        ] {
            assert_eq!(filled(name, rules, ann, org), expected);
        }
    }

    #[test]
    fn no_two_usernames_meet() {
        let long = "x".repeat(80);
        let longer = format!("{long}x");
        let usernames = [
            "a_b@x",
            "a.b@x",
            "a-b@x",
            "ab@x",
            "a_5fb@x",
            "a-2eb@x",
            "a-sandbox",
            "a_sandbox",
            "a",
            "a/b",
            "a%b",
            "{org}",
            "ä@x",
            &long,
            &longer,
        ];
        for rules in [&FREE, &FOLDED] {
            let mut names: Vec<String> = usernames
                .iter()
                .flat_map(|name| [Org::Production, Org::Sandbox].map(|org| (name, org)))
                .map(|(name, org)| filled("t-{username}", rules, name, org))
                .collect();
            assert!(
                names.iter().all(|name| Name::parse(name, rules).is_some()),
                "{names:?}"
            );
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{names:?}");
        }
    }

    #[test]
    fn what_the_store_does_not_take_is_no_name() {
        let long = "x".repeat(61);
        for name in ["", "a b", "a/b", "a.b", "a@b", "{user}", "ä", &long] {
            assert!(Name::parse(name, &FREE).is_none(), "{name}");
        }
        assert!(Name::parse("a_b", &FREE).is_some());
        assert!(Name::parse("a_b", &FOLDED).is_none());
    }
}
