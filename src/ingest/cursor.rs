//! How far a folder has been dealt with.
//!
//! Knows UIDVALIDITY and UIDNEXT and their odd cases. Never knows IMAP commands, files, or what is done
//! with a mail. Its data comes from the ledger (a [`Cursor`]) and from the inbox (a [`Seen`]).
//!
//! ```text
//! Cursor + Seen -> Plan -> (search) -> Progress: each UID final or open -> Cursor that passes no open one
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Every mail below `next_uid`, in this incarnation of the folder, has its final outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The folder's incarnation: UIDs mean the same as long as it stays (RFC 9051, 2.3.1.1).
    pub uid_validity: u32,
    /// The first UID that is not dealt with.
    pub next_uid: u32,
}

/// A folder as the server shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The folder's incarnation.
    pub uid_validity: u32,
    /// No mail that comes will have a lower UID; some servers do not tell.
    pub uid_next: Option<u32>,
    /// How many mails there are.
    pub exists: u32,
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The mails from this UID on.
    Search {
        /// The first UID of interest.
        from: u32,
    },
    /// The mails of the last days, whatever their UIDs: what was dealt with cannot be told by UID.
    Rescan(Why),
}

/// Why UIDs do not tell what was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no cursor.
    NeverSeen,
    /// The folder was made anew, or its UIDs were given anew.
    NewValidity,
    /// UIDNEXT, or the count of changes, went back under the same UIDVALIDITY: a backup was restored, or the
    /// server is broken.
    WentBack,
}

impl Cursor {
    /// Nothing before `seen` matters: the baseline of someone who waits for what comes now. `None` where
    /// the server does not tell UIDNEXT of a folder that has mails.
    #[must_use]
    pub fn at_end(seen: Seen) -> Option<Self> {
        let next_uid = match (seen.uid_next, seen.exists) {
            (Some(next), _) => next.max(1),
            (None, 0) => 1,
            (None, _) => return None,
        };
        Some(Self {
            uid_validity: seen.uid_validity,
            next_uid,
        })
    }

    /// What to look for in a folder, given how far it has been dealt with.
    #[must_use]
    pub fn plan(cursor: Option<Self>, seen: Seen) -> Plan {
        let Some(cursor) = cursor else {
            return Plan::Rescan(Why::NeverSeen);
        };
        if cursor.uid_validity != seen.uid_validity {
            return Plan::Rescan(Why::NewValidity);
        }
        match seen.uid_next {
            Some(next) if next < cursor.next_uid => Plan::Rescan(Why::WentBack),
            _ => Plan::Search {
                from: cursor.next_uid.max(1),
            },
        }
    }
}

/// The mails of one look, and which of them have their final outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    uid_validity: u32,
    /// All below has been dealt with.
    start: u32,
    /// If nothing is open, all below has been dealt with.
    end: u32,
    /// The mails found, and whether their outcome is final.
    mails: BTreeMap<u32, bool>,
}

impl Progress {
    /// The mails that a search from the cursor's UID found: `uids` is everything from `from` on.
    ///
    /// NOTE: UIDNEXT does not move the cursor here. Where a server counts a mail before it shows it,
    /// that mail would be passed over (chatmail/core moves over what was fetched only).
    #[must_use]
    pub fn of_search(seen: Seen, from: u32, uids: &[u32]) -> Self {
        Self::new(seen.uid_validity, from.max(1), 1, uids)
    }

    /// The mails that a rescan found: everything else below UIDNEXT is too old to matter. Without
    /// UIDNEXT, and with nothing found, the next look starts at the first mail.
    #[must_use]
    pub fn of_rescan(seen: Seen, uids: &[u32]) -> Self {
        Self::new(seen.uid_validity, 1, seen.uid_next.unwrap_or(1), uids)
    }

    fn new(uid_validity: u32, start: u32, least_end: u32, uids: &[u32]) -> Self {
        let wanted = uids.iter().filter(|&&uid| uid >= start);
        let mails: BTreeMap<u32, bool> = wanted.map(|&uid| (uid, false)).collect();
        let past_last = mails
            .last_key_value()
            .map_or(start, |(&uid, _)| uid.saturating_add(1));
        Self {
            uid_validity,
            start,
            end: past_last.max(least_end),
            mails,
        }
    }

    /// The mail has its outcome, and need not be looked at again. Mails that were not found are ignored.
    pub fn finish(&mut self, uid: u32) {
        if let Some(done) = self.mails.get_mut(&uid) {
            *done = true;
        }
    }

    /// The mails without a final outcome, in order.
    pub fn open(&self) -> impl Iterator<Item = u32> + '_ {
        self.mails
            .iter()
            .filter(|(_, done)| !**done)
            .map(|(&uid, _)| uid)
    }

    /// How far the folder has been dealt with: up to the first open mail, never past it.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let next_uid = self.open().next().unwrap_or(self.end).max(self.start);
        Cursor {
            uid_validity: self.uid_validity,
            next_uid,
        }
    }
}

#[cfg(test)]
#[path = "cursor_tests.rs"]
mod tests;
