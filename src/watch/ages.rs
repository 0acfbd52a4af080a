//! Tokens grow old: whoever keeps them is reminded, once for each token and step.
//!
//! Knows when a token is due and overdue. Never resets one. Ages come from the receipts in the ledger, limits from the
//! configuration.

use std::time::Duration;

use jiff::SignedDuration;

use super::errands::{Happened, Told};
use super::pipeline::Pipeline;
use super::verifier::tried;
use crate::ledger::LedgerError;
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
    /// Looks at ages now and every hour, for ever.
    pub(super) async fn remind(self, limits: Vec<Limit>) {
        loop {
            for limit in &limits {
                if let Err(error) = self.look_at_age(limit) {
                    tracing::warn!(hint = error.hint(), "{error}");
                }
            }
            tokio::time::sleep(ROUND).await;
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
            "due" => Happened::Due,
            "overdue" => Happened::Overdue,
            _ => return Ok(()),
        };
        let state = event.as_str();
        if !self
            .ledger
            .remind_once(tried(key, &fingerprint), state, now)?
        {
            return Ok(());
        }
        let (username, days) = (&key.username, age.as_hours() / 24);
        tracing::warn!(username, state, days, "the token grows old: reset it");
        self.announce(
            key,
            Told {
                fingerprint: Some(fingerprint),
                date: Some(date),
                slots: newest.slot.into_iter().collect(),
                age_seconds: Some(age.as_secs()),
                ..Told::of(key, event, now)
            },
        );
        Ok(())
    }
}
