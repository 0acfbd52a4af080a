//! Many folders at once, until somebody says stop.
//!
//! Knows tasks and shutdown. Never installs signal handlers: the shutdown is an argument. Its tasks
//! come from the configuration.

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::connection::{follow, once};
use super::folder::{Folder, FolderTask};
use super::pipeline::Pipeline;
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

/// A folder that is not watched any more, and why.
#[derive(Debug, thiserror::Error)]
#[error("mailbox {mailbox}, folder {folder}: {error}")]
pub struct Stopped {
    /// The mailbox's name in the configuration.
    pub mailbox: String,
    /// The folder.
    pub folder: String,
    /// Why.
    pub error: InboxError,
}

/// Watches all folders until the shutdown, or until none can be watched any more. Each mail's verdict goes
/// to `verdicts` as it comes.
///
/// # Errors
/// The folders that were given up: a refused password, an untrusted certificate, a missing folder.
pub async fn watch(
    tasks: Vec<FolderTask>,
    pipeline: &Pipeline,
    verdicts: &mpsc::UnboundedSender<Verdict>,
    shutdown: &Shutdown,
) -> Result<(), Vec<Stopped>> {
    let mut running = JoinSet::new();
    for task in tasks {
        let names = (task.mailbox.clone(), task.folder.clone());
        let folder = Folder::new(task, pipeline.clone(), verdicts.clone());
        let following = follow(folder, None, shutdown.clone());
        running.spawn(async move { following.await.map_err(|error| stopped(names, error)) });
    }
    let mut given_up = Vec::new();
    while let Some(ended) = running.join_next().await {
        if let Ok(Err(stopped)) = ended {
            let (kind, hint) = (stopped.error.kind(), stopped.error.hint());
            tracing::error!(kind, hint, "not watched any more: {stopped}");
            given_up.push(stopped);
        }
    }
    if given_up.is_empty() {
        Ok(())
    } else {
        Err(given_up)
    }
}

/// Catches up with all folders once. Mails that cannot be decided, or stored, stay open: the cursor
/// does not pass them.
///
/// # Errors
/// The folders that could not be looked through.
pub async fn catch_up(
    tasks: Vec<FolderTask>,
    pipeline: &Pipeline,
    verdicts: &mpsc::UnboundedSender<Verdict>,
) -> Result<(), Vec<Stopped>> {
    let mut running = JoinSet::new();
    for task in tasks {
        let names = (task.mailbox.clone(), task.folder.clone());
        let mut folder = Folder::new(task, pipeline.clone(), verdicts.clone());
        running.spawn(async move {
            once(&mut folder)
                .await
                .map_err(|error| stopped(names, error))
        });
    }
    let mut failed = Vec::new();
    while let Some(ended) = running.join_next().await {
        if let Ok(Err(stopped)) = ended {
            failed.push(stopped);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed)
    }
}

pub(super) fn stopped((mailbox, folder): (String, String), error: InboxError) -> Stopped {
    Stopped {
        mailbox,
        folder,
        error,
    }
}
