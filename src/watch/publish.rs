//! From a found token to a stored one, in the order that loses nothing.
//!
//! Knows lock, order, write, read back, record. Never knows where the mail came from. Blocks: it is
//! run off the async threads. Its tokens come from an examination, its order from the ledger.

use jiff::Timestamp;

use super::stores::Stores;
use super::verdict::Trouble;
use crate::ingest::Found;
use crate::ingest::event::{Receipt, Report};
use crate::ingest::order::{Arrival, Rank};
use crate::ingest::refusal::Refusal;
use crate::ledger::{Admit, Candidate, Ledger};
use crate::store::{Key, Meta, Store};

/// How a found token fared.
#[derive(Debug)]
pub(super) enum Published {
    /// Written, read back, recorded.
    Stored(Receipt),
    /// This very mail has brought it before: nothing was written.
    Before(Receipt),
    /// The slot holds something that it must not replace.
    Kept(Refusal),
}

/// Publishes a token: the slot is locked across processes while it is decided and written.
pub(super) fn publish(
    found: &Found,
    report: &Report,
    arrival: Arrival,
    stores: &Stores,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<Published, Trouble> {
    let key = Key {
        username: found.username.clone(),
        org: found.org,
    };
    let store = stores.of(&key)?;
    let slot = store.slot(&key);
    let _alone = ledger.lock(&slot)?;
    let candidate = candidate(found, report, arrival);
    match ledger.intend(&slot, &candidate)? {
        Admit::Write | Admit::Retry => {
            let receipt = write(&*store, &key, found, report, &slot, now)?;
            ledger.commit(&slot, &receipt)?;
            Ok(Published::Stored(receipt))
        }
        Admit::AlreadyStored => {
            let newest = ledger.newest(&slot)?.and_then(|newest| newest.receipt);
            Ok(Published::Before(
                newest.unwrap_or_else(|| Receipt::stored(report, &slot, now)),
            ))
        }
        Admit::Superseded => Ok(Published::Kept(Refusal::OlderThanCurrent)),
        Admit::OtherOrg => Ok(Published::Kept(Refusal::OrgMismatch)),
    }
}

fn candidate(found: &Found, report: &Report, arrival: Arrival) -> Candidate {
    Candidate {
        rank: Rank {
            date: found.date,
            arrival,
        },
        fingerprint: found.token.fingerprint(),
        message_id: report.message_id.clone(),
        org: found.org,
    }
}

fn write(
    store: &dyn Store,
    key: &Key,
    found: &Found,
    report: &Report,
    slot: &str,
    now: Timestamp,
) -> Result<Receipt, Trouble> {
    let meta = Meta {
        fingerprint: found.token.fingerprint(),
        date: found.date,
        message_id: report.message_id.clone(),
    };
    store.publish(key, &found.token, &meta)?;
    Ok(Receipt::stored(report, slot, now))
}
