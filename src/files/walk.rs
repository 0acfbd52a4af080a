//! The files of a folder that are mails.
//!
//! Knows which names count, in which order, and which folders were seen. Never reads more of a file
//! than its first line, and that only to tell an mbox. Folders come from the user's paths.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{FileError, failed, mbox, unreadable};

/// A file to read, and how it is called in outputs.
pub(super) struct Step {
    pub(super) path: PathBuf,
    pub(super) source: String,
}

/// A walk through one folder, depth first, by name.
pub(super) struct Walk {
    root: PathBuf,
    /// What is still to be visited, the next one last. Holds names only, never contents.
    waiting: Vec<PathBuf>,
    /// Folders by their real path: a symbolic link that leads back is not followed twice.
    seen: HashSet<PathBuf>,
    found: bool,
}

impl Walk {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            waiting: vec![root.clone()],
            root,
            seen: HashSet::new(),
            found: false,
        }
    }

    fn visit(&mut self, path: PathBuf) -> Option<Result<Step, FileError>> {
        let source = path.to_string_lossy().into_owned();
        let about = match fs::metadata(&path) {
            Ok(about) => about,
            // A link that leads nowhere, or a mail that another program has just moved.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Err(unreadable(&source, &error))),
        };
        if about.is_dir() {
            return self.enter(&path).err().map(|error| {
                self.found = true;
                Err(unreadable(&source, &error))
            });
        }
        if !about.is_file() {
            return None;
        }
        match counts(&path) {
            Ok(false) => None,
            Ok(true) => {
                self.found = true;
                Some(Ok(Step { path, source }))
            }
            Err(error) => Some(Err(unreadable(&source, &error))),
        }
    }

    fn enter(&mut self, folder: &Path) -> io::Result<()> {
        if !self.seen.insert(fs::canonicalize(folder)?) {
            return Ok(());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder)? {
            entries.push(entry?.path());
        }
        let maildir =
            entries.iter().any(|entry| is_delivered(entry)) && entries.iter().any(|e| e.is_dir());
        entries.retain(|entry| !skipped(entry, maildir));
        entries.sort_unstable_by(|left, right| right.cmp(left));
        self.waiting.append(&mut entries);
        Ok(())
    }
}

impl Iterator for Walk {
    type Item = Result<Step, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(path) = self.waiting.pop() {
            if let Some(step) = self.visit(path) {
                return Some(step);
            }
        }
        if std::mem::replace(&mut self.found, true) {
            return None;
        }
        let hint = "mails are *.eml files, mbox files, and files in cur/ and new/ of a Maildir";
        let root = self.root.to_string_lossy();
        Some(Err(failed(&root, "the folder holds no mails", hint)))
    }
}

/// Whether this is `cur` or `new`, where a Maildir keeps what was delivered.
fn is_delivered(path: &Path) -> bool {
    matches!(
        path.file_name().and_then(|name| name.to_str()),
        Some("cur" | "new")
    )
}

/// `tmp` of a Maildir holds half-written mails; other hidden files and folders are not mails, but
/// sub-folders of a Maildir begin with a dot (Maildir++).
fn skipped(path: &Path, maildir: bool) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    match name {
        "tmp" => maildir,
        hidden if hidden.starts_with('.') => !path.join("cur").is_dir(),
        _ => false,
    }
}

fn counts(path: &Path) -> io::Result<bool> {
    let eml = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("eml"));
    if eml || path.parent().is_some_and(in_delivered) {
        return Ok(true);
    }
    let mut first = Vec::with_capacity(mbox::LINE);
    match File::open(path) {
        Ok(file) => file.take(mbox::LINE as u64).read_to_end(&mut first)?,
        // It does not say that it is a mail, and it cannot be asked.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(mbox::looks_like(&first))
}

/// `.` is asked for its real name.
fn in_delivered(folder: &Path) -> bool {
    let named = folder.file_name().is_some();
    match named {
        true => is_delivered(folder),
        false => fs::canonicalize(folder).is_ok_and(|real| is_delivered(&real)),
    }
}
