//! Tokens grow old, and so does the audit trail: whoever keeps tokens is reminded, once for each token and step, and
//! records past their time are removed.
//!
//! Knows when a token is due and overdue. Never resets one. Ages come from the receipts in the ledger, limits from the
//! configuration.

use std::time::Duration;

use jiff::SignedDuration;

use super::follow::Told;
use super::pipeline::Pipeline;
use super::verifier::tried;
use crate::ingest::event::EventWord;
use crate::ledger::{Event, LedgerError, Plan, Record};
use crate::store::Key;

/// How often ages are looked at: they are counted in days.
const ROUND: Duration = Duration::from_secs(3600);

/// An account whose token must not grow older than this.
#[derive(Clone, Debug)]
pub struct Limit {
    /// The account.
    pub key: Key,
    /// The age at which its token is called old.
    pub max_age: SignedDuration,
}

/// The word for an age: `ok`, `due` from nine tenths of the limit, `overdue`, or `missing` where there is no token.
#[must_use]
pub fn age_state(age: Option<SignedDuration>, max_age: SignedDuration) -> &'static str {
    match age {
        None => "missing",
        Some(age) if age > max_age => "overdue",
        Some(age) if age > max_age / 10 * 9 => "due",
        Some(_) => "ok",
    }
}

impl Pipeline {
    /// Looks at ages now and every hour, for ever: at those of tokens, and of the audit trail.
    pub(super) async fn grow_old(self) {
        loop {
            for limit in self.limits.iter() {
                if let Err(error) = self.look_at_age(limit) {
                    tracing::warn!(hint = error.hint(), "{error}");
                }
            }
            self.prune_the_trail();
            tokio::time::sleep(ROUND).await;
        }
    }

    /// Retention. What is not as it was written is evidence, and stays.
    fn prune_the_trail(&self) {
        let now = (self.clock)();
        let Some(before) = self.keep.and_then(|keep| now.checked_sub(keep).ok()) else {
            return;
        };
        match self.ledger.prune(before, now) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old records of the audit trail are removed"),
            Err(error) => tracing::warn!(
                hint = error.hint(),
                "the audit trail is not pruned: {error}"
            ),
        }
    }

    /// Reminds of one token, if it is time and nobody did.
    pub(super) fn look_at_age(&self, limit: &Limit) -> Result<(), LedgerError> {
        let key = &limit.key;
        let receipts = self.ledger.receipts_of(&key.username)?;
        let mine = receipts
            .into_iter()
            .filter(|receipt| receipt.report.org == Some(key.org));
        let Some(newest) = mine.max_by_key(|receipt| receipt.report.date) else {
            return Ok(());
        };
        let (Some(date), Some(fingerprint)) = (newest.report.date, newest.report.fingerprint)
        else {
            return Ok(());
        };
        let now = (self.clock)();
        let age = now.duration_since(date);
        let event = match age_state(Some(age), limit.max_age) {
            "due" => EventWord::Due,
            "overdue" => EventWord::Overdue,
            _ => return Ok(()),
        };
        let word = match event {
            EventWord::Due => Event::Due,
            _ => Event::Overdue,
        };
        let days = age.as_hours() / 24;
        let record = Record {
            username: Some(key.username.clone()),
            org: Some(key.org),
            fingerprint: Some(fingerprint.clone()),
            slot: newest.slot.clone(),
            date: Some(date),
            detail: Some(format!("{days} days old")),
            ..Record::new(now, word)
        };
        let told = Told {
            fingerprint: Some(fingerprint.clone()),
            date: Some(date),
            slots: newest.slot.into_iter().collect(),
            age_seconds: Some(age.as_secs()),
            ..Told::of(key, event, now)
        };
        let plan = Plan {
            username: &key.username,
            org: key.org,
            event: event.as_str(),
            replaces: true,
            steps: &self.errands.steps(key, event),
            told: &|head| told.with(head).to_json(),
            at: now,
        };
        let (whose, state) = (tried(key, &fingerprint), event.as_str());
        if self.ledger.remind_once(whose, state, &record, &plan)? {
            self.errands.ring();
            let username = &key.username;
            tracing::warn!(username, state, days, "the token grows old: reset it");
        }
        Ok(())
    }
}
