//! Users, folders and mails: what the server keeps.
//!
//! Knows UIDs, UIDVALIDITY, flags and mod-sequences (RFC 7162). Never speaks IMAP, never prints a
//! password. Its data comes from the test, and from commands that change something.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Counts;
use super::faults::{Faults, Illness};
use super::quirks::Quirks;

/// How many of the last commands are kept for whoever reads a failed test.
const RECENT: usize = 100;

/// Everything behind the lock.
#[derive(Default)]
pub(super) struct World {
    pub(super) users: BTreeMap<String, User>,
    pub(super) quirks: Quirks,
    pub(super) faults: Faults,
    pub(super) counts: Counts,
    pub(super) recent: VecDeque<String>,
    /// No connection is accepted before.
    pub(super) down_until: Option<Instant>,
}

impl World {
    /// The folder of a user; made when it is missing.
    pub(super) fn folder_mut(&mut self, user: &str, name: &str) -> &mut Folder {
        let user = self.users.entry(user.to_owned()).or_default();
        user.folders.entry(canonical(name)).or_default()
    }

    pub(super) fn folder(&self, user: &str, name: &str) -> Option<&Folder> {
        self.users.get(user)?.folders.get(&canonical(name))
    }

    pub(super) fn note(&mut self, line: String) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(line);
    }
}

/// `inbox` is `INBOX` (RFC 3501, 5.1).
pub(super) fn canonical(name: &str) -> String {
    if name.eq_ignore_ascii_case("INBOX") {
        "INBOX".to_owned()
    } else {
        name.to_owned()
    }
}

/// A user. One that was only delivered to has no password, and cannot log in.
#[derive(Default)]
pub(super) struct User {
    pub(super) password: Option<String>,
    pub(super) folders: BTreeMap<String, Folder>,
    /// Connections of this user now.
    pub(super) connected: usize,
}

impl fmt::Debug for User {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("folders", &self.folders.keys())
            .finish_non_exhaustive()
    }
}

/// A mail.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) uid: u32,
    pub(super) date: Timestamp,
    pub(super) bytes: Arc<[u8]>,
    pub(super) flags: BTreeSet<String>,
    pub(super) modseq: u64,
    pub(super) illness: Option<Illness>,
}

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) special_use: Option<String>,
    pub(super) uid_validity: u32,
    pub(super) uid_next: u32,
    pub(super) highest_modseq: u64,
    /// Sorted by UID.
    pub(super) mails: Vec<Mail>,
    /// Goes up when UIDs lose their meaning: whoever has the folder open must open it again.
    pub(super) incarnation: u64,
}

impl Default for Folder {
    fn default() -> Self {
        Self {
            special_use: None,
            uid_validity: 1,
            uid_next: 1,
            highest_modseq: 1,
            mails: Vec::new(),
            incarnation: 0,
        }
    }
}

impl Folder {
    pub(super) fn add(
        &mut self,
        bytes: Arc<[u8]>,
        date: Timestamp,
        flags: BTreeSet<String>,
    ) -> u32 {
        let (uid, modseq) = (self.uid_next, self.next_modseq());
        self.uid_next += 1;
        self.mails.push(Mail {
            uid,
            date,
            bytes,
            flags,
            modseq,
            illness: None,
        });
        uid
    }

    /// Removes mails; gives how many there were.
    pub(super) fn remove_all(&mut self, uids: &[u32]) -> usize {
        uids.iter().filter(|&&uid| self.remove(uid)).count()
    }

    fn remove(&mut self, uid: u32) -> bool {
        let found = self.index(uid).map(|at| self.mails.remove(at)).is_some();
        if found {
            self.next_modseq();
        }
        found
    }

    pub(super) fn mail(&self, uid: u32) -> Option<&Mail> {
        self.index(uid).and_then(|at| self.mails.get(at))
    }

    pub(super) fn mail_mut(&mut self, uid: u32) -> Option<&mut Mail> {
        self.index(uid).and_then(|at| self.mails.get_mut(at))
    }

    /// New flags for a mail, when they are others.
    pub(super) fn flag(&mut self, uid: u32, flags: BTreeSet<String>) {
        let next = self.highest_modseq + 1;
        let Some(mail) = self.mail_mut(uid).filter(|mail| mail.flags != flags) else {
            return;
        };
        (mail.flags, mail.modseq) = (flags, next);
        self.highest_modseq = next;
    }

    /// A new UIDVALIDITY: the mails are numbered anew.
    pub(super) fn renumber(&mut self) {
        self.uid_validity += 1;
        self.uid_next = 1;
        for mail in &mut self.mails {
            mail.uid = self.uid_next;
            self.uid_next += 1;
        }
        self.incarnation += 1;
    }

    /// Back to how it was when `uid_next` was the next UID; UIDVALIDITY stays.
    pub(super) fn restore(&mut self, uid_next: u32) {
        self.mails.retain(|mail| mail.uid < uid_next);
        self.uid_next = uid_next.max(1);
        let changes = self.mails.iter().map(|mail| mail.modseq);
        self.highest_modseq = changes.max().unwrap_or(1);
        self.incarnation += 1;
    }

    fn index(&self, uid: u32) -> Option<usize> {
        self.mails.binary_search_by_key(&uid, |mail| mail.uid).ok()
    }

    fn next_modseq(&mut self) -> u64 {
        self.highest_modseq += 1;
        self.highest_modseq
    }
}
