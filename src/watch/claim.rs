//! One of several watchers stores a token: the one whose claim the server took.
//!
//! Knows keywords on the mail, set on condition that nobody has touched it (RFC 7162, 3.1.3), and what
//! they mean: somebody wants it; somebody is at work; the token is stored. Never moves a mail to claim it:
//! of two moves, both succeed (facts: imap, 5.1). Its data comes from the server and from the ledger.
//!
//! ```text
//! (none) -> $SftokenClaimed -> $SftokenConfirmed -> $SftokenStored
//!              └ not changed by anybody for two minutes: taken away, then claimed anew
//! ```
//!
//! NOTE: one condition is not enough. Dovecot 2.3.19 looks and writes in two steps: of four watchers at the
//! same moment, about once in a thousand mails two are told that they have it (measured). Both see the same
//! modification sequence then, so the confirmation, a moment later, has one winner.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::folder::Folder;
use crate::inbox::{Class, Flags, FolderState, InboxError, Session, Stored};
use crate::ledger::{LedgerError, Source};

/// Somebody wants to store the token.
const CLAIMED: &str = "$SftokenClaimed";
/// Somebody alone is about to.
const CONFIRMED: &str = "$SftokenConfirmed";
/// Both, to take them away.
const BOTH: &str = "$SftokenClaimed $SftokenConfirmed";
/// Somebody has stored it.
const STORED: &str = "$SftokenStored";

/// When a claim that nobody follows up is void: longer than a DNS look-up and the slowest store take
/// together, shorter than anybody's patience.
const EXPIRES: Duration = Duration::from_secs(120);

/// The longest moment between claim and confirmation: two that claimed as one do not confirm as one.
const MOMENT: Duration = Duration::from_millis(20);

/// How long an older mail waits for a later one that cannot be fetched: longer than that is set aside.
const ASIDE: Duration = Duration::from_secs(4 * 3600);

/// Stands for a modification sequence, which is never 0 (RFC 7162, 3.1.1): a mail of ours that waits.
const PUT_OFF: u64 = 0;

/// Who deals with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Whoever comes first: claims are not wanted, or the server cannot do them.
    None,
    /// We do.
    Ours,
    /// Another watcher is at it.
    Theirs,
    /// Another watcher has stored the token; whether in our store too, is to be seen.
    Done,
}

/// Claims of others, and mails that wait, and since when they have not changed.
#[derive(Debug, Default)]
pub(super) struct Rivals(BTreeMap<u32, (u64, Instant)>);

impl Rivals {
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }

    /// Whether a claim is as it was when it was seen first, and that is long ago.
    fn is_expired(&mut self, uid: u32, mod_seq: u64, now: Instant) -> bool {
        self.is_unchanged(uid, mod_seq, now, EXPIRES)
    }

    fn is_unchanged(&mut self, uid: u32, mod_seq: u64, now: Instant, time: Duration) -> bool {
        let seen = self.0.entry(uid).or_insert((mod_seq, now));
        if seen.0 != mod_seq {
            *seen = (mod_seq, now);
        }
        now.saturating_duration_since(seen.1) >= time
    }
}

impl Folder {
    /// Claims a mail, if claims are wanted.
    pub(super) async fn claim(
        &mut self,
        session: &mut Session,
        state: FolderState,
        source: &Source,
        uid: u32,
    ) -> Result<Claim, InboxError> {
        if !self.task.claim || !state.claims {
            return Ok(Claim::None);
        }
        match self.try_claim(session, source, uid).await {
            Ok(Claim::Ours | Claim::Done | Claim::None)
                if self.is_overtaken(session, state, uid).await? =>
            {
                Ok(Claim::Theirs)
            }
            // busy, not unable: whoever stores without a claim may do what another one does
            Err(error @ InboxError::Refused { .. })
                if error.class() == Class::Throttled && !self.has_waited(uid, EXPIRES) =>
            {
                Ok(Claim::Theirs)
            }
            Err(error @ InboxError::Refused { .. }) => {
                let (mailbox, folder) = (&self.task.mailbox, &self.name);
                tracing::warn!(mailbox, folder, "the mail cannot be claimed: {error}");
                Ok(Claim::None)
            }
            claim => claim,
        }
    }

    /// Mails from `from` on whose tokens are stored, or about to be, the newest first; empty without claims.
    /// They come before the others: the ledger of this machine does not know yet what another one has
    /// stored, and would let an older token replace it.
    pub(super) async fn claimed_from(
        &self,
        session: &mut Session,
        state: FolderState,
        from: u32,
    ) -> Result<Vec<u32>, InboxError> {
        if !self.task.claim || !state.claims {
            return Ok(Vec::new());
        }
        let mut uids = session.search_keywords(from, [CONFIRMED, STORED]).await?;
        uids.reverse();
        Ok(uids)
    }

