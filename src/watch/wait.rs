//! The pipeline step: arm, then wait for a fresh genuine token for each account.
//!
//! Knows which receipts satisfy: fresh, in every slot of the account, and tried at a log-in if that is wanted. Never
//! presses the reset: the caller does, once everything is armed. Its receipts come from the folders that it watches
//! meanwhile.

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
use super::verdict::{TriedLogIn, Trouble, Verdict};
use super::verifier::{Failing, Verify, tried};
use crate::ingest::event::{OutcomeWord, Receipt, Report};
use crate::ingest::policy::{Account, Org};
use crate::ingest::token::Fingerprint;
use crate::ledger::{LedgerError, LoginState};
use crate::store::Key;

/// How much older than the arming the signed Date may be: clocks differ. A mail of an earlier reset,
/// which Salesforce's servers may deliver up to a day late, is older.
const DATE_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Of a token that another process stored, only the date tells whether it is of the reset that is waited for.
const CLOCKS: SignedDuration = SignedDuration::from_mins(2);
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
    pipeline: Pipeline,
    missing: Vec<Account>,
    anyone: bool,
    /// Some account has all that it needs.
    served: bool,
    fresh_from: Timestamp,
    windows: Vec<i64>,
    /// When everything was ready, and what was newest in each slot then; where earlier mails count, since when they do.
    begun: (Timestamp, BTreeSet<String>),
    since: Timestamp,
    verdicts: mpsc::UnboundedReceiver<Verdict>,
    running: JoinSet<Result<(), Stopped>>,
    // Dropping it ends the mailboxes.
    _switch: tokio::sync::watch::Sender<bool>,
    _clock: JoinSet<()>,
    _following: JoinSet<()>,
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

    /// The tokens that were the newest ones when everything was ready, stored or not.
    fn newest_now(&self) -> Result<BTreeSet<String>, LedgerError> {
        let mut tokens = BTreeSet::new();
        for key in self.keys() {
            for slot in self.pipeline.stores.slots(&key) {
                let newest = self.pipeline.ledger.newest(&slot)?;
                tokens.extend(newest.map(|newest| newest.mail.fingerprint.to_string()));
            }
        }
        Ok(tokens)
    }

    /// The accounts that still need a token; one without a kind of org may be of either.
    fn keys(&self) -> Vec<Key> {
        let orgs = |org: Option<Org>| match org {
            Some(org) => vec![org],
            None => vec![Org::Production, Org::Sandbox],
        };
        let keys = |account: &Account| {
            let username = account.username.clone();
            orgs(account.org).into_iter().map(move |org| Key {
                username: username.clone(),
                org,
            })
        };
        self.missing.iter().flat_map(keys).collect()
    }

    /// A daemon beside us may have stored the token, and moved or removed the mail before we saw it: then the
    /// receipt is all that there is. It serves if its mail is younger than the arming, as far as clocks can tell.
    ///
    /// NOTE: not before it is recorded, with what is to be done then: who waits for a token waits for its hooks, too.
    fn look_into_the_ledger(&mut self) -> Result<(), WaitError> {
        let keys = self.keys();
        if keys.is_empty() {
            return Ok(());
        }
        for receipt in self.pipeline.ledger.receipts()? {
            let key = self.key_of(&receipt.report);
            let Some(key) = key.filter(|key| keys.contains(key)) else {
                continue;
            };
            if self.is_of_this_wait(&receipt) && self.is_recorded(&key, &receipt)? {
                self.serve(receipt)?;
            }
        }
        Ok(())
    }

    /// Stored since everything was ready, and younger than that.
    fn is_of_this_wait(&self, receipt: &Receipt) -> bool {
        let (begun, before) = &self.begun;
        let print = receipt.report.fingerprint.as_ref();
        receipt.stored_at.is_some_and(|at| at >= truncated(*begun))
            && print.is_some_and(|print| !before.contains(print.as_str()))
            && self.is_young(&receipt.report)
    }

    fn is_recorded(&self, key: &Key, receipt: &Receipt) -> Result<bool, WaitError> {
        let (Some(print), Some(slot)) = (&receipt.report.fingerprint, &receipt.slot) else {
            return Ok(false);
        };
        let ledger = &self.pipeline.ledger;
        let slots = ledger.planned_slots(&key.username, key.org, print)?;
        Ok(slots.contains(slot))
    }

    fn is_complete(&self) -> bool {
        if self.anyone {
            self.served
        } else {
            self.missing.is_empty()
        }
    }

    /// A stored token that is fresh serves the account that it is for; a token for another account
    /// has been stored as well, and is told in the end.
    fn take(&mut self, verdict: Verdict) -> Result<(), WaitError> {
        let receipt = match verdict {
            Verdict::Settled(receipt) => receipt,
            Verdict::Open(report, trouble) => return self.open(report, trouble),
        };
        // what kept the mail open is over
        let source = &receipt.report.source;
        let is_over =
            |other: &Verdict| matches!(other, Verdict::Open(open, _) if open.source == *source);
        self.others.retain(|other| !is_over(other));
        self.serve(receipt)
    }

    fn serve(&mut self, receipt: Receipt) -> Result<(), WaitError> {
        let report = &receipt.report;
        let stored = report.outcome == OutcomeWord::Found && receipt.stored_at.is_some();
        let Some(key) = self
            .key_of(report)
            .filter(|_| stored && self.is_fresh(report))
        else {
            self.others.push(Verdict::Settled(receipt));
            return Ok(());
        };
        // One slot, one receipt, that of the newest token: a mail may come twice, and a newer one meanwhile.
        let same = |known: &&mut Receipt| known.slot == receipt.slot;
        match self.found.iter_mut().find(same) {
            Some(known) if known.report.date > report.date => {}
            Some(known) => *known = receipt,
            None => self.found.push(receipt),
        }
        if self.is_in_every_slot(&key) && self.is_verified(&key)? {
            self.missing.retain(|account| !serves(&key, account));
            self.served = true;
        }
        Ok(())
    }

    /// A mail that is kept: one that nobody can decide about yet, or a token that has to log in and does not.
    fn open(&mut self, report: Report, trouble: Trouble) -> Result<(), WaitError> {
        let key = self.key_of(&report);
        let needed = key.filter(|key| self.is_young(&report) && self.is_needed(key));
        match (needed, trouble) {
            (Some(key), Trouble::LogIn { why, tried }) if tried != TriedLogIn::NotYet => {
                let answered = tried == TriedLogIn::Refused;
                Err(self.not_verified(key.username, why, answered))
            }
            (_, trouble) => {
                self.note_open(report, trouble);
                Ok(())
            }
        }
    }

    /// Once, however often it is tried.
    fn note_open(&mut self, report: Report, trouble: Trouble) {
        let same = |other: &Verdict| {
            matches!(other, Verdict::Open(open, before)
                if open.source == report.source && before.place() == trouble.place())
        };
        self.others.retain(|other| !same(other));
        self.others.push(Verdict::Open(report, trouble));
    }

    fn is_fresh(&self, report: &Report) -> bool {
        report.date.is_some_and(|date| date >= self.fresh_from)
    }

    /// Younger than the arming, as far as clocks can tell. A token that may be of an earlier reset serves if it logs in;
    /// if it does not, it is dead, and the one that is waited for is still to come.
    fn is_young(&self, report: &Report) -> bool {
        let young = self.since.checked_sub(CLOCKS).unwrap_or(self.since);
        report.date.is_some_and(|date| date >= young)
    }

    fn is_needed(&self, key: &Key) -> bool {
        self.anyone || self.missing.iter().any(|account| serves(key, account))
    }

    fn key_of(&self, report: &Report) -> Option<Key> {
        Some(Key {
            username: report.username.clone()?,
            org: report.org?,
        })
    }

    /// The account's newest token, and the receipts of the slots that have it.
    fn newest_of(&self, key: &Key) -> Option<(Fingerprint, Vec<&Receipt>)> {
        let is_theirs = |known: &&Receipt| {
            known.report.username.as_deref() == Some(&key.username)
                && known.report.org == Some(key.org)
        };
        let mine = || self.found.iter().filter(is_theirs);
        let newest = mine().max_by_key(|known| known.report.date)?;
        let print = newest.report.fingerprint.clone()?;
        let have_it = mine().filter(|known| known.report.fingerprint.as_ref() == Some(&print));
        Some((print.clone(), have_it.collect()))
    }

    /// The account's consumers look into each of its slots.
    fn is_in_every_slot(&self, key: &Key) -> bool {
        let have_it = self.newest_of(key).map(|(_, receipts)| receipts);
        let reached: BTreeSet<&str> = have_it
            .iter()
            .flatten()
            .filter_map(|known| known.slot.as_deref())
            .collect();
        let slots = self.pipeline.stores.slots(key);
        slots.iter().all(|slot| reached.contains(slot.as_str()))
    }

    /// Whether nothing is to be tried any more, if anything was. What was tried in vain ends the wait.
    fn is_verified(&mut self, key: &Key) -> Result<bool, WaitError> {
        if self.pipeline.verifier.when(key) == Verify::Never {
            return Ok(true);
        }
        let Some((fingerprint, receipts)) = self.newest_of(key) else {
            return Ok(false);
        };
        let report = receipts.first().map(|known| known.report.clone());
        let Some(login) = self.pipeline.ledger.login(tried(key, &fingerprint))? else {
            return Ok(false);
        };
        let username = key.username.clone();
        let answered = match login.state {
            LoginState::LoggedIn => return Ok(true),
            LoginState::Begun => return Ok(false),
            LoginState::Refused => true,
            LoginState::Unknown => false,
        };
        let why = Failing::from(login);
        match report {
            Some(report) if !self.is_young(&report) => {
                let tried = match answered {
                    true => TriedLogIn::Refused,
                    false => TriedLogIn::Unanswered,
                };
                self.note_open(report, Trouble::LogIn { why, tried });
                Ok(false)
            }
            _ => Err(self.not_verified(username, why, answered)),
        }
    }

    fn not_verified(&mut self, username: String, why: Failing, answered: bool) -> WaitError {
        WaitError::NotVerified {
            username,
            why: Box::new(why),
            answered,
            stored: std::mem::take(&mut self.found),
        }
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

/// Receipts have whole seconds.
fn truncated(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn serves(key: &Key, account: &Account) -> bool {
    key.username == account.username && account.org.is_none_or(|org| org == key.org)
}

/// A mailbox that ended before the wait did.
fn fail(ended: Result<Result<(), Stopped>, tokio::task::JoinError>) -> Result<(), WaitError> {
    end_of(ended).map_or(Ok(()), |stopped| Err(WaitError::Mailbox(Box::new(stopped))))
}
