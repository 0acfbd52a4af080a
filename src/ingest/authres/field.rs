//! One Authentication-Results field (RFC 8601, 2.2).
//!
//! Knows the grammar. Never knows whose field it is or what a result is worth. Made from the value
//! of a field of the mail.

use super::scan::Scanner;

/// What one server says that it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Results {
    /// The authserv-id, as written.
    pub(super) id: String,
    /// Empty for `none`.
    pub(super) found: Vec<Finding>,
}

/// The result of one method: `dkim=pass header.d=example.com`. Names are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) method: String,
    pub(super) result: String,
    /// `header.d` and its value, in order; `reason` too.
    pub(super) properties: Vec<(String, String)>,
}

/// The field is not written as RFC 8601 asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// The authserv-id, where at least that could be read.
    pub(super) id: Option<String>,
}

impl Results {
    /// Reads the value of a field.
    pub(super) fn parse(value: &[u8]) -> Result<Self, Unreadable> {
        let text = String::from_utf8_lossy(value);
        let mut scanner = Scanner::new(&text);
        let id = scanner.skip().and_then(|_| scanner.value());
        let Some(id) = id else {
            return Err(Unreadable { id: None });
        };
        // What is not UTF-8 came as U+FFFD; nothing of it may count.
        let found = match text {
            std::borrow::Cow::Borrowed(_) => findings(&mut scanner),
            std::borrow::Cow::Owned(_) => None,
        };
        match found {
            Some(found) => Ok(Self { id, found }),
            None => Err(Unreadable { id: Some(id) }),
        }
    }
}

impl Finding {
    /// The value of a property.
    ///
    /// # Errors
    /// When it stands twice: one reader would take the first, another the last.
    pub(super) fn property(&self, name: &str) -> Result<Option<&str>, Twice> {
        let mut values = self.properties.iter().filter(|(other, _)| other == name);
        let value = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            Some(_) => Err(Twice),
            None => Ok(value),
        }
    }
}

/// A property stands twice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Twice;

/// Everything behind the authserv-id. One last `;` is forgiven: some servers write it, and nothing can
/// hide behind it.
fn findings(scanner: &mut Scanner<'_>) -> Option<Vec<Finding>> {
    version(scanner)?;
    let mut found = Vec::new();
    let mut says_none = false;
    loop {
        scanner.skip()?;
        if !scanner.is_done() {
            scanner.take(';')?;
            scanner.skip()?;
        }
        if scanner.is_done() {
            return (says_none || !found.is_empty()).then_some(found);
        }
        let method = scanner.keyword()?;
        scanner.skip()?;
        if says_none {
            return None;
        }
        says_none = method == "none" && found.is_empty() && scanner.next() != Some('=');
        if !says_none {
            found.push(finding(scanner, method)?);
        }
    }
}

/// The version of the field, if it is told: we know 1.
fn version(scanner: &mut Scanner<'_>) -> Option<()> {
    let is_apart = scanner.skip()?;
    let is_told = is_apart && scanner.next().is_some_and(|ch| ch.is_ascii_digit());
    if is_told { one(scanner) } else { Some(()) }
}

fn one(scanner: &mut Scanner<'_>) -> Option<()> {
    (scanner.digits()? == "1").then_some(())
}

/// `dkim/1 = pass (comment) reason="…" header.d=…`, from behind the method's name.
fn finding(scanner: &mut Scanner<'_>, method: String) -> Option<Finding> {
    if scanner.take('/').is_some() {
        scanner.skip()?;
        one(scanner)?;
        scanner.skip()?;
    }
    scanner.take('=')?;
    scanner.skip()?;
    let result = scanner.keyword()?;
    let mut properties = Vec::new();
    loop {
        let is_apart = scanner.skip()?;
        match scanner.next() {
            None | Some(';') => break,
            Some(_) if !is_apart => return None,
            Some(_) => properties.push(property(scanner)?),
        }
    }
    Some(Finding {
        method,
        result,
        properties,
    })
}

/// `ptype.property=value`, or `reason=value`.
fn property(scanner: &mut Scanner<'_>) -> Option<(String, String)> {
    let mut name = scanner.keyword()?;
    scanner.skip()?;
    if scanner.take('.').is_some() {
        scanner.skip()?;
        name = format!("{name}.{}", scanner.keyword()?);
        scanner.skip()?;
    } else if !may_stand_alone(&name) {
        return None;
    }
    scanner.take('=')?;
    Some((name, scanner.property_value()?))
}

/// Without a ptype, the RFC knows `reason` only. Microsoft writes `action=none` behind `dmarc=`,
/// Fastmail `x-bits=2048` behind `dkim=` (both seen 2024). Any other word is a result whose `;` was
/// lost, and is not let through as a property.
fn may_stand_alone(name: &str) -> bool {
    matches!(name, "reason" | "action") || name.starts_with("x-")
}
