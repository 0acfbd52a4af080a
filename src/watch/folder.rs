//! One folder of one mailbox, and what has been dealt with in it.
//!
//! Knows the cursor, mails that are open, and when to try them again. Never connects: a session is
//! lent to it for one look. Its place in the ledger is `(mailbox, folder)`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::pipeline::{Letter, Pipeline, log};
use super::verdict::Verdict;
use crate::inbox::{Credential, Endpoint, FolderState, Head, InboxError, Limits, Session};
use crate::ingest::cursor::{Cursor, Plan, Progress, Seen};
use crate::ingest::order::Arrival;
use crate::ledger::Source;

/// Heads that are asked for at once: the cursor moves after each such group.
const GROUP: usize = 100;
/// How far a server's clock may be behind ours when INTERNALDATE is compared (facts: imap, 5.2).
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// Where to begin in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Where the ledger's cursor stands; in a folder never seen, with the mails that are not older
    /// than the policy's `max_age`. The cursor is kept.
    Cursor,
    /// With the mails that come from now on. The ledger's cursor is neither read nor moved.
    Now,
    /// With the mails that came since then, whatever the cursor says.
    Since(Timestamp),
}

/// A folder to watch.
#[derive(Clone, Debug)]
pub struct FolderTask {
    /// The mailbox's name in the configuration.
    pub mailbox: String,
    /// The folder's name, or its special use (`\Junk`).
    pub folder: String,
    /// Where the mailbox is.
    pub endpoint: Endpoint,
    /// What the user proves to it.
    pub credential: Credential,
    /// Limits of a connection.
    pub limits: Limits,
    /// Where to begin.
    pub start: Start,
}

/// What holds for one look.
#[derive(Clone, Copy)]
struct Look {
    uid_validity: u32,
    /// Set when UIDs cannot tell what is new: SINCE knows days only (RFC 9051, 6.4.4), the rest is
    /// compared here.
    since: Option<Timestamp>,
}

impl Look {
    /// A mail whose arrival cannot be read is looked at.
    fn is_too_old(&self, head: &Head) -> bool {
        let (Some(since), Some(came)) = (self.since, head.internal_date) else {
            return false;
        };
        came < since
    }
}

/// A mail that is tried again.
struct Retry {
    backoff: Backoff,
    due: Instant,
}

/// A folder, while it is watched: outlives its connections.
pub(super) struct Folder {
    pub(super) task: FolderTask,
    pipeline: Pipeline,
    verdicts: mpsc::UnboundedSender<Verdict>,
    cursor: Option<Cursor>,
    /// Mails before this time do not matter when UIDs cannot tell.
    not_before: Option<Timestamp>,
    /// Mails past the cursor that have their outcome.
    settled: BTreeSet<u32>,
    open: BTreeMap<u32, Retry>,
}

