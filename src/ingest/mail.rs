//! One reading of a mail's bytes, for the verifier and the reader alike.
//!
//! Knows header fields, where the body begins, and what is wrong with the octets. Never knows
//! whether the mail is genuine, or anything of Salesforce. Its bytes are those that a server sent.

use std::borrow::Cow;
use std::cell::OnceCell;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use memchr::{memchr, memchr3};

use super::encoded_word;
use super::refusal::Refusal;
use super::text::{self, View};

/// More fields than any genuine mail has (facts: authenticity, 2.1).
const MAX_FIELDS: usize = 500;
/// Fields that are remembered at all, so that a flood of one-letter lines cannot fill the memory.
const MAX_KEPT: usize = 4096;
/// Longer than any genuine field.
const MAX_FIELD: usize = 16 * 1024;

/// One header field as it stands in the mail.
#[derive(Clone, Copy, Debug)]
pub struct Field<'m> {
    /// The whole field with its continuation lines and its last line end.
    pub raw: &'m [u8],
    /// The name as written, without white space before the colon.
    pub name: &'m [u8],
    /// Everything behind the colon.
    pub value: &'m [u8],
}

impl Field<'_> {
    /// Whether the field has this name.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether it is as short as a genuine field.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.raw.len() <= MAX_FIELD
    }

    /// The value in one line, as UTF-8; a tab that begins a continuation line is a space, since a
    /// gateway may have folded anew. `None` when it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let text = std::str::from_utf8(self.value).ok()?;
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        let mut line = String::with_capacity(text.len());
        for (number, piece) in text.split('\n').enumerate() {
            let piece = piece.trim_end_matches('\r');
            match piece.strip_prefix('\t') {
                Some(rest) if number > 0 => line.extend([" ", rest]),
                _ => line.push_str(piece),
            }
        }
        Some(line)
    }

    /// The value with its encoded words decoded (RFC 2047); `None` when it is not UTF-8.
    #[must_use]
    pub fn decoded(&self) -> Option<String> {
        let text = self.text()?;
        if !text.contains("=?") {
            return Some(text);
        }
        Some(encoded_word::decoded(&text).trim().to_owned())
    }
}

/// A mail, or the header of one. `Debug` shows none of its bytes: they may hold a token.
pub struct Mail<'m> {
    raw: &'m [u8],
    fields: Vec<Field<'m>>,
    body_at: usize,
    defect: Option<Refusal>,
    views: OnceCell<Result<Vec<View>, Refusal>>,
}

impl std::fmt::Debug for Mail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("bytes", &self.raw.len())
            .field("fields", &self.fields.len())
            .field("defect", &self.defect)
            .finish_non_exhaustive()
    }
}

impl<'m> Mail<'m> {
    /// Reads a mail's header. Never fails: what is wrong with the bytes is told by
    /// [`examine`](super::examine), and only of a mail that claims to be one of ours. Takes a
    /// header alone as well.
    #[must_use]
    pub fn parse(raw: &'m [u8]) -> Self {
        let mut mail = Self {
            raw,
            fields: Vec::with_capacity(32),
            body_at: raw.len(),
            defect: None,
            views: OnceCell::new(),
        };
        mail.scan();
        mail
    }

    /// Walks the lines of the header, joining continuation lines to their field.
    fn scan(&mut self) {
        let (mut at, mut begin) = (0, 0);
        loop {
            let end = line_end(self.raw, at);
            let line = &self.raw[at..end];
            let folded = matches!(line.first(), Some(b' ' | b'\t'));
            if !folded && begin < at {
                self.add(begin, at);
                begin = at;
            }
            if matches!(line, b"\r\n" | b"\n") {
                self.body_at = end;
                return;
            }
            if line.is_empty() {
                self.note(Refusal::BadStructure);
                return;
            }
            if folded && (at == 0 || line.trim_ascii().is_empty()) {
                self.note(Refusal::HeaderSyntax);
            }
            at = end;
        }
    }

