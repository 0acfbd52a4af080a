//! How long to pause after each kind of failure, and when to give up.
//!
//! Knows classes of failure. Never waits itself. Its failures come from the connections.

use std::time::Duration;

use super::backoff::Backoff;
use crate::inbox::{Class, InboxError, Limits, Phase};

/// A connection that lived this long was sound: what ended it is a new story (facts: imap, 4.4, 18).
const SOUND: Duration = Duration::from_secs(5 * 60);
/// Refused log-ins before giving up: more of them lock accounts (facts: imap, 4.4, 18).
const MAX_REFUSED: u32 = 3;
/// The pause after a server's plea to slow down.
const SLOW: Duration = Duration::from_secs(60);
/// The pause after a refused log-in: a server may have hiccuped; a wrong password is soon told.
const REFUSED: Duration = Duration::from_secs(5);

/// What went wrong with one mailbox lately.
pub(super) struct Pauses {
    network: Backoff,
    slow: Backoff,
    refused: u32,
    /// How often a command was not answered in time, in a row.
    unanswered: u32,
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self {
            network: Backoff::CONNECTION,
            slow: Backoff::new(SLOW, SLOW * 10),
            refused: 0,
            unanswered: 0,
        }
    }

    /// The pause, or `None` when trying again is of no use. `lived`: how long the connection was logged
    /// in; `chance` is between 0 and 1.
    pub(super) fn after(
        &mut self,
        error: &InboxError,
        lived: Duration,
        chance: f64,
    ) -> Option<Duration> {
        if lived >= SOUND {
            *self = Self::new();
        }
        if is_slow_command(error) {
            self.unanswered += 1;
        }
        match error.class() {
            // what has ended in order is begun anew at once
            Class::Network if error.is_expiry() && lived >= SLOW => Some(Duration::ZERO),
            Class::Network => Some(self.network.pause(chance)),
            Class::Throttled => Some(self.slow.pause(chance)),
            Class::Auth => {
                self.refused += 1;
                (self.refused < MAX_REFUSED).then_some(REFUSED * self.refused)
            }
            Class::Policy => None,
        }
    }

    /// A log-in worked: the ones refused before were a hiccup.
    pub(super) fn logged_in(&mut self) {
        self.refused = 0;
    }

    /// Limits for the next connection: a server that needs long for a command gets longer.
    pub(super) fn patient(&self, limits: &Limits) -> Limits {
        let granted = limits.command * 2_u32.saturating_pow(self.unanswered.min(8));
        Limits {
            command: granted.min(limits.patience.max(limits.command)),
            ..limits.clone()
        }
    }
}

/// IDLE and NOOP cost a server nothing: who is late there is dead, not slow.
fn is_slow_command(error: &InboxError) -> bool {
    matches!(error, InboxError::Timeout { phase: Phase::Command(name), .. } if !["IDLE", "NOOP"].contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "imap.example.com:993";

    fn cut(bye: Option<&str>) -> InboxError {
        InboxError::Disconnected {
            at: AT.to_owned(),
            bye: bye.map(str::to_owned),
        }
    }

    fn refused(code: Option<&str>, text: &str) -> InboxError {
        InboxError::LoginRefused {
            at: AT.to_owned(),
            code: code.map(str::to_owned),
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_first_retry_is_quick_and_a_sound_connection_begins_anew() {
        let mut pauses = Pauses::new();
        let first = pauses.after(&cut(None), Duration::ZERO, 1.0).unwrap();
        assert!(first <= Duration::from_millis(500));
        // a server that restarts is met again within two seconds
        for _ in 0..12 {
            let pause = pauses.after(&cut(None), Duration::ZERO, 1.0).unwrap();
            assert!(pause <= Duration::from_secs(2), "{pause:?}");
        }
        for _ in 0..20 {
            pauses.after(&cut(None), Duration::ZERO, 0.0).unwrap();
        }
        assert!(pauses.after(&cut(None), Duration::ZERO, 0.0).unwrap() >= Duration::from_secs(150));
        assert!(pauses.after(&cut(None), SOUND, 1.0).unwrap() <= Duration::from_millis(500));
    }

    #[test]
    fn a_refused_log_in_is_given_up_after_three() {
        let mut pauses = Pauses::new();
        let refused = refused(Some("AUTHENTICATIONFAILED"), "no");
        let tries = |pauses: &mut Pauses| -> Vec<bool> {
            (0..3)
                .map(|_| pauses.after(&refused, Duration::ZERO, 0.5).is_some())
                .collect()
        };
        assert_eq!(tries(&mut pauses), [true, true, false]);
        pauses.logged_in();
        assert_eq!(tries(&mut pauses), [true, true, false]);
    }

    #[test]
    fn who_asks_to_slow_down_is_left_alone_for_a_minute_half_at_least() {
        for plea in [
            refused(Some("ALERT"), "Too many simultaneous connections"),
            refused(Some("UNAVAILABLE"), "later"),
            refused(Some("LIMIT"), ""),
            cut(Some("Request is throttled")),
        ] {
            let mut pauses = Pauses::new();
            let pause = pauses.after(&plea, Duration::ZERO, 0.0).unwrap();
            assert!(pause >= SLOW / 2, "{plea}: {pause:?}");
        }
        // an alert alone is no plea: Gmail wants an app password with it
        let wanted = refused(Some("ALERT"), "Application-specific password required");
        assert_eq!(wanted.class(), Class::Auth);
    }

    #[test]
    fn an_expired_session_is_renewed_at_once() {
        let mut pauses = Pauses::new();
        let expired = cut(Some("Session invalidated - AccessTokenExpired"));
        let pause = pauses.after(&expired, SLOW, 1.0);
        assert_eq!(pause, Some(Duration::ZERO));
        // but not in a loop
        assert_ne!(
            pauses.after(&expired, Duration::ZERO, 1.0),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn a_slow_server_gets_more_time_with_each_try() {
        let mut pauses = Pauses::new();
        let limits = Limits::default();
        let slow = InboxError::Timeout {
            at: AT.to_owned(),
            phase: Phase::Command("EXAMINE"),
        };
        let mut granted = Vec::new();
        for _ in 0..4 {
            granted.push(pauses.patient(&limits).command.as_secs());
            pauses.after(&slow, Duration::ZERO, 0.5);
        }
        assert_eq!(granted, [15, 30, 60, 60]);
    }
}
