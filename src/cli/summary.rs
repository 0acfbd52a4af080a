//! One mail's outcome, as JSON with or without the token, and as a line or a paragraph for people.
//!
//! Knows the three forms. Never judges. The token leaves here, and only when `--reveal` was given.

use std::io::{self, Write};

use serde::Serialize;

use super::render::{Colour, Style, clipped, escape};
use crate::ingest::Outcome;
use crate::ingest::event::{OutcomeWord, Proof, ProofMethod, Report};
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;

/// Where the text of a row begins.
const COLUMN: usize = 14;

/// A [`Report`] whose `token` may hold the token: the same keys in the same order.
#[derive(Debug, Serialize)]
pub(crate) struct Shown<'r> {
    schema: u32,
    source: &'r str,
    outcome: OutcomeWord,
    reason: Option<&'r str>,
    username: Option<&'r str>,
    org: Option<Org>,
    token: Revealed<'r>,
    fingerprint: Option<&'r Fingerprint>,
    date: Option<String>,
    message_id: Option<&'r str>,
    proof: &'r Proof,
}

/// A token that may be shown; `Debug` does not.
#[derive(Clone, Copy, Serialize)]
#[serde(transparent)]
struct Revealed<'r>(Option<&'r str>);

impl std::fmt::Debug for Revealed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Revealed(redacted)")
    }
}

impl<'r> Shown<'r> {
    /// The report, with the token of a found mail if the user asked for it.
    pub(crate) fn new(report: &'r Report, outcome: &'r Outcome, reveal: bool) -> Self {
        let token = match outcome {
            Outcome::Found(found) if reveal => Some(found.token.expose()),
            _ => None,
        };
        Self {
            schema: report.schema,
            source: &report.source,
            outcome: report.outcome,
            reason: report.reason.as_deref(),
            username: report.username.as_deref(),
            org: report.org,
            token: Revealed(token),
            fingerprint: report.fingerprint.as_ref(),
            date: report.date.map(|date| format!("{date:.0}")),
            message_id: report.message_id.as_deref(),
            proof: &report.proof,
        }
    }
}

/// Writes one line: how it ended, and what the mail brought.
pub(crate) fn line(
    out: &mut impl Write,
    shown: &Shown<'_>,
    outcome: &Outcome,
    style: Style,
    unproven: bool,
) -> io::Result<()> {
    verdict(out, shown, outcome, style, unproven)?;
    if let Outcome::Found(found) = outcome {
        let (org, fingerprint) = (found.org.as_str(), found.token.fingerprint());
        let date = shown.date.as_deref().unwrap_or_default();
        let username = escape(&found.username);
        write!(
            out,
            ": {username} ({org}), {date}, fingerprint {fingerprint}"
        )?;
        if let Some(token) = shown.token.0 {
            write!(out, ", token {token}")?;
        }
        for warning in &found.warnings {
            write!(out, "; {}", escape(warning))?;
        }
    }
    writeln!(out)
}

/// Writes a paragraph: a first line that says how it ended, and what is known. What to do about it
/// stands with the gate that failed.
pub(crate) fn write(
    out: &mut impl Write,
    shown: &Shown<'_>,
    outcome: &Outcome,
    style: Style,
    unproven: bool,
) -> io::Result<()> {
    verdict(out, shown, outcome, style, unproven)?;
    writeln!(out)?;
    let mut row = |name: &str, value: &str| {
        let value = escape(value);
        writeln!(out, "  {name:<11} {}", style.fold(&value, COLUMN, COLUMN))
    };
    if let Outcome::Found(found) = outcome {
        row("username", &found.username)?;
        row("org", found.org.as_str())?;
    }
    if let Some(date) = &shown.date {
        row("date", date)?;
    }
    if let Outcome::Found(found) = outcome {
        let hidden = || {
            let length = found.token.length();
            format!("{length} letters and digits, not shown (--reveal shows it)")
        };
        let token = shown.token.0.map_or_else(hidden, str::to_owned);
        row("token", &token)?;
        row("fingerprint", found.token.fingerprint().as_str())?;
        row("proof", &proof(shown.proof))?;
    }
    if let Some(id) = shown.message_id {
        row("message-id", &clipped(id))?;
    }
    let Outcome::Found(found) = outcome else {
        return Ok(());
    };
    let mut notes = found.warnings.iter();
    notes.try_for_each(|warning| row("note", warning))
}

/// `SOURCE: refused (reason): sentence`, without the line's end.
fn verdict(
    out: &mut impl Write,
    shown: &Shown<'_>,
    outcome: &Outcome,
    style: Style,
    unproven: bool,
) -> io::Result<()> {
    let word = match outcome {
        Outcome::Found(_) if unproven => style.paint(Colour::Yellow, "found, NOT PROVEN"),
        Outcome::Found(_) => style.paint(Colour::Green, "found"),
        Outcome::NotOurs(_) => "not ours".into(),
        Outcome::Refused(_) => style.paint(Colour::Red, "refused"),
        Outcome::Undecided(_) => style.paint(Colour::Yellow, "undecided"),
    };
    write!(out, "{}: {word}", escape(shown.source))?;
    match reason(outcome) {
        Some((kind, sentence)) => write!(out, " ({kind}): {sentence}"),
        None => Ok(()),
    }
}

/// The word and the sentence of an outcome that is not found.
fn reason(outcome: &Outcome) -> Option<(&'static str, String)> {
    Some(match outcome {
        Outcome::Found(_) => return None,
        Outcome::NotOurs(why) => (why.kind(), why.to_string()),
        Outcome::Refused(why) => (why.kind(), why.to_string()),
        Outcome::Undecided(why) => (why.kind(), why.to_string()),
    })
}

/// Also what a first genuine mail was signed with, for whoever wants to write it down.
fn proof(proof: &Proof) -> String {
    let domain = proof.domain.as_deref().unwrap_or("?");
    let selector = proof.selector.as_deref().unwrap_or("?");
    match proof.method {
        ProofMethod::Dkim => format!("DKIM signature by d={domain} s={selector}"),
        ProofMethod::AuthenticationResults => format!("the provider's word for {domain}"),
        ProofMethod::None => "NONE: anyone could have written this mail".to_owned(),
    }
}
