//! Tokens as age files, for machines without a keyring.
//!
//! Knows the layout `DIR/USERNAME/{token.age,meta.json}`, and that the watching machine needs public
//! keys only. Never decrypts without an identity, and never writes a token in the clear, not even
//! into a temporary file. Recipients and identity come from files that the URL names.
//!
//! ```text
//! meta.json (pending) -> token.age -> read back -> meta.json (stored)     each by rename, synced
//! ```

mod files;
mod keys;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use keys::{Identities, Recipients};
use serde::Serialize;
use zeroize::Zeroizing;

use super::address::{Address, escape};
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind, token_in};
use crate::ingest::policy::Org;
use crate::ingest::token::{Fingerprint, Token};

/// A folder of age files.
#[derive(Debug)]
pub(super) struct AgeFiles {
    shown: String,
    folder: PathBuf,
    recipients: Recipients,
    identity: Option<PathBuf>,
}

/// `meta.json`: what is known of the token beside it, free of secrets.
#[derive(Serialize)]
struct Note<'a> {
    schema: u32,
    /// `pending` while token.age is being replaced: it may then be the one before.
    state: &'a str,
    username: &'a str,
    org: Org,
    fingerprint: &'a Fingerprint,
    date: Timestamp,
    message_id: Option<&'a str>,
    writer: &'a str,
}

impl AgeFiles {
    /// `age:/DIR?recipients-file=FILE[&recipient=KEY]…[&identity=FILE]`.
    pub(super) fn open(mut address: Address) -> Result<Self, StoreError> {
        let listed = address.all("recipients-file");
        let given = address.all("recipient");
        let identity = address.one("identity")?.map(PathBuf::from);
        address.finish("recipients-file, recipient, identity")?;
        let folder = PathBuf::from(&address.place);
        let paths = listed.iter().map(Path::new).chain(identity.as_deref());
        if !paths.chain([folder.as_path()]).all(Path::is_absolute) {
            let hint =
                "write age:/DIR?recipients-file=/FILE: neither ~ nor variables are filled in";
            return Err(address.wrong("a path in the store's URL does not start at the root", hint));
        }
        let store = Self {
            recipients: Recipients::collect(&address, &listed, &given)?,
            shown: address.shown,
            folder,
            identity,
        };
        store.identities()?;
        Ok(store)
    }

    fn identities(&self) -> Result<Option<Identities>, StoreError> {
        let read = |path: &PathBuf| Identities::read(&self.shown, path);
        self.identity.as_ref().map(read).transpose()
    }

    fn folder_of(&self, key: &Key) -> PathBuf {
        self.folder.join(files::folder_name(key))
    }

    fn token_file(&self, key: &Key) -> PathBuf {
        self.folder_of(key).join("token.age")
    }

    fn fail(&self, kind: StoreErrorKind, problem: String, hint: &str) -> StoreError {
        StoreError::new(&self.shown, kind, problem, hint)
    }

    fn io(&self, doing: &str, path: &Path, error: &std::io::Error) -> StoreError {
        let problem = format!("cannot {doing} {}: {error}", path.display());
        let hint = "check the folder's owner and permissions, and the free space";
        self.fail(StoreErrorKind::Refused, problem, hint)
    }

    fn note(&self, key: &Key, meta: &Meta, state: &str) -> Result<(), StoreError> {
        let path = self.folder_of(key).join("meta.json");
        let note = Note {
            schema: 1,
            state,
            username: &key.username,
            org: key.org,
            fingerprint: &meta.fingerprint,
            date: meta.rank.date,
            message_id: meta.message_id.as_deref(),
            writer: concat!("sftoken ", env!("CARGO_PKG_VERSION")),
        };
        let text = serde_json::to_vec_pretty(&note).map_err(std::io::Error::other);
        let written = text.and_then(|text| files::replace(&path, &text));
        written.map_err(|error| self.io("write", &path, &error))
    }

