//! How long, and how much.
//!
//! Knows the limits of one connection and the reason of each. Never applies them. Comes from the
//! defaults here, or from the caller.

use std::time::Duration;

/// The limits of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, TCP and TLS together. Two lost SYNs are 3 s on Linux, three 7 s; a slow handshake
    /// adds a few.
    pub connect: Duration,
    /// Greeting, capabilities and log-in together: a server that falls silent there is given up. Dovecot
    /// delays refusals by 2 s and more, so not much less than this.
    pub login: Duration,
    /// One command, from its first byte to its tagged response. A server that stalls behind the log-in
    /// shows here; one that builds an index first, or fetches from an archive, needs longer: whoever tries
    /// again grants more, up to `patience`.
    pub command: Duration,
    /// The most that a command is ever granted: chatmail/core lives well with 60 s.
    pub patience: Duration,
    /// The longest that a dead connection may go unnoticed. Two small packets are the price, at each
    /// probe: a third of this time is for the answer, the rest is the pause before the question.
    pub liveness: Duration,
    /// The age at which a folder is opened anew, whatever the server sent meanwhile. NAT boxes forget a
    /// quiet connection after 5 to 15 minutes and Exchange stops pushing in a long IDLE (below);
    /// RFC 2177 wants a renewal every 29 minutes (above).
    pub idle_renew: Duration,
    /// The pause between two looks where IDLE is missing or refused, and into the folders that no
    /// notification comes from. Providers throttle faster ones.
    pub poll: Duration,
    /// The largest literal, which is the largest mail. Token mails have a few kilobytes; a server that
    /// announces more makes the codec allocate it at once (facts, 4.2 row 9).
    pub max_literal: usize,
    /// The longest line. A SEARCH reply is one line of about 8 bytes a UID, and parsing it is quadratic
    /// (facts, 4.2 row 17): 130,000 UIDs cost about half a second.
    pub max_line: usize,
    /// The deepest nesting of parentheses. What we ask for nests two deep; the parser overflows its
    /// stack, and aborts the process, at 58 in a debug build (facts, 4.2 row 21).
    pub max_depth: usize,
}

/// The longest that an answer to a probe may take, however patient the rest is: chatmail/core gives
/// DONE 15 s.
const LONGEST_ANSWER: Duration = Duration::from_secs(15);

impl Limits {
    /// How long a server may take to answer what costs it nothing: DONE, NOOP, the beginning of IDLE.
    #[must_use]
    pub fn answer(&self) -> Duration {
        (self.liveness / 3).min(LONGEST_ANSWER)
    }

    /// How long a connection may be silent before it is probed.
    #[must_use]
    pub fn probe(&self) -> Duration {
        self.liveness.saturating_sub(self.answer())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            login: Duration::from_secs(15),
            command: Duration::from_secs(15),
            patience: Duration::from_secs(60),
            liveness: Duration::from_secs(30),
            idle_renew: Duration::from_secs(9 * 60),
            poll: Duration::from_secs(60),
            max_literal: 1024 * 1024,
            max_line: 1024 * 1024,
            max_depth: 16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_and_its_answer_take_no_longer_than_the_liveness() {
        for seconds in [1, 10, 30, 45, 600, 86_400] {
            let liveness = Duration::from_secs(seconds);
            let limits = Limits {
                liveness,
                ..Limits::default()
            };
            assert_eq!(limits.probe() + limits.answer(), liveness);
            assert!(limits.answer() <= LONGEST_ANSWER && limits.probe() >= liveness / 2);
        }
        let limits = Limits::default();
        assert_eq!(
            (limits.probe().as_secs(), limits.answer().as_secs()),
            (20, 10)
        );
    }
}
