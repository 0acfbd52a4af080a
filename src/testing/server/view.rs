//! A folder as one connection sees it.
//!
//! Knows sequence numbers, and what the client was told. Never changes a mail. Its data comes from the
//! [`Folder`] each time that something may be told.

use super::out::Out;
use super::world::{Folder, Mail};

/// A mail that the client knows of.
#[derive(Clone, Copy, Debug)]
struct Known {
    uid: u32,
    modseq: u64,
}

/// An open folder.
#[derive(Debug)]
pub(super) struct View {
    pub(super) folder: String,
    pub(super) read_only: bool,
    incarnation: u64,
    known: Vec<Known>,
}

impl View {
    pub(super) fn new(name: String, read_only: bool, folder: &Folder) -> Self {
        Self {
            folder: name,
            read_only,
            incarnation: folder.incarnation,
            known: folder.mails.iter().map(known).collect(),
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.known.len()).unwrap_or(u32::MAX)
    }

    /// Sequence number and UID of each mail, in order.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u32, u32)> {
        (1..).zip(self.known.iter().map(|known| known.uid))
    }

    /// Whether the UIDs still mean what they meant when the folder was opened.
    pub(super) fn is_of(&self, folder: &Folder) -> bool {
        self.incarnation == folder.incarnation
    }

    /// The client knows the mail's flags as they are now.
    pub(super) fn knows(&mut self, mail: &Mail) {
        if let Ok(at) = self
            .known
            .binary_search_by_key(&mail.uid, |known| known.uid)
            && let Some(known) = self.known.get_mut(at)
        {
            known.modseq = mail.modseq;
        }
    }

    /// Tells what has changed: EXPUNGE, EXISTS, FETCH with flags, in this order. False when the UIDs
    /// mean something else by now, and the folder must be opened anew.
    pub(super) fn tell(&mut self, folder: &Folder, modseqs: bool, out: &mut Out) -> bool {
        if !self.is_of(folder) {
            return false;
        }
        self.tell_gone(folder, out);
        self.tell_new(folder, out);
        self.tell_flags(folder, modseqs, out);
        true
    }

    /// From the last to the first, so that the numbers hold.
    fn tell_gone(&mut self, folder: &Folder, out: &mut Out) {
        for at in (0..self.known.len()).rev() {
            let gone = self
                .known
                .get(at)
                .is_some_and(|known| folder.mail(known.uid).is_none());
            if gone {
                self.known.remove(at);
                out.line(format!("* {} EXPUNGE", at + 1));
            }
        }
    }

    fn tell_new(&mut self, folder: &Folder, out: &mut Out) {
        let last = self.known.last().map_or(0, |known| known.uid);
        let new = folder.mails.iter().filter(|mail| mail.uid > last);
        let before = self.known.len();
        self.known.extend(new.map(known));
        if self.known.len() > before {
            out.line(format!("* {} EXISTS", self.known.len()));
            out.line("* 0 RECENT");
        }
    }

    fn tell_flags(&mut self, folder: &Folder, modseqs: bool, out: &mut Out) {
        for (at, known) in self.known.iter_mut().enumerate() {
            let Some(mail) = folder.mail(known.uid).filter(|m| m.modseq > known.modseq) else {
                continue;
            };
            known.modseq = mail.modseq;
            out.line(format!("* {} FETCH ({})", at + 1, flags(mail, modseqs)));
        }
    }
}

fn known(mail: &Mail) -> Known {
    Known {
        uid: mail.uid,
        modseq: mail.modseq,
    }
}

/// `FLAGS (\Seen)`, for those who asked for CONDSTORE with `MODSEQ (5)`.
pub(super) fn flags(mail: &Mail, modseqs: bool) -> String {
    let flags: Vec<&str> = mail.flags.iter().map(String::as_str).collect();
    let mut text = format!("FLAGS ({})", flags.join(" "));
    if modseqs {
        text.push_str(&format!(" MODSEQ ({})", mail.modseq));
    }
    text
}
