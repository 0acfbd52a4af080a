//! One look into a folder: what is past the cursor, mail by mail.
//!
//! Knows the order: search, head, body, proof, claim, store, handle, cursor. Never connects: a session is
//! lent to it. Its mails come from the session, its verdicts from the pipeline.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::claim::Claim;
use super::folder::{Folder, Rescan, seen};
use super::pipeline::{Judged, Letter, log};
use super::task::{Handled, Start};
use super::verdict::{Trouble, Verdict};
use crate::inbox::{FolderState, Head, InboxError, Session};
use crate::ingest::cursor::{Plan, Progress, Why};
use crate::ingest::mail::Mail;
use crate::ingest::order::Arrival;
use crate::ledger::Source;

/// Heads that are asked for at once: the cursor moves after each such group.
const GROUP: usize = 100;

/// What holds for one look.
#[derive(Clone, Copy)]
struct Look {
    state: FolderState,
    /// Set when UIDs cannot tell what is new: SINCE knows days only (RFC 9051, 6.4.4), the rest is
    /// compared here.
    rescan: Option<Rescan>,
    /// Mails may have been dealt with before: by an earlier run, or under other UIDs.
    again: bool,
}

impl Look {
    /// A mail whose arrival cannot be read is looked at.
    fn is_too_old(&self, head: &Head) -> bool {
        let (Some(rescan), Some(came)) = (self.rescan, head.internal_date) else {
            return false;
        };
        head.uid < rescan.below && came < rescan.since
    }
}

impl Folder {
    /// One look: everything past the cursor that is due, processed; then the cursor moves.
    pub(super) async fn look(
        &mut self,
        session: &mut Session,
        state: FolderState,
    ) -> Result<(), InboxError> {
        let mut progress = self.search(session, state).await?;
        let look = Look {
            state,
            rescan: self.rescan,
            again: self.task.start == Start::Cursor && (self.rescan.is_some() || self.first_look),
        };
        // Deleted while it was open: it would be due for ever, and nothing would wait any more.
        let there: BTreeSet<u32> = progress.open().collect();
        self.open.retain(|uid, _| there.contains(uid));
        for &uid in &self.settled {
            progress.finish(uid);
        }
        self.set_aside_the_hopeless(state.uid_validity, &progress);
        let claimed = match progress.open().next() {
            Some(first) => self.claimed_from(session, state, first).await,
            None => Ok(Vec::new()),
        };
        let claimed = match claimed {
            // asked again before anything is stored
            Err(InboxError::Refused { .. }) => Vec::new(),
            claimed => claimed?,
        };
        for group in self.groups(&progress, &claimed) {
            self.group(session, look, &group, &mut progress).await?;
            self.keep(&progress);
        }
        self.keep(&progress);
        self.first_look = false;
        self.rescan = None;
        self.note_mod_seq(state);
        Ok(())
    }

