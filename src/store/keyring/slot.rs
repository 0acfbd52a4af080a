//! One slot of a keyring: the entries with one service and one username.
//!
//! Knows that there may be several: Python's `keyring` adds an attribute of its own and so makes a
//! second entry beside ours. Never chooses among entries that disagree. Entries come from the
//! session's store.
//!
//! Tokens are written as passwords: in UTF-16 on Windows, where readers expect it, and else in UTF-8.

use keyring_core::{Entry, Error};
use zeroize::Zeroizing;

use super::platform::Session;
use super::trouble::Trouble;
use crate::ingest::secret::Secret;
use crate::ingest::token::Token;
use crate::store::token_in;

/// Writes the token into every entry of the slot, so that each reader finds the new one, and reads
/// all of them back.
pub(super) fn write(
    session: &Session,
    service: &str,
    username: &str,
    token: &Token,
) -> Result<(), Trouble> {
    let entry = session.entry(service, username, &label(username))?;
    match entry.set_password(token.expose()) {
        Err(Error::Ambiguous(entries)) => {
            for entry in entries {
                entry.set_password(token.expose())?;
            }
        }
        outcome => outcome?,
    }
    match read(session, service, username)? {
        Some(found) if found == *token => Ok(()),
        _ => Err(Trouble::Differs),
    }
}

/// The token of the slot, if there is one.
pub(super) fn read(
    session: &Session,
    service: &str,
    username: &str,
) -> Result<Option<Token>, Trouble> {
    let entry = session.entry(service, username, &label(username))?;
    match entry.get_password().map(Zeroizing::new) {
        Ok(text) => token_in(text.as_bytes()).map(Some).ok_or(Trouble::NoToken),
        Err(Error::NoEntry) => Ok(None),
        Err(Error::Ambiguous(entries)) => same_in_all(&entries).map(Some),
        Err(error) => Err(error.into()),
    }
}

/// Any secret of the slot, such as a mailbox's password.
pub(super) fn read_password(
    session: &Session,
    service: &str,
    user: &str,
) -> Result<Option<Secret>, Trouble> {
    let entry = session.entry(service, user, &password_label(service, user))?;
    match entry.get_password() {
        Ok(password) => Ok(Some(Secret::new(password))),
        Err(Error::NoEntry) => Ok(None),
        Err(Error::Ambiguous(entries)) => same_password(&entries).map(Some),
        Err(error) => Err(error.into()),
    }
}

/// Writes a secret that is no token into every entry of the slot, and reads it back.
pub(super) fn write_password(
    session: &Session,
    service: &str,
    user: &str,
    secret: &Secret,
) -> Result<(), Trouble> {
    let entry = session.entry(service, user, &password_label(service, user))?;
    match entry.set_password(secret.expose()) {
        Err(Error::Ambiguous(entries)) => {
            for entry in entries {
                entry.set_password(secret.expose())?;
            }
        }
        outcome => outcome?,
    }
    match read_password(session, service, user)? {
        Some(found) if found == *secret => Ok(()),
        _ => Err(Trouble::Differs),
    }
}

/// The entry's name in the keyring's own window.
fn label(username: &str) -> String {
    format!("Salesforce security token of {username}")
}

/// The same of a secret that is no token. NOTE: the Secret Service takes no empty one, even to read.
fn password_label(service: &str, user: &str) -> String {
    format!("sftoken: {service} {user}")
}

fn same_password(entries: &[Entry]) -> Result<Secret, Trouble> {
    let mut found: Option<Secret> = None;
    for entry in entries {
        let secret = Secret::new(entry.get_password()?);
        if found.as_ref().is_some_and(|other| *other != secret) {
            return Err(Trouble::Disagree(entries.len()));
        }
        found = Some(secret);
    }
    found.ok_or(Trouble::NoToken)
}

fn same_in_all(entries: &[Entry]) -> Result<Token, Trouble> {
    let mut found: Option<Token> = None;
    for entry in entries {
        let text = Zeroizing::new(entry.get_password()?);
        let token = token_in(text.as_bytes()).ok_or(Trouble::NoToken)?;
        if found.as_ref().is_some_and(|other| *other != token) {
            return Err(Trouble::Disagree(entries.len()));
        }
        found = Some(token);
    }
    found.ok_or(Trouble::NoToken)
}
