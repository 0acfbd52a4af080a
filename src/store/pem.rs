//! Private keys as files hold them.
//!
//! Knows PEM, PKCS #1, SEC 1 and PKCS #8. Never reads a key that is encrypted, nor says what one was. Its texts come from
//! secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

type Der = Zeroizing<Vec<u8>>;

#[cfg(feature = "kubernetes")]
const SEQUENCE: u8 = 0x30;
#[cfg(feature = "kubernetes")]
const OCTETS: u8 = 0x04;
/// `rsaEncryption` with NULL, and `id-ecPublicKey` (RFC 3279, 2.3), as they stand in an AlgorithmIdentifier.
#[cfg(feature = "kubernetes")]
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
#[cfg(feature = "kubernetes")]
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// What stands between the lines of a label (RFC 7468).
pub(super) fn inside(pem: &str, label: &str) -> Option<Der> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let mut text = Zeroizing::new(String::with_capacity(body.len()));
    text.extend(body.split_ascii_whitespace());
    STANDARD.decode(text.as_bytes()).ok().map(Zeroizing::new)
}

/// A private key as PKCS #8 (RFC 5208) in PEM, whichever of the three forms it has.
#[cfg(feature = "kubernetes")]
pub(super) fn pkcs8(pem: &str) -> Option<Zeroizing<String>> {
    let whole = if let Some(whole) = inside(pem, "PRIVATE KEY") {
        whole
    } else if let Some(rsa) = inside(pem, "RSA PRIVATE KEY") {
        wrapped(RSA, &rsa)
    } else {
        let key = inside(pem, "EC PRIVATE KEY")?;
        let algorithm = [EC, curve(&key)?].concat();
        wrapped(&algorithm, &key)
    };
    let text = Zeroizing::new(STANDARD.encode(&*whole));
    let (begin, end) = ["BEGIN", "END"]
        .map(|word| format!("-----{word} PRIVATE KEY-----\n"))
        .into();
    let mut pem = Zeroizing::new(String::with_capacity(2 * text.len() + 100));
    pem.push_str(&begin);
    for at in (0..text.len()).step_by(64) {
        pem.push_str(&text[at..text.len().min(at + 64)]);
        pem.push('\n');
    }
    pem.push_str(&end);
    Some(pem)
}

/// Version 0, the algorithm, and the key.
#[cfg(feature = "kubernetes")]
fn wrapped(algorithm: &[u8], key: &[u8]) -> Der {
    let parts = Zeroizing::new(
        [
            [0x02, 0x01, 0x00].as_slice(),
            &tagged(SEQUENCE, algorithm),
            &tagged(OCTETS, key),
        ]
        .concat(),
    );
    tagged(SEQUENCE, &parts)
}

/// The name of the curve, with its tag, in an `ECPrivateKey` (RFC 5915, 3).
#[cfg(feature = "kubernetes")]
fn curve(key: &[u8]) -> Option<&[u8]> {
    let (SEQUENCE, mut rest, _) = part(key)? else {
        return None;
    };
    while let Some((tag, value, after)) = part(rest) {
        if tag == 0xa0 {
            return Some(value);
        }
        rest = after;
    }
    None
}

/// Tag, value, and what follows.
#[cfg(feature = "kubernetes")]
fn part(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = der.split_at_checked(2)?;
    let (length, rest) = match usize::from(head[1]) {
        short @ 0..0x80 => (short, rest),
        long => {
            let (octets, rest) = rest.split_at_checked(long & 0x7f)?;
            let octets = octets.get(..).filter(|octets| octets.len() <= 3)?;
            let add = |sum, &octet: &u8| (sum << 8) | usize::from(octet);
            (octets.iter().fold(0, add), rest)
        }
    };
    let (value, after) = rest.split_at_checked(length)?;
    Some((head[0], value, after))
}

/// With a length of three octets where one is too few (RSA keys have up to some kilobytes).
#[cfg(feature = "kubernetes")]
fn tagged(tag: u8, value: &[u8]) -> Der {
    let length = value.len();
    let octet = |shift: usize| u8::try_from((length >> shift) & 0xff).unwrap_or_default();
    let head = match length {
        0..0x80 => vec![tag, octet(0)],
        0x80..0x100 => vec![tag, 0x81, octet(0)],
        _ => vec![tag, 0x82, octet(8), octet(0)],
    };
    Zeroizing::new([head.as_slice(), value].concat())
}
