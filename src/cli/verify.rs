//! `sftoken verify`: does the token in the store log in?
//!
//! Knows what an outcome is called, and which exit status it has. Never tries twice. The token comes through `reading`, the
//! password from its reference.

use std::io::{self, Write as _};

use jiff::Timestamp;
use serde::Serialize;

use super::args::{Global, Verify};
use super::exit::{Exit, Failure};
use super::reading::{self, Reading};
use super::{engine, json, render, settings, verification, verifier};
use crate::config::{Account, Config};
use crate::ingest::event::SCHEMA;
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;
use crate::ledger::{Ledger, Login, LoginState, Tried};
use crate::store::Key;
use crate::verify::{LoggedIn, Outcome, Why};
use crate::watch::{OTHER_ORGANIZATION, attempt_again};

/// Runs `verify`.
pub(crate) fn run(global: &Global, args: &Verify) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    let chosen = reading::choose(&config, &args.username, args.org, None)?;
    let account = chosen.account.ok_or_else(|| unknown(&args.username))?;
    // whatever can be wrong on this side is told before the only attempt
    let log_in = verification::log_in(account)?;
    let password = verification::password(account)?;
    let ledger = engine::ledger(&config)?;
    if let Some(kept_out) = kept_out(&ledger, account)? {
        if args.again {
            return kept_out.try_again(global, &config, &ledger);
        }
        kept_out.tell();
    }
    let reading = chosen.read()?;
    let at = Timestamp::now();
    let print = reading.token.fingerprint();
    let attempt = || {
        let outcome = log_in.attempt(&reading.key.username, &password, &reading.token);
        (verifier::answer(&outcome), outcome)
    };
    let outcome = attempt_again(&ledger, &reading.key, &print, Timestamp::now, attempt)?;
    if global.json {
        let entry = entry(&reading, &outcome, at);
        json::line(&mut io::stdout().lock(), &entry)?;
    }
    match &outcome {
        Outcome::LoggedIn(_) if global.json => Ok(Exit::Done),
        Outcome::LoggedIn(about) => {
            say(account, about)?;
            Ok(Exit::Done)
        }
        no => {
            let problem = format!("{}: {no}", account.username);
            Err(Failure::new(exit(no), problem, no.hint()))
        }
    }
}

/// A token that did not log in, and whose mail is kept.
struct KeptOut {
    key: Key,
    fingerprint: Fingerprint,
    login: Login,
}

/// The token of an account that is kept out, if there is one.
fn kept_out(ledger: &Ledger, account: &Account) -> Result<Option<KeptOut>, Failure> {
    let key = Key {
        username: account.username.clone(),
        org: account.org,
    };
    let found = ledger.kept_out(&key.username, key.org)?;
    Ok(found.map(|(fingerprint, login)| KeptOut {
        key,
        fingerprint,
        login,
    }))
}

impl KeptOut {
    fn tell(&self) {
        let problem = format!(
            "{}: a newer token ({}) is kept out since {:.0}: {}",
            self.key.username,
            self.fingerprint,
            self.login.at,
            self.login
                .problem
                .as_deref()
                .unwrap_or("its log-in was not answered")
        );
        let hint = "the stored one is tried now; sftoken verify --again tries the newer one";
        super::say("warning", &problem, hint);
    }

    /// Looks through the mailboxes once, as `watch --once` does: the mail is still there, and its token may be tried
    /// once more.
    fn try_again(self, global: &Global, config: &Config, ledger: &Ledger) -> Result<Exit, Failure> {
        let whose = Tried {
            username: &self.key.username,
            org: self.key.org,
            fingerprint: &self.fingerprint,
        };
        // the account may have moved, and a person says so; what the configuration wants is wanted still
        if self.login.reason.as_deref() == Some(OTHER_ORGANIZATION) {
            ledger.forget_organization(&self.key.username, self.key.org)?;
        }
        ledger.forget_login(whose)?;
        let looked = super::watch::once(global, config, config.policy.clone())?;
        let (username, print) = (&self.key.username, &self.fingerprint);
        match ledger.login(whose)? {
            // what failed at the store, the log has told
            Some(login) if login.state == LoginState::LoggedIn => Ok(match looked {
                Exit::Store => Exit::Store,
                _ => Exit::Done,
            }),
            Some(login) => {
                let exit = match login.state {
                    LoginState::Refused => Exit::Verification,
                    _ => Exit::Failed,
                };
                let why = login.problem.unwrap_or_default();
                let hint = login.hint.unwrap_or_default();
                Err(Failure::new(exit, format!("{username}: {why}"), hint))
            }
            None => {
                let problem = format!(
                    "{username}: the token {print} was not tried again: its mail is gone, or too old, or Salesforce cannot be reached"
                );
                let hint = "see the log above; else reset the token";
                Err(Failure::new(Exit::Nothing, problem, hint))
            }
        }
    }
}

fn unknown(username: &str) -> Failure {
    let problem = format!("{username} is not configured, so its password is not known");
    let hint = format!(
        "add [[account]] with username = \"{username}\" and password = \"keyring:salesforce/{username}\""
    );
    Failure::new(Exit::Usage, problem, hint)
}

/// A refused log-in has one status, whatever it was refused for: the token does not log in. What is not known has failed.
fn exit(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::LoggedIn(_) => Exit::Done,
        Outcome::Refused(_) => Exit::Verification,
        Outcome::Unknown(doubt) if doubt.cause.is_of_the_configuration() => Exit::Usage,
        Outcome::Unknown(_) => Exit::Failed,
    }
}

fn say(account: &Account, about: &LoggedIn) -> io::Result<()> {
    let text = format!("{}: {about}", account.username);
    writeln!(io::stdout().lock(), "{}", render::escape(&text))
}

#[derive(Serialize)]
struct Entry<'e> {
    schema: u32,
    username: &'e str,
    org: Org,
    fingerprint: String,
    slot: &'e str,
    verified: Option<bool>,
    reason: Option<&'static str>,
    organization_id: Option<&'e str>,
    at: Timestamp,
}

fn entry<'e>(reading: &'e Reading<'_>, outcome: &'e Outcome, at: Timestamp) -> Entry<'e> {
    let organization = match outcome {
        Outcome::LoggedIn(about) => about.organization_id.as_deref(),
        Outcome::Refused(refusal) if refusal.why == Why::OtherOrganization => {
            refusal.code.as_deref()
        }
        _ => None,
    };
    Entry {
        schema: SCHEMA,
        username: &reading.key.username,
        org: reading.key.org,
        fingerprint: reading.token.fingerprint().to_string(),
        slot: &reading.slot,
        verified: outcome.verified(),
        reason: (outcome.verified() != Some(true)).then(|| outcome.kind()),
        organization_id: organization,
        at,
    }
}
