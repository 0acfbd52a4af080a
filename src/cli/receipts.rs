//! What became of mails, on standard output: receipts as JSON Lines or as sentences.
//!
//! Knows both forms, and which exit status a set of verdicts makes. Never holds a token. Verdicts
//! come from `watch`.

use std::io::{self, Write};

use super::exit::{Exit, Failure};
use super::json;
use super::render::escape;
use crate::ingest::event::{OutcomeWord, Receipt, Report};
use crate::ingest::refusal::NotOurs;
use crate::ledger::StepResult;
use crate::watch::{Pipeline, TriedLogIn, Trouble, Verdict};

/// Prints one receipt. Mail that has nothing to do with tokens is passed over in silence.
pub(crate) fn print(out: &mut impl Write, receipt: &Receipt, as_json: bool) -> io::Result<()> {
    if receipt.report.reason.as_deref() == Some(NotOurs::NotCandidate.kind()) {
        return Ok(());
    }
    if as_json {
        json::line(out, receipt)?;
    } else {
        writeln!(out, "{}", escape(&sentence(receipt)))?;
    }
    out.flush()
}

fn sentence(receipt: &Receipt) -> String {
    let Report {
        source,
        outcome,
        reason,
        username,
        fingerprint,
        date,
        ..
    } = &receipt.report;
    let reason = reason.as_deref().unwrap_or_default();
    match (outcome, &receipt.slot) {
        (OutcomeWord::Found, Some(slot)) => {
            let username = username.as_deref().unwrap_or_default();
            let fingerprint = fingerprint.as_ref().map_or("", |print| print.as_str());
            let dated = date
                .map(|date| format!(", mail of {date:.0}"))
                .unwrap_or_default();
            let verified = match receipt.verified {
                Some(true) => ", logs in",
                Some(false) => ", does not log in",
                None => "",
            };
            format!("stored: {username} -> {slot} (token {fingerprint}{dated}{verified})")
        }
        (OutcomeWord::Found, None) => format!("not stored yet: {source}"),
        (OutcomeWord::Refused, _) if receipt.superseded => format!("superseded: {source}"),
        (outcome, _) => format!(
            "{}: {source} ({reason})",
            outcome.as_str().replace('_', " ")
        ),
    }
}

/// How many of each, and the exit status that they make.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    stored: usize,
    refused: usize,
    undecided: usize,
    unstored: Option<Exit>,
}

impl Tally {
    pub(crate) fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Open(_, Trouble::Undecided(_)) => self.undecided += 1,
            Verdict::Open(_, Trouble::Store(_)) => self.unstored = Some(Exit::Store),
            Verdict::Open(
                _,
                Trouble::LogIn {
                    tried: TriedLogIn::Refused,
                    ..
                },
            ) => {
                self.unstored.get_or_insert(Exit::Verification);
            }
            // another watcher deals with it
            Verdict::Open(_, Trouble::Claimed) => {}
            Verdict::Open(..) => {
                self.unstored.get_or_insert(Exit::Failed);
            }
            Verdict::Settled(receipt) => match receipt.report.outcome {
                OutcomeWord::Found => self.stored += 1,
                // An older mail, or another org's, is in order: nobody tried to cheat.
                OutcomeWord::Refused if receipt.superseded => self.stored += 1,
                OutcomeWord::Refused => self.refused += 1,
                _ => {}
            },
        }
    }

    /// A store that does not take a token weighs most, then a refusal, then what is not known.
    pub(crate) fn exit(&self, nothing: Exit) -> Exit {
        match self {
            Self {
                unstored: Some(exit),
                ..
            } => *exit,
            Self { refused: 1.., .. } => Exit::Refused,
            Self { undecided: 1.., .. } => Exit::Failed,
            Self { stored: 1.., .. } => Exit::Done,
            _ => nothing,
        }
    }
}

/// Does what is still to be done after tokens were stored; whether all of it went well. What failed is told in the
/// log.
pub(crate) async fn follow_up(pipeline: &Pipeline) -> Result<bool, Failure> {
    let before = (pipeline.clock)();
    pipeline.finish_errands(None).await?;
    let results = pipeline.ledger.step_results()?;
    let failed = |result: &StepResult| !result.ok && result.at >= before;
    Ok(!results.iter().any(failed))
}
