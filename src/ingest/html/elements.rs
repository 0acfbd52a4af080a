//! What HTML elements are, by their names: a table.
//!
//! Knows which break lines, which are not shown, which hold quoted mail. Never knows style: it may
//! say otherwise. Its names are those of WHATWG HTML.

use std::collections::HashMap;
use std::sync::LazyLock;

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
    "dialog",
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
    "hgroup",
    "html",
    "legend",
    "li",
    "listing",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "plaintext",
    "pre",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
    "xmp",
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
    "marquee",
    "math",
    "meter",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "option",
    "progress",
    "rp",
    "s",
    "select",
    "strike",
    "svg",
    "template",
    "textarea",
    "title",
    "video",
];
/// Elements whose inside a tokenizer takes for text, tags and all; some readers do not.
const RAW: &[&str] = &[
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "textarea",
    "title",
    "xmp",
];
/// Elements that keep the line ends of the source.
const LINE_KEEPERS: &[&str] = &["listing", "plaintext", "pre", "xmp"];
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
/// What mail programs put around a mail that they quote.
pub(super) const QUOTES: &[&str] = &[
    "gmail_quote",
    "gmail_quote_container",
    "gmail_attr",
    "yahoo_quoted",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "moz-cite-prefix",
    "moz-forward-container",
    "moz-email-headers-table",
    "OutlookMessageHeader",
    "gmail_extra",
];
/// What Outlook puts above a mail that it quotes.
pub(super) const QUOTES_BELOW: &[&str] = &[
    "divrplyfwdmsg",
    "appendonsend",
    "mail-editor-reference-message-container",
];

/// What an element is, by its name: one look-up for each tag.
#[derive(Clone, Copy, Default)]
pub(super) struct Kind {
    pub(super) block: bool,
    pub(super) void: bool,
    pub(super) silent: bool,
    pub(super) unseen: bool,
    pub(super) raw: bool,
    pub(super) keeps_lines: bool,
    pub(super) styling: bool,
    pub(super) cell: bool,
    pub(super) table: bool,
    pub(super) closed_by_its_like: bool,
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
    mark(RAW, |kind| kind.raw = true);
    mark(LINE_KEEPERS, |kind| kind.keeps_lines = true);
    mark(STYLING, |kind| kind.styling = true);
    mark(CELLS, |kind| kind.cell = true);
    mark(TABLE, |kind| kind.table = true);
    mark(CLOSED_BY_THEIR_LIKE, |kind| kind.closed_by_its_like = true);
    kinds
});

pub(super) fn kind(name: &str) -> Kind {
    KINDS.get(name).copied().unwrap_or_default()
}
