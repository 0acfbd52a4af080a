//! What was checked of one mail, for people.
//!
//! Knows how an [`Explanation`] reads: a line for each gate, a paragraph for each signature. Never
//! judges, and never sees a token. Whatever comes from the mail is escaped and cut to a length that
//! fits a page.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::render::{Colour, Style, clipped};
use crate::ingest::explain::{Claimed, DkimSeen, Explanation, ViewSeen};
use crate::ingest::recipe::SubjectForm;
use crate::ingest::witness::{Gate, Verdict};

mod signature;

/// Where the text of a gate begins.
const COLUMN: usize = 22;

/// Writes the gates, then the proofs.
pub(crate) fn write(out: &mut impl Write, seen: &Explanation, style: Style) -> io::Result<()> {
    writeln!(out, "  checked")?;
    for gate in Gate::ALL {
        self::gate(out, seen, gate, style)?;
    }
    let order = ["where a token is stored: parse stores none".to_owned()];
    row(out, Verdict::NotReached, "order", &order, style)?;
    let number = seen.signatures.len() + seen.beyond;
    for (at, dkim) in seen.signatures.iter().enumerate() {
        let name = format!("  DKIM signature {} of {number}: ", at + 1);
        signature::write(out, &name, dkim, style)?;
    }
    if seen.beyond > 0 {
        writeln!(out, "  not looked at: {} more", seen.beyond)?;
    }
    match &seen.provider {
        Some(provider) => signature::write_provider(out, provider, style),
        None => Ok(()),
    }
}

/// One gate: its mark, and what was seen there; for one that failed, why and what to do.
fn gate(out: &mut impl Write, seen: &Explanation, gate: Gate, style: Style) -> io::Result<()> {
    let verdict = seen.verdict(gate);
    let mut lines = Vec::new();
    if let Some(kind) = verdict.kind() {
        lines.push(format!("{kind}: {verdict}"));
    }
    match verdict {
        Verdict::Waived => lines.push("none was asked for (--unproven)".to_owned()),
        Verdict::NotReached => lines.push("not reached".to_owned()),
        _ => lines.extend(details(seen, gate)),
    }
    if lines.is_empty() {
        lines.push(verdict.to_string());
    }
    if !verdict.hint().is_empty() {
        lines.push(format!("hint: {}", verdict.hint()));
    }
    row(out, verdict, gate.as_str(), &lines, style)
}

/// The mark, the gate's name, and lines of text beside them.
fn row(
    out: &mut impl Write,
    verdict: Verdict,
    name: &str,
    lines: &[String],
    style: Style,
) -> io::Result<()> {
    // Padded before it is painted: colours have no width.
    let mark = format!("{:<8}", mark(verdict));
    let mark = colour(verdict).map_or(mark.as_str().into(), |colour| style.paint(colour, &mark));
    write!(out, "    {mark}{name:<10}")?;
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            write!(out, "{:COLUMN$}", "")?;
        }
        writeln!(out, "{}", style.fold(line, COLUMN, COLUMN))?;
    }
    Ok(())
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Held => "held",
        Verdict::Waived => "WAIVED",
        Verdict::NotOurs(_) => "no",
        Verdict::Refused(_) => "FAILED",
        Verdict::Unknown(_) => "OPEN",
        Verdict::NotReached => "-",
    }
}

fn colour(verdict: Verdict) -> Option<Colour> {
    match verdict {
        Verdict::Held => Some(Colour::Green),
        Verdict::Refused(_) => Some(Colour::Red),
        Verdict::Waived | Verdict::Unknown(_) => Some(Colour::Yellow),
        Verdict::NotOurs(_) | Verdict::NotReached => None,
    }
}

/// What was seen at a gate, a line each.
fn details(seen: &Explanation, gate: Gate) -> Vec<String> {
    match gate {
        Gate::Claim => claim(seen),
        Gate::Fields => vec![fields(seen)],
        Gate::Sender => vec![shown(seen.from.as_deref())],
        Gate::Proof => proof(seen),
        Gate::Date => seen
            .date
            .iter()
            .map(|&(date, age)| dated(date, age))
            .collect(),
        Gate::Structure => seen.parts.iter().map(|part| shown(Some(part))).collect(),
        Gate::Token => views(&seen.views),
        Gate::Account => vec![account(seen)],
    }
}

