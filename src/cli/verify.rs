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
use super::{json, render, settings, verification};
use crate::config::Account;
use crate::ingest::event::SCHEMA;
use crate::ingest::policy::Org;
use crate::verify::{LoggedIn, Outcome, Why};

/// Runs `verify`.
pub(crate) fn run(global: &Global, args: &Verify) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    let chosen = reading::choose(&config, &args.username, args.org, None)?;
    let account = chosen.account.ok_or_else(|| unknown(&args.username))?;
    // whatever can be wrong on this side is told before the only attempt
    let log_in = verification::log_in(account)?;
    let password = verification::password(account)?;
    let reading = chosen.read()?;
    let at = Timestamp::now();
    let outcome = log_in.attempt(&reading.key.username, &password, &reading.token);
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
