//! What a person could read of a mail: its text parts, decoded strictly.
//!
//! Knows which MIME shapes a token mail may have, transfer encodings and charsets. Never looks for
//! labels or tokens. Its bytes are those that were verified.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use encoding_rs::Encoding as Charset;

use super::flowed;
use super::html;
use super::mail::Mail;
use super::mime::{Part, Pieces};
use super::quote::Quotes;
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
    let mut reader = Reader {
        parts: 0,
        around: View::new(),
    };
    let mut views = reader.part(&Part::of(mail)?, 0)?;
    for view in &mut views {
        view.extend(reader.around.iter().cloned());
    }
    Ok(views)
}

/// Walks the parts; gathers what stands around them, which nobody sees.
struct Reader {
    parts: usize,
    around: View,
}

impl Reader {
    /// The views of one part and those below it.
    fn part(&mut self, part: &Part<'_>, depth: usize) -> Result<Vec<View>, Refusal> {
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return Err(Refusal::MimeUnexpected);
        }
        match part.kind() {
            ("multipart", subtype) => self.container(part, subtype, depth),
            ("text", "plain" | "html") => leaf(part).map(|view| vec![view]),
            // A picture beside the text, such as a logo, says nothing.
            ("image", _) if depth > 0 && part.is_inline() => Ok(vec![View::new()]),
            _ => Err(Refusal::MimeUnexpected),
        }
    }

    fn container(
        &mut self,
        part: &Part<'_>,
        subtype: &str,
        depth: usize,
    ) -> Result<Vec<View>, Refusal> {
        if !matches!(part.encoding.as_str(), "7bit" | "8bit" | "binary") {
            return Err(Refusal::MimeAmbiguous);
        }
        let boundary = part.param("boundary").ok_or(Refusal::MimeAmbiguous)?;
        let pieces = Pieces::cut(part.body, boundary, MAX_PARTS)?;
        let mut below = Vec::with_capacity(pieces.parts.len());
        for piece in pieces.parts {
            let piece = Mail::parse(piece);
            let fits = piece.check_fields();
            fits.map_err(|_| Refusal::MimeAmbiguous)?;
            below.push(self.part(&Part::of(&piece)?, depth + 1)?);
        }
        for bytes in [pieces.preamble, pieces.epilogue] {
            let text = String::from_utf8_lossy(bytes);
            self.around.extend(unseen_lines(&text));
        }
        match subtype {
            "alternative" => alternatives(below),
            "mixed" | "related" => side_by_side(below),
            _ => Err(Refusal::MimeUnexpected),
        }
    }
}

/// One text part: transfer encoding, then charset, then lines. Nothing is taken from a file.
fn leaf(part: &Part<'_>) -> Result<View, Refusal> {
    if !part.is_inline() || part.is_file() {
        return Err(Refusal::MimeUnexpected);
    }
    let bytes = decode_transfer(&part.encoding, part.body)?;
    let text = decode_charset(part.param("charset"), &bytes)?;
    let is = |name: &str, value: &str| {
        let given = part.param(name);
        given.is_some_and(|given| given.eq_ignore_ascii_case(value))
    };
    Ok(if part.kind().1 == "html" {
        html::lines(&text)
    } else if is("format", "flowed") {
        plain_lines(&flowed::joined(&text, is("delsp", "yes")))
    } else {
        plain_lines(&text)
    })
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

/// Undoes the transfer encoding (RFC 2045, 6); unlike most readers, without guessing.
fn decode_transfer<'b>(name: &str, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Refusal> {
    match name {
        "7bit" | "8bit" | "binary" => Ok(Cow::Borrowed(bytes)),
        "base64" => decode_base64(bytes).map(Cow::Owned),
        "quoted-printable" => decode_quoted(bytes)
            .map(Cow::Owned)
            .ok_or(Refusal::DecodeError),
        _ => Err(Refusal::DecodeError),
    }
}

/// Quoted-printable (RFC 2045, 6.7): blanks at a line's end are no text, and a `=` there joins it
/// with the next one.
fn decode_quoted(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let mut rest = line.trim_ascii_end();
        let is_soft = rest.last() == Some(&b'=');
        rest = if is_soft {
            &rest[..rest.len() - 1]
        } else {
            rest
        };
        while let Some(at) = memchr::memchr(b'=', rest) {
            text.extend(&rest[..at]);
            text.push(hex_pair(rest.get(at + 1..at + 3)?)?);
            rest = &rest[at + 3..];
        }
        text.extend(rest);
        if !is_soft && line.ends_with(b"\n") {
            text.extend(b"\r\n");
        }
    }
    Some(text)
}

/// Two hex digits, in either case.
pub(super) fn hex_pair(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let &[high, low] = pair else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
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
fn decode_charset<'b>(name: Option<&str>, bytes: &'b [u8]) -> Result<Cow<'b, str>, Refusal> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let name = name.unwrap_or("us-ascii");
    let may_be_utf8 = ["us-ascii", "ascii", "utf-8"];
    let may_be_utf8 = may_be_utf8
        .iter()
        .any(|other| name.eq_ignore_ascii_case(other));
    if may_be_utf8 && let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(Cow::Borrowed(text));
    }
    let charset = charset(name).ok_or(Refusal::CharsetUnsupported)?;
    charset
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or(Refusal::DecodeError)
}

/// A charset by the names of the WHATWG standard and those that mailers use beside them; `None` for
/// charsets that mail does not use, or in which ASCII bytes are not what they seem.
pub(super) fn charset(name: &str) -> Option<&'static Charset> {
    let name = name.trim().to_ascii_lowercase();
    let hyphened = name.replace('_', "-");
    let same = match hyphened.as_str() {
        "cp932" | "ms932" | "x-windows-31j" | "x-ms932" => "shift_jis",
        "cp936" | "ms936" | "x-mswin-936" => "gbk",
        "cp949" | "ms949" | "x-windows-949" | "uhc" => "euc-kr",
        "cp950" | "ms950" | "x-windows-950" => "big5",
        "cp874" | "ms874" | "x-windows-874" | "x-ibm874" => "windows-874",
        "iso-2022-jp-ms" | "iso-2022-jp-1" | "cp50220" | "cp50221" => "iso-2022-jp",
        "x-euc-jp-linux" | "eucjp" | "eucjp-ms" | "cp51932" => "euc-jp",
        other => other,
    };
    let found = Charset::for_label(name.as_bytes());
    let charset = found.or_else(|| Charset::for_label(same.as_bytes()))?;
    let unsafe_ones = [
        encoding_rs::REPLACEMENT,
        encoding_rs::UTF_16LE,
        encoding_rs::UTF_16BE,
        encoding_rs::X_USER_DEFINED,
    ];
    (!unsafe_ones.contains(&charset)).then_some(charset)
}

/// Lines of plain text; quoted ones (`> `) and those behind a forward's mark are not the mail's own.
fn plain_lines(text: &str) -> View {
    let mut quotes = Quotes::default();
    let lines = text.split('\n').flat_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split(is_line_end)
    });
    lines
        .map(|line| {
            let visible = quotes.is_own(line);
            let text = line.to_owned();
            Line { text, visible }
        })
        .collect()
}

/// The same of text that nobody sees.
pub(super) fn unseen_lines(text: &str) -> View {
    let unseen = |line: Line| Line {
        visible: false,
        ..line
    };
    plain_lines(text).into_iter().map(unseen).collect()
}

/// Line ends of decoded text, whichever its author used.
fn is_line_end(ch: char) -> bool {
    matches!(
        ch,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}
