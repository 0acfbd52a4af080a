//! Signs mails with DKIM (RFC 6376, RFC 8463), rightly or deliberately wrongly.
//!
//! Knows canonicalisation, the tags of a signature and key records. Never uses a line of the
//! verifier in `ingest::dkim`: the two must be able to disagree. Its keys are published test keys,
//! and its times are arguments.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

use super::rsa::RsaKey;

/// A private key to sign with.
#[derive(Debug)]
pub struct SigningKey(Kind);

#[derive(Debug)]
enum Kind {
    /// Beside the slow key, ring's own for it, when it is long enough for ring.
    Rsa(RsaKey, Option<Box<RsaKeyPair>>),
    Ed25519(Ed25519KeyPair),
}

/// The text is no PKCS #8 private key in PEM, of RSA or Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA or Ed25519 private key in PEM (PKCS #8)")]
pub struct NotAKey;

impl SigningKey {
    /// Reads a key: `-----BEGIN PRIVATE KEY-----`.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn from_pem(pem: &str) -> Result<Self, NotAKey> {
        let inside: String = pem.lines().filter(|line| !line.contains("-----")).collect();
        let der = STANDARD.decode(inside.trim()).map_err(|_| NotAKey)?;
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            return Ok(Self(Kind::Ed25519(pair)));
        }
        let key = RsaKey::from_pkcs8(&der).ok_or(NotAKey)?;
        let fast = RsaKeyPair::from_pkcs8(&der).ok().map(Box::new);
        Ok(Self(Kind::Rsa(key, fast)))
    }

    /// The key's TXT record, as the DNS would hold it.
    #[must_use]
    pub fn dns_record(&self) -> String {
        let (kind, public) = (self.kind(), self.public());
        format!("v=DKIM1; k={kind}; p={public}")
    }

    /// `rsa` or `ed25519`: the tag `k=`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Kind::Rsa(..) => "rsa",
            Kind::Ed25519(_) => "ed25519",
        }
    }

    /// The public key in base64: the tag `p=`.
    #[must_use]
    pub fn public(&self) -> String {
        match &self.0 {
            Kind::Rsa(key, _) => STANDARD.encode(key.public_der()),
            Kind::Ed25519(pair) => STANDARD.encode(pair.public_key().as_ref()),
        }
    }

    /// Signs the canonical header. Ed25519 signs its hash (RFC 8463, 3).
    fn sign(&self, sha1: bool, text: &[u8]) -> Vec<u8> {
        match &self.0 {
            Kind::Rsa(key, _) if sha1 => key
                .sign(&SHA1_FOR_LEGACY_USE_ONLY, text)
                .unwrap_or_default(),
            Kind::Rsa(_, Some(fast)) => quickly(fast, text),
            Kind::Rsa(key, None) => key.sign(&SHA256, text).unwrap_or_default(),
            Kind::Ed25519(pair) => pair.sign(digest(&SHA256, text).as_ref()).as_ref().to_vec(),
        }
    }
}

fn quickly(key: &RsaKeyPair, text: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public().modulus_len()];
    // PKCS #1 v1.5 takes no random numbers, so that a mail's signature is always the same.
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text,
        &mut signature,
    )
    .map_or_else(|_| Vec::new(), |()| signature)
}

/// How much change in white space a signature survives (RFC 6376, 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canonical {
    /// None.
    Simple,
    /// Folding, case of names, runs of blanks, blanks at line ends.
    Relaxed,
}

