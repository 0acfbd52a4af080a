//! Which line ends may announce a literal.
//!
//! Knows the few forms in which a server may announce a literal in answer to what we ask. Never sees
//! the literal itself. Its data comes from [`Guard`](super::guard::Guard), a piece of a line at a time.
//!
//! `{n}` at the end of a line is a literal only where the grammar wants a string; in a response text it
//! is text. Whoever skips n bytes there skips what the parser will read: `* OK {500}` and then 400
//! parentheses would pass. imap-proto even takes an unknown FETCH attribute's value across line ends.
//! So the whole line up to the announcement must have a form that can be read in one way only; a
//! literal anywhere else is refused.

/// The largest piece of a line that may announce a literal: ours need about 250 bytes.
pub(super) const MAX_PIECE: usize = 1024;

/// Which response a piece of a line continues after a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// None: the piece begins a response.
    Start,
    /// A FETCH response.
    Fetch,
    /// A LIST or STATUS response, whose mailbox name was the literal.
    Name,
}

/// The size in `{n}` at the end of a piece (without its line end), or `None`.
pub(super) fn announced(piece: &[u8]) -> Option<u64> {
    let inner = piece.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|&b| b == b'{')?;
    let digits = inner.get(open + 1..)?;
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    // more digits than a u64 holds are still an announcement, of too much
    all_digits.then(|| {
        str::from_utf8(digits)
            .ok()
            .and_then(|d| d.parse().ok())
            .unwrap_or(u64::MAX)
    })
}

/// Whether a piece that announces a literal is one of the known forms; what it is then part of.
pub(super) fn is_expected(piece: &[u8], within: Within) -> Option<Within> {
    let text = str::from_utf8(piece).ok()?.to_ascii_uppercase();
    let open = text.rfind('{')?;
    let before = text.get(..open)?;
    match within {
        Within::Start if names_mailbox(before) => Some(Within::Name),
        Within::Start => fetch_items(fetch_start(before)?).then_some(Within::Fetch),
        Within::Fetch => fetch_items(before.strip_prefix(' ')?).then_some(Within::Fetch),
        Within::Name => None,
    }
}

/// `* LIST (flags) "/" ` or `* STATUS `.
fn names_mailbox(before: &str) -> bool {
    let list = || {
        let rest = before.strip_prefix("* LIST ")?;
        let (_, delimiter) = group(rest)?;
        matches!(delimiter, " NIL ").then_some(()).or_else(|| {
            let inner = delimiter.strip_prefix(" \"")?.strip_suffix("\" ")?;
            (inner.len() == 1 && inner != "\"" || inner == "\\\\" || inner == "\\\"").then_some(())
        })
    };
    before == "* STATUS " || list().is_some()
}

/// What follows `* n FETCH (`.
fn fetch_start(before: &str) -> Option<&str> {
    let rest = before.strip_prefix("* ")?;
    let rest = number(rest)?;
    rest.strip_prefix(" FETCH (")
}

/// Any number of known attributes with their values, then `BODY[…] `, whose value is the literal.
fn fetch_items(mut rest: &str) -> bool {
    loop {
        match item(rest) {
            Some("") => return true,
            Some(next) => rest = next,
            None => return false,
        }
    }
}

/// One attribute and its value with the space behind it, or `BODY[…] ` alone at the end.
fn item(text: &str) -> Option<&str> {
    let after = if let Some(rest) = text.strip_prefix("BODY[") {
        let value = section(rest)?.strip_prefix(' ')?;
        if value.is_empty() {
            return Some("");
        }
        nstring(value)?
    } else if let Some(rest) = text.strip_prefix("INTERNALDATE ") {
        nstring(rest)?
    } else if let Some(rest) = text
        .strip_prefix("FLAGS ")
        .or_else(|| text.strip_prefix("MODSEQ "))
    {
        group(rest)?.1
    } else {
        number(
            text.strip_prefix("UID ")
                .or_else(|| text.strip_prefix("RFC822.SIZE "))?,
        )?
    };
    after.strip_prefix(' ')
}

/// `]`, `HEADER]`, `HEADER.FIELDS (NAME NAME)]`, each also with `<0>`.
fn section(text: &str) -> Option<&str> {
    let word = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .unwrap_or(text.len());
    let mut rest = text.get(word..)?;
    if let Some(list) = rest.strip_prefix(' ') {
        rest = group(list)?.1;
    }
    let rest = rest.strip_prefix(']')?;
    match rest.strip_prefix('<') {
        Some(origin) => number(origin)?.strip_prefix('>'),
        None => Some(rest),
    }
}

/// A parenthesised list without parentheses, literals or anything odd inside.
fn group(text: &str) -> Option<(&str, &str)> {
    let (inside, rest) = text.strip_prefix('(')?.split_once(')')?;
    (!inside.contains(['(', '{', '\r', '\n'])).then_some((inside, rest))
}

/// `NIL`, or a quoted string without escapes.
fn nstring(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix("NIL") {
        return Some(rest);
    }
    let (inside, rest) = text.strip_prefix('"')?.split_once('"')?;
    (!inside.contains(['\\', '\r', '\n'])).then_some(rest)
}

/// What follows one or more digits.
fn number(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    if end == 0 { None } else { text.get(end..) }
}

#[cfg(test)]
#[path = "announce_tests.rs"]
mod tests;
