//! A key record (RFC 6376, 3.6.1; RFC 8463) and the key in it.
//!
//! Knows what a record allows and how to check a signature. Never asks for a record: it is given as
//! text.

use pkcs1::RsaPublicKey;
use pkcs1::der::Decode;
use ring::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey,
    VerificationAlgorithm,
};
use spki::SubjectPublicKeyInfoRef;

use super::decode_base64;
use super::signature::{Algorithm, Signature};
use super::tags::{Tags, members};
use crate::ingest::refusal::Refusal;

/// Shorter RSA keys can be broken; Salesforce's staff mail has 1024 bits, so no more can be asked
/// (facts: authenticity, 1.2; RFC 8301, 3.2).
const MIN_RSA_BITS: usize = 1024;

/// A public key that may be used for the signature at hand.
#[derive(Debug)]
pub struct Key {
    algorithm: Algorithm,
    /// PKCS #1 for RSA, 32 bytes for Ed25519.
    bytes: Vec<u8>,
    /// The record's `p=`, decoded.
    published: Vec<u8>,
}

impl Key {
    /// The key in the TXT records of a name, if it serves for `signature`.
    ///
    /// # Errors
    /// When there is not exactly one key record, or it is revoked, in testing, not meant for this
    /// use, unreadable or too short.
    pub fn from_records(records: &[String], signature: &Signature<'_>) -> Result<Self, Refusal> {
        let [record] = records else {
            return Err(Refusal::DkimKeyMissing);
        };
        let tags = Tags::parse(record).ok_or(Refusal::DkimKeyMalformed)?;
        check_version(&tags)?;
        let value = tags.get("p").ok_or(Refusal::DkimKeyMalformed)?;
        if value.is_empty() {
            return Err(Refusal::DkimKeyRevoked);
        }
        check_use(&tags, signature)?;
        let published = decode_base64(value).ok_or(Refusal::DkimKeyMalformed)?;
        let bytes = match signature.algorithm {
            Algorithm::RsaSha256 => rsa_key(&published)?,
            Algorithm::Ed25519Sha256 if published.len() == 32 => published.clone(),
            Algorithm::Ed25519Sha256 => return Err(Refusal::DkimKeyMalformed),
            Algorithm::Weak => return Err(Refusal::DkimWeak),
        };
        Ok(Self {
            algorithm: signature.algorithm,
            bytes,
            published,
        })
    }

    /// Whether a decoded `p=` is a key that could count.
    #[must_use]
    pub fn is_one(published: &[u8]) -> bool {
        published.len() == 32 || rsa_key(published).is_ok()
    }

    /// The record's `p=`, decoded: what is pinned.
    #[must_use]
    pub fn published(&self) -> &[u8] {
        &self.published
    }

    /// Whether `value` is the signature of `signed`. For Ed25519 the SHA-256 of the header is what
    /// is signed (RFC 8463, 3).
    pub(super) fn verify(&self, signed: &[u8], value: &[u8]) -> Result<(), Refusal> {
        let check = |algorithm: &'static dyn VerificationAlgorithm, message: &[u8]| {
            UnparsedPublicKey::new(algorithm, &self.bytes).verify(message, value)
        };
        let held = if self.algorithm == Algorithm::Ed25519Sha256 {
            let hash = ring::digest::digest(&ring::digest::SHA256, signed);
            check(&ED25519, hash.as_ref())
        } else {
            check(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, signed)
        };
        held.map_err(|_| Refusal::DkimFailSignature)
    }
}

/// `v=`, if it is there, stands first and is `DKIM1`; another record is not a key record.
fn check_version(tags: &Tags<'_>) -> Result<(), Refusal> {
    match tags.get("v") {
        None => Ok(()),
        Some("DKIM1") if tags.first() == Some("v") => Ok(()),
        Some(_) => Err(Refusal::DkimKeyMissing),
    }
}

/// `t=`, `s=`, `h=` and `k=`: what the key's owner allows.
fn check_use(tags: &Tags<'_>, signature: &Signature<'_>) -> Result<(), Refusal> {
    let has = |tag: &str, default: &str, wanted: &[&str]| {
        members(tags.get(tag).unwrap_or(default))
            .any(|member| wanted.iter().any(|word| member.eq_ignore_ascii_case(word)))
    };
    if has("t", "", &["y"]) {
        return Err(Refusal::DkimKeyTesting);
    }
    let kind = match signature.algorithm {
        Algorithm::Ed25519Sha256 => "ed25519",
        Algorithm::RsaSha256 | Algorithm::Weak => "rsa",
    };
    let allowed = has("s", "*", &["*", "email"])
        && has("h", "sha256", &["sha256"])
        && has("k", "rsa", &[kind])
        && (signature.identity_is_domain || !has("t", "", &["s"]));
    allowed.then_some(()).ok_or(Refusal::DkimKeyRestricted)
}

/// The PKCS #1 key of a published key, if it is long enough.
fn rsa_key(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    let bytes = unwrapped(bytes);
    let bits = modulus_bits(bytes).ok_or(Refusal::DkimKeyMalformed)?;
    let fits = bits >= MIN_RSA_BITS;
    fits.then(|| bytes.to_vec()).ok_or(Refusal::DkimWeak)
}

/// The size of a published RSA key.
pub(super) fn rsa_bits(bytes: &[u8]) -> Option<usize> {
    modulus_bits(unwrapped(bytes))
}

/// The PKCS #1 key in a SubjectPublicKeyInfo, as keys are published, or alone, as RFC 6376, 3.6.1
/// has it.
fn unwrapped(bytes: &[u8]) -> &[u8] {
    let info = SubjectPublicKeyInfoRef::try_from(bytes);
    info.map_or(bytes, |info| info.subject_public_key.raw_bytes())
}

fn modulus_bits(bytes: &[u8]) -> Option<usize> {
    let key = RsaPublicKey::from_der(bytes).ok()?;
    let modulus = key.modulus.as_bytes();
    let zeros = modulus
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    Some(modulus.len() * 8 - zeros)
}
