//! One mailbox: what outlives its connections.
//!
//! Knows the folders, and what was seen and said before. Never knows what a connection does: that is `live`.
//! Made from a task, driven by `connection`.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::folder::Folder;
use super::live::{Lent, Never};
use super::pipeline::Pipeline;
use super::pulse::Pulse;
use super::task::MailboxTask;
use super::turnstile::Turnstile;
use super::verdict::Verdict;
use crate::inbox::{InboxError, Limits, Session};

/// A mailbox, while it is watched: outlives its connections.
pub(super) struct Mailbox {
    pub(super) task: Arc<MailboxTask>,
    pub(super) folders: Vec<Folder>,
    pub(super) pulse: Pulse,
    pub(super) pipeline: Pipeline,
    turnstile: Turnstile,
    /// The connection, while there is one: whoever ends the watch says good-bye on it.
    pub(super) session: Option<Session>,
    /// The limits of the next connection.
    pub(super) limits: Limits,
    /// Since when there was no connection, if there was one before.
    pub(super) outage: Option<Instant>,
    /// When this connection was logged in.
    pub(super) logged_in: Option<Instant>,
    /// When a server last answered.
    pub(super) proven: Option<Instant>,
    /// What was said already: folders that are missing, alerts of the server, a warning about claims.
    pub(super) told: BTreeSet<String>,
}

impl Mailbox {
    pub(super) fn new(
        task: MailboxTask,
        pipeline: &Pipeline,
        verdicts: &mpsc::UnboundedSender<Verdict>,
        pulse: Pulse,
        turnstile: Turnstile,
    ) -> Self {
        let task = Arc::new(task);
        let folder = |name: &str| {
            Folder::new(
                Arc::clone(&task),
                name.to_owned(),
                pipeline.clone(),
                verdicts.clone(),
            )
        };
        Self {
            folders: task
                .folders
                .iter()
                .map(|choice| folder(&choice.name))
                .collect(),
            limits: task.limits.clone(),
            task,
            pulse,
            pipeline: pipeline.clone(),
            turnstile,
            session: None,
            outage: None,
            logged_in: None,
            proven: None,
            told: BTreeSet::new(),
        }
    }

    /// One connection's life. Its session is left in its place, whatever happens.
    pub(super) async fn live(
        &mut self,
        ready: &mut Option<oneshot::Sender<()>>,
    ) -> Result<Never, InboxError> {
        // NOTE: what is soon over is boxed, here and in `stay`: a thousand mailboxes wait most of the time, and
        // a future is as large as the largest step that it may ever take.
        Box::pin(self.connect()).await?;
        let mut session = Lent::from(self)?;
        loop {
            let rooms = Box::pin(session.rooms(ready.is_some())).await?;
            if let Some(ready) = ready.take() {
                Box::pin(session.begin(&rooms)).await?;
                let _ = ready.send(());
            }
            Box::pin(session.round(&rooms)).await?;
            session.stay(&rooms).await?;
        }
    }

    /// Looks through every folder once.
    pub(super) async fn once(&mut self) -> Result<(), InboxError> {
        self.connect().await?;
        let mut session = Lent::from(self)?;
        let rooms = session.rooms(false).await?;
        for room in &rooms {
            session.visit(room).await?;
        }
        session.prove();
        let missing = session.missing.take();
        self.farewell().await;
        // the other folders are done
        missing.map_or(Ok(()), Err)
    }

    async fn connect(&mut self) -> Result<(), InboxError> {
        let (task, limits) = (Arc::clone(&self.task), self.limits.clone());
        let connecting = task.door.connect(&limits);
        let session = self.turnstile.pass(connecting).await?;
        self.logged_in = Some(Instant::now());
        self.session = Some(session);
        let mailbox = &self.task.mailbox;
        match self.outage.take() {
            None => tracing::info!(mailbox, "connected"),
            Some(since) => {
                let seconds = since.elapsed().as_secs();
                tracing::info!(mailbox, after_seconds = seconds, "connected again");
            }
        }
        Ok(())
    }

    /// Says good-bye to the server, for two seconds at most.
    pub(super) async fn farewell(&mut self) {
        if let Some(session) = self.session.take() {
            session.logout().await;
        }
        self.pulse.flush();
    }

    /// The work on a mail panicked: it is suspected.
    pub(super) fn panicked(&mut self) {
        self.folders
            .iter_mut()
            .for_each(|folder| folder.trials.panicked());
    }
}
