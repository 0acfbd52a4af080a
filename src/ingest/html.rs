//! The lines of an HTML part, and which of them a person can see.
//!
//! Knows elements that break lines, that are quoted, and that are not shown. Never runs scripts,
//! loads anything, or takes text from comments. Its text comes decoded from `text`, its tokens from
//! a WHATWG tokenizer, so that a comment is a comment where browsers say so.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

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

/// The lines of an HTML text. Hidden text makes lines of its own.
pub(super) fn lines(html: &str) -> Vec<Line> {
    let sheet = style_sheet(html);
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
    look: Look,
    silent: bool,
}

struct Page<'s> {
    sheet: &'s Sheet,
    open: Vec<Open>,
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
            seen: String::new(),
            unseen: String::new(),
            lines: Vec::new(),
            forwarded: false,
        }
    }

    fn open(&mut self, tag: &StartTag<()>) {
        let name = utf8(&tag.name);
        if BLOCKS.contains(&name.as_str()) || matches!(name.as_str(), "br" | "hr") {
            self.end_line();
        }
        if matches!(name.as_str(), "td" | "th") {
            self.push(" ");
        }
        if VOIDS.contains(&name.as_str()) {
            return;
        }
        let inherited = self.open.last();
        let mut look = inherited.map_or(Look::default(), |open| open.look);
        look.apply(&self.style(tag, &name));
        look.hidden |= UNSEEN.contains(&name.as_str());
        let silent = inherited.is_some_and(|open| open.silent) || SILENT.contains(&name.as_str());
        self.open.push(Open { name, look, silent });
    }

    /// Style sheet, then attributes, then the element's own style.
    fn style(&self, tag: &StartTag<()>, name: &str) -> Style {
        let attribute = |wanted: &[u8]| {
            let found = tag
                .attributes
                .iter()
                .find(|(name, _)| name.as_slice() == wanted);
            found.map(|(_, value)| String::from_utf8_lossy(&value.value).into_owned())
        };
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

    /// Closes the nearest element of that name; an end tag without one closes nothing.
    fn close(&mut self, name: &str) {
        let nearest = self.open.iter().rposition(|open| open.name == name);
        if let Some(at) = nearest {
            self.open.truncate(at);
        }
        if BLOCKS.contains(&name) {
            self.end_line();
        }
    }

    fn text(&mut self, text: &str) {
        let keeps_lines = self.open.iter().any(|open| open.name == "pre");
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
            Some(open) if open.look.is_hidden() => self.unseen.push_str(text),
            _ => self.seen.push_str(text),
        }
    }

    /// Ends the line: what was seen, then what was not.
    fn end_line(&mut self) {
        let seen = collapse(&std::mem::take(&mut self.seen));
        self.forwarded |= is_forward_mark(&seen);
        let visible = !self.forwarded && !seen.starts_with('>');
        self.lines.push(Line {
            text: seen,
            visible,
        });
        let unseen = collapse(&std::mem::take(&mut self.unseen));
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

/// Runs of white space are one space (CSS Text, 4.1.1).
fn collapse(text: &str) -> String {
    text.split([' ', '\t', '\r', '\n', '\u{c}'])
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn utf8(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
