//! IMAP4rev2 (RFC 9051), in words that the parser can read.
//!
//! Knows the two answers of a server without IMAP4rev1 that imap-proto 0.17 cannot read: its capabilities, and
//! what a search finds. Never changes how long anything is, never a literal, never the grammar of anything
//! else. Its data comes from the guard, one byte of a line at a time.
//!
//! ```text
//! the server says                             the parser reads
//! * CAPABILITY IMAP4rev2 AUTH=PLAIN           * CAPABILITY IMAP4rev1 AUTH=PLAIN
//! * ESEARCH (TAG "S0003") UID ALL 2,10:11     * ENABLED XTAG XS0003XX UID ALL 2,10:11
//! ```
//!
//! ENABLED is a list of any words, has as many letters, and is the answer to a command that we never give.
//! A server that speaks both revisions speaks the first until it is told otherwise (RFC 9051, appendix A).

use async_imap::imap_proto::Capability;

/// What RFC 9051 made part of the protocol, and such a server need not tell (appendix E), as far as we use
/// it.
pub(super) const BUILT_IN: [&str; 5] = ["IDLE", "MOVE", "SASL-IR", "SPECIAL-USE", "UIDPLUS"];

const ESEARCH: &[u8] = b"* ESEARCH";
const ENABLED: &[u8] = b"* ENABLED";
/// Where the two begin to differ.
const PARTS: usize = 3;

/// What stands in front of capabilities: in an answer of their own, or in a response code.
const BEFORE_LIST: &[u8] = b"CAPABILITY ";

/// Changes what must be changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Rev2 {
    within: Within,
    /// How many bytes of the line there were.
    at: usize,
    spaces: usize,
    /// The last bytes, in upper case.
    last: [u8; 12],
    rev1: bool,
    rev2: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    /// As long as it may become anything.
    #[default]
    Line,
    Esearch,
    Capabilities,
}

impl Rev2 {
    /// The server has told that it speaks the second revision only.
    pub(super) fn is_only(&self) -> bool {
        self.rev2 && !self.rev1
    }

    /// A response begins.
    pub(super) fn begin(&mut self) {
        (self.within, self.at, self.spaces, self.last) = (Within::Line, 0, 0, [0; 12]);
    }

    /// The byte that the parser is to see.
    pub(super) fn byte(&mut self, byte: u8) -> u8 {
        self.last.rotate_left(1);
        self.last[11] = byte.to_ascii_uppercase();
        self.spaces += usize::from(byte == b' ');
        let at = self.at;
        self.at += 1;
        match self.within {
            Within::Line => self.in_line(at, byte),
            Within::Esearch => in_esearch(at, byte),
            Within::Capabilities => self.in_list(byte),
        }
    }

    fn in_line(&mut self, at: usize, byte: u8) -> u8 {
        if at == PARTS && self.last.ends_with(b"* ES") {
            self.within = Within::Esearch;
            return in_esearch(at, byte);
        }
        let whole = at + 1 == b"* CAPABILITY ".len() && self.last[0] == b' ';
        let in_code = self.spaces == 3 && self.last[0] == b'[';
        if self.last.ends_with(BEFORE_LIST) && (whole || in_code) {
            self.within = Within::Capabilities;
        }
        byte
    }

    /// NOTE: `IMAP4rev1` twice is no trouble to the parser.
    fn in_list(&mut self, byte: u8) -> u8 {
        if byte == b']' {
            self.within = Within::Line;
        }
        if self.last.ends_with(b" IMAP4REV1") {
            self.rev1 = true;
        }
        if self.last.ends_with(b" IMAP4REV2") {
            self.rev2 = true;
            return b'1';
        }
        byte
    }
}

/// Letters of ENABLED for those of ESEARCH; then words of what an atom may hold.
fn in_esearch(at: usize, byte: u8) -> u8 {
    match (ESEARCH.get(at), ENABLED.get(at)) {
        (Some(from), Some(to)) if from.eq_ignore_ascii_case(&byte) => *to,
        (Some(_), _) => byte,
        _ => match byte {
            b' ' | b'\r' | b'\n' | b',' | b':' => byte,
            byte if byte.is_ascii_alphanumeric() => byte,
            _ => b'X',
        },
    }
}

/// Whether these words are an ESEARCH, and no capabilities that a server tells unasked, nor those that were
/// enabled. In doubt they are: what a search found must not be passed over.
pub(super) fn is_esearch(words: &[Capability<'_>]) -> bool {
    const FIRST: [&str; 6] = ["XTAG", "UID", "ALL", "MIN", "MAX", "COUNT"];
    match words.first() {
        Some(Capability::Atom(word)) => FIRST.iter().any(|known| known.eq_ignore_ascii_case(word)),
        Some(_) => false,
        None => true,
    }
}

/// The UIDs that an ESEARCH tells, as ranges. `None` where it tells something else: numbers of mails are
/// not UIDs, and must not be taken for them.
pub(super) fn found(words: &[Capability<'_>]) -> Option<Vec<(u32, u32)>> {
    let mut words = words.iter().map(|word| match word {
        Capability::Atom(word) => word.as_ref(),
        _ => "",
    });
    let mut word = words.next();
    if word.is_some_and(|word| word.eq_ignore_ascii_case("XTAG")) {
        words.next()?;
        word = words.next();
    }
    if !word?.eq_ignore_ascii_case("UID") {
        return None;
    }
    match (words.next(), words.next(), words.next()) {
        (None, ..) => Some(Vec::new()),
        (Some(all), Some(set), None) if all.eq_ignore_ascii_case("ALL") => {
            set.split(',').map(range).collect()
        }
        _ => None,
    }
}

/// `7`, or `10:11` in either order.
fn range(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    Some((first.min(last), first.max(last)))
}

#[cfg(test)]
#[path = "rev2_tests.rs"]
mod tests;
