//! The elements that are open, and the lines that their text makes.
//!
//! Knows where lines end, and in which element text stands. Never knows why a style hides: `css`
//! does. Its tags and texts come from `html`, one after the other.

use super::super::css::{Element, Look, Sheet, Style};
use super::super::quote::Quotes;
use super::super::text::Line;
use super::elements::{Kind, QUOTES, QUOTES_BELOW, kind};

/// Elements that may be open at once: what browsers allow.
const MAX_OPEN: usize = 512;
/// Where a cell begins, in a line that is being gathered: no text has it.
const CELL: &str = "\u{1f}";
/// Where hidden text stands between seen one: invisible around labels and values, and no part of one.
const HIDDEN_HERE: char = '\u{200b}';

/// An element that is open, and how text in it looks.
struct Open {
    element: Element,
    kind: Kind,
    look: Look,
    silent: bool,
    keeps_lines: bool,
    breaks: bool,
}

impl Open {
    fn is(&self, name: &str) -> bool {
        self.element.name == name
    }
}

/// A page that is being read.
pub(super) struct Page<'s> {
    sheet: &'s Sheet,
    open: Vec<Open>,
    /// Nested deeper than any mail: from here on nothing is known to be seen.
    lost: bool,
    /// Something may lie over any text: nothing is known to be seen.
    covered: bool,
    seen: String,
    unseen: String,
    lines: Vec<Line>,
    quotes: Quotes,
}

impl<'s> Page<'s> {
    pub(super) fn new(sheet: &'s Sheet) -> Self {
        let mut page = Self {
            sheet,
            open: Vec::new(),
            lost: false,
            covered: false,
            seen: String::new(),
            unseen: String::new(),
            lines: Vec::new(),
            quotes: Quotes::default(),
        };
        // A browser opens them, whether the source does or not.
        for name in ["html", "body"] {
            page.open(Element {
                name: name.to_owned(),
                attributes: Vec::new(),
            });
        }
        page
    }

    /// Whether the tokenizer took tags for text here.
    pub(super) fn is_raw(&self) -> bool {
        self.open.last().is_some_and(|open| open.kind.raw)
    }

    /// Takes lines that only some readers show.
    pub(super) fn add_unseen(&mut self, lines: Vec<Line>) {
        let unseen = lines.into_iter().map(|line| Line {
            visible: false,
            ..line
        });
        self.lines.extend(unseen);
    }

    pub(super) fn open(&mut self, element: Element) {
        let kind = kind(&element.name);
        let is_like = |open: &Open| open.is(&element.name);
        if kind.closed_by_its_like && self.open.last().is_some_and(is_like) {
            self.open.pop();
        }
        let style = self.style(&element);
        let breaks = kind.block || style.breaks();
        if breaks || matches!(element.name.as_str(), "br" | "hr") {
            self.end_line();
        }
        if kind.cell {
            self.push(CELL);
        }
        let inherited = self.open.last();
        let mut look = inherited.map_or_else(Look::default, |open| open.look.within(&style));
        look.hidden |= kind.unseen || hides_inside(&element);
        self.covered |= style.covers() && !look.is_hidden() && !is_dot(&element);
        if kind.void {
            return;
        }
        // Attributes of a late <body> are those of the one around everything.
        let is_root = matches!(element.name.as_str(), "html" | "body");
        self.covered |= is_root && look.is_hidden() && self.has_text();
        self.quotes.begun |= is_quoted_below(&element);
        self.push_open(element, kind, look, &style, breaks);
    }

    fn push_open(&mut self, element: Element, kind: Kind, look: Look, style: &Style, breaks: bool) {
        if self.open.len() == MAX_OPEN {
            self.lost = true;
            return;
        }
        let around = self.open.last();
        let keeps_lines = around.is_some_and(|open| open.keeps_lines) || kind.keeps_lines;
        let open = Open {
            silent: around.is_some_and(|open| open.silent) || kind.silent,
            keeps_lines: style.keeps_lines().unwrap_or(keeps_lines),
            element,
            kind,
            look,
            breaks,
        };
        self.open.push(open);
    }

    /// Style sheet, then attributes, then the element's own style.
    fn style(&self, element: &Element) -> Style {
        let mut style = Style::default();
        if !self.sheet.is_empty() {
            let around = self.open.iter().map(|open| &open.element);
            let path: Vec<&Element> = around.chain([element]).collect();
            style = self.sheet.style(&path);
        }
        for (name, value) in &element.attributes {
            match (name.as_str(), element.name.as_str()) {
                ("hidden", _) => style.hide(),
                ("bgcolor", _) => style.take_background(value),
                ("color", "font" | "basefont") | ("text", "body") => style.take_color(value),
                ("style", _) => style.take_inline(value),
                _ => {}
            }
        }
        style
    }

