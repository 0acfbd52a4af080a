//! Jumps of the clock: the machine slept, or was frozen.
//!
//! Knows two clocks, of which only one goes on in a sleep. Never says what to do: whoever holds a
//! connection takes it for dead, because the other side has often forgotten it meanwhile. The wall clock
//! is an argument.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;

use super::pipeline::Clock;

/// How often the clocks are compared: there is no event for it on every system.
const EVERY: Duration = Duration::from_secs(5);
/// A difference that no correction of a clock makes in one step, but any sleep worth the name.
const JUMP: SignedDuration = SignedDuration::from_secs(30);

/// The number of jumps so far, given to every task.
pub(super) type Jumps = watch::Receiver<u64>;

/// Watches the clocks, until nobody listens any more.
pub(super) async fn detect(clock: Clock, count: watch::Sender<u64>) {
    let mut last = (clock(), Instant::now());
    while !count.is_closed() {
        tokio::time::sleep(EVERY).await;
        let now = (clock(), Instant::now());
        let wall = now.0.duration_since(last.0);
        let steady = SignedDuration::try_from(now.1 - last.1).unwrap_or(SignedDuration::MAX);
        last = now;
        let drift = wall.checked_sub(steady).unwrap_or(SignedDuration::MAX);
        if drift.abs() > JUMP {
            tracing::info!(
                seconds = drift.as_secs(),
                "the clock jumped, as after a sleep: connecting again"
            );
            count.send_modify(|count| *count += 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use jiff::Timestamp;

    use super::*;

    /// A wall clock that goes with the steady one, and can be put forward.
    fn clock() -> (Clock, Arc<AtomicI64>) {
        let ahead = Arc::new(AtomicI64::new(0));
        let (begun, by) = (Instant::now(), Arc::clone(&ahead));
        let clock = move || {
            let seconds = i64::try_from(begun.elapsed().as_secs()).unwrap();
            Timestamp::from_second(1_800_000_000 + seconds + by.load(Ordering::SeqCst)).unwrap()
        };
        (Arc::new(clock), ahead)
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleep_is_noticed_within_seconds_and_nothing_else_is() {
        let (clock, ahead) = clock();
        let (count, mut jumps) = watch::channel(0);
        let task = tokio::spawn(detect(clock, count));
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        // what a time server corrects
        ahead.store(20, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!jumps.has_changed().unwrap());
        for jump in [3_600, 0] {
            let begun = Instant::now();
            ahead.store(jump, Ordering::SeqCst);
            jumps.changed().await.unwrap();
            assert!(begun.elapsed() <= EVERY);
        }
        drop(jumps);
        task.await.unwrap();
    }
}
