//! The user's words, as typed values.
//!
//! Knows the configuration's keys, their defaults and their places. Never runs anything, opens no
//! connection and reads no secret: a password is a reference here. The text, its path and the
//! environment are arguments of [`load`].
//!
//! ```text
//! TOML text ─► entries ◄─ SFTOKEN_… variables        entries ─► mailbox, transport, trust, account ─► Config
//! ```

mod account;
mod auth;
mod duration;
mod entries;
mod environment;
mod error;
mod keys;
mod mailbox;
mod notify;
mod pins;
mod place;
mod private;
mod reader;
mod trail;
mod transport;
mod trust;
mod verification;
mod watching;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod trust_tests;
#[cfg(test)]
mod verification_tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use account::{Account, DEFAULT_MAX_AGE, DEFAULT_STORE, DEFAULT_STORE_URL};
pub use auth::{Oauth, OauthGrant, OauthProvider};
pub use duration::parse_duration;
pub use error::{ConfigError, Place};
pub use mailbox::{COMMAND_LINE, Mailbox, MailboxUrl, Security, password_option};
pub use notify::{Command, Consumer, DEFAULT_PROGRAM_TIMEOUT, Notify, Webhook, WebhookUrl};
pub use place::{default_file, default_state_dir};
pub use private::store_variables;
pub use trail::TrailSettings;
pub use transport::{ClientCertificate, Proxy, ProxyKind, Tls, Transport};
pub use trust::DEFAULT_MAX_MAIL_AGE;
pub use verification::{LoginWay, Verification, VerifyWhen};
pub use watching::{DEFAULT_LIVENESS, DEFAULT_RENEWAL, Handled, Watching};

use crate::ingest::policy::{self, Policy};
use entries::Entries;
use reader::Reader;

/// A configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Mailboxes to watch, by name.
    pub mailboxes: Vec<Mailbox>,
    /// `[trust]`, with the accounts; `max_age` is `max_mail_age`.
    pub policy: Policy,
    /// `[dns]`.
    pub dns: Dns,
    /// Store URLs by name; `default` is always there.
    pub stores: BTreeMap<String, String>,
    /// Accounts, in the order of the file.
    pub accounts: Vec<Account>,
    /// `[trail]`.
    pub trail: TrailSettings,
    /// `[notify]`.
    pub notify: Notify,
    /// Where the ledger is; `None`: [`default_state_dir`].
    pub state_dir: Option<PathBuf>,
}

/// Where DKIM keys come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// A resolver, `HOST:PORT`; `None`: the system's.
    pub server: Option<String>,
    /// Files with records to use instead of the DNS.
    pub keys: Vec<PathBuf>,
}

/// Reads a configuration. `path` is shown in errors, and relative paths are meant from its folder;
/// of `environment`, only variables that begin with `SFTOKEN_` count.
///
/// # Errors
/// At the first key that is unknown, or whose value cannot be used.
pub fn load(
    text: &str,
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut entries = Entries::from_toml(text, path)?;
    environment::apply(&mut entries, environment)?;
    let reader = Reader {
        entries: &entries,
        file: path,
    };
    let mailboxes = mailbox::read_all(&reader)?;
    let mut policy = trust::read(&reader)?;
    let stores = account::read_stores(&reader)?;
    let accounts = account::read_all(&reader, &stores)?;
    let trail = trail::read(&reader, policy.max_age)?;
    policy.accounts = accounts.iter().map(wanted).collect();
    Ok(Config {
        mailboxes,
        policy,
        dns: dns(&reader)?,
        stores,
        accounts,
        trail,
        notify: notify::read(&reader)?,
        state_dir: reader.path(&["state_dir"]),
    })
}

impl Config {
    /// The URL of the store that an account's token is read from: its first.
    #[must_use]
    pub fn store_url<'c>(&'c self, account: &'c Account) -> &'c str {
        let mut urls = self.store_urls(account);
        urls.next().unwrap_or(DEFAULT_STORE_URL)
    }

    /// The URLs of all stores of an account.
    pub fn store_urls<'c>(&'c self, account: &'c Account) -> impl Iterator<Item = &'c str> {
        let names = account.stores.iter();
        names.map(|name| {
            let url = self.stores.get(name);
            url.map_or(DEFAULT_STORE_URL, String::as_str)
        })
    }

    /// Puts one store in the place of every configured one: `--store`.
    ///
    /// # Errors
    /// When two accounts would then share one place in it.
    pub fn use_store(&mut self, url: &str) -> Result<(), ConfigError> {
        self.stores = BTreeMap::from([(DEFAULT_STORE.to_owned(), url.to_owned())]);
        let mut usernames = BTreeSet::new();
        for account in &mut self.accounts {
            account.stores = vec![DEFAULT_STORE.to_owned()];
            if !usernames.insert(&account.username) {
                let name = &account.username;
                let problem = format!("two accounts {name:?} would share one place in the store");
                let hint = "name one of them in a configuration file of its own";
                return Err(ConfigError::new(
                    Place::Option("--store"),
                    "",
                    &problem,
                    hint,
                ));
            }
        }
        Ok(())
    }
}

fn wanted(account: &Account) -> policy::Account {
    policy::Account {
        username: account.username.clone(),
        org: Some(account.org),
    }
}

fn dns(reader: &Reader<'_>) -> Result<Dns, ConfigError> {
    let server = reader.text(&["dns", "server"]).map(server_address);
    let server = server.transpose().map_err(|problem| {
        reader.wrong(&["dns", "server"], &problem, "write it as \"127.0.0.1:53\"")
    })?;
    let keys = reader.list(&["dns", "keys"]).unwrap_or_default();
    let keys = keys.iter().map(|file| reader.base().join(file)).collect();
    Ok(Dns { server, keys })
}

/// Takes a resolver's address, `HOST:PORT`, or `HOST` alone for port 53.
///
/// # Errors
/// When it is neither.
pub fn server_address(text: &str) -> Result<String, String> {
    let problem = || format!("{text:?} is not a resolver's HOST:PORT");
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Ok(std::net::SocketAddr::new(address, 53).to_string());
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "53"));
    let port: u16 = port.parse().map_err(|_| problem())?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    let good = port != 0 && !host.is_empty() && host.bytes().all(plain);
    good.then(|| format!("{host}:{port}")).ok_or_else(problem)
}
