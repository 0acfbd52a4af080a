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
use crate::ingest::cursor::{Cursor, Plan, Progress, Seen, Why};
use crate::ledger::Source;

/// How far a server's clock may be behind ours when INTERNALDATE is compared (facts: imap, 5.2).
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// A mail that is tried again.
pub(super) struct Retry {
    pub(super) backoff: Backoff,
    pub(super) due: Instant,
}

/// A look through the mails of the last days that has not come to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rescan {
    /// Older mails do not matter.
    pub(super) since: Timestamp,
    /// It is about the mails below this UID; what came later is new.
    pub(super) below: u32,
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
    /// Mails past the cursor that have their outcome.
    pub(super) settled: BTreeSet<u32>,
    pub(super) open: BTreeMap<u32, Retry>,
    /// Mails whose token is stored, and which still have to be marked or moved.
    pub(super) unhandled: BTreeSet<u32>,
    /// Open mails that the log has told of, and what keeps each open.
    pub(super) told: BTreeSet<(u32, String)>,
    pub(super) trials: Trials,
    pub(super) rivals: Rivals,
    /// How it stood when it was opened last.
    seen: Option<FolderState>,
    /// Nothing of it was looked at since the program began.
    pub(super) first_look: bool,
    /// It goes on where it was cut: begun anew each time, it would never get past a mail that breaks the
    /// connection.
    pub(super) rescan: Option<Rescan>,
    /// The highest UIDNEXT that was seen or follows from a UID, as long as UIDs mean the same.
    pub(super) highest: u32,
    /// HIGHESTMODSEQ when it was looked through last, as long as UIDs mean the same.
    mod_seq: Option<u64>,
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
            settled: BTreeSet::new(),
            open: BTreeMap::new(),
            unhandled: BTreeSet::new(),
            told: BTreeSet::new(),
            trials: Trials::default(),
            rivals: Rivals::default(),
            seen: None,
            first_look: true,
            rescan: None,
            highest: 0,
            mod_seq: None,
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
        self.mod_seq = self.known_mod_seq();
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

    /// HIGHESTMODSEQ that belongs to the ledger's cursor. Without it, one sign less is looked at.
    fn known_mod_seq(&self) -> Option<u64> {
        let (Start::Cursor, Some(cursor)) = (self.task.start, self.cursor) else {
            return None;
        };
        let (mailbox, folder) = (&self.task.mailbox, &self.name);
        let known = (self.pipeline.ledger).mod_seq(mailbox, folder, cursor.uid_validity);
        known.unwrap_or_default()
    }

    /// The folder was looked through.
    pub(super) fn note_mod_seq(&mut self, state: FolderState) {
        let Some(told) = state.mod_seq.filter(|told| self.mod_seq != Some(*told)) else {
            return;
        };
        self.mod_seq = Some(told);
        if self.task.start != Start::Cursor {
            return;
        }
        let (mailbox, folder, validity) = (&self.task.mailbox, &self.name, state.uid_validity);
        let ledger = &self.pipeline.ledger;
        if let Err(error) = ledger.set_mod_seq(mailbox, folder, validity, told) {
            tracing::warn!(mailbox, folder, hint = error.hint(), "{error}");
        }
    }

    /// UIDs mean something else now.
    pub(super) fn forget_uids(&mut self) {
        self.settled.clear();
        self.open.clear();
        self.unhandled.clear();
        self.told.clear();
        self.highest = 0;
        self.mod_seq = None;
        self.trials.forget_all();
        self.rivals.forget_all();
    }

    /// What to look for. A folder went back also when UIDNEXT is above the cursor, which an open mail may
    /// hold far below, but not as high as it was: a backup was put back, and UIDs are given again.
    ///
    /// So it did when HIGHESTMODSEQ is lower than it was, whatever UIDNEXT says: new mail may have taken it
    /// past the old value by now. NOTE: RFC 7162 forbids that to go back, and there are servers where it
    /// does all the same: a Dovecot whose index files were lost, others (closeio/sync-engine#943). Then
    /// recent mail is looked through in vain: dear, and it loses nothing and repeats nothing.
    pub(super) fn plan(&self, state: FolderState) -> Plan {
        let seen = seen(state);
        let fewer_uids = seen.uid_next.is_some_and(|next| next < self.highest);
        let fewer_changes = state.mod_seq.is_some_and(|told| Some(told) < self.mod_seq);
        match Cursor::plan(self.cursor, seen) {
            Plan::Search { .. } if fewer_uids || fewer_changes => Plan::Rescan(Why::WentBack),
            plan => plan,
        }
    }

    /// Remembers how far UIDs have come.
    pub(super) fn note_highest(&mut self, seen: Seen, found: &[u32]) {
        let past_last = found.last().map_or(0, |uid| uid.saturating_add(1));
        let next = seen.uid_next.unwrap_or_default();
        self.highest = self.highest.max(past_last).max(next);
    }

    /// How long until an open mail is due again.
    pub(super) fn until_due(&self) -> Option<Duration> {
        let next = self.open.values().map(|retry| retry.due).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// The folder went back: so does the ledger's cursor, or what comes up to it would be passed over
    /// after a restart.
    pub(super) fn go_back(&self, progress: &Progress) {
        if self.task.start != Start::Cursor {
            return;
        }
        let (mailbox, folder, cursor) = (&self.task.mailbox, &self.name, progress.cursor());
        let (validity, next) = (cursor.uid_validity, cursor.next_uid);
        let ledger = &self.pipeline.ledger;
        if let Err(error) = ledger.move_cursor_back(mailbox, folder, validity, next) {
            tracing::warn!(mailbox, folder, hint = error.hint(), "{error}");
        }
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