    /// Whether the token of a later mail is stored, or about to be, and this watcher does not know it yet.
    /// One that cannot be looked at does not hold up the others for ever.
    async fn is_overtaken(
        &mut self,
        session: &mut Session,
        state: FolderState,
        uid: u32,
    ) -> Result<bool, InboxError> {
        let later = self.claimed_from(session, state, uid.saturating_add(1));
        let is_new = match later.await {
            Ok(later) => later.iter().any(|later| !self.settled.contains(later)),
            // what could not be asked is not "no"
            Err(error @ InboxError::Refused { .. }) => error.class() == Class::Throttled,
            Err(error) => return Err(error),
        };
        Ok(is_new && !self.has_waited(uid, ASIDE))
    }

    /// Whether a mail was put off for so long that it is dealt with as things are.
    fn has_waited(&mut self, uid: u32, time: Duration) -> bool {
        self.rivals.is_unchanged(uid, PUT_OFF, Instant::now(), time)
    }

    async fn try_claim(
        &mut self,
        session: &mut Session,
        source: &Source,
        uid: u32,
    ) -> Result<Claim, InboxError> {
        let Some(flags) = session.flags(uid).await? else {
            // gone meanwhile, and its bytes are in our hand
            return Ok(Claim::None);
        };
        if flags.has(STORED) {
            return Ok(Claim::Done);
        }
        let free = match flags.has(CLAIMED) {
            false => Some(flags.mod_seq),
            true if self.is_our_own(source, flags.mod_seq) => return Ok(Claim::Ours),
            true => self.take_away(session, uid, flags.mod_seq).await?,
        };
        let Some(mod_seq) = free else {
            return Ok(Claim::Theirs);
        };
        let Some(claimed) = step(session, uid, CLAIMED, true, mod_seq).await? else {
            return Ok(Claim::Theirs);
        };
        tokio::time::sleep(MOMENT.mul_f64(self.task.chance.next())).await;
        match step(session, uid, CONFIRMED, true, claimed).await? {
            None => Ok(Claim::Theirs),
            Some(confirmed) => {
                self.warn(self.pipeline.ledger.claimed(source, confirmed));
                Ok(Claim::Ours)
            }
        }
    }

    /// A claim that this machine made and that nobody has touched since: the process died, or another of
    /// this machine is at it, from which the ledger's locks keep us apart.
    fn is_our_own(&self, source: &Source, mod_seq: u64) -> bool {
        let noted = self.pipeline.ledger.claim(source);
        noted.is_ok_and(|noted| noted == Some(mod_seq))
    }

    /// Takes an expired claim away; the modification sequence after that, if it was ours to take.
    async fn take_away(
        &mut self,
        session: &mut Session,
        uid: u32,
        mod_seq: u64,
    ) -> Result<Option<u64>, InboxError> {
        if !self.rivals.is_expired(uid, mod_seq, Instant::now()) {
            return Ok(None);
        }
        let (mailbox, folder) = (&self.task.mailbox, &self.name);
        tracing::info!(mailbox, folder, uid, "another watcher's claim has expired");
        step(session, uid, BOTH, false, mod_seq).await
    }

    /// The work is done, or given up for now: others are told.
    pub(super) async fn end_claim(
        &mut self,
        session: &mut Session,
        source: &Source,
        uid: u32,
        is_stored: bool,
    ) -> Result<(), InboxError> {
        let told = match is_stored {
            true => session.set_flag(uid, STORED, true).await,
            false => session.set_flag(uid, BOTH, false).await,
        };
        match told {
            // the claim expires by itself
            Ok(()) | Err(InboxError::Refused { .. }) => {
                self.warn(self.pipeline.ledger.unclaimed(source));
                Ok(())
            }
            // it may not have been heard: the claim stays known as our own
            Err(error) => Err(error),
        }
    }

    fn warn(&self, done: Result<(), LedgerError>) {
        if let Err(error) = done {
            let (mailbox, folder) = (&self.task.mailbox, &self.name);
            tracing::warn!(mailbox, folder, hint = error.hint(), "{error}");
        }
    }
}

/// One change of the claim, on condition; the modification sequence after it, if it was ours to make.
async fn step(
    session: &mut Session,
    uid: u32,
    flags: &str,
    add: bool,
    mod_seq: u64,
) -> Result<Option<u64>, InboxError> {
    let stored = session.set_flag_unless_changed(uid, flags, add, mod_seq);
    match stored.await? {
        Stored::Modified => Ok(None),
        Stored::Done(Some(now)) => Ok(Some(now)),
        // RFC 7162 wants it told; where it is not, it is as it stands now, if the change still stands
        Stored::Done(None) => {
            let now = session.flags(uid).await?;
            let stands = |now: &Flags| flags.split(' ').all(|flag| now.has(flag) == add);
            Ok(now.filter(stands).map(|now| now.mod_seq))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_expires_when_it_has_not_changed_for_two_minutes() {
        let mut rivals = Rivals::default();
        let begun = Instant::now();
        assert!(!rivals.is_expired(1, 10, begun));
        assert!(!rivals.is_expired(1, 10, begun + EXPIRES - Duration::from_secs(1)));
        assert!(rivals.is_expired(1, 10, begun + EXPIRES));
        // its owner has worked on it meanwhile
        assert!(!rivals.is_expired(1, 11, begun + EXPIRES));
        assert!(rivals.is_expired(1, 11, begun + EXPIRES * 2));
        assert!(!rivals.is_expired(2, 11, begun + EXPIRES * 2));
    }
}
