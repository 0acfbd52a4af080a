//! FETCH.
//!
//! Knows what can be told of a mail, and how an ill mail shows. Never sets `\Seen` but where RFC 3501
//! says so. Its data comes from the open folder.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::command::Command;
use super::faults::Illness;
use super::out::Out;
use super::talk::{Tagged, Talk, bad, done, no};
use super::view::{View, flags};
use super::words::{Set, Word};
use super::world::{Folder, Mail};

/// Something to be told of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Uid,
    Size,
    Date,
    Flags,
    Modseq,
    Body(Part),
}

/// A part of the mail's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// As it is told: `BODY[HEADER]<0>`.
    label: String,
    section: Section,
    /// From where, and how much.
    range: Option<(usize, usize)>,
    peeks: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Section {
    Whole,
    Header,
    Text,
    Fields(Vec<String>),
}

impl Talk {
    pub(super) fn fetch(&mut self, command: &Command, out: &mut Out) -> Tagged {
        let set = command.text(0).and_then(Set::parse);
        let set = set.ok_or_else(|| bad("no such numbers"))?;
        let [_, asked] = &command.args[..] else {
            return Err(bad("FETCH numbers items"));
        };
        let items = items(asked, command.uid).ok_or_else(|| bad("no such item"))?;
        if items.contains(&Item::Modseq) {
            if !self.has("CONDSTORE") {
                return Err(bad("no such item"));
            }
            self.modseqs = true;
        }
        let shared = Arc::clone(&self.shared);
        let mut world = shared.world();
        let user = self.user().to_owned();
        let Some(view) = &mut self.view else {
            return Err(bad("open a folder first"));
        };
        let opens = |item: &Item| matches!(item, Item::Body(part) if !part.peeks);
        let marks = !view.read_only && items.iter().any(opens);
        world.counts.writes += u64::from(marks);
        let folder = world.folder_mut(&user, &view.folder);
        for (number, uid) in chosen(view, &set, command.uid) {
            if marks && let Some(mail) = folder.mail(uid) {
                let mut seen = mail.flags.clone();
                seen.insert("\\Seen".to_owned());
                folder.flag(uid, seen);
            }
            // gone meanwhile: EXPUNGE tells (RFC 3501, 7.4.1)
            let Some(mail) = folder.mail(uid) else {
                continue;
            };
            if breaks(mail, &items) {
                out.raw(
                    format!("* {number} FETCH (UID {uid} BODY[] {{4096}}\r\nFrom: ").as_bytes(),
                );
                self.breaks = true;
                break;
            }
            tell(number, mail, &items, out);
        }
        drop(world);
        if marks {
            shared.changed();
        }
        done()
    }
}

/// Number and UID of the mails in a set.
pub(super) fn chosen(view: &View, set: &Set, by_uid: bool) -> Vec<(u32, u32)> {
    let last = match by_uid {
        true => view.numbered().last().map_or(0, |(_, uid)| uid),
        false => view.len(),
    };
    let of = |&(number, uid): &(u32, u32)| set.has(if by_uid { uid } else { number }, last);
    view.numbered().filter(of).collect()
}

fn breaks(mail: &Mail, items: &[Item]) -> bool {
    let whole = |item: &Item| matches!(item, Item::Body(part) if part.section == Section::Whole);
    match mail.illness {
        Some(Illness::BreaksConnection) => true,
        Some(Illness::BodyBreaksConnection) => items.iter().any(whole),
        _ => false,
    }
}

fn tell(number: u32, mail: &Mail, items: &[Item], out: &mut Out) {
    out.raw(format!("* {number} FETCH (").as_bytes());
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.raw(b" ");
        }
        match item {
            Item::Uid => out.raw(format!("UID {}", mail.uid).as_bytes()),
            Item::Size => out.raw(format!("RFC822.SIZE {}", mail.bytes.len()).as_bytes()),
            Item::Date => out.raw(format!("INTERNALDATE {}", date(mail)).as_bytes()),
            Item::Flags => out.raw(flags(mail, false).as_bytes()),
            Item::Modseq => out.raw(format!("MODSEQ ({})", mail.modseq).as_bytes()),
            Item::Body(part) => tell_part(mail, part, out),
        }
    }
    out.line(")");
}

