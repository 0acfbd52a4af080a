//! What is still to be done after something happened to a token: hooks, tests of consumers, messages.
//!
//! Knows steps by name, their tries and their last results. Never does any of them, and never holds a token: what
//! they are told is JSON free of secrets. Planned and done by the loop; a process that dies leaves them to the next.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::record::Record;
use super::slots::org;
use super::trail::{TrailHead, append, head};
use super::{Ledger, LedgerError};
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;

/// The row of `results` that says for which token, in which slots, errands were planned last.
const PLANNED: &str = "(planned)";

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Its number: the order in which errands were planned.
    pub id: i64,
    /// The Salesforce username.
    pub username: String,
    /// The kind of org.
    pub org: Org,
    /// The step's name.
    pub step: String,
    /// The event's word.
    pub event: String,
    /// What the step is told: JSON.
    pub told: String,
    /// How often it was tried.
    pub tries: u32,
    /// Not before.
    pub due: Timestamp,
}

/// Errands for one event of one account.
#[derive(Clone, Copy)]
pub struct Plan<'p> {
    /// The Salesforce username.
    pub username: &'p str,
    /// The kind of org.
    pub org: Org,
    /// The event's word.
    pub event: &'p str,
    /// Errands of an earlier event of the same word are dropped: they are of the past. Two failures are two events.
    pub replaces: bool,
    /// The names of the steps, in order.
    pub steps: &'p [String],
    /// What they are told: JSON, once the head of the trail is known in which the event stands.
    pub told: &'p dyn Fn(&TrailHead) -> String,
    /// When they were planned, and are due.
    pub at: Timestamp,
}

/// A token, and the slots that have it.
#[derive(Clone, Copy, Debug)]
pub struct Reached<'p> {
    /// The token's fingerprint.
    pub fingerprint: &'p Fingerprint,
    /// The slots, in a fixed order.
    pub slots: &'p [String],
}

/// How a step of an account went last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    /// The Salesforce username.
    pub username: String,
    /// The kind of org.
    pub org: Org,
    /// The step's name.
    pub step: String,
    /// The token that it was for.
    pub fingerprint: Option<Fingerprint>,
    /// When it ended.
    pub at: Timestamp,
    /// It did what it should.
    pub ok: bool,
    /// What is known of it.
    pub detail: Option<String>,
}

impl Ledger {
    /// Plans errands.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn plan(&self, plan: &Plan<'_>) -> Result<(), LedgerError> {
        self.write(|ledger| put(ledger, plan))
    }

    /// The errands of one account, or of all, in the order of their planning.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn errands(&self, of: Option<(&str, Org)>) -> Result<Vec<Errand>, LedgerError> {
        let ask = "SELECT id, username, org, step, event, told, tries, due FROM errands
            WHERE ?1 IS NULL OR (username = ?1 AND org = ?2) ORDER BY id";
        let (username, org) = of.map_or((None, None), |(name, org)| (Some(name), Some(org)));
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let rows = ask.query_map(params![username, org.map(Org::as_str)], errand)?;
            rows.collect()
        })
    }

    /// An errand is to be tried again.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn try_errand_again(&self, id: i64, due: Timestamp) -> Result<(), LedgerError> {
        let put = "UPDATE errands SET tries = tries + 1, due = ?2 WHERE id = ?1";
        self.write(|ledger| {
            ledger
                .execute(put, params![id, due.as_millisecond()])
                .map(drop)
        })
    }

    /// An errand has its result, which the audit trail tells, and is no longer to be done.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn finish_errand(
        &self,
        id: i64,
        result: &StepResult,
        record: &Record,
    ) -> Result<(), LedgerError> {
        self.write(|ledger| {
            ledger.execute("DELETE FROM errands WHERE id = ?1", [id])?;
            append(ledger, record)?;
            note(ledger, result)
        })
    }

    /// An errand is not to be done any more; the last result of its step stays.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn drop_errand(&self, id: i64) -> Result<(), LedgerError> {
        self.write(|ledger| {
            ledger
                .execute("DELETE FROM errands WHERE id = ?1", [id])
                .map(drop)
        })
    }

    /// How the steps went last, by account.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn step_results(&self) -> Result<Vec<StepResult>, LedgerError> {
        let ask = "SELECT username, org, step, fingerprint, at, ok, detail FROM results
            WHERE step <> ?1 ORDER BY username, org, at";
        self.read(|connection| {
            let mut ask = connection.prepare_cached(ask)?;
            let rows = ask.query_map([PLANNED], result)?;
            rows.collect()
        })
    }

    /// The slots of a token when errands were planned for it; none, when they were not, or another token came since.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn planned_slots(
        &self,
        username: &str,
        org: Org,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<String>, LedgerError> {
        self.read(|connection| Ok(planned(connection, username, org, fingerprint)?.1))
    }

    /// Notes a reminder, with its record and what is to be done then: all or nothing. `false`: it was sent before, by
    /// whichever process.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn remind_once(
        &self,
        whose: super::logins::Tried<'_>,
        state: &str,
        record: &Record,
        plan: &Plan<'_>,
    ) -> Result<bool, LedgerError> {
        let ask = "SELECT EXISTS (SELECT 1 FROM reminders WHERE username = ?1 AND org = ?2
            AND fingerprint = ?3 AND state = ?4)";
        let put = "INSERT OR REPLACE INTO reminders (username, org, fingerprint, state, at)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let (org, print) = (whose.org.as_str(), whose.fingerprint.as_str());
        self.write(|ledger| {
            let known = params![whose.username, org, print, state];
            let sent: bool = ledger.query_row(ask, known, |row| row.get(0))?;
            if !sent {
                let at = plan.at.to_string();
                ledger.execute(put, params![whose.username, org, print, state, at])?;
                append(ledger, record)?;
                self::put(ledger, plan)?;
            }
            Ok(!sent)
        })
    }
}

