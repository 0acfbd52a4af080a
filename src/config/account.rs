//! `[[account]]` and `[store.NAME]`: whose tokens we keep, and where.
//!
//! Knows accounts, their stores, and that no two accounts share a slot. Never opens a store. Values
//! come from the configuration.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::duration::parse_duration;
use super::error::ConfigError;
use super::keys;
use super::notify::{self, Command, Consumer};
use super::reader::Reader;
use super::verification::{self, Verification};
use crate::consumer::{PRESETS, Wanted, preset};
use crate::ingest::policy::Org;
use crate::secret::SecretRef;

/// The store of an account that names none.
pub const DEFAULT_STORE: &str = "default";
/// Where tokens go when no store is configured: the platform's keyring.
pub const DEFAULT_STORE_URL: &str = "keyring://sftoken";
/// Age at which a token is called old: Salesforce lets tokens live for ever, most audits do not.
pub const DEFAULT_MAX_AGE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// An account whose token we keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The Salesforce username.
    pub username: String,
    /// The kind of org.
    pub org: Org,
    /// The names of its stores, at least one. Each gets the token; the first is the one that is read.
    pub stores: Vec<String>,
    /// The age at which its token is called old.
    pub max_age: SignedDuration,
    /// Where the Salesforce password stands, for whoever wants it beside the token.
    pub password: Option<SecretRef>,
    /// Whether and how its token is tried.
    pub verification: Verification,
    /// What its consumers want in their environment: `preset` and `env`. Empty: the token, under its usual name.
    pub variables: Vec<Wanted>,
    /// What is run when its token was stored.
    pub on_stored: Option<Command>,
    /// Who uses the token.
    pub consumers: Vec<Consumer>,
}

/// Store URLs by name; `default` is always there.
pub(super) fn read_stores(reader: &Reader<'_>) -> Result<BTreeMap<String, String>, ConfigError> {
    let hint = "write it as url = \"keyring://sftoken\"";
    let mut stores = BTreeMap::from([(DEFAULT_STORE.to_owned(), DEFAULT_STORE_URL.to_owned())]);
    for name in reader.entries.names(&["store"]) {
        let url = reader.required(&["store", &name, "url"], hint)?.to_owned();
        stores.insert(name, url);
    }
    Ok(stores)
}

pub(super) fn read_all(
    reader: &Reader<'_>,
    stores: &BTreeMap<String, String>,
) -> Result<Vec<Account>, ConfigError> {
    let numbers = reader.entries.names(&["account"]);
    let accounts: Result<Vec<Account>, _> = numbers.iter().map(|n| read(reader, n)).collect();
    let accounts = accounts?;
    for (at, account) in accounts.iter().enumerate() {
        known_stores(reader, &numbers[at], account, stores)?;
        own_slot(reader, &numbers[at], account, &accounts[..at], stores)?;
    }
    Ok(accounts)
}

fn read(reader: &Reader<'_>, number: &str) -> Result<Account, ConfigError> {
    let key = |last| ["account", number, last];
    let hint = "write it as username = \"integration@acme.example\"";
    let username = reader.required(&key("username"), hint)?;
    if username.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        let problem = format!("{username:?} holds white space");
        return Err(reader.wrong(&key("username"), &problem, hint));
    }
    let org = match reader.word(&key("org"), &["production", "sandbox"])? {
        "sandbox" => Org::Sandbox,
        _ => Org::Production,
    };
    let max_age = reader.text(&key("max_age")).map(parse_duration).transpose();
    let max_age = max_age
        .map_err(|problem| reader.wrong(&key("max_age"), &problem, "write it as \"90d\""))?;
    Ok(Account {
        username: username.to_owned(),
        org,
        stores: stores_of(reader, number)?,
        max_age: max_age.unwrap_or(DEFAULT_MAX_AGE),
        password: reader.secret(&key("password"))?,
        verification: verification::read(reader, number, org)?,
        variables: variables(reader, number)?,
        on_stored: notify::command(reader, &key("on_stored"), &key("on_stored_timeout"))?,
        consumers: notify::consumers(reader, number)?,
    })
}

