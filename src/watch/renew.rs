//! Slots that no longer fit the configuration, though their tokens are right.
//!
//! Knows which slots hold a token, by the ledger. Never changes a token, and never waits for a slot that
//! is being written. Called before mails are processed.

use super::pipeline::Pipeline;
use crate::ingest::event::Receipt;
use crate::store::Key;

impl Pipeline {
    /// Lets each store bring its slots up to what is configured now ([`Store::renew`](crate::store::Store::renew)).
    /// What cannot be done is told in the log: a new token goes where it should all the same. Blocks.
    pub fn renew_slots(&self) {
        match self.ledger.receipts() {
            Ok(receipts) => receipts.iter().for_each(|receipt| self.renew_slot(receipt)),
            Err(error) => tracing::warn!(hint = error.hint(), "{error}"),
        }
    }

    fn renew_slot(&self, receipt: &Receipt) {
        let report = &receipt.report;
        let (Some(slot), Some(username), Some(org)) = (&receipt.slot, &report.username, report.org)
        else {
            return;
        };
        let key = Key {
            username: username.clone(),
            org,
        };
        let stores = self.stores.of(&key).unwrap_or_default();
        let Some(store) = stores.iter().find(|store| store.slot(&key) == *slot) else {
            return;
        };
        // whoever holds the lock writes a new token, and by today's configuration
        let _alone = match self.ledger.try_lock(slot) {
            Ok(Some(lock)) => lock,
            Ok(None) => return,
            Err(error) => return tracing::warn!(hint = error.hint(), "{error}"),
        };
        match store.renew(&key) {
            Ok(true) => tracing::info!(slot, username, "stored anew as configured now"),
            Ok(false) => {}
            Err(error) => tracing::warn!(slot, hint = error.hint(), "{error}"),
        }
    }
}
