//! `sftoken watch`: every configured mailbox, for ever; with `--once`, until it has caught up.
//!
//! Knows signals and standard output. Never decides what is stored. Verdicts come from the library.

use std::collections::BTreeSet;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::args::{Global, Watch};
use super::exit::{Exit, Failure};
use super::receipts::{self, Tally};
use super::{engine, settings, signals};
use crate::config::Config;
use crate::ingest::policy::Policy;
use crate::watch::{Pipeline, Shutdown, Start, Stopped, Verdict, catch_up, watch};

/// How long the good-byes to all servers may take together: each takes two seconds at most.
const FAREWELL: Duration = Duration::from_secs(3);

/// Runs `watch`.
pub(crate) fn run(global: &Global, args: &Watch) -> Result<Exit, Failure> {
    let config = settings::read(global, Some(&args.direct))?;
    let mut policy = config.policy.clone();
    if !args.accounts.is_empty() {
        policy.accounts = engine::named_accounts(&config, &args.accounts);
    }
    if args.once {
        return once(global, &config, policy);
    }
    let pipeline = engine::pipeline(&config, policy, engine::real_clock())?;
    warn_of_stores(&pipeline, &config);
    let mailboxes = engine::mailboxes(&config, Start::Cursor)?;
    engine::block_on(async {
        let (sender, verdicts) = mpsc::unbounded_channel();
        tokio::spawn(print_all(verdicts, global.json));
        let (switch, shutdown) = Shutdown::new();
        let mut watching = pin!(watch(mailboxes, &pipeline, &sender, &shutdown));
        tokio::select! {
            signal = signals::first() => {
                tracing::info!(signal, "stopping");
                drop(switch);
                let _ = timeout(FAREWELL, watching).await;
                Ok(Exit::Signal(signal))
            }
            ended = &mut watching => {
                first_failure(ended.err())?;
                Ok(Exit::Mailbox)
            }
        }
    })
}

/// Catches up, does what is to be done then, and ends.
pub(super) fn once(global: &Global, config: &Config, policy: Policy) -> Result<Exit, Failure> {
    let pipeline = engine::pipeline(config, policy, engine::real_clock())?;
    engine::check_stores(&pipeline, config)?;
    let mailboxes = engine::mailboxes(config, Start::Cursor)?;
    engine::block_on(async {
        let (sender, verdicts) = mpsc::unbounded_channel();
        let printing = tokio::spawn(print_all(verdicts, global.json));
        let failed = catch_up(mailboxes, &pipeline, &sender).await.err();
        drop(sender);
        let tally = printing.await.unwrap_or_default();
        // one mailbox that is away must not keep another one's tokens from their hooks
        let followed = receipts::follow_up(&pipeline).await;
        first_failure(failed)?;
        let followed = followed?;
        Ok(match tally.exit(Exit::Done) {
            Exit::Done if !followed => Exit::Failed,
            exit => exit,
        })
    })
}

/// A daemon begins without its store: it may be unlocked, or come up, later. Mail is kept meanwhile.
fn warn_of_stores(pipeline: &Pipeline, config: &Config) {
    if let Err(failure) = engine::check_stores(pipeline, config) {
        tracing::error!(
            hint = failure.hint,
            "tokens cannot be stored now: {}",
            failure.problem
        );
    }
}

/// Prints receipts as they come, of a mail that is kept open the first try only; in text form the
/// log tells the same.
async fn print_all(mut verdicts: mpsc::UnboundedReceiver<Verdict>, as_json: bool) -> Tally {
    let mut tally = Tally::default();
    let mut quiet = !as_json;
    let mut open = BTreeSet::new();
    while let Some(verdict) = verdicts.recv().await {
        tally.count(&verdict);
        let again = match &verdict {
            Verdict::Open(report, _) => !open.insert(report.source.clone()),
            Verdict::Settled(receipt) => {
                open.remove(&receipt.report.source);
                false
            }
        };
        if !quiet && !again {
            let receipt = verdict.into_receipt();
            // Nobody reads any more; storing goes on.
            quiet = receipts::print(&mut io::stdout().lock(), &receipt, true).is_err();
        }
    }
    tally
}

/// The first mailbox that failed makes the exit status; the others are told too.
fn first_failure(failed: Option<Vec<Stopped>>) -> Result<(), Failure> {
    let mut failed = failed.into_iter().flatten();
    let Some(first) = failed.next() else {
        return Ok(());
    };
    for other in failed {
        let hint = other.error.hint();
        super::say("error", &other.to_string(), hint);
    }
    Err(first.into())
}
