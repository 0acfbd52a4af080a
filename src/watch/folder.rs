//! One folder of one mailbox, and what has been dealt with in it.
//!
//! Knows the cursor, mails that are open, and when to try them again. Never connects, and never looks
//! into a mail: that is `look`. Its place in the ledger is `(mailbox, folder)`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::claim::Rivals;
use super::pipeline::Pipeline;
use super::task::{MailboxTask, Start};
use super::trials::Trials;
use super::verdict::Verdict;
use crate::inbox::{FolderState, InboxError, Session};
use crate::ingest::cursor::{Cursor, Progress, Seen};
use crate::ledger::Source;

/// How far a server's clock may be behind ours when INTERNALDATE is compared (facts: imap, 5.2).
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// A mail that is tried again.
pub(super) struct Retry {
    pub(super) backoff: Backoff,
    pub(super) due: Instant,
}

/// A folder, while it is watched: outlives its connections.
pub(super) struct Folder {
    pub(super) task: Arc<MailboxTask>,
    /// Its name, as the user has it.
    pub(super) name: String,
    pub(super) pipeline: Pipeline,
    pub(super) verdicts: mpsc::UnboundedSender<Verdict>,
    pub(super) cursor: Option<Cursor>,
    /// The beginning is fixed.
    begun: bool,
    /// It was not there when the watch began: whatever is in it has come since.
    is_new: bool,
    /// Mails before this time do not matter when UIDs cannot tell.
    pub(super) not_before: Option<Timestamp>,
    /// The incarnation of the folder in which the UIDs below mean something, if a rescan has set it.
    pub(super) uid_validity: Option<u32>,
    /// Mails past the cursor that have their outcome.
    pub(super) settled: BTreeSet<u32>,
    pub(super) open: BTreeMap<u32, Retry>,
    /// Mails whose token is stored, and which still have to be marked or moved.
    pub(super) unhandled: BTreeSet<u32>,
    /// Open mails that the log has told of, and whether it was that they are set aside.
    pub(super) told: BTreeSet<(u32, bool)>,
    pub(super) trials: Trials,
    pub(super) rivals: Rivals,
    /// How it stood when it was opened last.
    seen: Option<FolderState>,
    /// Nothing of it was looked at since the program began.
    pub(super) first_look: bool,
}

impl Folder {
    pub(super) fn new(
        task: Arc<MailboxTask>,
        name: String,
        pipeline: Pipeline,
        verdicts: mpsc::UnboundedSender<Verdict>,
    ) -> Self {
        let now = (pipeline.clock)();
        let not_before = match task.start {
            Start::Cursor => None,
            Start::Now => now.checked_sub(CLOCK_SKEW).ok(),
            Start::Since(time) => time.checked_sub(CLOCK_SKEW).ok(),
        };
        Self {
            task,
            name,
            pipeline,
            verdicts,
            cursor: None,
            begun: false,
            is_new: false,
            not_before,
            uid_validity: None,
            settled: BTreeSet::new(),
            open: BTreeMap::new(),
            unhandled: BTreeSet::new(),
            told: BTreeSet::new(),
            trials: Trials::default(),
            rivals: Rivals::default(),
            seen: None,
            first_look: true,
        }
    }

    /// The server has no such folder now.
    pub(super) fn is_absent(&mut self) {
        self.is_new |= !self.begun;
    }

    /// Takes in how the folder stands after it was opened; before the first look it sets the beginning.
    pub(super) async fn begin(
        &mut self,
        session: &mut Session,
        state: FolderState,
    ) -> Result<(), InboxError> {
        self.seen = Some(state);
        if self.begun {
            return Ok(());
        }
        self.cursor = match self.task.start {
            Start::Cursor => self.known_cursor(),
            Start::Since(_) => None,
            Start::Now if self.is_new => Some(Cursor {
                uid_validity: state.uid_validity,
                next_uid: 1,
            }),
            Start::Now => match Cursor::at_end(seen(state)) {
                None => Some(past_the_last(session, state).await?),
                baseline => baseline,
            },
        };
        self.begun = true;
        Ok(())
    }

    /// How it stood when it was opened last.
    pub(super) fn as_opened(&self) -> Option<FolderState> {
        self.seen
    }

    /// Whether a folder that stands like this must be opened to see what is new.
    pub(super) fn has_news(&self, now: FolderState) -> bool {
        // without UIDNEXT nothing tells that a mail came while another went
        now.uid_next.is_none()
            || self.seen.is_none_or(|before| {
                let told = |state: FolderState| (state.uid_validity, state.uid_next, state.exists);
                told(before) != told(now)
            })
    }

    /// The ledger's cursor. One that cannot be read means a rescan: dear, and it loses nothing.
    fn known_cursor(&self) -> Option<Cursor> {
        let (mailbox, folder) = (&self.task.mailbox, &self.name);
        match self.pipeline.ledger.cursor(mailbox, folder) {
            Ok(cursor) => cursor.map(|(uid_validity, next_uid)| Cursor {
                uid_validity,
                next_uid,
            }),
            Err(error) => {
                tracing::warn!(mailbox, folder, hint = error.hint(), "{error}");
                None
            }
        }
    }

    /// UIDs mean something else now.
    pub(super) fn forget_uids(&mut self) {
        self.settled.clear();
        self.open.clear();
        self.unhandled.clear();
        self.told.clear();
        self.trials.forget_all();
        self.rivals.forget_all();
    }

    /// How long until an open mail is due again.
    pub(super) fn until_due(&self) -> Option<Duration> {
        let next = self.open.values().map(|retry| retry.due).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Moves the cursor, here and in the ledger. A ledger that does not answer costs a second look.
    pub(super) fn keep(&mut self, progress: &Progress) {
        let cursor = progress.cursor();
        if self.cursor == Some(cursor) {
            return;
        }
        self.cursor = Some(cursor);
        self.settled = self.settled.split_off(&cursor.next_uid);
        if self.task.start == Start::Cursor {
            let (mailbox, folder) = (&self.task.mailbox, &self.name);
            let (validity, next) = (cursor.uid_validity, cursor.next_uid);
            if let Err(error) = self
                .pipeline
                .ledger
                .set_cursor(mailbox, folder, validity, next)
            {
                tracing::warn!(mailbox, folder, hint = error.hint(), "{error}");
            }
        }
    }

    pub(super) fn source(&self, uid_validity: u32, uid: u32) -> Source {
        Source::Mailbox {
            mailbox: self.task.mailbox.clone(),
            folder: self.name.clone(),
            uid_validity,
            uid,
        }
    }

    /// As RFC 5092 names a message, under the mailbox's own name.
    pub(super) fn mail_name(&self, uid_validity: u32, uid: u32) -> String {
        let (mailbox, folder) = (&self.task.mailbox, &self.name);
        format!("{mailbox}/{folder};UIDVALIDITY={uid_validity}/;UID={uid}")
    }
}

pub(super) fn seen(state: FolderState) -> Seen {
    Seen {
        uid_validity: state.uid_validity,
        uid_next: state.uid_next,
        exists: state.exists,
    }
}

/// The baseline where a server does not tell UIDNEXT: past the last mail there is.
async fn past_the_last(session: &mut Session, state: FolderState) -> Result<Cursor, InboxError> {
    let last = session.search_from(1).await?.last().copied();
    Ok(Cursor {
        uid_validity: state.uid_validity,
        next_uid: last.map_or(1, |uid| uid.saturating_add(1)),
    })
}