impl Canonical {
    fn word(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    fn field(self, name: &[u8], value: &[u8]) -> Vec<u8> {
        match self {
            Self::Simple => [name, b":", value].concat(),
            Self::Relaxed => {
                let name = name.trim_ascii_end().to_ascii_lowercase();
                let unfolded: Vec<u8> = value
                    .iter()
                    .copied()
                    .filter(|byte| !b"\r\n".contains(byte))
                    .collect();
                [
                    name.as_slice(),
                    b":",
                    squeezed(&unfolded).trim_ascii(),
                    b"\r\n",
                ]
                .concat()
            }
        }
    }

    /// The canonical body of RFC 6376, 3.4.3 and 3.4.4.
    fn body(self, body: &[u8]) -> Vec<u8> {
        let relaxed = self == Self::Relaxed;
        let mut lines: Vec<Vec<u8>> = split_lines(body)
            .map(|line| {
                if relaxed {
                    squeezed(line).trim_ascii_end().to_vec()
                } else {
                    line.to_vec()
                }
            })
            .collect();
        while lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        if lines.is_empty() && !relaxed {
            return b"\r\n".to_vec();
        }
        lines
            .into_iter()
            .flat_map(|line| [line.as_slice(), b"\r\n"].concat())
            .collect()
    }
}

/// Runs of blanks as one space.
fn squeezed(line: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    for &byte in line {
        let blank = matches!(byte, b' ' | b'\t');
        if !(blank && out.last() == Some(&b' ')) {
            out.push(if blank { b' ' } else { byte });
        }
    }
    out
}

/// Lines without their CR LF.
fn split_lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split_inclusive(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r\n").unwrap_or(line))
}

/// What is deliberately wrong with a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing: it is right.
    None,
    /// The body's hash is another body's.
    BodyHash,
    /// The signature is another text's.
    Signature,
}

/// How to sign. [`Signer::new`] signs as Salesforce was seen to sign; each field can be changed.
#[derive(Clone, Debug)]
pub struct Signer<'k> {
    /// The key.
    pub key: &'k SigningKey,
    /// `d=`.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    /// `c=`, for the header.
    pub header: Canonical,
    /// `c=`, for the body.
    pub body: Canonical,
    /// `h=`: the signed fields, as written there. A field that the mail lacks is signed as absent.
    pub fields: Vec<String>,
    /// `t=`, in seconds since 1970.
    pub time: Option<i64>,
    /// `x=`, in seconds since 1970.
    pub expires: Option<i64>,
    /// `l=`: the body's hash covers this many octets of its canonical form.
    pub length: Option<usize>,
    /// `i=`.
    pub identity: Option<String>,
    /// `a=`; by default, what the key does with SHA-256. `rsa-sha1` signs with SHA-1.
    pub algorithm: Option<String>,
    /// Further tags, written as they are: `q=dns/txt`, or something wrong.
    pub more: Vec<String>,
    /// All tags but `b=` as they are to be written, with `{bh}` for the body's hash: for odd orders and
    /// odd white space. They must say what the other fields say.
    pub template: Option<String>,
    /// What is deliberately wrong.
    pub flaw: Flaw,
}

impl<'k> Signer<'k> {
    /// Signs as a Salesforce mail of 2018 was signed (facts: salesforce-mail, 6):
    /// `relaxed/simple`, without `t=` and `x=`.
    #[must_use]
    pub fn new(key: &'k SigningKey, domain: &str, selector: &str) -> Self {
        let fields = [
            "Date",
            "From",
            "To",
            "Subject",
            "MIME-Version",
            "Content-Type",
        ];
        Self {
            key,
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            header: Canonical::Relaxed,
            body: Canonical::Simple,
            fields: fields.map(str::to_owned).to_vec(),
            time: None,
            expires: None,
            length: None,
            identity: None,
            algorithm: None,
            more: Vec::new(),
            template: None,
            flaw: Flaw::None,
        }
    }

    /// The name under which the key stands in the DNS.
    #[must_use]
    pub fn key_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// The mail with a signature on top. Its line ends must be CR LF.
    #[must_use]
    pub fn sign(&self, mail: &[u8]) -> Vec<u8> {
        [self.signature(mail).as_bytes(), mail].concat()
    }

