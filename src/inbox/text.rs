//! Text of a server, made fit for an error message.
//!
//! Knows how to escape and cut. Never decides what a text means. Its data comes from response texts.

/// The longest text that is kept of a server: enough for a sentence and a link.
const MAX_CHARS: usize = 200;

/// The text without control characters, at most [`MAX_CHARS`] of it.
///
/// Server text reaches terminals and logs; bidirectional overrides count as control characters here.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.trim().chars().enumerate() {
        if at == MAX_CHARS {
            out.push('…');
            break;
        }
        if is_plain(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
    }
    out
}

fn is_plain(c: char) -> bool {
    let steers = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !steers
}

/// A response code (RFC 5530; RFC 9051, 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Code {
    /// Its first word, in upper case.
    pub(super) word: String,
    /// What stands behind that.
    pub(super) rest: String,
}

/// Takes a response code off the front of a text: `[CODE rest] text` (the parser leaves the codes that
/// it does not know in the text, facts 4.2 row 12).
pub(super) fn split_code(text: &str) -> (Option<Code>, &str) {
    let text = text.trim_start();
    let Some((code, behind)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else {
        return (None, text);
    };
    let (word, rest) = code.split_once(' ').unwrap_or((code, ""));
    let sane = !word.is_empty()
        && word.len() <= 40
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let code = sane.then(|| Code {
        word: word.to_ascii_uppercase(),
        rest: clean(rest),
    });
    match code {
        Some(code) => (Some(code), behind.trim_start()),
        None => (None, text),
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
