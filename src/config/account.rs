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
    /// The name of its store.
    pub store: String,
    /// The age at which its token is called old.
    pub max_age: SignedDuration,
    /// Where the Salesforce password stands, for whoever wants it beside the token.
    pub password: Option<SecretRef>,
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
        known_store(reader, &numbers[at], account, stores)?;
        own_slot(reader, &numbers[at], account, &accounts[..at], stores)?;
    }
    Ok(accounts)
}

fn read(reader: &Reader<'_>, number: &str) -> Result<Account, ConfigError> {
    let key = |last| ["account", number, last];
    refuse_what_is_not_done(reader, number)?;
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
        store: reader
            .text(&key("store"))
            .unwrap_or(DEFAULT_STORE)
            .to_owned(),
        max_age: max_age.unwrap_or(DEFAULT_MAX_AGE),
        password: reader.secret(&key("password"))?,
        variables: variables(reader, number)?,
        on_stored: notify::command(reader, &key("on_stored"), &key("on_stored_timeout"))?,
        consumers: notify::consumers(reader, number)?,
    })
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

fn refuse_what_is_not_done(reader: &Reader<'_>, number: &str) -> Result<(), ConfigError> {
    let verify = ["account", number, "verify"];
    if reader.word(&verify, &["never", "after", "before"])? != "never" {
        return Err(reader.not_yet(&verify, "write verify = \"never\", or remove the key"));
    }
    Ok(())
}

fn known_store(
    reader: &Reader<'_>,
    number: &str,
    account: &Account,
    stores: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    if stores.contains_key(&account.store) {
        return Ok(());
    }
    let name = &account.store;
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

/// A slot is a store and a username: two accounts in one would overwrite each other's token.
fn own_slot(
    reader: &Reader<'_>,
    number: &str,
    account: &Account,
    earlier: &[Account],
    stores: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let shares = |other: &&Account| {
        other.username == account.username && stores.get(&other.store) == stores.get(&account.store)
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
