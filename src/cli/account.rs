//! What was checked of one mail, for people.
//!
//! Knows how an [`Explanation`] reads: a line for each gate, a paragraph for each signature. Never
//! judges, and never sees a token. Whatever comes from the mail is escaped and cut to a length that
//! fits a page.

use std::fmt::Write as _;
use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::render::{Colour, Style, escape};
use crate::ingest::dkim::SignatureSeen;
use crate::ingest::explain::{AnswerSeen, Claimed, DkimSeen, Explanation, ProofSeen, ViewSeen};
use crate::ingest::recipe::SubjectForm;
use crate::ingest::witness::{Gate, Verdict};

/// Longer texts of a mail are cut: nobody reads on, and a page is to stay one.
const MAX_TEXT: usize = 160;
/// Lists are broken into lines of about this width.
const WIDTH: usize = 72;

/// Writes the gates, then the proofs.
pub(crate) fn write(out: &mut impl Write, seen: &Explanation, style: Style) -> io::Result<()> {
    writeln!(out, "  checked")?;
    for gate in Gate::ALL {
        self::gate(out, seen, gate, style)?;
    }
    let order = "where a token is stored: parse stores none";
    writeln!(out, "    {:<8}{:<10}{order}", "-", "order")?;
    let number = seen.proofs.len() + seen.beyond;
    for (at, proof) in seen.proofs.iter().enumerate() {
        let ProofSeen::Dkim(dkim) = proof;
        write!(out, "  DKIM signature {} of {number}: ", at + 1)?;
        signature(out, dkim, style)?;
    }
    match seen.beyond {
        0 => Ok(()),
        more => writeln!(out, "  not looked at: {more} more"),
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
    if !verdict.hint().is_empty() {
        lines.push(format!("hint: {}", verdict.hint()));
    }
    let mut lines = lines.into_iter();
    // Padded before it is painted: colours have no width.
    let mark = format!("{:<8}", mark(verdict));
    let mark = colour(verdict).map_or(mark.as_str().into(), |colour| style.paint(colour, &mark));
    let first = lines.next().unwrap_or_default();
    writeln!(out, "    {mark}{:<10}{first}", gate.as_str())?;
    lines.try_for_each(|line| writeln!(out, "{:22}{line}", ""))
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
        Gate::Sender => vec![text(seen.from.as_deref())],
        Gate::Proof => vec![proof(seen)],
        Gate::Date => seen
            .date
            .iter()
            .map(|&(date, age)| dated(date, age))
            .collect(),
        Gate::Structure => seen.parts.iter().map(|part| text(Some(part))).collect(),
        Gate::Token => views(&seen.views),
        Gate::Account => vec![account(seen)],
    }
}

fn claim(seen: &Explanation) -> Vec<String> {
    let subject = format!("subject: {}", text(seen.subject.as_deref()));
    let Some(claim) = &seen.claim else {
        let why = "neither the subject nor From nor a signature names a trusted sender's domain or such a token";
        return vec![why.to_owned(), subject];
    };
    let mut lines = vec![known(claim).to_owned(), subject];
    if !claim.usernames.is_empty() {
        let names: Vec<_> = claim
            .usernames
            .iter()
            .map(|name| text(Some(name)))
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
    let (bytes, fields) = seen.size;
    let twice = match seen.repeated.as_slice() {
        [] => String::new(),
        names => format!(", more than one of: {}", names.join(", ")),
    };
    format!("{bytes} bytes, {fields} header fields{twice}")
}

fn proof(seen: &Explanation) -> String {
    let number = seen.proofs.len() + seen.beyond;
    let held = seen
        .proofs
        .iter()
        .position(|ProofSeen::Dkim(dkim)| dkim.verdict == Verdict::Held);
    match held {
        Some(at) => format!("DKIM signature {} of {number} holds", at + 1),
        None if number == 0 => "no DKIM signature".to_owned(),
        None => format!("DKIM signatures: {number}; none holds"),
    }
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
            text(Some(&pair.username)),
            pair.length,
            pair.fingerprint
        ),
        Err(_) => labels,
    }
}

fn account(seen: &Explanation) -> String {
    let username = seen.pair().map(|pair| text(Some(&pair.username)));
    let username = username.unwrap_or_default();
    match seen.accounts {
        0 => format!("{username}: anyone's, as no account is configured or given"),
        1 => format!("{username}: 1 account is looked for"),
        number => format!("{username}: {number} accounts are looked for"),
    }
}

