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
        let put = "INSERT INTO cursors (mailbox, folder, uid_validity, next_uid) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT DO UPDATE SET uid_validity = excluded.uid_validity, next_uid =
                CASE WHEN cursors.uid_validity = excluded.uid_validity
                     THEN max(cursors.next_uid, excluded.next_uid) ELSE excluded.next_uid END, mod_seq =
                CASE WHEN cursors.uid_validity = excluded.uid_validity THEN cursors.mod_seq END";
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

    /// HIGHESTMODSEQ of a folder, in this incarnation, when it was looked through last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn mod_seq(
        &self,
        mailbox: &str,
        folder: &str,
        uid_validity: u32,
    ) -> Result<Option<u64>, LedgerError> {
        let ask = "SELECT mod_seq FROM cursors
            WHERE mailbox = ?1 AND folder = ?2 AND uid_validity = ?3";
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let found: Option<Option<i64>> = ask
                .query_row(params![mailbox, folder, uid_validity], |row| row.get(0))
                .optional()?;
            Ok(found.flatten().and_then(|value| u64::try_from(value).ok()))
        })
    }

    /// Notes HIGHESTMODSEQ as the server tells it, also when it went back; without a cursor of this
    /// incarnation nothing is noted.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn set_mod_seq(
        &self,
        mailbox: &str,
        folder: &str,
        uid_validity: u32,
        mod_seq: u64,
    ) -> Result<(), LedgerError> {
        let put = "UPDATE cursors SET mod_seq = ?4
            WHERE mailbox = ?1 AND folder = ?2 AND uid_validity = ?3";
        // 63 bits (RFC 7162, 3.1.1), as SQLite's integers
        let mod_seq = i64::try_from(mod_seq).unwrap_or(i64::MAX);
        self.write(|ledger| {
            ledger.execute(put, params![mailbox, folder, uid_validity, mod_seq])?;
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
