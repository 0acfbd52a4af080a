//! Is the audit trail what was written?
//!
//! Knows the chain from its base to its head, and what else must agree with it. Never repairs, and never
//! calls a trail whole that it could not read. Anchors come from whoever wrote a head down earlier.
//!
//! ```text
//! base ─► record ─► record ─► … ─► head        each: number, hash, link, text, columns
//!   └ named by the last `pruned` record          └ the end's row, SQLite's count of numbers, the anchor
//! ```

use rusqlite::{Connection, Row};

use super::Ledger;
use super::decisions::{COLUMNS, values};
use super::record::{Event, Record};
use super::trail::{Link, TrailHead, counted, ends, link, link_hash, unsigned};
use super::trail_broken::Broken;

/// A trail that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many records there are.
    pub records: u64,
    /// The last one that retention removed.
    pub base: TrailHead,
    /// The last one: write it down elsewhere.
    pub head: TrailHead,
}

impl Ledger {
    /// Recomputes the whole trail, as it is at one moment, and holds it against its ends, the decisions,
    /// and a head that somebody wrote down earlier.
    ///
    /// # Errors
    /// When anything is not as it was written, cannot be read, or cannot be compared.
    pub fn check_trail(&self, expected: Option<&TrailHead>) -> Result<Checked, Broken> {
        self.read(|connection| {
            let moment = connection.unchecked_transaction()?;
            match check(&moment, expected) {
                Ok(checked) => Ok(Ok(checked)),
                Err(Found::Broken(broken)) => Ok(Err(broken)),
                Err(Found::Sqlite(error)) => Err(error),
            }
        })?
    }
}

/// What ends a check: a finding, or SQLite's refusal.
pub(super) enum Found {
    Broken(Broken),
    Sqlite(rusqlite::Error),
}

