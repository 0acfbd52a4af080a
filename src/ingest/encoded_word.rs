//! Encoded words in header fields (RFC 2047).
//!
//! Words are mail-parser's to decode; only where a mailer cut a character in two, they are joined
//! here. Never fails: what cannot be decoded becomes U+FFFD, which the policy refuses.

use base64::Engine as _;
use mail_parser::parsers::MessageStream;

use super::text::charset;

/// Longer than any subject: what follows is left as it is.
const MOST: usize = 16 * 1024;

/// A text with its encoded words decoded; white space between two of them is dropped.
pub(super) fn decoded(text: &str) -> String {
    if text.len() > MOST {
        return text.to_owned();
    }
    let line = format!("{text}\n");
    let read = MessageStream::new(line.as_bytes()).parse_unstructured();
    match read.as_text() {
        Some(read) if !read.contains(char::REPLACEMENT_CHARACTER) => read.to_owned(),
        _ => joined(text),
    }
}

/// The same, where a mailer cut a character in two (RFC 2047, 5 forbids it, and some do it).
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<(&str, Vec<u8>)> = None;
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        let Some((word, behind)) = Word::parse(from) else {
            close(&mut open, &mut out);
            out.push_str(before);
            out.push_str("=?");
            rest = &from[2..];
            continue;
        };
        let joins = open.is_some() && before.trim().is_empty();
        match &mut open {
            Some((charset, bytes))
                if joins
                    && charset.eq_ignore_ascii_case(word.charset)
                    && !is_whole(charset, bytes) =>
            {
                bytes.extend(word.bytes());
            }
            _ => {
                close(&mut open, &mut out);
                out.push_str(if joins { "" } else { before });
                open = Some((word.charset, word.bytes()));
            }
        }
        rest = behind;
    }
    close(&mut open, &mut out);
    out + rest
}

/// Whether octets make whole characters: then the next word is one of its own (in ISO-2022-JP each
/// begins and ends in ASCII).
fn is_whole(name: &str, bytes: &[u8]) -> bool {
    let text = charset(name)
        .and_then(|charset| charset.decode_without_bom_handling_and_without_replacement(bytes));
    text.is_some()
}

/// Adds what has been gathered in one charset.
fn close(open: &mut Option<(&str, Vec<u8>)>, out: &mut String) {
    if let Some((name, bytes)) = open.take() {
        match charset(name) {
            Some(charset) => out.push_str(&charset.decode_without_bom_handling(&bytes).0),
            None => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

/// `=?charset?encoding?data?=`
struct Word<'t> {
    charset: &'t str,
    is_base64: bool,
    data: &'t str,
}

impl<'t> Word<'t> {
    /// The word at the beginning of `text`, and what stands behind it.
    fn parse(text: &'t str) -> Option<(Self, &'t str)> {
        let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
        let (encoding, rest) = rest.split_once('?')?;
        let (data, rest) = rest.split_once('?')?;
        let is_base64 = match encoding {
            "b" | "B" => true,
            "q" | "Q" => false,
            _ => return None,
        };
        // RFC 2231, 5: a language may stand behind the charset.
        let charset = charset.split('*').next().unwrap_or_default();
        let word = Self {
            charset,
            is_base64,
            data,
        };
        Some((word, rest.strip_prefix('=')?))
    }

    fn bytes(&self) -> Vec<u8> {
        let bytes = if self.is_base64 {
            super::dkim::BASE64.decode(self.data.trim()).ok()
        } else {
            quoted(self.data.as_bytes())
        };
        // No charset has this octet alone: it becomes U+FFFD, or a control character.
        bytes.unwrap_or_else(|| vec![0xff, 0])
    }
}

/// The Q encoding: `_` is a space.
fn quoted(data: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(data.len());
    let mut at = 0;
    while let Some(&byte) = data.get(at) {
        at += 1;
        match byte {
            b'_' => bytes.push(b' '),
            b'=' => {
                bytes.push(super::text::hex_pair(data.get(at..at + 2)?)?);
                at += 2;
            }
            byte => bytes.push(byte),
        }
    }
    Some(bytes)
}
