//! `sftoken get`: an account's token, from its store to standard output.
//!
//! Knows forms and terminals. Never shows a token on a terminal unasked. Tokens come from the
//! account's store, passwords from their references.

use std::io::{self, IsTerminal, Write};

use zeroize::Zeroizing;

use super::args::{Get, GetFormat, Global};
use super::exit::{Exit, Failure};
use super::{engine, settings};
use crate::config::{self, Config};
use crate::ingest::event::SCHEMA;
use crate::ingest::policy::Org;
use crate::ingest::token::Token;
use crate::store::Key;

/// Runs `get`.
pub(crate) fn run(global: &Global, args: &Get) -> Result<Exit, Failure> {
    if io::stdout().is_terminal() && !args.reveal {
        let hint = "pipe it to its consumer, or add --reveal";
        return Err(Failure::new(
            Exit::Usage,
            "a token is not shown on a terminal unasked",
            hint,
        ));
    }
    let mut config = settings::read(global, None)?;
    if let Some(store) = &args.store {
        config.use_store(store)?;
    }
    let accounts: Vec<&config::Account> = config
        .accounts
        .iter()
        .filter(|account| account.username == args.username)
        .collect();
    let [account] = accounts[..] else {
        return unconfigured(&config, args, &accounts, global);
    };
    let key = Key {
        username: account.username.clone(),
        org: account.org,
    };
    let (slot, token) = read(config.store_url(account), &key)?;
    show(args, global, &key, &slot, &token, Some(account))
}

/// An account without a configuration: the default store, and whichever org has a token there.
fn unconfigured(
    config: &Config,
    args: &Get,
    accounts: &[&config::Account],
    global: &Global,
) -> Result<Exit, Failure> {
    if !accounts.is_empty() {
        let problem = format!(
            "{} is configured as production and as sandbox",
            args.username
        );
        let hint = "name the store of the one that you mean: --store URL";
        return Err(Failure::new(Exit::Usage, problem, hint));
    }
    let url = config
        .stores
        .get(config::DEFAULT_STORE)
        .map_or(config::DEFAULT_STORE_URL, String::as_str);
    let key = |org| Key {
        username: args.username.clone(),
        org,
    };
    let found = match read(url, &key(Org::Production)) {
        Err(failure) if failure.exit == Exit::Nothing => (
            key(Org::Sandbox),
            read(url, &key(Org::Sandbox)).map_err(|_| failure)?,
        ),
        other => (key(Org::Production), other?),
    };
    let (key, (slot, token)) = found;
    show(args, global, &key, &slot, &token, None)
}

fn read(url: &str, key: &Key) -> Result<(String, Token), Failure> {
    let store = engine::open_store(url)?;
    let slot = store.slot(key);
    match store.get(key)? {
        Some(token) => Ok((slot, token)),
        None => {
            let problem = format!("{slot} holds no token");
            let hint = "reset the token while sftoken watch or sftoken wait runs; sftoken status shows the accounts";
            Err(Failure::new(Exit::Nothing, problem, hint))
        }
    }
}

fn show(
    args: &Get,
    global: &Global,
    key: &Key,
    slot: &str,
    token: &Token,
    account: Option<&config::Account>,
) -> Result<Exit, Failure> {
    let format = if global.json {
        GetFormat::Json
    } else {
        args.format
    };
    let text = match format {
        GetFormat::Token => Zeroizing::new(token.expose().to_owned()),
        GetFormat::Login => login(account, token)?,
        GetFormat::Json => json(key, slot, token)?,
        GetFormat::Env => Zeroizing::new(format!("SF_SECURITY_TOKEN={}\n", token.expose())),
    };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    // A bare value is bare on a pipe; a person wants the prompt on a line of its own.
    if out.is_terminal() && !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// What Salesforce's log-in calls want as the password: the password followed by the token.
fn login(account: Option<&config::Account>, token: &Token) -> Result<Zeroizing<String>, Failure> {
    let reference = account
        .and_then(|account| account.password.as_ref())
        .ok_or_else(|| {
            let hint = "add password = \"keyring:salesforce/USERNAME\" to its [[account]]";
            Failure::new(Exit::Usage, "the account has no password configured", hint)
        })?;
    let password = engine::secret(reference)?;
    Ok(Zeroizing::new(format!(
        "{}{}",
        password.expose(),
        token.expose()
    )))
}

fn json(key: &Key, slot: &str, token: &Token) -> Result<Zeroizing<String>, Failure> {
    #[derive(serde::Serialize)]
    struct Entry<'e> {
        schema: u32,
        username: &'e str,
        org: Org,
        token: &'e str,
        fingerprint: String,
        slot: &'e str,
    }
    let entry = Entry {
        schema: SCHEMA,
        username: &key.username,
        org: key.org,
        token: token.expose(),
        fingerprint: token.fingerprint().to_string(),
        slot,
    };
    let mut text = Zeroizing::new(serde_json::to_string(&entry).map_err(io::Error::from)?);
    text.push('\n');
    Ok(text)
}
