//! How far each folder was read, and when it last answered.
//!
//! Knows UIDVALIDITY and the next UID (RFC 9051, 2.3.1.1). Never moves a cursor back within one
//! UIDVALIDITY, unless the folder itself went back: a process that lags behind changes nothing. Values
//! come from the inbox.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Ledger, LedgerError};

impl Ledger {
    /// UIDVALIDITY and the first UID that was not looked at yet.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn cursor(&self, mailbox: &str, folder: &str) -> Result<Option<(u32, u32)>, LedgerError> {
        let ask = "SELECT uid_validity, next_uid FROM cursors WHERE mailbox = ?1 AND folder = ?2";
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            ask.query_row([mailbox, folder], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        })
    }

    /// Moves the cursor forward; within one UIDVALIDITY never back.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn set_cursor(
        &self,
        mailbox: &str,
        folder: &str,
        uid_validity: u32,
        next_uid: u32,
    ) -> Result<(), LedgerError> {
        let put = "INSERT INTO cursors VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET uid_validity = excluded.uid_validity, next_uid =
                CASE WHEN cursors.uid_validity = excluded.uid_validity
                     THEN max(cursors.next_uid, excluded.next_uid) ELSE excluded.next_uid END";
        self.write(|ledger| {
            ledger.execute(put, params![mailbox, folder, uid_validity, next_uid])?;
            Ok(())
        })
    }

    /// Moves the cursor back, because the folder went back: the server's UIDNEXT is below it. A cursor that
    /// stayed would pass over the mails that come up to it.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn move_cursor_back(
        &self,
        mailbox: &str,
        folder: &str,
        uid_validity: u32,
        next_uid: u32,
    ) -> Result<(), LedgerError> {
        let put = "UPDATE cursors SET next_uid = min(next_uid, ?4)
            WHERE mailbox = ?1 AND folder = ?2 AND uid_validity = ?3";
        self.write(|ledger| {
            ledger.execute(put, params![mailbox, folder, uid_validity, next_uid])?;
            Ok(())
        })
    }

    /// Notes when folders, by mailbox and folder, answered; an earlier time changes nothing.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn contacts_seen(
        &self,
        seen: &BTreeMap<(String, String), Timestamp>,
    ) -> Result<(), LedgerError> {
        if seen.is_empty() {
            return Ok(());
        }
        let put = "INSERT INTO contacts VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET at = max(contacts.at, excluded.at)";
        self.write(|ledger| {
            let mut put = ledger.prepare_cached(put)?;
            for ((mailbox, folder), at) in seen {
                put.execute(params![mailbox, folder, at.as_second()])?;
            }
            Ok(())
        })
    }

    /// Mailbox, folder and when it last answered, in this order.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn contacts(&self) -> Result<Vec<(String, String, Timestamp)>, LedgerError> {
        let ask = "SELECT mailbox, folder, at FROM contacts ORDER BY mailbox, folder";
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let rows = ask.query_map([], |row| {
                let at = Timestamp::from_second(row.get(2)?).unwrap_or(Timestamp::MIN);
                Ok((row.get(0)?, row.get(1)?, at))
            })?;
            rows.collect()
        })
    }
}
