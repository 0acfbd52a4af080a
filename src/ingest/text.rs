//! What a person could read of a mail: its text parts, decoded strictly.
//!
//! Knows which MIME shapes a token mail may have, transfer encodings and charsets. Never looks for
//! labels or tokens. The structure is mail-parser's; the bytes are those that were verified.

use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{
    ContentType, Encoding, Header, HeaderName, Message, MessageParser, MessagePart, MimeHeaders,
    PartType,
};
use memchr::memmem;

use super::html;
use super::mail::Mail;
use super::refusal::Refusal;

/// Nesting that no token mail has; `multipart/related` around `multipart/alternative` has two.
const MAX_DEPTH: usize = 4;
/// More parts than a token mail has.
const MAX_PARTS: usize = 16;
/// More ways of showing one mail than a token mail has.
const MAX_VIEWS: usize = 8;

/// A line of text, and whether a person sees it. `Debug` does not show the text: it may be a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// The text, without its line end.
    pub text: String,
    /// `false`: hidden by style, quoted from another mail, or outside the parts.
    pub visible: bool,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("letters", &self.text.len())
            .field("visible", &self.visible)
            .finish_non_exhaustive()
    }
}

/// One way of showing the mail: `multipart/alternative` has one for each alternative.
pub type View = Vec<Line>;

/// All ways of showing the mail.
pub(super) fn views(mail: &Mail<'_>) -> Result<Vec<View>, Refusal> {
    // A parser's panic costs one mail (facts: authenticity, 0.6).
    catch_unwind(AssertUnwindSafe(|| read(mail))).unwrap_or(Err(Refusal::MimeUnexpected))
}

fn read(mail: &Mail<'_>) -> Result<Vec<View>, Refusal> {
    let message = MessageParser::new().parse(mail.raw());
    let message = message.ok_or(Refusal::BadStructure)?;
    if message.parts.len() > MAX_PARTS {
        return Err(Refusal::MimeUnexpected);
    }
    let reader = Reader {
        message: &message,
        raw: mail.raw(),
    };
    let mut views = reader.part(0, 0)?;
    let around = reader.around();
    for view in &mut views {
        view.extend(around.iter().cloned());
    }
    Ok(views)
}

struct Reader<'r, 'm> {
    message: &'r Message<'m>,
    raw: &'m [u8],
}

