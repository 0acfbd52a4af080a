//! NOTIFY (RFC 5465): the subset that a mail watcher asks for.
//!
//! Knows which folders a client wants to hear of, and what it was told of them. Never fetches for the
//! client. Its data comes from the command, and from the user's folders.

use std::collections::BTreeMap;

use super::command::Command;
use super::out::{Out, quoted};
use super::talk::{Tagged, Talk, bad, done, no};
use super::words::Word;
use super::world::{Folder, User, canonical};

/// The events that can be asked for.
const EVENTS: [&str; 3] = ["MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE"];

/// What a client wants to hear of.
#[derive(Debug, Default)]
pub(super) struct Interest {
    /// The open folder, also outside of IDLE.
    pub(super) selected: bool,
    scopes: Vec<Scope>,
    told: BTreeMap<String, Standing>,
}

#[derive(Debug)]
enum Scope {
    All,
    Names(Vec<String>),
}

/// What STATUS tells of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    messages: usize,
    uid_next: u32,
    uid_validity: u32,
}

impl Talk {
    pub(super) fn notify(&mut self, command: &Command, out: &mut Out) -> Tagged {
        let names: Vec<String> = command.args.iter().map(Word::name).collect();
        match names.first().map(String::as_str) {
            Some("NONE") if names.len() == 1 => {
                self.interest = None;
                done()
            }
            Some("SET") => {
                let status = names.get(1).is_some_and(|name| name == "STATUS");
                let groups = command
                    .args
                    .get(1 + usize::from(status)..)
                    .unwrap_or_default();
                let mut interest = read(groups)?;
                let world = self.shared.world();
                if let Some(user) = world.users.get(self.user()) {
                    interest.begin(user, status, out);
                }
                drop(world);
                self.interest = Some(interest);
                done()
            }
            _ => Err(bad("NOTIFY SET groups, or NOTIFY NONE")),
        }
    }
}

impl Interest {
    /// Everything counts as told from here; with `status`, because it is.
    fn begin(&mut self, user: &User, status: bool, out: &mut Out) {
        for (name, folder) in &user.folders {
            if self.covers(name) {
                let standing = Standing::of(folder);
                self.told.insert(name.clone(), standing);
                if status {
                    standing.tell(name, out);
                }
            }
        }
    }

    /// Tells what has changed in folders that are not open.
    pub(super) fn tell(&mut self, user: &User, open: Option<&str>, out: &mut Out) {
        for (name, folder) in &user.folders {
            if !self.covers(name) {
                continue;
            }
            let standing = Standing::of(folder);
            let changed = self.told.insert(name.clone(), standing) != Some(standing);
            if changed && open != Some(name) {
                standing.tell(name, out);
            }
        }
    }

    fn covers(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| match scope {
            Scope::All => true,
            Scope::Names(names) => names.iter().any(|covered| covered == name),
        })
    }
}

impl Standing {
    fn of(folder: &Folder) -> Self {
        Self {
            messages: folder.mails.len(),
            uid_next: folder.uid_next,
            uid_validity: folder.uid_validity,
        }
    }

    fn tell(self, name: &str, out: &mut Out) {
        let Self {
            messages,
            uid_next,
            uid_validity,
        } = self;
        let name = quoted(name);
        out.line(format!(
            "* STATUS {name} (MESSAGES {messages} UIDNEXT {uid_next} UIDVALIDITY {uid_validity})"
        ));
    }
}

/// `(selected (MessageNew MessageExpunge)) (mailboxes "Junk" (MessageNew MessageExpunge))`.
fn read(groups: &[Word]) -> Result<Interest, String> {
    let mut interest = Interest::default();
    for group in groups {
        let words = group.list().ok_or_else(|| bad("a group is a list"))?;
        let (Some(filter), Some(events)) = (words.first(), words.last()) else {
            return Err(bad("a group has a filter and events"));
        };
        let wanted = wanted(events)?;
        let names = words.get(1).filter(|_| words.len() == 3);
        match (filter.name().as_str(), names) {
            ("SELECTED" | "SELECTED-DELAYED", None) => interest.selected = wanted,
            ("PERSONAL", None) if wanted => interest.scopes.push(Scope::All),
            ("INBOXES", None) if wanted => {
                interest.scopes.push(Scope::Names(vec!["INBOX".to_owned()]));
            }
            ("MAILBOXES", Some(names)) if wanted => {
                let names = names.each().iter().filter_map(Word::text).map(canonical);
                interest.scopes.push(Scope::Names(names.collect()));
            }
            ("PERSONAL" | "INBOXES", None) | ("MAILBOXES", Some(_)) => {}
            _ => return Err(bad("no such filter")),
        }
    }
    if groups.is_empty() {
        return Err(bad("NOTIFY SET what?"));
    }
    Ok(interest)
}

/// Whether the events mean new mail. Both, or none of the two (RFC 5465, 5.2).
fn wanted(events: &Word) -> Result<bool, String> {
    if events.name() == "NONE" {
        return Ok(false);
    }
    let list = events.list().ok_or_else(|| bad("events are a list"))?;
    let names: Vec<String> = list.iter().map(Word::name).collect();
    if !names.iter().all(|name| EVENTS.contains(&name.as_str())) {
        return Err(no(
            "[BADEVENT (MessageNew MessageExpunge FlagChange)] no such event",
        ));
    }
    let has = |event: &str| names.iter().any(|name| name == event);
    match (has("MESSAGENEW"), has("MESSAGEEXPUNGE")) {
        (true, true) => Ok(true),
        (false, false) if !has("FLAGCHANGE") => Ok(false),
        _ => Err(bad("MessageNew and MessageExpunge go together")),
    }
}
