//! Which mails this machine has claimed on a server.
//!
//! Knows a mail and its modification sequence right after the claim: while that has not changed, the
//! claim is ours, also after a crash. Never knows what a claim looks like. Values come from the loop.

use rusqlite::{OptionalExtension as _, params};

use super::{Ledger, LedgerError, Source};

impl Ledger {
    /// Notes a claim.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn claimed(&self, mail: &Source, mod_seq: u64) -> Result<(), LedgerError> {
        let Some((mailbox, folder, uid_validity, uid)) = in_mailbox(mail) else {
            return Ok(());
        };
        let put = "INSERT OR REPLACE INTO claims VALUES (?1, ?2, ?3, ?4, ?5)";
        // RFC 7162 has 63 bits
        let mod_seq = i64::try_from(mod_seq).unwrap_or(i64::MAX);
        self.write(|ledger| {
            ledger.execute(put, params![mailbox, folder, uid_validity, uid, mod_seq])?;
            Ok(())
        })
    }

    /// The modification sequence of the claim that was noted last.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn claim(&self, mail: &Source) -> Result<Option<u64>, LedgerError> {
        let Some((mailbox, folder, uid_validity, uid)) = in_mailbox(mail) else {
            return Ok(None);
        };
        let ask = "SELECT mod_seq FROM claims WHERE mailbox = ?1 AND folder = ?2
            AND uid_validity = ?3 AND uid = ?4";
        let found: Option<i64> = self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let values = params![mailbox, folder, uid_validity, uid];
            ask.query_row(values, |row| row.get(0)).optional()
        })?;
        Ok(found.and_then(|mod_seq| u64::try_from(mod_seq).ok()))
    }

    /// Forgets a claim: it was released, or the mail is dealt with.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn unclaimed(&self, mail: &Source) -> Result<(), LedgerError> {
        let Some((mailbox, folder, uid_validity, uid)) = in_mailbox(mail) else {
            return Ok(());
        };
        let remove = "DELETE FROM claims WHERE mailbox = ?1 AND folder = ?2
            AND uid_validity = ?3 AND uid = ?4";
        self.write(|ledger| {
            ledger.execute(remove, params![mailbox, folder, uid_validity, uid])?;
            Ok(())
        })
    }
}

fn in_mailbox(mail: &Source) -> Option<(&str, &str, u32, u32)> {
    match mail {
        Source::Mailbox {
            mailbox,
            folder,
            uid_validity,
            uid,
        } => Some((mailbox, folder, *uid_validity, *uid)),
        Source::File { .. } => None,
    }
}
