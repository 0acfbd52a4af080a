//! A SOAP answer, read strictly.
//!
//! Knows where the elements of a log-in's answer stand. Never resolves an entity of anybody's: a DTD, a processing instruction or
//! a comment is no SOAP (1.1, section 3), and makes the answer unreadable. Its data comes from whoever answered.

use std::collections::BTreeMap;

use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use zeroize::Zeroizing;

use crate::ingest::secret::append;

/// SOAP 1.1.
pub(super) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The partner WSDL.
pub(super) const PARTNER: &str = "urn:partner.soap.sforce.com";

/// An answer of login() has nine levels at most.
const MAX_DEPTH: usize = 16;

/// The elements that are read, each by its way from the root. Below `detail`, a fault has a name of its kind.
const WANTED: [&str; 9] = [
    "Envelope/Body/loginResponse/result/sessionId",
    "Envelope/Body/loginResponse/result/serverUrl",
    "Envelope/Body/loginResponse/result/userId",
    "Envelope/Body/loginResponse/result/passwordExpired",
    "Envelope/Body/loginResponse/result/userInfo/organizationId",
    "Envelope/Body/Fault/faultcode",
    "Envelope/Body/Fault/faultstring",
    "Envelope/Body/Fault/detail/*/exceptionCode",
    "Envelope/Body/Fault/detail/*/exceptionMessage",
];

/// It is none that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The texts of an answer, wiped when they are dropped: one of them is a session.
#[derive(Default)]
pub(super) struct Answer(BTreeMap<&'static str, Zeroizing<String>>);

impl Answer {
    /// The text of the element whose way ends so.
    pub(super) fn text(&self, end: &str) -> Option<&str> {
        let found = self.0.iter().find(|(way, _)| way.ends_with(end));
        found.map(|(_, text)| text.trim())
    }
}

/// Reads an answer.
pub(super) fn read(bytes: &[u8]) -> Result<Answer, Unreadable> {
    let text = str::from_utf8(bytes).map_err(|_| Unreadable)?;
    let mut reader = NsReader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_comments = true;
    let mut walk = Walk::new(bytes.len());
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| Unreadable)?;
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(name)) => name,
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(_) => return Err(Unreadable),
        };
        match event {
            Event::Start(start) => walk.down(&start, namespace)?,
            Event::End(_) => walk.up()?,
            Event::Text(text) => walk.take(&text.xml10_content())?,
            Event::CData(text) => walk.take(&text.xml10_content())?,
            Event::GeneralRef(reference) => walk.take(resolved(&reference)?.as_str())?,
            Event::Decl(decl) if walk.is_before() => check(&decl)?,
            Event::Eof => return walk.end(),
            Event::Decl(_)
            | Event::Empty(_)
            | Event::Comment(_)
            | Event::PI(_)
            | Event::DocType(_) => return Err(Unreadable),
        }
    }
}

/// XML 1.0 in UTF-8.
fn check(decl: &BytesDecl<'_>) -> Result<(), Unreadable> {
    let version = decl.version().map_err(|_| Unreadable)?;
    let encoding = match decl.encoding() {
        None => true,
        Some(name) => name.map_err(|_| Unreadable)?.eq_ignore_ascii_case("utf-8"),
    };
    (version == "1.0" && encoding)
        .then_some(())
        .ok_or(Unreadable)
}

/// One letter: of a session, it may be.
struct Letter(Zeroizing<[u8; 4]>, usize);

impl Letter {
    fn as_str(&self) -> &str {
        str::from_utf8(&self.0[..self.1]).unwrap_or_default()
    }
}

/// A number, or one of XML's own five names.
fn resolved(reference: &BytesRef<'_>) -> Result<Letter, Unreadable> {
    let letter = match reference.resolve_char_ref().map_err(|_| Unreadable)? {
        Some(letter) => letter,
        None => {
            let text = resolve_predefined_entity(reference).ok_or(Unreadable)?;
            text.chars().next().ok_or(Unreadable)?
        }
    };
    if !may_stand(letter) {
        return Err(Unreadable);
    }
    let mut bytes = Zeroizing::new([0; 4]);
    let length = letter.encode_utf8(&mut *bytes).len();
    Ok(Letter(bytes, length))
}

/// Whether XML 1.0 has this character (2.2, Char).
pub(super) fn may_stand(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        letter => letter >= ' ',
    }
}

/// Where the reader is.
struct Walk {
    /// Local names from the root, with slashes.
    way: String,
    depth: usize,
    begun: bool,
    /// The text of the wanted element that is open.
    open: Option<(&'static str, Zeroizing<String>)>,
    found: Answer,
    room: usize,
}

impl Walk {
    fn new(room: usize) -> Self {
        Self {
            way: String::new(),
            depth: 0,
            begun: false,
            open: None,
            found: Answer::default(),
            room,
        }
    }

    fn is_before(&self) -> bool {
        !self.begun
    }

    fn down(&mut self, start: &BytesStart<'_>, namespace: &str) -> Result<(), Unreadable> {
        // one root; and no element in one whose text is read
        if self.depth == MAX_DEPTH || (self.begun && self.depth == 0) || self.open.is_some() {
            return Err(Unreadable);
        }
        let name = match self.way.as_str() {
            "Envelope/Body/Fault/detail" => "*",
            _ => start.local_name().into_inner(),
        };
        if self.depth > 0 {
            self.way.push('/');
        }
        self.way.push_str(name);
        (self.depth, self.begun) = (self.depth + 1, true);
        let wanted = match self.way.as_str() {
            "Envelope" | "Envelope/Header" | "Envelope/Body" | "Envelope/Body/Fault" => SOAP,
            "Envelope/Body/loginResponse" => PARTNER,
            _ if self.depth == 1 => return Err(Unreadable),
            way => {
                self.open(way.to_owned());
                return Ok(());
            }
        };
        (namespace == wanted).then_some(()).ok_or(Unreadable)
    }

    fn open(&mut self, way: String) {
        let wanted = WANTED.into_iter().find(|wanted| *wanted == way);
        // room for the longest at once: a text that grows leaves copies behind
        self.open = wanted.map(|way| (way, Zeroizing::new(String::with_capacity(self.room))));
    }

    fn up(&mut self) -> Result<(), Unreadable> {
        if let Some((way, text)) = self.open.take()
            && self.found.0.insert(way, text).is_some()
        {
            return Err(Unreadable);
        }
        self.depth = self.depth.checked_sub(1).ok_or(Unreadable)?;
        self.way.truncate(self.way.rfind('/').unwrap_or(0));
        Ok(())
    }

    fn take(&mut self, text: &str) -> Result<(), Unreadable> {
        match &mut self.open {
            Some((_, open)) => append(open, text),
            // nothing stands beside the root
            None if self.depth == 0 && !text.trim().is_empty() => return Err(Unreadable),
            None => {}
        }
        Ok(())
    }

    fn end(self) -> Result<Answer, Unreadable> {
        let whole = self.begun && self.depth == 0;
        whole.then_some(self.found).ok_or(Unreadable)
    }
}
