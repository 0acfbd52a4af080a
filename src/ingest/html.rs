//! The lines of an HTML part, and which of them a person can see.
//!
//! Knows elements that break lines, that are quoted, and that are not shown. Never runs scripts,
//! loads anything, or takes text from comments. Its text comes decoded from `text`, its tokens from
//! a WHATWG tokenizer, so that a comment is a comment where browsers say so.

use std::collections::HashMap;
use std::sync::LazyLock;

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use memchr::memmem;

use super::css::{Look, Sheet, Style};
use super::text::{Line, is_forward_mark};

/// Elements that begin and end a line.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "html",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
];
/// Elements without content: they are never open.
const VOIDS: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Elements whose text is no text of the mail, shown or hidden.
const SILENT: &[&str] = &["script", "style"];
/// Elements whose text is not shown, or not as text; and quoted mail.
const UNSEEN: &[&str] = &[
    "audio",
    "blockquote",
    "button",
    "canvas",
    "datalist",
    "del",
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "option",
    "s",
    "select",
    "strike",
    "svg",
    "template",
    "textarea",
    "title",
    "video",
];

/// Elements whose style goes on when a block around them ends.
const STYLING: &[&str] = &[
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
/// Elements that end where the next of their kind begins.
const CLOSED_BY_THEIR_LIKE: &[&str] = &["p", "li", "td", "th", "tr", "dt", "dd", "option"];
/// Table cells.
const CELLS: &[&str] = &["td", "th"];
/// A table and its parts.
const TABLE: &[&str] = &["table", "tbody", "thead", "tfoot", "tr", "caption"];
/// Elements that may be open at once: what browsers allow.
const MAX_OPEN: usize = 512;
/// Where a cell begins, in a line that is being gathered: no text has it.
const CELL: &str = "\u{1f}";

/// What an element is, by its name: one look-up for each tag.
#[derive(Clone, Copy, Default)]
struct Kind {
    block: bool,
    void: bool,
    silent: bool,
    unseen: bool,
    styling: bool,
    cell: bool,
    table: bool,
    closed_by_its_like: bool,
}

static KINDS: LazyLock<HashMap<&str, Kind>> = LazyLock::new(|| {
    let mut kinds: HashMap<&str, Kind> = HashMap::new();
    let mut mark = |names: &[&'static str], set: fn(&mut Kind)| {
        for name in names {
            set(kinds.entry(name).or_default());
        }
    };
    mark(BLOCKS, |kind| kind.block = true);
    mark(VOIDS, |kind| kind.void = true);
    mark(SILENT, |kind| kind.silent = true);
    mark(UNSEEN, |kind| kind.unseen = true);
    mark(STYLING, |kind| kind.styling = true);
    mark(CELLS, |kind| kind.cell = true);
    mark(TABLE, |kind| kind.table = true);
    mark(CLOSED_BY_THEIR_LIKE, |kind| kind.closed_by_its_like = true);
    kinds
});

fn kind(name: &str) -> Kind {
    KINDS.get(name).copied().unwrap_or_default()
}

/// The lines of an HTML text. Hidden text makes lines of its own.
pub(super) fn lines(html: &str) -> Vec<Line> {
    let sheet = match memmem::find(html.to_ascii_lowercase().as_bytes(), b"<style") {
        Some(_) => style_sheet(html),
        None => Sheet::default(),
    };
    let mut page = Page::new(&sheet);
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => page.open(&tag),
            Token::EndTag(tag) => page.close(&utf8(&tag.name)),
            Token::String(text) => page.text(&String::from_utf8_lossy(&text.value)),
            _ => {}
        }
    }
    page.finish()
}

fn tokens(html: &str) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(html, emitter).map(|token| match token {
        Ok(token) => token,
        Err(never) => match never {},
    })
}

/// The rules of all `<style>` elements, wherever they stand.
fn style_sheet(html: &str) -> Sheet {
    let mut sheet = Sheet::default();
    let mut inside = false;
    for token in tokens(html) {
        match token {
            Token::StartTag(tag) => inside = tag.name.as_slice() == b"style",
            Token::String(text) if inside => sheet.add(&String::from_utf8_lossy(&text.value)),
            _ => inside = false,
        }
    }
    sheet
}

