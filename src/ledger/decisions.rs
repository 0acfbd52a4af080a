//! What was decided about each mail: the memory of the loop.
//!
//! Knows which mail, what was decided and why. Never changes a row, and never adds one without its record
//! in the [audit trail](super::trail). Decisions come from the loop; their words from
//! [`refusal`](crate::ingest::refusal).

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params, params_from_iter};
use serde::{Deserialize, Serialize};

use super::errands::{Plan, Reached, plan_once};
use super::trail::{append, number, problem};
use super::{Ledger, LedgerError, logins, troubles};
use crate::ingest::event::OutcomeWord;
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;

/// Where a mail was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// In a mailbox.
    Mailbox {
        /// The mailbox's name in the configuration.
        mailbox: String,
        /// The folder.
        folder: String,
        /// UIDVALIDITY of the folder.
        uid_validity: u32,
        /// UID of the mail.
        uid: u32,
    },
    /// In a file.
    File {
        /// The path as given, `#N` for the N-th mail of an mbox.
        file: String,
    },
}

impl std::fmt::Display for Source {
    /// `MAILBOX/FOLDER;UIDVALIDITY=V/;UID=N`, or the path.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mailbox {
                mailbox,
                folder,
                uid_validity,
                uid,
            } => write!(
                f,
                "{mailbox}/{folder};UIDVALIDITY={uid_validity}/;UID={uid}"
            ),
            Self::File { file } => f.write_str(file),
        }
    }
}

/// One decision about one mail. Free of secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When it was decided.
    pub at: Timestamp,
    /// Which mail.
    pub source: Source,
    /// `found`, `not_ours`, `refused` or `undecided`. `found` is recorded once the token is stored
    /// (or superseded): it makes the decision final.
    pub outcome: String,
    /// The reason's stable word.
    pub reason: Option<String>,
    /// The Salesforce username.
    pub username: Option<String>,
    /// The kind of org.
    pub org: Option<Org>,
    /// The token's fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// The signed Date.
    pub date: Option<Timestamp>,
    /// The Message-ID.
    pub message_id: Option<String>,
    /// SHA-256 of the whole mail in hex, to find it again after a move or a renumbering. The header
    /// counts: a broken copy of a mail must not speak for the mail itself.
    pub body_hash: Option<String>,
    /// Where the token went.
    pub slot: Option<String>,
    /// Another slot is still to get the same token: the mail is not done with.
    pub more_to_come: bool,
}

/// The columns, in the order of [`values`]. What `trail` adds is the number of the record.
pub(super) const COLUMNS: &str = "at, mailbox, folder, uid_validity, uid, file, outcome, reason, \
    username, org, fingerprint, date, message_id, body_hash, slot";

impl Ledger {
    /// Appends a decision, and its record to the audit trail: both or none.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record(&self, decision: &Decision) -> Result<(), LedgerError> {
        self.write(|ledger| put(ledger, decision))
    }

    /// Appends that a mail is kept open, unless that stands there already: a run every few minutes finds the same again,
    /// for days.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_open(&self, decision: &Decision) -> Result<(), LedgerError> {
        let ask = "SELECT EXISTS (SELECT 1 FROM decisions WHERE mailbox IS ?1 AND folder IS ?2
            AND uid_validity IS ?3 AND uid IS ?4 AND file IS ?5 AND outcome = ?6 AND reason IS ?7
            AND message_id IS ?8 AND slot IS ?9)";
        let values = values(decision);
        let [
            _,
            mailbox,
            folder,
            uid_validity,
            uid,
            file,
            outcome,
            reason,
            ..,
        ] = &values;
        let [.., message_id, _, slot] = &values;
        let mail = [mailbox, folder, uid_validity, uid, file, outcome, reason];
        let known = mail.into_iter().chain([message_id, slot]);
        self.write(|ledger| {
            let mut ask = ledger.prepare_cached(ask)?;
            match ask.query_row(params_from_iter(known), |row| row.get(0))? {
                true => Ok(()),
                false => put(ledger, decision),
            }
        })
    }

    /// Appends the decisions about one token, one for each slot that has it now, and plans once what is to be
    /// done then. `true`: it was planned.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record_stored(
        &self,
        decisions: &[Decision],
        planned: Option<(Plan<'_>, Reached<'_>)>,
    ) -> Result<bool, LedgerError> {
        self.write(|ledger| {
            for decision in decisions {
                put(ledger, decision)?;
                if let Some(slot) = &decision.slot {
                    troubles::clear(ledger, slot)?;
                }
                // NOTE: an outdated mail, or a copy, says nothing about a newer token that is kept out
                let is_new =
                    decision.outcome == OutcomeWord::Found.as_str() && decision.reason.is_none();
                if let (true, Some(username), Some(org)) =
                    (is_new, &decision.username, decision.org)
                {
                    logins::let_go(ledger, username, org.as_str())?;
                }
            }
            planned.map_or(Ok(false), |(plan, reached)| {
                plan_once(ledger, &plan, reached)
            })
        })
    }

    /// The outcome that was decided for good about a mail; `undecided` is not. A decision about another
    /// Message-ID does not count: after a restored backup, UIDs are given a second time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decided(
        &self,
        mailbox: &str,
        folder: &str,
        uid_validity: u32,
        uid: u32,
        message_id: Option<&str>,
    ) -> Result<Option<String>, LedgerError> {
        let ask = "SELECT outcome FROM decisions WHERE mailbox = ?1 AND folder = ?2
            AND uid_validity = ?3 AND uid = ?4 AND message_id IS ?5 AND outcome <> 'undecided'
            AND more_to_come = 0
            ORDER BY id DESC LIMIT 1";
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let values = params![mailbox, folder, uid_validity, uid, message_id];
            ask.query_row(values, |row| row.get(0)).optional()
        })
    }

    /// The outcome that was decided for good about a mail of the same bytes that stood elsewhere in the
    /// mailbox: it was moved or copied, or the folder was renumbered.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decided_elsewhere(
        &self,
        mailbox: &str,
        body_hash: &str,
        not: (&str, u32, u32),
    ) -> Result<Option<String>, LedgerError> {
        let ask = "SELECT outcome FROM decisions WHERE mailbox = ?1 AND body_hash = ?2
            AND (folder, uid_validity, uid) <> (?3, ?4, ?5) AND outcome <> 'undecided'
            AND more_to_come = 0
            ORDER BY id DESC LIMIT 1";
        let (folder, uid_validity, uid) = not;
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let values = params![mailbox, body_hash, folder, uid_validity, uid];
            ask.query_row(values, |row| row.get(0)).optional()
        })
    }

    /// The decisions, newest first: of one username or of all, at most `limit`. What else happened is
    /// in the [trail](Self::trail).
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history(
        &self,
        username: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Decision>, LedgerError> {
        let ask = format!(
            "SELECT {COLUMNS}, more_to_come FROM decisions WHERE ?1 IS NULL OR username = ?1
            ORDER BY id DESC LIMIT ?2"
        );
        self.read(|connection| {
            let mut ask = connection.prepare_cached(&ask)?;
            let rows = ask.query_map(params![username, limit], decision)?;
            rows.collect()
        })
    }
}

