//! Files as an inbox: mails from `.eml` files, mbox files, Maildirs, folders of them, and standard
//! input.
//!
//! Knows which files are mails and where each mail begins and ends. Never looks into a mail, and
//! never holds more than one. Paths come from the user; standard input is an argument.
//!
//! ```text
//! PATH… ─► walk ─► one file ─┬─► a mail           ─► Item
//!                            └─► mbox ─► a mail … ─► Item …
//! ```

mod mbox;
mod walk;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use mbox::Mbox;
use walk::{Step, Walk};

/// Larger mails are never held whole: a token mail has a few kilobytes, and the policy's own limit
/// is 256 KiB, so that this only bounds memory.
pub const MAX_MAIL: usize = 32 * 1024 * 1024;
/// What is held of a larger mail: enough for every header that the heart would look at.
pub const HEAD: usize = 256 * 1024;

/// One mail.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// The path as given, with `#N` (from 1) for the N-th mail of an mbox.
    pub source: String,
    /// Its bytes.
    pub content: Content,
}

/// The bytes of a mail, or as many as are held. `Debug` does not show them: they may hold a token.
#[derive(PartialEq, Eq)]
pub enum Content {
    /// All bytes, as the file holds them.
    Whole(Vec<u8>),
    /// Only the first [`HEAD`] bytes of a mail larger than [`MAX_MAIL`].
    TooLarge {
        /// The first bytes.
        head: Vec<u8>,
        /// The mail's size, as far as it is known.
        size: u64,
    },
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Self::TooLarge { size, .. } => write!(f, "TooLarge({size} bytes)"),
        }
    }
}

/// A path that gave no mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct FileError {
    /// The path as given.
    pub path: String,
    /// What happened.
    pub problem: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// The name of standard input among paths.
pub const STDIN: &str = "-";

/// The mails of some paths, one after the other. Goes on after an error.
pub struct Mails<'i> {
    paths: std::vec::IntoIter<PathBuf>,
    stdin: Option<Box<dyn Read + 'i>>,
    walk: Option<Walk>,
    mbox: Option<Mbox<Reader<'i>>>,
}

type Reader<'i> = Box<dyn BufRead + 'i>;

impl std::fmt::Debug for Mails<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mails")
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

/// The mails of these paths, in their order; `-` is `stdin`.
pub fn mails<'i>(paths: Vec<PathBuf>, stdin: impl Read + 'i) -> Mails<'i> {
    Mails {
        paths: paths.into_iter(),
        stdin: Some(Box::new(stdin)),
        walk: None,
        mbox: None,
    }
}

impl Iterator for Mails<'_> {
    type Item = Result<Item, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(mbox) = &mut self.mbox {
                match mbox.next() {
                    Some(item) => return Some(item),
                    None => self.mbox = None,
                }
            } else if let Some(walk) = &mut self.walk {
                match walk.next() {
                    Some(Ok(Step { path, source })) => {
                        if let Some(result) = self.file(&path, source) {
                            return Some(result);
                        }
                    }
                    Some(Err(error)) => return Some(Err(error)),
                    None => self.walk = None,
                }
            } else {
                let path = self.paths.next()?;
                if let Some(result) = self.begin(path) {
                    return Some(result);
                }
            }
        }
    }
}

impl<'i> Mails<'i> {
    fn begin(&mut self, path: PathBuf) -> Option<Result<Item, FileError>> {
        if path.as_os_str() == STDIN {
            let again = || failed(STDIN, "standard input is read once only", "name - once");
            let Some(stdin) = self.stdin.take() else {
                return Some(Err(again()));
            };
            return self.stream(stdin, STDIN.to_owned(), None);
        }
        let source = path.to_string_lossy().into_owned();
        match path.metadata() {
            Ok(about) if about.is_dir() => {
                self.walk = Some(Walk::new(path));
                None
            }
            Ok(_) => self.file(&path, source),
            Err(error) => Some(Err(unreadable(&source, &error))),
        }
    }

    fn file(&mut self, path: &Path, source: String) -> Option<Result<Item, FileError>> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
        match opened {
            Ok((about, file)) => {
                let size = about.is_file().then_some(about.len());
                self.stream(Box::new(file), source, size)
            }
            Err(error) => Some(Err(unreadable(&source, &error))),
        }
    }

    /// One mail, or the beginning of an mbox: its first line says which.
    fn stream(
        &mut self,
        mut from: Box<dyn Read + 'i>,
        source: String,
        size: Option<u64>,
    ) -> Option<Result<Item, FileError>> {
        let mut first = Vec::with_capacity(mbox::LINE);
        let peek = from
            .by_ref()
            .take(mbox::LINE as u64)
            .read_to_end(&mut first);
        if let Err(error) = peek {
            return Some(Err(unreadable(&source, &error)));
        }
        if first.is_empty() {
            let hint = "give a file that holds a mail";
            return Some(Err(failed(&source, "the file is empty", hint)));
        }
        let is_mbox = mbox::begins(&first);
        let whole = Cursor::new(first).chain(from);
        if is_mbox {
            let lines = BufReader::with_capacity(64 * 1024, whole);
            self.mbox = Some(Mbox::new(Box::new(lines), source));
            return None;
        }
        let content = one_mail(whole, size).map_err(|error| unreadable(&source, &error));
        Some(content.map(|content| Item { source, content }))
    }
}

fn one_mail(mut from: impl Read, size: Option<u64>) -> io::Result<Content> {
    let large = size.is_some_and(|size| size > MAX_MAIL as u64);
    let most = if large { HEAD } else { MAX_MAIL + 1 };
    // One allocation of the right size: a folder may hold ten thousand mails.
    let expected = size.map_or(8 * 1024, |size| size.min(most as u64) as usize + 1);
    let mut bytes = Vec::with_capacity(expected);
    from.by_ref().take(most as u64).read_to_end(&mut bytes)?;
    if !large && bytes.len() <= MAX_MAIL {
        return Ok(Content::Whole(bytes));
    }
    let held = bytes.len() as u64;
    let size = match size.filter(|_| large) {
        Some(size) => size,
        None => held + io::copy(&mut from, &mut io::sink())?,
    };
    bytes.truncate(HEAD);
    bytes.shrink_to_fit();
    Ok(Content::TooLarge { head: bytes, size })
}

fn failed(path: &str, problem: &str, hint: &'static str) -> FileError {
    FileError {
        path: path.to_owned(),
        problem: problem.to_owned(),
        hint,
    }
}

fn unreadable(path: &str, error: &io::Error) -> FileError {
    let (problem, hint) = match error.kind() {
        io::ErrorKind::NotFound => ("no such file or folder", "check the path"),
        io::ErrorKind::PermissionDenied => (
            "permission denied",
            "run as a user who may read it, or change its mode",
        ),
        _ => {
            return failed(
                path,
                &format!("cannot be read: {error}"),
                "check the disk and the path",
            );
        }
    };
    failed(path, problem, hint)
}
