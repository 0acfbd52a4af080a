//! An account's token, read from its store.
//!
//! Knows which account a username means, and that two orgs may share it. Never shows what it read. Accounts
//! come from the configuration, tokens from the account's store, passwords from their references.

use super::engine;
use super::exit::{Exit, Failure};
use crate::config::{self, Account, Config};
use crate::consumer::{self, Login, NoPassword, Variable, Wanted};
use crate::ingest::policy::Org;
use crate::ingest::secret::Secret;
use crate::ingest::token::Token;
use crate::store::{Key, Store};

/// Whose token is meant, and where it is looked for.
#[derive(Debug)]
pub(crate) struct Chosen<'c> {
    pub(crate) username: String,
    pub(crate) account: Option<&'c Account>,
    /// The org that was asked for, or is configured.
    org: Option<Org>,
    /// Where its token stands.
    url: &'c str,
    config: &'c Config,
}

/// A token, and what is known of it.
#[derive(Debug)]
pub(crate) struct Reading<'c> {
    pub(crate) key: Key,
    pub(crate) slot: String,
    pub(crate) token: Token,
    account: Option<&'c Account>,
}

/// The account that a username means; `store` stands in the place of its own.
pub(crate) fn choose<'c>(
    config: &'c Config,
    username: &str,
    org: Option<Org>,
    store: Option<&'c str>,
) -> Result<Chosen<'c>, Failure> {
    let accounts = config.accounts.iter();
    let named: Vec<&Account> = accounts.filter(|a| a.username == username).collect();
    let meant = |account: &&&Account| org.is_none_or(|org| org == account.org);
    let account = match named.iter().filter(meant).collect::<Vec<_>>()[..] {
        [account] => Some(*account),
        [] if named.is_empty() => None,
        [] => return Err(other_org(named[0])),
        _ => {
            let problem = format!("{username} is configured as production and as sandbox");
            let hint = "say which one: --org production or --org sandbox";
            return Err(Failure::new(Exit::Usage, problem, hint));
        }
    };
    Ok(Chosen {
        username: username.to_owned(),
        account,
        org: account.map(|account| account.org).or(org),
        url: store.unwrap_or_else(|| own_store(config, account)),
        config,
    })
}

fn own_store<'c>(config: &'c Config, account: Option<&'c Account>) -> &'c str {
    match account {
        Some(account) => config.store_url(account),
        None => config
            .stores
            .get(config::DEFAULT_STORE)
            .map_or(config::DEFAULT_STORE_URL, String::as_str),
    }
}

fn other_org(account: &Account) -> Failure {
    let (name, org) = (&account.username, account.org.as_str());
    let problem = format!("{name} is configured as {org} only");
    let hint = "correct --org, or add an [[account]] for the other org, with a store of its own";
    Failure::new(Exit::Usage, problem, hint)
}

impl<'c> Chosen<'c> {
    /// Reads the token.
    pub(crate) fn read(&self) -> Result<Reading<'c>, Failure> {
        let store = engine::open_store(self.url, self.config)?;
        match (self.account, self.org) {
            (Some(account), _) => self.in_slot(&*store, account.org),
            (None, Some(org)) => {
                self.told_apart(&*store)?;
                self.in_slot(&*store, org)
            }
            (None, None) => self.wherever(&*store),
        }
    }

    fn key(&self, org: Org) -> Key {
        Key {
            username: self.username.clone(),
            org,
        }
    }

    fn in_slot(&self, store: &dyn Store, org: Org) -> Result<Reading<'c>, Failure> {
        let key = self.key(org);
        let slot = store.slot(&key);
        let Some(token) = store.get(&key)? else {
            let problem = format!("{slot} holds no token");
            let hint = "reset the token while sftoken watch or sftoken wait runs; sftoken status shows the accounts";
            return Err(Failure::new(Exit::Nothing, problem, hint));
        };
        Ok(Reading {
            key,
            slot,
            token,
            account: self.account,
        })
    }

    /// Of an account that is configured nowhere, `--org` chooses a place; where both have the same, it would
    /// choose nothing.
    fn told_apart(&self, store: &dyn Store) -> Result<(), Failure> {
        let [one, other] = [Org::Production, Org::Sandbox].map(|org| store.slot(&self.key(org)));
        if one != other {
            return Ok(());
        }
        let problem = format!("{one} does not say which org its token is for");
        let hint = "leave --org away, or configure the account with its org and a store of its own";
        Err(Failure::new(Exit::Usage, problem, hint))
    }

    /// An account that is configured nowhere: whichever org has a token there.
    fn wherever(&self, store: &dyn Store) -> Result<Reading<'c>, Failure> {
        let production = self.in_slot(store, Org::Production);
        let is_empty = |found: &Result<_, Failure>| matches!(found, Err(failure) if failure.exit == Exit::Nothing);
        if self.told_apart(store).is_err() || (production.is_err() && !is_empty(&production)) {
            return production;
        }
        let sandbox = self.in_slot(store, Org::Sandbox);
        match (&production, &sandbox) {
            (Ok(_), Ok(_)) => {
                let problem = format!("{} has a production and a sandbox token", self.username);
                let hint = "say which one: --org production or --org sandbox";
                Err(Failure::new(Exit::Usage, problem, hint))
            }
            (Ok(_), Err(_)) => production,
            // Trouble with the second place is not "no token".
            (Err(_), _) if is_empty(&sandbox) => production,
            (Err(_), _) => sandbox,
        }
    }
}

impl Reading<'_> {
    /// The variables that are wanted of it.
    pub(crate) fn variables(&self, wanted: &[Wanted]) -> Result<Vec<Variable>, Failure> {
        let password = match wanted.iter().any(|one| one.field.holds_password()) {
            true => self.password()?,
            false => None,
        };
        let login = Login {
            username: &self.key.username,
            org: self.key.org,
            token: &self.token,
            password: password.as_ref(),
        };
        consumer::variables(&login, wanted).map_err(|error| self.no_password(&error))
    }

    fn password(&self) -> Result<Option<Secret>, Failure> {
        let reference = self.account.and_then(|account| account.password.as_ref());
        reference.map(engine::secret).transpose()
    }

    fn no_password(&self, error: &NoPassword) -> Failure {
        let name = &self.key.username;
        let hint = format!("add password = \"keyring:salesforce/{name}\" to its [[account]]");
        Failure::new(Exit::Usage, format!("{name}: {error}"), hint)
    }
}
