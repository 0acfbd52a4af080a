//! Writes token mails as Salesforce does, in every form that was seen or is to be expected.
//!
//! Knows the mail's texts, structures, encodings and charsets. Never signs (see
//! [`sign`](super::sign)), and reads no clock: the date is an argument. Its forms come from facts:
//! salesforce-mail, 1 and 6.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding as Charset;
use jiff::Timestamp;

pub use super::languages::{ENGLISH, JAPANESE, LANGUAGES, Language};

/// Where the mail's link leads (seen 2020).
const LINK: &str = "https://help.salesforce.com/HTViewHelpDoc?id=user_security_token.htm";
/// Between the parts, in JavaMail's form, which Salesforce was seen to use.
pub const BOUNDARY: &str = "----=_Part_290_1234567.1585753724000";

/// The transfer encoding of the text parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `7bit`: ASCII, or a charset of seven bits.
    SevenBit,
    /// `8bit`.
    EightBit,
    /// `quoted-printable`.
    QuotedPrintable,
    /// `quoted-printable` with a soft line break inside the token.
    SoftBreak,
    /// `base64`.
    Base64,
}

impl Encoding {
    /// The value of Content-Transfer-Encoding.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit => "8bit",
            Self::QuotedPrintable | Self::SoftBreak => "quoted-printable",
            Self::Base64 => "base64",
        }
    }
}

/// The mail's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Structure {
    /// `text/plain` alone.
    Text,
    /// `text/html` alone.
    Html,
    /// `multipart/alternative` of both.
    Alternative,
}

/// The subject's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The current one, in the mail's language.
    Current,
    /// `salesforce.com security token confirmation`, 2010 to 2016.
    Old,
    /// The current one with an OEM's brand in the place of Salesforce's.
    Oem(String),
    /// Exactly this.
    Custom(String),
}

/// The charset cannot hold the text, is unknown, or needs another transfer encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FixtureError {
    /// No charset has this name.
    #[error("unknown charset {0}")]
    UnknownCharset(String),
    /// The charset lacks a character of the text.
    #[error("{0} cannot hold the text")]
    Unmappable(String),
    /// The text has octets above 127.
    #[error("7bit cannot hold the text in {0}")]
    NotSevenBit(String),
}

/// A token mail to be written. [`TokenMail::new`] is the mail that was seen; each field can be
/// changed.
///
/// ```
/// use sftoken::testing::fixture::{Encoding, TokenMail};
///
/// let date = "2026-11-23T10:00:00Z".parse()?;
/// let mut mail = TokenMail::new("integration@acme.example", "2kTfR8s1XyZ0aBcD3eFgH4iJk", date);
/// mail.encoding = Encoding::SoftBreak;
/// assert!(String::from_utf8(mail.bytes()?)?.contains("\r\nUsername: integration@acme.example\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenMail {
    /// The language of subject and text.
    pub language: Language,
    /// The transfer encoding of the parts.
    pub encoding: Encoding,
    /// The charset of parts and subject, by any label of the WHATWG standard.
    pub charset: String,
    /// The parts.
    pub structure: Structure,
    /// The subject's form.
    pub subject: Subject,
    /// `Sandbox: ` stands in front of the subject.
    pub sandbox: bool,
    /// The value of From.
    pub from: String,
    /// The value of To.
    pub to: String,
    /// The Date.
    pub date: Timestamp,
    /// The Salesforce username.
    pub username: String,
    /// The token, or whatever is to stand in its place.
    pub token: String,
    /// The Message-ID without angle brackets.
    pub message_id: String,
    /// Further header fields, on top.
    pub extra: Vec<(String, String)>,
    /// The body's text in place of the usual one.
    pub text: Option<String>,
    /// The HTML part in place of the usual one.
    pub html: Option<String>,
}

impl TokenMail {
    /// The mail of January 2020: English, plain text, UTF-8, from support@salesforce.com.
    #[must_use]
    pub fn new(username: &str, token: &str, date: Timestamp) -> Self {
        Self {
            language: ENGLISH,
            encoding: Encoding::SevenBit,
            charset: "UTF-8".to_owned(),
            structure: Structure::Text,
            subject: Subject::Current,
            sandbox: false,
            from: "support@salesforce.com <support@salesforce.com>".to_owned(),
            to: "integrations@acme.example".to_owned(),
            date,
            username: username.to_owned(),
            token: token.to_owned(),
            message_id: format!("{}.token@sfdc.net", date.as_second()),
            extra: Vec::new(),
            text: None,
            html: None,
        }
    }

