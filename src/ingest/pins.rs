//! DKIM keys that are pinned: where there are some, no other key counts.
//!
//! Knows the pins of `[trust] pinned_keys` and what each admits. Never asks for a key, and never
//! learns a pin from a mail. Made from the user's words, where a DNS that lies has no say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};

use super::dkim::{self, Key, Signature};
use super::refusal::Refusal;

/// A key, or what tells it from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The whole key, as a record's `p=` holds it, decoded: no question is needed.
    Key(Vec<u8>),
    /// SHA-256 of the decoded `p=`: the key is asked for, and compared.
    Fingerprint([u8; 32]),
}

/// Why a text is no pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// `sha256:` is not followed by 64 hex digits.
    #[error("the fingerprint is not 64 hex digits")]
    Fingerprint,
    /// Neither a fingerprint nor the base64 of a key of sufficient length.
    #[error("the pin is neither a public key in base64 nor sha256:HEX")]
    Key,
}

impl Pin {
    /// Reads a pin: a record's `p=` in base64, with or without `p=`, or `sha256:` and 64 hex digits.
    ///
    /// # Errors
    /// When the text is neither, or the key could not prove anything (RSA below 1024 bits).
    pub fn parse(text: &str) -> Result<Self, PinError> {
        let text = text.trim();
        if let Some(hex) = text.strip_prefix("sha256:") {
            let fingerprint = unhex(hex).ok_or(PinError::Fingerprint)?;
            return Ok(Self::Fingerprint(fingerprint));
        }
        let value = text.strip_prefix("p=").unwrap_or(text);
        let key = dkim::decode_base64(value.trim_end_matches(';')).ok_or(PinError::Key)?;
        let good = Key::is_one(&key);
        good.then_some(Self::Key(key)).ok_or(PinError::Key)
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let bytes: Vec<u8> = digits?
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect();
    (text.len() == 64).then_some(bytes)?.try_into().ok()
}

/// Pins by the name of the key: `SELECTOR._domainkey.DOMAIN`, or `SELECTOR` alone for every signing
/// domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<String, Pin>);

impl Pins {
    /// Adds a pin; the name without regard to case. Gives back the one that stood there.
    pub fn insert(&mut self, name: &str, pin: Pin) -> Option<Pin> {
        self.0.insert(name.to_ascii_lowercase(), pin)
    }

    /// Whether every key counts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pin for a signature's key; the full name goes before the selector alone.
    fn of(&self, signature: &Signature<'_>) -> Option<&Pin> {
        let full = self.0.get(&signature.key_name());
        full.or_else(|| self.0.get(&signature.selector))
    }

    /// Whether the signature's key could be a pinned one.
    pub(super) fn name(&self, signature: &Signature<'_>) -> bool {
        self.is_empty() || self.of(signature).is_some()
    }

    /// The record that stands for the DNS's, where the pin is the whole key.
    pub(super) fn record(&self, signature: &Signature<'_>) -> Option<Cow<'static, [String]>> {
        let Some(Pin::Key(key)) = self.of(signature) else {
            return None;
        };
        let kind = if key.len() == 32 { "ed25519" } else { "rsa" };
        let value = dkim::encode_base64(key);
        Some(vec![format!("v=DKIM1; k={kind}; p={value}")].into())
    }

    /// Whether a key that was asked for is the pinned one.
    pub(super) fn admit(&self, signature: &Signature<'_>, key: &Key) -> Result<(), Refusal> {
        let is_pinned = match self.of(signature) {
            None => self.is_empty(),
            Some(Pin::Key(pinned)) => pinned == key.published(),
            Some(Pin::Fingerprint(pinned)) => {
                digest(&SHA256, key.published()).as_ref() == pinned.as_slice()
            }
        };
        is_pinned.then_some(()).ok_or(Refusal::DkimKeyNotPinned)
    }

    /// What is told when a signature does not fit the whole key that was pinned for it: without a
    /// question it cannot be known whether the key is another or the header was changed, and a key
    /// that was renewed must be told loudly.
    pub(super) fn misfit(&self, signature: &Signature<'_>, refusal: Refusal) -> Refusal {
        let is_of_key = matches!(
            refusal,
            Refusal::DkimFailSignature | Refusal::DkimKeyRestricted
        );
        match self.of(signature) {
            Some(Pin::Key(_)) if is_of_key => Refusal::DkimKeyNotPinned,
            _ => refusal,
        }
    }
}

#[cfg(test)]
#[path = "pins_tests.rs"]
mod tests;
