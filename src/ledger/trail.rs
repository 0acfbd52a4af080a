//! The audit trail: a chain of records, each of which carries the hash of the one before.
//!
//! Knows how a record is chained and where the chain ends. Never changes a record, and never repairs a
//! chain: what somebody else did to it stays to be seen. Records come from the loop.
//!
//! ```text
//! hash = SHA-256(prev LF seq LF record)        prev = hash of the record before, 64 zeros at the start
//! ```

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use ring::digest::{Context, SHA256};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::decisions::all_in_order;
use super::record::{Event, Record};
use super::{Ledger, LedgerError};

/// A record's place in the chain, and its hash, which speaks for all before it. Written down
/// elsewhere, it is an anchor: [`Ledger::check_trail`] holds the chain against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailHead {
    /// The record's number, from 1; 0 before the first one.
    pub seq: u64,
    /// Its hash: 64 hex digits.
    pub hash: String,
}

/// The text is no `SEQ:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an anchor is a number, a colon and 64 hex digits")]
pub struct NotAnAnchor;

/// What is wrong with the trail itself, on its way through SQLite's errors.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct TrailProblem(pub(super) String);

impl TrailHead {
    /// Before the first record.
    #[must_use]
    pub fn start() -> Self {
        Self {
            seq: 0,
            hash: "0".repeat(64),
        }
    }
}

impl fmt::Display for TrailHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for TrailHead {
    type Err = NotAnAnchor;

    fn from_str(text: &str) -> Result<Self, NotAnAnchor> {
        let (seq, hash) = text.trim().split_once(':').ok_or(NotAnAnchor)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        let seq = seq.parse().ok().filter(|_| is_hash && is_number);
        Ok(Self {
            seq: seq.ok_or(NotAnAnchor)?,
            hash: hash.to_ascii_lowercase(),
        })
    }
}

impl Ledger {
    /// Appends a record to the audit trail; gives the trail's new head.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn note(&self, record: &Record) -> Result<TrailHead, LedgerError> {
        self.write(|ledger| append(ledger, record))
    }

    /// The newest record's place and hash, to be written down where nobody of this machine can change
    /// it; an empty trail has [`TrailHead::start`].
    ///
    /// # Errors
    /// When the ledger cannot be read, or has lost the end of its trail.
    pub fn trail_head(&self) -> Result<TrailHead, LedgerError> {
        self.read(|connection| Ok(known_ends(connection)?.head))
    }
}

/// What is known beside the chain itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    /// The last record that retention removed.
    pub(super) base: TrailHead,
    /// The last record.
    pub(super) head: TrailHead,
}

/// A record as it stands in the file.
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) record: String,
    pub(super) prev: String,
    pub(super) hash: String,
}

/// The trail's head, within a transaction.
pub(super) fn head(ledger: &Connection) -> rusqlite::Result<TrailHead> {
    Ok(known_ends(ledger)?.head)
}

/// Chains one more record to the last one.
pub(super) fn append(ledger: &Transaction<'_>, record: &Record) -> rusqlite::Result<TrailHead> {
    let before = known_ends(ledger)?.head;
    // NOTE: not the head's number plus one: behind records that somebody cut off, a gap must stay.
    let given = counted(ledger)?.max(newest_seq(ledger)?);
    let seq = given.max(before.seq) + 1;
    let text = record.text().map_err(|error| {
        rusqlite::Error::ToSqlConversionFailure(Box::new(TrailProblem(error.to_string())))
    })?;
    let head = TrailHead {
        hash: link_hash(&before.hash, seq, &text),
        seq,
    };
    let put = "INSERT INTO trail VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    ledger.prepare_cached(put)?.execute(params![
        number(seq),
        record.at.as_microsecond(),
        record.event.as_str(),
        record.username,
        text,
        before.hash,
        head.hash,
    ])?;
    let set = "UPDATE trail_ends SET head_seq = ?1, head_hash = ?2";
    let mut set = ledger.prepare_cached(set)?;
    set.execute(params![number(seq), head.hash])?;
    Ok(head)
}

/// The schema's step to the trail: what was decided before is taken over, in its order. The ledger reads
/// no clock: the last record says when the newest of these decisions was made.
pub(super) fn take_over(ledger: &Transaction<'_>, version: u32) -> rusqlite::Result<()> {
    let decisions = all_in_order(ledger)?;
    let Some((_, newest)) = decisions.last() else {
        return Ok(());
    };
    let took_over = Record {
        detail: Some(format!(
            "{} decisions of schema version {version}",
            decisions.len()
        )),
        ..Record::new(newest.at, Event::TookOver)
    };
    let mut link = ledger.prepare("UPDATE decisions SET trail = ?2 WHERE id = ?1")?;
    for (id, decision) in &decisions {
        let head = append(ledger, &decision.into())?;
        link.execute(params![id, number(head.seq)])?;
    }
    append(ledger, &took_over).map(drop)
}

pub(super) fn link_hash(prev: &str, seq: u64, record: &str) -> String {
    let mut context = Context::new(&SHA256);
    context.update(prev.as_bytes());
    context.update(format!("\n{seq}\n").as_bytes());
    context.update(record.as_bytes());
    let mut text = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // writing to a String cannot fail
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(super) fn ends(connection: &Connection) -> rusqlite::Result<Option<Ends>> {
    let ask = "SELECT base_seq, base_hash, head_seq, head_hash FROM trail_ends";
    let mut ask = connection.prepare_cached(ask)?;
    ask.query_row([], |row| {
        let end = |column: usize| {
            Ok::<_, rusqlite::Error>(TrailHead {
                seq: unsigned(row, column)?,
                hash: row.get(column + 1)?,
            })
        };
        Ok(Ends {
            base: end(0)?,
            head: end(2)?,
        })
    })
    .optional()
}

fn known_ends(connection: &Connection) -> rusqlite::Result<Ends> {
    ends(connection)?.ok_or_else(|| problem("its audit trail has lost its end"))
}

/// The greatest number that SQLite has ever given to a record, by its own count.
pub(super) fn counted(connection: &Connection) -> rusqlite::Result<u64> {
    let ask = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'trail'";
    let mut ask = connection.prepare_cached(ask)?;
    ask.query_row([], |row| unsigned(row, 0))
}

fn newest_seq(connection: &Connection) -> rusqlite::Result<u64> {
    let mut ask = connection.prepare_cached("SELECT coalesce(max(seq), 0) FROM trail")?;
    ask.query_row([], |row| unsigned(row, 0))
}

pub(super) fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        seq: unsigned(row, 0)?,
        record: row.get(1)?,
        prev: row.get(2)?,
        hash: row.get(3)?,
    })
}

/// SQLite has 63 bits; no trail comes near.
pub(super) fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A negative number is none of ours: it counts as 0, which no record has.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    Ok(u64::try_from(value).unwrap_or(0))
}

pub(super) fn problem(text: impl Into<String>) -> rusqlite::Error {
    let told = Box::new(TrailProblem(text.into()));
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, told)
}