/// One name, or several; none twice.
fn stores_of(reader: &Reader<'_>, number: &str) -> Result<Vec<String>, ConfigError> {
    let key = ["account", number, "store"];
    let names = reader.list(&key).map(<[String]>::to_vec);
    let names = names.unwrap_or_else(|| vec![DEFAULT_STORE.to_owned()]);
    let hint = "write it as store = \"default\", or as store = [\"default\", \"vault\"]";
    if names.is_empty() {
        return Err(reader.wrong(&key, "the list is empty: the token would go nowhere", hint));
    }
    let twice = |(at, name): &(usize, &String)| names[..*at].contains(*name);
    if let Some((_, name)) = names.iter().enumerate().find(twice) {
        return Err(reader.wrong(&key, &format!("{name:?} stands twice"), hint));
    }
    Ok(names)
}

/// The variables of the preset, and those that are named one by one.
fn variables(reader: &Reader<'_>, number: &str) -> Result<Vec<Wanted>, ConfigError> {
    let (key, list) = (["account", number, "preset"], ["account", number, "env"]);
    let mut wanted = match reader.text(&key) {
        None => Vec::new(),
        Some(name) => preset(name).ok_or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
            let hint = format!("write one of: {}", names.join(", "));
            reader.wrong(&key, &format!("there is no preset {name:?}"), &hint)
        })?,
    };
    for text in reader.list(&list).unwrap_or_default() {
        let one = Wanted::parse(text).map_err(|error| {
            let hint = "write it as [\"NAME\"], or as [\"NAME=login\"]";
            reader.wrong(&list, &error.to_string(), hint)
        })?;
        if wanted.iter().any(|other| other.name == one.name) {
            let problem = format!("the variable {} stands twice", one.name);
            return Err(reader.wrong(&list, &problem, "give each a name of its own"));
        }
        wanted.push(one);
    }
    Ok(wanted)
}

fn known_stores(
    reader: &Reader<'_>,
    number: &str,
    account: &Account,
    stores: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let unknown = |name: &&String| !stores.contains_key(*name);
    let Some(name) = account.stores.iter().find(unknown) else {
        return Ok(());
    };
    let near = stores
        .keys()
        .min_by_key(|known| keys::distance(name, known));
    let hint = match near.filter(|known| keys::distance(name, known) <= 2) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("add [store.{name}] with its url"),
    };
    let problem = format!("there is no store {name:?}");
    Err(reader.wrong(&["account", number, "store"], &problem, &hint))
}

/// A slot is a store and a username: two accounts in one would overwrite each other's token, and two names of one
/// store are one slot.
fn own_slot(
    reader: &Reader<'_>,
    number: &str,
    account: &Account,
    earlier: &[Account],
    stores: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let urls = |account: &Account| -> Vec<&String> {
        let names = account.stores.iter();
        names.filter_map(|name| stores.get(name)).collect()
    };
    let own = urls(account);
    let twice = |(at, url): (usize, &&String)| own[..at].contains(url);
    if own.iter().enumerate().any(twice) {
        let problem = format!(
            "{:?}: two of its stores have the same url",
            account.username
        );
        let hint = "leave one of them away: they are one place";
        return Err(reader.wrong(&["account", number, "store"], &problem, hint));
    }
    let shares = |other: &&Account| {
        other.username == account.username && urls(other).iter().any(|url| own.contains(url))
    };
    let Some(other) = earlier.iter().find(shares) else {
        return Ok(());
    };
    let (problem, hint) = if other.org == account.org {
        ("the account stands twice", "remove one of the two")
    } else {
        (
            "the production and the sandbox account of this username share one place in a store",
            "give one of them its own store: add [store.sandbox] with another url, and store = \"sandbox\" to the account",
        )
    };
    let problem = format!("{:?}: {problem}", account.username);
    Err(reader.wrong(&["account", number, "username"], &problem, hint))
}
