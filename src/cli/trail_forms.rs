//! The audit trail for machines: JSON Lines, and CSV for spreadsheets.
//!
//! Knows the keys and columns (`schema/history.json` is held against them). Never loses what the chain is
//! recomputed from: `seq`, `prev` and `record` as they are. Records come from the ledger.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::render::escape;
use crate::ingest::event::SCHEMA;
use crate::ingest::policy::Org;
use crate::ledger::{Entry, Event, Source};

/// One record, as `history --json` prints it. Every key is always present.
#[derive(Debug, Serialize)]
pub(crate) struct JsonLine<'e> {
    schema: u32,
    seq: u64,
    at: Timestamp,
    event: Event,
    username: Option<&'e str>,
    org: Option<Org>,
    fingerprint: Option<&'e str>,
    source: Option<&'e Source>,
    slot: Option<&'e str>,
    reason: Option<&'e str>,
    detail: Option<&'e str>,
    date: Option<Timestamp>,
    message_id: Option<&'e str>,
    body_hash: Option<&'e str>,
    prev: &'e str,
    hash: &'e str,
    record: &'e str,
}

impl<'e> JsonLine<'e> {
    pub(crate) fn new(entry: &'e Entry) -> Self {
        let record = &entry.record;
        Self {
            schema: SCHEMA,
            seq: entry.seq,
            at: record.at,
            event: record.event,
            username: record.username.as_deref(),
            org: record.org,
            fingerprint: record.fingerprint.as_ref().map(|print| print.as_str()),
            source: record.source.as_ref(),
            slot: record.slot.as_deref(),
            reason: record.reason.as_deref(),
            detail: record.detail.as_deref(),
            date: record.date,
            message_id: record.message_id.as_deref(),
            body_hash: record.body_hash.as_deref(),
            prev: &entry.prev,
            hash: &entry.hash,
            record: &entry.text,
        }
    }
}

/// The columns, in the order of the JSON's keys.
const COLUMNS: [&str; 16] = [
    "seq",
    "at",
    "event",
    "username",
    "org",
    "fingerprint",
    "source",
    "slot",
    "reason",
    "detail",
    "date",
    "message_id",
    "body_hash",
    "prev",
    "hash",
    "record",
];

/// RFC 4180: a header line, lines that end in CR LF, quotes where a cell needs them.
pub(crate) struct CsvLines<W: Write>(csv::Writer<W>);

impl<W: Write> CsvLines<W> {
    /// The header line.
    pub(crate) fn begin(out: W) -> io::Result<Self> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        writer.write_record(COLUMNS)?;
        Ok(Self(writer))
    }

    /// One record.
    pub(crate) fn line(&mut self, entry: &Entry) -> io::Result<()> {
        let record = &entry.record;
        let time = |time: Timestamp| time.to_string();
        let cells = [
            Some(entry.seq.to_string()),
            Some(time(record.at)),
            Some(record.event.as_str().to_owned()),
            record.username.clone(),
            record.org.map(|org| org.as_str().to_owned()),
            record.fingerprint.as_ref().map(ToString::to_string),
            record.source.as_ref().map(ToString::to_string),
            record.slot.clone(),
            record.reason.clone(),
            record.detail.clone(),
            record.date.map(time),
            record.message_id.clone(),
            record.body_hash.clone(),
            Some(entry.prev.clone()),
            Some(entry.hash.clone()),
            Some(entry.text.clone()),
        ];
        let cells = cells.map(|cell| cell.map_or_else(String::new, |text| guarded(&text)));
        Ok(self.0.write_record(cells)?)
    }

    /// Everything is written.
    pub(crate) fn end(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A cell that no spreadsheet takes for a formula: an apostrophe in front says that it is text. What could
/// move a cursor or hide is shown as on a terminal; `record` holds it as it was.
fn guarded(text: &str) -> String {
    let safe = escape(text);
    // spreadsheets skip white space in front, and some take full-width signs as well
    let begins = safe.trim_start().chars().next();
    let formula = begins.is_some_and(|letter| "=+-@|%＝＋－＠".contains(letter));
    if formula {
        format!("'{safe}")
    } else {
        safe.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expected) in [
            ("integration@acme.example", "integration@acme.example"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@sum", "'@sum"),
            (" =1", "' =1"),
            ("\t=1", "\\t=1"),
            ("\u{200b}=1", "\\u{200b}=1"),
            ("＝1", "'＝1"),
            ("", ""),
            ("{\"at\":", "{\"at\":"),
        ] {
            assert_eq!(guarded(cell), expected);
        }
    }
}
