//! JSON Lines on standard output.
//!
//! Knows how a value becomes one line that is safe on a terminal too: what could move a cursor or
//! turn letters is written as `\uXXXX`, which is the same JSON. Never decides what is said.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

use super::render::is_unsafe;

/// Writes one value as one line.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Safe);
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

struct Safe;

impl Formatter for Safe {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((before, letter, after)) = next_unsafe(rest) {
            out.write_all(before.as_bytes())?;
            for unit in letter.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after;
        }
        out.write_all(rest.as_bytes())
    }
}

fn next_unsafe(text: &str) -> Option<(&str, char, &str)> {
    let (at, letter) = text.char_indices().find(|&(_, letter)| is_unsafe(letter))?;
    Some((&text[..at], letter, &text[at + letter.len_utf8()..]))
}
