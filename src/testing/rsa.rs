//! RSA signatures with a published test key of any size.
//!
//! Knows PKCS #1 v1.5 (RFC 8017, 8.2) and as much arithmetic as it needs, because ring signs with
//! no key below 2048 bits and hostile mails are signed with such. NOTE: never fit for a real key,
//! since its time depends on the key. Its keys come from PKCS #8 files.

use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, digest};

/// `DigestInfo` in front of a SHA-256 and of a SHA-1 hash (RFC 8017, 9.2, note 1).
const SHA256_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
const SHA1_INFO: &[u8] = &[
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
];

/// An RSA key pair.
#[derive(Clone, Debug)]
pub(super) struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    secret: Vec<u8>,
}

impl RsaKey {
    /// Reads the inside of a PKCS #8 file (RFC 5208): version, algorithm, then `RSAPrivateKey`.
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let mut outer = Der(Der(der).value(0x30)?);
        outer.value(0x02)?;
        outer.value(0x30)?;
        let mut key = Der(Der(outer.value(0x04)?).value(0x30)?);
        key.value(0x02)?;
        Some(Self {
            modulus: key.number()?,
            exponent: key.number()?,
            secret: key.number()?,
        })
    }

    /// `SubjectPublicKeyInfo`, as `p=` holds it (RFC 6376, 3.6.1).
    pub(super) fn public_der(&self) -> Vec<u8> {
        let numbers = [&self.modulus, &self.exponent].map(|number| integer(number));
        let key = tagged(0x30, &numbers.concat());
        let bits = tagged(0x03, &[&[0], key.as_slice()].concat());
        let rsa_encryption = [
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
            0x00,
        ];
        tagged(0x30, &[rsa_encryption.as_slice(), &bits].concat())
    }

    /// Signs a text. `None` when the key is too short for the hash.
    pub(super) fn sign(&self, hash: &'static Algorithm, text: &[u8]) -> Option<Vec<u8>> {
        let info = if hash == &SHA1_FOR_LEGACY_USE_ONLY {
            SHA1_INFO
        } else {
            SHA256_INFO
        };
        let inside = [info, digest(hash, text).as_ref()].concat();
        let padding = self.modulus.len().checked_sub(inside.len() + 3)?;
        let block = [&[0, 1], vec![0xff; padding].as_slice(), &[0], &inside].concat();
        Some(power(&block, &self.secret, &self.modulus))
    }
}

/// A reader of DER: tag, length, value.
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    fn value(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (head, rest) = self.0.split_at_checked(2)?;
        let (length, rest) = match usize::from(head[1]) {
            short @ 0..0x80 => (short, rest),
            long => {
                let (octets, rest) = rest.split_at_checked(long & 0x7f)?;
                let add = |sum, &octet: &u8| (sum << 8) | usize::from(octet);
                (octets.iter().fold(0, add), rest)
            }
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (head[0] == tag).then_some(value)
    }

    /// An integer without its leading zeros.
    fn number(&mut self) -> Option<Vec<u8>> {
        let value = self.value(0x02)?;
        let zeros = value.iter().take_while(|&&octet| octet == 0).count();
        Some(value[zeros..].to_vec())
    }
}

fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let octets = value.len().to_be_bytes();
    let significant: Vec<u8> = octets.into_iter().skip_while(|&octet| octet == 0).collect();
    let mut der = vec![tag];
    if let ([short], true) = (significant.as_slice(), value.len() < 0x80) {
        der.push(*short);
    } else {
        der.push(0x80 | u8::try_from(significant.len()).unwrap_or_default());
        der.extend(significant);
    }
    der.extend_from_slice(value);
    der
}

fn integer(number: &[u8]) -> Vec<u8> {
    let zero = number.first().is_some_and(|&first| first >= 0x80);
    let sign: &[u8] = if zero { &[0] } else { &[] };
    tagged(0x02, &[sign, number].concat())
}

