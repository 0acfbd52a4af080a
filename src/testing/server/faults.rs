//! Misfortunes: those that a test orders, and those that dice choose.
//!
//! Knows what can happen to an answer. Never makes it happen: the connection does. Its data comes from
//! the test: rules, or odds and a seed.

use std::collections::VecDeque;
use std::time::Duration;

use super::dice::Dice;

/// One misfortune.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The command is obeyed, and its answer is cut at a byte that the dice choose.
    Cut,
    /// The command is obeyed, and its answer is cut after so many bytes.
    CutAfter(usize),
    /// The command is obeyed, and nothing is heard of the server any more, for ever: a link that a NAT
    /// box forgot.
    Silence,
    /// The command is obeyed, and its answer comes in two halves, after so long each. What happens in
    /// the mailbox meanwhile is told at its end.
    Slow(Duration),
    /// The command is not obeyed, and is answered by this: `NO [UNAVAILABLE] try again`.
    Refuse(String),
    /// The command is not obeyed; the server says BYE with this text, and goes.
    Bye(String),
    /// These lines come before the answer, true or not.
    Say(Vec<String>),
}

impl Fault {
    /// So many EXPUNGE in one go: async-imap's channel holds 100. NOTE: a lie about a mailbox that has
    /// fewer mails.
    #[must_use]
    pub fn expunge_flood(count: usize) -> Self {
        Self::Say(vec!["* 1 EXPUNGE".to_owned(); count])
    }
}

/// When a misfortune happens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum On {
    /// Instead of, or with, the greeting.
    Greeting,
    /// With the answer to this command, named in upper case and without `UID`: `SEARCH`. With the `+` of
    /// `IDLE`, and with its end, which is named `DONE`.
    Command(&'static str),
    /// In IDLE, so long after its `+`.
    Idle(Duration),
}

/// What is wrong with one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Illness {
    /// `INTERNALDATE NIL`: imap-proto panics on it.
    NilDate,
    /// `BODY[] NIL`: Exchange, of a mail that it cannot convert.
    NilBody,
    /// Whoever fetches it loses the connection in the middle of the answer.
    BreaksConnection,
    /// Whoever fetches its body does; its head can be had.
    BodyBreaksConnection,
}

/// How often, in a thousand, each misfortune happens to a command, a greeting, an IDLE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// The connection is not even accepted.
    pub no_connection: u32,
    /// [`Fault::Cut`].
    pub cut: u32,
    /// [`Fault::Silence`].
    pub silence: u32,
    /// [`Fault::Slow`], a second to 20 seconds each time.
    pub slow: u32,
    /// [`Fault::Refuse`], with codes that mean "later".
    pub refusal: u32,
    /// [`Fault::Bye`].
    pub bye: u32,
    /// [`Fault::Say`]: 150 EXPUNGE, an ALERT, a keepalive.
    pub noise: u32,
}

impl Odds {
    /// A bad network and a tired server: one command in 20 goes wrong somehow.
    #[must_use]
    pub fn rough() -> Self {
        Self {
            no_connection: 50,
            cut: 12,
            silence: 8,
            slow: 10,
            refusal: 6,
            bye: 6,
            noise: 10,
        }
    }
}

/// Refusals that pass (RFC 5530; THROTTLED is Exchange's, SERVERBUG also Dovecot's).
const REFUSALS: [&str; 5] = [
    "NO [UNAVAILABLE] Temporary failure, try again later",
    "NO [LIMIT] Too many commands",
    "NO [THROTTLED] Request is throttled. Suggested Backoff Time: 1000 milliseconds",
    "NO [SERVERBUG] Internal error occurred. Refer to server log for more information.",
    "NO [INUSE] Mailbox is locked by another session",
];

/// Refusals of a log-in that say nothing about the password.
const LOGIN_REFUSALS: [&str; 2] = [
    "NO [UNAVAILABLE] Temporary authentication failure.",
    "NO [ALERT] Too many simultaneous connections. (Failure)",
];

