//! `label: value` lines, in any script.
//!
//! Knows colons, brackets and what a username or a bare token looks like. Never knows which labels
//! matter: the vocabulary does. Its lines are those of a view.

use std::borrow::Cow;

use memchr::memrchr2;

use super::fold::{folded, trimmed};
use super::policy::Account;
use super::token::{MAX_LEN, MIN_LEN, USUAL_LEN};
use super::vocabulary::{Meaning, Vocabulary};

/// What separates a label from its value: colons (ASCII, full-width, small, vertical, ratio,
/// modifier), and the tab that stands between the cells of a table.
const COLONS: [char; 7] = [':', '：', '﹕', '︓', '∶', '꞉', '\t'];
/// They show what follows in another order than it stands there (Unicode, UAX 9): a person reads
/// another value.
const OVERRIDES: [char; 2] = ['\u{202d}', '\u{202e}'];
/// Longest username: an address (RFC 5321, 4.5.3.1.3).
const MAX_USERNAME: usize = 254;

/// What is known before a mail is read: the recipe's words, and whose tokens we want.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'k> {
    pub(super) words: &'k Vocabulary,
    pub(super) accounts: &'k [Account],
}

impl Known<'_> {
    fn is_account(self, name: &str) -> bool {
        let mut accounts = self.accounts.iter();
        accounts.any(|account| account.username == name)
    }

    /// Whether a word may be a username or a token.
    fn may_be_value(self, word: &str) -> bool {
        word.contains('@') || is_long(word) || self.is_account(word)
    }
}

/// A `label: value` line; the value may stand alone on the next line.
#[derive(Debug)]
pub(super) struct Entry<'l> {
    /// What the label names.
    pub(super) meaning: Meaning,
    /// The value as it stands, without white space and invisible characters around it.
    pub(super) value: &'l str,
    /// The value, if it is a username: it is a configured one, or has the form of an address.
    pub(super) username: Option<&'l str>,
    /// The value, if it is a bare run of letters and digits as long as a token.
    pub(super) token: Option<&'l str>,
    /// The value may go on in the next line, without an empty one between.
    pub(super) goes_on: bool,
    first: usize,
    last: usize,
}

