//! Tokens as age files, for machines without a keyring.
//!
//! Knows the layout `DIR/USERNAME/{token.age,meta.json}`, and that the watching machine needs public
//! keys only. Never decrypts without an identity, and never writes a token in the clear, not even
//! into a temporary file. Recipients and identity come from files that the URL names.
//!
//! ```text
//! meta.json (pending) -> token.age -> read back -> meta.json (stored)     each by rename, synced
//! ```
//!
//! When the recipients have changed, a file is sealed anew where an identity is at hand.

mod files;
mod keys;
mod note;
mod recipients;

use std::path::{Path, PathBuf};

use keys::Identities;
use note::Note;
use recipients::{Listed, Recipients};
use zeroize::Zeroizing;

use super::address::{Address, escape};
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind, token_in};
use crate::ingest::token::Token;

/// A folder of age files.
#[derive(Debug)]
pub(super) struct AgeFiles {
    shown: String,
    folder: PathBuf,
    recipients: Listed,
    identity: Option<PathBuf>,
}

/// A file, and for whom it was sealed.
struct Sealed<'s> {
    file: &'s [u8],
    to: &'s Recipients,
}

const WITHOUT_IDENTITY: &str = "this machine holds no identity to seal it anew with";
const OTHER_IDENTITY: &str = "the identity here cannot open it to seal it anew";

impl AgeFiles {
    /// `age:/DIR?recipients-file=FILE[&recipient=KEY]…[&identity=FILE]`.
    pub(super) fn open(mut address: Address) -> Result<Self, StoreError> {
        let files = address.all("recipients-file");
        let given = address.all("recipient");
        let identity = address.one("identity")?.map(PathBuf::from);
        address.finish("recipients-file, recipient, identity")?;
        let folder = PathBuf::from(&address.place);
        let paths = files.iter().map(Path::new).chain(identity.as_deref());
        if !paths.chain([folder.as_path()]).all(Path::is_absolute) {
            let hint =
                "write age:/DIR?recipients-file=/FILE: neither ~ nor variables are filled in";
            return Err(address.wrong("a path in the store's URL does not start at the root", hint));
        }
        let store = Self {
            recipients: Listed {
                shown: address.shown.clone(),
                files,
                given,
            },
            shown: address.shown,
            folder,
            identity,
        };
        store.recipients.read()?;
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

    fn put_note(&self, key: &Key, note: &Note) -> Result<(), StoreError> {
        let path = self.folder_of(key).join("meta.json");
        let text = serde_json::to_vec_pretty(note).map_err(std::io::Error::other);
        let written = text.and_then(|text| files::replace(&path, &text));
        written.map_err(|error| self.io("write", &path, &error))
    }

    /// The note, if there is one that can be read.
    fn note(&self, key: &Key) -> Option<Note> {
        let text = files::read(&self.folder_of(key).join("meta.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn seal(&self, path: &Path, token: &Token, to: &Recipients) -> Result<Vec<u8>, StoreError> {
        let sealed = to.encrypt(token.expose().as_bytes());
        sealed.map_err(|error| self.io("encrypt", path, &error))
    }

    fn replace(&self, path: &Path, sealed: &Sealed<'_>, token: &Token) -> Result<(), StoreError> {
        files::replace(path, sealed.file).map_err(|error| self.io("write", path, &error))?;
        self.confirm(path, sealed, token)
    }

    /// The sealed file, if there is one.
    fn sealed(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match files::read(path) {
            // somebody may have put a token there in the clear
            Ok(file) => Ok(Some(Zeroizing::new(file))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("read", path, &error)),
        }
    }

    /// That the file is what was written, and, where an identity is at hand, that it opens.
    fn confirm(&self, path: &Path, written: &Sealed<'_>, token: &Token) -> Result<(), StoreError> {
        let found = files::read(path).map_err(|error| self.io("read back", path, &error))?;
        let whole = found == written.file && keys::stanzas(&found) == Some(written.to.len());
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

    /// The recipients have changed, and the file has not. The hint is a command that can be pasted.
    fn for_others(&self, path: &Path, why: &str) -> StoreError {
        let problem = format!(
            "{} is sealed for recipients other than those that are configured now, and {why}",
            path.display()
        );
        let (file, new) = (
            files::quoted(path),
            files::quoted(path.with_extension("new")),
        );
        let to = self.recipients.arguments();
        let hint = format!(
            "the next token is sealed for the new ones; to seal this one anew where its identity is kept: (umask 077 && token=$(age -d -i IDENTITY {file}) && printf %s \"$token\" | age -a{to} -o {new} && mv {new} {file})"
        );
        self.fail(StoreErrorKind::WriteOnly, problem, &hint)
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
        let sealed = self.recipients.read()?.encrypt(b"probe");
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
        let to = self.recipients.read()?;
        let file = self.seal(&path, token, &to)?;
        files::make_private(&folder).map_err(|error| self.io("make", &folder, &error))?;
        let sealed = Sealed {
            file: &file,
            to: &to,
        };
        let note = Note::pending(key, meta, &sealed);
        self.put_note(key, &note)?;
        self.replace(&path, &sealed, token)?;
        self.put_note(key, &note.stored())?;
        Ok(Put::Written)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let path = self.token_file(key);
        let Some(file) = self.sealed(&path)? else {
            return Ok(None);
        };
        let identities = self.identities()?.ok_or_else(|| self.write_only(&path))?;
        self.opened(&path, &file, &identities).map(Some)
    }

    /// What somebody else has sealed is left as it is: they knew for whom.
    fn renew(&self, key: &Key) -> Result<bool, StoreError> {
        let path = self.token_file(key);
        let (Some(before), Some(note)) = (self.sealed(&path)?, self.note(key)) else {
            return Ok(false);
        };
        let to = self.recipients.read()?;
        if note.is_for(&to) || !note.is_of(&before) {
            return Ok(false);
        }
        let identities = self.identities()?;
        let identities = identities.ok_or_else(|| self.for_others(&path, WITHOUT_IDENTITY))?;
        let token = self.opened(&path, &before, &identities);
        let token = token.map_err(|_| self.for_others(&path, OTHER_IDENTITY))?;
        let file = self.seal(&path, &token, &to)?;
        let sealed = Sealed {
            file: &file,
            to: &to,
        };
        // NOTE: the file first. After a crash between the two it is one that the note does not stand for, and left as it is.
        self.replace(&path, &sealed, &token)?;
        self.put_note(key, &note.of(&sealed))?;
        Ok(true)
    }
}

fn escape_path(path: &Path) -> String {
    let shown = path.to_string_lossy();
    let parts = shown.trim_end_matches('/').split('/').map(escape);
    parts.collect::<Vec<_>>().join("/")
}
