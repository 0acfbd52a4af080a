//! How often, and after what pause.
//!
//! Knows numbers only: a caller with a patient memory asks for the next pause, a simpler one lets [`Retry::run`] do it. Never
//! sleeps: the pause is an argument. Whether another try could help is what the error says.

use std::time::Duration;

use super::NotifyError;

/// Nobody is left alone for longer than this, whatever was asked for.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Each pause is this many times the one before: 2 s, 10 s, 50 s.
const GROWTH: u32 = 5;

/// How often to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// All tries, the first included.
    pub tries: u32,
    /// The pause after the first.
    pub first_pause: Duration,
}

impl Retry {
    /// For a program: three tries within a quarter of a minute, since somebody may wait for it.
    pub const PROGRAM: Self = Self {
        tries: 3,
        first_pause: Duration::from_secs(2),
    };

    /// For a webhook: seven tries in an hour and a half, which is a deployment that went wrong.
    pub const WEBHOOK: Self = Self {
        tries: 7,
        first_pause: Duration::from_secs(2),
    };

    /// The pause after `failed` tries, the last of which ended with this error; `None`: it is given up.
    #[must_use]
    pub fn pause(&self, failed: u32, error: &NotifyError) -> Option<Duration> {
        let pause = self.after(failed).filter(|_| error.passing)?;
        let asked = error.wait.unwrap_or_default();
        Some(pause.max(asked).min(LONGEST_PAUSE))
    }

    /// The pause after `failed` tries, whatever they ended with; `None`: it is given up.
    #[must_use]
    pub fn after(&self, failed: u32) -> Option<Duration> {
        if failed >= self.tries {
            return None;
        }
        let growth = GROWTH.saturating_pow(failed.saturating_sub(1));
        let pause = self.first_pause.saturating_mul(growth);
        Some(pause.min(LONGEST_PAUSE))
    }

    /// Tries until it is done or given up. `pause` waits, and says whether to go on.
    ///
    /// # Errors
    /// That of the last try.
    pub fn run(
        &self,
        mut pause: impl FnMut(Duration) -> bool,
        mut attempt: impl FnMut() -> Result<(), NotifyError>,
    ) -> Result<(), NotifyError> {
        let mut failed = 0;
        loop {
            let Err(error) = attempt() else {
                return Ok(());
            };
            failed += 1;
            match self.pause(failed, &error) {
                Some(length) if pause(length) => {}
                _ => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::NotifyErrorKind::{Refused, TryAgain};

    fn busy(wait: Option<u64>) -> NotifyError {
        NotifyError {
            wait: wait.map(Duration::from_secs),
            ..NotifyError::passing("x.example", TryAgain, "busy", "")
        }
    }

    /// The pauses, in seconds, until it was given up or done.
    fn pauses(retry: Retry, mut attempt: impl FnMut() -> Result<(), NotifyError>) -> Vec<u64> {
        let mut pauses = Vec::new();
        let _ = retry.run(
            |length| {
                pauses.push(length.as_secs());
                true
            },
            &mut attempt,
        );
        pauses
    }

    #[test]
    fn pauses_grow_and_end() {
        assert_eq!(pauses(Retry::PROGRAM, || Err(busy(None))), [2, 10]);
        assert_eq!(
            pauses(Retry::WEBHOOK, || Err(busy(None))),
            [2, 10, 50, 250, 1250, 3600]
        );
    }

    #[test]
    fn what_will_not_pass_is_tried_once() {
        let refused = || Err(NotifyError::lasting("x.example", Refused, "no", ""));
        assert_eq!(pauses(Retry::WEBHOOK, refused), [0_u64; 0]);
    }

    #[test]
    fn a_second_try_that_works_is_the_last() {
        let mut left = vec![Ok(()), Err(busy(None))];
        assert_eq!(pauses(Retry::PROGRAM, || left.pop().unwrap()), [2]);
        assert!(left.is_empty());
    }

    #[test]
    fn the_receiver_is_left_alone_as_it_asks_but_not_for_ever() {
        let asked = |seconds| {
            Retry::WEBHOOK
                .pause(1, &busy(Some(seconds)))
                .unwrap()
                .as_secs()
        };
        assert_eq!([asked(1), asked(60), asked(86_400)], [2, 60, 3600]);
    }

    #[test]
    fn whoever_pauses_may_end_it() {
        let mut tries = 0;
        let ended = Retry::WEBHOOK.run(
            |_| false,
            || {
                tries += 1;
                Err(busy(None))
            },
        );
        assert_eq!((ended, tries), (Err(busy(None)), 1));
    }
}
