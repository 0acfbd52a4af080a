//! What became of one mail.
//!
//! Knows two ends: settled for good, or to be tried again. "Could not know" is never "no": a silent
//! DNS, a locked store, a busy ledger leave the mail open. Made by `pipeline`.

use std::time::Duration;

use super::verifier::Failing;
use crate::ingest::event::{OutcomeWord, Receipt, Report};
use crate::ingest::refusal::Pending;
use crate::ledger::LedgerError;
use crate::store::StoreError;

/// What became of one mail.
#[derive(Debug)]
pub enum Verdict {
    /// It has its final outcome, and is recorded.
    Settled(Receipt),
    /// It is kept, and tried again.
    Open(Report, Trouble),
}

impl Verdict {
    /// The receipt of a mail that has its final outcome.
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Settled(receipt) => Some(receipt),
            Self::Open(..) => None,
        }
    }

    /// What is told of it, final or not.
    #[must_use]
    pub fn into_receipt(self) -> Receipt {
        match self {
            Self::Settled(receipt) => receipt,
            Self::Open(report, trouble) => Receipt::unstored(trouble.on(report)),
        }
    }
}

/// Why a mail has no final outcome yet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// It cannot be told whether the mail is genuine.
    #[error("{0}")]
    Undecided(Pending),
    /// The store does not take the token.
    #[error("the store {0}")]
    Store(#[from] StoreError),
    /// The ledger does not answer.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
    /// It is not proven that the token logs in, and it replaces nothing until it does; or it is stored, and could not
    /// be tried yet.
    #[error("the token {}: {}", if *tried == TriedLogIn::Refused { "does not log in" } else { "is not known to log in" }, why.problem)]
    LogIn {
        /// Why.
        why: Failing,
        /// How far it came.
        tried: TriedLogIn,
    },
    /// Another watcher has claimed the mail: it stores the token, or leaves it to us.
    #[error("another watcher of the mailbox is storing the token")]
    Claimed,
    /// The connection broke each time that the mail was fetched.
    #[error("the mail cannot be fetched: each try fails or breaks the connection")]
    SetAside,
    /// A worker died; its panic message is on standard error.
    #[error("the worker that stores tokens died")]
    Worker,
}

/// How far a log-in came that does not let a token pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriedLogIn {
    /// It was answered, and refused: only a person can have it tried again.
    Refused,
    /// It may have been received, and was not answered: likewise.
    Unanswered,
    /// Nothing was sent yet: it is tried again.
    NotYet,
}

/// The pause before a mail that was set aside, or waits for a person, is tried again.
const ASIDE: Duration = Duration::from_secs(3 * 3600);

impl Trouble {
    /// What is in trouble: said once, however often it is tried.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Store(error) => error.store.clone(),
            Self::SetAside => "aside".to_owned(),
            Self::LogIn { tried, .. } => format!("log-in {tried:?}"),
            _ => String::new(),
        }
    }

    /// The store that is in trouble.
    pub(super) fn store(&self) -> Option<&str> {
        match self {
            Self::Store(error) => Some(&error.store),
            _ => None,
        }
    }

    /// A fixed pause before the next try; else it grows.
    pub(super) fn pause(&self) -> Option<Duration> {
        match self {
            Self::LogIn {
                tried: TriedLogIn::NotYet,
                ..
            } => None,
            Self::SetAside | Self::LogIn { .. } => Some(ASIDE),
            _ => None,
        }
    }

    /// The report of a mail that it keeps open: `undecided`, whatever its proof said.
    pub(super) fn on(&self, report: Report) -> Report {
        Report {
            outcome: OutcomeWord::Undecided,
            reason: Some(self.kind().to_owned()),
            ..report
        }
    }

    /// The stable word for machines.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Undecided(pending) => pending.kind(),
            Self::Store(error) => error.kind.as_str(),
            Self::Ledger(error) => error.kind.as_str(),
            Self::LogIn {
                tried: TriedLogIn::Refused,
                ..
            } => "log_in_refused",
            Self::LogIn { .. } => "log_in_unknown",
            Self::Claimed => "claimed_elsewhere",
            Self::SetAside => "set_aside",
            Self::Worker => "worker_died",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Undecided(pending) => pending.hint().to_owned(),
            Self::Store(error) => error.hint().to_owned(),
            Self::Ledger(error) => error.hint(),
            Self::LogIn { why, .. } => why.hint.clone(),
            Self::Claimed => "nothing to do: a claim that is not followed up expires".to_owned(),
            Self::SetAside => {
                "look at the mail with another program, or move it out of the folder; \
                other mails are dealt with meanwhile, and it is tried again every few hours"
                    .to_owned()
            }
            Self::Worker => "report it; the mail is tried again".to_owned(),
        }
    }
}
