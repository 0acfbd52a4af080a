//! The audit trail, read again.
//!
//! Knows which records are wanted, and reads them in pages. Never loads the whole trail, and never
//! follows a trail that grows meanwhile: it ends where it ended at the first question. Filters come
//! from the caller.

use std::collections::VecDeque;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::record::{Event, Record};
use super::trail::{Link, link, number, problem, unsigned};
use super::{Ledger, LedgerError};

/// Records that are read at once.
const PAGE: i64 = 256;

/// Which records are wanted. The default is all of them, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those about this username.
    pub username: Option<String>,
    /// Only those of this time or later.
    pub since: Option<Timestamp>,
    /// Only those before this time.
    pub until: Option<Timestamp>,
    /// Only these events; empty: all.
    pub events: Vec<Event>,
    /// Of those that fit, only the newest so many.
    pub limit: Option<u64>,
    /// In which order they come.
    pub order: Order,
}

/// In which order records come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they were appended.
    #[default]
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// A record in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// What it says.
    pub record: Record,
    /// The exact text that is hashed.
    pub text: String,
    /// The hash of the record before.
    pub prev: String,
    /// Its own hash.
    pub hash: String,
}

/// The records that fit a filter. After an error it ends.
#[derive(Debug)]
pub struct Trail<'l> {
    ledger: &'l Ledger,
    filter: Filter,
    events: String,
    /// The numbers that are still to be read: from, through.
    left: (u64, u64),
    page: VecDeque<Entry>,
}

impl Ledger {
    /// The records that fit. They are not checked: that is [`check_trail`](Self::check_trail).
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn trail(&self, filter: &Filter) -> Result<Trail<'_>, LedgerError> {
        let words: Vec<&str> = filter.events.iter().map(|event| event.as_str()).collect();
        let mut trail = Trail {
            ledger: self,
            filter: filter.clone(),
            events: serde_json::Value::from(words).to_string(),
            left: (0, 0),
            page: VecDeque::new(),
        };
        trail.left = self.read(|connection| trail.bounds(connection))?;
        Ok(trail)
    }
}

/// What a filter asks for; the order of the marks is that of `Trail::page`.
const FITS: &str = "seq BETWEEN ?1 AND ?2 AND (?3 IS NULL OR username = ?3)
    AND at >= ?4 AND at < ?5 AND (?6 = '[]' OR event IN (SELECT value FROM json_each(?6)))";

impl Trail<'_> {
    /// The numbers of the first and the last record that fit, as things are now.
    fn bounds(&self, connection: &Connection) -> rusqlite::Result<(u64, u64)> {
        let ask = format!(
            "SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM
            (SELECT seq FROM trail WHERE {FITS} ORDER BY seq DESC LIMIT ?7)"
        );
        let (since, until) = self.times();
        let limit = self.filter.limit.map_or(-1, number); // -1: no limit
        let username = &self.filter.username;
        let values = params![0, i64::MAX, username, since, until, self.events, limit];
        connection.query_row(&ask, values, |row| {
            Ok((unsigned(row, 0)?, unsigned(row, 1)?))
        })
    }

    fn times(&self) -> (i64, i64) {
        let since = self.filter.since.map_or(i64::MIN, rounded_up);
        let until = self.filter.until.map_or(i64::MAX, rounded_up);
        (since, until)
    }

    fn read_page(&mut self) -> Result<(), LedgerError> {
        let (from, through) = self.left;
        let way = match self.filter.order {
            Order::OldestFirst => "ASC",
            Order::NewestFirst => "DESC",
        };
        let ask = format!(
            "SELECT seq, record, prev, hash FROM trail WHERE {FITS} ORDER BY seq {way} LIMIT ?7"
        );
        let (since, until) = self.times();
        self.page = self.ledger.read(|connection| {
            let mut ask = connection.prepare_cached(&ask)?;
            let username = &self.filter.username;
            let (from, through) = (number(from), number(through));
            let values = params![from, through, username, since, until, self.events, PAGE];
            ask.query_map(values, entry)?.collect()
        })?;
        self.left = match (self.page.back(), self.filter.order) {
            (None, _) => (1, 0),
            (Some(last), Order::OldestFirst) => (last.seq + 1, through),
            (Some(last), Order::NewestFirst) => (from, last.seq.saturating_sub(1)),
        };
        Ok(())
    }
}

impl Iterator for Trail<'_> {
    type Item = Result<Entry, LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (from, through) = self.left;
        if self.page.is_empty()
            && from <= through
            && let Err(error) = self.read_page()
        {
            self.left = (1, 0);
            return Some(Err(error));
        }
        self.page.pop_front().map(Ok)
    }
}

/// A record's time is kept in whole microseconds: one that is less than the bound lies below.
fn rounded_up(time: Timestamp) -> i64 {
    let whole = time.as_microsecond();
    let rest = time.as_nanosecond() - i128::from(whole) * 1_000;
    whole + i64::from(rest > 0)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let link: Link = link(row)?;
    let record = serde_json::from_str(&link.record);
    let seq = link.seq;
    Ok(Entry {
        seq,
        record: record.map_err(|_| problem(format!("record {seq} cannot be read")))?,
        text: link.record,
        prev: link.prev,
        hash: link.hash,
    })
}
