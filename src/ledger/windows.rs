//! Resets that somebody announced: from when to when a mail is expected.
//!
//! Knows windows and whose they are. Never reads a clock, and never decides what a mail outside of them is
//! worth. Opened by `arm` and `wait`, asked by the loop.

use jiff::{SignedDuration, Timestamp};
use rusqlite::params;

use super::{Ledger, LedgerError};
use crate::ingest::policy::{Account, Org};

/// A window that closed is kept for as long as a mail of it may come late, be held open, or be replayed.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Ledger {
    /// Opens a window for each account; for any account, when none is named. The numbers are for
    /// [`close_windows`](Self::close_windows).
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn open_windows(
        &self,
        accounts: &[Account],
        opens: Timestamp,
        closes: Timestamp,
    ) -> Result<Vec<i64>, LedgerError> {
        let put = "INSERT INTO windows (username, org, opens, closes) VALUES (?1, ?2, ?3, ?4)";
        let whose: Vec<(Option<&str>, Option<Org>)> = match accounts {
            [] => vec![(None, None)],
            named => named
                .iter()
                .map(|account| (Some(account.username.as_str()), account.org))
                .collect(),
        };
        let forgotten = opens.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        self.write(|ledger| {
            ledger.execute(
                "DELETE FROM windows WHERE closes < ?1",
                [forgotten.as_second()],
            )?;
            let mut numbers = Vec::new();
            for (username, org) in &whose {
                let org = org.map(Org::as_str);
                let values = params![username, org, opens.as_second(), closes.as_second()];
                ledger.execute(put, values)?;
                numbers.push(ledger.last_insert_rowid());
            }
            Ok(numbers)
        })
    }

    /// Closes windows at a time, if they are not closed before.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn close_windows(&self, numbers: &[i64], at: Timestamp) -> Result<(), LedgerError> {
        let put = "UPDATE windows SET closes = max(opens, min(closes, ?2)) WHERE id = ?1";
        self.write(|ledger| {
            for number in numbers {
                ledger.execute(put, params![number, at.as_second()])?;
            }
            Ok(())
        })
    }

    /// Whether a mail of this account and signed Date was announced: by `skew` more or less, because clocks
    /// differ.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_announced(
        &self,
        username: &str,
        org: Org,
        date: Timestamp,
        skew: SignedDuration,
    ) -> Result<bool, LedgerError> {
        let ask = "SELECT EXISTS (SELECT 1 FROM windows
            WHERE (username IS NULL OR username = ?1) AND (org IS NULL OR org = ?2)
            AND opens - ?4 <= ?3 AND ?3 <= closes + ?4)";
        let values = params![username, org.as_str(), date.as_second(), skew.as_secs()];
        self.read(|connection| connection.query_row(ask, values, |row| row.get(0)))
    }
}