    /// That the file is what was written, and, where an identity is at hand, that it opens.
    fn confirm(&self, path: &Path, written: &[u8], token: &Token) -> Result<(), StoreError> {
        let found = files::read(path).map_err(|error| self.io("read back", path, &error))?;
        let whole = found == written && keys::stanzas(&found) == Some(self.recipients.len());
        let opens = match self.identities()? {
            Some(identities) => self.opened(path, &found, &identities)? == *token,
            None => true,
        };
        if whole && opens {
            return Ok(());
        }
        let problem = format!("{} is not what was written to it", path.display());
        let hint = "another program writes to the same file: find it, and try again";
        Err(self.fail(StoreErrorKind::Corrupt, problem, hint))
    }

    fn opened(&self, path: &Path, file: &[u8], with: &Identities) -> Result<Token, StoreError> {
        let file_shown = path.display();
        let plain = with.decrypt(file).map_err(|error| {
            let problem = format!("cannot decrypt {file_shown}: {error}");
            let hint = "give the identity that belongs to one of the recipients";
            self.fail(StoreErrorKind::Corrupt, problem, hint)
        })?;
        token_in(&plain).ok_or_else(|| {
            let problem = format!("{file_shown} holds something that is no token");
            let hint = "if it is not wanted, remove it; the next token makes a new one";
            self.fail(StoreErrorKind::Corrupt, problem, hint)
        })
    }

    fn write_only(&self, path: &Path) -> StoreError {
        let problem = "this machine holds no identity, so it can write tokens but not read them";
        let hint = format!(
            "where the identity is kept: age -d -i IDENTITY {}; or add identity=/FILE to the store's URL",
            files::quoted(path)
        );
        self.fail(StoreErrorKind::WriteOnly, problem.to_owned(), &hint)
    }
}

impl Store for AgeFiles {
    fn slot(&self, key: &Key) -> String {
        let folder = escape_path(&self.folder);
        format!("age:{folder}/{}/token.age", files::folder_name(key))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: false,
            readable: self.identity.is_some(),
        }
    }

    /// NOTE: "changes nothing" is a temporary file, made and removed where the first folder would be.
    fn check(&self) -> Result<(), StoreError> {
        files::writable(&self.folder).map_err(|error| self.io("write in", &self.folder, &error))?;
        let sealed = self.recipients.encrypt(b"probe");
        let sealed = sealed.map_err(|error| self.io("encrypt for", &self.folder, &error))?;
        let Some(identities) = self.identities()? else {
            return Ok(());
        };
        identities.decrypt(&sealed).map(drop).map_err(|_| {
            let problem = "the identity belongs to none of the recipients".to_owned();
            let hint = "add its public half (age-keygen -y IDENTITY) to the recipients";
            self.fail(StoreErrorKind::Misconfigured, problem, hint)
        })
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        let (folder, path) = (self.folder_of(key), self.token_file(key));
        let sealed = self.recipients.encrypt(token.expose().as_bytes());
        let sealed = sealed.map_err(|error| self.io("encrypt", &path, &error))?;
        files::make_private(&folder).map_err(|error| self.io("make", &folder, &error))?;
        self.note(key, meta, "pending")?;
        files::replace(&path, &sealed).map_err(|error| self.io("write", &path, &error))?;
        self.confirm(&path, &sealed, token)?;
        self.note(key, meta, "stored")?;
        Ok(Put::Written)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let path = self.token_file(key);
        let file: Zeroizing<Vec<u8>> = match files::read(&path) {
            Ok(file) => Zeroizing::new(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io("read", &path, &error)),
        };
        let identities = self.identities()?.ok_or_else(|| self.write_only(&path))?;
        self.opened(&path, &file, &identities).map(Some)
    }
}

fn escape_path(path: &Path) -> String {
    let shown = path.to_string_lossy();
    let parts = shown.trim_end_matches('/').split('/').map(escape);
    parts.collect::<Vec<_>>().join("/")
}
