//! Text that was broken into short lines for transport (`format=flowed`, RFC 3676).
//!
//! Knows soft line breaks, space-stuffing and quote depths. Never joins two `label: value` lines, nor
//! two halves of a value: no reader may see a token that another one does not. Its text is a decoded
//! plain-text part.

use super::token::MIN_LEN;

/// The text with its soft line breaks undone; with `delete_space` (DelSp) the blank in front of one
/// is no text.
pub(super) fn joined(text: &str, delete_space: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    // The quote depth of a line that goes on.
    let mut open: Option<usize> = None;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        let content = content.strip_prefix(' ').unwrap_or(content);
        match lines
            .last_mut()
            .filter(|last| open == Some(depth) && may_join(last, content))
        {
            Some(last) => {
                if delete_space && !makes_a_token(last, content) {
                    last.pop();
                }
                last.push_str(content);
            }
            None => lines.push(format!("{}{content}", &line[..depth])),
        }
        let is_soft = content.ends_with(' ') && content != "-- ";
        open = is_soft.then_some(depth);
    }
    lines.join("\n")
}

/// Not over an empty line, and not when both are lines of their own.
fn may_join(before: &str, content: &str) -> bool {
    let is_entry = |text: &str| {
        let parts = text.split_once([':', '：']);
        parts.is_some_and(|(_, value)| !value.trim().is_empty())
    };
    let are_two = content.contains([':', '：']) && is_entry(before);
    !are_two && !content.trim().is_empty()
}

/// Whether letters and digits would meet, and make a run as long as a token.
fn makes_a_token(before: &str, content: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric();
    let before = before.trim_end_matches(' ').bytes().rev();
    let (left, right) = (
        before.take_while(is_part).count(),
        content.bytes().take_while(is_part).count(),
    );
    left > 0 && right > 0 && left + right >= MIN_LEN
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(joined(text, false), expected, "{text:?}");
    }

    #[test]
    fn soft_breaks_are_undone() {
        check("one \r\ntwo\r\nthree", "one two\nthree");
        check("Security \nkey (a \nb): \nabc", "Security key (a b): abc");
        check(
            " > stuffed\n> quoted \n>more \nmine",
            "> stuffed\n>quoted more \nmine",
        );
        check("-- \nname", "-- \nname");
        check("one \n\ntwo", "one \n\ntwo");
    }

    #[test]
    fn two_lines_of_their_own_stay_two() {
        check(
            "Username: u@x \nSecurity token: abc \n",
            "Username: u@x \nSecurity token: abc \n",
        );
    }

    #[test]
    fn no_token_is_made_of_two_halves() {
        assert_eq!(
            joined("Security token: abcdefgh \nijklmnop", true),
            "Security token: abcdefgh ijklmnop"
        );
        assert_eq!(
            joined("セキュリティ \nトークン: abc", true),
            "セキュリティトークン: abc"
        );
    }
}
