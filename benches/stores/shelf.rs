//! The stores that are measured, with the servers behind them.
//!
//! Knows how each is opened. Never leaves anything behind: servers and files end with the value.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sftoken::ingest::secret::Secret;
use sftoken::store::{NoSecret, Secrets, Store, StoreOptions, open};
use sftoken::testing::store::MemoryStore;
use tempfile::TempDir;

use crate::support::openbao::{OpenBao, ROOT};

/// Puts the token into a file, by a rename.
const PUT: &str = "#!/bin/sh\nset -eu\ncat >\"$1/.$SFTOKEN_USERNAME.new\"\nmv \"$1/.$SFTOKEN_USERNAME.new\" \"$1/$SFTOKEN_USERNAME\"\n";

/// Everything that tokens are put on.
pub(crate) struct Shelf {
    folder: TempDir,
    openbao: OpenBao,
}

/// The one secret that a store here needs.
#[derive(Debug)]
struct Root;

impl Secrets for Root {
    fn read(&self, _: &str) -> Result<Secret, NoSecret> {
        Ok(Secret::new(ROOT.to_owned()))
    }
}

impl Shelf {
    /// Starts the servers.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let here = |name: &str| folder.path().join(name);
        let made = Command::new("age-keygen")
            .arg("-o")
            .arg(here("identity"))
            .output();
        assert!(made.unwrap().status.success());
        let public = Command::new("age-keygen")
            .arg("-y")
            .arg(here("identity"))
            .output();
        std::fs::write(here("recipients"), public.unwrap().stdout).unwrap();
        std::fs::write(here("put.sh"), PUT).unwrap();
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(here("put.sh"), mode).unwrap();
        std::fs::create_dir(here("out")).unwrap();
        Self {
            folder,
            openbao: OpenBao::start(),
        }
    }

    /// Name and URL of each. A new store gets a row by a line here.
    pub(crate) fn stores(&self) -> Vec<(&'static str, String)> {
        let here = self.folder.path().display();
        vec![
            ("memory (`MemoryStore`)", "memory".to_owned()),
            (
                "`exec:` a shell script that renames a file",
                format!("exec:{here}/put.sh?arg={here}/out"),
            ),
            (
                "`age:` one recipient",
                format!("age:{here}/tokens?recipients-file={here}/recipients"),
            ),
            (
                "`keyring:` GNOME Keyring",
                "keyring://sftoken-bench".to_owned(),
            ),
            (
                "`openbao:` OpenBao, on loopback",
                self.openbao
                    .url("secret/bench/{username}", "&token=env:ROOT_TOKEN"),
            ),
        ]
    }

    /// Where things may be put.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Opens one of them.
    pub(crate) fn open(&self, url: &str) -> Arc<dyn Store> {
        if url == "memory" {
            return Arc::new(MemoryStore::new());
        }
        let options = StoreOptions {
            deadline: Some(Duration::from_secs(60)),
            secrets: Some(Arc::new(Root)),
            ..StoreOptions::default()
        };
        open(url, &options).unwrap()
    }
}

/// A token of usual length.
pub(crate) fn token(number: usize) -> String {
    format!("Bench{number:05}AbCdEfGhIjKlMnO")
}
