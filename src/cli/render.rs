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

/// Longer texts of a mail are cut: nobody reads on, and a page is to stay one.
const MAX_TEXT: usize = 160;

/// A text of the mail for a page: escaped, and cut.
pub(crate) fn clipped(text: &str) -> String {
    let mut letters = text.chars();
    let short: String = letters.by_ref().take(MAX_TEXT).collect();
    let mut safe = escape(&short).into_owned();
    match letters.count() {
        0 => {}
        more => drop(write!(safe, "… ({more} more characters)")),
    }
    safe
}

/// How many columns a letter takes: East Asian ones take two. Near enough to break lines by.
fn columns(letter: char) -> usize {
    1 + usize::from(matches!(letter,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}' | '\u{1f000}'..='\u{3ffff}'))
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

/// Whether to colour, and where to break lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    colours: bool,
    /// Columns of the terminal; elsewhere lines stay whole.
    width: Option<usize>,
}

impl Style {
    /// Colours for a terminal, unless `NO_COLOR` (no-color.org: set and not empty) or `TERM=dumb`.
    pub(crate) fn new(terminal: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let size = terminal.then(terminal_size::terminal_size).flatten();
        Self {
            colours: terminal && !no_color && !dumb,
            width: size.map(|(width, _)| usize::from(width.0)),
        }
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self {
        colours: false,
        width: None,
    };

    /// Colours, wherever it is.
    #[cfg(test)]
    pub(crate) const COLOURED: Self = Self {
        colours: true,
        width: None,
    };

    /// A terminal without colours, so wide.
    #[cfg(test)]
    pub(crate) const fn wide(columns: usize) -> Self {
        Self {
            colours: false,
            width: Some(columns),
        }
    }

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

    /// The text with line ends where it would run over the terminal's edge, if it begins at the
    /// column `at`; what follows begins at the column `hang`. A word that is longer than a line is
    /// broken as well: text of a mail must never begin a line of its own.
    pub(crate) fn fold(self, text: &str, at: usize, hang: usize) -> Cow<'_, str> {
        let Some(width) = self.width else {
            return text.into();
        };
        // A terminal of a few columns shows nothing well; one letter a line would be worse.
        let width = width.max(hang + 20);
        let mut lines = Lines {
            text: String::new(),
            at,
            hang,
            width,
        };
        for word in text.split_inclusive([' ', '\n']) {
            lines.word(word);
        }
        lines.text.into()
    }
}

/// Text that is being broken into lines.
struct Lines {
    text: String,
    at: usize,
    hang: usize,
    width: usize,
}

impl Lines {
    /// Adds a word and the blank or line end behind it. A blank never ends a line: at the edge it
    /// is left out.
    fn word(&mut self, word: &str) {
        let bare = word.trim_end_matches([' ', '\n']);
        let length: usize = bare.chars().map(columns).sum();
        if length > 0 && self.at + length > self.width && self.at > self.hang {
            self.end_line();
        }
        for letter in word.chars() {
            let over = self.at + columns(letter) > self.width;
            match letter {
                '\n' => self.at = 0,
                ' ' if over => continue,
                _ if over => self.end_line(),
                _ => {}
            }
            self.text.push(letter);
            self.at += columns(letter) * usize::from(letter != '\n');
        }
    }

    fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n(' ', self.hang));
        self.at = self.hang;
    }
}
