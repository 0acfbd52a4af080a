//! One DKIM signature, for people.
//!
//! Knows how its verdict, its tags and its key read. Never judges. Its texts come from the mail and
//! the DNS: each is escaped and cut.

use std::io::{self, Write};

use jiff::Timestamp;

use super::colour;
use crate::cli::render::{Style, clipped};
use crate::ingest::dkim::{KeySeen, SignatureSeen};
use crate::ingest::explain::{AnswerSeen, DkimSeen, ProviderSeen};
use crate::ingest::witness::Verdict;

/// Where a row begins, and where its text does.
const INDENT: usize = 4;
const COLUMN: usize = 12;
/// Lists are broken into lines of about this width.
const WIDTH: usize = 64;
/// More fields than any signature covers.
const MAX_NAMES: usize = 160;

/// Writes one signature, its verdict first.
pub(super) fn write(
    out: &mut impl Write,
    name: &str,
    seen: &DkimSeen,
    style: Style,
) -> io::Result<()> {
    head(out, name, seen.verdict, style)?;
    let mut row = |name: &str, value: &str| {
        writeln!(out, "    {name:<8}{}", style.fold(value, COLUMN, COLUMN))
    };
    row("tags", &tags(&seen.signature))?;
    if let Some(signed) = &seen.signature.signed {
        row("covers", &list(signed))?;
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
    row("key", &format!("{}: {}", clipped(name), answered(answer)))?;
    match answer {
        // Further left, and never broken: it is there to be copied, and fits 80 columns so.
        AnswerSeen::Records(_, Some(key)) => writeln!(out, "        {}", key.fingerprint),
        _ => Ok(()),
    }
}

/// Writes the provider's word.
pub(super) fn write_provider(
    out: &mut impl Write,
    seen: &ProviderSeen,
    style: Style,
) -> io::Result<()> {
    let id = clipped(seen.id.as_deref().unwrap_or("no name is configured"));
    head(
        out,
        &format!("  provider's word ({id}): "),
        seen.verdict,
        style,
    )?;
    let named = [("d", &seen.domain), ("s", &seen.selector)];
    let told: Vec<String> = named
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", clipped(value.as_deref()?))))
        .collect();
    match told.is_empty() {
        true => Ok(()),
        false => writeln!(out, "    {:<8}{}", "passed", told.join(" ")),
    }
}

/// The verdict, with its sentence where it does not count.
fn head(out: &mut impl Write, name: &str, verdict: Verdict, style: Style) -> io::Result<()> {
    let word = match verdict {
        Verdict::Held => "holds",
        Verdict::Waived | Verdict::NotReached => "not looked at",
        Verdict::Unknown(_) => "open",
        Verdict::NotOurs(_) | Verdict::Refused(_) => "does not count",
    };
    let why = match verdict.kind() {
        Some(kind) => format!(" ({kind}): {verdict}"),
        None => String::new(),
    };
    let why = style.fold(&why, name.len() + word.len(), INDENT);
    let word = colour(verdict).map_or(word.into(), |colour| style.paint(colour, word));
    writeln!(out, "{name}{word}{why}")
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
        Some(format!("{name}={}", clipped(value)))
    };
    let tags: Vec<String> = named.into_iter().filter_map(tag).collect();
    match tags.is_empty() {
        true => "not a list of tags".to_owned(),
        false => tags.join(" "),
    }
}

/// Kind and size; what it may be used for, where its owner says so.
fn key(key: &KeySeen) -> String {
    let size = match key.bits {
        Some(bits) => format!("{bits} bits"),
        None => "unreadable".to_owned(),
    };
    let allows = match key.allows.is_empty() {
        true => String::new(),
        false => format!(", {}", clipped(&key.allows)),
    };
    format!("{}, {size}{allows}", clipped(&key.kind))
}

fn answered(answer: &AnswerSeen) -> String {
    match answer {
        AnswerSeen::Absent => "no such record".to_owned(),
        AnswerSeen::Unknown => "could not be asked".to_owned(),
        AnswerSeen::Records(1, Some(key)) => self::key(key),
        AnswerSeen::Records(1, None) => "1 record, without a key".to_owned(),
        AnswerSeen::Records(number, _) => format!("{number} records, not exactly one"),
    }
}

/// The members of `h=`, as many as are read, each of them whole on a line of about a page's width.
fn list(members: &str) -> String {
    let mut lines = vec!["h=".to_owned()];
    let mut names = members.split_inclusive(':');
    for name in names.by_ref().take(MAX_NAMES) {
        let name = clipped(name);
        match lines.last_mut() {
            Some(line) if line.len() + name.len() <= WIDTH => line.push_str(&name),
            _ => lines.push(name),
        }
    }
    match names.count() {
        0 => {}
        more => lines.push(format!("… ({more} more)")),
    }
    lines.join(&format!("\n{:COLUMN$}  ", ""))
}