    /// Takes one field; a line without a colon is a defect, not the end of the header.
    fn add(&mut self, begin: usize, end: usize) {
        let raw = &self.raw[begin..end];
        let Some(colon) = memchr(b':', raw) else {
            return self.note(Refusal::HeaderSyntax);
        };
        let name = raw[..colon].trim_ascii_end();
        let strict = !name.is_empty()
            && name.len() == colon
            && name.iter().all(|byte| matches!(byte, 33..=57 | 59..=126));
        if !strict {
            self.note(Refusal::HeaderSyntax);
        }
        if raw.len() > MAX_FIELD {
            self.note(Refusal::HeaderTooLong);
        }
        if self.fields.len() == MAX_FIELDS {
            self.note(Refusal::TooManyHeaders);
        }
        if self.fields.len() < MAX_KEPT {
            let value = &raw[colon + 1..];
            self.fields.push(Field { raw, name, value });
        }
    }

    /// Remembers the first defect; it is told only when the mail is looked into.
    fn note(&mut self, defect: Refusal) {
        self.defect.get_or_insert(defect);
    }

    /// All header fields, from the top.
    #[must_use]
    pub fn fields(&self) -> &[Field<'m>] {
        &self.fields
    }

    /// The fields of one name, from the top.
    pub fn named<'s>(
        &'s self,
        name: &'s str,
    ) -> impl DoubleEndedIterator<Item = &'s Field<'m>> + 's {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// The bytes as they came.
    #[must_use]
    pub fn raw(&self) -> &'m [u8] {
        self.raw
    }

    /// The bytes behind the header.
    #[must_use]
    pub fn body(&self) -> &'m [u8] {
        &self.raw[self.body_at..]
    }

    /// The Message-ID without angle brackets.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        let text = self.named("message-id").next()?.text()?;
        let id = text.trim_start_matches('<').trim_end_matches('>').trim();
        (!id.is_empty()).then(|| id.to_owned())
    }

    /// The Date field, if it can be read (RFC 5322, 3.3; comments and obsolete zones as well).
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        let text = self.named("date").next()?.text()?;
        DateTimeParser::new()
            .relaxed_weekday(true)
            .parse_timestamp(text.trim())
            .ok()
    }

    /// Whether the octets are those of a mail: CR LF line ends, no NUL, a header of plain fields.
    ///
    /// # Errors
    /// The first defect.
    pub fn check_octets(&self) -> Result<(), Refusal> {
        check_bytes(self.raw)?;
        self.check_fields()
    }

    /// Whether the header is one of plain fields.
    pub(super) fn check_fields(&self) -> Result<(), Refusal> {
        self.defect.map_or(Ok(()), Err)
    }

    /// What a person could read, in each way of showing it; parsed once.
    ///
    /// # Errors
    /// When the MIME structure or an encoding is not that of a token mail.
    pub fn views(&self) -> Result<&[View], Refusal> {
        let views = self.views.get_or_init(|| text::views(self));
        views.as_deref().map_err(|refusal| *refusal)
    }
}

/// Where the line that begins at `at` ends, its LF included.
fn line_end(raw: &[u8], at: usize) -> usize {
    memchr(b'\n', &raw[at..]).map_or(raw.len(), |lf| at + lf + 1)
}

/// No NUL, no bare CR, no bare LF: a bare LF is how a second mail is smuggled past a relay
/// (SEC Consult, SMTP smuggling, 2023), and an IMAP literal never holds one.
fn check_bytes(raw: &[u8]) -> Result<(), Refusal> {
    let mut at = 0;
    while let Some(next) = memchr3(b'\r', b'\n', 0, &raw[at..]) {
        let here = at + next;
        if raw[here] != b'\r' || raw.get(here + 1) != Some(&b'\n') {
            return Err(Refusal::BadBytes);
        }
        at = here + 2;
    }
    Ok(())
}

/// The bytes of a file as a server would have sent them: when every line end is a bare LF, as
/// editors and version control leave them, it becomes CR LF. A mixture or a bare CR stays.
#[must_use]
pub fn as_sent(file: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\r', file).is_some() || memchr(b'\n', file).is_none() {
        return Cow::Borrowed(file);
    }
    let lines = memchr::memchr_iter(b'\n', file).count();
    let mut sent = Vec::with_capacity(file.len() + lines);
    for line in file.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                sent.extend(text);
                sent.extend(b"\r\n");
            }
            None => sent.extend(line),
        }
    }
    Cow::Owned(sent)
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
