//! LIST, STATUS, SELECT, EXAMINE.
//!
//! Knows what is told of a folder. Never changes one. Its data comes from the world, for the user that
//! is logged in.

use std::sync::Arc;

use super::command::Command;
use super::out::{Out, quoted};
use super::talk::{Tagged, Talk, bad, done, no};
use super::view::View;
use super::words::Word;
use super::world::{Folder, canonical};

/// The flags that every mail can bear.
const FLAGS: &str = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

impl Talk {
    pub(super) fn list(&self, command: &Command, out: &mut Out) -> Tagged {
        let uses = self.has("SPECIAL-USE");
        let mut args = &command.args[..];
        let mut only_special = false;
        if let Some((Word::List(selection), rest)) = args.split_first() {
            only_special = selection.iter().any(|word| word.name() == "SPECIAL-USE");
            args = rest;
        }
        let extended = only_special || args.len() > 2;
        let (Some(reference), Some(pattern)) = (text(args, 0), text(args, 1)) else {
            return Err(bad("LIST reference pattern"));
        };
        if extended && !uses {
            return Err(bad("too many arguments"));
        }
        if pattern.is_empty() {
            out.line("* LIST (\\Noselect) \"/\" \"\"");
            return done();
        }
        let pattern = format!("{reference}{pattern}");
        let world = self.shared.world();
        let Some(user) = world.users.get(self.user()) else {
            return done();
        };
        for (name, folder) in &user.folders {
            let special = folder.special_use.as_deref().filter(|_| uses);
            if fits(&canonical(&pattern), name) && (special.is_some() || !only_special) {
                let attributes = special.map(|s| format!(" {s}")).unwrap_or_default();
                let name = quoted(name);
                out.line(format!("* LIST (\\HasNoChildren{attributes}) \"/\" {name}"));
            }
        }
        done()
    }

    pub(super) fn status(&self, command: &Command, out: &mut Out) -> Tagged {
        let (Some(name), Some(items)) = (command.text(0), command.args.get(1)) else {
            return Err(bad("STATUS folder (items)"));
        };
        let modseqs = self.has("CONDSTORE");
        let world = self.shared.world();
        let Some(folder) = world.folder(self.user(), name) else {
            return Err(no("[NONEXISTENT] no such folder"));
        };
        let mut told = Vec::new();
        for item in items.each() {
            let item = item.name();
            let value = match item.as_str() {
                "HIGHESTMODSEQ" if modseqs => Some(folder.highest_modseq),
                item => count(item, folder),
            };
            told.push(format!(
                "{item} {}",
                value.ok_or_else(|| bad("no such item"))?
            ));
        }
        out.line(format!("* STATUS {} ({})", quoted(name), told.join(" ")));
        done()
    }

    /// SELECT, and EXAMINE with `read_only`.
    pub(super) fn open(&mut self, command: &Command, read_only: bool, out: &mut Out) -> Tagged {
        // whatever comes of it, the folder before is closed (RFC 3501, 6.3.1)
        self.view = None;
        let Some(name) = command.text(0).map(canonical) else {
            return Err(bad("which folder?"));
        };
        let condstore = command
            .args
            .get(1)
            .is_some_and(|word| word.each().iter().any(|word| word.name() == "CONDSTORE"));
        if command.args.len() > 1 && !(condstore && self.has("CONDSTORE")) {
            return Err(bad("too many arguments"));
        }
        self.modseqs |= condstore;
        let modseqs = self.has("CONDSTORE");
        let shared = Arc::clone(&self.shared);
        let world = shared.world();
        let Some(folder) = world.folder(self.user(), &name) else {
            return Err(no("[NONEXISTENT] no such folder"));
        };
        let permanent = match (read_only, world.quirks.keywords) {
            (true, _) => String::new(),
            (false, true) => format!("{FLAGS} \\*"),
            (false, false) => FLAGS.to_owned(),
        };
        out.line(format!("* FLAGS ({FLAGS})"));
        out.line(format!("* OK [PERMANENTFLAGS ({permanent})] these stay"));
        out.line(format!("* {} EXISTS", folder.mails.len()));
        match world.quirks.rev2_only {
            true => out.line(format!("* LIST () \"/\" {}", quoted(&name))),
            false => out.line("* 0 RECENT"),
        }
        out.line(format!(
            "* OK [UIDVALIDITY {}] UIDs valid",
            folder.uid_validity
        ));
        if world.quirks.tells_uid_next {
            out.line(format!(
                "* OK [UIDNEXT {}] predicted next UID",
                folder.uid_next
            ));
        }
        if modseqs {
            out.line(format!(
                "* OK [HIGHESTMODSEQ {}] highest",
                folder.highest_modseq
            ));
        }
        self.view = Some(View::new(name, read_only, folder));
        let access = if read_only { "READ-ONLY" } else { "READ-WRITE" };
        Ok(format!("[{access}] opened"))
    }
}

fn text(args: &[Word], index: usize) -> Option<&str> {
    args.get(index).and_then(Word::text)
}

fn count(item: &str, folder: &Folder) -> Option<u64> {
    let unseen = || {
        folder
            .mails
            .iter()
            .filter(|mail| !mail.flags.contains("\\Seen"))
    };
    let number = |count: usize| u64::try_from(count).ok();
    match item {
        "MESSAGES" => number(folder.mails.len()),
        "RECENT" => Some(0),
        "UNSEEN" => number(unseen().count()),
        "UIDNEXT" => Some(folder.uid_next.into()),
        "UIDVALIDITY" => Some(folder.uid_validity.into()),
        _ => None,
    }
}

/// Whether a name fits a pattern. `*` and `%` are one here: no folder is within another.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split(['*', '%']);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}
