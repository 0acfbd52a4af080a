//! One command of a client.
//!
//! Knows tag, name, `UID` and arguments. Never obeys. Its data comes from the connection: one command
//! with its literals.

use super::words::{Word, words};

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) tag: String,
    /// In upper case.
    pub(super) name: String,
    /// It stood behind `UID`.
    pub(super) uid: bool,
    pub(super) args: Vec<Word>,
}

impl Command {
    /// Reads a command; else gives the tag for saying that it is none.
    pub(super) fn read(raw: &[u8]) -> Result<Self, String> {
        let tag = tag_of(raw);
        let read = || {
            let mut words = words(raw)?.into_iter().skip(1);
            let mut name = words.next()?.name();
            let uid = name == "UID";
            if uid {
                name = words.next()?.name();
            }
            Some((name, uid, words.collect()))
        };
        match read() {
            Some((name, uid, args)) if tag != "*" => Ok(Self {
                tag,
                name,
                uid,
                args,
            }),
            _ => Err(tag),
        }
    }

    /// The text of an argument.
    pub(super) fn text(&self, index: usize) -> Option<&str> {
        self.args.get(index).and_then(Word::text)
    }
}

fn tag_of(raw: &[u8]) -> String {
    let word = raw.split(|&byte| byte == b' ').next().unwrap_or_default();
    let sane = !word.is_empty() && word.len() <= 64 && word.iter().all(u8::is_ascii_alphanumeric);
    match str::from_utf8(word) {
        Ok(tag) if sane => tag.to_owned(),
        _ => "*".to_owned(),
    }
}