impl From<Broken> for Found {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<rusqlite::Error> for Found {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The chain, as far as it was followed.
pub(super) struct Chain {
    pub(super) last: TrailHead,
}

impl Chain {
    /// Takes the next record, if it is the next one.
    pub(super) fn follow(&mut self, link: Link) -> Result<(), Broken> {
        let (seq, before) = (link.seq, self.last.seq);
        if seq > before + 1 {
            let (from, through) = (before + 1, seq - 1);
            return Err(Broken::Missing { from, through });
        }
        if link_hash(&link.prev, seq, &link.record) != link.hash {
            return Err(Broken::Changed { seq });
        }
        if link.prev != self.last.hash {
            return Err(Broken::Unlinked { seq, before });
        }
        self.last = TrailHead {
            seq,
            hash: link.hash,
        };
        Ok(())
    }
}

fn check(connection: &Connection, expected: Option<&TrailHead>) -> Result<Checked, Found> {
    let ends = ends(connection)?.ok_or(Broken::NoEnds)?;
    let (base, head) = (ends.base, ends.head);
    let mut chain = Chain { last: base.clone() };
    let mut removed = TrailHead::start();
    let mut records = 0;
    let ask = "SELECT seq, record, prev, hash, at, event, username FROM trail ORDER BY seq";
    let mut ask = connection.prepare(ask)?;
    let mut rows = ask.query([])?;
    while let Some(row) = rows.next()? {
        let link = link(row)?;
        let seq = link.seq;
        if seq <= base.seq || seq > head.seq {
            let (from, through) = (base.seq + 1, head.seq);
            return Err(Broken::Inserted { seq, from, through }.into());
        }
        let record = serde_json::from_str::<Record>(&link.record);
        chain.follow(link)?;
        let record = record.map_err(|_| Broken::Unreadable { seq })?;
        agrees(row, seq, &record)?;
        if record.event == Event::Pruned {
            let named = record.detail.as_deref().map(str::parse);
            removed = named
                .and_then(Result::ok)
                .ok_or(Broken::Unreadable { seq })?;
        }
        anchored(expected, &chain.last)?;
        records += 1;
    }
    ends_where_it_should(connection, &chain.last, &head)?;
    if base != removed {
        return Err(Broken::Base { base }.into());
    }
    in_reach(expected, &base, &head)?;
    decisions(connection, &base)?;
    Ok(Checked {
        records,
        base,
        head,
    })
}

/// The columns that are looked for say what the record says.
fn agrees(row: &Row<'_>, seq: u64, record: &Record) -> Result<(), Found> {
    let (at, event): (i64, String) = (row.get(4)?, row.get(5)?);
    let username: Option<String> = row.get(6)?;
    let column = if at != record.at.as_microsecond() {
        "at"
    } else if event != record.event.as_str() {
        "event"
    } else if username != record.username {
        "username"
    } else {
        return Ok(());
    };
    Err(Broken::Column { seq, column }.into())
}

fn anchored(expected: Option<&TrailHead>, here: &TrailHead) -> Result<(), Broken> {
    match expected {
        Some(anchor) if anchor.seq == here.seq && anchor.hash != here.hash => {
            Err(Broken::Anchor { seq: here.seq })
        }
        _ => Ok(()),
    }
}

/// An anchor that no record was held against.
fn in_reach(
    expected: Option<&TrailHead>,
    base: &TrailHead,
    head: &TrailHead,
) -> Result<(), Broken> {
    let Some(anchor) = expected else {
        return Ok(());
    };
    let seq = anchor.seq;
    if seq > head.seq {
        return Err(Broken::AnchorAhead {
            seq,
            head: head.seq,
        });
    }
    if seq == 0 {
        return anchored(expected, &TrailHead::start());
    }
    if seq < base.seq {
        return Err(Broken::AnchorPruned {
            seq,
            base: base.seq,
        });
    }
    anchored(expected, base)
}

/// The last record is the head, and no number was given beyond it.
fn ends_where_it_should(
    connection: &Connection,
    last: &TrailHead,
    head: &TrailHead,
) -> Result<(), Found> {
    let seq = last.seq;
    if seq < head.seq {
        let (from, through) = (seq + 1, head.seq);
        return Err(Broken::Missing { from, through }.into());
    }
    if last != head {
        let head = head.clone();
        return Err(Broken::Head { seq, head }.into());
    }
    let given = counted(connection)?;
    if given != seq {
        return Err(Broken::Count { given, seq }.into());
    }
    Ok(())
}

/// Each decision that the loop goes by has its record, which says the same. Of those whose record
/// retention has removed, only tokens that were stored are left.
fn decisions(connection: &Connection, base: &TrailHead) -> Result<(), Found> {
    let columns: Vec<String> = COLUMNS
        .split(", ")
        .map(|name| format!("d.{name}"))
        .collect();
    let ask = format!(
        "SELECT d.id, d.trail, t.record, {} FROM decisions d LEFT JOIN trail t ON t.seq = d.trail
        ORDER BY d.id",
        columns.join(", ")
    );
    let mut ask = connection.prepare(&ask)?;
    let mut rows = ask.query([])?;
    let mut before = 0;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let broken = |problem: &str| Broken::Decision {
            id,
            problem: problem.to_owned(),
        };
        let seq = match row.get::<_, Option<i64>>(1)? {
            None => return Err(broken("the trail does not know it").into()),
            Some(_) => unsigned(row, 1)?,
        };
        if seq <= before {
            return Err(broken("another one has the same record, or a later one").into());
        }
        before = seq;
        match row.get::<_, Option<String>>(2)? {
            Some(record) => says_the_same(row, &record).map_err(|problem| broken(&problem))?,
            None if seq <= base.seq && row.get::<_, String>("outcome")? == "found" => {}
            None => return Err(broken("the trail does not know it").into()),
        }
    }
    Ok(())
}

fn says_the_same(row: &Row<'_>, record: &str) -> Result<(), String> {
    let record: Option<Record> = serde_json::from_str(record).ok();
    let decision = record.and_then(|record| record.decision());
    let decision = decision.ok_or("its record is not one of a decision")?;
    for (at, (expected, name)) in values(&decision)
        .iter()
        .zip(COLUMNS.split(", "))
        .enumerate()
    {
        let value: Option<rusqlite::types::Value> = row.get(at + 3).ok();
        if value.as_ref() != Some(expected) {
            return Err(format!("its `{name}` is not what its record says"));
        }
    }
    Ok(())
}
