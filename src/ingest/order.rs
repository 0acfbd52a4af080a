//! Which of two mails is newer.
//!
//! Knows the order: the signed date, then the arrival. Never knows where the values came from: they
//! are given by the proof (date) and by the inbox (arrival).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// When a mail reached us, to order mails of one second: INTERNALDATE, then UID.
/// Offline there is no INTERNALDATE, and the number is the place in the input, over all runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Arrival {
    /// INTERNALDATE (RFC 9051, 2.3.3), whole seconds.
    pub internal_date: Option<Timestamp>,
    /// UIDVALIDITY of the folder; 0 offline.
    pub uid_validity: u32,
    /// UID in the folder, or the place in the input, behind those of earlier runs.
    pub number: u64,
}

/// A mail's place in the order of tokens: the greater one holds the valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    /// The signed Date field.
    pub date: Timestamp,
    /// Orders mails of the same second.
    pub arrival: Arrival,
}