    /// The field `DKIM-Signature` for a mail, with its CR LF.
    #[must_use]
    pub fn signature(&self, mail: &[u8]) -> String {
        let (fields, body) = taken_apart(mail);
        let unsigned = format!("{}; b=", self.tags(&self.body_hash(body)));
        let mut text = self.signed_fields(&fields);
        let own = self.header.field(b"DKIM-Signature", unsigned.as_bytes());
        text.extend_from_slice(own.strip_suffix(b"\r\n").unwrap_or(&own));
        if self.flaw == Flaw::Signature {
            text.push(b'!');
        }
        let signature = STANDARD.encode(self.key.sign(self.is_sha1(), &text));
        format!("DKIM-Signature:{unsigned}{}\r\n", folded(&signature))
    }

    fn is_sha1(&self) -> bool {
        self.algorithm.as_deref() == Some("rsa-sha1")
    }

    fn body_hash(&self, body: &[u8]) -> String {
        let mut body = self.body.body(body);
        body.truncate(self.length.unwrap_or(usize::MAX));
        if self.flaw == Flaw::BodyHash {
            body.push(b'!');
        }
        let hash = if self.is_sha1() {
            &SHA1_FOR_LEGACY_USE_ONLY
        } else {
            &SHA256
        };
        STANDARD.encode(digest(hash, &body))
    }

    fn tags(&self, body_hash: &str) -> String {
        if let Some(template) = &self.template {
            return template.replace("{bh}", body_hash);
        }
        let usual = format!("{}-sha256", self.key.kind());
        let algorithm = self.algorithm.as_deref().unwrap_or(&usual);
        let optional = [
            self.time.map(|time| format!("t={time}")),
            self.expires.map(|time| format!("x={time}")),
            self.length.map(|length| format!("l={length}")),
            self.identity
                .as_ref()
                .map(|identity| format!("i={identity}")),
        ];
        let mut tags = vec![
            format!(
                " v=1; a={algorithm}; c={}/{}",
                self.header.word(),
                self.body.word()
            ),
            format!("d={}; s={}", self.domain, self.selector),
        ];
        tags.extend(optional.into_iter().flatten());
        tags.extend(self.more.iter().cloned());
        tags.push(format!("h={}", self.fields.join(":")));
        tags.push(format!("bh={body_hash}"));
        tags.join(";\r\n\t")
    }

    /// The signed fields, the last of a name first (RFC 6376, 5.4.2).
    fn signed_fields(&self, fields: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut left: Vec<_> = fields.to_vec();
        let mut text = Vec::new();
        for wanted in &self.fields {
            let is = |(name, _): &(&[u8], &[u8])| {
                name.trim_ascii_end()
                    .eq_ignore_ascii_case(wanted.as_bytes())
            };
            if let Some(at) = left.iter().rposition(is) {
                let (name, value) = left.remove(at);
                text.extend(self.header.field(name, value));
            }
        }
        text
    }
}

/// A long value in lines of 72 characters.
fn folded(value: &str) -> String {
    let lines = value.as_bytes().chunks(72).map(String::from_utf8_lossy);
    lines.map(|line| format!("\r\n\t{line}")).collect()
}

/// A field's name and value as they stand.
type NameAndValue<'m> = (&'m [u8], &'m [u8]);

/// Name and value of each field (the value with its line ends), and the body.
fn taken_apart(mail: &[u8]) -> (Vec<NameAndValue<'_>>, &[u8]) {
    let mut ends = mail.windows(4);
    let end = ends
        .position(|four| four == b"\r\n\r\n")
        .map_or(mail.len(), |at| at + 2);
    let (header, rest) = mail.split_at(end);
    let mut begins: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in header.split_inclusive(|&byte| byte == b'\n') {
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            begins.push(at);
        }
        at += line.len();
    }
    begins.push(header.len());
    let field = |pair: &[usize]| {
        let field = &header[pair[0]..pair[1]];
        let colon = field.iter().position(|&byte| byte == b':')?;
        Some((&field[..colon], &field[colon + 1..]))
    };
    let fields = begins.windows(2).filter_map(field).collect();
    (fields, rest.strip_prefix(b"\r\n").unwrap_or(rest))
}
