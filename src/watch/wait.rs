//! The pipeline step: arm, then wait for a fresh genuine token for each account.
//!
//! Knows when everything is ready, and how long it may take. Never presses the reset: the caller does, once everything is
//! armed; and never decides which token serves: that is `serving`. What comes is told by the mailboxes that it watches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::connection::follow;
use super::mailbox::Mailbox;
use super::pipeline::Pipeline;
use super::pulse::Pulse;
use super::service::{Shutdown, Stopped, end_of, look_at_the_clock, named};
use super::task::{MailboxTask, Start};
use super::turnstile::Turnstile;
use super::verdict::Verdict;
use super::verifier::Failing;
use crate::ingest::event::Receipt;
use crate::ingest::policy::Account;
use crate::ledger::LedgerError;

/// How much older than the arming the signed Date may be: clocks differ. A mail of an earlier reset,
/// which Salesforce's servers may deliver up to a day late, is older.
const DATE_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// How often a reset that is under way is announced anew.
const ANNOUNCE: Duration = Duration::from_secs(30);

/// How often the ledger is looked into: nothing tells of what other processes write there.
const LOOK: Duration = Duration::from_secs(1);

/// What to wait for.
#[derive(Debug)]
pub struct Order {
    /// The accounts that need a token; none: the first token for anyone will do.
    pub accounts: Vec<Account>,
    /// Where to look.
    pub mailboxes: Vec<MailboxTask>,
    /// Mails from this time on count as fresh: the arming, or an earlier time.
    pub since: Timestamp,
    /// How long it may take: until then, the reset counts as announced.
    pub timeout: Duration,
}

/// Every mailbox's beginning is fixed: what comes now is seen.
#[derive(Debug)]
pub struct Armed {
    pub(super) pipeline: Pipeline,
    pub(super) missing: Vec<Account>,
    pub(super) anyone: bool,
    /// Some account has all that it needs.
    pub(super) served: bool,
    pub(super) fresh_from: Timestamp,
    pub(super) windows: Vec<i64>,
    /// When everything was ready, and what was newest in each slot then; where earlier mails count, since when they do.
    pub(super) begun: (Timestamp, BTreeSet<String>),
    pub(super) since: Timestamp,
    pub(super) verdicts: mpsc::UnboundedReceiver<Verdict>,
    pub(super) running: JoinSet<Result<(), Stopped>>,
    // Dropping it ends the mailboxes.
    pub(super) _switch: tokio::sync::watch::Sender<bool>,
    pub(super) _clock: JoinSet<()>,
    pub(super) _following: JoinSet<()>,
    pub(super) found: Vec<Receipt>,
    pub(super) others: Vec<Verdict>,
}

/// Why the wait ended without every token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// A mailbox cannot be watched.
    #[error("{0}")]
    Mailbox(Box<Stopped>),
    /// The ledger cannot be written: the reset cannot be announced.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
    /// Time is up.
    #[error("no token came in time for {}", missing.join(", "))]
    Late {
        /// The accounts that still need one.
        missing: Vec<String>,
        /// The tokens that are stored: of other accounts, or in some of the account's slots.
        stored: Vec<Receipt>,
        /// Mails that came and did not serve: refused, or open.
        seen: Vec<Verdict>,
    },
    /// A fresh token came, was tried at a log-in, and is not known to work.
    #[error("the token of {username} {}: {}", if *answered { "does not log in" } else { "is not known to log in" }, why.problem)]
    NotVerified {
        /// The account.
        username: String,
        /// Why.
        why: Box<Failing>,
        /// It was answered, and refused.
        answered: bool,
        /// The tokens that are stored, this one among them unless it had to log in first.
        stored: Vec<Receipt>,
    },
}

