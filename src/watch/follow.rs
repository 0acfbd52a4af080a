//! Whoever does what comes after, and what it is told.
//!
//! Knows the shape of a step: its name, its turn, its end. Never does one, and never decides when: `errands` does. What is
//! told is free of secrets.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ingest::event::EventWord;
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;
use crate::ledger::{Event, TrailHead};
use crate::store::Key;

/// What a step is told. Free of secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// What happened.
    pub event: EventWord,
    /// When.
    pub at: Timestamp,
    /// The Salesforce username.
    pub username: String,
    /// The kind of org.
    pub org: Org,
    /// The token's fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// The signed Date of its mail.
    pub date: Option<Timestamp>,
    /// The slots that have it.
    pub slots: Vec<String>,
    /// The slots that do not, yet.
    pub missing: Vec<String>,
    /// Whether it logs in, as far as that is known.
    pub verified: Option<bool>,
    /// The stable word of what went wrong.
    pub reason: Option<String>,
    /// What went wrong: a clause.
    pub detail: Option<String>,
    /// The token's age.
    pub age_seconds: Option<i64>,
    /// The head of the audit trail when the event was in it.
    pub trail: Option<TrailHead>,
}

impl Told {
    /// An event of an account, and nothing more.
    #[must_use]
    pub fn of(key: &Key, event: EventWord, at: Timestamp) -> Self {
        Self {
            event,
            at,
            username: key.username.clone(),
            org: key.org,
            fingerprint: None,
            date: None,
            slots: Vec::new(),
            missing: Vec::new(),
            verified: None,
            reason: None,
            detail: None,
            age_seconds: None,
            trail: None,
        }
    }

    pub(super) fn with(&self, head: &TrailHead) -> Self {
        Self {
            trail: Some(head.clone()),
            ..self.clone()
        }
    }

    pub(super) fn to_json(&self) -> String {
        // names and texts only: it cannot fail
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whoever does the steps.
pub trait Follow: Send + Sync + fmt::Debug {
    /// The names of the steps that an event asks for, in order. A name stays the same as long as the step does:
    /// errands outlive the process.
    fn steps(&self, key: &Key, event: EventWord) -> Vec<String>;

    /// One try of one step. Blocks, for a bounded time.
    fn run(&self, key: &Key, step: &str, told: &Told) -> Ran;

    /// The pause after the given number of tries that failed; `None`: it is given up.
    fn pause(&self, step: &str, tries: u32) -> Option<Duration>;

    /// How the end of a step is called in the audit trail.
    fn trace(&self, step: &str, ok: bool) -> Event;

    /// Whether somebody who waits for an account waits for this step, too; of other steps, for their first try only.
    fn is_waited_for(&self, step: &str) -> bool;

    /// Whether a step is not begun before an earlier one of the same event has its result, however often that is tried.
    fn comes_after(&self, step: &str, earlier: &str) -> bool;

    /// What a failure of the step is: an event of its own, or nothing more than a line in the log.
    fn failure(&self, step: &str) -> Option<EventWord>;
}

/// How a try of a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It did what it should.
    Done(Option<String>),
    /// It may work later; not before the pause, if the other side named one.
    Again(String, Option<Duration>),
    /// It will not work.
    Failed(String),
    /// The configuration has no such step any more.
    Gone,
}

/// Does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFollow;

impl Follow for NoFollow {
    fn steps(&self, _: &Key, _: EventWord) -> Vec<String> {
        Vec::new()
    }

    fn run(&self, _: &Key, _: &str, _: &Told) -> Ran {
        Ran::Gone
    }

    fn trace(&self, _: &str, ok: bool) -> Event {
        match ok {
            true => Event::HookDone,
            false => Event::HookFailed,
        }
    }

    fn is_waited_for(&self, _: &str) -> bool {
        false
    }

    fn comes_after(&self, _: &str, _: &str) -> bool {
        false
    }

    fn pause(&self, _: &str, _: u32) -> Option<Duration> {
        None
    }

    fn failure(&self, _: &str) -> Option<EventWord> {
        None
    }
}
