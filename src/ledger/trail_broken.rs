//! What can be wrong with an audit trail.
//!
//! Knows each finding, with a stable word, a sentence and a remedy. Never holds more of a record than its number.
//! Made by the check.

use super::LedgerError;
use super::trail::TrailHead;

/// Why a trail is not what was written: the first thing that was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// A record's text, number or hash was changed.
    #[error("record {seq} was changed: its hash does not fit")]
    Changed {
        /// The record.
        seq: u64,
    },
    /// A record is not the successor of the one before.
    #[error("record {seq} does not follow record {before}: one of them was changed or replaced")]
    Unlinked {
        /// The record.
        seq: u64,
        /// The one before.
        before: u64,
    },
    /// Records are gone.
    #[error("records {from} to {through} are missing")]
    Missing {
        /// The first.
        from: u64,
        /// The last.
        through: u64,
    },
    /// A record stands where there can be none.
    #[error("record {seq} was put in: the trail reaches from {from} to {through}")]
    Inserted {
        /// The record.
        seq: u64,
        /// The first that there can be.
        from: u64,
        /// The last that there can be.
        through: u64,
    },
    /// A record cannot be read.
    #[error("record {seq} cannot be read")]
    Unreadable {
        /// The record.
        seq: u64,
    },
    /// What is looked for is not what the record says.
    #[error("record {seq}: the column `{column}` does not say what the record says")]
    Column {
        /// The record.
        seq: u64,
        /// The column.
        column: &'static str,
    },
    /// The row that keeps the trail's ends is gone.
    #[error("the row that keeps the ends of the trail is missing")]
    NoEnds,
    /// The end's hash is not that of the last record.
    #[error("the head, {head}, is not the hash of record {seq}: one of them was changed")]
    Head {
        /// The last record.
        seq: u64,
        /// The head as it stands.
        head: TrailHead,
    },
    /// No record tells of the removal of those before the first one.
    #[error("the trail begins behind record {}, but no record says that retention removed it", base.seq)]
    Base {
        /// The base as it stands.
        base: TrailHead,
    },
    /// SQLite has counted other numbers than there are records.
    #[error(
        "SQLite has given numbers up to {given}, but the last record is {seq}: the end was cut off, or the count was changed"
    )]
    Count {
        /// The greatest number.
        given: u64,
        /// The last record.
        seq: u64,
    },
    /// The anchor and the record of its number disagree.
    #[error("record {seq} is not the one that the anchor names: it, or one before it, was changed")]
    Anchor {
        /// The anchor's number.
        seq: u64,
    },
    /// The anchor is ahead of the trail.
    #[error(
        "the anchor names record {seq}, but the trail ends with {head}: the end is gone, or an older copy was put in its place"
    )]
    AnchorAhead {
        /// The anchor's number.
        seq: u64,
        /// The last record.
        head: u64,
    },
    /// The anchor cannot be compared any more.
    #[error(
        "the anchor names record {seq}, which retention has removed (up to {base}): take a younger one"
    )]
    AnchorPruned {
        /// The anchor's number.
        seq: u64,
        /// The last record that was removed.
        base: u64,
    },
    /// A decision that the loop goes by is not in the trail, or says something else there.
    #[error("decision {id}: {problem}")]
    Decision {
        /// The row in `decisions`.
        id: i64,
        /// What is wrong: a clause.
        problem: String,
    },
    /// It could not be told: the ledger cannot be read.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
}

impl Broken {
    /// The stable word for machines.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "record_changed",
            Self::Unlinked { .. } => "record_unlinked",
            Self::Missing { .. } => "records_missing",
            Self::Inserted { .. } => "record_inserted",
            Self::Unreadable { .. } => "record_unreadable",
            Self::Column { .. } => "column_differs",
            Self::NoEnds => "ends_missing",
            Self::Head { .. } => "head_differs",
            Self::Base { .. } => "start_unexplained",
            Self::Count { .. } => "count_differs",
            Self::Anchor { .. } => "anchor_differs",
            Self::AnchorAhead { .. } => "anchor_ahead",
            Self::AnchorPruned { .. } => "anchor_pruned",
            Self::Decision { .. } => "decision_differs",
            Self::Ledger(error) => error.kind.as_str(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Ledger(error) => error.hint(),
            Self::AnchorPruned { .. } => "after each removal, write the new head down".to_owned(),
            _ => format!(
                "keep a copy of the ledger as it is; docs/audit.md tells what `{}` can mean",
                self.kind()
            ),
        }
    }

    /// The record that it is about, if it is about one.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        match self {
            Self::Changed { seq }
            | Self::Unlinked { seq, .. }
            | Self::Missing { from: seq, .. }
            | Self::Inserted { seq, .. }
            | Self::Unreadable { seq }
            | Self::Column { seq, .. }
            | Self::Head { seq, .. }
            | Self::Count { seq, .. }
            | Self::Anchor { seq }
            | Self::AnchorAhead { seq, .. }
            | Self::AnchorPruned { seq, .. } => Some(*seq),
            Self::Base { base } => Some(base.seq),
            Self::NoEnds | Self::Decision { .. } | Self::Ledger(_) => None,
        }
    }
}
