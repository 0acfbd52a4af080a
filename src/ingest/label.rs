//! `label: value` lines, in any script.
//!
//! Knows colons, brackets and what a username or a bare token looks like. Never knows which labels
//! matter: the recipe does. Its lines are those of a view.

use super::policy::Account;
use super::token::{MAX_LEN, MIN_LEN};

/// Colons that mails use: ASCII, full-width, small, and the vertical form.
const COLONS: [char; 4] = [':', '：', '﹕', '︓'];
/// Longest username: an address (RFC 5321, 4.5.3.1.3).
const MAX_USERNAME: usize = 254;

/// A `label: value` line; the value may stand alone on the next line.
#[derive(Debug)]
pub(super) struct Entry<'l> {
    /// The label, folded.
    pub(super) label: String,
    /// The value as it stands, without white space around it.
    pub(super) value: &'l str,
    /// The next line, without an empty one between, is a bare word: the value may go on there.
    pub(super) goes_on: bool,
    is_account: bool,
    first: usize,
    last: usize,
}

impl<'l> Entry<'l> {
    /// All entries of a text, in order.
    pub(super) fn all(lines: &[&'l str], accounts: &[Account]) -> Vec<Self> {
        let filled: Vec<(usize, &'l str)> = lines
            .iter()
            .enumerate()
            .map(|(number, line)| (number, line.trim()))
            .filter(|(_, line)| !line.is_empty())
            .collect();
        let mut entries = Vec::new();
        let mut at = 0;
        while at < filled.len() {
            let Some(mut entry) = Self::parse(filled[at].1) else {
                at += 1;
                continue;
            };
            entry.first = at;
            if entry.value.is_empty()
                && let Some(&(_, next)) = filled.get(at + 1)
                && is_word(next)
            {
                entry.value = next;
                at += 1;
            }
            entry.last = at;
            entry.is_account = accounts
                .iter()
                .any(|account| account.username == entry.value);
            entry.goes_on = filled
                .get(at + 1)
                .is_some_and(|&(number, next)| number == filled[at].0 + 1 && is_bare(next));
            entries.push(entry);
            at += 1;
        }
        entries
    }

    /// One line, split at its last colon: a value never holds one, a label may.
    fn parse(line: &'l str) -> Option<Self> {
        let (label, value) = line.rsplit_once(COLONS)?;
        let label = folded(label);
        (!label.is_empty()).then_some(Self {
            label,
            value: value.trim(),
            goes_on: false,
            is_account: false,
            first: 0,
            last: 0,
        })
    }

    /// Whether this entry stands on the next line that is not empty.
    pub(super) fn follows(&self, other: &Self) -> bool {
        self.first == other.last + 1
    }

    /// Whether the label, or what stands before its first colon, is one of these folded words.
    pub(super) fn is_labelled(&self, words: &[String]) -> bool {
        let whole = without_remarks(&self.label);
        let front = whole.split(':').next().unwrap_or_default();
        [whole.as_str(), front]
            .iter()
            .any(|label| words.iter().any(|word| word == bare_label(label)))
    }

    /// Whether the label is one label, not half a sentence with another one in it.
    fn is_simple(&self) -> bool {
        !without_remarks(&self.label).contains([':', '@'])
    }

    /// The value, if it is a Salesforce username: it is a configured one, or has the form of an
    /// address.
    pub(super) fn username(&self) -> Option<&'l str> {
        if self.is_account && self.is_simple() {
            return Some(self.value);
        }
        let (local, domain) = self.value.split_once('@')?;
        let local_fits = !local.is_empty() && local.bytes().all(is_local);
        let domain_fits = domain.contains('.')
            && domain.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            });
        (self.is_simple() && local_fits && domain_fits && self.value.len() <= MAX_USERNAME)
            .then_some(self.value)
    }

    /// The value, if it is a bare run of letters and digits as long as a token.
    pub(super) fn token(&self) -> Option<&'l str> {
        (self.is_simple() && is_bare(self.value) && (MIN_LEN..=MAX_LEN).contains(&self.value.len()))
            .then_some(self.value)
    }

    /// Whether the value looks like a token even without a known label: letters and digits mixed,
    /// and not as long as the id of a Salesforce record (15 or 18 characters).
    pub(super) fn is_plainly_token(&self) -> bool {
        self.token().is_some_and(|value| {
            let mixed = value.bytes().any(|byte| byte.is_ascii_digit())
                && value.bytes().any(|byte| byte.is_ascii_alphabetic());
            mixed && !matches!(value.len(), 15 | 18)
        })
    }
}

/// atext and dots (RFC 5322, 3.2.3), which Salesforce allows in usernames.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte)
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// One word without a colon: the value of a label that stands on the line before.
fn is_word(text: &str) -> bool {
    !text.contains(char::is_whitespace) && !text.contains(COLONS)
}

/// The label without bracketed remarks such as "(case-sensitive)".
fn without_remarks(label: &str) -> String {
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
    kept
}

/// Without the bullets and emphasis that texts put around labels.
fn bare_label(label: &str) -> &str {
    label.trim_matches(|ch: char| ch.is_whitespace() || "*_-–—•·>".contains(ch))
}

/// Text for comparing: lower case, full-width forms as ASCII, white space as single spaces, no
/// invisible characters, plain apostrophes.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for ch in text.chars() {
        match plain(ch) {
            Some(' ') if folded.is_empty() || folded.ends_with(' ') => {}
            Some(ch) => folded.extend(ch.to_lowercase()),
            None => {}
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// One character without its typographic form; `None` for one that nobody sees.
fn plain(ch: char) -> Option<char> {
    match ch {
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}'
        | '\u{feff}' => None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(ch as u32 - 0xfee0),
        '’' | '‘' | 'ʼ' | '´' => Some('\''),
        '﹕' | '︓' => Some(':'),
        _ if ch.is_whitespace() => Some(' '),
        _ if ch.is_control() => None,
        _ => Some(ch),
    }
}
