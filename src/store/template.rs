//! A path with `{username}` and `{org}` in it.
//!
//! Knows the placeholders, and that two accounts never meet in one path by accident. Never lets a username
//! climb out of its segment. Paths come from a store's URL, the rest from the account.

use super::Key;
use super::StoreError;
use super::address::Address;
use crate::ingest::policy::Org;

const USERNAME: &str = "{username}";
const ORG: &str = "{org}";

/// A path, to be filled in for each account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(String);

impl Template {
    /// Takes a path whose only braces are placeholders.
    pub(super) fn parse(text: &str, address: &Address) -> Result<Self, StoreError> {
        let plain = text.replace(USERNAME, "").replace(ORG, "");
        if plain.contains(['{', '}']) {
            let problem = "a placeholder in the store's URL is unknown";
            return Err(address.wrong(problem, "known are {username} and {org}"));
        }
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if text.split('/').any(odd) || text.contains(char::is_control) {
            let problem = "a part of the path in the store's URL is empty, or has dots only";
            return Err(address.wrong(problem, "write it as in secret/salesforce/{username}"));
        }
        Ok(Self(text.to_owned()))
    }

    #[cfg(any(feature = "vault", test))]
    /// The path of an account. As in other stores, a sandbox's is told apart, unless the path says its org.
    pub(super) fn fill(&self, key: &Key) -> String {
        let mut username = super::address::escape(&key.username);
        if let Some(rest) = username.strip_prefix('.') {
            username = format!("%2E{rest}");
        }
        self.fill_with(key, username, "~sandbox")
    }

    /// The same, where a username is spelled otherwise: without braces. `sandbox` comes behind it.
    pub(super) fn fill_with(&self, key: &Key, mut username: String, sandbox: &str) -> String {
        if key.org == Org::Sandbox && !self.0.contains(ORG) {
            username.push_str(sandbox);
        }
        // NOTE: a username holds no brace once it is escaped, so nothing is filled in twice.
        self.0
            .replace(USERNAME, &username)
            .replace(ORG, key.org.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::in_url;
    use super::*;

    #[track_caller]
    fn check(path: &str, username: &str, org: Org, filled: &str) {
        let address = Address::parse("vault://host/x").unwrap();
        let key = Key {
            username: username.to_owned(),
            org,
        };
        let template = Template::parse(path, &address).unwrap();
        assert_eq!(template.fill(&key), filled);
    }

    #[test]
    fn each_account_has_its_path() {
        let ann = "ann@acme.example";
        check("kv/{username}", ann, Org::Production, "kv/ann@acme.example");
        check(
            "kv/{username}",
            ann,
            Org::Sandbox,
            "kv/ann@acme.example~sandbox",
        );
        check(
            "kv/{org}/{username}",
            ann,
            Org::Sandbox,
            "kv/sandbox/ann@acme.example",
        );
        check("kv/one", ann, Org::Sandbox, "kv/one");
    }

    #[test]
    fn a_username_does_not_leave_its_segment() {
        for username in [
            "..",
            "../../x",
            ".",
            "a/b",
            "{org}",
            "a?b",
            "a\0b",
            "a~sandbox",
        ] {
            for org in [Org::Production, Org::Sandbox] {
                let address = Address::parse("vault://host/x").unwrap();
                let username = username.to_owned();
                let path = Template::parse("kv/{username}", &address).unwrap();
                let path = path.fill(&Key { username, org });
                let (folder, name) = path.split_once('/').unwrap();
                assert_eq!(folder, "kv");
                assert!(
                    !name.contains(['/', '?', '{', '\0']) && !name.starts_with('.'),
                    "{path}"
                );
            }
        }
        check(
            "kv/{username}",
            "a~sandbox",
            Org::Production,
            "kv/a%7Esandbox",
        );
        assert_eq!(in_url("kv/a%2Fb@x.example"), "kv/a%252Fb@x.example");
    }

    #[test]
    fn an_odd_path_is_refused() {
        let address = Address::parse("vault://host/x").unwrap();
        for path in ["", "a//b", "a/../b", "./a", "a/", "a/{user}", "a/{", "a\nb"] {
            assert!(Template::parse(path, &address).is_err(), "{path:?}");
        }
    }
}
