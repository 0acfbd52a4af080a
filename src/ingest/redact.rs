//! Texts of a mail without what could be a token.
//!
//! Knows how a random run of letters and digits differs from words and names. Never knows the token:
//! a mail that is refused may hold one at any place. Its texts are headers, which are shown to people.

use super::label::kind;
use super::token::MIN_LEN;

/// The text without what could be a token: who forwards one may have put it into the subject.
pub(super) fn without_secrets(text: String) -> String {
    let is_part = |ch: char| ch.is_ascii_alphanumeric();
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(begin) = rest.find(is_part) {
        let end = rest[begin..].find(|ch| !is_part(ch));
        let end = end.map_or(rest.len(), |end| begin + end);
        kept.push_str(&rest[..begin]);
        match may_be_token(&rest[begin..end]) {
            true => kept.push_str("(like a token, not shown)"),
            false => kept.push_str(&rest[begin..end]),
        }
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

/// A long run in which capital letters, small letters and digits alternate, or all three occur: no
/// word, and hardly a name.
fn may_be_token(run: &str) -> bool {
    let kinds: Vec<u8> = run.bytes().map(kind).collect();
    let changes = kinds.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let all = [b'0', b'A', b'a'].iter().all(|kind| kinds.contains(kind));
    run.len() >= MIN_LEN && (all || changes * 4 > run.len())
}
