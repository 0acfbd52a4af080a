//! For whom tokens are sealed.
//!
//! Knows `age1…` and SSH public keys, and tells two lists of them apart by a fingerprint. Never repeats a
//! key that it cannot read: someone may have put the private half there. Keys come from the URL and from
//! the files that it names, read anew for each token, so that a change needs no restart.

use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, Write as _};

use age::armor::{ArmoredWriter, Format};
use age::{Encryptor, Recipient};
use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::files::quoted;
use crate::store::{StoreError, StoreErrorKind};

/// Where the recipients stand.
#[derive(Debug)]
pub(super) struct Listed {
    /// The store, as errors show it.
    pub(super) shown: String,
    /// Files with one public key a line.
    pub(super) files: Vec<String>,
    /// Public keys in the URL itself.
    pub(super) given: Vec<String>,
}

/// For whom tokens are sealed now: each key once.
pub(super) struct Recipients(Vec<Named>);

/// A public key, and how it is written without a comment.
struct Named {
    text: String,
    key: Box<dyn Recipient + Send + Sync>,
}

impl Listed {
    /// Reads them.
    pub(super) fn read(&self) -> Result<Recipients, StoreError> {
        let mut all = Vec::new();
        for key in &self.given {
            all.push(
                recipient(key).map_err(|why| {
                    self.wrong(format!("a recipient in the URL {why}"), PUBLIC_HALF)
                })?,
            );
        }
        for path in &self.files {
            let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| {
                let problem = format!("cannot read the recipients in {path}: {error}");
                self.wrong(
                    problem,
                    "one public key a line: age-keygen -y IDENTITY > FILE",
                )
            })?);
            all.append(&mut self.lines(path, &text)?);
        }
        if all.is_empty() {
            let hint = "add recipients-file=/FILE or recipient=age1… to the store's URL";
            return Err(self.wrong("no recipient is given, so nobody could read", hint));
        }
        all.sort_by(|one, other| one.text.cmp(&other.text));
        all.dedup_by(|one, other| one.text == other.text);
        Ok(Recipients(all))
    }

    fn lines(&self, path: &str, text: &str) -> Result<Vec<Named>, StoreError> {
        let lines = text.lines().map(str::trim).enumerate();
        lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(index, line)| {
                let at = format!("{path}, line {},", index + 1);
                recipient(line).map_err(|why| self.wrong(format!("{at} {why}"), PUBLIC_HALF))
            })
            .collect()
    }

    /// The same recipients as arguments of `age` and `rage`, for a shell.
    pub(super) fn arguments(&self) -> String {
        let mut words = String::new();
        for path in &self.files {
            // writing to a String cannot fail
            let _ = write!(words, " -R {}", quoted(path));
        }
        for key in &self.given {
            let _ = write!(words, " -r {}", quoted(key));
        }
        words
    }

    fn wrong(&self, problem: impl Into<String>, hint: &str) -> StoreError {
        StoreError::new(&self.shown, StoreErrorKind::Misconfigured, problem, hint)
    }
}

impl Recipients {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells two lists apart, whatever their order and comments: the first 16 hex digits of the SHA-256 of the
    /// sorted keys, one a line.
    pub(super) fn fingerprint(&self) -> String {
        let lines: String = self.0.iter().fold(String::new(), |mut lines, named| {
            let _ = writeln!(lines, "{}", named.text);
            lines
        });
        hex(&digest(&SHA256, lines.as_bytes()).as_ref()[..8])
    }

    /// Seals `plain`, armoured.
    pub(super) fn encrypt(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let each = self.0.iter().map(|named| &*named.key as &dyn Recipient);
        let encryptor = Encryptor::with_recipients(each).map_err(io::Error::other)?;
        let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
        let mut sealing = encryptor.wrap_output(armor)?;
        sealing.write_all(plain)?;
        sealing.finish()?.finish()
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipients({})", self.len())
    }
}

const PUBLIC_HALF: &str = "give the public half: age1… as printed by age-keygen -y, or a line of an SSH .pub file (Ed25519, or RSA of at least 2048 bits)";

/// One public key; the error is the end of a sentence.
fn recipient(key: &str) -> Result<Named, &'static str> {
    if key.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") || key.starts_with("-----BEGIN") {
        return Err("is a private key: keep it off the machine that watches");
    }
    // with the separator, which no key's own letters hold: one ordinary key of 1024 begins with `age1pq`
    if key.starts_with("age1pq1") {
        // Debian 12's age 1.1.1 cannot read such files, and the two kinds must not be mixed.
        return Err("is a post-quantum recipient, which this version does not write for");
    }
    if let Ok(key) = key.parse::<age::x25519::Recipient>() {
        return Ok(Named::new(key));
    }
    match key.parse::<age::ssh::Recipient>() {
        Ok(key) => Ok(Named::new(key)),
        Err(_) => Err("is no recipient"),
    }
}

impl Named {
    fn new(key: impl Recipient + fmt::Display + Send + Sync + 'static) -> Self {
        Self {
            text: key.to_string(),
            key: Box::new(key),
        }
    }
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
