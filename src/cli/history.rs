//! `sftoken history`: the audit trail, to read, to export and to check.
//!
//! Knows what of it is shown, and in which form. Never changes it, and never calls it whole unless all of it
//! was recomputed. Records come from the ledger.

use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

use super::args::{Global, History, HistoryFormat};
use super::exit::{Exit, Failure};
use super::render::{Colour, Style, escape};
use super::trail_forms::{CsvLines, JsonLine};
use super::{engine, json, settings};
use crate::config::Config;
use crate::ingest::event::SCHEMA;
use crate::ledger::{Broken, Checked, Entry, Event, Filter, Ledger, Order, Trail};

/// As many as a person looks at.
const ON_A_TERMINAL: u64 = 50;

/// Runs `history`.
pub(crate) fn run(global: &Global, args: &History) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    if args.check {
        return check(global, args, &config);
    }
    let form = form(global, args)?;
    let terminal = io::stdout().is_terminal();
    let few = (terminal && form == HistoryFormat::Text).then_some(ON_A_TERMINAL);
    let filter = Filter {
        username: args.username.clone(),
        since: args.since,
        until: args.until,
        limit: args.limit.or(few),
        order: Order::OldestFirst,
        ..Filter::default()
    };
    let ledger = engine::ledger(&config)?;
    let trail = ledger.trail(&filter)?;
    let mut out = BufWriter::new(io::stdout().lock());
    match form {
        HistoryFormat::Text => text(&mut out, trail, Style::new(terminal))?,
        HistoryFormat::Jsonl => {
            for entry in trail {
                json::line(&mut out, &JsonLine::new(&entry?))?;
            }
        }
        HistoryFormat::Csv => {
            let mut lines = CsvLines::begin(&mut out)?;
            for entry in trail {
                lines.line(&entry?)?;
            }
            lines.end()?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn form(global: &Global, args: &History) -> Result<HistoryFormat, Failure> {
    match (args.format, global.json) {
        (None | Some(HistoryFormat::Jsonl), true) => Ok(HistoryFormat::Jsonl),
        (form, false) => Ok(form.unwrap_or(HistoryFormat::Text)),
        (Some(_), true) => Err(Failure::new(
            Exit::Usage,
            "--json and another --format are given",
            "give one of them",
        )),
    }
}

/// A check, as `history --check --json` prints it.
#[derive(Debug, Serialize)]
struct CheckLine {
    schema: u32,
    whole: bool,
    records: Option<u64>,
    /// `SEQ:HASH` of the last record that retention removed; number 0 if none was.
    base: Option<String>,
    /// `SEQ:HASH` of the last record: the next anchor.
    head: Option<String>,
    /// What was found first, as a word.
    finding: Option<&'static str>,
    problem: Option<String>,
    /// The record that the problem is about.
    seq: Option<u64>,
}

fn check(global: &Global, args: &History, config: &Config) -> Result<Exit, Failure> {
    let path = engine::ledger_path(config)?;
    // opening one would make it, and an empty trail is whole
    if !path.exists() {
        let problem = format!("there is no ledger {}", path.display());
        let hint = "check --config and state_dir; the first watch, wait or replay makes it";
        return Err(Failure::new(Exit::Failed, problem, hint));
    }
    let ledger = Ledger::open(path)?;
    let checked = ledger.check_trail(args.anchor.as_ref());
    let mut out = io::stdout().lock();
    if global.json {
        json::line(&mut out, &check_line(&checked))?;
    } else if let Ok(checked) = &checked {
        let Checked { records, head, .. } = checked;
        writeln!(out, "whole: {records} records, head {head}")?;
    }
    out.flush()?;
    checked.map(|_| Exit::Done).map_err(|broken| broken.into())
}

fn check_line(checked: &Result<Checked, Broken>) -> CheckLine {
    let whole = checked.as_ref().ok();
    let broken = checked.as_ref().err();
    CheckLine {
        schema: SCHEMA,
        whole: whole.is_some(),
        records: whole.map(|checked| checked.records),
        base: whole.map(|checked| checked.base.to_string()),
        head: whole.map(|checked| checked.head.to_string()),
        finding: broken.map(Broken::kind),
        problem: broken.map(ToString::to_string),
        seq: broken.and_then(Broken::seq),
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        let problem = match broken {
            Broken::Ledger(error) => return error.into(),
            Broken::AnchorPruned { .. } => format!("the audit trail cannot be compared: {broken}"),
            _ => format!("the audit trail is not what was written: {broken}"),
        };
        Self::new(Exit::Failed, problem, broken.hint())
    }
}

fn text(out: &mut impl Write, trail: Trail<'_>, style: Style) -> Result<(), Failure> {
    let mut none = true;
    for entry in trail {
        line(out, &entry?, style)?;
        none = false;
    }
    if none {
        writeln!(out, "nothing is recorded, or nothing that fits")?;
    }
    Ok(())
}

/// One record: number, time, event, account, and then what is known of it.
fn line(out: &mut impl Write, entry: &Entry, style: Style) -> io::Result<()> {
    let record = &entry.record;
    let event = format!("{:<20}", record.event);
    let event = match colour(record.event) {
        Some(colour) => style.paint(colour, &event).into_owned(),
        None => event,
    };
    let username = record.username.as_deref().unwrap_or("-");
    write!(
        out,
        "{:>6}  {:.0}  {event}  {}",
        entry.seq,
        record.at,
        escape(username)
    )?;
    if let Some(org) = record.org {
        write!(out, " ({})", org.as_str())?;
    }
    let source = record.source.as_ref().map(ToString::to_string);
    let fingerprint = record.fingerprint.as_ref().map(ToString::to_string);
    for (word, told) in [
        ("", &record.reason),
        ("", &record.detail),
        ("token ", &fingerprint),
        ("in ", &record.slot),
        ("from ", &source),
    ] {
        if let Some(told) = told {
            write!(out, "  {word}{}", escape(told))?;
        }
    }
    writeln!(out)
}

fn colour(event: Event) -> Option<Colour> {
    use Event::{
        ConsumerFailed, ConsumerOk, Due, HookFailed, NotVerified, NotificationFailed, Overdue,
        Refused, StoreFailed, Stored, VerificationUnknown, Verified, WebhookFailed,
    };
    match event {
        Stored | Verified | ConsumerOk => Some(Colour::Green),
        Refused | NotVerified | Overdue => Some(Colour::Red),
        StoreFailed | VerificationUnknown | HookFailed | WebhookFailed | NotificationFailed
        | ConsumerFailed | Due => Some(Colour::Yellow),
        _ => None,
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
