//! The life of one connection: every folder is opened, looked through, and waited for.
//!
//! Knows the order that lets no mail fall into a gap: open, search, wait, search. Never connects again:
//! that is `connection`. Waits in the first folder; of the others the server tells (NOTIFY), and they are
//! asked about in turn.
//!
//! ```text
//! connect ─► [ others: open, look ] ─► home: open, look ─► wait ─┬ Changed ──► look
//!                  ▲                         ▲                   ├ Elsewhere, or the time ─► others with news ─► home
//!                  └──────── Renew ──────────┴───────────────────┴ Alive ────► wait
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use super::folder::Folder;
use super::mailbox::Mailbox;
use super::pipeline::Pipeline;
use super::pulse::Pulse;
use super::task::MailboxTask;
use crate::inbox::{self, FolderState, InboxError, News, Session, Wake};

/// More alerts than that are not remembered as told.
const MAX_ALERTS: usize = 32;

/// The least pause before a mail is tried again.
const LEAST: Duration = Duration::from_secs(1);

pub(super) enum Never {}

/// A folder that the server has.
pub(super) struct Room {
    /// Its place among the mailbox's folders.
    at: usize,
    name: inbox::Folder,
}

/// A mailbox with the session that it has now.
pub(super) struct Lent<'m> {
    task: &'m Arc<MailboxTask>,
    folders: &'m mut [Folder],
    session: &'m mut Session,
    pulse: &'m Pulse,
    pipeline: &'m Pipeline,
    proven: &'m mut Option<Instant>,
    told: &'m mut BTreeSet<String>,
    /// A folder that somebody counts on, and that is missing.
    pub(super) missing: Option<InboxError>,
    /// Places of the folders that could be opened.
    opened: BTreeSet<usize>,
    /// The server has given up to notify: it is not asked to again before the next renewal.
    overflowed: bool,
}

impl<'m> Lent<'m> {
    pub(super) fn from(mailbox: &'m mut Mailbox) -> Result<Self, InboxError> {
        let Some(session) = mailbox.session.as_mut() else {
            return Err(InboxError::Disconnected {
                at: mailbox.task.mailbox.clone(),
                bye: None,
            });
        };
        Ok(Self {
            task: &mailbox.task,
            folders: &mut mailbox.folders,
            session,
            pulse: &mailbox.pulse,
            pipeline: &mailbox.pipeline,
            proven: &mut mailbox.proven,
            told: &mut mailbox.told,
            missing: None,
            opened: BTreeSet::new(),
            overflowed: false,
        })
    }

    /// The folders that the server has. A missing one that somebody counts on is an error where it is
    /// the first connection (`strict`) or the only folder; else the others are watched all the same.
    pub(super) async fn rooms(&mut self, strict: bool) -> Result<Vec<Room>, InboxError> {
        let mut rooms: Vec<Room> = Vec::new();
        for (at, choice) in self.task.folders.iter().enumerate() {
            match self.session.resolve_folder(&choice.name).await {
                // two names may be one folder's
                Ok(name) if rooms.iter().any(|room| room.name == name) => {}
                Ok(name) => rooms.push(Room { at, name }),
                Err(error @ InboxError::NoSuchFolder { .. }) if !(choice.required && strict) => {
                    self.tell_missing(at, error);
                }
                Err(error) => return Err(error),
            }
        }
        match self.missing.take_if(|_| rooms.is_empty()) {
            Some(error) => Err(error),
            None => Ok(rooms),
        }
    }

    fn tell_missing(&mut self, at: usize, error: InboxError) {
        self.opened.remove(&at);
        let choice = &self.task.folders[at];
        self.folders[at].is_absent();
        let (mailbox, folder) = (&self.task.mailbox, &choice.name);
        if !choice.required {
            tracing::debug!(mailbox, folder, "not watched: {error}");
        } else if self.told.insert(format!("missing {folder}")) {
            let hint = error.hint();
            tracing::error!(
                mailbox,
                folder,
                hint,
                "not watched until it is there: {error}"
            );
        }
        if choice.required {
            self.missing.get_or_insert(error);
        }
    }

