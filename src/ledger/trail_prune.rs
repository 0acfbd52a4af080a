//! Retention: the oldest records go, and the trail says so.
//!
//! Knows the record through which a trail was cut, which the next record names. Never removes a record that
//! is newer than the caller said, and nothing from a trail that is not whole. Times come from the caller.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::record::{Event, Record};
use super::trail::{append, ends, link, number, problem};
use super::trail_check::Chain;
use super::{Ledger, LedgerError};

impl Ledger {
    /// Removes the oldest records, up to the first one that is not older than `before`, and appends a record
    /// of it, made at `now`; says how many were removed. With them go the decisions that they tell of,
    /// so `before` must be earlier than any mail that may still be looked at; of tokens that were stored,
    /// the decisions stay: they order mails of one second.
    ///
    /// # Errors
    /// When the ledger cannot be written, or the records to be removed are not as they were written: then
    /// they are evidence.
    pub fn prune(&self, before: Timestamp, now: Timestamp) -> Result<u64, LedgerError> {
        self.write(|ledger| prune(ledger, before, now))
    }
}

fn prune(ledger: &Transaction<'_>, before: Timestamp, now: Timestamp) -> rusqlite::Result<u64> {
    let base = ends(ledger)?
        .ok_or_else(|| problem("its audit trail has lost its end"))?
        .base;
    let through = ledger.query_row(
        "SELECT max(seq) FROM trail WHERE seq < coalesce(
            (SELECT min(seq) FROM trail WHERE at >= ?1), 9223372036854775807)",
        [before.as_microsecond()],
        |row| row.get::<_, Option<i64>>(0),
    )?;
    let Some(through) = through else {
        return Ok(0);
    };
    let mut chain = Chain { last: base };
    let mut count = 0;
    let ask = "SELECT seq, record, prev, hash FROM trail WHERE seq <= ?1 ORDER BY seq";
    let mut ask = ledger.prepare(ask)?;
    let mut rows = ask.query([through])?;
    while let Some(row) = rows.next()? {
        let whole = chain.follow(link(row)?);
        whole.map_err(|broken| problem(format!("its oldest records are kept: {broken}")))?;
        count += 1;
    }
    let last = chain.last;
    let cut = "UPDATE trail_ends SET base_seq = ?1, base_hash = ?2";
    ledger.execute(cut, params![number(last.seq), last.hash])?;
    ledger.execute("DELETE FROM trail WHERE seq <= ?1", [through])?;
    let forget = "DELETE FROM decisions WHERE trail <= ?1 AND outcome <> 'found'";
    ledger.execute(forget, [through])?;
    let pruned = Record {
        detail: Some(last.to_string()),
        ..Record::new(now, Event::Pruned)
    };
    append(ledger, &pruned)?;
    Ok(count)
}
