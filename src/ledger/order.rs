//! May this mail's token be written?
//!
//! Knows the order of tokens in a slot: the newer mail wins, the same mail is done once. Never knows
//! SQLite: values in, a word out. The newest comes from the ledger, the candidate from a proven mail.

use crate::ingest::event::Receipt;
use crate::ingest::order::Rank;
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;

/// A proven mail that wants to write a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its place in the order.
    pub rank: Rank,
    /// Its token's fingerprint.
    pub fingerprint: Fingerprint,
    /// Its Message-ID.
    pub message_id: Option<String>,
    /// The kind of org.
    pub org: Org,
}

/// How far the newest mail of a slot came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Seen and proven; the store has not confirmed it.
    Pending,
    /// The store has confirmed it.
    Stored,
}

/// The newest proven mail of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// The mail.
    pub mail: Candidate,
    /// How far it came.
    pub state: State,
    /// The last token that was stored; while `Pending`, an older one.
    pub receipt: Option<Receipt>,
}

/// What a candidate may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admit {
    /// It is the newest: write it.
    Write,
    /// It is the newest, and its write was begun before: write it (again).
    Retry,
    /// It is the newest, and its token is stored: nothing to do.
    AlreadyStored,
    /// A newer mail was seen: refuse it (`older_than_current`).
    Superseded,
    /// The slot belongs to the other kind of org: refuse it (`org_mismatch`).
    OtherOrg,
}

impl Admit {
    /// Whether the token is to be written.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Retry)
    }
}

/// Holds the candidate against the newest mail of its slot.
#[must_use]
pub fn admit(newest: Option<&Newest>, candidate: &Candidate) -> Admit {
    let Some(newest) = newest else {
        return Admit::Write;
    };
    if newest.mail.org != candidate.org {
        return Admit::OtherOrg;
    }
    match (same_mail(&newest.mail, candidate), newest.state) {
        (true, State::Stored) => Admit::AlreadyStored,
        (true, State::Pending) => Admit::Retry,
        (false, _) if candidate.rank > newest.mail.rank => Admit::Write,
        (false, _) => Admit::Superseded,
    }
}

/// The same mail may stand in two folders, with two arrivals; its signed Date, Message-ID and token
/// stay the same. Without a Message-ID, Date and token must do.
fn same_mail(one: &Candidate, other: &Candidate) -> bool {
    one.fingerprint == other.fingerprint
        && one.message_id == other.message_id
        && one.rank.date == other.rank.date
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