    /// Opens a folder, and takes in how it stands. `None`: it is missing, or refused, and can be done
    /// without for now, unless this is the first connection (`strict`).
    async fn open(&mut self, room: &Room, strict: bool) -> Result<Option<FolderState>, InboxError> {
        let choice = &self.task.folders[room.at];
        let state = match self.session.open(&room.name, self.task.access()).await {
            Ok(state) => state,
            Err(error @ (InboxError::NoSuchFolder { .. } | InboxError::Refused { .. }))
                if !choice.required || (!strict && self.has_others(&error)) =>
            {
                self.tell_missing(room.at, error);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        self.told.remove(&format!("missing {}", choice.name));
        self.opened.insert(room.at);
        self.warn_of_claims(state);
        self.folders[room.at].begin(self.session, state).await?;
        Ok(Some(state))
    }

    /// A folder that is missing must not hold up the others.
    fn has_others(&self, error: &InboxError) -> bool {
        matches!(error, InboxError::NoSuchFolder { .. }) && self.folders.len() > 1
    }

    fn warn_of_claims(&mut self, state: FolderState) {
        if self.task.claim && !state.claims && self.told.insert("claims".to_owned()) {
            tracing::warn!(
                mailbox = self.task.mailbox,
                "the server cannot keep claims (it wants CONDSTORE and keywords): watchers on this machine are \
                 kept apart by the ledger, those on other machines may store a token twice"
            );
        }
    }

    /// Fixes every folder's beginning, before anything is looked through.
    pub(super) async fn begin(&mut self, rooms: &[Room]) -> Result<(), InboxError> {
        for room in rooms {
            self.open(room, true).await?;
        }
        Ok(())
    }

    /// Opens a folder and looks through it.
    pub(super) async fn visit(&mut self, room: &Room) -> Result<(), InboxError> {
        let Some(state) = self.open(room, false).await? else {
            return Ok(());
        };
        self.folders[room.at].look(self.session, state).await
    }

    /// Every folder once; the first one last, so that it stays open.
    pub(super) async fn round(&mut self, rooms: &[Room]) -> Result<(), InboxError> {
        let Some((home, others)) = rooms.split_first() else {
            return Ok(());
        };
        if !self.session.is_notified() && !self.overflowed {
            // before they are looked through: what comes from now on is told
            let names: Vec<&inbox::Folder> = others.iter().map(|room| &room.name).collect();
            self.session.notify(&names).await?;
        }
        for room in others {
            self.visit(room).await?;
        }
        self.visit(home).await?;
        self.prove();
        Ok(())
    }

    /// Waits at home until it is time to open every folder anew: some servers show new mail only then
    /// (facts: imap, 3.8).
    pub(super) async fn stay(&mut self, rooms: &[Room]) -> Result<(), InboxError> {
        let Some((home, others)) = rooms.split_first() else {
            return Ok(());
        };
        let mut asked = Instant::now();
        loop {
            // NOTE: also where the server notifies. Dovecot does not see what a filter puts into a Maildir
            // by itself (2.3.19), and one small command a minute is cheap.
            let patrol = (!others.is_empty())
                .then(|| (asked + self.task.limits.poll).saturating_duration_since(Instant::now()));
            let due = rooms
                .iter()
                .filter_map(|room| self.folders[room.at].until_due());
            // a mail that stays due, whatever the reason, is no reason for a loop without a pause
            let due = due.min().map(|due| due.max(LEAST));
            let at_most = patrol.into_iter().chain(due).min().unwrap_or(Duration::MAX);
            let wake = self.session.wait_at_most(at_most).await?;
            self.prove();
            let news = match wake {
                Wake::Renew => {
                    self.overflowed = false;
                    return Ok(());
                }
                Wake::Elsewhere => Some(self.session.news_elsewhere()),
                Wake::Changed | Wake::Alive => None,
            };
            let mut is_home = true;
            if news == Some(News::OfAny) && self.overflowed {
                // it says so again and again: that is no reason for a loop without a pause either
                tokio::time::sleep(LEAST).await;
                continue;
            }
            if news == Some(News::OfAny) {
                self.overflowed = true;
                return Ok(());
            }
            let patrols = patrol.is_some() && asked.elapsed() >= self.task.limits.poll;
            for room in others {
                let told = news.as_ref().is_some_and(|news| news.concerns(&room.name));
                if told || self.is_due(room) || (patrols && Box::pin(self.has_news(room)).await?) {
                    Box::pin(self.visit(room)).await?;
                    is_home = false;
                }
            }
            if patrols {
                asked = Instant::now();
            }
            if !is_home {
                Box::pin(self.visit(home)).await?;
            } else if wake == Wake::Changed || self.is_due(home) {
                Box::pin(self.look_again(home)).await?;
            }
            self.prove();
        }
    }

    /// Looks through the folder that is open.
    async fn look_again(&mut self, room: &Room) -> Result<(), InboxError> {
        let folder = &mut self.folders[room.at];
        let Some(mut state) = folder.as_opened() else {
            return self.visit(room).await;
        };
        // NOTE: it was true when the folder was opened. Held against a cursor that has moved since, it
        // would say that the folder went back, and every mail of the last days would be looked at again.
        state.uid_next = None;
        folder.look(self.session, state).await
    }

    fn is_due(&self, room: &Room) -> bool {
        self.folders[room.at].until_due() == Some(Duration::ZERO)
    }

    /// Whether a folder that is not open has changed. One that cannot be asked about is opened.
    async fn has_news(&mut self, room: &Room) -> Result<bool, InboxError> {
        match self.session.status(&room.name).await {
            Ok(state) => Ok(self.folders[room.at].has_news(state)),
            Err(InboxError::Refused { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The server has answered: that is written down, and what it wants to be told is told.
    pub(super) fn prove(&mut self) {
        let at = self.session.last_roundtrip();
        *self.proven = Some(at);
        let ago = SignedDuration::try_from(at.elapsed()).unwrap_or_default();
        let now = (self.pipeline.clock)();
        let then = now.checked_sub(ago).unwrap_or(now);
        let opened = self.opened.iter().filter_map(|&at| self.folders.get(at));
        let folders = opened.map(|folder| folder.name.as_str());
        self.pulse.beat(&self.task.mailbox, folders, then);
        tracing::debug!(
            mailbox = self.task.mailbox,
            proven_seconds_ago = ago.as_secs(),
            "alive"
        );
        for text in self.session.take_alerts() {
            if self.told.len() < MAX_ALERTS && self.told.insert(format!("alert {text}")) {
                tracing::warn!(
                    mailbox = self.task.mailbox,
                    "the server wants this to be read: {text}"
                );
            }
        }
    }
}