    /// The mails that may matter. A new UIDVALIDITY voids what is known by UID.
    async fn search(
        &mut self,
        session: &mut Session,
        state: FolderState,
    ) -> Result<Progress, InboxError> {
        let seen = seen(state);
        match self.plan(state) {
            Plan::Search { from } => {
                let uids = session.search_from(from).await?;
                self.note_highest(seen, &uids);
                Ok(Progress::of_search(seen, from, &uids))
            }
            Plan::Rescan(why) => {
                let since = self.oldest();
                tracing::info!(
                    mailbox = self.task.mailbox,
                    folder = self.name,
                    ?why,
                    "looking through recent mail"
                );
                let uids = session.search_since(days_before(since)).await?;
                let progress = Progress::of_rescan(seen, &uids);
                self.forget_uids();
                self.note_highest(seen, &uids);
                let below = self.highest;
                self.rescan = Some(Rescan { since, below });
                if why == Why::WentBack {
                    self.go_back(&progress);
                }
                // from here on it is an ordinary look: what breaks it is remembered by the next one
                self.keep(&progress);
                Ok(progress)
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

    /// The mails that are due, in groups: first those that others have `claimed`; those that may break the
    /// connection last, each alone, and the worst of them behind the others.
    fn groups(&self, progress: &Progress, claimed: &[u32]) -> Vec<Vec<u32>> {
        let now = Instant::now();
        let is_due = |uid: &u32| self.open.get(uid).is_none_or(|retry| retry.due <= now);
        let (suspect, sound): (Vec<u32>, Vec<u32>) = progress
            .open()
            .filter(is_due)
            .partition(|&uid| self.trials.is_suspect(uid));
        let mut suspect = suspect;
        suspect.sort_by_key(|&uid| self.trials.points(uid));
        let (claimed, sound) = claimed_first(claimed, sound);
        let claimed = claimed.chunks(GROUP).map(<[u32]>::to_vec);
        let sound = sound.chunks(GROUP).map(<[u32]>::to_vec);
        claimed
            .chain(sound)
            .chain(suspect.into_iter().map(|uid| vec![uid]))
            .collect()
    }

    async fn group(
        &mut self,
        session: &mut Session,
        look: Look,
        uids: &[u32],
        progress: &mut Progress,
    ) -> Result<(), InboxError> {
        let suspect = uids.iter().any(|&uid| self.trials.is_suspect(uid));
        let heads = match suspect {
            true => session.undated_heads(uids).await,
            false => session.heads(uids).await,
        };
        let heads = match heads.inspect_err(|error| self.failed(uids, error)) {
            Ok(heads) => heads,
            // The connection still works, and other mails are not to wait.
            Err(InboxError::Refused { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut heads: BTreeMap<u32, Head> =
            heads.into_iter().map(|head| (head.uid, head)).collect();
        for &uid in uids {
            let settled = match heads.remove(&uid) {
                // Gone: somebody deleted it before it was looked at.
                None => true,
                Some(head) if look.is_too_old(&head) => true,
                Some(head) => {
                    self.trials.begin(uid);
                    let settled = self.mail(session, look, head).await;
                    self.trials.end();
                    match settled.inspect_err(|error| self.failed(&[uid], error)) {
                        Ok(settled) => settled,
                        Err(InboxError::Refused { .. }) => continue,
                        Err(error) => return Err(error),
                    }
                }
            };
            self.trials.clear(uid);
            if settled {
                self.open.remove(&uid);
                self.unhandled.remove(&uid);
                self.told.retain(|(told, _)| *told != uid);
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
        look: Look,
        head: Head,
    ) -> Result<bool, InboxError> {
        let (uid, uid_validity) = (head.uid, look.state.uid_validity);
        if self.unhandled.contains(&uid) {
            self.handle(session, uid).await?;
            return Ok(true);
        }
        if !self.pipeline.wants(&head.header) {
            return Ok(true);
        }
        let source = self.source(uid_validity, uid);
        let name = self.mail_name(uid_validity, uid);
        if look.again && self.was_decided(session, uid_validity, &head).await? {
            return Ok(true);
        }
        let too_large =
            usize::try_from(head.size).map_or(true, |size| size > self.pipeline.policy.max_size);
        if too_large {
            let verdict = self
                .pipeline
                .process_oversized(&head.header, &name, &source);
            return Ok(self.take(uid, vec![verdict], &source));
        }
        let Some(bytes) = session.body(uid).await? else {
            return Ok(true);
        };
        let arrival = Arrival {
            internal_date: head.internal_date,
            uid_validity,
            number: u64::from(uid),
        };
        let letter = Letter {
            bytes,
            name,
            source,
            arrival,
        };
        if self.is_a_copy(&letter, uid_validity, uid) {
            return Ok(true);
        }
        self.letter(session, look, uid, letter).await
    }

    /// A mail in hand: proof, claim, store, and what is to be done with it then.
    async fn letter(
        &mut self,
        session: &mut Session,
        look: Look,
        uid: u32,
        letter: Letter,
    ) -> Result<bool, InboxError> {
        let source = letter.source.clone();
        let token = match self.pipeline.judge(&letter).await {
            Judged::Done(verdict) => return Ok(self.take(uid, vec![*verdict], &source)),
            Judged::Token(token) => token,
        };
        let claim = self.claim(session, look.state, &source, uid).await?;
        let verdicts = match claim {
            Claim::Theirs => vec![Verdict::Open(token.report, Trouble::Claimed)],
            // another one may have stored it and died, or was not heard, before it could tell
            Claim::None | Claim::Ours | Claim::Done => {
                let shared = self.task.claim;
                self.pipeline.store(*token, letter, shared).await
            }
        };
        let receipts = || verdicts.iter().filter_map(Verdict::receipt);
        let is_stored = receipts().any(|receipt| receipt.stored_at.is_some());
        let is_over = receipts().any(|receipt| receipt.superseded);
        let settled = self.take(uid, verdicts, &source);
        if settled && (is_stored || is_over) && self.task.handled != Handled::Leave {
            self.unhandled.insert(uid);
        }
        if claim == Claim::Ours {
            self.end_claim(session, &source, uid, is_stored && settled)
                .await?;
        }
        if self.unhandled.contains(&uid) {
            self.handle(session, uid).await?;
        }
        Ok(settled)
    }

    /// Whether an earlier run, or another process, has decided about this mail. One that was stored, and
    /// perhaps not marked or moved before the end of that run, is handled.
    async fn was_decided(
        &mut self,
        session: &mut Session,
        uid_validity: u32,
        head: &Head,
    ) -> Result<bool, InboxError> {
        let (mailbox, folder, uid) = (&self.task.mailbox, &self.name, head.uid);
        let message_id = Mail::parse(&head.header).message_id();
        let ledger = &self.pipeline.ledger;
        let decided = ledger.decided(mailbox, folder, uid_validity, uid, message_id.as_deref());
        // a ledger that does not answer costs a second look
        let Some(outcome) = decided.unwrap_or_default() else {
            return Ok(false);
        };
        tracing::debug!(mailbox, folder, uid, outcome, "decided before");
        if outcome == "found" && self.task.handled != Handled::Leave {
            self.handle(session, uid).await?;
        }
        Ok(true)
    }

    /// Whether these bytes were decided about in another place of the mailbox: the mail was moved, or
    /// copied (Gmail's labels), or the folder was renumbered.
    fn is_a_copy(&self, letter: &Letter, uid_validity: u32, uid: u32) -> bool {
        if self.task.start != Start::Cursor {
            return false;
        }
        let (mailbox, folder) = (&self.task.mailbox, self.name.as_str());
        let place = (folder, uid_validity, uid);
        let ledger = &self.pipeline.ledger;
        let decided = ledger.decided_elsewhere(mailbox, &letter.hash(), place);
        let outcome = decided.unwrap_or_default();
        if let Some(outcome) = &outcome {
            tracing::debug!(mailbox, folder, uid, outcome, "a copy was decided before");
        }
        outcome.is_some()
    }

    /// Logs and hands on a mail's verdicts; plans the next try if one is open.
    pub(super) fn take(&mut self, uid: u32, verdicts: Vec<Verdict>, source: &Source) -> bool {
        let mut pause = None;
        for verdict in verdicts {
            let mut first = true;
            if let Verdict::Open(report, trouble) = &verdict {
                first = self.told.insert((uid, trouble.place()));
                let passing = matches!(trouble, Trouble::Claimed);
                if first && !passing {
                    self.pipeline.note_open(report, trouble, source);
                }
                let after = trouble.pause();
                pause = Some(pause.map_or(after, |before: Option<_>| before.max(after)));
            }
            log(&verdict, first);
            // When nobody listens any more, the watch is ending.
            let _ = self.verdicts.send(verdict);
        }
        if let Some(after) = pause {
            self.retry_later(uid, after);
        }
        pause.is_none()
    }
}

/// The due mails that others have claimed, in their order, and the other ones.
fn claimed_first(claimed: &[u32], due: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
    let of: BTreeSet<u32> = due.iter().copied().collect();
    let first: Vec<u32> = claimed
        .iter()
        .copied()
        .filter(|uid| of.contains(uid))
        .collect();
    let others = due.into_iter().filter(|uid| !first.contains(uid)).collect();
    (first, others)
}

/// Two days earlier: servers compare days in a time zone of their own.
fn days_before(time: Timestamp) -> jiff::civil::Date {
    let earlier = time
        .checked_sub(SignedDuration::from_hours(48))
        .unwrap_or(time);
    jiff::tz::TimeZone::UTC.to_datetime(earlier).date()
}
