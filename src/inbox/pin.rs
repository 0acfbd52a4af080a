//! A server's public key that is known beforehand.
//!
//! Knows how a key is named (the SHA-256 of its SubjectPublicKeyInfo, as in RFC 7469) and where it stands
//! in a certificate. Never judges the rest of a certificate. Its data comes from the configuration, and
//! from the certificate that a server shows.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use spki::der::{self, Reader, SliceReader, Tag, TagNumber};

const PREFIX: &str = "sha256:";

/// The name of a public key: `sha256:` and the base64 of its digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The key with this SHA-256 of its SubjectPublicKeyInfo.
    #[must_use]
    pub const fn sha256(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digest = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        digest.try_into().ok().map(Self)
    }

    /// The key of a certificate, if it is one.
    pub(super) fn of_certificate(certificate: &[u8]) -> Option<Self> {
        let key = public_key(certificate).ok()?;
        let digest = digest(&SHA256, key);
        digest.as_ref().try_into().ok().map(Self)
    }
}

/// The SubjectPublicKeyInfo, byte for byte (RFC 5280, 4.1). Only the way to it is read: self-signed
/// certificates in the field break rules that do not matter here.
fn public_key(certificate: &[u8]) -> der::Result<&[u8]> {
    const VERSION: Tag = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber::N0,
    };
    let mut outer = SliceReader::new(certificate)?;
    outer.sequence(|certificate| {
        let key = certificate.sequence(|fields| {
            if fields.peek_tag()? == VERSION {
                fields.tlv_bytes()?;
            }
            // serial number, algorithm, issuer, validity, subject
            for _ in 0..5 {
                fields.tlv_bytes()?;
            }
            fields.peek_tag()?.assert_eq(Tag::Sequence)?;
            let key = fields.tlv_bytes()?;
            fields.read_slice(fields.remaining_len())?;
            Ok(key)
        })?;
        certificate.read_slice(certificate.remaining_len())?;
        Ok(key)
    })
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_as_it_is_written() {
        let pin = Pin::sha256([0xfb; 32]);
        assert_eq!(Pin::parse(&pin.to_string()), Some(pin));
        for bad in ["", "sha256:", "sha256:AAAA", "sha1:+/v7", "sha256:*"] {
            assert_eq!(Pin::parse(bad), None, "{bad}");
        }
        let bare = pin.to_string().split_off(PREFIX.len());
        assert_eq!(Pin::parse(&bare), None);
    }

    #[test]
    fn what_is_no_certificate_has_no_key() {
        // a sequence with fewer fields, lengths beyond the end, and nothing
        for bad in [
            &[0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x01][..],
            &[0x30, 0x82, 0xff, 0xff, 0x30],
            &[0x30, 0x80],
            b"-----BEGIN CERTIFICATE-----",
            b"",
        ] {
            assert_eq!(Pin::of_certificate(bad), None, "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_reader(inner: Vec<u8>) {
            // within the two outer sequences, where the reading begins
            let length = |extra: usize| u8::try_from((inner.len() + extra).min(127)).unwrap();
            let mut bytes = vec![0x30, length(2), 0x30, length(0)];
            bytes.extend(&inner);
            let _ = Pin::of_certificate(&bytes);
            let _ = Pin::of_certificate(&inner);
        }
    }
}