fn claim(seen: &Explanation) -> Vec<String> {
    let subject = format!("subject: {}", shown(seen.subject.as_deref()));
    let Some(claim) = &seen.claim else {
        let why = "neither the subject nor From nor a signature names a trusted sender's domain or such a token";
        return vec![why.to_owned(), subject];
    };
    let mut lines = vec![known(claim).to_owned(), subject];
    if !claim.usernames.is_empty() {
        let names: Vec<_> = claim
            .usernames
            .iter()
            .map(|name| shown(Some(name)))
            .collect();
        lines.push(format!(
            "the body names {} before a token",
            names.join(", ")
        ));
    }
    lines
}

fn known(claim: &Claimed) -> &'static str {
    match (claim.form, claim.names_trusted_domain) {
        (SubjectForm::Exact, _) => "only this mail has such a subject",
        (SubjectForm::Branded, true) => {
            "a branded subject, and From or a signature names a trusted domain"
        }
        (SubjectForm::Branded, false) => {
            "a branded subject, as other senders have it too: the body decides"
        }
        (SubjectForm::Localised, _) => "the subject speaks of such a token: the body decides",
        (SubjectForm::Unknown, _) => "From or a signature names a trusted domain: the body decides",
    }
}

fn fields(seen: &Explanation) -> String {
    let Explanation { bytes, fields, .. } = seen;
    let twice = match seen.repeated.as_slice() {
        [] => String::new(),
        names => format!(", more than one of: {}", names.join(", ")),
    };
    format!("{bytes} bytes, {fields} header fields{twice}")
}

fn proof(seen: &Explanation) -> Vec<String> {
    let number = seen.signatures.len() + seen.beyond;
    let holds = |dkim: &DkimSeen| dkim.verdict == Verdict::Held;
    let signatures = match seen.signatures.iter().position(holds) {
        Some(at) => format!("DKIM signature {} of {number} holds", at + 1),
        None if number == 0 => "no DKIM signature".to_owned(),
        None if seen
            .provider
            .as_ref()
            .is_some_and(|word| word.verdict == Verdict::Held) =>
        {
            format!("DKIM signatures: {number}; the provider's word stands for them")
        }
        None => format!("DKIM signatures: {number}; none holds"),
    };
    let provider = seen.provider.as_ref().map(|word| match word.verdict {
        Verdict::Held => "the provider's word counts".to_owned(),
        _ => "the provider's word does not count".to_owned(),
    });
    std::iter::once(signatures).chain(provider).collect()
}

/// A date and its age in its two largest units.
fn dated(date: Timestamp, age: SignedDuration) -> String {
    let seconds = age.as_secs().unsigned_abs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    let length = match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    };
    let side = if age.is_negative() {
        "in the future"
    } else {
        "ago"
    };
    format!("{date:.0}, {length} {side}")
}

fn views(views: &[ViewSeen]) -> Vec<String> {
    let all = views.len();
    let lines = (1..).zip(views).map(|(number, view)| match view.found {
        _ if all == 1 => self::view(view),
        Ok(_) => format!("view {number} of {all}: {}", self::view(view)),
        Err(why) => format!(
            "view {number} of {all}: {}, {}",
            why.kind(),
            self::view(view)
        ),
    });
    lines.collect()
}

fn view(view: &ViewSeen) -> String {
    let labels = match view.labels {
        Some(labels) => format!(
            "labels: {} of a username, {} of a token",
            labels.username, labels.token
        ),
        None => "labels in hidden or quoted text".to_owned(),
    };
    match &view.found {
        Ok(pair) => format!(
            "{}, a token of {}, fingerprint {} ({labels})",
            shown(Some(&pair.username)),
            pair.length,
            pair.fingerprint
        ),
        Err(_) => labels,
    }
}

fn account(seen: &Explanation) -> String {
    let username = seen.pair().map(|pair| shown(Some(&pair.username)));
    let username = username.unwrap_or_default();
    match seen.accounts {
        0 => format!("{username}: anyone's, as no account is configured or given"),
        1 => format!("{username}: 1 account is looked for"),
        number => format!("{username}: {number} accounts are looked for"),
    }
}

/// A text of the mail, or that it is not there.
fn shown(text: Option<&str>) -> String {
    text.map_or_else(|| "(none)".to_owned(), clipped)
}

#[cfg(test)]
mod tests;
