//! One DKIM-Signature field (RFC 6376, 3.5).
//!
//! Knows the tags and their syntax. Never judges whose signature it is. Made from a field of the
//! mail.

use jiff::Timestamp;

use super::canonical::Form;
use super::tags::{Tags, members};
use super::{decode_base64, encode_base64};
use crate::ingest::mail::Field;

/// More names than any `h=` has: each is looked for in the whole header.
const MAX_SIGNED: usize = 256;

/// The signing algorithm (`a=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA with SHA-256.
    RsaSha256,
    /// Ed25519 with SHA-256 (RFC 8463).
    Ed25519Sha256,
    /// SHA-1 (forbidden by RFC 8301), or one that nobody knows.
    Weak,
}

/// A signature that is well-formed; nothing of it has been checked.
#[derive(Debug)]
pub struct Signature<'m> {
    pub(super) field: Field<'m>,
    pub(super) value: Vec<u8>,
    pub(super) body_hash: Vec<u8>,
    pub(super) header_form: Form,
    pub(super) body_form: Form,
    /// `a=`
    pub algorithm: Algorithm,
    /// `d=`, lower case.
    pub domain: String,
    /// `s=`, lower case.
    pub selector: String,
    /// `h=`, lower case, in order.
    pub signed: Vec<String>,
    /// `i=` names the domain itself, not one below it (or is absent).
    pub identity_is_domain: bool,
    /// `l=` is there: only a part of the body is covered.
    pub has_length: bool,
    /// `t=`
    pub made: Option<Timestamp>,
    /// `x=`
    pub expires: Option<Timestamp>,
}

impl<'m> Signature<'m> {
    /// Reads a DKIM-Signature field; `None` when it is malformed.
    #[must_use]
    pub fn parse(field: &Field<'m>) -> Option<Self> {
        let text = std::str::from_utf8(field.value).ok()?;
        let tags = Tags::parse(text)?;
        let (header_form, body_form) = Form::pair(tags.get("c").unwrap_or("simple/simple"))?;
        let domain = domain_name(tags.get("d")?)?;
        let identity_is_domain = identity(tags.get("i"), &domain)?;
        let (made, expires) = (time(tags.get("t"))?, time(tags.get("x"))?);
        let plausible = tags.get("v") == Some("1")
            && asks_dns(tags.get("q"))
            && tags.get("l").is_none_or(is_number)
            && !matches!((made, expires), (Some(made), Some(expires)) if expires <= made);
        plausible.then_some(Self {
            field: *field,
            value: decode_base64(tags.get("b")?)?,
            body_hash: decode_base64(tags.get("bh")?)?,
            header_form,
            body_form,
            algorithm: algorithm(tags.get("a")?),
            selector: domain_name(tags.get("s")?)?,
            signed: signed(tags.get("h")?)?,
            domain,
            identity_is_domain,
            has_length: tags.get("l").is_some(),
            made,
            expires,
        })
    }

    /// Whether its value (`b=`) begins with this base64, as `header.b` of RFC 6008 tells it.
    #[must_use]
    pub fn begins_with(&self, text: &str) -> bool {
        encode_base64(&self.value).starts_with(text)
    }

    /// The DNS name of the key (RFC 6376, 3.6.2.1).
    #[must_use]
    pub fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }
}

fn algorithm(value: &str) -> Algorithm {
    match value.to_ascii_lowercase().as_str() {
        "rsa-sha256" => Algorithm::RsaSha256,
        "ed25519-sha256" => Algorithm::Ed25519Sha256,
        _ => Algorithm::Weak,
    }
}

/// `h=`: field names, at least one.
fn signed(value: &str) -> Option<Vec<String>> {
    let names: Vec<String> = members(value).map(str::to_ascii_lowercase).collect();
    let plain =
        |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    let fits = names.len() <= MAX_SIGNED && names.iter().all(plain);
    fits.then_some(names)
}

/// Letters, digits, hyphens and dots only: a NUL, a quote or a space in `d=` or `s=` is how one
/// verifier is made to ask for another name (USENIX Security 2020, *Composition Kills*).
fn domain_name(value: &str) -> Option<String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let fits = value.len() <= 253 && value.split('.').all(label);
    fits.then(|| value.to_ascii_lowercase())
}

/// `i=` must lie in `d=`; whether it is `d=` itself matters for keys with `t=s`.
fn identity(value: Option<&str>, domain: &str) -> Option<bool> {
    let Some(value) = value else {
        return Some(true);
    };
    let (_, of) = value.rsplit_once('@')?;
    let of = of.to_ascii_lowercase();
    let below = of
        .strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    below.then(|| of == domain)
}

/// Seconds since 1970; `None` inside `Some` when the tag is absent. A number beyond what a clock
/// can show is "never" (RFC 6376, 3.5: implementations may ignore it).
pub(super) fn time(value: Option<&str>) -> Option<Option<Timestamp>> {
    let Some(value) = value else {
        return Some(None);
    };
    if !is_number(value) {
        return None;
    }
    let seconds = value.parse().unwrap_or(i64::MAX);
    Some(Some(
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX),
    ))
}

fn is_number(value: &str) -> bool {
    (1..=76).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// `q=`: we know one way only.
fn asks_dns(value: Option<&str>) -> bool {
    value.is_none_or(|ways| members(ways).any(|way| way.eq_ignore_ascii_case("dns/txt")))
}