/// An element that is open, and how text in it looks.
struct Open {
    name: String,
    kind: Kind,
    look: Look,
    silent: bool,
    keeps_lines: bool,
}

struct Page<'s> {
    sheet: &'s Sheet,
    open: Vec<Open>,
    /// Nested deeper than any mail: from here on nothing is known to be seen.
    lost: bool,
    seen: String,
    unseen: String,
    lines: Vec<Line>,
    forwarded: bool,
}

impl<'s> Page<'s> {
    fn new(sheet: &'s Sheet) -> Self {
        Self {
            sheet,
            open: Vec::new(),
            lost: false,
            seen: String::new(),
            unseen: String::new(),
            lines: Vec::new(),
            forwarded: false,
        }
    }

    fn open(&mut self, tag: &StartTag<()>) {
        let name = utf8(&tag.name);
        let kind = kind(&name);
        if kind.block || matches!(name.as_str(), "br" | "hr") {
            self.end_line();
        }
        if kind.cell {
            self.push(CELL);
        }
        if kind.void {
            return;
        }
        if kind.closed_by_its_like && self.open.last().is_some_and(|open| open.name == name) {
            self.open.pop();
        }
        if self.open.len() == MAX_OPEN {
            self.lost = true;
            return;
        }
        let inherited = self.open.last();
        let mut look = inherited.map_or(Look::default(), |open| open.look);
        let silent = inherited.is_some_and(|open| open.silent) || kind.silent;
        let keeps_lines = inherited.is_some_and(|open| open.keeps_lines) || name == "pre";
        look.apply(&self.style(tag, &name));
        look.hidden |= kind.unseen;
        self.open.push(Open {
            name,
            kind,
            look,
            silent,
            keeps_lines,
        });
    }

    /// Style sheet, then attributes, then the element's own style.
    fn style(&self, tag: &StartTag<()>, name: &str) -> Style {
        let attribute = |wanted: &[u8]| {
            let found = tag.attributes.get(wanted);
            found.map(|value| String::from_utf8_lossy(&value.value).into_owned())
        };
        if tag.attributes.is_empty() && self.sheet.is_empty() {
            return Style::default();
        }
        let class = attribute(b"class").unwrap_or_default();
        let mut style = self.sheet.style(name, attribute(b"id").as_deref(), &class);
        if attribute(b"hidden").is_some() {
            style.declare("display", "none");
        }
        for (attribute_name, property) in [
            (&b"bgcolor"[..], "background-color"),
            (b"color", "color"),
            (b"text", "color"),
            (b"width", "width"),
            (b"height", "height"),
        ] {
            if let Some(value) = attribute(attribute_name) {
                style.declare(property, &value);
            }
        }
        style.declare_all(&attribute(b"style").unwrap_or_default());
        style
    }

    /// Closes the nearest element of that name, as browsers do (WHATWG HTML, 13.2.6.4.7): an end tag
    /// does not reach out of a table's cell, one of running text closes no block around the text, and
    /// a style that is open when a block ends goes on behind it.
    fn close(&mut self, name: &str) {
        let kind = kind(name);
        if let Some(at) = self.open.iter().rposition(|open| open.name == name) {
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
        if kind.block {
            self.end_line();
        }
    }

    fn text(&mut self, text: &str) {
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
            Some(open) if self.lost || open.look.is_hidden() => self.unseen.push_str(text),
            _ => self.seen.push_str(text),
        }
    }

    /// Ends the line: what was seen, then what was not.
    fn end_line(&mut self) {
        let seen = collapse(&self.seen);
        self.seen.clear();
        self.forwarded |= is_forward_mark(&seen);
        let visible = !self.forwarded && !seen.starts_with('>');
        self.lines.push(Line {
            text: seen,
            visible,
        });
        let unseen = collapse(&self.unseen);
        self.unseen.clear();
        if !unseen.is_empty() {
            self.lines.push(Line {
                text: unseen,
                visible: false,
            });
        }
    }

    fn finish(mut self) -> Vec<Line> {
        self.end_line();
        self.lines
    }
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

fn utf8(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
