//! How many mailboxes of one process connect at the same time.
//!
//! Knows that a handshake takes memory and CPU that an idle connection gives back. Never keeps anybody out:
//! who is slow gives up the place, and goes on without one. Its work comes from the mailboxes.
//!
//! A thousand handshakes at once last longer than each of them may (10 s for TCP and TLS), and leave holes in
//! the memory that are never filled again: 20 KiB a mailbox (measured 2026-11-26, glibc 2.36).

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Two cores make some three hundred handshakes a second; a server at the other end of the world needs a
/// second for a log-in.
const PLACES: usize = 64;
/// Longer than a log-in takes where everything is well. Servers that hang do not hold up the others.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lets a number of mailboxes connect at a time. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Turnstile(Arc<Semaphore>);

impl Turnstile {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }

    /// Does the work when it has a place, which it keeps for a second at most.
    pub(super) async fn pass<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let place = self.0.acquire().await;
        match timeout(PATIENCE, work.as_mut()).await {
            Ok(done) => done,
            Err(_) => {
                drop(place);
                work.await
            }
        }
    }
}

#[cfg(test)]
#[path = "turnstile_tests.rs"]
mod tests;
