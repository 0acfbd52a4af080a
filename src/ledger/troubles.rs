//! Slots that do not take a token: since when, and why.
//!
//! Knows the last failure of each slot. Never tries again by itself, and never holds a token. Told by the loop,
//! shown by `status`.

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::slots::org;
use super::{Ledger, LedgerError};
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;

/// A slot that does not take the newest token of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotTrouble {
    /// The slot.
    pub slot: String,
    /// The Salesforce username.
    pub username: String,
    /// The kind of org.
    pub org: Org,
    /// The token's fingerprint.
    pub fingerprint: Fingerprint,
    /// The failure's stable word.
    pub kind: String,
    /// What happened: a clause.
    pub problem: String,
    /// Of the last try.
    pub at: Timestamp,
}

/// The same, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// The last failure.
    pub trouble: SlotTrouble,
    /// Of the first try.
    pub since: Timestamp,
    /// How often it was tried.
    pub tries: u32,
}

impl Ledger {
    /// Notes a try that failed; how many there were, with it.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note_slot_trouble(&self, trouble: &SlotTrouble) -> Result<u32, LedgerError> {
        let put = "INSERT INTO troubles (slot, username, org, fingerprint, kind, problem, since, at, tries)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 1)
            ON CONFLICT DO UPDATE SET username = excluded.username, org = excluded.org,
                fingerprint = excluded.fingerprint, kind = excluded.kind, problem = excluded.problem,
                at = excluded.at, tries = tries + 1
            RETURNING tries";
        self.write(|ledger| {
            ledger.query_row(
                put,
                params![
                    trouble.slot,
                    trouble.username,
                    trouble.org.as_str(),
                    trouble.fingerprint.as_str(),
                    trouble.kind,
                    trouble.problem,
                    trouble.at.to_string(),
                ],
                |row| row.get(0),
            )
        })
    }

    /// The slot is in no trouble any more.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn clear_slot_trouble(&self, slot: &str) -> Result<(), LedgerError> {
        self.write(|ledger| clear(ledger, slot))
    }

    /// The slots that are in trouble now.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn slot_troubles(&self) -> Result<Vec<Since>, LedgerError> {
        let ask =
            "SELECT slot, username, org, fingerprint, kind, problem, at, since, tries FROM troubles
            ORDER BY username, slot";
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let rows = ask.query_map([], |row| {
                let time = |column| {
                    let text: String = row.get(column)?;
                    Ok::<_, rusqlite::Error>(text.parse().unwrap_or(Timestamp::UNIX_EPOCH))
                };
                let kind: String = row.get(2)?;
                let fingerprint: String = row.get(3)?;
                let trouble = SlotTrouble {
                    slot: row.get(0)?,
                    username: row.get(1)?,
                    org: org(&kind).unwrap_or(Org::Production),
                    fingerprint: Fingerprint::from_text(&fingerprint),
                    kind: row.get(4)?,
                    problem: row.get(5)?,
                    at: time(6)?,
                };
                Ok(Since {
                    trouble,
                    since: time(7)?,
                    tries: row.get(8)?,
                })
            })?;
            rows.collect()
        })
    }
}

/// The slot has its token.
pub(super) fn clear(ledger: &Transaction<'_>, slot: &str) -> rusqlite::Result<()> {
    let mut remove = ledger.prepare_cached("DELETE FROM troubles WHERE slot = ?1")?;
    remove.execute([slot]).map(drop)
}
