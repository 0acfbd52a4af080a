//! What changes a mailbox: CREATE, APPEND, STORE, COPY, MOVE, EXPUNGE, CLOSE.
//!
//! Knows the conditions: a folder that was opened to be read is not changed, UNCHANGEDSINCE holds (RFC
//! 7162). Never forgets to count. Its data comes from commands, for the open folder.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::fmt::strtime;

use super::command::Command;
use super::mails::chosen;
use super::out::Out;
use super::talk::{Tagged, Talk, bad, done, no};
use super::view::{View, flags};
use super::words::{Set, Word, set_of};
use super::world::{Folder, World, canonical};

/// How STORE changes flags.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Add,
    Take,
    Set,
}

/// A STORE, read.
struct Store {
    set: Set,
    unchanged_since: Option<u64>,
    how: How,
    silent: bool,
    flags: BTreeSet<String>,
}

impl Talk {
    pub(super) fn store(&mut self, command: &Command, out: &mut Out) -> Tagged {
        let mut order = read_store(command).ok_or_else(|| bad("STORE numbers how flags"))?;
        if order.unchanged_since.is_some() && !self.has("CONDSTORE") {
            return Err(bad("no such condition"));
        }
        self.modseqs |= order.unchanged_since.is_some();
        let modseqs = self.modseqs;
        let shared = Arc::clone(&self.shared);
        let mut world = shared.world();
        let keywords = world.quirks.keywords;
        order
            .flags
            .retain(|flag| keywords || flag.starts_with('\\'));
        let (folder, view) = self.writable(&mut world)?;
        let mut modified = Vec::new();
        for (number, uid) in chosen(view, &order.set, command.uid) {
            let Some(mail) = folder.mail(uid) else {
                continue;
            };
            if order
                .unchanged_since
                .is_some_and(|since| mail.modseq > since)
            {
                modified.push(if command.uid { uid } else { number });
                continue;
            }
            let changed = order.applied(&mail.flags);
            folder.flag(uid, changed);
            let Some(mail) = folder.mail(uid) else {
                continue;
            };
            view.knows(mail);
            let uid = if command.uid {
                format!("UID {uid} ")
            } else {
                String::new()
            };
            if !order.silent {
                out.line(format!("* {number} FETCH ({uid}{})", flags(mail, modseqs)));
            } else if order.unchanged_since.is_some() {
                // RFC 7162, 3.1.3: also when it is silent
                out.line(format!("* {number} FETCH ({uid}MODSEQ ({}))", mail.modseq));
            }
        }
        drop(world);
        shared.changed();
        match modified.is_empty() {
            true => done(),
            false => Ok(format!(
                "[MODIFIED {}] conditional STORE failed",
                set_of(&modified)
            )),
        }
    }

    pub(super) fn copy(&mut self, command: &Command) -> Tagged {
        let (code, _) = self.copied(command, false)?;
        Ok(format!("{code}copied"))
    }

    pub(super) fn move_mails(&mut self, command: &Command, out: &mut Out) -> Tagged {
        let (code, uids) = self.copied(command, true)?;
        // before the EXPUNGE (RFC 6851, 4.3)
        out.line(format!("* OK {code}moved"));
        let shared = Arc::clone(&self.shared);
        let mut world = shared.world();
        let user = self.user().to_owned();
        if let Some(view) = &self.view {
            let folder = world.folder_mut(&user, &view.folder);
            folder.remove_all(&uids);
        }
        drop(world);
        shared.changed();
        done()
    }

    /// Copies; gives the response code, and what was copied.
    fn copied(&mut self, command: &Command, to_move: bool) -> Result<(String, Vec<u32>), String> {
        let set = command.text(0).and_then(Set::parse);
        let (Some(set), Some(target)) = (set, command.text(1).map(canonical)) else {
            return Err(bad("COPY numbers folder"));
        };
        let tells = self.has("UIDPLUS");
        let user = self.user().to_owned();
        let shared = Arc::clone(&self.shared);
        let mut world = shared.world();
        world.counts.writes += 1;
        let Some(view) = self.view.as_ref() else {
            return Err(bad("open a folder first"));
        };
        if to_move && view.read_only {
            return Err(no("[READ-ONLY] the folder was opened to be read"));
        }
        if world.folder(&user, &target).is_none() {
            return Err(no("[TRYCREATE] no such folder"));
        }
        let source = world.folder_mut(&user, &view.folder);
        let of = chosen(view, &set, command.uid);
        let mails: Vec<_> = of
            .iter()
            .filter_map(|&(_, uid)| source.mail(uid).cloned())
            .collect();
        let uids: Vec<u32> = mails.iter().map(|mail| mail.uid).collect();
        let folder = world.folder_mut(&user, &target);
        let copies: Vec<u32> = mails
            .into_iter()
            .map(|mail| folder.add(mail.bytes, mail.date, mail.flags))
            .collect();
        let validity = folder.uid_validity;
        drop(world);
        shared.changed();
        let code = match tells && !uids.is_empty() {
            true => format!(
                "[COPYUID {validity} {} {}] ",
                set_of(&uids),
                set_of(&copies)
            ),
            false => String::new(),
        };
        Ok((code, uids))
    }

    pub(super) fn expunge(&mut self, command: &Command) -> Tagged {
        let set = match (command.uid, command.text(0)) {
            (true, Some(text)) => Some(Set::parse(text).ok_or_else(|| bad("no such numbers"))?),
            (false, None) => None,
            _ => return Err(bad("EXPUNGE takes no numbers, UID EXPUNGE does")),
        };
        let shared = Arc::clone(&self.shared);
        let mut world = shared.world();
        let (folder, view) = self.writable(&mut world)?;
        let of = match set {
            Some(set) => chosen(view, &set, true),
            None => view.numbered().collect(),
        };
        remove_deleted(folder, &of);
        drop(world);
        shared.changed();
        done()
    }

