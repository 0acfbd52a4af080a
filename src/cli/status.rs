//! `sftoken status`: accounts, the age of their tokens, and the last proven contact with mailboxes.
//!
//! Knows how both are shown. Never reads a token, a store or a mailbox: everything comes from the
//! configuration and the ledger.

use std::io::{self, IsTerminal, Write};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::args::Global;
use super::exit::{Exit, Failure};
use super::render::{Colour, Style, escape};
use super::{engine, json, settings};
use crate::config::{Config, DEFAULT_MAX_AGE};
use crate::ingest::event::{Receipt, SCHEMA};
use crate::ingest::policy::Org;
use crate::watch::FolderChoice;

/// One account, as `status --json` prints it.
#[derive(Debug, Serialize)]
struct AccountLine {
    username: String,
    org: Option<Org>,
    /// `ok`, `due` (nine tenths of `max_age`), `overdue`, or `missing`.
    state: &'static str,
    slot: Option<String>,
    fingerprint: Option<String>,
    date: Option<String>,
    stored_at: Option<String>,
    age_seconds: Option<i64>,
    max_age_seconds: i64,
}

/// The last proven contact with one folder: when the connection that watches it was last answered.
#[derive(Debug, Serialize)]
struct FolderLine {
    mailbox: String,
    folder: String,
    /// `ok`, `silent` (for longer than a dead connection may go unnoticed: nobody watches), or `never`.
    state: &'static str,
    last_contact: Option<String>,
    silent_seconds: Option<i64>,
}

/// Everything, as `status --json` prints it.
#[derive(Debug, Serialize)]
struct Status {
    schema: u32,
    accounts: Vec<AccountLine>,
    mailboxes: Vec<FolderLine>,
}

/// Runs `status`.
pub(crate) fn run(global: &Global) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    let ledger = engine::ledger(&config)?;
    let now = Timestamp::now();
    let status = Status {
        schema: SCHEMA,
        accounts: accounts(&config, &ledger.receipts()?, now),
        mailboxes: folders(&config, &ledger.contacts()?, now),
    };
    let mut out = io::stdout().lock();
    if global.json {
        json::line(&mut out, &status)?;
    } else {
        write(&mut out, &status, Style::new(io::stdout().is_terminal()))?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Configured accounts first, then others that the ledger knows.
fn accounts(config: &Config, receipts: &[Receipt], now: Timestamp) -> Vec<AccountLine> {
    let newest = |username: &str, org: Option<Org>| {
        let same = receipts.iter().filter(|receipt| {
            receipt.report.username.as_deref() == Some(username)
                && org.is_none_or(|org| receipt.report.org == Some(org))
        });
        same.max_by_key(|receipt| receipt.report.date)
    };
    let mut lines: Vec<AccountLine> = config
        .accounts
        .iter()
        .map(|account| {
            let receipt = newest(&account.username, Some(account.org));
            line(
                &account.username,
                Some(account.org),
                receipt,
                account.max_age,
                now,
            )
        })
        .collect();
    for receipt in receipts {
        let (Some(username), org) = (&receipt.report.username, receipt.report.org) else {
            continue;
        };
        if !lines
            .iter()
            .any(|line| line.username == *username && line.org == org)
        {
            lines.push(line(
                username,
                org,
                newest(username, org),
                DEFAULT_MAX_AGE,
                now,
            ));
        }
    }
    lines
}

fn line(
    username: &str,
    org: Option<Org>,
    receipt: Option<&Receipt>,
    max_age: SignedDuration,
    now: Timestamp,
) -> AccountLine {
    let date = receipt.and_then(|receipt| receipt.report.date);
    let age = date.map(|date| now.duration_since(date));
    AccountLine {
        username: username.to_owned(),
        org,
        state: state(age, max_age),
        slot: receipt.and_then(|receipt| receipt.slot.clone()),
        fingerprint: receipt
            .and_then(|receipt| receipt.report.fingerprint.as_ref())
            .map(ToString::to_string),
        date: date.map(|date| format!("{date:.0}")),
        stored_at: receipt
            .and_then(|receipt| receipt.stored_at)
            .map(|at| format!("{at:.0}")),
        age_seconds: age.map(|age| age.as_secs()),
        max_age_seconds: max_age.as_secs(),
    }
}

fn state(age: Option<SignedDuration>, max_age: SignedDuration) -> &'static str {
    match age {
        None => "missing",
        Some(age) if age > max_age => "overdue",
        Some(age) if age > max_age * 9 / 10 => "due",
        Some(_) => "ok",
    }
}

/// Beside the liveness, what a probe, its answer and the ledger's writing may add.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Configured folders, or those of a mailbox that the ledger knows; one that never answered has no
/// contact.
fn folders(
    config: &Config,
    contacts: &[(String, String, Timestamp)],
    now: Timestamp,
) -> Vec<FolderLine> {
    let mut lines = Vec::new();
    for mailbox in &config.mailboxes {
        let known = contacts.iter().filter(|(name, ..)| *name == mailbox.name);
        let known: Vec<_> = known.collect();
        let usual = FolderChoice::usual().into_iter();
        let names = mailbox.watching.folders.clone().unwrap_or_else(|| {
            // the junk folder, where there is one
            let there = |choice: &FolderChoice| {
                choice.required || known.iter().any(|(_, folder, _)| *folder == choice.name)
            };
            usual.filter(there).map(|choice| choice.name).collect()
        });
        for folder in names {
            let contact = known.iter().find(|(_, other, _)| *other == folder);
            let silence = contact.map(|(_, _, at)| (*at, now.duration_since(*at)));
            let limit = mailbox.watching.liveness + GRACE;
            lines.push(FolderLine {
                mailbox: mailbox.name.clone(),
                folder,
                state: match silence {
                    None => "never",
                    Some((_, silence)) if silence > limit => "silent",
                    Some(_) => "ok",
                },
                last_contact: silence.map(|(at, _)| format!("{at:.0}")),
                silent_seconds: silence.map(|(_, silence)| silence.as_secs()),
            });
        }
    }
    lines
}

fn write(out: &mut impl Write, status: &Status, style: Style) -> io::Result<()> {
    if status.accounts.is_empty() && status.mailboxes.is_empty() {
        return writeln!(
            out,
            "no account and no mailbox is configured, and no token was stored yet"
        );
    }
    for account in &status.accounts {
        let colour = if account.state == "ok" {
            Colour::Green
        } else {
            Colour::Yellow
        };
        let age = account.age_seconds.map_or_else(
            || "no token yet".to_owned(),
            |age| format!("{} old", rough(age)),
        );
        let org = account.org.map_or("", Org::as_str);
        let slot = account.slot.as_deref().unwrap_or("-");
        let limit = rough(account.max_age_seconds);
        writeln!(
            out,
            "{} {} ({org}): {age}, limit {limit}, in {}",
            style.paint(colour, account.state),
            escape(&account.username),
            escape(slot)
        )?;
    }
    for folder in &status.mailboxes {
        let contact = folder
            .silent_seconds
            .map_or_else(|| "never".to_owned(), |ago| format!("{} ago", rough(ago)));
        let colour = match folder.state {
            "ok" => Colour::Green,
            _ => Colour::Yellow,
        };
        writeln!(
            out,
            "{} mailbox {}/{}: last proven contact {contact}",
            style.paint(colour, folder.state),
            escape(&folder.mailbox),
            escape(&folder.folder)
        )?;
    }
    Ok(())
}

/// A length of time as people say it.
fn rough(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
