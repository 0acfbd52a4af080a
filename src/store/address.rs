//! A store's URL, taken apart.
//!
//! Knows the spelling `SCHEME:[//]PLACE[?NAME=VALUE&…]` with percent-escapes. Never repeats a
//! rejected URL: it may hold a password. Text comes from the configuration or the command line.
//!
//! Not the `url` crate: these addresses hold SSH keys, in which a `+` is a plus sign, and paths that
//! must reach the file system as they were written.

use std::fmt::Write as _;
use std::time::Duration;

use super::{StoreError, StoreErrorKind};

/// A store's URL, whose parameters are taken out one by one.
#[derive(Debug)]
pub(super) struct Address {
    /// What errors and slots show: scheme and place, without parameters.
    pub(super) shown: String,
    /// The word before the first colon, in lower case.
    pub(super) scheme: String,
    /// What stands between scheme and `?`, decoded.
    pub(super) place: String,
    query: Vec<(String, String)>,
}

impl Address {
    /// Takes a URL apart.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (scheme, rest) = url
            .split_once(':')
            .ok_or_else(|| malformed("", "it has no scheme"))?;
        let scheme = scheme.to_ascii_lowercase();
        let label = format!("{scheme}:");
        if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) || scheme.is_empty() {
            return Err(malformed("", "it has no scheme"));
        }
        let (raw, query) = rest.split_once('?').unwrap_or((rest, ""));
        let host = raw.strip_prefix("//");
        if host.is_some_and(|host| has_credentials(host) && !names_profile(&scheme, host)) {
            return Err(with_credentials(&label));
        }
        let place = decode(host.unwrap_or(raw)).ok_or_else(|| malformed(&label, ESCAPE))?;
        Ok(Self {
            shown: format!("{label}{raw}"),
            query: parameters(query).ok_or_else(|| malformed(&label, ESCAPE))?,
            scheme,
            place,
        })
    }

    /// Every value of the parameter `name`, in order.
    pub(super) fn all(&mut self, name: &str) -> Vec<String> {
        let (taken, kept) = std::mem::take(&mut self.query)
            .into_iter()
            .partition(|(key, _)| key == name);
        self.query = kept;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    /// The one value of the parameter `name`.
    pub(super) fn one(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        let mut values = self.all(name);
        if values.len() > 1 {
            let problem = format!("the parameter {name:?} is given twice");
            return Err(self.wrong(problem, "give it once"));
        }
        Ok(values.pop())
    }

    /// Whether the parameter `name` is still there.
    #[cfg(feature = "kubernetes")]
    pub(super) fn has(&self, name: &str) -> bool {
        self.query.iter().any(|(key, _)| key == name)
    }

    /// Whether the switch `name` is on; `usual` where nothing is said.
    pub(super) fn switch(&mut self, name: &str, usual: bool) -> Result<bool, StoreError> {
        match self.one(name)?.as_deref() {
            None => Ok(usual),
            Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(_) => Err(self.wrong(
                format!("the parameter {name:?} is neither 0 nor 1"),
                format!("write {name}={}, or leave it out", u8::from(!usual)),
            )),
        }
    }

    /// A time: `30`, `30s` or `2m`.
    pub(super) fn duration(&mut self, name: &str) -> Result<Option<Duration>, StoreError> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        let (number, factor) = match text.strip_suffix('m') {
            Some(number) => (number, 60),
            None => (text.strip_suffix('s').unwrap_or(&text), 1),
        };
        let count = number.parse::<u32>().ok();
        let count = count.filter(|count| (1..=3600).contains(count));
        let count = count.ok_or_else(|| {
            let problem = format!("the {name} is not a time");
            self.wrong(problem, format!("write {name}=30s or {name}=2m"))
        })?;
        Ok(Some(Duration::from_secs(u64::from(count) * factor)))
    }

    /// That no parameter is left which nobody asked for.
    pub(super) fn finish(&self, known: &str) -> Result<(), StoreError> {
        match self.query.first() {
            None => Ok(()),
            Some((name, _)) => Err(self.wrong(
                format!("the parameter {:?} is unknown here", escape(name)),
                format!("known are: {known}"),
            )),
        }
    }

    /// A configuration that does not hold.
    pub(super) fn wrong(&self, problem: impl Into<String>, hint: impl Into<String>) -> StoreError {
        StoreError::new(&self.shown, StoreErrorKind::Misconfigured, problem, hint)
    }
}

const ESCAPE: &str = "a percent sign in it is not followed by two hex digits of UTF-8 text";

fn has_credentials(host: &str) -> bool {
    host.split('/')
        .next()
        .is_some_and(|host| host.contains('@') || host.contains("%40"))
}

/// `PROFILE@REGION`: which of the credentials in a file, as Amazon's tools name them. An access key is none.
fn names_profile(scheme: &str, host: &str) -> bool {
    let place = host.split('/').next().unwrap_or_default();
    let Some((profile, region)) = place.split_once('@') else {
        return false;
    };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    let is_name = (1..=64).contains(&profile.len()) && profile.bytes().all(fits);
    let is_key =
        profile.len() >= 16 && (profile.starts_with("AKIA") || profile.starts_with("ASIA"));
    matches!(scheme, "awssm" | "awsps") && is_name && !is_key && !has_credentials(region)
}

fn with_credentials(label: &str) -> StoreError {
    StoreError::new(
        label,
        StoreErrorKind::Misconfigured,
        "the store's URL holds a user name or a password",
        "URLs are shown in receipts and logs: leave credentials out of them",
    )
}

fn malformed(label: &str, problem: &str) -> StoreError {
    let label = if label.is_empty() { "store" } else { label };
    let hint = "a store is written like keyring://sftoken, age:/DIR?recipients-file=FILE or exec:/PATH/PROGRAM";
    StoreError::new(
        label,
        StoreErrorKind::Misconfigured,
        format!("the store's URL cannot be read: {problem}"),
        hint,
    )
}

fn parameters(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect()
}

/// Undoes percent-escapes (RFC 3986, 2.1); `None` when one is broken.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// `text` with everything but ASCII letters, digits and `. _ @ + -` percent-escaped: safe as a file
/// name (but for leading dots), in a URL and on a terminal. Distinct texts stay distinct.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A path as it stands in a URL.
#[cfg(any(feature = "vault", feature = "github"))]
pub(super) fn in_url(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(escape).collect();
    parts.join("/")
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
