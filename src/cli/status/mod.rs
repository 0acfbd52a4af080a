//! `sftoken status`: accounts, the age of their tokens, and the last proven contact with mailboxes.
//!
//! Knows how both are put together, and which exit status they make for a monitor. Never reads a token, a store or a
//! mailbox: everything comes from the configuration and the ledger.

mod accounts;
mod text;

use std::io::{self, IsTerminal, Write};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::accounts::AccountLine;
use super::args::{self, Global};
use super::exit::{Exit, Failure};
use super::render::Style;
use super::{engine, json, settings};
use crate::config::Config;
use crate::ingest::event::SCHEMA;
use crate::watch::FolderChoice;

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
pub(crate) fn run(global: &Global, args: &args::Status) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    let ledger = engine::ledger(&config)?;
    let now = Timestamp::now();
    let status = Status {
        schema: SCHEMA,
        accounts: accounts::accounts(&config, &ledger, now)?,
        mailboxes: folders(&config, &ledger.contacts()?, now),
    };
    let mut out = io::stdout().lock();
    if global.json {
        json::line(&mut out, &status)?;
    } else {
        text::write(&mut out, &status, Style::new(io::stdout().is_terminal()))?;
    }
    out.flush()?;
    Ok(status.exit(args.check))
}

/// Which of several exit statuses counts: what is lost first, before what is late.
const ORDER: [Exit; 5] = [
    Exit::Store,
    Exit::Verification,
    Exit::Mailbox,
    Exit::Failed,
    Exit::Nothing,
];

impl Status {
    /// For monitors. What is missing because nothing has begun yet counts only `strictly`.
    fn exit(&self, strictly: bool) -> Exit {
        let silent = |folder: &FolderLine| strictly && folder.state != "ok";
        let mailboxes = self.mailboxes.iter().any(silent).then_some(Exit::Mailbox);
        let accounts = self.accounts.iter().map(|line| line.exit(strictly));
        let all: Vec<Exit> = accounts.chain(mailboxes).collect();
        let first = ORDER.into_iter().find(|exit| all.contains(exit));
        first.unwrap_or(Exit::Done)
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