impl Folder {
    pub(super) fn new(
        task: FolderTask,
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
            pipeline,
            verdicts,
            cursor: None,
            not_before,
            settled: BTreeSet::new(),
            open: BTreeMap::new(),
        }
    }

    /// Takes in how the folder stands after EXAMINE; before the first look it sets the beginning.
    pub(super) async fn begin(
        &mut self,
        session: &mut Session,
        state: FolderState,
    ) -> Result<(), InboxError> {
        if self.cursor.is_some() {
            return Ok(());
        }
        self.cursor = match self.task.start {
            Start::Cursor => self.known_cursor(),
            Start::Since(_) => None,
            Start::Now => match Cursor::at_end(seen(state)) {
                None => Some(past_the_last(session, state).await?),
                baseline => baseline,
            },
        };
        Ok(())
    }

    /// The ledger's cursor. One that cannot be read means a rescan: dear, and it loses nothing.
    fn known_cursor(&self) -> Option<Cursor> {
        let (mailbox, folder) = (&self.task.mailbox, &self.task.folder);
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

    /// One look: everything past the cursor that is due, processed; then the cursor moves.
    pub(super) async fn look(
        &mut self,
        session: &mut Session,
        state: FolderState,
    ) -> Result<(), InboxError> {
        let (mut progress, since) = self.search(session, state).await?;
        // Deleted while it was open: it would be due for ever, and nothing would wait any more.
        let there: BTreeSet<u32> = progress.open().collect();
        self.open.retain(|uid, _| there.contains(uid));
        for &uid in &self.settled {
            progress.finish(uid);
        }
        let now = Instant::now();
        let is_due = |uid: &u32| self.open.get(uid).is_none_or(|retry| retry.due <= now);
        let due: Vec<u32> = progress.open().filter(is_due).collect();
        for group in due.chunks(GROUP) {
            let look = Look {
                uid_validity: state.uid_validity,
                since,
            };
            self.group(session, look, group, &mut progress).await?;
            self.keep(&progress);
        }
        self.keep(&progress);
        Ok(())
    }

    /// The mails that may matter. A new UIDVALIDITY voids what is known by UID.
    async fn search(
        &mut self,
        session: &mut Session,
        state: FolderState,
    ) -> Result<(Progress, Option<Timestamp>), InboxError> {
        let seen = seen(state);
        match Cursor::plan(self.cursor, seen) {
            Plan::Search { from } => {
                let uids = session.search_from(from).await?;
                Ok((Progress::of_search(seen, from, &uids), None))
            }
            Plan::Rescan(why) => {
                self.settled.clear();
                self.open.clear();
                let since = self.oldest();
                tracing::info!(
                    mailbox = self.task.mailbox,
                    folder = self.task.folder,
                    ?why,
                    "looking through recent mail"
                );
                let uids = session.search_since(days_before(since)).await?;
                Ok((Progress::of_rescan(seen, &uids), Some(since)))
            }
        }
    }

    /// The oldest mail that matters when UIDs cannot tell.
    fn oldest(&self) -> Timestamp {
        let now = (self.pipeline.clock)();
        let by_age = self.pipeline.policy.max_age;
        self.not_before
            .or_else(|| now.checked_sub(by_age?).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    async fn group(
        &mut self,
        session: &mut Session,
        look: Look,
        uids: &[u32],
        progress: &mut Progress,
    ) -> Result<(), InboxError> {
        let mut heads: BTreeMap<u32, Head> = session
            .heads(uids)
            .await?
            .into_iter()
            .map(|head| (head.uid, head))
            .collect();
        for &uid in uids {
            let settled = match heads.remove(&uid) {
                // Gone: somebody deleted it before it was looked at.
                None => true,
                Some(head) if look.is_too_old(&head) => true,
                Some(head) => self.mail(session, look.uid_validity, head).await?,
            };
            if settled {
                self.open.remove(&uid);
                self.settled.insert(uid);
                progress.finish(uid);
            }
        }
        Ok(())
    }

    /// One mail; `true` when it has its outcome.
    async fn mail(
        &mut self,
        session: &mut Session,
        uid_validity: u32,
        head: Head,
    ) -> Result<bool, InboxError> {
        if !self.pipeline.wants(&head.header) {
            return Ok(true);
        }
        let source = self.source(uid_validity, head.uid);
        let name = self.name(uid_validity, head.uid);
        let too_large =
            usize::try_from(head.size).map_or(true, |size| size > self.pipeline.policy.max_size);
        let verdict = if too_large {
            self.pipeline
                .process_oversized(&head.header, &name, &source)
        } else {
            let Some(bytes) = session.body(head.uid).await? else {
                return Ok(true);
            };
            let arrival = Arrival {
                internal_date: head.internal_date,
                uid_validity,
                number: u64::from(head.uid),
            };
            let letter = Letter {
                bytes,
                name,
                source: source.clone(),
                arrival,
            };
            self.pipeline.process(letter).await
        };
        Ok(self.take(head.uid, verdict, &source))
    }

    /// Logs and hands on a verdict; plans the next try of an open one.
    fn take(&mut self, uid: u32, verdict: Verdict, source: &Source) -> bool {
        let first = !self.open.contains_key(&uid);
        log(&verdict, first);
        if let Verdict::Open(report, trouble) = &verdict {
            if first {
                self.pipeline.note_open(report, trouble, source);
            }
            let retry = self.open.entry(uid).or_insert_with(|| Retry {
                backoff: Backoff::RETRY,
                due: Instant::now(),
            });
            retry.due = Instant::now() + retry.backoff.pause(chance(uid));
        }
        let settled = matches!(verdict, Verdict::Settled(_));
        // When nobody listens any more, the watch is ending.
        let _ = self.verdicts.send(verdict);
        settled
    }

    /// How long until an open mail is due again.
    pub(super) fn until_due(&self) -> Option<Duration> {
        let next = self.open.values().map(|retry| retry.due).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Whether mails wait for another try.
    pub(super) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Moves the cursor, here and in the ledger. A ledger that does not answer costs a second look.
    fn keep(&mut self, progress: &Progress) {
        let cursor = progress.cursor();
        if self.cursor == Some(cursor) {
            return;
        }
        self.cursor = Some(cursor);
        self.settled = self.settled.split_off(&cursor.next_uid);
        if self.task.start == Start::Cursor {
            let (mailbox, folder) = (&self.task.mailbox, &self.task.folder);
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

    /// Notes that the folder answered.
    pub(super) fn contact(&self) {
        let (mailbox, folder) = (&self.task.mailbox, &self.task.folder);
        let now = (self.pipeline.clock)();
        if let Err(error) = self.pipeline.ledger.contact(mailbox, folder, now) {
            tracing::warn!(mailbox, folder, hint = error.hint(), "{error}");
        }
    }

    fn source(&self, uid_validity: u32, uid: u32) -> Source {
        Source::Mailbox {
            mailbox: self.task.mailbox.clone(),
            folder: self.task.folder.clone(),
            uid_validity,
            uid,
        }
    }

    /// As RFC 5092 names a message, under the mailbox's own name.
    fn name(&self, uid_validity: u32, uid: u32) -> String {
        let FolderTask {
            mailbox, folder, ..
        } = &self.task;
        format!("{mailbox}/{folder};UIDVALIDITY={uid_validity}/;UID={uid}")
    }
}

fn seen(state: FolderState) -> Seen {
    Seen {
        uid_validity: state.uid_validity,
        uid_next: state.uid_next,
        exists: state.exists,
    }
}

/// Two days earlier: servers compare days in a time zone of their own.
fn days_before(time: Timestamp) -> jiff::civil::Date {
    let earlier = time
        .checked_sub(SignedDuration::from_hours(48))
        .unwrap_or(time);
    jiff::tz::TimeZone::UTC.to_datetime(earlier).date()
}

/// A number between 0 and 1 that differs from mail to mail: tries need no better dice.
fn chance(uid: u32) -> f64 {
    f64::from(uid.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX)
}

/// The baseline where a server does not tell UIDNEXT: past the last mail there is.
async fn past_the_last(session: &mut Session, state: FolderState) -> Result<Cursor, InboxError> {
    let last = session.search_from(1).await?.last().copied();
    Ok(Cursor {
        uid_validity: state.uid_validity,
        next_uid: last.map_or(1, |uid| uid.saturating_add(1)),
    })
}
