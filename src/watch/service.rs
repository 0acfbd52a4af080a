//! Many mailboxes at once, until somebody says stop.
//!
//! Knows tasks and shutdown. Never installs signal handlers: the shutdown is an argument. Its tasks
//! come from the configuration.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use super::connection::follow;
use super::jump::{Jumps, detect};
use super::mailbox::Mailbox;
use super::pipeline::Pipeline;
use super::pulse::Pulse;
use super::task::MailboxTask;
use super::turnstile::Turnstile;
use super::verdict::Verdict;
use crate::inbox::InboxError;

/// The request to stop, given to every task.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// A request, and the switch that makes it. Dropping the switch makes it too.
    #[must_use]
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (switch, request) = watch::channel(false);
        (switch, Self(request))
    }

    /// Returns when it is made.
    pub async fn requested(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// A mailbox that is not watched any more, and why.
#[derive(Debug, thiserror::Error)]
#[error("mailbox {mailbox}: {error}")]
pub struct Stopped {
    /// The mailbox's name in the configuration.
    pub mailbox: String,
    /// Why.
    pub error: InboxError,
}

/// Watches all mailboxes until the shutdown, or until none can be watched any more. Each mail's verdict goes
/// to `verdicts` as it comes.
///
/// # Errors
/// The mailboxes that were given up: a refused password, an untrusted certificate, a missing folder.
pub async fn watch(
    tasks: Vec<MailboxTask>,
    pipeline: &Pipeline,
    verdicts: &mpsc::UnboundedSender<Verdict>,
    shutdown: &Shutdown,
) -> Result<(), Vec<Stopped>> {
    let mut running = JoinSet::new();
    let pulse = Pulse::new(Arc::clone(&pipeline.ledger));
    let (_clock, jumps) = look_at_the_clock(pipeline);
    let turnstile = Turnstile::new();
    for task in tasks {
        let name = task.mailbox.clone();
        let mailbox = Mailbox::new(task, pipeline, verdicts, pulse.clone(), turnstile.clone());
        let following = follow(Box::new(mailbox), None, shutdown.clone(), jumps.clone());
        running.spawn(named(name, following));
    }
    let mut following = JoinSet::new();
    following.spawn(pipeline.clone().follow_up());
    following.spawn(pipeline.clone().grow_old());
    let mut given_up = Vec::new();
    while let Some(ended) = running.join_next().await {
        if let Some(stopped) = end_of(ended) {
            let (kind, hint) = (stopped.error.kind(), stopped.error.hint());
            tracing::error!(kind, hint, "not watched any more: {stopped}");
            given_up.push(stopped);
        }
    }
    pulse.flush();
    if given_up.is_empty() {
        Ok(())
    } else {
        Err(given_up)
    }
}

/// How a mailbox's task ended. A panic that got out of it is the program's: it must not pass for an end.
pub(super) fn end_of(ended: Result<Result<(), Stopped>, JoinError>) -> Option<Stopped> {
    match ended {
        Ok(ended) => ended.err(),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}

/// One look at the clocks for all mailboxes; it ends when the handle is dropped.
pub(super) fn look_at_the_clock(pipeline: &Pipeline) -> (JoinSet<()>, Jumps) {
    let (count, jumps) = watch::channel(0);
    let mut task = JoinSet::new();
    task.spawn(detect(Arc::clone(&pipeline.clock), count));
    (task, jumps)
}

/// Catches up with all mailboxes once. Mails that cannot be decided, or stored, stay open: the cursor
/// does not pass them.
///
/// # Errors
/// The mailboxes that could not be looked through.
pub async fn catch_up(
    tasks: Vec<MailboxTask>,
    pipeline: &Pipeline,
    verdicts: &mpsc::UnboundedSender<Verdict>,
) -> Result<(), Vec<Stopped>> {
    let mut running = JoinSet::new();
    let pulse = Pulse::new(Arc::clone(&pipeline.ledger));
    let turnstile = Turnstile::new();
    for task in tasks {
        let name = task.mailbox.clone();
        let mut mailbox = Mailbox::new(task, pipeline, verdicts, pulse.clone(), turnstile.clone());
        running.spawn(named(name, async move { mailbox.once().await }));
    }
    let mut failed = Vec::new();
    while let Some(ended) = running.join_next().await {
        failed.extend(end_of(ended));
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed)
    }
}

/// A mailbox's work, with its name at the end.
///
/// NOTE: the work is boxed. A future that is handed on into another one is kept twice, as an argument and where
/// it is awaited (rust-lang/rust#62958): a thousand mailboxes would take 5 MB for nothing.
pub(super) fn named(
    mailbox: String,
    work: impl Future<Output = Result<(), InboxError>> + Send + 'static,
) -> impl Future<Output = Result<(), Stopped>> + Send + 'static {
    let work = Box::pin(work);
    async move { work.await.map_err(|error| Stopped { mailbox, error }) }
}
