//! What is told: one event, free of secrets.
//!
//! Knows the shape (`schema/event.json` is held against it) and how an event gets its id. Never holds a token, and no text in
//! it looks like one. The facts come from whoever knows what happened.

use std::fmt::Write as _;

use jiff::Timestamp;
use ring::digest;
use serde::{Deserialize, Serialize, Serializer};

use crate::ingest::event::{EventWord, SCHEMA, whole_seconds};
use crate::ingest::policy::Org;
use crate::ingest::redact::redacted;
use crate::ingest::token::Fingerprint;

/// One thing that happened. Every key is always present in the JSON, `null` where it does not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The version of the shape.
    schema: u32,
    /// What happened.
    event: EventWord,
    /// The same in every try to deliver this event, and in no other event.
    id: String,
    /// When it happened.
    #[serde(serialize_with = "whole")]
    at: Timestamp,
    /// About what.
    #[serde(flatten)]
    facts: Facts,
}

/// About what an event is. What does not apply stays empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The Salesforce username.
    pub username: Option<String>,
    /// The kind of org.
    pub org: Option<Org>,
    /// The token's fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// The date of the mail that brought it.
    #[serde(with = "whole_seconds")]
    pub date: Option<Timestamp>,
    /// Where it is stored, as URLs free of secrets.
    pub slots: Vec<String>,
    /// Whether it logs in; `None` when nobody tried.
    pub verified: Option<bool>,
    /// Why something failed: a stable word.
    pub reason: Option<String>,
    /// The same as a sentence, for people.
    pub detail: Option<String>,
    /// How old the token is.
    pub age_days: Option<u64>,
    /// Where the audit trail has it.
    pub trail: Option<TrailEntry>,
}

/// An entry of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailEntry {
    /// Its number.
    pub seq: u64,
    /// Its hash, in hex.
    pub hash: String,
}

impl Event {
    /// An event. The same arguments give the same id. What looks like a token in the detail is left out: it may have come from
    /// any program or server.
    #[must_use]
    pub fn new(event: EventWord, at: Timestamp, facts: Facts) -> Self {
        let facts = Facts {
            detail: facts.detail.as_deref().map(redacted),
            ..facts
        };
        Self {
            schema: SCHEMA,
            event,
            id: id(event, at, &facts),
            at,
            facts,
        }
    }

    /// What happened.
    #[must_use]
    pub fn word(&self) -> EventWord {
        self.event
    }

    /// The same in every try to deliver this event, and in no other event.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it happened.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// About what it is.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The event in one line.
    ///
    /// # Errors
    /// Never in practice: all its keys are texts.
    pub fn json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// From all that tells two events apart, to the nanosecond. No dot: it stands between dots in a webhook's signature.
fn id(event: EventWord, at: Timestamp, facts: &Facts) -> String {
    let told = format!("{event:?}\n{}\n{facts:?}", at.as_nanosecond());
    let digest = digest::digest(&digest::SHA256, told.as_bytes());
    let mut id = "evt_".to_owned();
    for byte in &digest.as_ref()[..16] {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

fn whole<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(&format_args!("{at:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(username: &str, at: &str) -> Event {
        let facts = Facts {
            username: Some(username.to_owned()),
            ..Facts::default()
        };
        Event::new(EventWord::Stored, at.parse().unwrap(), facts)
    }

    #[test]
    fn an_id_is_of_one_event_only() {
        let one = event("a@acme.example", "2026-11-23T10:00:00.1Z");
        assert_eq!(
            one.id(),
            event("a@acme.example", "2026-11-23T10:00:00.1Z").id()
        );
        for other in [
            event("b@acme.example", "2026-11-23T10:00:00.1Z"),
            event("a@acme.example", "2026-11-23T10:00:00.2Z"),
            Event::new(EventWord::Due, one.at(), one.facts().clone()),
        ] {
            assert_ne!(one.id(), other.id());
        }
        assert!(
            !one.id().contains('.') && one.id().len() == 36,
            "{}",
            one.id()
        );
    }

    #[test]
    fn what_was_written_down_is_the_same_event() {
        let event = event("a@acme.example", "2026-11-23T10:00:00Z");
        let read: Event = serde_json::from_slice(&event.json().unwrap()).unwrap();
        assert_eq!(read, event);
    }

    #[test]
    fn what_looks_like_a_token_is_not_told() {
        let facts = Facts {
            detail: Some("kv refused AbCdEf0hIjKlMnOpQrStUvWx at /etc".to_owned()),
            ..Facts::default()
        };
        let json = Event::new(EventWord::Test, Timestamp::UNIX_EPOCH, facts)
            .json()
            .unwrap();
        let json = String::from_utf8(json).unwrap();
        assert!(
            !json.contains("AbCdEf0h") && json.contains("at /etc"),
            "{json}"
        );
    }
}
