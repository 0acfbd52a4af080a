//! A strict verifier of DKIM signatures (RFC 6376, RFC 8301, RFC 8463) over given keys and a given
//! clock.
//!
//! Knows signatures, key records and canonical forms. Never knows where keys came from or whom we
//! trust, and asks nobody. No crate serves: mail-auth 0.13 passes mails whose From is unsigned and
//! rejects some genuine ones (facts: authenticity, 0.3 and 0.4).

mod canonical;
mod key;
mod seen;
mod signature;
mod tags;

pub use key::Key;
pub use seen::{KeySeen, SignatureSeen};
pub use signature::{Algorithm, Signature};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::digest::{Context, SHA256};

use super::mail::{Field, Mail};
use super::refusal::Refusal;

/// Base64 as RFC 4648 has it; a missing padding is forgiven, as other verifiers do.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 with the folding white space that tag values may hold.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let dense: String = text.split_ascii_whitespace().collect();
    BASE64.decode(dense).ok()
}

/// The base64 of a key record or of a signature, in one piece.
pub(super) fn encode_base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Whether `signature` holds over `mail` with `key` (RFC 6376, 6.1.3): the body first, then the
/// header.
///
/// # Errors
/// What does not fit: the body's hash, or the signature.
pub fn verify(mail: &Mail<'_>, signature: &Signature<'_>, key: &Key) -> Result<(), Refusal> {
    let mut body = Context::new(&SHA256);
    signature
        .body_form
        .body(mail.body(), |chunk| body.update(chunk));
    if body.finish().as_ref() != signature.body_hash {
        return Err(Refusal::DkimFailBody);
    }
    let signed = signed_bytes(mail.fields(), signature);
    key.verify(&signed, &signature.value)
}

/// The canonical header that the signature covers: fields of one name are taken from the bottom,
/// each once, a missing one counts as empty; then the signature's own field with `b=` emptied
/// (RFC 6376, 3.7 and 5.4.2).
fn signed_bytes(fields: &[Field<'_>], signature: &Signature<'_>) -> Vec<u8> {
    let mut signed = Vec::with_capacity(2048);
    let mut taken = vec![false; fields.len()];
    for name in &signature.signed {
        let next = (0..fields.len()).rev().find(|&at| {
            !taken[at] && fields[at].is(name) && !std::ptr::eq(fields[at].raw, signature.field.raw)
        });
        if let Some(at) = next {
            taken[at] = true;
            signature.header_form.field(&fields[at], &mut signed);
        }
    }
    signature
        .header_form
        .own_field(&signature.field, &mut signed);
    signed
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
