//! What stands in the server's mailboxes: Maildirs, written and read past the server.
//!
//! Knows Maildir's file names. Never names a mail to the server: it finds it by itself.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::system::is_root;
use super::{Dovecot, MAIL_UID};

/// Names of mail files differ.
static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Dovecot {
    /// Puts a mail, byte for byte, into a folder of the user (`""`: INBOX) and names it to nobody: for
    /// mails that LMTP would change, and for other folders.
    pub(crate) fn put(&self, user: &str, folder: &str, mail: &[u8]) {
        self.put_all(user, folder, [mail]);
    }

    /// The same with many mails.
    pub(crate) fn put_all<M: AsRef<[u8]>>(
        &self,
        user: &str,
        folder: &str,
        mails: impl IntoIterator<Item = M>,
    ) {
        let maildir = self.path("mail").join(user).join(if folder.is_empty() {
            String::new()
        } else {
            format!(".{folder}")
        });
        for name in ["cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(name)).unwrap();
        }
        for mail in mails {
            // the server moves files away, and never gives a name twice
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}.M{number}P{}.test", unix_seconds(), std::process::id());
            fs::write(maildir.join("tmp").join(&name), mail).unwrap();
            fs::rename(
                maildir.join("tmp").join(&name),
                maildir.join("new").join(&name),
            )
            .unwrap();
        }
        if is_root() {
            own(&self.path("mail").join(user));
        }
    }

    /// Removes every mail of the user's INBOX, as another client would.
    pub(crate) fn remove_mails(&self, user: &str) {
        let maildir = self.path("mail").join(user);
        for name in ["cur", "new"] {
            for entry in fs::read_dir(maildir.join(name)).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
    }

    /// A folder of the namespace `Full`, which has a Maildir of its own.
    fn full(&self, user: &str, folder: &str) -> PathBuf {
        let name = folder.strip_prefix("Full/").unwrap();
        self.path("mail")
            .join(user)
            .join("full")
            .join(format!(".{name}"))
    }

    /// Forgets the UIDs of the user's INBOX, so that UIDVALIDITY changes. Stop the server first.
    pub(crate) fn forget_uids(&self, user: &str) {
        let maildir = self.path("mail").join(user);
        for entry in fs::read_dir(maildir).unwrap().map(Result::unwrap) {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }

    /// The flags of each mail in the user's INBOX, as they stand in the files' names (`S`: seen).
    pub(crate) fn flags(&self, user: &str) -> Vec<String> {
        let maildir = self.path("mail").join(user);
        let files = ["cur", "new"]
            .into_iter()
            .filter_map(|name| fs::read_dir(maildir.join(name)).ok())
            .flatten();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        files
            .map(|entry| {
                name(entry.unwrap())
                    .split_once(":2,")
                    .map_or_else(String::new, |(_, f)| f.to_owned())
            })
            .collect()
    }

    /// How many mails a folder of the user's holds; levels are separated by slashes.
    pub(crate) fn mails_in(&self, user: &str, folder: &str) -> usize {
        let maildir = match folder.starts_with("Full/") {
            true => self.full(user, folder),
            false => {
                let maildir = self.path("mail").join(user);
                maildir.join(format!(".{}", folder.replace('/', ".")))
            }
        };
        let files =
            ["cur", "new"].map(|name| fs::read_dir(maildir.join(name)).map_or(0, Iterator::count));
        files.iter().sum()
    }
}

pub(super) fn own(path: &Path) {
    chown(path, Some(MAIL_UID), Some(MAIL_UID)).unwrap();
    if path.is_dir() {
        fs::read_dir(path)
            .unwrap()
            .for_each(|entry| own(&entry.unwrap().path()));
    }
}

fn unix_seconds() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}
