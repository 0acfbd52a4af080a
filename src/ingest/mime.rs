//! The MIME structure of a mail: fields with parameters, and the parts of a multipart.
//!
//! Knows the delimiters of RFC 2046, strictly: what can be read in two ways is refused. Fields are
//! mail-parser's to read. Never decodes a part. Its recursion is bounded by its caller; mail-parser's
//! own walk follows nested messages as deep as they go.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use memchr::memmem;

use super::mail::{Field, Mail};
use super::refusal::Refusal;

/// The value of Content-Type, Content-Disposition or Content-Transfer-Encoding.
#[derive(Debug, Default)]
pub(super) struct Structured {
    /// The value before the first parameter, lower case.
    pub(super) value: String,
    /// Parameters, names in lower case.
    params: Vec<(String, String)>,
}

impl Structured {
    /// Reads a field (RFC 2045, 5.1).
    pub(super) fn parse(field: &Field<'_>) -> Result<Self, Refusal> {
        let text = field.text().ok_or(Refusal::MimeAmbiguous)?;
        let lower = text.to_ascii_lowercase();
        // A parameter in pieces (RFC 2231) is read by some programs and not by others.
        let in_pieces = ["boundary*", "charset*"];
        if in_pieces.iter().any(|name| lower.contains(name)) || !is_closed(&text) {
            return Err(Refusal::MimeAmbiguous);
        }
        let line = format!("{text}\n");
        let HeaderValue::ContentType(read) =
            MessageStream::new(line.as_bytes()).parse_content_type()
        else {
            return Err(Refusal::MimeAmbiguous);
        };
        let mut params: Vec<(String, String)> = Vec::new();
        for attribute in read.attributes().unwrap_or_default() {
            let name = attribute.name.to_ascii_lowercase();
            if params.iter().any(|(other, _)| *other == name) {
                return Err(Refusal::MimeAmbiguous);
            }
            params.push((name, attribute.value.clone().into_owned()));
        }
        let value = match read.subtype() {
            Some(subtype) => format!("{}/{subtype}", read.ctype()),
            None => read.ctype().to_owned(),
        };
        let value = value.to_ascii_lowercase();
        Ok(Self { value, params })
    }

    pub(super) fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(other, _)| other == name)?;
        Some(&found.1)
    }

    /// Whether there is a file's name, in one piece or several.
    pub(super) fn names_a_file(&self) -> bool {
        let is = |name: &str| matches!(name.split('*').next(), Some("name" | "filename"));
        self.params.iter().any(|(name, _)| is(name))
    }
}

/// Whether quotes and comments end: a lenient parser ends them where it likes. More parameters than
/// any mailer writes are how a parser is kept busy.
fn is_closed(text: &str) -> bool {
    let (mut quoted, mut depth, mut params) = (false, 0_usize, 0_usize);
    let mut chars = text.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '\\' if quoted || depth > 0 => drop(chars.next()),
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if depth > 0 => depth -= 1,
            ';' => params += 1,
            _ => {}
        }
    }
    !quoted && depth == 0 && params <= 32
}

/// One part: its content type, how it is disposed of and encoded, and its bytes.
#[derive(Debug)]
pub(super) struct Part<'m> {
    /// `None`: text/plain (RFC 2045, 5.2).
    kind: Option<Structured>,
    disposition: Option<Structured>,
    /// Content-Transfer-Encoding, lower case.
    pub(super) encoding: String,
    pub(super) body: &'m [u8],
}

impl<'m> Part<'m> {
    /// The part that a mail, or the bytes between two delimiters read as one, is. A field that
    /// stands twice can be read in two ways.
    pub(super) fn of(mail: &Mail<'m>) -> Result<Self, Refusal> {
        let field = |name: &str| {
            let mut found = mail.named(name);
            match (found.next(), found.next()) {
                (None, _) => Ok(None),
                (Some(field), None) => Structured::parse(field).map(Some),
                _ => Err(Refusal::MimeAmbiguous),
            }
        };
        let encoding = field("content-transfer-encoding")?;
        Ok(Self {
            kind: field("content-type")?,
            disposition: field("content-disposition")?,
            encoding: encoding.map_or_else(|| "7bit".to_owned(), |encoding| encoding.value),
            body: mail.body(),
        })
    }

    /// Type and subtype.
    pub(super) fn kind(&self) -> (&str, &str) {
        let kind = self.kind.as_ref().map_or("text/plain", |kind| &kind.value);
        let (kind, subtype) = kind.split_once('/').unwrap_or((kind, "plain"));
        (kind.trim(), subtype.trim())
    }

    /// A parameter of the content type.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.kind.as_ref()?.param(name)
    }

    /// Shown where it stands, as far as its disposition says.
    pub(super) fn is_inline(&self) -> bool {
        let disposition = self.disposition.as_ref();
        disposition.is_none_or(|disposition| disposition.value == "inline")
    }

    /// Whether it has a file's name.
    pub(super) fn is_file(&self) -> bool {
        let fields = [&self.kind, &self.disposition];
        fields.into_iter().flatten().any(Structured::names_a_file)
    }
}

/// A multipart's body in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces<'m> {
    /// Before the first delimiter: nobody sees it.
    pub(super) preamble: &'m [u8],
    /// The parts, headers included.
    pub(super) parts: Vec<&'m [u8]>,
    /// Behind the last delimiter.
    pub(super) epilogue: &'m [u8],
}

impl<'m> Pieces<'m> {
    /// Cuts a body at its delimiters (RFC 2046, 5.1.1), into `most` parts at most.
    pub(super) fn cut(body: &'m [u8], boundary: &str, most: usize) -> Result<Self, Refusal> {
        if boundary.is_empty() || boundary.len() > 200 {
            return Err(Refusal::MimeAmbiguous);
        }
        let delimiter = format!("--{boundary}");
        let mut pieces = Self::default();
        let mut begin = None;
        for at in memmem::find_iter(body, delimiter.as_bytes()) {
            if at > 0 && body[at - 1] != b'\n' {
                continue;
            }
            let end = memchr::memchr(b'\n', &body[at..]).map_or(body.len(), |lf| at + lf + 1);
            let piece = &body[begin.unwrap_or(0)..at.max(begin.unwrap_or(0))];
            let piece = without_line_end(piece);
            match begin {
                None => pieces.preamble = piece,
                Some(_) if pieces.parts.len() == most => return Err(Refusal::MimeUnexpected),
                Some(_) => pieces.parts.push(piece),
            }
            begin = Some(end);
            // A longer line that only begins like a delimiter is one for some programs.
            match body[at + delimiter.len()..end].trim_ascii() {
                b"" => {}
                b"--" => {
                    pieces.epilogue = &body[end..];
                    return Ok(pieces);
                }
                _ => return Err(Refusal::MimeAmbiguous),
            }
        }
        Err(Refusal::MimeAmbiguous)
    }
}

/// The line end before a delimiter belongs to the delimiter, unless it ends the part's header.
fn without_line_end(piece: &[u8]) -> &[u8] {
    let shorter = piece.strip_suffix(b"\r\n").unwrap_or(piece);
    let has_header = shorter.starts_with(b"\r\n") || memmem::find(shorter, b"\r\n\r\n").is_some();
    if has_header { shorter } else { piece }
}
