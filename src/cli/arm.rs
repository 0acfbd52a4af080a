//! `sftoken arm`: a reset is announced, to whoever watches on this machine.
//!
//! Knows how long, and for whom. Never resets, and never waits. A daemon finds the window in the ledger.

use std::io::{self, Write};

use jiff::Timestamp;

use super::args::{Arm, Global};
use super::exit::{Exit, Failure};
use super::{engine, json, say, settings};
use crate::ingest::event::SCHEMA;

/// The announcement, as `--json` prints it.
#[derive(Debug, serde::Serialize)]
struct Line<'l> {
    schema: u32,
    event: &'static str,
    at: String,
    until: String,
    accounts: Vec<&'l str>,
}

/// Runs `arm`.
pub(crate) fn run(global: &Global, args: &Arm) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    let accounts = match args.accounts.is_empty() {
        true => config.policy.accounts.clone(),
        false => engine::named_accounts(&config, &args.accounts),
    };
    let now = Timestamp::now();
    let until = now.checked_add(args.length).map_err(|_| {
        let hint = "write a shorter time, as in --for 30m";
        Failure::new(Exit::Usage, "--for leads past the end of time", hint)
    })?;
    engine::ledger(&config)?.open_windows(&accounts, now, until, now)?;
    if !config.policy.armed_only {
        let problem = "armed_only is not set: a mail is believed at any time, announced or not";
        say(
            "warning",
            problem,
            "write armed_only = true into [trust], and restart whoever watches",
        );
    }
    let names: Vec<&str> = accounts
        .iter()
        .map(|account| account.username.as_str())
        .collect();
    let mut out = io::stdout().lock();
    if global.json {
        let line = Line {
            schema: SCHEMA,
            event: "armed",
            at: format!("{now:.0}"),
            until: format!("{until:.0}"),
            accounts: names,
        };
        json::line(&mut out, &line)?;
    } else {
        let whom = match names.is_empty() {
            true => "any account".to_owned(),
            false => names.join(", "),
        };
        writeln!(out, "armed: a reset of {whom} is expected until {until:.0}")?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