/// Connects to every mailbox and fixes where each folder begins, then announces the reset for as long as the wait may
/// take. Fails at the first one that cannot be reached: nothing has been reset yet, so nothing is lost.
///
/// # Errors
/// The mailbox that cannot be watched, or the ledger.
pub async fn arm(order: Order, pipeline: &Pipeline) -> Result<Armed, WaitError> {
    let (sender, verdicts) = mpsc::unbounded_channel();
    let (switch, shutdown) = Shutdown::new();
    let mut running = JoinSet::new();
    let mut ready = Vec::new();
    let pulse = Pulse::new(Arc::clone(&pipeline.ledger));
    let (clock, jumps) = look_at_the_clock(pipeline);
    let turnstile = Turnstile::new();
    let mut is_since = false;
    for task in order.mailboxes {
        is_since |= matches!(task.start, Start::Since(_));
        let name = task.mailbox.clone();
        let mailbox = Mailbox::new(task, pipeline, &sender, pulse.clone(), turnstile.clone());
        let (tell, told) = oneshot::channel();
        let following = follow(
            Box::new(mailbox),
            Some(tell),
            shutdown.clone(),
            jumps.clone(),
        );
        running.spawn(named(name, following));
        ready.push(told);
    }
    let mut following = JoinSet::new();
    following.spawn(pipeline.clone().follow_up());
    let mut armed = Armed {
        pipeline: pipeline.clone(),
        windows: Vec::new(),
        begun: (order.since, BTreeSet::new()),
        since: order.since,
        anyone: order.accounts.is_empty(),
        served: false,
        missing: order.accounts,
        fresh_from: order.since.checked_sub(DATE_SKEW).unwrap_or(order.since),
        verdicts,
        running,
        _switch: switch,
        _clock: clock,
        _following: following,
        found: Vec::new(),
        others: Vec::new(),
    };
    for told in ready {
        armed.until_ready(told).await?;
    }
    let now = (pipeline.clock)();
    let closes = from(now, order.timeout);
    armed.windows = pipeline
        .ledger
        .open_windows(&armed.missing, order.since, closes, now)?;
    if !is_since {
        armed.begun = ((pipeline.clock)(), armed.newest_now()?);
    }
    Ok(armed)
}

impl Armed {
    /// A mailbox that ends before it is ready says nothing here: its task tells why.
    async fn until_ready(&mut self, mut told: oneshot::Receiver<()>) -> Result<(), WaitError> {
        loop {
            tokio::select! {
                biased;
                Some(ended) = self.running.join_next() => fail(ended)?,
                Ok(()) = &mut told => return Ok(()),
                // Its task died; nothing is left to be told of it.
                else => return Ok(()),
            }
        }
    }

    /// Does `work`, the reset, and meanwhile keeps it announced, for `timeout` from now on: a person may take longer
    /// than the wait for the mail.
    pub async fn during<T>(&self, timeout: Duration, work: impl Future<Output = T>) -> T {
        let mut ticks = tokio::time::interval(ANNOUNCE);
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = ticks.tick() => self.announce(timeout),
            }
        }
    }

    /// The wait may take so long from now on. The reset is under way: a ledger that does not answer is told of only.
    fn announce(&self, timeout: Duration) {
        let (ledger, now) = (&self.pipeline.ledger, (self.pipeline.clock)());
        if let Err(error) = ledger.extend_windows(&self.windows, from(now, timeout), now) {
            tracing::warn!(hint = error.hint(), "{error}");
        }
    }

    /// Waits until every account has a fresh token, at most `timeout`.
    ///
    /// # Errors
    /// When time is up, a mailbox cannot be watched any more, or a token is not known to log in.
    pub async fn collect(mut self, timeout: Duration) -> Result<Vec<Receipt>, WaitError> {
        self.announce(timeout);
        let deadline = Instant::now() + timeout;
        match self.until_complete(deadline).await? {
            true => Ok(std::mem::take(&mut self.found)),
            false => Err(self.late()),
        }
    }

    /// `false`: time is up.
    async fn until_complete(&mut self, deadline: Instant) -> Result<bool, WaitError> {
        let mut looks = tokio::time::interval(LOOK);
        while !self.is_complete() {
            tokio::select! {
                biased;
                Some(verdict) = self.verdicts.recv() => self.take(verdict)?,
                Some(ended) = self.running.join_next() => fail(ended)?,
                () = tokio::time::sleep_until(deadline) => return Ok(false),
                _ = looks.tick() => self.look_into_the_ledger()?,
            }
        }
        Ok(true)
    }

    fn late(&mut self) -> WaitError {
        let missing = self.missing.iter().map(|account| account.username.clone());
        let mut missing: Vec<String> = missing.collect();
        if missing.is_empty() {
            missing.push("any account".to_owned());
        }
        WaitError::Late {
            missing,
            stored: std::mem::take(&mut self.found),
            seen: std::mem::take(&mut self.others),
        }
    }
}

/// What is reset from now on was not announced by this wait.
impl Drop for Armed {
    fn drop(&mut self) {
        let (ledger, now) = (&self.pipeline.ledger, (self.pipeline.clock)());
        if let Err(error) = ledger.close_windows(&self.windows, now) {
            tracing::warn!(hint = error.hint(), "{error}");
        }
    }
}

fn from(now: Timestamp, length: Duration) -> Timestamp {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
    now.checked_add(length).unwrap_or(Timestamp::MAX)
}

/// A mailbox that ended before the wait did.
fn fail(ended: Result<Result<(), Stopped>, tokio::task::JoinError>) -> Result<(), WaitError> {
    end_of(ended).map_or(Ok(()), |stopped| Err(WaitError::Mailbox(Box::new(stopped))))
}
