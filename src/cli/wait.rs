//! `sftoken wait`: arm, say so, run the reset, wait for the tokens.
//!
//! Knows the child process, progress and exit statuses. Never decides which mail serves. Receipts
//! come from the library.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::args::{Global, Wait};
use super::exit::{Exit, Failure};
use super::receipts;
use super::{children, engine, json, late, progress, settings, signals};
use crate::config::Config;
use crate::ingest::event::{Receipt, SCHEMA};
use crate::ingest::policy::Account;
use crate::ledger::StepResult;
use crate::store::Key;
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
    engine::check_stores(&pipeline, &config)?;
    let start = args.since.map_or(Start::Now, Start::Since);
    let order = Order {
        mailboxes: engine::mailboxes(&config, start)?,
        since: args.since.unwrap_or_else(Timestamp::now),
        timeout: Duration::try_from(args.timeout).unwrap_or_default(),
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
    let withheld = children::withheld(&config.private_variables(), &args.keep);
    let resetting = armed.during(timeout, reset(&args.command, &withheld));
    if let Some(exit) = resetting.await? {
        return Ok(exit);
    }
    collect(armed, timeout, global, &wanted, pipeline).await
}

/// Waits for the tokens, prints a receipt for each, and sees to it that everything behind them is done.
async fn collect(
    armed: Armed,
    timeout: Duration,
    global: &Global,
    wanted: &[Account],
    pipeline: &Pipeline,
) -> Result<Exit, Failure> {
    let deadline = Instant::now() + timeout;
    let what = format!("waiting for the token of {}", whom(wanted));
    let collected = progress::during(global, &what, timeout, armed.collect(timeout)).await;
    let mut tokens: Vec<Receipt> = match collected {
        Ok(tokens) => tokens,
        Err(error) => {
            let stored = stored(&error);
            print(stored, global)?;
            // Their hooks and tests are done all the same; how that went stands in the log and in `status`.
            if !stored.is_empty() {
                let keys = keys_of(stored);
                let finishing = pipeline.finish_errands(Some(&keys));
                let _late = tokio::time::timeout(LEAST_FOR_ERRANDS, finishing).await;
            }
            return Err(failure(error, timeout));
        }
    };
    tokens.sort_by_key(|receipt| receipt.stored_at);
    print(&tokens, global)?;
    let left = deadline.saturating_duration_since(Instant::now());
    followed(&tokens, left.max(LEAST_FOR_ERRANDS), global, pipeline).await
}

/// Hooks and tests get at least so long, however late the mail came.
const LEAST_FOR_ERRANDS: Duration = Duration::from_secs(60);

/// Waits until hooks and tests are done. What failed undoes nothing, and is no success.
async fn followed(
    tokens: &[Receipt],
    at_most: Duration,
    global: &Global,
    pipeline: &Pipeline,
) -> Result<Exit, Failure> {
    let keys = keys_of(tokens);
    let finishing = pipeline.finish_errands(Some(&keys));
    let finishing = tokio::time::timeout(at_most, finishing);
    let Ok(finished) = progress::during(global, "hooks and tests", at_most, finishing).await else {
        let problem = format!(
            "the tokens are stored; hooks and tests are not done after {} s",
            at_most.as_secs()
        );
        let hint = "sftoken watch goes on with them; sftoken status shows how they ended";
        return Err(Failure::new(Exit::Failed, problem, hint));
    };
    finished?;
    let results = pipeline.ledger.step_results()?;
    let ours = |result: &&StepResult| {
        tokens.iter().any(|token| {
            token.report.username.as_deref() == Some(result.username.as_str())
                && token.report.org == Some(result.org)
                && token.report.fingerprint == result.fingerprint
        })
    };
    let failed: Vec<String> = results
        .iter()
        .filter(ours)
        .filter(|result| !result.ok)
        .map(|result| {
            let why = result.detail.as_deref().unwrap_or("no reason is known");
            format!("{} of {}: {why}", result.step, result.username)
        })
        .collect();
    if failed.is_empty() {
        return Ok(Exit::Done);
    }
    let problem = format!(
        "the tokens are stored, and this failed: {}",
        failed.join("; ")
    );
    let hint =
        "nothing is undone; mend it and run it by hand, sftoken status shows it until it works";
    Err(Failure::new(Exit::Failed, problem, hint))
}

fn keys_of(tokens: &[Receipt]) -> Vec<Key> {
    let key = |receipt: &Receipt| {
        Some(Key {
            username: receipt.report.username.clone()?,
            org: receipt.report.org?,
        })
    };
    tokens.iter().filter_map(key).collect()
}

fn print(tokens: &[Receipt], global: &Global) -> Result<(), Failure> {
    progress::clear();
    let mut out = io::stdout().lock();
    for receipt in tokens {
        receipts::print(&mut out, receipt, global.json)?;
    }
    Ok(())
}

/// What is stored although the wait failed.
fn stored(error: &WaitError) -> &[Receipt] {
    match error {
        WaitError::Late { stored, .. } | WaitError::NotVerified { stored, .. } => stored,
        _ => &[],
    }
}

fn whom(wanted: &[Account]) -> String {
    let names: Vec<&str> = wanted
        .iter()
        .map(|account| account.username.as_str())
        .collect();
    match names.is_empty() {
        true => "any account".to_owned(),
        false => names.join(", "),
    }
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
        writeln!(
            err,
            "armed: reset the token of {} now; waiting up to {} s",
            whom(wanted),
            timeout.as_secs()
        )
    };
}

/// Runs the command that resets the token. Its output goes to standard error: standard output is
/// for receipts. `Some` when it failed: there is nothing to wait for.
async fn reset(command: &[OsString], withheld: &[OsString]) -> Result<Option<Exit>, Failure> {
    let Some((program, args)) = command.split_first() else {
        return Ok(None);
    };
    let mut child = tokio::process::Command::new(program);
    child.args(args).stdout(stderr()).kill_on_drop(true);
    // It resets a token, perhaps with the account's password: what opens mailbox and stores is none of its business.
    for name in withheld {
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

fn failure(error: WaitError, timeout: Duration) -> Failure {
    match error {
        WaitError::Mailbox(stopped) => (*stopped).into(),
        WaitError::Ledger(error) => error.into(),
        WaitError::NotVerified {
            ref why,
            answered,
            ref stored,
            ..
        } => {
            let exit = match answered {
                true => Exit::Verification,
                false => Exit::Failed,
            };
            let kept = match stored.is_empty() {
                true => "; it is not stored, and the one before stays",
                false => "",
            };
            let problem = format!("{error}{kept}");
            Failure::new(exit, problem, &why.hint)
        }
        WaitError::Late {
            missing,
            stored,
            seen,
        } => late::failure(&missing, &stored, &seen, timeout),
    }
}
