//! The secret itself.
//!
//! Knows a token's value and its fingerprint. Never prints, serialises or stores it: there is no
//! `Display`, and `Debug` is redacted in every build profile. A value comes from a recipe's match,
//! or from a store that is read back.

use std::fmt;

use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

/// Shortest run of letters and digits that counts as a token.
pub const MIN_LEN: usize = 15;
/// Longest run of letters and digits that counts as a token.
pub const MAX_LEN: usize = 64;
/// The lengths seen in the wild; others are taken with a warning.
pub const USUAL_LEN: std::ops::RangeInclusive<usize> = 24..=25;

/// A Salesforce security token: 15 to 64 ASCII letters and digits, wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

/// The text is not a token; which text it was is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is {MIN_LEN} to {MAX_LEN} ASCII letters and digits")]
pub struct NotAToken;

impl Token {
    /// Takes the value of a token.
    ///
    /// # Errors
    /// When it is not a run of 15 to 64 ASCII letters and digits.
    pub fn new(value: &str) -> Result<Self, NotAToken> {
        let fits = (MIN_LEN..=MAX_LEN).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        fits.then(|| Self(Zeroizing::new(value.to_owned())))
            .ok_or(NotAToken)
    }

    /// The value. Every call is a place where the secret leaves: `rg 'expose\('` shows them all.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first 16 hex digits of the value's SHA-256: tells tokens apart without showing them.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let hash = digest(&SHA256, self.0.as_bytes());
        let hex = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}"));
        Fingerprint(hex.collect())
    }

    /// How many letters and digits it has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// Whether the length is one that Salesforce is known to send (24 or 25).
    #[must_use]
    pub fn has_usual_length(&self) -> bool {
        USUAL_LEN.contains(&self.length())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// The first 16 hex digits of a token's SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The sixteen hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A fingerprint that was written down before, as in the ledger.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
