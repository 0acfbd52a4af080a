//! What the audit trail holds: one record an event.
//!
//! Knows which events there are, what is told of each, and the text that is hashed. Never holds a
//! secret: a token is known by its fingerprint. Records come from the loop and from decisions.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::ser::Formatter;

use super::decisions::{Decision, Source};
use crate::ingest::event::OutcomeWord;
use crate::ingest::policy::Org;
use crate::ingest::refusal::Refusal;
use crate::ingest::token::Fingerprint;

macro_rules! events {
    ($($variant:ident $word:literal $sentence:literal;)*) => {
        /// What happened. The words are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Event {
            $(#[doc = $sentence] #[serde(rename = $word)] $variant,)*
        }

        impl Event {
            /// Every event.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word for machines.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What it means: a clause.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

events! {
    Stored "stored" "a genuine token is in its store, and was read back";
    Superseded "superseded" "a genuine token was not stored, because a newer one is there";
    Refused "refused" "a mail claimed to bring a token and was not believed";
    NotOurs "not_ours" "a token mail for an account that is not configured";
    Undecided "undecided" "it could not be told yet: the mail is kept";
    SetAside "set_aside" "a mail cannot be fetched, and is tried again every few hours";
    StoreFailed "store_failed" "a store did not take a genuine token: it is tried again";
    Armed "armed" "a reset was announced";
    Disarmed "disarmed" "an announced reset is over";
    Verified "verified" "the token logs in";
    NotVerified "not_verified" "the token does not log in";
    VerificationUnknown "verification_unknown" "it could not be told whether the token logs in";
    HookDone "hook_done" "a command that runs after a token was stored has ended well";
    HookFailed "hook_failed" "a command that runs after a token was stored has failed";
    WebhookDone "webhook_done" "a webhook was told";
    WebhookFailed "webhook_failed" "a webhook could not be told";
    Notified "notified" "a person was told";
    NotificationFailed "notification_failed" "a person could not be told";
    ConsumerOk "consumer_ok" "a consumer works with the token";
    ConsumerFailed "consumer_failed" "a consumer does not work with the token";
    Due "due" "a token will soon be too old";
    Overdue "overdue" "a token is too old";
    Pruned "pruned" "retention removed older records; `detail` is the last of them";
    TookOver "took_over" "the records before come from a ledger that had no trail yet";
}

/// One thing that happened. Free of secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// The Salesforce username.
    pub username: Option<String>,
    /// The kind of org.
    pub org: Option<Org>,
    /// The token's fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// Which mail.
    pub source: Option<Source>,
    /// The place in a store, as a URL free of secrets.
    pub slot: Option<String>,
    /// Why: a stable word.
    pub reason: Option<String>,
    /// More, for people: what failed, or which consumer. Never a secret.
    pub detail: Option<String>,
    /// The mail's Date field.
    pub date: Option<Timestamp>,
    /// The mail's Message-ID.
    pub message_id: Option<String>,
    /// SHA-256 of the whole mail in hex.
    pub body_hash: Option<String>,
}

impl Record {
    /// A record of which nothing but time and event is known; the rest is filled in.
    #[must_use]
    pub fn new(at: Timestamp, event: Event) -> Self {
        Self {
            at,
            event,
            username: None,
            org: None,
            fingerprint: None,
            source: None,
            slot: None,
            reason: None,
            detail: None,
            date: None,
            message_id: None,
            body_hash: None,
        }
    }

    /// The exact text that is hashed: JSON on one line, every key there, in ASCII, so that no
    /// encoding, terminal or editor changes it on its way.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        let mut out = Vec::with_capacity(512);
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Ascii))?;
        // nothing but ASCII was written
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// The decision that made it, if one could have.
    pub(super) fn decision(&self) -> Option<Decision> {
        Some(Decision {
            at: self.at,
            source: self.source.clone()?,
            outcome: self.event.outcome()?.as_str().to_owned(),
            reason: self.reason.clone(),
            username: self.username.clone(),
            org: self.org,
            fingerprint: self.fingerprint.clone(),
            date: self.date,
            message_id: self.message_id.clone(),
            body_hash: self.body_hash.clone(),
            more_to_come: false,
            slot: self.slot.clone(),
        })
    }
}

impl From<&Decision> for Record {
    fn from(decision: &Decision) -> Self {
        let event = Event::of(&decision.outcome, decision.reason.as_deref());
        Self {
            username: decision.username.clone(),
            org: decision.org,
            fingerprint: decision.fingerprint.clone(),
            source: Some(decision.source.clone()),
            slot: decision.slot.clone(),
            reason: decision.reason.clone(),
            date: decision.date,
            message_id: decision.message_id.clone(),
            body_hash: decision.body_hash.clone(),
            ..Self::new(decision.at, event)
        }
    }
}

impl Event {
    /// The event of a decision; an outcome that is no word of ours is not decided.
    fn of(outcome: &str, reason: Option<&str>) -> Self {
        let is_older = reason == Some(Refusal::OlderThanCurrent.kind());
        match (outcome, reason) {
            ("found", _) => Self::Stored,
            ("refused", _) if is_older => Self::Superseded,
            ("refused", _) => Self::Refused,
            ("not_ours", _) => Self::NotOurs,
            (_, Some("set_aside")) => Self::SetAside,
            // the words of a store's errors
            (_, Some(reason)) if reason.starts_with("store_") => Self::StoreFailed,
            _ => Self::Undecided,
        }
    }

    /// The outcome of the decisions that are such an event.
    fn outcome(self) -> Option<OutcomeWord> {
        match self {
            Self::Stored => Some(OutcomeWord::Found),
            Self::Superseded | Self::Refused => Some(OutcomeWord::Refused),
            Self::NotOurs => Some(OutcomeWord::NotOurs),
            Self::Undecided | Self::SetAside | Self::StoreFailed => Some(OutcomeWord::Undecided),
            _ => None,
        }
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// JSON in which each letter beyond ASCII, and DEL, is written as `\uXXXX`.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let plain = |letter: char| letter.is_ascii() && letter != '\u{7f}';
        for part in fragment.split_inclusive(|letter| !plain(letter)) {
            let letter = part.chars().next_back().filter(|&letter| !plain(letter));
            let odd = letter.map_or(0, char::len_utf8);
            out.write_all(&part.as_bytes()[..part.len() - odd])?;
            for unit in letter.into_iter().flat_map(utf16) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn utf16(letter: char) -> Vec<u16> {
    letter.encode_utf16(&mut [0; 2]).to_vec()
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
