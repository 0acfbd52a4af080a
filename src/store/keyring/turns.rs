//! One operation at a time on one keyring.
//!
//! Knows who waits and whether it goes on. Never waits for an operation that hangs. A keyring's daemon does one thing
//! at a time anyway; 200 tokens at once, each on connections of its own, are more than a bus allows.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turns {
    now: Mutex<Now>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Now {
    taken: bool,
    /// Operations that were answered.
    ended: u64,
}

/// The right to work, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'t> {
    turns: &'t Turns,
    ended: bool,
}

impl Turns {
    /// Waits for a turn; `None` when for so long nobody was answered.
    pub(super) fn wait(&self, patience: Duration) -> Option<Turn<'_>> {
        let mut now = self.now();
        while now.taken {
            let before = now.ended;
            let still = |now: &mut Now| now.taken && now.ended == before;
            let waited = self.changed.wait_timeout_while(now, patience, still);
            let (woken, timed) = waited.unwrap_or_else(PoisonError::into_inner);
            if timed.timed_out() {
                return None;
            }
            now = woken;
        }
        now.taken = true;
        Some(Turn {
            turns: self,
            ended: false,
        })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The operation was answered, well or not: who waits may go on waiting.
    pub(super) fn ended(mut self) {
        self.ended = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut now = self.turns.now();
        now.taken = false;
        now.ended += u64::from(self.ended);
        drop(now);
        self.turns.changed.notify_all();
    }
}
