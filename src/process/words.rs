//! A program's last words, fit for an error text.
//!
//! Knows how to bound, redact and escape. Never lets through the token, control characters or more
//! than one line. Bytes come from the program's standard error.

use zeroize::Zeroizing;

use crate::ingest::redact::redacted;
use crate::ingest::token::{MAX_LEN, Token};
use crate::plain::plain;

/// Bytes of standard error that are kept: the end of it.
pub(super) const KEPT: usize = 8 * 1024;

/// `: "…"` with the last line that says something, or nothing. `whole`: nothing was cut off in front.
pub(super) fn last(stderr: &[u8], whole: bool, token: Option<&Token>) -> String {
    // NOTE: a token whose first half was cut off would not be recognised.
    let skipped = if whole { 0 } else { MAX_LEN.min(stderr.len()) };
    let text = Zeroizing::new(String::from_utf8_lossy(&stderr[skipped..]).into_owned());
    let text = match token {
        Some(token) => text.replace(token.expose(), "(token)"),
        // A program that is read from, and fails, may have put anything into its complaint.
        None => redacted(&text),
    };
    match text.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => format!(": \"{}\"", plain(line)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUvWx";

    fn token() -> Token {
        Token::new(TOKEN).unwrap()
    }

    #[test]
    fn the_last_line_is_told_without_the_token() {
        let stderr = format!("first\ncannot store {TOKEN}!\n\n");
        assert_eq!(
            last(stderr.as_bytes(), true, Some(&token())),
            ": \"cannot store (token)!\""
        );
        assert_eq!(last(b"", true, None), "");
    }

    #[test]
    fn of_a_token_that_is_not_known_nothing_is_told_either() {
        let stderr = format!("gpg: no key for {TOKEN}, see /etc/keys\n");
        let told = last(stderr.as_bytes(), true, None);
        assert!(
            !told.contains(TOKEN) && told.contains("see /etc/keys"),
            "{told}"
        );
    }

    #[test]
    fn a_token_cut_by_the_bound_is_not_told() {
        let stderr = format!("{}{}", &TOKEN[5..], "x".repeat(KEPT));
        assert!(!last(&stderr.as_bytes()[..KEPT], false, Some(&token())).contains(&TOKEN[5..]));
    }

    #[test]
    fn a_terminal_is_not_driven() {
        let told = last(b"\x1b[2Jbell\x07\xe2\x80\xae", true, None);
        assert!(!told.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{told:?}");
    }
}
