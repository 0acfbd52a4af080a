//! The names of secrets and parameters.
//!
//! Knows which letters each service takes, and spells a username in them. Never lets two accounts meet in one name by
//! accident. Names come from the store's URL, usernames from the account.

use std::fmt::Write as _;

use super::Service;
use crate::store::address::Address;
use crate::store::template::Template;
use crate::store::{Key, StoreError};

/// Parameters have at most fifteen levels (API reference, PutParameter).
const LEVELS: usize = 15;
/// Secrets' names have at most 512 letters (API reference, CreateSecret).
const LONGEST: usize = 512;

/// A name, to be filled in for each account.
#[derive(Clone, Debug)]
pub(super) struct Name {
    template: Template,
    service: Service,
    /// It has a username in it.
    pub(super) is_of_each: bool,
}

impl Name {
    /// Takes the name of a secret; or the path of a parameter, without the slash that it begins with.
    pub(super) fn parse(
        text: &str,
        service: Service,
        address: &Address,
    ) -> Result<Self, StoreError> {
        let template = Template::parse(text, address)?;
        let plain = text.replace("{username}", "a").replace("{org}", "a");
        if !plain
            .bytes()
            .all(|byte| byte == b'/' || takes(service, byte))
        {
            let problem = "a letter of the name in the store's URL is not taken by AWS";
            let hint = match service {
                Service::SecretsManager => {
                    "a secret's name has ASCII letters, digits and / _ + = . @ -"
                }
                Service::ParameterStore => {
                    "a parameter's name has ASCII letters, digits and / _ . -"
                }
            };
            return Err(address.wrong(problem, hint));
        }
        match service {
            Service::SecretsManager if plain.len() > LONGEST => {
                let hint = format!("a secret's name has at most {LONGEST} letters");
                return Err(address.wrong("the name in the store's URL is too long", hint));
            }
            Service::ParameterStore => refuse_path(&plain, address)?,
            Service::SecretsManager => {}
        }
        Ok(Self {
            template,
            service,
            is_of_each: text.contains("{username}"),
        })
    }

    /// The name for an account.
    pub(super) fn fill(&self, key: &Key) -> String {
        let mark = mark(self.service);
        let username = spell(&key.username, self.service);
        let filled = self
            .template
            .fill_with(key, username, &format!("{mark}sandbox"));
        match self.service {
            Service::SecretsManager => filled,
            Service::ParameterStore => format!("/{filled}"),
        }
    }
}

/// Amazon keeps some paths for itself.
fn refuse_path(plain: &str, address: &Address) -> Result<(), StoreError> {
    let start = plain.to_ascii_lowercase();
    if start.starts_with("aws") || start.starts_with("ssm") {
        let problem = "AWS keeps parameters whose names begin with aws or ssm for itself";
        return Err(address.wrong(problem, "begin the path with another word"));
    }
    if plain.split('/').count() > LEVELS {
        let hint = format!("a parameter's path has at most {LEVELS} levels");
        return Err(address.wrong("the path in the store's URL has too many levels", hint));
    }
    Ok(())
}

/// Whether a service takes a letter in one level of a name.
fn takes(service: Service, byte: u8) -> bool {
    let more: &[u8] = match service {
        Service::SecretsManager => b"_+=.@-",
        Service::ParameterStore => b"_.-",
    };
    byte.is_ascii_alphanumeric() || more.contains(&byte)
}

/// What stands for a letter that is not taken, before its two hex digits; it is never a letter itself.
fn mark(service: Service) -> char {
    match service {
        Service::SecretsManager => '=',
        Service::ParameterStore => '_',
    }
}

fn spell(username: &str, service: Service) -> String {
    let mark = mark(service);
    let mut out = String::with_capacity(username.len());
    for (at, byte) in username.bytes().enumerate() {
        let dot_in_front = at == 0 && byte == b'.';
        if takes(service, byte) && char::from(byte) != mark && !dot_in_front {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "{mark}{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::policy::Org;

    fn name(text: &str, service: Service) -> Result<Name, StoreError> {
        let address = Address::parse("awssm://eu-west-1/x")?;
        Name::parse(text, service, &address)
    }

    #[track_caller]
    fn check(service: Service, text: &str, username: &str, org: Org, filled: &str) {
        let username = username.to_owned();
        let told = name(text, service).unwrap().fill(&Key { username, org });
        assert_eq!(told, filled);
    }

    #[test]
    fn each_account_has_its_name() {
        use Service::{ParameterStore as P, SecretsManager as S};
        let ann = "ann@acme.example";
        check(
            S,
            "sf/{username}",
            ann,
            Org::Production,
            "sf/ann@acme.example",
        );
        check(
            S,
            "sf/{username}",
            ann,
            Org::Sandbox,
            "sf/ann@acme.example=sandbox",
        );
        check(
            S,
            "{org}/{username}",
            ann,
            Org::Sandbox,
            "sandbox/ann@acme.example",
        );
        check(S, "one", ann, Org::Sandbox, "one");
        check(
            P,
            "sf/{username}/token",
            ann,
            Org::Production,
            "/sf/ann_40acme.example/token",
        );
        check(
            P,
            "sf/{username}",
            ann,
            Org::Sandbox,
            "/sf/ann_40acme.example_sandbox",
        );
    }

    #[test]
    fn no_two_accounts_share_a_name_and_aws_takes_each() {
        let usernames = [
            "a@x",
            "a_40x",
            "a=40x",
            "..",
            ".",
            "../x",
            "a/x",
            "a x",
            "ä@x",
            "{org}",
            "a+x",
            "a~x",
            "=sandbox",
            "_sandbox",
            "a@x_sandbox",
            "a@x=sandbox",
            "A@x",
        ];
        for service in [Service::SecretsManager, Service::ParameterStore] {
            let mut filled: Vec<String> = Vec::new();
            for username in usernames {
                for org in [Org::Production, Org::Sandbox] {
                    let username = username.to_owned();
                    filled.push(
                        name("p/{username}", service)
                            .unwrap()
                            .fill(&Key { username, org }),
                    );
                }
            }
            for (at, name) in filled.iter().enumerate() {
                assert!(!filled[..at].contains(name), "{name}");
                let (_, last) = name.rsplit_once("p/").unwrap();
                assert!(last.bytes().all(|byte| takes(service, byte)), "{name}");
                assert!(!last.starts_with('.'), "{name}");
            }
        }
    }

    #[test]
    fn what_aws_does_not_take_is_no_name() {
        use Service::{ParameterStore as P, SecretsManager as S};
        let deep = vec!["a"; LEVELS + 1].join("/");
        let long = "a".repeat(LONGEST + 1);
        for (service, text) in [
            (S, ""),
            (S, "a b"),
            (S, "a//b"),
            (S, "ä"),
            (S, "{user}"),
            (S, long.as_str()),
            (P, "a@b"),
            (P, "a+b"),
            (P, "AWS/x"),
            (P, "ssmx"),
            (P, deep.as_str()),
            (P, "a/../b"),
        ] {
            assert!(name(text, service).is_err(), "{text}");
        }
    }
}
