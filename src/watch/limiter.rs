//! How many log-ins a mailbox bears.
//!
//! Knows a small stock of log-ins that grows again with time: connections that succeed and die at once
//! must not become a stream of log-ins, for which providers lock accounts (facts: imap, 3.9). Never
//! waits itself: the caller does. Its times come from the caller.

use std::time::Duration;

use tokio::time::Instant;

/// Log-ins at once: the first, and one after each of two mishaps.
const STOCK: u32 = 3;
/// One more each minute: with the stock, at most 63 in an hour.
const EACH: Duration = Duration::from_secs(60);

/// The stock of one mailbox.
#[derive(Debug)]
pub(super) struct Limiter {
    left: u32,
    /// Since when the stock grows.
    since: Instant,
}

impl Limiter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: STOCK,
            since: now,
        }
    }

    /// How long to wait before the next log-in.
    pub(super) fn pause(&mut self, now: Instant) -> Duration {
        self.grow(now);
        match self.left {
            0 => (self.since + EACH).saturating_duration_since(now),
            _ => Duration::ZERO,
        }
    }

    /// One log-in was made.
    pub(super) fn spend(&mut self, now: Instant) {
        self.grow(now);
        if self.left == STOCK {
            self.since = now;
        }
        self.left = self.left.saturating_sub(1);
    }

    fn grow(&mut self, now: Instant) {
        while self.left < STOCK && now.saturating_duration_since(self.since) >= EACH {
            self.left += 1;
            self.since += EACH;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_at_once_then_one_a_minute() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        for _ in 0..3 {
            assert_eq!(limiter.pause(start), Duration::ZERO);
            limiter.spend(start);
        }
        assert_eq!(limiter.pause(start), EACH);
        let later = start + EACH / 2;
        assert_eq!(limiter.pause(later), EACH / 2);
        assert_eq!(limiter.pause(start + EACH), Duration::ZERO);
        limiter.spend(start + EACH);
        assert_eq!(limiter.pause(start + EACH), EACH);
    }

    #[test]
    fn the_stock_does_not_grow_beyond_itself() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        limiter.spend(start);
        let later = start + EACH * 1000;
        for _ in 0..3 {
            assert_eq!(limiter.pause(later), Duration::ZERO);
            limiter.spend(later);
        }
        assert_eq!(limiter.pause(later), EACH);
    }

    #[test]
    fn an_hour_of_mishaps_makes_sixty_three_log_ins() {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        let (mut now, mut count) = (start, 0);
        while now < start + Duration::from_secs(3600) {
            let pause = limiter.pause(now);
            now += pause.max(Duration::from_millis(300));
            if pause.is_zero() {
                limiter.spend(now);
                count += 1;
            }
        }
        assert!(count <= 63, "{count}");
    }
}
