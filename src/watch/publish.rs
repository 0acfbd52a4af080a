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

/// A proven mail with its token.
pub(super) struct Proven<'m> {
    pub(super) found: &'m Found,
    pub(super) report: &'m Report,
    pub(super) arrival: Arrival,
    /// Another watcher may have stored the token, perhaps in this very place.
    pub(super) elsewhere: bool,
}

/// Publishes a token: the slot is locked across processes while it is decided and written.
pub(super) fn publish(
    mail: &Proven<'_>,
    stores: &Stores,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<Published, Trouble> {
    let key = Key {
        username: mail.found.username.clone(),
        org: mail.found.org,
    };
    let store = stores.of(&key)?;
    let slot = store.slot(&key);
    let _alone = ledger.lock(&slot)?;
    match ledger.intend(&slot, &candidate(mail))? {
        Admit::Write | Admit::Retry => {
            if !(mail.elsewhere && holds(&*store, &key, mail.found)) {
                write(&*store, &key, mail)?;
            }
            let receipt = Receipt::stored(mail.report, &slot, now);
            ledger.commit(&slot, &receipt)?;
            Ok(Published::Stored(receipt))
        }
        Admit::AlreadyStored => {
            let newest = ledger.newest(&slot)?.and_then(|newest| newest.receipt);
            Ok(Published::Before(newest.unwrap_or_else(|| {
                Receipt::stored(mail.report, &slot, now)
            })))
        }
        Admit::Superseded => Ok(Published::Kept(Refusal::OlderThanCurrent)),
        Admit::OtherOrg => Ok(Published::Kept(Refusal::OrgMismatch)),
    }
}

fn candidate(mail: &Proven<'_>) -> Candidate {
    Candidate {
        rank: Rank {
            date: mail.found.date,
            arrival: mail.arrival,
        },
        fingerprint: mail.found.token.fingerprint(),
        message_id: mail.report.message_id.clone(),
        org: mail.found.org,
    }
}

/// Whether the store has this token already. One that cannot tell is written to: that is harmless.
fn holds(store: &dyn Store, key: &Key, found: &Found) -> bool {
    store.capabilities().readable
        && store
            .get(key)
            .is_ok_and(|held| held.is_some_and(|held| held == found.token))
}

fn write(store: &dyn Store, key: &Key, mail: &Proven<'_>) -> Result<(), Trouble> {
    let meta = Meta {
        fingerprint: mail.found.token.fingerprint(),
        date: mail.found.date,
        message_id: mail.report.message_id.clone(),
    };
    store.publish(key, &mail.found.token, &meta)?;
    Ok(())
}
