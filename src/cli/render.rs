//! Text for people: escaped, and coloured only where that helps.
//!
//! Knows which characters could fool a terminal or a reader of a log. Never decides what is said.
//! Untrusted texts come from mails, servers and file names.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text in which nothing can move a cursor, hide or turn letters: such characters are shown as
/// `\u{202e}`, line ends as `\n`.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            letter if !is_unsafe(letter) => safe.push(letter),
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            letter => {
                let _ = write!(safe, "\\u{{{:x}}}", letter as u32);
            }
        }
    }
    safe.into()
}

/// Control characters, and those that show nothing or change the direction (Unicode's `Cf`, as far
/// as they can mislead; UTR 36 and the "Trojan Source" paper of 2021).
pub(crate) fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A colour of the terminal's own palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Good.
    Green,
    /// Bad.
    Red,
    /// Look here.
    Yellow,
}

/// Whether and how to colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    colours: bool,
}

impl Style {
    /// Colours for a terminal, unless `NO_COLOR` (no-color.org: set and not empty) or `TERM=dumb`.
    pub(crate) fn new(terminal: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            colours: terminal && !no_color && !dumb,
        }
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colours: false };

    /// Colours, wherever it is.
    #[cfg(test)]
    pub(crate) const COLOURED: Self = Self { colours: true };

    /// The text in a colour, or as it is.
    pub(crate) fn paint(self, colour: Colour, text: &str) -> Cow<'_, str> {
        if !self.colours {
            return text.into();
        }
        let number = match colour {
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
        };
        format!("\u{1b}[1;{number}m{text}\u{1b}[0m").into()
    }
}
