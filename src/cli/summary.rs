//! One mail's outcome, as JSON with or without the token, and as a paragraph for people.
//!
//! Knows the two forms. Never judges. The token leaves here, and only when `--reveal` was given.

use std::io::{self, Write};

use serde::Serialize;

use super::render::{Colour, Style, escape};
use crate::ingest::Outcome;
use crate::ingest::event::{OutcomeWord, Proof, ProofMethod, Report};
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;

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

/// Writes a paragraph: a first line that says how it ended, and what is known.
pub(crate) fn write(
    out: &mut impl Write,
    shown: &Shown<'_>,
    outcome: &Outcome,
    style: Style,
    unproven: bool,
) -> io::Result<()> {
    let source = escape(shown.source);
    let (colour, word) = match outcome {
        Outcome::Found(_) if unproven => (Colour::Yellow, "found, NOT PROVEN"),
        Outcome::Found(_) => (Colour::Green, "found"),
        Outcome::NotOurs(_) => return not_ours(out, &source, outcome),
        Outcome::Refused(_) => (Colour::Red, "refused"),
        Outcome::Undecided(_) => (Colour::Yellow, "undecided"),
    };
    write!(out, "{source}: {}", style.paint(colour, word))?;
    if let Some((kind, sentence, _)) = reason(outcome) {
        write!(out, " ({kind}): {sentence}")?;
    }
    writeln!(out)?;
    details(out, shown, outcome)?;
    match reason(outcome) {
        Some((_, _, hint)) if !hint.is_empty() => writeln!(out, "  hint        {hint}"),
        _ => Ok(()),
    }
}

fn not_ours(out: &mut impl Write, source: &str, outcome: &Outcome) -> io::Result<()> {
    let (kind, sentence, _) = reason(outcome).unwrap_or_default();
    writeln!(out, "{source}: not ours ({kind}): {sentence}")
}

/// The word, the sentence and the remedy of an outcome that is not found.
fn reason(outcome: &Outcome) -> Option<(&'static str, String, &'static str)> {
    Some(match outcome {
        Outcome::Found(_) => return None,
        Outcome::NotOurs(why) => (why.kind(), why.to_string(), why.hint()),
        Outcome::Refused(why) => (why.kind(), why.to_string(), why.hint()),
        Outcome::Undecided(why) => (why.kind(), why.to_string(), why.hint()),
    })
}

fn details(out: &mut impl Write, shown: &Shown<'_>, outcome: &Outcome) -> io::Result<()> {
    let mut row = |name: &str, value: &str| writeln!(out, "  {name:<11} {}", escape(value));
    if let Outcome::Found(found) = outcome {
        let org = found.org.as_str();
        row("account", &format!("{} ({org})", found.username))?;
        let fingerprint = found.token.fingerprint();
        match shown.token.0 {
            Some(token) => row("token", token)?,
            None => row("token", "not shown (--reveal shows it)")?,
        }
        row("fingerprint", fingerprint.as_str())?;
        row("proof", &proof(shown.proof))?;
        for warning in &found.warnings {
            row("note", warning)?;
        }
    }
    if let Some(date) = &shown.date {
        row("date", date)?;
    }
    match shown.message_id {
        Some(id) => row("message-id", id),
        None => Ok(()),
    }
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
