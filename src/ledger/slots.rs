//! What is newest in each slot, and the receipts.
//!
//! Knows the newest proven mail of a slot and the last confirmed token. Never lets an older mail
//! replace a newer one, whichever process comes first. Receipts come from the loop, after reading
//! back.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;

use super::order::{Admit, Candidate, Newest, State, admit};
use super::{Ledger, LedgerError};
use crate::ingest::event::Receipt;
use crate::ingest::order::Rank;
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;

impl Ledger {
    /// The newest proven mail of a slot.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn newest(&self, slot: &str) -> Result<Option<Newest>, LedgerError> {
        self.read(|connection| newest(connection, slot))
    }

    /// The place of the next mail that comes from a file: behind those that hold a slot.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn next_place(&self) -> Result<u64, LedgerError> {
        let ranks: Vec<Rank> = self.read(|connection| {
            let mut ask = connection.prepare_cached("SELECT rank FROM slots")?;
            let rows = ask.query_map([], |row| parsed(row, 0))?;
            rows.collect()
        })?;
        let places = ranks
            .iter()
            .map(|rank| rank.arrival)
            .filter(|arrival| arrival.uid_validity == 0)
            .map(|arrival| arrival.number.saturating_add(1));
        Ok(places.max().unwrap_or(0))
    }

    /// Before the write: notes that this genuine mail was seen, unless a newer one was. Asking and
    /// noting are one transaction; the caller holds the slot's [lock](Ledger::lock) until
    /// [`commit`](Self::commit).
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn intend(&self, slot: &str, mail: &Candidate) -> Result<Admit, LedgerError> {
        self.write(|ledger| {
            let before = newest(ledger, slot)?;
            let admitted = admit(before.as_ref(), mail);
            if admitted != Admit::Write {
                return Ok(admitted);
            }
            let is_tie = before.is_some_and(|newest| newest.mail.rank.date == mail.rank.date);
            if is_tie && was_stored(ledger, slot, mail)? {
                return Ok(Admit::Superseded);
            }
            put(ledger, slot, mail)?;
            Ok(Admit::Write)
        })
    }

    /// After reading back: the newest mail's token is stored. Called again with the same token, it
    /// replaces the receipt, as after a verification. `false`: a newer mail was seen meanwhile, and
    /// the receipt is not kept.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn commit(&self, slot: &str, receipt: &Receipt) -> Result<bool, LedgerError> {
        let set = "UPDATE slots SET state = 'stored', username = ?2, receipt = ?3
            WHERE slot = ?1 AND fingerprint = ?4";
        let told = &receipt.report;
        let fingerprint = told.fingerprint.as_ref().map(Fingerprint::as_str);
        self.write(|ledger| {
            let text = json(receipt)?;
            let changed = ledger.execute(set, params![slot, told.username, text, fingerprint])?;
            Ok(changed == 1)
        })
    }

    /// The receipt of each slot, by username.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn receipts(&self) -> Result<Vec<Receipt>, LedgerError> {
        let ask = "SELECT receipt FROM slots WHERE receipt IS NOT NULL ORDER BY username, slot";
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let rows = ask.query_map([], |row| parsed(row, 0))?;
            rows.collect()
        })
    }

    /// The receipts of one username: usually one; several, when it was stored in several slots.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn receipts_of(&self, username: &str) -> Result<Vec<Receipt>, LedgerError> {
        let mut all = self.receipts()?;
        all.retain(|receipt| receipt.report.username.as_deref() == Some(username));
        Ok(all)
    }

    /// The receipt of a username that was stored last: which slot, and when.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn receipt(&self, username: &str) -> Result<Option<Receipt>, LedgerError> {
        let all = self.receipts_of(username)?;
        Ok(all.into_iter().max_by_key(|receipt| receipt.stored_at))
    }
}

fn newest(connection: &Connection, slot: &str) -> rusqlite::Result<Option<Newest>> {
    let ask =
        "SELECT rank, fingerprint, message_id, org, state, receipt FROM slots WHERE slot = ?1";
    let mut ask = connection.prepare_cached(ask)?;
    ask.query_row([slot], |row| {
        let fingerprint: String = row.get(1)?;
        let kind: String = row.get(3)?;
        let state: String = row.get(4)?;
        let receipt: Option<String> = row.get(5)?;
        Ok(Newest {
            mail: Candidate {
                rank: parsed(row, 0)?,
                fingerprint: Fingerprint::from_text(&fingerprint),
                message_id: row.get(2)?,
                org: org(&kind).ok_or_else(|| unreadable(3, "an unknown kind of org"))?,
            },
            state: match state.as_str() {
                "stored" => State::Stored,
                _ => State::Pending,
            },
            receipt: receipt.map(|_| parsed(row, 5)).transpose()?,
        })
    })
    .optional()
}

/// Whether this mail has had its turn in the slot. Of two mails of one second the later arrival wins;
/// a copy of the earlier one arrives later still, and must not.
fn was_stored(connection: &Connection, slot: &str, mail: &Candidate) -> rusqlite::Result<bool> {
    let ask = "SELECT EXISTS (SELECT 1 FROM decisions WHERE outcome = 'found' AND slot = ?1
        AND fingerprint = ?2 AND date = ?3 AND message_id IS ?4)";
    let values = params![
        slot,
        mail.fingerprint.as_str(),
        mail.rank.date.to_string(),
        mail.message_id,
    ];
    connection.query_row(ask, values, |row| row.get(0))
}

/// The last receipt stays: until the new token is confirmed, the store holds the one before.
fn put(connection: &Connection, slot: &str, mail: &Candidate) -> rusqlite::Result<()> {
    let put = "INSERT INTO slots (slot, rank, fingerprint, message_id, org, state)
        VALUES (?1, ?2, ?3, ?4, ?5, 'pending')
        ON CONFLICT DO UPDATE SET rank = excluded.rank, fingerprint = excluded.fingerprint,
            message_id = excluded.message_id, org = excluded.org, state = 'pending'";
    let values = params![
        slot,
        json(&mail.rank)?,
        mail.fingerprint.as_str(),
        mail.message_id,
        mail.org.as_str(),
    ];
    connection.execute(put, values).map(drop)
}

pub(super) fn org(word: &str) -> Option<Org> {
    [Org::Production, Org::Sandbox]
        .into_iter()
        .find(|org| org.as_str() == word)
}

fn json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    let text = serde_json::to_string(value);
    text.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error))
}

fn unreadable(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