impl<'m> Reader<'_, 'm> {
    /// The views of one part and those below it.
    fn part(&self, id: usize, depth: usize) -> Result<Vec<View>, Refusal> {
        let part = self.message.parts.get(id).ok_or(Refusal::MimeAmbiguous)?;
        check_fields(part)?;
        if depth > MAX_DEPTH {
            return Err(Refusal::MimeUnexpected);
        }
        match &part.body {
            PartType::Multipart(children) => {
                let children: Vec<usize> = children.iter().map(|&child| child as usize).collect();
                self.container(part, &children, depth)
            }
            PartType::Text(_) | PartType::Html(_) => self.leaf(part).map(|view| vec![view]),
            _ if is_picture(part) && depth > 0 => Ok(vec![View::new()]),
            _ => Err(Refusal::MimeUnexpected),
        }
    }

    fn container(
        &self,
        part: &MessagePart<'_>,
        children: &[usize],
        depth: usize,
    ) -> Result<Vec<View>, Refusal> {
        let kind = part.content_type().ok_or(Refusal::MimeAmbiguous)?;
        self.check_closed(part, kind)?;
        let mut below = Vec::new();
        for &child in children {
            below.push(self.part(child, depth + 1)?);
        }
        match kind
            .subtype()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_str()
        {
            "alternative" => alternatives(below),
            "mixed" | "related" => side_by_side(below),
            _ => Err(Refusal::MimeUnexpected),
        }
    }

    /// A multipart must have a boundary and end with it: what stands behind a missing delimiter is
    /// read in two ways.
    fn check_closed(&self, part: &MessagePart<'_>, kind: &ContentType<'_>) -> Result<(), Refusal> {
        let boundary = kind.attribute("boundary").ok_or(Refusal::MimeAmbiguous)?;
        let close = format!("--{boundary}--");
        let body = &self.raw[(part.offset_body as usize).min(self.raw.len())..];
        let closed = memmem::find_iter(body, close.as_bytes())
            .any(|at| at == 0 || body[..at].ends_with(b"\n"));
        closed.then_some(()).ok_or(Refusal::MimeAmbiguous)
    }

    /// One text part: transfer encoding, then charset, then lines.
    fn leaf(&self, part: &MessagePart<'_>) -> Result<View, Refusal> {
        let kind = part.content_type();
        let subtype = kind.and_then(|kind| kind.subtype()).unwrap_or("plain");
        let is_html = subtype.eq_ignore_ascii_case("html");
        if !(is_html || subtype.eq_ignore_ascii_case("plain")) || is_attached(part) {
            return Err(Refusal::MimeUnexpected);
        }
        let end = (part.offset_end as usize).min(self.raw.len());
        let begin = (part.offset_body as usize).min(end);
        let bytes = decode_transfer(part, &self.raw[begin..end])?;
        let text = decode_charset(kind.and_then(|kind| kind.attribute("charset")), &bytes)?;
        Ok(if is_html {
            html::lines(&text)
        } else {
            plain_lines(&text)
        })
    }

    /// Preamble and epilogue of the outermost multipart: nobody sees them.
    fn around(&self) -> View {
        let Some((root, PartType::Multipart(children))) =
            self.message.parts.first().map(|root| (root, &root.body))
        else {
            return View::new();
        };
        let child = |id: Option<&u32>| id.and_then(|&id| self.message.parts.get(id as usize));
        let before = child(children.first()).map_or(0, |part| part.offset_header as usize);
        let after = child(children.last()).map_or(self.raw.len(), |part| part.offset_end as usize);
        let preamble = self
            .raw
            .get(root.offset_body as usize..before)
            .unwrap_or_default();
        let epilogue = self.raw.get(after..).unwrap_or_default();
        [preamble, epilogue]
            .into_iter()
            .flat_map(|bytes| plain_lines(&String::from_utf8_lossy(bytes)))
            .map(|line| Line {
                visible: false,
                ..line
            })
            .collect()
    }
}

/// Each alternative is a view of its own.
fn alternatives(below: Vec<Vec<View>>) -> Result<Vec<View>, Refusal> {
    let views: Vec<View> = below.into_iter().flatten().collect();
    let fits = (1..=MAX_VIEWS).contains(&views.len());
    fits.then_some(views).ok_or(Refusal::MimeUnexpected)
}

/// Parts side by side are read one after the other, in each view of each.
fn side_by_side(below: Vec<Vec<View>>) -> Result<Vec<View>, Refusal> {
    let mut views = vec![View::new()];
    for choices in below {
        let mut longer = Vec::new();
        for view in &views {
            for choice in &choices {
                longer.push([view.as_slice(), choice.as_slice()].concat());
            }
        }
        if longer.len() > MAX_VIEWS {
            return Err(Refusal::MimeUnexpected);
        }
        views = longer;
    }
    Ok(views)
}

/// A MIME field or parameter that stands twice can be read in two ways.
fn check_fields(part: &MessagePart<'_>) -> Result<(), Refusal> {
    let count = |name: &HeaderName<'_>| {
        part.headers
            .iter()
            .filter(|field| field.name == *name)
            .count()
    };
    let once = [
        HeaderName::ContentType,
        HeaderName::ContentTransferEncoding,
        HeaderName::ContentDisposition,
    ];
    let names_once = part.content_type().is_none_or(|kind| {
        ["boundary", "charset"].iter().all(|name| {
            let same =
                |attribute: &&mail_parser::Attribute<'_>| attribute.name.eq_ignore_ascii_case(name);
            kind.attributes()
                .unwrap_or_default()
                .iter()
                .filter(same)
                .count()
                <= 1
        })
    });
    let fine = names_once && once.iter().all(|name| count(name) <= 1);
    fine.then_some(()).ok_or(Refusal::MimeAmbiguous)
}