/// Limbs of 32 bits, the least first, as many as the modulus has.
fn limbs(octets: &[u8], count: usize) -> Vec<u32> {
    let mut limbs = vec![0; count];
    for (at, &octet) in octets.iter().rev().enumerate() {
        limbs[at / 4] |= u32::from(octet) << (8 * (at % 4));
    }
    limbs
}

/// `base ^ exponent mod modulus`, square and multiply, in Montgomery's form: a number `x` stands as
/// `x * 2^(32 * count)`, so that a product is reduced without a division.
fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let count = modulus.len().div_ceil(4);
    let modulus_limbs = limbs(modulus, count);
    let one = doubled(&limbs(&[1], count), 32 * count, &modulus_limbs);
    let base = doubled(&limbs(base, count), 32 * count, &modulus_limbs);
    let mut result = one;
    for bit in exponent
        .iter()
        .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1))
    {
        result = multiply(&result, &result, &modulus_limbs);
        if bit == 1 {
            result = multiply(&result, &base, &modulus_limbs);
        }
    }
    let plain = multiply(&result, &limbs(&[1], count), &modulus_limbs);
    let octets = plain.iter().rev().flat_map(|limb| limb.to_be_bytes());
    octets.skip(count * 4 - modulus.len()).collect()
}

/// `number * 2^times mod modulus`.
fn doubled(number: &[u32], times: usize, modulus: &[u32]) -> Vec<u32> {
    let mut rest = [number, &[0]].concat();
    for _ in 0..times {
        shift_in(&mut rest, 0);
        reduce(&mut rest, modulus);
    }
    rest.truncate(modulus.len());
    rest
}

/// Montgomery's product, `a * b / 2^(32 * count) mod modulus`: for each limb of `a`, so much of the
/// modulus is added that the lowest limb becomes zero and can be dropped.
fn multiply(a: &[u32], b: &[u32], modulus: &[u32]) -> Vec<u32> {
    let inverse = inverse_of(modulus[0]);
    let mut sum = vec![0_u32; b.len() + 2];
    for &limb in a {
        add_product(&mut sum, limb, b);
        let factor = sum[0].wrapping_mul(inverse);
        add_product(&mut sum, factor, modulus);
        sum.remove(0);
        sum.push(0);
    }
    sum.truncate(b.len() + 1);
    reduce(&mut sum, modulus);
    sum.truncate(b.len());
    sum
}

/// `-1 / odd mod 2^32`, by Newton's iteration: each step doubles the bits that are right.
fn inverse_of(odd: u32) -> u32 {
    let step =
        |inverse: u32, _| inverse.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(inverse)));
    (0..5).fold(odd, step).wrapping_neg()
}

fn add_product(sum: &mut [u32], factor: u32, number: &[u32]) {
    let mut carry = 0;
    for (at, limb) in sum.iter_mut().enumerate() {
        let right = number.get(at).copied().unwrap_or_default();
        let total = u64::from(factor) * u64::from(right) + u64::from(*limb) + carry;
        *limb = low(total);
        carry = total >> 32;
    }
}

fn low(sum: u64) -> u32 {
    (sum & 0xffff_ffff) as u32
}

/// Takes the modulus off once, if it fits.
fn reduce(rest: &mut [u32], modulus: &[u32]) {
    if !less(rest, modulus) {
        subtract(rest, modulus);
    }
}

fn shift_in(rest: &mut [u32], mut bit: u32) {
    for limb in rest {
        (*limb, bit) = (*limb << 1 | bit, *limb >> 31);
    }
}

/// Whether `rest`, which has one limb more, is less than `modulus`.
fn less(rest: &[u32], modulus: &[u32]) -> bool {
    let (high, same) = rest.split_last().unwrap_or((&0, &[]));
    *high == 0 && same.iter().rev().lt(modulus.iter().rev())
}

fn subtract(rest: &mut [u32], modulus: &[u32]) {
    let mut borrow = 0;
    for (at, limb) in rest.iter_mut().enumerate() {
        let take = u64::from(modulus.get(at).copied().unwrap_or_default()) + borrow;
        let have = u64::from(*limb) + (1 << 32);
        *limb = low(have - take);
        borrow = u64::from(have - take < 1 << 32);
    }
}
