//! Canonical forms of header and body (RFC 6376, 3.4).
//!
//! Knows `simple` and `relaxed`. Never copies a body: it is handed on in pieces. Works on the bytes
//! as stored, whose line ends have been checked.

use memchr::{memchr, memchr2_iter, memmem};

use crate::ingest::mail::Field;

/// One of the two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Simple,
    Relaxed,
}

impl Form {
    /// `c=`: header and body; the body's is `simple` when it is left out.
    pub(super) fn pair(value: &str) -> Option<(Self, Self)> {
        let (header, body) = value.split_once('/').unwrap_or((value, "simple"));
        Some((Self::named(header)?, Self::named(body)?))
    }

    fn named(name: &str) -> Option<Self> {
        match name.trim_ascii().to_ascii_lowercase().as_str() {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// Adds the canonical form of a field, with its line end.
    pub(super) fn field(self, field: &Field<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Simple => out.extend(field.raw),
            Self::Relaxed => {
                relaxed_field(field.name, field.value, out);
                out.extend(b"\r\n");
            }
        }
    }

    /// Adds the signature's own field: the value of `b=` removed, no line end (RFC 6376, 3.7).
    pub(super) fn own_field(self, field: &Field<'_>, out: &mut Vec<u8>) {
        let value = without_signature(field.value);
        match self {
            Self::Simple => {
                out.extend(&field.raw[..field.raw.len() - field.value.len()]);
                out.extend(value.strip_suffix(b"\r\n").unwrap_or(&value));
            }
            Self::Relaxed => relaxed_field(field.name, &value, out),
        }
    }

    /// Hands on the canonical body.
    pub(super) fn body(self, body: &[u8], mut out: impl FnMut(&[u8])) {
        match self {
            Self::Simple => {
                let mut rest = body;
                while let Some(shorter) = rest.strip_suffix(b"\r\n") {
                    rest = shorter;
                }
                out(rest);
                out(b"\r\n");
            }
            Self::Relaxed => relaxed_body(body, &mut out),
        }
    }
}

/// Lower-case name, no white space around the colon, runs of white space as one space.
fn relaxed_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.to_ascii_lowercase());
    out.push(b':');
    let words = value
        .split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
        .filter(|word| !word.is_empty());
    for (number, word) in words.enumerate() {
        if number > 0 {
            out.push(b' ');
        }
        out.extend(word);
    }
}

/// White space at line ends removed, runs reduced to one space, empty lines at the end ignored.
/// NOTE: a last line of white space only is an empty line; mail-auth 0.13 keeps it (#62).
fn relaxed_body(body: &[u8], out: &mut impl FnMut(&[u8])) {
    let mut empty_lines = 0;
    let mut rest = body;
    while !rest.is_empty() {
        let end = memmem::find(rest, b"\r\n");
        let line = &rest[..end.unwrap_or(rest.len())];
        rest = end.map_or(&[][..], |end| &rest[end + 2..]);
        let text = line.trim_ascii_end_wsp();
        if text.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            out(b"\r\n");
        }
        relaxed_line(text, out);
    }
}

/// One line that does not end in white space, with its line end, in as few pieces as can be.
fn relaxed_line(text: &[u8], out: &mut impl FnMut(&[u8])) {
    let mut begin = 0;
    for at in memchr2_iter(b' ', b'\t', text) {
        let is_single = text[at] == b' ' && !is_wsp(text[at + 1]);
        if at < begin || is_single {
            continue;
        }
        out(&text[begin..at]);
        let spaces = text[at..].iter().take_while(|&&byte| is_wsp(byte)).count();
        begin = at + spaces;
        out(b" ");
    }
    out(&text[begin..]);
    out(b"\r\n");
}

fn is_wsp(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

trait TrimWsp {
    fn trim_ascii_end_wsp(&self) -> &Self;
}

impl TrimWsp for [u8] {
    fn trim_ascii_end_wsp(&self) -> &Self {
        let kept = self.iter().rposition(|&byte| !is_wsp(byte));
        &self[..kept.map_or(0, |last| last + 1)]
    }
}

/// The field's value without what stands between `b=` and the next `;`.
fn without_signature(value: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(value.len());
    for (number, tag) in value.split(|&byte| byte == b';').enumerate() {
        if number > 0 {
            kept.push(b';');
        }
        match memchr(b'=', tag) {
            Some(equals) if tag[..equals].trim_ascii() == b"b" => kept.extend(&tag[..=equals]),
            _ => kept.extend(tag),
        }
    }
    kept
}
