//! Signatures and keys as they stand, for people to look at.
//!
//! Knows the texts of tags, and how large a key is. Never judges: a tag that the verifier would
//! refuse is shown all the same. Its texts are untrusted; whoever prints them escapes them.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::decode_base64;
use super::key::rsa_bits;
use super::signature::time;
use super::tags::Tags;
use crate::ingest::mail::Field;

/// The tags of a DKIM-Signature field that tell what it is worth; `None` where one is missing, and
/// everywhere when the field is no list of tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureSeen {
    /// `d=`, lower case, as the key is looked up.
    pub domain: Option<String>,
    /// `s=`, lower case, as the key is looked up.
    pub selector: Option<String>,
    /// `a=`
    pub algorithm: Option<String>,
    /// `c=`
    pub canonical: Option<String>,
    /// `h=`
    pub signed: Option<String>,
    /// `i=`
    pub identity: Option<String>,
    /// `l=`
    pub length: Option<String>,
    /// `t=`, if it is a time.
    pub made: Option<Timestamp>,
    /// `x=`, if it is a time.
    pub expires: Option<Timestamp>,
}

impl SignatureSeen {
    /// What stands in a field.
    #[must_use]
    pub fn of(field: &Field<'_>) -> Self {
        let text = std::str::from_utf8(field.value).unwrap_or_default();
        let Some(tags) = Tags::parse(text) else {
            return Self::default();
        };
        let tag = |name: &str| tags.get(name).map(in_one_line);
        Self {
            domain: tag("d").map(|text| text.to_ascii_lowercase()),
            selector: tag("s").map(|text| text.to_ascii_lowercase()),
            algorithm: tag("a"),
            canonical: tag("c"),
            signed: tag("h"),
            identity: tag("i"),
            length: tag("l"),
            made: time(tags.get("t")).flatten(),
            expires: time(tags.get("x")).flatten(),
        }
    }
}

/// A value without its folding: white space becomes one space, and none around colons.
fn in_one_line(value: &str) -> String {
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    words.join(" ").replace(" :", ":").replace(": ", ":")
}

/// A published key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySeen {
    /// `k=`, or `rsa`, which it stands for when it is left out (RFC 6376, 3.6.1).
    pub kind: String,
    /// Its size, if it can be read.
    pub bits: Option<usize>,
    /// What the owner allows: `t=`, `s=` and `h=` as they stand.
    pub allows: String,
    /// `sha256:HEX` of the decoded `p=`: names the key, so that it can be pinned.
    pub fingerprint: String,
}

impl KeySeen {
    /// The key in the only record of a name; `None` when there is none, or it cannot be decoded, or
    /// it has been revoked.
    #[must_use]
    pub fn of(records: &[String]) -> Option<Self> {
        let [record] = records else { return None };
        let tags = Tags::parse(record)?;
        let bytes = tags.get("p").and_then(decode_base64)?;
        if bytes.is_empty() {
            return None;
        }
        let kind = in_one_line(tags.get("k").unwrap_or("rsa"));
        let bits = match kind.eq_ignore_ascii_case("ed25519") {
            true => Some(bytes.len() * 8),
            false => rsa_bits(&bytes),
        };
        let hash = digest(&SHA256, &bytes);
        let hex: String = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let allows = ["t", "s", "h"].into_iter().filter_map(|name| {
            let value = tags.get(name)?;
            Some(format!("{name}={}", in_one_line(value)))
        });
        let allows: Vec<String> = allows.collect();
        Some(Self {
            kind,
            bits,
            allows: allows.join(" "),
            fingerprint: format!("sha256:{hex}"),
        })
    }
}