/// Plans errands once for a token and the slots that have it: whoever comes second, or again, plans nothing.
pub(super) fn plan_once(
    ledger: &Transaction<'_>,
    plan: &Plan<'_>,
    reached: Reached<'_>,
) -> rusqlite::Result<bool> {
    let (mine, slots_before) = planned(ledger, plan.username, plan.org, reached.fingerprint)?;
    // fewer than were planned for: whoever says so has seen less
    if mine && reached.slots.iter().all(|slot| slots_before.contains(slot)) {
        return Ok(false);
    }
    if is_replaced(ledger, reached)? {
        return Ok(false);
    }
    note(
        ledger,
        &StepResult {
            username: plan.username.to_owned(),
            org: plan.org,
            step: PLANNED.to_owned(),
            fingerprint: Some(reached.fingerprint.clone()),
            at: plan.at,
            ok: true,
            detail: Some(reached.slots.join("\n")),
        },
    )?;
    put(ledger, plan)?;
    Ok(true)
}

/// Whether errands were planned last for this token, and the slots that had it then.
fn planned(
    ledger: &Connection,
    username: &str,
    org: Org,
    fingerprint: &Fingerprint,
) -> rusqlite::Result<(bool, Vec<String>)> {
    let ask = "SELECT detail FROM results WHERE username = ?1 AND org = ?2 AND step = ?3
        AND fingerprint = ?4";
    let values = params![username, org.as_str(), PLANNED, fingerprint.as_str()];
    let slots: Option<Option<String>> =
        ledger.query_row(ask, values, |row| row.get(0)).optional()?;
    let listed = slots.clone().flatten().unwrap_or_default();
    Ok((slots.is_some(), listed.lines().map(str::to_owned).collect()))
}

/// Whether each of the slots has seen a newer token by now: between the store and the record, a log-in may take a minute.
fn is_replaced(ledger: &Connection, reached: Reached<'_>) -> rusqlite::Result<bool> {
    let ask = "SELECT EXISTS (SELECT 1 FROM slots WHERE slot = ?1 AND fingerprint <> ?2)";
    let mut ask = ledger.prepare_cached(ask)?;
    for slot in reached.slots {
        let replaced: bool =
            ask.query_row([slot, reached.fingerprint.as_str()], |row| row.get(0))?;
        if !replaced {
            return Ok(false);
        }
    }
    Ok(true)
}

fn put(ledger: &Transaction<'_>, plan: &Plan<'_>) -> rusqlite::Result<()> {
    let (username, org) = (plan.username, plan.org.as_str());
    let past = "DELETE FROM errands WHERE username = ?1 AND org = ?2 AND event = ?3";
    if plan.replaces {
        ledger.execute(past, [username, org, plan.event])?;
    }
    let put = "INSERT INTO errands (username, org, step, event, told, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let due = plan.at.as_millisecond();
    let told = (plan.told)(&head(ledger)?);
    for step in plan.steps {
        ledger.execute(put, params![username, org, step, plan.event, told, due])?;
    }
    Ok(())
}

fn note(ledger: &Connection, result: &StepResult) -> rusqlite::Result<()> {
    let put = "INSERT OR REPLACE INTO results (username, org, step, fingerprint, at, ok, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = params![
        result.username,
        result.org.as_str(),
        result.step,
        result.fingerprint.as_ref().map(Fingerprint::as_str),
        result.at.to_string(),
        result.ok,
        result.detail,
    ];
    ledger.execute(put, values).map(drop)
}

fn errand(row: &Row<'_>) -> rusqlite::Result<Errand> {
    let kind: String = row.get(2)?;
    let due = Timestamp::from_millisecond(row.get(7)?);
    Ok(Errand {
        id: row.get(0)?,
        username: row.get(1)?,
        org: org(&kind).unwrap_or(Org::Production),
        step: row.get(3)?,
        event: row.get(4)?,
        told: row.get(5)?,
        tries: row.get(6)?,
        due: due.unwrap_or(Timestamp::UNIX_EPOCH),
    })
}

fn result(row: &Row<'_>) -> rusqlite::Result<StepResult> {
    let (kind, at): (String, String) = (row.get(1)?, row.get(4)?);
    let fingerprint: Option<String> = row.get(3)?;
    Ok(StepResult {
        username: row.get(0)?,
        org: org(&kind).unwrap_or(Org::Production),
        step: row.get(2)?,
        fingerprint: fingerprint.as_deref().map(Fingerprint::from_text),
        at: at.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        ok: row.get(5)?,
        detail: row.get(6)?,
    })
}
