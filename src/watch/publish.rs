//! From a found token to a stored one, in the order that loses nothing.
//!
//! Knows lock, order, write, read back, record. Never knows where the mail came from. Blocks: it is
//! run off the async threads. Its tokens come from an examination, its order from the ledger.

use jiff::Timestamp;

use super::verdict::Trouble;
use crate::ingest::Found;
use crate::ingest::event::{Receipt, Report};
use crate::ingest::order::{Arrival, Rank};
use crate::ingest::refusal::Refusal;
use crate::ledger::{Admit, Candidate, Ledger};
use crate::store::{Key, Meta, Put, Store};

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
    store: &dyn Store,
    key: &Key,
    ledger: &Ledger,
    now: Timestamp,
) -> Result<Published, Trouble> {
    let slot = store.slot(key);
    let _alone = ledger.lock(&slot)?;
    match ledger.intend(&slot, &mail.candidate())? {
        Admit::Write | Admit::Retry => {
            let there = mail.elsewhere && holds(store, key, mail.found);
            // The store's own order goes beyond this machine's ledger: others may write there too.
            let refused = match if there {
                Put::Unchanged
            } else {
                write(store, key, mail)?
            } {
                Put::Written | Put::Unchanged => None,
                Put::Superseded => Some(Refusal::OlderThanCurrent),
                Put::OtherOrg => Some(Refusal::OrgMismatch),
            };
            if let Some(why) = refused {
                // it has answered: whatever kept it from that is over
                ledger.clear_slot_trouble(&slot)?;
                return Ok(Published::Kept(why));
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

impl Proven<'_> {
    /// As the ledger orders it.
    pub(super) fn candidate(&self) -> Candidate {
        Candidate {
            rank: rank(self),
            fingerprint: self.found.token.fingerprint(),
            message_id: self.report.message_id.clone(),
            org: self.found.org,
        }
    }
}

fn rank(mail: &Proven<'_>) -> Rank {
    Rank {
        date: mail.found.date,
        arrival: mail.arrival,
    }
}

/// Whether the store has this token already. One that cannot tell is written to: that is harmless.
fn holds(store: &dyn Store, key: &Key, found: &Found) -> bool {
    store.capabilities().readable
        && store
            .get(key)
            .is_ok_and(|held| held.is_some_and(|held| held == found.token))
}

fn write(store: &dyn Store, key: &Key, mail: &Proven<'_>) -> Result<Put, Trouble> {
    let meta = Meta {
        fingerprint: mail.found.token.fingerprint(),
        rank: rank(mail),
        message_id: mail.report.message_id.clone(),
        org: mail.found.org,
    };
    Ok(store.publish(key, &mail.found.token, &meta)?)
}