fn tell_part(mail: &Mail, part: &Part, out: &mut Out) {
    out.raw(part.label.as_bytes());
    if mail.illness == Some(Illness::NilBody) && part.section == Section::Whole {
        out.raw(b" NIL");
        return;
    }
    out.raw(b" ");
    let bytes = part.section.of(&mail.bytes);
    let bytes = match part.range {
        None => &bytes[..],
        Some((from, count)) => {
            let rest = bytes.get(from..).unwrap_or_default();
            rest.get(..count).unwrap_or(rest)
        }
    };
    out.literal(bytes);
}

fn date(mail: &Mail) -> String {
    match mail.illness {
        Some(Illness::NilDate) => "NIL".to_owned(),
        _ => date_time(mail.date),
    }
}

/// `"05-Nov-2026 09:00:01 +0000"`.
fn date_time(time: Timestamp) -> String {
    let time = Offset::UTC.to_datetime(time);
    time.strftime("\"%d-%b-%Y %H:%M:%S +0000\"").to_string()
}

impl Section {
    fn of(&self, mail: &[u8]) -> Vec<u8> {
        let (header, text) = split(mail);
        match self {
            Self::Whole => mail.to_vec(),
            Self::Header => header.to_vec(),
            Self::Text => text.to_vec(),
            Self::Fields(names) => fields(header, names),
        }
    }
}

/// The header with its empty line, and the rest.
pub(super) fn split(mail: &[u8]) -> (&[u8], &[u8]) {
    let end = mail.windows(4).position(|at| at == b"\r\n\r\n");
    mail.split_at(end.map_or(mail.len(), |end| end + 4))
}

/// The fields with these names, as they stand, and an empty line.
pub(super) fn fields(header: &[u8], names: &[String]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut wanted = false;
    for line in header.split_inclusive(|&byte| byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
            let name = name.trim_ascii_end();
            wanted = names
                .iter()
                .any(|n| n.as_bytes().eq_ignore_ascii_case(name));
        }
        if wanted {
            found.extend_from_slice(line);
        }
    }
    found.extend_from_slice(b"\r\n");
    found
}

/// What is asked for; the UID always, when it is asked by UID.
fn items(asked: &Word, by_uid: bool) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    if by_uid {
        items.push(Item::Uid);
    }
    for word in asked.each() {
        match word.name().as_str() {
            "UID" if by_uid => {}
            "UID" => items.push(Item::Uid),
            "RFC822.SIZE" => items.push(Item::Size),
            "INTERNALDATE" => items.push(Item::Date),
            "FLAGS" => items.push(Item::Flags),
            "MODSEQ" => items.push(Item::Modseq),
            "FAST" => items.extend([Item::Flags, Item::Date, Item::Size]),
            "RFC822" => items.push(part("RFC822", Section::Whole, false)),
            "RFC822.HEADER" => items.push(part("RFC822.HEADER", Section::Header, true)),
            name => items.push(Item::Body(body(name)?)),
        }
    }
    Some(items)
}

fn part(label: &str, section: Section, peeks: bool) -> Item {
    Item::Body(Part {
        label: label.to_owned(),
        section,
        range: None,
        peeks,
    })
}

/// `BODY.PEEK[HEADER.FIELDS (FROM)]<0.100>`.
fn body(name: &str) -> Option<Part> {
    let (kind, rest) = name.split_once('[')?;
    let (inside, range) = rest.split_once(']')?;
    let section = match inside {
        "" => Section::Whole,
        "HEADER" => Section::Header,
        "TEXT" => Section::Text,
        inside => {
            let names = inside.strip_prefix("HEADER.FIELDS (")?.strip_suffix(')')?;
            let names = names.split_ascii_whitespace();
            Section::Fields(
                names
                    .map(|name| name.trim_matches('"').to_owned())
                    .collect(),
            )
        }
    };
    let range = match range {
        "" => None,
        range => {
            let (from, count) = range
                .strip_prefix('<')?
                .strip_suffix('>')?
                .split_once('.')?;
            Some((from.parse().ok()?, count.parse().ok()?))
        }
    };
    let origin = range.map(|(from, _)| format!("<{from}>"));
    Some(Part {
        label: format!("BODY[{inside}]{}", origin.unwrap_or_default()),
        section,
        range,
        peeks: match kind {
            "BODY" => false,
            "BODY.PEEK" => true,
            _ => return None,
        },
    })
}

/// The open folder, for reading.
pub(super) fn opened<'w>(
    world: &'w super::world::World,
    user: &str,
    view: Option<&View>,
) -> Result<&'w Folder, String> {
    let view = view.ok_or_else(|| bad("open a folder first"))?;
    let folder = world.folder(user, &view.folder);
    folder.ok_or_else(|| no("the folder is gone"))
}
