//! Identities of age files, and the form of a sealed file.
//!
//! Knows files of `age-keygen` and SSH private keys. Never repeats a line of a key file, and never keeps
//! an identity longer than it is used. Identities come from the file that the URL names.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor, IdentityFile};
use zeroize::Zeroizing;

use crate::store::{StoreError, StoreErrorKind};

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