/// A file, by its disposition or its name: nothing is taken from it.
fn is_attached(part: &MessagePart<'_>) -> bool {
    let disposed = part
        .content_disposition()
        .is_some_and(|how| !how.is_inline());
    disposed || part.attachment_name().is_some()
}

/// A picture beside the text, such as a logo, says nothing.
fn is_picture(part: &MessagePart<'_>) -> bool {
    let kind = part.content_type();
    kind.is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image"))
        && part
            .content_disposition()
            .is_none_or(ContentType::is_inline)
}

/// Undoes the transfer encoding (RFC 2045, 6); unlike most readers, without guessing.
fn decode_transfer(part: &MessagePart<'_>, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let named = part
        .headers
        .iter()
        .find(|field| field.name == HeaderName::ContentTransferEncoding);
    let name = named.map_or("7bit", header_word).to_ascii_lowercase();
    match (part.encoding, name.as_str()) {
        (Encoding::Base64, _) => decode_base64(bytes),
        (Encoding::QuotedPrintable, _) => {
            quoted_printable_decode(bytes).ok_or(Refusal::DecodeError)
        }
        (Encoding::None, "7bit" | "8bit" | "binary") => Ok(bytes.to_vec()),
        _ => Err(Refusal::DecodeError),
    }
}

fn header_word<'h>(field: &'h Header<'_>) -> &'h str {
    field.value.as_text().unwrap_or_default().trim()
}

/// Lines of base64; a foreign character or padding in the middle is an error, so that no two
/// readers see two texts.
fn decode_base64(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let dense: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    super::dkim::BASE64
        .decode(dense)
        .map_err(|_| Refusal::DecodeError)
}

/// Text in a charset (RFC 2046, 4.1.2). Without one, or with US-ASCII, it is UTF-8 when it can be,
/// else Latin: the token and the username are ASCII in both.
fn decode_charset(name: Option<&str>, bytes: &[u8]) -> Result<String, Refusal> {
    let name = name.unwrap_or("us-ascii").trim();
    let is_ascii = ["us-ascii", "ascii"]
        .iter()
        .any(|ascii| name.eq_ignore_ascii_case(ascii));
    if is_ascii && let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    let charset = encoding_rs::Encoding::for_label(name.as_bytes())
        .filter(|charset| is_safe(charset))
        .ok_or(Refusal::CharsetUnsupported)?;
    let text = charset.decode_without_bom_handling_and_without_replacement(bytes);
    text.map(std::borrow::Cow::into_owned)
        .ok_or(Refusal::DecodeError)
}

/// Charsets that mail does not use, or in which ASCII bytes are not what they seem.
fn is_safe(charset: &'static encoding_rs::Encoding) -> bool {
    let unsafe_ones = [
        encoding_rs::REPLACEMENT,
        encoding_rs::UTF_16LE,
        encoding_rs::UTF_16BE,
        encoding_rs::X_USER_DEFINED,
    ];
    !unsafe_ones.contains(&charset)
}

/// Lines of plain text; quoted ones (`> `) and those behind a forward's mark are not the mail's own.
fn plain_lines(text: &str) -> View {
    let mut forwarded = false;
    text.replace("\r\n", "\n")
        .split(is_line_end)
        .map(|line| {
            forwarded |= is_forward_mark(line);
            let visible = !forwarded && !line.trim_start().starts_with('>');
            let text = line.to_owned();
            Line { text, visible }
        })
        .collect()
}

/// Line ends of decoded text, whichever its author used.
fn is_line_end(ch: char) -> bool {
    matches!(
        ch,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// `-----Original Message-----`, `---------- Forwarded message ---------`, in any language, and
/// Apple's `Begin forwarded message:`.
pub(super) fn is_forward_mark(line: &str) -> bool {
    let line = line.trim();
    let dashes = line.len() - line.trim_start_matches('-').len();
    let between = line.trim_matches('-').trim();
    let dashed = dashes >= 4 && line.ends_with("---") && between.chars().any(char::is_alphabetic);
    dashed || line.eq_ignore_ascii_case("begin forwarded message:")
}