    /// CLOSE: as EXPUNGE, without a word, in a folder that was selected.
    pub(super) fn close(&mut self) -> Tagged {
        let shared = Arc::clone(&self.shared);
        let Some(view) = self.view.take().filter(|view| !view.read_only) else {
            return done();
        };
        let mut world = shared.world();
        let folder = world.folder_mut(self.user(), &view.folder);
        let removed = remove_deleted(folder, &view.numbered().collect::<Vec<_>>());
        world.counts.writes += u64::from(removed > 0);
        drop(world);
        shared.changed();
        done()
    }

    pub(super) fn create(&self, command: &Command) -> Tagged {
        let name = command.text(0).ok_or_else(|| bad("which folder?"))?;
        let mut world = self.shared.world();
        world.counts.writes += 1;
        if world.folder(self.user(), name).is_some() {
            return Err(no("[ALREADYEXISTS] there is such a folder"));
        }
        world.folder_mut(self.user(), name);
        drop(world);
        self.shared.changed();
        done()
    }

    pub(super) fn append(&mut self, command: &Command) -> Tagged {
        let mut world = self.shared.world();
        world.counts.writes += 1;
        let (Some(name), Some(Word::Text(bytes))) = (command.text(0), command.args.last()) else {
            return Err(bad("APPEND folder (flags) \"date\" {mail}"));
        };
        let between = command
            .args
            .get(1..command.args.len() - 1)
            .unwrap_or_default();
        let listed = between.iter().find_map(Word::list).unwrap_or_default();
        let flags = listed
            .iter()
            .filter_map(Word::text)
            .map(canonical_flag)
            .collect();
        let date = between.iter().find_map(|word| match word {
            Word::Text(text) => str::from_utf8(text).ok().map(date_time),
            _ => None,
        });
        if world.folder(self.user(), name).is_none() {
            return Err(no("[TRYCREATE] no such folder"));
        }
        let folder = world.folder_mut(self.user(), name);
        let date = match date {
            Some(date) => date.ok_or_else(|| bad("no such date"))?,
            // no clock is read here: as if it came with the last one
            None => folder
                .mails
                .last()
                .map_or(Timestamp::UNIX_EPOCH, |mail| mail.date),
        };
        let uid = folder.add(bytes.as_slice().into(), date, flags);
        let validity = folder.uid_validity;
        drop(world);
        self.shared.changed();
        match self.has("UIDPLUS") {
            true => Ok(format!("[APPENDUID {validity} {uid}] taken")),
            false => done(),
        }
    }

    /// The open folder, to be changed. The try counts as one.
    fn writable<'w>(
        &mut self,
        world: &'w mut World,
    ) -> Result<(&'w mut Folder, &mut View), String> {
        world.counts.writes += 1;
        let user = self.user().to_owned();
        let view = self
            .view
            .as_mut()
            .ok_or_else(|| bad("open a folder first"))?;
        if view.read_only {
            return Err(no("[READ-ONLY] the folder was opened to be read"));
        }
        Ok((world.folder_mut(&user, &view.folder), view))
    }
}

impl Store {
    fn applied(&self, before: &BTreeSet<String>) -> BTreeSet<String> {
        match self.how {
            How::Set => self.flags.clone(),
            How::Add => before.union(&self.flags).cloned().collect(),
            How::Take => before.difference(&self.flags).cloned().collect(),
        }
    }
}

fn read_store(command: &Command) -> Option<Store> {
    let set = Set::parse(command.text(0)?)?;
    let mut rest = command.args.get(1..)?;
    let mut unchanged_since = None;
    if let Some(condition) = rest.first().and_then(Word::list) {
        let [word, modseq] = condition else {
            return None;
        };
        let known = word.name() == "UNCHANGEDSINCE";
        unchanged_since = Some(modseq.text()?.parse().ok().filter(|_| known)?);
        rest = rest.get(1..)?;
    }
    let name = rest.first()?.name();
    let (name, silent) = match name.strip_suffix(".SILENT") {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    let how = match name {
        "+FLAGS" => How::Add,
        "-FLAGS" => How::Take,
        "FLAGS" => How::Set,
        _ => return None,
    };
    let flags = rest
        .get(1..)
        .filter(|flags| !flags.is_empty())?
        .iter()
        .flat_map(Word::each);
    let flags = flags.map(|word| word.text().map(canonical_flag));
    Some(Store {
        set,
        unchanged_since,
        how,
        silent,
        flags: flags.collect::<Option<_>>()?,
    })
}

/// System flags as RFC 3501 writes them; keywords as they are.
pub(super) fn canonical_flag(flag: &str) -> String {
    match flag
        .strip_prefix('\\')
        .and_then(|name| name.split_at_checked(1))
    {
        Some((first, rest)) => {
            format!(
                "\\{}{}",
                first.to_ascii_uppercase(),
                rest.to_ascii_lowercase()
            )
        }
        None => flag.to_owned(),
    }
}

fn remove_deleted(folder: &mut Folder, of: &[(u32, u32)]) -> usize {
    let deleted = |folder: &Folder, uid| {
        let mail = folder.mail(uid);
        mail.is_some_and(|mail| mail.flags.contains("\\Deleted"))
    };
    let uids = of.iter().map(|&(_, uid)| uid);
    let uids: Vec<u32> = uids.filter(|&uid| deleted(folder, uid)).collect();
    folder.remove_all(&uids)
}

/// `" 5-Nov-2026 09:00:01 +0000"`.
fn date_time(text: &str) -> Option<Timestamp> {
    let read = strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim_start());
    read.ok()?.to_timestamp().ok()
}
