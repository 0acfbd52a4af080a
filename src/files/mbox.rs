//! mbox files, mail by mail.
//!
//! Knows where a mail of an mbox begins and ends (RFC 4155) and how `>From ` is unquoted (mboxrd).
//! Never holds more than one mail, nor more of a mail than the cap. Lines come from any reader.

use std::io::{self, BufRead, Read};

use super::{Content, FileError, HEAD, Item, MAX_MAIL, unreadable};

/// How the line that separates mails begins.
pub(super) const FROM: &[u8] = b"From ";
/// As much of a separator as is looked at.
pub(super) const LINE: usize = 512;

/// Reads an mbox.
pub(super) struct Mbox<R> {
    from: R,
    source: String,
    number: usize,
    over: bool,
    /// The separator has been read already, while its predecessor's end was looked for.
    begun: bool,
}

impl<R: BufRead> Mbox<R> {
    pub(super) fn new(from: R, source: String) -> Self {
        Self {
            from,
            source,
            number: 0,
            over: false,
            begun: false,
        }
    }

    fn mail(&mut self) -> io::Result<Option<Content>> {
        let mut mail = Held::default();
        // A blank line waits: it belongs to the mail unless a separator or the end follows.
        let (mut blank, mut starts) = (Vec::new(), true);
        let mut piece = Vec::new();
        if !self.begun && !self.skip_separator(&mut piece)? {
            return Ok(None);
        }
        self.begun = false;
        loop {
            piece.clear();
            let read = self
                .from
                .by_ref()
                .take(64 * 1024)
                .read_until(b'\n', &mut piece)?;
            if read == 0 {
                self.over = true;
                return Ok(Some(mail.content()));
            }
            if starts && piece.starts_with(FROM) && (!blank.is_empty() || looks_like(&piece)) {
                self.begun = true;
                self.finish_line(&mut piece)?;
                return Ok(Some(mail.content()));
            }
            mail.push(&blank);
            blank.clear();
            match starts && (piece == b"\n" || piece == b"\r\n") {
                true => std::mem::swap(&mut blank, &mut piece),
                false => mail.push(if starts { unquoted(&piece) } else { &piece }),
            }
            starts = !blank.is_empty() || piece.ends_with(b"\n");
        }
    }

    fn skip_separator(&mut self, piece: &mut Vec<u8>) -> io::Result<bool> {
        piece.clear();
        let read = self
            .from
            .by_ref()
            .take(64 * 1024)
            .read_until(b'\n', piece)?;
        self.finish_line(piece)?;
        Ok(read != 0)
    }

    /// A separator longer than a piece is read to its end.
    fn finish_line(&mut self, piece: &mut Vec<u8>) -> io::Result<()> {
        while !piece.is_empty() && !piece.ends_with(b"\n") {
            piece.clear();
            self.from
                .by_ref()
                .take(64 * 1024)
                .read_until(b'\n', piece)?;
        }
        Ok(())
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = Result<Item, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        match self.mail() {
            Ok(Some(content)) => {
                self.number += 1;
                let source = format!("{}#{}", self.source, self.number);
                Some(Ok(Item { source, content }))
            }
            Ok(None) => None,
            Err(error) => {
                self.over = true;
                Some(Err(unreadable(&self.source, &error)))
            }
        }
    }
}

/// A mail while it grows; past the cap, only its head and its size.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    size: u64,
}

impl Held {
    fn push(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        if self.size <= MAX_MAIL as u64 {
            self.bytes.extend_from_slice(piece);
        } else if self.bytes.len() > HEAD {
            self.bytes.truncate(HEAD);
            self.bytes.shrink_to_fit();
        }
    }

    fn content(self) -> Content {
        match self.size > MAX_MAIL as u64 {
            false => Content::Whole(self.bytes),
            true => Content::TooLarge {
                head: self.bytes,
                size: self.size,
            },
        }
    }
}

/// mboxrd: a line that began with `From `, behind any number of `>`, was given one more.
fn unquoted(line: &[u8]) -> &[u8] {
    let arrows = line.iter().take_while(|&&byte| byte == b'>').count();
    match arrows > 0 && line[arrows..].starts_with(FROM) {
        true => &line[1..],
        false => line,
    }
}

/// Whether a file that begins like this is an mbox, and not one mail with a blank behind `From`: such
/// a field must reach whoever judges it.
pub(super) fn begins(text: &[u8]) -> bool {
    let sender = text.strip_prefix(FROM).map(<[u8]>::trim_ascii_start);
    sender.is_some_and(|sender| !sender.starts_with(b":"))
}

/// Whether a text begins with a whole separator, `From SENDER … HH:MM…`: a letter may begin with
/// `From ` too.
pub(super) fn looks_like(text: &[u8]) -> bool {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or(text);
    let is_time = |word: &[u8]| matches!(word, [a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()));
    line.starts_with(FROM) && line.split(|&byte| byte == b' ').skip(2).any(is_time)
}
