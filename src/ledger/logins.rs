//! Which tokens were tried at a log-in, and what came of it.
//!
//! Knows that each token is tried once: bad log-ins lock a user out. Never logs in, and never holds a token or a
//! password. Told by the loop.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{Ledger, LedgerError};
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;

/// How far a token's log-in came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginState {
    /// It was begun, and its end was never noted: the program died, or is at it now.
    Begun,
    /// The token logs in.
    LoggedIn,
    /// It was answered, and refused.
    Refused,
    /// It may have been received, and was not answered.
    Unknown,
}

/// A token's log-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// When it was begun, or ended.
    pub at: Timestamp,
    /// How far it came.
    pub state: LoginState,
    /// The stable word of a refusal, or of why it is not known.
    pub reason: Option<String>,
    /// What happened: a clause.
    pub problem: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// A refusal that speaks against the token, and not against the org's or the user's settings.
    pub against_token: bool,
    /// The token had to log in before it is stored, and replaces nothing until it does.
    pub kept_out: bool,
    /// The organisation that it logged in to.
    pub organization_id: Option<String>,
}

/// Whose token it is, and which.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'t> {
    /// The Salesforce username.
    pub username: &'t str,
    /// The kind of org.
    pub org: Org,
    /// The token's fingerprint.
    pub fingerprint: &'t Fingerprint,
}

impl LoginState {
    const ALL: [Self; 4] = [Self::Begun, Self::LoggedIn, Self::Refused, Self::Unknown];

    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::LoggedIn => "logged_in",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

impl Ledger {
    /// What is known of a token's log-in.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn login(&self, whose: Tried<'_>) -> Result<Option<Login>, LedgerError> {
        self.read(|connection| login(connection, whose))
    }

    /// Notes that a token is about to be tried, before it is; `kept_out`: it replaces nothing until it logs in. `Some`: it was tried before, and is not to be
    /// tried again.
    ///
    /// # Errors
    /// When the ledger cannot be written: then nothing may be tried.
    pub fn begin_login(
        &self,
        whose: Tried<'_>,
        at: Timestamp,
        kept_out: bool,
    ) -> Result<Option<Login>, LedgerError> {
        let put = "INSERT INTO logins (username, org, fingerprint, at, state, kept_out)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.write(|ledger| {
            let before = login(ledger, whose)?;
            if before.is_none() {
                let (org, print) = (whose.org.as_str(), whose.fingerprint.as_str());
                let state = LoginState::Begun.as_str();
                ledger.execute(
                    put,
                    params![whose.username, org, print, at.to_string(), state, kept_out],
                )?;
            }
            Ok(before)
        })
    }

    /// Notes how it ended.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn end_login(&self, whose: Tried<'_>, ended: &Login) -> Result<(), LedgerError> {
        let put = "INSERT OR REPLACE INTO logins
            (username, org, fingerprint, at, state, reason, problem, hint, against_token, kept_out,
            organization_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let values = params![
            whose.username,
            whose.org.as_str(),
            whose.fingerprint.as_str(),
            ended.at.to_string(),
            ended.state.as_str(),
            ended.reason,
            ended.problem,
            ended.hint,
            ended.against_token,
            ended.kept_out,
            ended.organization_id,
        ];
        self.write(|ledger| ledger.execute(put, values).map(drop))
    }

    /// The token may be tried again: nothing was sent, or a person wants it.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn forget_login(&self, whose: Tried<'_>) -> Result<(), LedgerError> {
        let remove = "DELETE FROM logins WHERE username = ?1 AND org = ?2 AND fingerprint = ?3";
        let (org, print) = (whose.org.as_str(), whose.fingerprint.as_str());
        self.write(|ledger| {
            let values = params![whose.username, org, print];
            ledger.execute(remove, values).map(drop)
        })
    }

    /// The account may log in to another organisation from now on: a person says so.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn forget_organization(&self, username: &str, org: Org) -> Result<(), LedgerError> {
        let put = "UPDATE logins SET organization_id = NULL WHERE username = ?1 AND org = ?2";
        self.write(|ledger| ledger.execute(put, [username, org.as_str()]).map(drop))
    }

    /// The tokens of an account that were tried, and what came of each, the last first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn logins(
        &self,
        username: &str,
        org: Org,
    ) -> Result<Vec<(Fingerprint, Login)>, LedgerError> {
        let ask =
            format!("SELECT fingerprint, {COLUMNS} FROM logins WHERE username = ?1 AND org = ?2");
        let mut logins: Vec<(Fingerprint, Login)> = self.read(|connection| {
            let mut ask = connection.prepare_cached(&ask)?;
            let rows = ask.query_map([username, org.as_str()], |row| {
                let print: String = row.get("fingerprint")?;
                Ok((Fingerprint::from_text(&print), read(row)?))
            })?;
            rows.collect()
        })?;
        logins.sort_by_key(|(_, login)| std::cmp::Reverse(login.at));
        Ok(logins)
    }

    /// The newest token of an account that is kept out of its slots because it is not known to log in.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn kept_out(
        &self,
        username: &str,
        org: Org,
    ) -> Result<Option<(Fingerprint, Login)>, LedgerError> {
        let logins = self.logins(username, org)?;
        let is_out = |login: &Login| login.kept_out && login.state != LoginState::LoggedIn;
        Ok(logins.into_iter().find(|(_, login)| is_out(login)))
    }

    /// The organisation that the account's tokens logged in to last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn organization_of(&self, username: &str, org: Org) -> Result<Option<String>, LedgerError> {
        let ask = "SELECT organization_id FROM logins WHERE username = ?1 AND org = ?2
            AND state = 'logged_in' AND organization_id IS NOT NULL ORDER BY at DESC LIMIT 1";
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            ask.query_row([username, org.as_str()], |row| row.get(0))
                .optional()
        })
    }
}

/// A token of the account is stored: what was kept out before is of the past.
pub(super) fn let_go(ledger: &Transaction<'_>, username: &str, org: &str) -> rusqlite::Result<()> {
    let put = "UPDATE logins SET kept_out = 0 WHERE username = ?1 AND org = ?2 AND kept_out = 1";
    let mut put = ledger.prepare_cached(put)?;
    put.execute([username, org]).map(drop)
}

const COLUMNS: &str = "at, state, reason, problem, hint, against_token, kept_out, organization_id";

fn login(connection: &Connection, whose: Tried<'_>) -> rusqlite::Result<Option<Login>> {
    let ask = format!(
        "SELECT {COLUMNS} FROM logins WHERE username = ?1 AND org = ?2 AND fingerprint = ?3"
    );
    let (org, print) = (whose.org.as_str(), whose.fingerprint.as_str());
    let mut ask = connection.prepare_cached(&ask)?;
    ask.query_row([whose.username, org, print], read).optional()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Login> {
    let (at, word): (String, String) = (row.get("at")?, row.get("state")?);
    let state = LoginState::ALL
        .into_iter()
        .find(|state| state.as_str() == word);
    Ok(Login {
        at: at.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        // NOTE: a word that nobody knows is not "never tried".
        state: state.unwrap_or(LoginState::Unknown),
        reason: row.get("reason")?,
        problem: row.get("problem")?,
        hint: row.get("hint")?,
        against_token: row.get("against_token")?,
        kept_out: row.get("kept_out")?,
        organization_id: row.get("organization_id")?,
    })
}
