//! `sftoken parse`: one outcome per mail, offline, changing nothing.
//!
//! Knows the order of the steps and the exit status. Never decides what a mail is: `ingest` does.
//! Mails come from [`files`](crate::files), keys from [`KeySource`].
//!
//! ```text
//! PATH… ─► files ─► as_sent ─► Mail ─► questions ─► KeySource ─► explain ─► JSON, one line, or the account
//! ```

use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;

use super::args::{Global, Parse};
use super::exit::{Exit, Failure};
use super::keys::KeySource;
use super::render::Style;
use super::summary::{self, Shown};
use super::{account, engine, json, say, settings};
use crate::config::Config;
use crate::files::{self, Content, FileError, Item};
use crate::ingest::event::Report;
use crate::ingest::explain::{Explanation, explain, explain_oversized};
use crate::ingest::mail::{Mail, as_sent};
use crate::ingest::policy::{Demand, Policy};
use crate::ingest::recipe::Recipe;
use crate::ingest::{Outcome, examine, examine_oversized, questions};

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
    let mut mails = files::mails(args.paths.clone(), io::stdin());
    let (first, second) = (mails.next(), mails.next());
    let account = accounted(global, second.is_none());
    for mail in first.into_iter().chain(second).chain(mails) {
        match mail {
            Ok(mail) => {
                let outcome = judge.judge(&mail, account, |told| out.print(told))?;
                tally.count(&outcome);
            }
            Err(error) => tally.unreadable(&mut out, &error)?,
        }
    }
    out.out.flush()?;
    if !global.quiet && !global.json && tally.mails() > 1 {
        let more = if account {
            ""
        } else {
            "; -v tells what was checked"
        };
        let _ = writeln!(io::stderr(), "{tally}{more}");
    }
    Ok(tally.exit())
}

const UNPROVEN: &str = "--unproven: nothing proves who wrote these mails; anyone could have";

/// Whether the whole account is printed: of a mail that is alone, and of each with `-v`.
fn accounted(global: &Global, alone: bool) -> bool {
    !global.json && !global.quiet && (alone || global.verbose > 0)
}

/// `--account` narrows the configured accounts; nobody's mail is too old to be looked at.
fn policy(config: &Config, args: &Parse) -> Policy {
    let mut policy = config.policy.clone();
    if !args.accounts.is_empty() {
        policy.accounts = engine::named_accounts(config, &args.accounts);
    }
    policy.max_age = None;
    if args.unproven {
        policy.demand = Demand::Nothing;
    }
    policy
}

/// What is to be printed of one mail.
struct Told<'t> {
    report: &'t Report,
    outcome: &'t Outcome,
    /// Where the account is asked for.
    seen: Option<&'t Explanation>,
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
        account: bool,
        told: impl FnOnce(Told<'_>) -> io::Result<()>,
    ) -> io::Result<Outcome> {
        let (Content::Whole(bytes) | Content::TooLarge { head: bytes, .. }) = &item.content;
        let bytes = as_sent(bytes);
        let mail = Mail::parse(&bytes);
        let (outcome, seen) = match &item.content {
            Content::Whole(_) => self.examine(&mail, account),
            Content::TooLarge { size, .. } => self.examine_oversized(&mail, *size, account),
        };
        told(Told {
            report: &Report::new(&item.source, &mail, &outcome),
            outcome: &outcome,
            seen: seen.as_ref(),
        })?;
        Ok(outcome)
    }

    fn examine(&self, mail: &Mail<'_>, account: bool) -> (Outcome, Option<Explanation>) {
        let now = self.now();
        let (policy, recipes) = (&self.policy, self.recipes);
        let names = questions(mail, policy, recipes, now);
        let keys = self.keys.answers(&names);
        if !account {
            return (examine(mail, &keys, policy, recipes, now), None);
        }
        let (outcome, seen) = explain(mail, &keys, policy, recipes, now);
        (outcome, Some(seen))
    }

    fn examine_oversized(
        &self,
        head: &Mail<'_>,
        size: u64,
        account: bool,
    ) -> (Outcome, Option<Explanation>) {
        if !account {
            return (examine_oversized(head, &self.policy, self.recipes), None);
        }
        let (outcome, mut seen) = explain_oversized(head, &self.policy, self.recipes, self.now());
        seen.bytes = usize::try_from(size).unwrap_or(usize::MAX);
        (outcome, Some(seen))
    }

    fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
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
    fn print(&mut self, told: Told<'_>) -> io::Result<()> {
        let shown = Shown::new(told.report, told.outcome, self.reveal);
        match (self.json, told.seen) {
            (true, _) => json::line(&mut self.out, &shown)?,
            (false, None) => {
                summary::line(
                    &mut self.out,
                    &shown,
                    told.outcome,
                    self.style,
                    self.unproven,
                )?;
            }
            (false, Some(seen)) => {
                summary::write(
                    &mut self.out,
                    &shown,
                    told.outcome,
                    self.style,
                    self.unproven,
                )?;
                account::write(&mut self.out, seen, self.style)?;
            }
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
