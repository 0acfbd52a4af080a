//! `sftoken parse`: one outcome per mail, offline, changing nothing.
//!
//! Knows the order of the steps and the exit status. Never decides what a mail is: `ingest` does.
//! Mails come from [`files`](crate::files), keys from [`KeySource`].
//!
//! ```text
//! PATH… ─► files ─► as_sent ─► Mail ─► questions ─► KeySource ─► examine ─► one line or paragraph
//! ```

use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;

use super::args::{Global, Parse};
use super::exit::{Exit, Failure};
use super::keys::KeySource;
use super::render::Style;
use super::summary::{self, Shown};
use super::{json, say, settings};
use crate::config::Config;
use crate::files::{self, Content, FileError, Item};
use crate::ingest::event::Report;
use crate::ingest::mail::{Mail, as_sent};
use crate::ingest::policy::{Account, Demand, Policy};
use crate::ingest::recipe::Recipe;
use crate::ingest::refusal::{NotOurs, Refusal};
use crate::ingest::{Outcome, examine, questions, worth_fetching};

/// Runs `parse`.
pub(crate) fn run(global: &Global, args: &Parse) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    let judge = Judge {
        keys: KeySource::open(&config.dns)?,
        policy: policy(&config, args),
        recipes: Recipe::built_in(),
        now: args.now,
    };
    if args.unproven {
        say(
            "warning",
            UNPROVEN,
            "for anything but a look at your own files, leave --unproven away",
        );
    }
    let stdout = io::stdout();
    let mut out = Output {
        style: Style::new(stdout.is_terminal()),
        at_once: stdout.is_terminal(),
        out: io::BufWriter::with_capacity(64 * 1024, stdout.lock()),
        json: global.json,
        reveal: args.reveal,
        unproven: args.unproven,
    };
    let mut tally = Tally::default();
    for mail in files::mails(args.paths.clone(), io::stdin()) {
        match mail {
            Ok(mail) => {
                let outcome = judge.judge(&mail, |report, outcome| out.print(report, outcome))?;
                tally.count(&outcome);
            }
            Err(error) => tally.unreadable(&mut out, &error)?,
        }
    }
    out.out.flush()?;
    if !global.quiet && !global.json && tally.mails() > 1 {
        let _ = writeln!(io::stderr(), "{tally}");
    }
    Ok(tally.exit())
}

const UNPROVEN: &str = "--unproven: nothing proves who wrote these mails; anyone could have";

/// `--account` narrows the configured accounts; nobody's mail is too old to be looked at.
fn policy(config: &Config, args: &Parse) -> Policy {
    let mut policy = config.policy.clone();
    if !args.accounts.is_empty() {
        policy.accounts = args
            .accounts
            .iter()
            .flat_map(|name| named(config, name))
            .collect();
    }
    policy.max_age = None;
    if args.unproven {
        policy.demand = Demand::Nothing;
    }
    policy
}

/// The configured accounts of a username; any org when there is none.
fn named(config: &Config, username: &str) -> Vec<Account> {
    let configured = config.policy.accounts.iter();
    let same: Vec<Account> = configured
        .filter(|account| account.username == username)
        .cloned()
        .collect();
    if !same.is_empty() {
        return same;
    }
    let username = username.to_owned();
    vec![Account {
        username,
        org: None,
    }]
}

/// Everything that an examination needs beside the mail.
struct Judge {
    keys: KeySource,
    policy: Policy,
    recipes: &'static [Recipe],
    now: Option<Timestamp>,
}

impl Judge {
    fn judge(
        &self,
        item: &Item,
        told: impl FnOnce(&Report, &Outcome) -> io::Result<()>,
    ) -> io::Result<Outcome> {
        let (Content::Whole(bytes) | Content::TooLarge { head: bytes, .. }) = &item.content;
        let bytes = as_sent(bytes);
        let mail = Mail::parse(&bytes);
        let outcome = match &item.content {
            Content::Whole(_) => self.examine(&mail),
            Content::TooLarge { .. } => self.too_large(&mail),
        };
        told(&Report::new(&item.source, &mail, &outcome), &outcome)?;
        Ok(outcome)
    }

    fn examine(&self, mail: &Mail<'_>) -> Outcome {
        let now = self.now.unwrap_or_else(Timestamp::now);
        let names = questions(mail, &self.policy, self.recipes, now);
        let keys = self.keys.answers(&names);
        examine(mail, &keys, &self.policy, self.recipes, now)
    }

    fn too_large(&self, header: &Mail<'_>) -> Outcome {
        match worth_fetching(header, &self.policy, self.recipes) {
            true => Outcome::Refused(Refusal::TooLarge),
            false => Outcome::NotOurs(NotOurs::NotCandidate),
        }
    }
}

/// Standard output, as the user wants it.
struct Output<W: Write> {
    out: io::BufWriter<W>,
    style: Style,
    at_once: bool,
    json: bool,
    reveal: bool,
    unproven: bool,
}

impl<W: Write> Output<W> {
    fn print(&mut self, report: &Report, outcome: &Outcome) -> io::Result<()> {
        let shown = Shown::new(report, outcome, self.reveal);
        match self.json {
            true => json::line(&mut self.out, &shown)?,
            false => summary::write(&mut self.out, &shown, outcome, self.style, self.unproven)?,
        }
        if self.at_once {
            self.out.flush()?;
        }
        Ok(())
    }
}

/// How many of each.
#[derive(Debug, Default)]
struct Tally {
    found: usize,
    not_ours: usize,
    refused: usize,
    undecided: usize,
    unreadable: usize,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        *match outcome {
            Outcome::Found(_) => &mut self.found,
            Outcome::NotOurs(_) => &mut self.not_ours,
            Outcome::Refused(_) => &mut self.refused,
            Outcome::Undecided(_) => &mut self.undecided,
        } += 1;
    }

    /// Says so between the outcomes of its neighbours.
    fn unreadable<W: Write>(&mut self, out: &mut Output<W>, error: &FileError) -> io::Result<()> {
        self.unreadable += 1;
        out.out.flush()?;
        say("error", &error.to_string(), error.hint);
        Ok(())
    }

    fn mails(&self) -> usize {
        self.found + self.not_ours + self.refused + self.undecided
    }

    /// The contract's order; what cannot be read is as unknown as what cannot be decided.
    fn exit(&self) -> Exit {
        match self {
            Self { refused: 1.., .. } => Exit::Refused,
            Self { undecided: 1.., .. }
            | Self {
                unreadable: 1.., ..
            } => Exit::Failed,
            Self { found: 1.., .. } => Exit::Done,
            _ => Exit::Nothing,
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} mails: {} found", self.mails(), self.found)?;
        let rest = [
            (self.refused, "refused"),
            (self.undecided, "undecided"),
            (self.not_ours, "not ours"),
            (self.unreadable, "more paths unreadable"),
        ];
        for (number, word) in rest.iter().filter(|(number, _)| *number > 0) {
            write!(f, ", {number} {word}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
