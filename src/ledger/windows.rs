//! Resets that somebody announced: from when to when a mail is expected.
//!
//! Knows windows and whose they are. Never reads a clock, and never decides what a mail outside of them is
//! worth. Opened by `arm` and `wait`, asked by the loop.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::record::{Event, Record};
use super::slots::org;
use super::trail::append;
use super::{Ledger, LedgerError};
use crate::ingest::policy::{Account, Org};

/// A window that closed is kept for as long as a mail of it may come late, be held open, or be replayed.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Not worth a record: less than what the loop allows for clocks that differ.
const NEARLY: SignedDuration = SignedDuration::from_mins(1);

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
        now: Timestamp,
    ) -> Result<Vec<i64>, LedgerError> {
        let put = "INSERT INTO windows (username, org, opens, closes) VALUES (?1, ?2, ?3, ?4)";
        let whose: Vec<(Option<&str>, Option<Org>)> = match accounts {
            [] => vec![(None, None)],
            named => named
                .iter()
                .map(|account| (Some(account.username.as_str()), account.org))
                .collect(),
        };
        let forgotten = now.checked_sub(KEPT).unwrap_or(Timestamp::UNIX_EPOCH);
        self.write(|ledger| {
            ledger.execute(
                "DELETE FROM windows WHERE closes < ?1",
                [forgotten.as_second()],
            )?;
            let mut numbers = Vec::new();
            for (username, org_of) in &whose {
                let org = org_of.map(Org::as_str);
                let values = params![username, org, opens.as_second(), closes.as_second()];
                ledger.execute(put, values)?;
                numbers.push(ledger.last_insert_rowid());
                append(
                    ledger,
                    &Record {
                        username: username.map(str::to_owned),
                        org: *org_of,
                        detail: Some(format!("until {closes:.0}")),
                        ..Record::new(now, Event::Armed)
                    },
                )?;
            }
            Ok(numbers)
        })
    }

    /// Keeps windows open until a later time; one that lasts nearly as long stays as it is.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn extend_windows(
        &self,
        numbers: &[i64],
        closes: Timestamp,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let put = "UPDATE windows SET closes = ?2 WHERE id = ?1 AND closes + ?3 < ?2
            RETURNING username, org";
        self.write(|ledger| {
            for number in numbers {
                let values = params![number, closes.as_second(), NEARLY.as_secs()];
                let extended = ledger.query_row(put, values, |row| {
                    Ok((row.get(0)?, row.get::<_, Option<String>>(1)?))
                });
                if let Some((username, kind)) = extended.optional()? {
                    let record = Record {
                        username,
                        org: kind.as_deref().and_then(org),
                        detail: Some(format!("until {closes:.0}")),
                        ..Record::new(now, Event::Armed)
                    };
                    append(ledger, &record)?;
                }
            }
            Ok(())
        })
    }

    /// Closes windows at a time, if they are not closed before.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn close_windows(&self, numbers: &[i64], at: Timestamp) -> Result<(), LedgerError> {
        let put = "UPDATE windows SET closes = max(opens, min(closes, ?2)) WHERE id = ?1
            RETURNING username, org";
        self.write(|ledger| {
            for number in numbers {
                let values = params![number, at.as_second()];
                let closed = ledger.query_row(put, values, |row| {
                    Ok((row.get(0)?, row.get::<_, Option<String>>(1)?))
                });
                if let Some((username, kind)) = closed.optional()? {
                    let record = Record {
                        username,
                        org: kind.as_deref().and_then(org),
                        ..Record::new(at, Event::Disarmed)
                    };
                    append(ledger, &record)?;
                }
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