/// Farewells seen in the field (Gmail, Exchange, Dovecot).
const BYES: [&str; 4] = [
    "Session expired, please login again",
    "Session invalidated - AccessTokenExpired",
    "Server shutting down.",
    "Disconnected for inactivity.",
];

/// The longest IDLE in which the dice let something happen.
const IDLE: Duration = Duration::from_secs(600);

/// Rules and dice.
#[derive(Debug)]
pub(super) struct Faults {
    rules: VecDeque<(On, Fault)>,
    odds: Odds,
    pub(super) dice: Dice,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            rules: VecDeque::new(),
            odds: Odds::default(),
            dice: Dice::new(0),
        }
    }
}

impl Faults {
    pub(super) fn order(&mut self, on: On, fault: Fault) {
        self.rules.push_back((on, fault));
    }

    pub(super) fn roll(&mut self, dice: Dice, odds: Odds) {
        (self.dice, self.odds) = (dice, odds);
    }

    pub(super) fn refuses_connection(&mut self) -> bool {
        self.dice.chance(self.odds.no_connection)
    }

    /// What happens with the greeting.
    pub(super) fn at_greeting(&mut self) -> Option<Fault> {
        self.ordered(|on| *on == On::Greeting)
            .or_else(|| self.drawn(&LOGIN_REFUSALS))
            // there is nothing to refuse yet
            .filter(|fault| !matches!(fault, Fault::Refuse(_)))
    }

    /// What happens with a command.
    pub(super) fn at_command(&mut self, name: &str) -> Option<Fault> {
        let log_in = matches!(name, "LOGIN" | "AUTHENTICATE");
        let refusals = if log_in {
            &LOGIN_REFUSALS[..]
        } else {
            &REFUSALS[..]
        };
        self.ordered(|on| matches!(on, On::Command(of) if *of == name))
            .or_else(|| self.drawn(refusals))
    }

    /// What happens in an IDLE, and how long after its beginning.
    pub(super) fn in_idle(&mut self) -> Option<(Duration, Fault)> {
        let at = self
            .rules
            .iter()
            .position(|(on, _)| matches!(on, On::Idle(_)));
        if let Some((On::Idle(after), fault)) = at.and_then(|at| self.rules.remove(at)) {
            return Some((after, fault));
        }
        let fault = self.drawn(&REFUSALS)?;
        // a refusal in IDLE would end it, for which clients stop idling: rules may order that
        let happens = !matches!(fault, Fault::Refuse(_) | Fault::Slow(_));
        happens.then(|| (self.dice.between(Duration::ZERO, IDLE), fault))
    }

    fn ordered(&mut self, fits: impl Fn(&On) -> bool) -> Option<Fault> {
        let at = self.rules.iter().position(|(on, _)| fits(on))?;
        self.rules.remove(at).map(|(_, fault)| fault)
    }

    fn drawn(&mut self, refusals: &[&str]) -> Option<Fault> {
        let odds = self.odds;
        let mut rolled = self.dice.below(1000);
        let mut falls = |thousandths: u32| {
            let hit = rolled < u64::from(thousandths);
            rolled = rolled.saturating_sub(u64::from(thousandths));
            hit
        };
        if falls(odds.cut) {
            Some(Fault::Cut)
        } else if falls(odds.silence) {
            Some(Fault::Silence)
        } else if falls(odds.slow) {
            let (least, most) = (Duration::from_secs(1), Duration::from_secs(20));
            Some(Fault::Slow(self.dice.between(least, most)))
        } else if falls(odds.refusal) {
            self.dice
                .pick(refusals)
                .map(|text| Fault::Refuse((*text).to_owned()))
        } else if falls(odds.bye) {
            self.dice
                .pick(&BYES)
                .map(|text| Fault::Bye((*text).to_owned()))
        } else if falls(odds.noise) {
            Some(self.noise())
        } else {
            None
        }
    }

    fn noise(&mut self) -> Fault {
        match self.dice.below(3) {
            0 => Fault::expunge_flood(150),
            1 => Fault::Say(vec!["* OK [ALERT] Maintenance at noon".to_owned()]),
            _ => Fault::Say(vec!["* OK Still here".to_owned()]),
        }
    }
}
