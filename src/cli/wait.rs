//! `sftoken wait`: arm, say so, run the reset, wait for the tokens.
//!
//! Knows the child process, progress and exit statuses. Never decides which mail serves. Receipts
//! come from the library.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use jiff::Timestamp;

use super::args::{Global, Wait};
use super::exit::{Exit, Failure};
use super::receipts::{self, Tally};
use super::{engine, json, settings, signals};
use crate::config::Config;
use crate::ingest::event::{Receipt, SCHEMA};
use crate::ingest::policy::Account;
use crate::ingest::refusal::NotOurs;
use crate::watch::{Armed, Order, Pipeline, Start, WaitError, arm};

/// Runs `wait`.
pub(crate) fn run(global: &Global, args: &Wait) -> Result<Exit, Failure> {
    let config = settings::read(global, Some(&args.direct))?;
    let accounts = accounts(&config, args);
    let mut policy = config.policy.clone();
    for account in &accounts {
        if !policy.accounts.contains(account) {
            policy.accounts.push(account.clone());
        }
    }
    // Freshness is told by UID and by the arming, not by age.
    policy.max_age = None;
    let pipeline = engine::pipeline(&config, policy, engine::real_clock())?;
    engine::check_stores(&pipeline.stores, &config)?;
    let start = args.since.map_or(Start::Now, Start::Since);
    let order = Order {
        mailboxes: engine::mailboxes(&config, start)?,
        since: args.since.unwrap_or_else(Timestamp::now),
        accounts,
    };
    engine::block_on(async {
        tokio::select! {
            ended = steps(global, args, order, &pipeline, &config) => ended,
            signal = signals::first() => Ok(Exit::Signal(signal)),
        }
    })
}

/// The accounts that need a token: those named, else every configured one.
fn accounts(config: &Config, args: &Wait) -> Vec<Account> {
    if args.accounts.is_empty() {
        config.policy.accounts.clone()
    } else {
        engine::named_accounts(config, &args.accounts)
    }
}

async fn steps(
    global: &Global,
    args: &Wait,
    order: Order,
    pipeline: &Pipeline,
    config: &Config,
) -> Result<Exit, Failure> {
    let wanted = order.accounts.clone();
    let timeout = Duration::try_from(args.timeout).unwrap_or_default();
    let armed = arm(order, pipeline)
        .await
        .map_err(|error| failure(error, timeout))?;
    say_armed(global, &wanted, timeout);
    if let Some(exit) = reset(&args.command, &config.private_variables()).await? {
        return Ok(exit);
    }
    collect(armed, timeout, global).await
}

async fn collect(armed: Armed, timeout: Duration, global: &Global) -> Result<Exit, Failure> {
    let mut tokens: Vec<Receipt> = match armed.collect(timeout).await {
        Ok(tokens) => tokens,
        Err(error) => return Err(failure(error, timeout)),
    };
    tokens.sort_by_key(|receipt| receipt.stored_at);
    let mut out = io::stdout().lock();
    for receipt in &tokens {
        receipts::print(&mut out, receipt, global.json)?;
    }
    Ok(Exit::Done)
}

/// One line on standard error, when the button may be pressed: it begins with `armed`, or is JSON.
fn say_armed(global: &Global, wanted: &[Account], timeout: Duration) {
    #[derive(serde::Serialize)]
    struct Line<'l> {
        schema: u32,
        event: &'static str,
        at: String,
        accounts: Vec<&'l str>,
        timeout_seconds: u64,
    }
    let names: Vec<&str> = wanted
        .iter()
        .map(|account| account.username.as_str())
        .collect();
    let mut err = io::stderr().lock();
    // Nobody is left to tell when that fails.
    let _ = if global.json {
        let line = Line {
            schema: SCHEMA,
            event: "armed",
            at: format!("{:.0}", Timestamp::now()),
            accounts: names,
            timeout_seconds: timeout.as_secs(),
        };
        json::line(&mut err, &line)
    } else {
        let whom = if names.is_empty() {
            "any account".to_owned()
        } else {
            names.join(", ")
        };
        writeln!(
            err,
            "armed: reset the token of {whom} now; waiting up to {} s",
            timeout.as_secs()
        )
    };
}

/// Runs the command that resets the token. Its output goes to standard error: standard output is
/// for receipts. `Some` when it failed: there is nothing to wait for.
async fn reset(command: &[OsString], private: &[String]) -> Result<Option<Exit>, Failure> {
    let Some((program, args)) = command.split_first() else {
        return Ok(None);
    };
    let mut child = tokio::process::Command::new(program);
    child.args(args).stdout(stderr()).kill_on_drop(true);
    // It resets a token: what opens the mailbox is none of its business.
    for name in private {
        child.env_remove(name);
    }
    match child.status().await {
        Ok(status) if status.success() => Ok(None),
        Ok(status) => {
            super::say(
                "error",
                &format!("the reset command failed: {status}"),
                "see its output above; no token was waited for",
            );
            Ok(Some(child_exit(status)))
        }
        Err(error) => {
            let code = if error.kind() == io::ErrorKind::NotFound {
                127
            } else {
                126
            };
            let problem = format!("{}: {error}", program.to_string_lossy());
            Err(Failure::new(
                Exit::Child(code),
                problem,
                "check the command behind --",
            ))
        }
    }
}

#[cfg(unix)]
fn stderr() -> Stdio {
    use std::os::fd::AsFd;
    let copy = io::stderr().as_fd().try_clone_to_owned();
    copy.map_or_else(|_| Stdio::null(), Stdio::from)
}

#[cfg(not(unix))]
fn stderr() -> Stdio {
    Stdio::inherit()
}

fn child_exit(status: ExitStatus) -> Exit {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Exit::Signal(u8::try_from(signal).unwrap_or(u8::MAX));
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Exit::Child(code.unwrap_or(1))
}

/// What to look at when nothing came, in the order of likelihood (Salesforce's help on resets).
const NOTHING_CAME: &str = "was the reset confirmed? Salesforce sends no mail to API-only users, to \
    users with login IP ranges in their profile, and to sandbox addresses that end in .invalid; \
    look into the junk folder; a mail may take up to 24 hours: wait again with --since";

fn failure(error: WaitError, timeout: Duration) -> Failure {
    match error {
        WaitError::Mailbox(stopped) => (*stopped).into(),
        WaitError::Late { missing, seen } => {
            let mut tally = Tally::default();
            for verdict in &seen {
                tally.count(verdict);
            }
            let exit = match tally.exit(Exit::Nothing) {
                Exit::Done => Exit::Nothing,
                exit => exit,
            };
            let problem = format!(
                "no token came within {} s for {}",
                timeout.as_secs(),
                missing.join(", ")
            );
            let hint = seen
                .iter()
                .rev()
                .find_map(reason)
                .unwrap_or_else(|| NOTHING_CAME.to_owned());
            Failure::new(exit, problem, hint)
        }
    }
}

/// Why the last mail that came did not serve.
fn reason(verdict: &crate::watch::Verdict) -> Option<String> {
    use crate::watch::Verdict::{Open, Settled};
    match verdict {
        Open(report, trouble) => Some(format!(
            "{} is kept: {trouble}; {}",
            report.source,
            trouble.hint()
        )),
        Settled(receipt) => {
            let why = receipt.report.reason.as_deref()?;
            (why != NotOurs::NotCandidate.kind())
                .then(|| format!("{} came, and did not serve: {why}", receipt.report.source))
        }
    }
}
