//! When each mailbox last proved that it lives, written down for `status`.
//!
//! Knows times of answered commands. Never writes each of them: a thousand mailboxes are probed fifty
//! times a second. Its data comes from the connections, and goes to the ledger.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::ledger::Ledger;

/// The pause between two writes: `status` tells seconds, nobody needs it more exactly.
const EVERY: Duration = Duration::from_secs(5);

/// Times that are not written yet. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Pulse {
    ledger: Arc<Ledger>,
    pending: Arc<Mutex<Pending>>,
}

#[derive(Debug, Default)]
struct Pending {
    /// By mailbox and folder.
    beats: BTreeMap<(String, String), Timestamp>,
    written: Option<Instant>,
}

impl Pulse {
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self {
            ledger,
            pending: Arc::default(),
        }
    }

    /// The connection that watches these folders was proven to live at `at`.
    pub(super) fn beat<'f>(
        &self,
        mailbox: &str,
        folders: impl Iterator<Item = &'f str>,
        at: Timestamp,
    ) {
        let mut pending = self.pending();
        for folder in folders {
            let key = (mailbox.to_owned(), folder.to_owned());
            pending.beats.insert(key, at);
        }
        let due = pending
            .written
            .is_none_or(|written| written.elapsed() >= EVERY);
        if due {
            self.write(pending);
        }
    }

    /// Writes what is left.
    pub(super) fn flush(&self) {
        self.write(self.pending());
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, mut pending: std::sync::MutexGuard<'_, Pending>) {
        let beats = std::mem::take(&mut pending.beats);
        pending.written = Some(Instant::now());
        drop(pending);
        if let Err(error) = self.ledger.contacts_seen(&beats) {
            tracing::warn!(hint = error.hint(), "{error}");
        }
    }
}
