//! What to watch: a mailbox, its folders, and what may be done there.
//!
//! Knows the words of a task. Never does any of it. Filled from the configuration, or by a library user.

use std::sync::Arc;

use jiff::Timestamp;

use super::chance::Chance;
use crate::inbox::{Access, Connector, Limits};

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

/// A mailbox to watch: one connection for all of its folders.
#[derive(Clone, Debug)]
pub struct MailboxTask {
    /// The mailbox's name in the configuration.
    pub mailbox: String,
    /// How it is reached.
    pub door: Arc<dyn Connector>,
    /// The folders to watch; the first one is waited in.
    pub folders: Vec<FolderChoice>,
    /// Limits of a connection.
    pub limits: Limits,
    /// Where to begin.
    pub start: Start,
    /// What becomes of a mail whose token is stored.
    pub handled: Handled,
    /// Others may watch the mailbox, from other machines: one of all claims a mail before it stores its
    /// token.
    pub claim: bool,
    /// What pauses between tries are drawn with.
    pub chance: Chance,
}

impl MailboxTask {
    /// A mailbox that is only read, in its usual folders, from the ledger's cursor on.
    #[must_use]
    pub fn new(mailbox: impl Into<String>, door: Arc<dyn Connector>) -> Self {
        Self {
            mailbox: mailbox.into(),
            door,
            folders: FolderChoice::usual(),
            limits: Limits::default(),
            start: Start::Cursor,
            handled: Handled::Leave,
            claim: false,
            chance: Chance::of_system(),
        }
    }

    /// What must be allowed in its folders.
    pub(super) fn access(&self) -> Access {
        match self.handled == Handled::Leave && !self.claim {
            true => Access::Read,
            false => Access::Write,
        }
    }
}

/// A folder to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderChoice {
    /// Its name, or its special use (`\Junk`).
    pub name: String,
    /// Somebody counts on it: if the server has no such folder, that is an error.
    pub required: bool,
}

impl FolderChoice {
    /// A folder that must be there.
    #[must_use]
    pub fn required(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            required: true,
        }
    }

    /// A folder that is watched where there is one.
    #[must_use]
    pub fn if_there(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            required: false,
        }
    }

    /// The inbox, and the junk folder where there is one: a first mail of Salesforce often lands there.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        vec![Self::required("INBOX"), Self::if_there("\\Junk")]
    }
}

/// What becomes of a mail once its token is stored and read back, or was superseded by a newer one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Handled {
    /// Nothing: the mailbox is opened read-only.
    #[default]
    Leave,
    /// It is marked as read.
    Seen,
    /// It is flagged.
    Flag,
    /// It is moved to this folder: a name, or a special use (`\Trash`).
    MoveTo(String),
    /// It is removed for good.
    Delete,
}
