//! Those who are told: programs, webhooks, desktops, as they are and at their worst.

mod child;
mod desktop;
mod examples;
mod program;
mod webhook;

use jiff::Timestamp;
use sftoken::ingest::policy::Org;
use sftoken::ingest::token::Token;
use sftoken::notify::{Event, EventWord, Facts, TrailEntry};

const USERNAME: &str = "integration@acme.example";

fn event() -> Event {
    let at: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    Event::new(EventWord::Stored, at, facts())
}

fn facts() -> Facts {
    Facts {
        username: Some(USERNAME.to_owned()),
        org: Some(Org::Production),
        fingerprint: Some(
            Token::new("abcdefghijklmnopqrstuvwx")
                .unwrap()
                .fingerprint(),
        ),
        date: Some("2026-11-23T09:59:58Z".parse().unwrap()),
        slots: vec![
            "keyring://sftoken/integration@acme.example".to_owned(),
            "age:/tokens/integration@acme.example".to_owned(),
        ],
        verified: Some(true),
        reason: None,
        detail: None,
        age_days: Some(0),
        trail: Some(TrailEntry {
            seq: 7,
            hash: "ab".repeat(32),
        }),
    }
}

/// An event that no pipe holds.
fn large() -> Event {
    let facts = Facts {
        detail: Some("long words ".repeat(20_000)),
        ..facts()
    };
    Event::new(EventWord::HookFailed, event().at(), facts)
}
