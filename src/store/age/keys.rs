//! Recipients and identities of age files.
//!
//! Knows `age1…` and SSH keys, and the form of a sealed file. Never repeats a key or a line of a key
//! file: someone may have put the wrong half there. Keys come from the URL and from the files that
//! it names.

use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::{DecryptError, Decryptor, Encryptor, IdentityFile};
use zeroize::Zeroizing;

use crate::store::address::Address;
use crate::store::{StoreError, StoreErrorKind};

/// For whom tokens are sealed.
pub(super) struct Recipients(Vec<Box<dyn age::Recipient + Send + Sync>>);

impl Recipients {
    /// From the files' lines and from the URL itself.
    pub(super) fn collect(
        address: &Address,
        listed: &[String],
        given: &[String],
    ) -> Result<Self, StoreError> {
        let mut all = Vec::new();
        for key in given {
            all.push(recipient(key).map_err(|why| {
                address.wrong(format!("a recipient in the URL {why}"), PUBLIC_HALF)
            })?);
        }
        for path in listed {
            let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| {
                let problem = format!("cannot read the recipients in {path}: {error}");
                address.wrong(
                    problem,
                    "one public key a line: age-keygen -y IDENTITY > FILE",
                )
            })?);
            all.append(&mut lines(address, path, &text)?);
        }
        if all.is_empty() {
            let hint = "add recipients-file=/FILE or recipient=age1… to the store's URL";
            return Err(address.wrong("no recipient is given, so nobody could read", hint));
        }
        Ok(Self(all))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Seals `plain`, armoured.
    pub(super) fn encrypt(&self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let each = self.0.iter().map(|key| &**key as &dyn age::Recipient);
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

type Recipient = Box<dyn age::Recipient + Send + Sync>;

fn lines(address: &Address, path: &str, text: &str) -> Result<Vec<Recipient>, StoreError> {
    let lines = text.lines().map(str::trim).enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(index, line)| {
            let at = format!("{path}, line {},", index + 1);
            recipient(line).map_err(|why| address.wrong(format!("{at} {why}"), PUBLIC_HALF))
        })
        .collect()
}

/// One public key; the error is the end of a sentence.
fn recipient(key: &str) -> Result<Recipient, &'static str> {
    if key.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") || key.starts_with("-----BEGIN") {
        return Err("is a private key: keep it off the machine that watches");
    }
    // with the separator, which no key's own letters hold: one ordinary key of 1024 begins with `age1pq`
    if key.starts_with("age1pq1") {
        // Debian 12's age 1.1.1 cannot read such files, and the two kinds must not be mixed.
        return Err("is a post-quantum recipient, which this version does not write for");
    }
    if let Ok(key) = key.parse::<age::x25519::Recipient>() {
        return Ok(Box::new(key));
    }
    match key.parse::<age::ssh::Recipient>() {
        Ok(key) => Ok(Box::new(key)),
        Err(_) => Err("is no recipient"),
    }
}

/// What opens sealed files.
pub(super) struct Identities(Vec<Box<dyn age::Identity + Send + Sync>>);

impl Identities {
    /// From a file that nobody else may read.
    pub(super) fn read(store: &str, path: &Path) -> Result<Self, StoreError> {
        let shown = path.display();
        let wrong = |problem: String, hint: &str| {
            StoreError::new(store, StoreErrorKind::Misconfigured, problem, hint)
        };
        if let Some(mode) = open_to_others(path) {
            let problem = format!("the identity {shown} can be read by others (mode {mode:o})");
            return Err(wrong(
                problem,
                &format!("chmod 600 {}", super::files::quoted(path)),
            ));
        }
        let text = fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| {
                let problem = format!("cannot read the identity {shown}: {error}");
                wrong(
                    problem,
                    "take identity= out of the URL on a machine that only writes",
                )
            })?;
        identities(&text).map(Self).ok_or_else(|| {
            let problem = format!("{shown} holds no usable identity");
            wrong(
                problem,
                "give a file of age-keygen, or an SSH private key without a passphrase",
            )
        })
    }

    /// Opens a sealed file.
    pub(super) fn decrypt(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
        let decryptor = Decryptor::new(ArmoredReader::new(sealed))?;
        let each = self.0.iter().map(|key| &**key as &dyn age::Identity);
        // Room for the longest token and more, so that no copy is left behind by growing.
        let mut plain = Zeroizing::new(Vec::with_capacity(4096));
        let opened = decryptor.decrypt(each)?;
        opened.take(4096).read_to_end(&mut plain)?;
        Ok(plain)
    }
}

fn identities(text: &str) -> Option<Vec<Box<dyn age::Identity + Send + Sync>>> {
    if text.trim_start().starts_with("-----BEGIN") {
        return match age::ssh::Identity::from_buffer(text.as_bytes(), None).ok()? {
            key @ age::ssh::Identity::Unencrypted(_) => Some(vec![Box::new(key)]),
            _ => None,
        };
    }
    let file = IdentityFile::from_buffer(text.as_bytes()).ok()?;
    let all = file.into_identities().ok()?;
    (!all.is_empty()).then_some(all)
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<u32> {
    None
}

/// For how many recipients a sealed file is: its stanzas without the "grease" that the age crate
/// adds (age's specification, "Recipient stanza"); `None` when it is no whole age file.
pub(super) fn stanzas(sealed: &[u8]) -> Option<usize> {
    Decryptor::new(ArmoredReader::new(sealed)).ok()?;
    let mut binary = Vec::new();
    ArmoredReader::new(sealed).read_to_end(&mut binary).ok()?;
    let header = binary.split(|byte| *byte == b'\n');
    let header = header.take_while(|line| !line.starts_with(b"---"));
    let tags = header.filter_map(|line| line.strip_prefix(b"-> "));
    let tags = tags.filter_map(|line| line.split(|byte| *byte == b' ').next());
    Some(tags.filter(|tag| !tag.ends_with(b"-grease")).count())
}
