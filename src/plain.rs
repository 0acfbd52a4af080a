//! Other programs' words, fit for an error text.
//!
//! Knows which characters drive a terminal. Never lets one through, nor more than a line's worth.
//! Words come from programs, servers and libraries that sftoken talks to.

/// Characters that are shown.
const SHOWN: usize = 200;

/// `text` without control characters, bounded.
pub(crate) fn plain(text: &str) -> String {
    let seen = text.chars().take(SHOWN);
    seen.map(|letter| {
        if printable(letter) {
            letter
        } else {
            '\u{fffd}'
        }
    })
    .collect()
}

/// Neither a control character nor one that turns the direction of writing (Unicode UAX #9).
fn printable(letter: char) -> bool {
    let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    !letter.is_control() && !turns
}