impl<'l> Entry<'l> {
    /// All entries of a text, in order.
    pub(super) fn all(lines: impl Iterator<Item = &'l str>, known: Known<'_>) -> Vec<Self> {
        let filled: Vec<(usize, &'l str)> = lines
            .enumerate()
            .map(|(number, line)| (number, trimmed(line)))
            .filter(|(_, line)| !line.is_empty())
            .collect();
        let mut entries = Vec::new();
        let mut at = 0;
        while at < filled.len() {
            let next = filled.get(at + 1).map_or("", |&(_, next)| next);
            if let Some((mut entry, lines)) = Self::parse(filled[at].1, next, known) {
                entry.first = at;
                entry.last = at + lines - 1;
                at = entry.last;
                let (number, _) = filled[at];
                entry.goes_on = filled
                    .get(at + 1)
                    .is_some_and(|&(below, next)| below == number + 1 && entry.continues(next));
                entries.push(entry);
            }
            at += 1;
        }
        entries
    }

    /// The entry that begins with a line, and how many lines it takes.
    fn parse(line: &'l str, next: &'l str, known: Known<'_>) -> Option<(Self, usize)> {
        let (line, next) = (without_link(line), without_link(next));
        if let Some((label, value)) = split(line) {
            let label = Label::new(label, known.words)?;
            let value = trimmed(value);
            let below = value.is_empty() && is_word(next) && {
                label.meaning != Meaning::Other || known.may_be_value(next)
            };
            let value = if below { next } else { value };
            return Some((Self::new(&label, value, known), 1 + usize::from(below)));
        }
        // Without a colon a line is a label only if it is a known one and its value stands below:
        // else it may be a heading.
        if !(is_word(next) && known.may_be_value(next)) {
            return None;
        }
        let label =
            Label::new(line, known.words).filter(|label| label.meaning != Meaning::Other)?;
        Some((Self::new(&label, next, known), 2))
    }

    fn new(label: &Label, value: &'l str, known: Known<'_>) -> Self {
        let value = without_emphasis(value);
        let token = Some(value).filter(|value| label.is_simple && is_bare(value) && is_long(value));
        let speaks = || token.is_some() && known.words.speaks_of_token(&label.text);
        let meaning = match label.meaning {
            Meaning::Other if speaks() => Meaning::Token,
            meaning => meaning,
        };
        let username = Some(value)
            .filter(|value| label.is_simple && (is_address(value) || known.is_account(value)));
        Self {
            meaning,
            value,
            username,
            token,
            goes_on: false,
            first: 0,
            last: 0,
        }
    }

    /// Whether `next` may be the rest of the value: a token of a usual length is whole in front of
    /// a mere word.
    fn continues(&self, next: &str) -> bool {
        let is_whole = USUAL_LEN.contains(&self.value.len());
        is_bare(next) && !(is_whole && next.bytes().all(|byte| byte.is_ascii_alphabetic()))
    }

    /// Whether this entry stands on the next line that is not empty.
    pub(super) fn follows(&self, other: &Self) -> bool {
        self.first == other.last + 1
    }

    /// Whether the value could be a token even without a known label: letters and digits mixed, and
    /// not as long as the id of a Salesforce record (15 or 18 characters).
    pub(super) fn could_be_token(&self) -> bool {
        self.token.is_some_and(|value| {
            let mixed = value.bytes().any(|byte| byte.is_ascii_digit())
                && value.bytes().any(|byte| byte.is_ascii_alphabetic());
            mixed && !matches!(value.len(), 15 | 18)
        })
    }

    /// Whether the value is a token, and no name, hash or id, even behind an unknown label: capital
    /// and small letters, and, unless the length is the usual one, digits in between all over. A
    /// name such as `AcmeHoldings2026` changes between the kinds of characters more seldom.
    pub(super) fn is_plainly_token(&self) -> bool {
        self.token.is_some_and(|value| {
            let kinds: Vec<u8> = value.bytes().map(kind).collect();
            let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
            let usual = USUAL_LEN.contains(&value.len()) && changes * 4 > value.len();
            let random = self.could_be_token() && changes * 5 > value.len() * 2;
            kinds.contains(&b'A') && kinds.contains(&b'a') && (usual || random)
        })
    }
}

/// A label, folded and without remarks and emphasis.
struct Label {
    text: String,
    meaning: Meaning,
    /// One label, not half a sentence with another one in it.
    is_simple: bool,
}

impl Label {
    fn new(text: &str, words: &Vocabulary) -> Option<Self> {
        let folded = folded(text);
        let whole = without_remarks(&folded);
        let whole = bare_label(&whole);
        if folded.is_empty() {
            return None;
        }
        // What stands before the first colon is a label as well: "Security token: note: …".
        let front = whole.split(':').next().unwrap_or_default();
        let meaning = match words.meaning(whole) {
            Meaning::Other if front.len() < whole.len() => words.meaning(bare_label(front)),
            meaning => meaning,
        };
        Some(Self {
            meaning,
            is_simple: !whole.contains([':', '@']) && !whole.contains(OVERRIDES),
            text: whole.to_owned(),
        })
    }
}

/// A line split at its last colon: a value never holds one, a label may.
fn split(line: &str) -> Option<(&str, &str)> {
    if !line.is_ascii() {
        return line.rsplit_once(COLONS);
    }
    let at = memrchr2(b':', b'\t', line.as_bytes())?;
    Some((&line[..at], &line[at + 1..]))
}

/// A value without the end of its label's emphasis: `*Username:* …`.
fn without_emphasis(value: &str) -> &str {
    let rest = value.trim_start_matches(['*', '_']);
    if rest.len() < value.len() && rest.starts_with(char::is_whitespace) {
        return trimmed(rest);
    }
    value
}

/// An address without the link that a mailer makes of it in plain text: `u@x <mailto:u@x>`.
fn without_link(text: &str) -> &str {
    let Some(inside) = text.strip_suffix(['>', ']', ')']) else {
        return text;
    };
    let Some((front, address)) = inside.rsplit_once("mailto:") else {
        return text;
    };
    let front = front.strip_suffix(['<', '[', '(']).map(str::trim_end);
    front
        .filter(|front| !address.is_empty() && front.ends_with(address))
        .unwrap_or(text)
}

/// The form of an address: `local@domain.tld`.
fn is_address(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else {
        return false;
    };
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    value.len() <= MAX_USERNAME
        && !local.is_empty()
        && local.bytes().all(is_local)
        && domain.contains('.')
        && domain.split('.').all(label)
}

/// atext and dots (RFC 5322, 3.2.3), which Salesforce allows in usernames.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_long(text: &str) -> bool {
    (MIN_LEN..=MAX_LEN).contains(&text.len())
}

/// Digit, capital or small letter.
pub(super) fn kind(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => b'0',
        b'A'..=b'Z' => b'A',
        _ => b'a',
    }
}

/// One word without a colon: the value of a label that stands on the line before.
fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains(COLONS)
}

/// The label without bracketed remarks such as "(case-sensitive)". A bracket that nobody closes is no
/// remark: it must not hide another label behind it (found by the fuzzer `mail_text`, 2026-11-26).
fn without_remarks(label: &str) -> Cow<'_, str> {
    if !label.contains(['(', '[', '【', '〔', ')', ']', '】', '〕']) {
        return Cow::Borrowed(label);
    }
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(label.len());
    for ch in label.chars() {
        match ch {
            '(' | '[' | '【' | '〔' => depth += 1,
            ')' | ']' | '】' | '〕' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(ch),
            _ => {}
        }
    }
    if depth > 0 {
        return Cow::Borrowed(label);
    }
    Cow::Owned(kept)
}

/// Without the bullets and emphasis that texts put around labels, and a colon before the cell's end.
fn bare_label(label: &str) -> &str {
    let is_around = |ch: char| ch.is_whitespace() || "*_-–—•·>".contains(ch);
    let bare = label.trim_matches(is_around);
    bare.trim_end_matches(|ch: char| ch == ':' || is_around(ch))
}
