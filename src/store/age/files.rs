//! Private files that appear whole or not at all.
//!
//! Knows names, permissions and the discipline of a write: temporary file in the same folder, sync,
//! rename, sync the folder. Never follows a name that a mail could have chosen: usernames are
//! escaped. Contents come sealed.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use ring::digest::{SHA256, digest};

use crate::ingest::policy::Org;
use crate::store::Key;
use crate::store::address::escape;

/// File systems take names of 255 bytes; room is left for suffixes.
const LONGEST: usize = 200;

/// A token's file has a few hundred bytes for each recipient; more is not ours.
const LARGEST: u64 = 1 << 20;

/// The folder of an account: its username, escaped. `~` is always escaped in a username, so the
/// sandbox of a name never meets another name.
pub(super) fn folder_name(key: &Key) -> String {
    let mut name = escape(&key.username);
    if let Some(rest) = name.strip_prefix('.') {
        name = format!("%2E{rest}");
    }
    if name.is_empty() || name.len() > LONGEST {
        let hash = digest(&SHA256, key.username.as_bytes());
        let hex = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}"));
        name.truncate(LONGEST / 2);
        name = format!("{name}~{}", hex.collect::<String>());
    }
    match key.org {
        Org::Production => name,
        Org::Sandbox => name + "~sandbox",
    }
}

/// Makes the folder, and those above it, for nobody else.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Puts `contents` at `path`, whole and durable, readable by nobody else.
pub(super) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .tempfile_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync(folder)
}

/// A rename lasts once its folder is on the disk (fsync(2)).
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows opens no folders.
#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The file's bytes.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// That a file could be made in the folder, or in the nearest one above it that exists.
pub(super) fn writable(folder: &Path) -> io::Result<()> {
    let standing = folder.ancestors().find(|folder| folder.exists());
    let standing = standing.ok_or(io::ErrorKind::NotFound)?;
    if !fs::metadata(standing)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    tempfile::tempfile_in(standing).map(drop)
}

/// A path, or another word, for a shell.
pub(super) fn quoted(word: impl AsRef<Path>) -> String {
    let word = word.as_ref().to_string_lossy();
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(username: &str, org: Org) -> String {
        let username = username.to_owned();
        folder_name(&Key { username, org })
    }

    #[test]
    fn a_username_never_leaves_the_folder() {
        let long = "x".repeat(400);
        for username in [
            "../../etc/passwd",
            "..",
            ".",
            "",
            "/",
            "a/b",
            "a\0b",
            "~",
            &long,
        ] {
            for org in [Org::Production, Org::Sandbox] {
                let name = name(username, org);
                assert!(!name.contains(['/', '\0', '\\']), "{name}");
                assert!(!name.starts_with('.') && !name.is_empty(), "{name}");
                assert!(name.len() < 255, "{name}");
            }
        }
    }

    #[test]
    fn accounts_do_not_meet() {
        assert_eq!(name("a@b.example", Org::Production), "a@b.example");
        assert_eq!(name("a@b.example", Org::Sandbox), "a@b.example~sandbox");
        assert_ne!(name("a~sandbox", Org::Production), name("a", Org::Sandbox));
        let (one, two) = ("x".repeat(300), "x".repeat(301));
        assert_ne!(name(&one, Org::Production), name(&two, Org::Production));
    }
}