    /// The mail, with CR LF, unsigned.
    ///
    /// # Errors
    /// When charset or transfer encoding cannot hold the text.
    pub fn bytes(&self) -> Result<Vec<u8>, FixtureError> {
        let mut mail = String::new();
        for (name, value) in self.extra.iter().chain(&self.header()?) {
            mail.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut mail = mail.into_bytes();
        mail.extend(self.content()?);
        Ok(mail)
    }

    /// The decoded subject.
    #[must_use]
    pub fn subject_text(&self) -> String {
        let text = match &self.subject {
            Subject::Current => self.language.subject.replace("{}", "Salesforce"),
            Subject::Oem(brand) => self.language.subject.replace("{}", brand),
            Subject::Old => "salesforce.com security token confirmation".to_owned(),
            Subject::Custom(text) => text.clone(),
        };
        let prefix = if self.sandbox { "Sandbox: " } else { "" };
        format!("{prefix}{text}")
    }

    /// The decoded plain text.
    #[must_use]
    pub fn plain_text(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let words = &self.language;
        format!(
            "{}\r\n\r\n{}{}\r\n{}{}\r\n\r\n{}{LINK}.\r\n",
            words.intro, words.username, self.username, words.token, self.token, words.outro
        )
    }

    /// The decoded HTML.
    #[must_use]
    pub fn html_text(&self) -> String {
        if let Some(html) = &self.html {
            return html.clone();
        }
        let words = &self.language;
        let (user, token) = (escaped(&self.username), escaped(&self.token));
        format!(
            "<html>\r\n<body>\r\n<p>{}</p>\r\n<p>{}{user}<br>\r\n{}{token}</p>\r\n<p>{}<a href=\"{LINK}\">{LINK}</a>.</p>\r\n</body>\r\n</html>\r\n",
            escaped(words.intro),
            escaped(words.username),
            escaped(words.token),
            escaped(words.outro),
        )
    }

    fn header(&self) -> Result<Vec<(String, String)>, FixtureError> {
        // Salesforce writes the zone's name as a comment (facts: authenticity, 1.2).
        let date = self.date.strftime("%a, %-d %b %Y %H:%M:%S +0000 (GMT)");
        let fields = [
            ("Date", date.to_string()),
            ("From", self.from.clone()),
            ("To", self.to.clone()),
            ("Message-ID", format!("<{}>", self.message_id)),
            ("Subject", self.encoded_subject()?),
            ("MIME-Version", "1.0".to_owned()),
        ];
        Ok(fields
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec())
    }

    /// RFC 2047, each word whole in itself.
    fn encoded_subject(&self) -> Result<String, FixtureError> {
        let subject = self.subject_text();
        if subject.is_ascii() {
            return Ok(subject);
        }
        let letters: Vec<char> = subject.chars().collect();
        let words: Result<Vec<String>, FixtureError> = letters
            .chunks(12)
            .map(|piece| {
                let piece = self.in_charset(&piece.iter().collect::<String>())?;
                Ok(format!("=?{}?B?{}?=", self.charset, STANDARD.encode(piece)))
            })
            .collect();
        Ok(words?.join("\r\n "))
    }

    /// The content's own fields, an empty line, and the content.
    fn content(&self) -> Result<Vec<u8>, FixtureError> {
        match self.structure {
            Structure::Text => self.part("plain", &self.plain_text()),
            Structure::Html => self.part("html", &self.html_text()),
            Structure::Alternative => {
                let head = format!(
                    "Content-Type: multipart/alternative;\r\n\tboundary=\"{BOUNDARY}\"\r\n\r\n"
                );
                let open = format!("--{BOUNDARY}\r\n");
                let next = format!("\r\n--{BOUNDARY}\r\n");
                let close = format!("\r\n--{BOUNDARY}--\r\n");
                let plain = self.part("plain", &self.plain_text())?;
                let html = self.part("html", &self.html_text())?;
                let pieces: [&[u8]; 6] = [
                    head.as_bytes(),
                    open.as_bytes(),
                    &plain,
                    next.as_bytes(),
                    &html,
                    close.as_bytes(),
                ];
                Ok(pieces.concat())
            }
        }
    }

    fn part(&self, kind: &str, text: &str) -> Result<Vec<u8>, FixtureError> {
        let name = self.encoding.name();
        let head = format!(
            "Content-Type: text/{kind}; charset={}\r\nContent-Transfer-Encoding: {name}\r\n\r\n",
            self.charset
        );
        let octets = self.in_charset(text)?;
        let body = match self.encoding {
            Encoding::SevenBit if !octets.is_ascii() => {
                return Err(FixtureError::NotSevenBit(self.charset.clone()));
            }
            Encoding::SevenBit | Encoding::EightBit => octets,
            Encoding::QuotedPrintable => quoted_printable(&octets, b""),
            Encoding::SoftBreak => quoted_printable(&octets, self.token.as_bytes()),
            Encoding::Base64 => in_base64(&octets),
        };
        Ok([head.as_bytes(), &body].concat())
    }

    fn in_charset(&self, text: &str) -> Result<Vec<u8>, FixtureError> {
        let label = &self.charset;
        let charset = Charset::for_label(label.as_bytes())
            .ok_or_else(|| FixtureError::UnknownCharset(label.clone()))?;
        let (octets, _, lossy) = charset.encode(text);
        (!lossy)
            .then(|| octets.into_owned())
            .ok_or_else(|| FixtureError::Unmappable(label.clone()))
    }
}

/// Text as HTML text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Lines of 76 characters (RFC 2045, 6.8).
fn in_base64(octets: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(octets);
    let lines = text.as_bytes().chunks(76);
    lines.flat_map(|line| [line, b"\r\n"].concat()).collect()
}

/// RFC 2045, 6.7: lines of 76 characters at most, and a soft break in the middle of `split`.
fn quoted_printable(octets: &[u8], split: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        let at =
            (!split.is_empty()).then(|| text.windows(split.len()).position(|part| part == split));
        let cut = at.flatten().map(|at| at + split.len() / 2);
        quote_line(text, cut, &mut out);
        out.extend_from_slice(&line[text.len()..]);
    }
    out
}

fn quote_line(text: &[u8], cut: Option<usize>, out: &mut Vec<u8>) {
    let mut width = 0;
    for (at, &octet) in text.iter().enumerate() {
        let last = at + 1 == text.len();
        let plain = matches!(octet, b'!'..=b'<' | b'>'..=b'~') || (octet == b' ' && !last);
        let coded = if plain {
            vec![octet]
        } else {
            format!("={octet:02X}").into_bytes()
        };
        if width + coded.len() > 75 || cut == Some(at) {
            out.extend_from_slice(b"=\r\n");
            width = 0;
        }
        width += coded.len();
        out.extend(coded);
    }
}
