//! How long, and how much.
//!
//! Knows the limits of one connection and the reason of each. Never applies them. Comes from the
//! defaults here, or from the caller.

use std::time::Duration;

/// The limits of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, TCP and TLS together. Three lost SYNs are 7 s on Linux; a slow handshake adds a few.
    pub connect: Duration,
    /// Greeting, capabilities and log-in together: a server that falls silent there is given up. Dovecot
    /// delays refusals by 2 s and more, so not much less than this.
    pub login: Duration,
    /// One command, from its first byte to its tagged response: chatmail/core lives well with 60 s.
    pub command: Duration,
    /// The longest that a dead connection may go unnoticed, in whole seconds. A silent one is asked after a
    /// third of this time, so a short one costs packets, a radio's battery and, on a bad line, connections
    /// that would have lived.
    pub liveness: Duration,
    /// DONE to the end of IDLE (facts: chatmail/core takes 15 s). A dead link shows here.
    pub done: Duration,
    /// The age at which an IDLE is renewed, whatever the server sent meanwhile. NAT boxes forget a quiet
    /// connection after 5 to 15 minutes and Exchange stops pushing in a long IDLE (below);
    /// RFC 2177 wants a renewal every 29 minutes (above).
    pub idle_renew: Duration,
    /// The pause between two looks where IDLE is missing or refused. Providers throttle faster ones.
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

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            login: Duration::from_secs(15),
            command: Duration::from_secs(60),
            liveness: Duration::from_secs(30),
            done: Duration::from_secs(15),
            idle_renew: Duration::from_secs(9 * 60),
            poll: Duration::from_secs(60),
            max_literal: 1024 * 1024,
            max_line: 1024 * 1024,
            max_depth: 16,
        }
    }
}