    fn has_text(&self) -> bool {
        !self.seen.trim().is_empty() || self.lines.iter().any(|line| !line.text.is_empty())
    }

    /// Closes the nearest element of that name, as browsers do (WHATWG HTML, 13.2.6.4.7): an end tag
    /// does not reach out of a table's cell, one of running text closes no block around the text, a
    /// style that is open when a block ends goes on behind it, and a body does not end.
    pub(super) fn close(&mut self, name: &str) {
        let kind = kind(name);
        let mut breaks = kind.block;
        let found = self.open.iter().rposition(|open| open.is(name));
        if let Some(at) = found.filter(|_| !matches!(name, "html" | "body")) {
            breaks |= self.open[at].breaks;
            let above = &self.open[at + 1..];
            let in_cell = above.iter().any(|open| open.kind.cell);
            let in_block = above.iter().any(|open| open.kind.block);
            if kind.cell || kind.table {
                self.open.truncate(at);
            } else if kind.block && !in_cell {
                let going_on = self.open.split_off(at).into_iter().skip(1);
                self.open.extend(going_on.filter(|open| open.kind.styling));
            } else if !in_cell && (!in_block || kind.styling) {
                self.open.remove(at);
            }
        }
        if breaks {
            self.end_line();
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        let keeps_lines = self.open.last().is_some_and(|open| open.keeps_lines);
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                if keeps_lines {
                    self.end_line();
                } else {
                    self.push(" ");
                }
            }
            self.push(line.trim_end_matches('\r'));
        }
    }

    fn push(&mut self, text: &str) {
        match self.open.last() {
            Some(open) if open.silent => {}
            Some(open) if self.lost || open.look.is_hidden() => {
                self.unseen.push_str(text);
                // Hidden text within a value must not go unnoticed.
                if !text.trim().is_empty() && text != CELL && !self.seen.is_empty() {
                    self.seen.push(HIDDEN_HERE);
                }
            }
            _ => self.seen.push_str(text),
        }
    }

    /// Ends the line: what was seen, then what was not.
    fn end_line(&mut self) {
        let text = collapse(self.seen.trim_end_matches([HIDDEN_HERE, ' ']));
        self.seen.clear();
        let visible = self.quotes.is_own(&text);
        self.lines.push(Line { text, visible });
        let unseen = collapse(&self.unseen);
        self.unseen.clear();
        if !unseen.is_empty() {
            self.lines.push(Line {
                text: unseen,
                visible: false,
            });
        }
    }

    pub(super) fn finish(mut self) -> Vec<Line> {
        self.end_line();
        if self.covered {
            self.lines.iter_mut().for_each(|line| line.visible = false);
        }
        self.lines
    }
}

/// What an element's attributes hide, or show another way than it stands there.
fn hides_inside(element: &Element) -> bool {
    let is_quote = || QUOTES.iter().any(|class| element.has_class(class));
    match element.name.as_str() {
        "details" | "dialog" => element.attribute("open").is_none(),
        "bdo" => element
            .attribute("dir")
            .is_none_or(|dir| !dir.eq_ignore_ascii_case("ltr")),
        _ => element.attribute("class").is_some() && is_quote(),
    }
}

/// A picture of a dot, such as one that tells when a mail is read.
fn is_dot(element: &Element) -> bool {
    let is_small = |name: &str| {
        let size = element
            .attribute(name)
            .and_then(|size| size.parse::<u32>().ok());
        size.is_some_and(|size| size < 4)
    };
    element.name == "img" && (is_small("width") || is_small("height"))
}

fn is_quoted_below(element: &Element) -> bool {
    let id = element.attribute("id").unwrap_or_default();
    QUOTES_BELOW
        .iter()
        .any(|quote| id.eq_ignore_ascii_case(quote))
}

/// Runs of white space are one space (CSS Text, 4.1.1); a cell's beginning is a tab.
fn collapse(text: &str) -> String {
    let mut line = String::new();
    for (number, cell) in text.split(CELL).enumerate() {
        if number > 0 && !line.is_empty() {
            line.push('\t');
        }
        for (number, word) in cell.split_ascii_whitespace().enumerate() {
            if number > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line.truncate(line.trim_end_matches('\t').len());
    line
}
