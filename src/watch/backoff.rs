//! How long to pause before the next try.
//!
//! Knows growth, jitter and ceilings. Never sleeps and never rolls dice itself: the caller gives the
//! randomness and does the waiting.

use std::time::Duration;

/// Grows from `first` to `most`, doubling; each pause is drawn from its upper half ("equal
/// jitter"), so that a thousand mailboxes do not come back in one beat, and none comes back at once. It may
/// rest for some tries at a pause on the way.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
    rest: (Duration, u32),
    rests_left: u32,
}

impl Backoff {
    /// For connections that broke: the first retry comes after a quarter to half a second, and for half
    /// a minute no pause is longer than two seconds, so that a server's restart costs little; the longest
    /// pause is 5 min (facts: imap, 4.4, 18).
    pub const CONNECTION: Self = Self::new(Duration::from_millis(500), Duration::from_secs(300))
        .resting_at(Duration::from_secs(2), 20);

    /// For mails that cannot be decided, and stores that do not answer: 1 s to 5 min.
    pub const RETRY: Self = Self::new(Duration::from_secs(1), Duration::from_secs(300));

    /// From `first` to `most`.
    #[must_use]
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first,
            rest: (most, 0),
            rests_left: 0,
        }
    }

    /// The same, but `times` more at a pause of `at`, which must be one of the way.
    #[must_use]
    pub const fn resting_at(self, at: Duration, times: u32) -> Self {
        Self {
            rest: (at, times),
            rests_left: times,
            ..self
        }
    }

    /// The next pause; `chance` is between 0 and 1.
    pub fn pause(&mut self, chance: f64) -> Duration {
        let whole = self.next;
        if whole == self.rest.0 && self.rests_left > 0 {
            self.rests_left -= 1;
        } else {
            self.next = (whole * 2).min(self.most);
        }
        whole.mul_f64(chance.clamp(0.0, 1.0).midpoint(1.0))
    }

    /// Begins anew: what was tried has worked for a while.
    pub fn reset(&mut self) {
        self.next = self.first;
        self.rests_left = self.rest.1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_ceiling_and_begin_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let pauses: Vec<u64> = (0..5).map(|_| backoff.pause(1.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.pause(0.0), Duration::from_millis(500));
    }
}