/// One signature, its verdict first.
fn signature(out: &mut impl Write, seen: &DkimSeen, style: Style) -> io::Result<()> {
    match (seen.verdict, seen.verdict.kind()) {
        (verdict, Some(kind)) => {
            let word = if matches!(verdict, Verdict::Unknown(_)) {
                "open"
            } else {
                "does not count"
            };
            let colour = colour(verdict).unwrap_or(Colour::Red);
            writeln!(out, "{} ({kind}): {verdict}", style.paint(colour, word))?;
        }
        (Verdict::Held, _) => writeln!(out, "{}", style.paint(Colour::Green, "holds"))?,
        _ => writeln!(out, "not looked at")?,
    }
    let mut row = |name: &str, value: &str| writeln!(out, "    {name:<8}{value}");
    row("tags", &tags(&seen.signature))?;
    if let Some(signed) = &seen.signature.signed {
        row("covers", &list("h=", signed))?;
    }
    let time = |name: &str, time: Option<Timestamp>| time.map(|time| format!("{name}={time:.0}"));
    let times = [
        time("t", seen.signature.made),
        time("x", seen.signature.expires),
    ];
    let times: Vec<String> = times.into_iter().flatten().collect();
    if !times.is_empty() {
        row("time", &times.join(" "))?;
    }
    let Some((name, answer)) = &seen.asked else {
        return row("key", "not asked for");
    };
    row(
        "key",
        &format!("{}: {}", text(Some(name)), answered(answer)),
    )?;
    match answer {
        AnswerSeen::Records(_, Some(key)) => row("", &key.fingerprint),
        _ => Ok(()),
    }
}

fn tags(seen: &SignatureSeen) -> String {
    let named = [
        ("d", &seen.domain),
        ("s", &seen.selector),
        ("a", &seen.algorithm),
        ("c", &seen.canonical),
        ("i", &seen.identity),
        ("l", &seen.length),
    ];
    let tag = |(name, value): (&str, &Option<String>)| {
        let value = value.as_deref()?;
        Some(format!("{name}={}", text(Some(value))))
    };
    let tags: Vec<String> = named.into_iter().filter_map(tag).collect();
    match tags.is_empty() {
        true => "not a list of tags".to_owned(),
        false => tags.join(" "),
    }
}

fn answered(answer: &AnswerSeen) -> String {
    match answer {
        AnswerSeen::Absent => "no such record".to_owned(),
        AnswerSeen::Unknown => "could not be asked".to_owned(),
        AnswerSeen::Records(1, Some(key)) => match key.bits {
            Some(bits) => format!("{}, {bits} bits", text(Some(&key.kind))),
            None => format!("{}, unreadable", text(Some(&key.kind))),
        },
        AnswerSeen::Records(1, None) => "1 record, without a key".to_owned(),
        AnswerSeen::Records(number, _) => format!("{number} records, not exactly one"),
    }
}

/// A text of the mail: escaped, and cut where it is too long for a page.
fn text(text: Option<&str>) -> String {
    let Some(text) = text else {
        return "(none)".to_owned();
    };
    let mut letters = text.chars();
    let short: String = letters.by_ref().take(MAX_TEXT).collect();
    let mut safe = escape(&short).into_owned();
    match letters.count() {
        0 => {}
        more => drop(write!(safe, "… ({more} more characters)")),
    }
    safe
}

/// A list with colons in lines of a page's width; each begins below the first name.
fn list(tag: &str, members: &str) -> String {
    let indent = " ".repeat(12 + tag.len());
    let mut lines = vec![tag.to_owned()];
    let mut names = members.split_inclusive(':');
    for name in names.by_ref().take(MAX_TEXT) {
        let name = text(Some(name));
        let last = lines
            .last()
            .map_or(0, |line| line.trim_start().chars().count());
        if last + name.chars().count() > WIDTH {
            lines.push(format!("{indent}{name}"));
        } else if let Some(line) = lines.last_mut() {
            line.push_str(&name);
        }
    }
    match names.count() {
        0 => {}
        more => lines.push(format!("{indent}… ({more} more)")),
    }
    lines.join("\n")
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
