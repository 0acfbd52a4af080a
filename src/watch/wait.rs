//! The pipeline step: arm, then wait for a fresh genuine token for each account.
//!
//! Knows which receipts satisfy. Never presses the reset: the caller does, once everything is armed.
//! Its receipts come from the folders that it watches meanwhile.

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
use super::task::MailboxTask;
use super::turnstile::Turnstile;
use super::verdict::Verdict;
use crate::ingest::event::{OutcomeWord, Receipt};
use crate::ingest::policy::Account;

/// How much older than the arming the signed Date may be: clocks differ. A mail of an earlier reset,
/// which Salesforce's servers may deliver up to a day late, is older.
const DATE_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What to wait for.
#[derive(Debug)]
pub struct Order {
    /// The accounts that need a token; none: the first token for anyone will do.
    pub accounts: Vec<Account>,
    /// Where to look.
    pub mailboxes: Vec<MailboxTask>,
    /// Mails from this time on count as fresh: the arming, or an earlier time.
    pub since: Timestamp,
}

/// Every mailbox's beginning is fixed: what comes now is seen.
#[derive(Debug)]
pub struct Armed {
    missing: Vec<Account>,
    anyone: bool,
    fresh_from: Timestamp,
    verdicts: mpsc::UnboundedReceiver<Verdict>,
    running: JoinSet<Result<(), Stopped>>,
    // Dropping it ends the mailboxes.
    _switch: tokio::sync::watch::Sender<bool>,
    _clock: JoinSet<()>,
    found: Vec<Receipt>,
    others: Vec<Verdict>,
}

/// Why the wait ended without every token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// A mailbox cannot be watched.
    #[error("{0}")]
    Mailbox(Box<Stopped>),
    /// Time is up.
    #[error("no token came in time for {}", missing.join(", "))]
    Late {
        /// The accounts that still need one.
        missing: Vec<String>,
        /// Mails that came and did not serve: refused, or open.
        seen: Vec<Verdict>,
    },
}

/// Connects to every mailbox and fixes where each folder begins. Fails at the first one that cannot be
/// reached: nothing has been reset yet, so nothing is lost.
///
/// # Errors
/// The mailbox that cannot be watched.
pub async fn arm(order: Order, pipeline: &Pipeline) -> Result<Armed, WaitError> {
    let (sender, verdicts) = mpsc::unbounded_channel();
    let (switch, shutdown) = Shutdown::new();
    let mut running = JoinSet::new();
    let mut ready = Vec::new();
    let pulse = Pulse::new(Arc::clone(&pipeline.ledger));
    let (clock, jumps) = look_at_the_clock(pipeline);
    let turnstile = Turnstile::new();
    for task in order.mailboxes {
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
    let mut armed = Armed {
        anyone: order.accounts.is_empty(),
        missing: order.accounts,
        fresh_from: order.since.checked_sub(DATE_SKEW).unwrap_or(order.since),
        verdicts,
        running,
        _switch: switch,
        _clock: clock,
        found: Vec::new(),
        others: Vec::new(),
    };
    for told in ready {
        armed.until_ready(told).await?;
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

    /// Waits until every account has a fresh token, at most `timeout`.
    ///
    /// # Errors
    /// When time is up, or a mailbox cannot be watched any more.
    pub async fn collect(mut self, timeout: Duration) -> Result<Vec<Receipt>, WaitError> {
        let deadline = Instant::now() + timeout;
        while !self.is_complete() {
            tokio::select! {
                biased;
                Some(verdict) = self.verdicts.recv() => self.take(verdict),
                Some(ended) = self.running.join_next() => fail(ended)?,
                () = tokio::time::sleep_until(deadline) => return Err(self.late()),
            }
        }
        Ok(self.found)
    }

    fn is_complete(&self) -> bool {
        if self.anyone {
            !self.found.is_empty()
        } else {
            self.missing.is_empty()
        }
    }

    /// A stored token that is fresh serves the account that it is for; a token for another account
    /// has been stored as well, and is told in the end.
    fn take(&mut self, verdict: Verdict) {
        let receipt = match verdict {
            Verdict::Settled(receipt) => receipt,
            open => return self.others.push(open),
        };
        let report = &receipt.report;
        let fresh = report.date.is_some_and(|date| date >= self.fresh_from);
        let stored = report.outcome == OutcomeWord::Found && receipt.stored_at.is_some();
        if !(stored && fresh) {
            return self.others.push(Verdict::Settled(receipt));
        }
        let serves = |account: &Account| {
            report.username.as_deref() == Some(account.username.as_str())
                && account.org.is_none_or(|org| Some(org) == report.org)
        };
        self.missing.retain(|account| !serves(account));
        // One token, one receipt: a mail may come twice, or stand in two folders.
        let is_known = |known: &Receipt| {
            known.slot == receipt.slot && known.report.fingerprint == receipt.report.fingerprint
        };
        if !self.found.iter().any(is_known) {
            self.found.push(receipt);
        }
    }

    fn late(self) -> WaitError {
        let missing = self.missing.into_iter().map(|account| account.username);
        let mut missing: Vec<String> = missing.collect();
        if missing.is_empty() {
            missing.push("any account".to_owned());
        }
        WaitError::Late {
            missing,
            seen: self.others,
        }
    }
}

/// A mailbox that ended before the wait did.
fn fail(ended: Result<Result<(), Stopped>, tokio::task::JoinError>) -> Result<(), WaitError> {
    end_of(ended).map_or(Ok(()), |stopped| Err(WaitError::Mailbox(Box::new(stopped))))
}
