//! SEARCH.
//!
//! Knows criteria by number, day, size, flag and header. Never looks into a body. Its data comes from
//! the open folder.

use jiff::civil::Date;
use jiff::tz::Offset;

use super::change::canonical_flag;
use super::command::Command;
use super::mails::{fields, opened, split};
use super::out::Out;
use super::talk::{Tagged, Talk, bad, done, no};
use super::words::{Set, Word, set_of};
use super::world::Mail;

/// How deep NOT, OR and lists may nest.
const MAX_DEPTH: usize = 16;

/// What a mail is asked for.
enum Criterion {
    All,
    Uids(Set),
    Numbers(Set),
    Since(Date),
    Before(Date),
    On(Date),
    Larger(usize),
    Smaller(usize),
    Flag(String),
    Header(String, String),
    Not(Box<Self>),
    Or(Box<Self>, Box<Self>),
    Every(Vec<Self>),
}

/// A mail's numbers, and the last ones.
struct Place {
    number: u32,
    last_number: u32,
    last_uid: u32,
}

impl Talk {
    pub(super) fn search(&self, command: &Command, out: &mut Out) -> Tagged {
        let mut args = &command.args[..];
        if let [charset, name, rest @ ..] = args
            && charset.name() == "CHARSET"
        {
            if name.name() != "US-ASCII" {
                // Exchange (pimalaya/himalaya#769)
                return Err(no("[BADCHARSET (US-ASCII)] no such charset"));
            }
            args = rest;
        }
        let Some(criterion) = every(args, 0).filter(|_| !args.is_empty()) else {
            return Err(bad("no such criteria"));
        };
        let world = self.shared.world();
        let folder = opened(&world, self.user(), self.view.as_ref())?;
        let Some(view) = &self.view else {
            return Err(bad("open a folder first"));
        };
        let last_uid = view.numbered().last().map_or(0, |(_, uid)| uid);
        let fits = |&(number, uid): &(u32, u32)| {
            let place = Place {
                number,
                last_number: view.len(),
                last_uid,
            };
            folder
                .mail(uid)
                .is_some_and(|mail| criterion.fits(mail, &place))
        };
        let found: Vec<u32> = view
            .numbered()
            .filter(fits)
            .map(|(number, uid)| if command.uid { uid } else { number })
            .collect();
        if world.quirks.rev2_only {
            out.line(esearch(command, &found));
        } else if !found.is_empty() {
            let found: Vec<String> = found.iter().map(u32::to_string).collect();
            out.line(format!("* SEARCH {}", found.join(" ")));
        } else if world.quirks.tells_empty_search {
            out.line("* SEARCH");
        }
        done()
    }
}

/// What was found, as IMAP4rev2 has it (RFC 9051, 7.3.4).
fn esearch(command: &Command, found: &[u32]) -> String {
    let uid = if command.uid { " UID" } else { "" };
    let all = match found.is_empty() {
        true => String::new(),
        false => format!(" ALL {}", set_of(found)),
    };
    format!("* ESEARCH (TAG \"{}\"){uid}{all}", command.tag)
}

impl Criterion {
    fn fits(&self, mail: &Mail, place: &Place) -> bool {
        let day = || Offset::UTC.to_datetime(mail.date).date();
        match self {
            Self::All => true,
            Self::Uids(set) => set.has(mail.uid, place.last_uid),
            Self::Numbers(set) => set.has(place.number, place.last_number),
            Self::Since(date) => day() >= *date,
            Self::Before(date) => day() < *date,
            Self::On(date) => day() == *date,
            Self::Larger(size) => mail.bytes.len() > *size,
            Self::Smaller(size) => mail.bytes.len() < *size,
            Self::Flag(flag) => mail.flags.contains(flag),
            Self::Header(name, needle) => {
                let header = fields(split(&mail.bytes).0, std::slice::from_ref(name));
                let header = String::from_utf8_lossy(&header).to_lowercase();
                header.contains(&needle.to_lowercase()) && header.len() > 2
            }
            Self::Not(inner) => !inner.fits(mail, place),
            Self::Or(one, other) => one.fits(mail, place) || other.fits(mail, place),
            Self::Every(all) => all.iter().all(|inner| inner.fits(mail, place)),
        }
    }
}

fn every(mut words: &[Word], depth: usize) -> Option<Criterion> {
    let mut all = Vec::new();
    while !words.is_empty() {
        let (criterion, rest) = one(words, depth)?;
        all.push(criterion);
        words = rest;
    }
    Some(Criterion::Every(all))
}

fn one(words: &[Word], depth: usize) -> Option<(Criterion, &[Word])> {
    if depth > MAX_DEPTH {
        return None;
    }
    let (first, rest) = words.split_first()?;
    if let Some(list) = first.list() {
        return Some((every(list, depth + 1)?, rest));
    }
    let (name, text) = (first.name(), |at: usize| rest.get(at).and_then(Word::text));
    let after = |used: usize| rest.get(used..).unwrap_or_default();
    let flag = |flag: &str| Criterion::Flag(canonical_flag(flag));
    let not = |inner| Criterion::Not(Box::new(inner));
    Some(match name.as_str() {
        "ALL" => (Criterion::All, rest),
        "UID" => (Criterion::Uids(Set::parse(text(0)?)?), after(1)),
        "SINCE" => (Criterion::Since(day(text(0)?)?), after(1)),
        "BEFORE" => (Criterion::Before(day(text(0)?)?), after(1)),
        "ON" => (Criterion::On(day(text(0)?)?), after(1)),
        "LARGER" => (Criterion::Larger(text(0)?.parse().ok()?), after(1)),
        "SMALLER" => (Criterion::Smaller(text(0)?.parse().ok()?), after(1)),
        "ANSWERED" | "DELETED" | "DRAFT" | "FLAGGED" | "SEEN" => (flag(&format!("\\{name}")), rest),
        "UNANSWERED" | "UNDELETED" | "UNDRAFT" | "UNFLAGGED" | "UNSEEN" => {
            (not(flag(&format!("\\{}", name.get(2..)?))), rest)
        }
        "KEYWORD" => (flag(text(0)?), after(1)),
        "UNKEYWORD" => (not(flag(text(0)?)), after(1)),
        "FROM" | "TO" | "CC" | "SUBJECT" => {
            (Criterion::Header(name, text(0)?.to_owned()), after(1))
        }
        "HEADER" => {
            let criterion = Criterion::Header(text(0)?.to_owned(), text(1)?.to_owned());
            (criterion, after(2))
        }
        "NOT" => {
            let (inner, rest) = one(rest, depth + 1)?;
            (not(inner), rest)
        }
        "OR" => {
            let (left, rest) = one(rest, depth + 1)?;
            let (right, rest) = one(rest, depth + 1)?;
            (Criterion::Or(Box::new(left), Box::new(right)), rest)
        }
        _ => (Criterion::Numbers(Set::parse(first.text()?)?), rest),
    })
}

/// `5-Nov-2026`.
fn day(text: &str) -> Option<Date> {
    Date::strptime("%d-%b-%Y", text.trim()).ok()
}