/// A decision's row and its record.
fn put(ledger: &Transaction<'_>, decision: &Decision) -> rusqlite::Result<()> {
    if !is_known(&decision.outcome) {
        return Err(problem("a decision has an outcome that is no word of ours"));
    }
    let marks = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17";
    let put = format!("INSERT INTO decisions ({COLUMNS}, trail, more_to_come) VALUES ({marks})");
    let head = append(ledger, &decision.into())?;
    let more = [number(head.seq).into(), decision.more_to_come.into()];
    let values = values(decision).into_iter().chain(more);
    ledger
        .prepare_cached(&put)?
        .execute(params_from_iter(values))?;
    Ok(())
}

/// Every decision with its row's number, in the order in which they were made.
pub(super) fn all_in_order(connection: &Connection) -> rusqlite::Result<Vec<(i64, Decision)>> {
    let mut ask =
        connection.prepare(&format!("SELECT id, {COLUMNS} FROM decisions ORDER BY id"))?;
    let rows = ask.query_map([], |row| Ok((row.get("id")?, decision(row)?)))?;
    rows.collect()
}

fn is_known(outcome: &str) -> bool {
    use OutcomeWord::{Found, NotOurs, Refused, Undecided};
    let words = [Found, NotOurs, Refused, Undecided];
    words.into_iter().any(|word| word.as_str() == outcome)
}

/// A decision's row.
pub(super) fn values(decision: &Decision) -> [Value; 15] {
    let text = |text: &Option<String>| Value::from(text.clone());
    let (mailbox, folder, uid_validity, uid, file) = match &decision.source {
        Source::Mailbox {
            mailbox,
            folder,
            uid_validity,
            uid,
        } => (
            mailbox.clone().into(),
            folder.clone().into(),
            (*uid_validity).into(),
            (*uid).into(),
            Value::Null,
        ),
        Source::File { file } => (
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            file.clone().into(),
        ),
    };
    [
        decision.at.to_string().into(),
        mailbox,
        folder,
        uid_validity,
        uid,
        file,
        decision.outcome.clone().into(),
        text(&decision.reason),
        text(&decision.username),
        decision.org.map(|org| org.as_str().to_owned()).into(),
        decision
            .fingerprint
            .as_ref()
            .map(ToString::to_string)
            .into(),
        decision.date.map(|date| date.to_string()).into(),
        text(&decision.message_id),
        text(&decision.body_hash),
        text(&decision.slot),
    ]
}

fn decision(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let source = match row.get("file")? {
        Some(file) => Source::File { file },
        None => Source::Mailbox {
            mailbox: row.get("mailbox")?,
            folder: row.get("folder")?,
            uid_validity: row.get("uid_validity")?,
            uid: row.get("uid")?,
        },
    };
    let time = |column| {
        let text: Option<String> = row.get(column)?;
        Ok::<_, rusqlite::Error>(text.and_then(|text| text.parse::<Timestamp>().ok()))
    };
    let fingerprint: Option<String> = row.get("fingerprint")?;
    let org: Option<String> = row.get("org")?;
    Ok(Decision {
        at: time("at")?.unwrap_or(Timestamp::MIN),
        source,
        outcome: row.get("outcome")?,
        reason: row.get("reason")?,
        username: row.get("username")?,
        org: org.as_deref().and_then(super::slots::org),
        fingerprint: fingerprint.as_deref().map(Fingerprint::from_text),
        date: time("date")?,
        message_id: row.get("message_id")?,
        body_hash: row.get("body_hash")?,
        slot: row.get("slot")?,
        // older ledgers have no such column
        more_to_come: row.get("more_to_come").unwrap_or_default(),
    })
}
