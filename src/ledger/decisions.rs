//! The audit trail: every decision with its reason.
//!
//! Knows which mail, what was decided and why. Never changes or removes a row. Decisions come from
//! the loop; their words from [`refusal`](crate::ingest::refusal).

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::errands::{Plan, Reached, plan_once};
use super::{Ledger, LedgerError, troubles};
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

const COLUMNS: &str = "at, mailbox, folder, uid_validity, uid, file, outcome, reason, username, \
    org, fingerprint, date, message_id, body_hash, slot, more_to_come";

impl Ledger {
    /// Appends a decision to the audit trail.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn record(&self, decision: &Decision) -> Result<(), LedgerError> {
        self.write(|ledger| append(ledger, decision))
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
                append(ledger, decision)?;
                if let Some(slot) = &decision.slot {
                    troubles::clear(ledger, slot)?;
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

    /// The audit trail, newest first: of one username or of all, at most `limit`.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history(
        &self,
        username: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Decision>, LedgerError> {
        let ask = format!(
            "SELECT {COLUMNS} FROM decisions WHERE ?1 IS NULL OR username = ?1
            ORDER BY id DESC LIMIT ?2"
        );
        self.read(|connection| {
            let mut ask = connection.prepare_cached(&ask)?;
            let rows = ask.query_map(params![username, limit], decision)?;
            rows.collect()
        })
    }
}

fn append(ledger: &Transaction<'_>, decision: &Decision) -> rusqlite::Result<()> {
    let marks = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16";
    let put = format!("INSERT INTO decisions ({COLUMNS}) VALUES ({marks})");
    let (mailbox, folder, uid_validity, uid, file) = place(&decision.source);
    ledger.execute(
        &put,
        params![
            decision.at.to_string(),
            mailbox,
            folder,
            uid_validity,
            uid,
            file,
            decision.outcome,
            decision.reason,
            decision.username,
            decision.org.map(Org::as_str),
            decision.fingerprint.as_ref().map(Fingerprint::as_str),
            decision.date.map(|date| date.to_string()),
            decision.message_id,
            decision.body_hash,
            decision.slot,
            decision.more_to_come,
        ],
    )?;
    Ok(())
}

type Place<'a> = (
    Option<&'a str>,
    Option<&'a str>,
    Option<u32>,
    Option<u32>,
    Option<&'a str>,
);

fn place(source: &Source) -> Place<'_> {
    match source {
        Source::Mailbox {
            mailbox,
            folder,
            uid_validity,
            uid,
        } => (
            Some(mailbox),
            Some(folder),
            Some(*uid_validity),
            Some(*uid),
            None,
        ),
        Source::File { file } => (None, None, None, None, Some(file)),
    }
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
        more_to_come: row.get("more_to_come")?,
    })
}
