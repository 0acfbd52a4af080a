//! The outermost pieces of CSS text.
//!
//! Knows quotes, brackets, braces, comments and escapes (CSS Syntax 3, 4). Never knows properties or
//! selectors. Its text is that of a `<style>` element or a `style` attribute.

use std::borrow::Cow;

/// The text without comments; one that does not end takes the rest.
pub(super) fn without_comments(css: &str) -> Cow<'_, str> {
    if !css.contains("/*") {
        return Cow::Borrowed(css);
    }
    let mut kept = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, behind)| behind);
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Where the first of `wanted` stands outside of quotes and brackets; a brace counts wherever
/// brackets stand open, as in a browser that mends them.
pub(super) fn find(text: &str, wanted: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' | b'\'' => at = quote_end(bytes, at),
            byte if wanted.contains(&byte) && (depth == 0 || matches!(byte, b'{' | b'}')) => {
                return Some(at);
            }
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the quoted string that begins at `at` ends: at its quote, or with the line.
fn quote_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 1,
            b'\n' => return end,
            byte if byte == quote => return end,
            _ => {}
        }
        end += 1;
    }
    end
}

/// What stands between braces: `text` begins behind the opening one. The rest follows.
pub(super) fn block(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    let mut from = 0;
    while let Some(next) = find(&text[from..], b"{}") {
        let at = from + next;
        match text.as_bytes()[at] {
            b'{' => depth += 1,
            _ if depth == 0 => return (&text[..at], &text[at + 1..]),
            _ => depth -= 1,
        }
        from = at + 1;
    }
    (text, "")
}

/// Pieces between separators that stand outside of quotes and brackets.
pub(super) fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = find(text, &[separator]);
        rest = at.map(|at| &text[at + 1..]);
        Some(at.map_or(text, |at| &text[..at]))
    })
}

/// Words between blanks and commas outside of quotes and brackets.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|ch: char| ch.is_ascii_whitespace() || ch == ',');
        if rest.is_empty() {
            return None;
        }
        let at = find(rest, b" \t\r\n\x0c,").unwrap_or(rest.len());
        let word = &rest[..at];
        rest = &rest[at..];
        Some(word)
    })
}

/// Escapes undone: `\6e` and `\n` are letters.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let digits = after
            .bytes()
            .take(6)
            .take_while(u8::is_ascii_hexdigit)
            .count();
        if digits == 0 {
            let letter = after.chars().next();
            plain.extend(letter);
            rest = &after[letter.map_or(0, char::len_utf8)..];
            continue;
        }
        let code = u32::from_str_radix(&after[..digits], 16).unwrap_or(0);
        plain.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = &after[digits..];
        rest = rest.strip_prefix([' ', '\t', '\n']).unwrap_or(rest);
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}
