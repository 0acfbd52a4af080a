//! A store that is read: a script, and a file for each token.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::run::{Ended, Home, Running};
use crate::support::salesforce::{ANN, BOB};

/// ANN's token.
pub(super) const TOKEN: &str = "ShelfZq7Xw2Kp9Lm4Tr8Vb6Cd";
/// BOB's.
pub(super) const OTHER: &str = "Shelf5Hd3Gs1Jf0Yc8Nt6WmQr";
/// ANN's in her sandbox.
pub(super) const SANDBOX: &str = "Shelf9Bx2Vn4Mz6Lk8Jh0GfDs";
/// ANN's password: every shell and URL would like to have a word with it.
pub(super) const PASSWORD: &str = "p w'q\"b$HOME`id`%a&b#;/é*";

/// A home whose store holds a token for ANN and one for BOB.
pub(super) struct Shelf {
    pub(super) home: Home,
}

impl Shelf {
    pub(super) fn new() -> Self {
        let mut home = Home::new();
        let script = "#!/bin/sh\n[ -e \"${0%/*}/locked\" ] && exit 75\n\
            env > \"${0%/*}/environment\"\n\
            [ \"$SFTOKEN_ACTION\" = get ] || exit 1\n\
            cat \"${0%/*}/$SFTOKEN_USERNAME.$SFTOKEN_ORG\" 2> /dev/null; exit 0\n";
        let path = home.write("shelf/read", script);
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        home.set("ANNS_WORD", PASSWORD);
        let shelf = Self { home };
        shelf.put(ANN, "production", TOKEN);
        shelf.put(BOB, "production", OTHER);
        shelf.configure("");
        shelf
    }

    pub(super) fn url(&self) -> String {
        format!("exec:{}?get=1", self.home.path("shelf/read").display())
    }

    pub(super) fn put(&self, username: &str, org: &str, token: &str) {
        self.home.write(&format!("shelf/{username}.{org}"), token);
    }

    pub(super) fn lock(&self) {
        self.home.write("shelf/locked", "");
    }

    /// ANN with a password and BOB without; `more` stands in ANN's table and below.
    pub(super) fn configure(&self, more: &str) {
        self.home.configure(&format!(
            "[store.default]\nurl = \"{}\"\n[[account]]\nusername = \"{BOB}\"\n\
             [[account]]\nusername = \"{ANN}\"\npassword = \"env:ANNS_WORD\"\n{more}\n",
            self.url()
        ));
    }

    pub(super) fn run(&self, words: &[&str]) -> Ended {
        self.home.run(words)
    }

    pub(super) fn start(&self, words: &[&str]) -> Running {
        self.home.start(words)
    }
}
