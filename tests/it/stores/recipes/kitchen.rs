//! A home in which a recipe works, and what its programs were told there.
//!
//! Knows how to publish and read by a recipe, and how it fails. Never lets the user's keys or stores near. Every program that
//! the recipe starts is a shim first, which notes down the arguments and the environment that it got, and then becomes the
//! real one.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::super::process::{StoreProcess, this};
use super::super::{NEW, OLD, USERNAME};
use crate::support::run::{Ended, Home, Running, files_below};

/// What recipes start.
const PROGRAMS: [&str; 14] = [
    "pass",
    "gpg",
    "gpg2",
    "git",
    "base64",
    "gopass",
    "systemd-creds",
    "keepassxc-cli",
    "flock",
    "cat",
    "sed",
    "grep",
    "mv",
    "rm",
];

/// Stands in front of a program: notes down what it was told, and becomes it.
pub(super) fn shim(notes: &str, program: &Path) -> String {
    let told = "tr '\\0' '\\n' </proc/$$/cmdline; tr '\\0' '\\n' </proc/$$/environ";
    let program = program.display();
    format!("#!/bin/sh\n{{ {told}; }} >>{notes}\nexec {program} \"$@\"\n")
}

/// A home with a recipe, and what its programs were told.
pub(super) struct Kitchen {
    pub(super) home: Home,
    pub(super) recipe: PathBuf,
    tool: &'static str,
}

impl Kitchen {
    pub(super) fn new(recipe: &str, tool: &'static str) -> Self {
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples/stores")
            .join(recipe);
        assert!(recipe.is_file(), "{recipe:?}");
        let mut kitchen = Self {
            home: Home::new(),
            recipe,
            tool,
        };
        let path = format!("{}:{}", kitchen.at("bin"), std::env::var("PATH").unwrap());
        kitchen.home.set("PATH", path);
        kitchen.home.write("notes", "");
        for name in PROGRAMS {
            if let Some(real) = real(name) {
                let shim = shim(&kitchen.at("notes"), &real);
                kitchen.install(name, &shim);
            }
        }
        kitchen
    }

    pub(super) fn at(&self, name: &str) -> String {
        self.home.path(name).to_str().unwrap().to_owned()
    }

    pub(super) fn install(&self, name: &str, text: &str) {
        let path = self.home.write(&format!("bin/{name}"), text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn url(&self, query: &str) -> String {
        format!("exec:{}?get=1&check=1{query}", self.recipe.display())
    }

    pub(super) fn store(&self, query: &str) -> StoreProcess {
        StoreProcess::open(&self.url(query), self.home.command(this()))
    }

    /// A command line of the person whose home this is.
    pub(super) fn sh(&self, script: &str) -> Ended {
        let mut command = self.home.command("sh");
        command.args(["-euc", script]);
        Running::of(command, b"").end()
    }

    /// Publishes, reads back, publishes a newer one; nobody was told the token.
    #[track_caller]
    pub(super) fn check_keeps(&self, query: &str) {
        let mut store = self.store(query);
        assert_eq!(store.ask("check"), "ready");
        assert_eq!(store.ask(&format!("get {USERNAME}")), "empty");
        for token in [OLD, NEW] {
            let answer = store.ask(&format!("publish {USERNAME} {token}"));
            assert!(answer.starts_with("exec:/"), "{answer}");
            assert_eq!(store.ask(&format!("get {USERNAME}")), token);
        }
        let other = "other@acme.example";
        assert_eq!(store.ask(&format!("get {other}")), "empty");
        store.ask(&format!("publish {other} {OLD}"));
        assert_eq!(store.ask(&format!("get {other}")), OLD);
        assert_eq!(store.ask(&format!("get {USERNAME}")), NEW);
        self.check_told();
        self.check_sealed();
    }

    /// That no file of the home has a token in the clear; but for those of gopass's stub, which knows no better.
    #[track_caller]
    fn check_sealed(&self) {
        let shop = self.home.path("shop");
        for (path, bytes) in files_below(&self.home.path("")) {
            let text = String::from_utf8_lossy(&bytes);
            let clear = text.contains(OLD) || text.contains(NEW);
            assert!(!clear || path.starts_with(&shop), "{path:?}");
        }
    }

    /// That the tool was started, and no program got a token in its arguments or environment.
    #[track_caller]
    pub(super) fn check_told(&self) {
        let notes = fs::read_to_string(self.home.path("notes")).unwrap();
        assert!(notes.contains(&format!("/bin/{}\n", self.tool)), "{notes}");
        assert!(notes.contains("SFTOKEN_ACTION=put"), "{notes}");
        assert!(
            !notes.contains(OLD) && !notes.contains(NEW),
            "a token was told:\n{notes}"
        );
    }

    /// That this question is answered with trouble of this kind.
    #[track_caller]
    pub(super) fn check_trouble(&self, query: &str, question: &str, kind: &str, words: &str) {
        let answer = self.store(query).ask(question);
        assert!(
            answer.starts_with(kind) && answer.contains(words),
            "{answer}"
        );
        assert!(!answer.contains(OLD) && !answer.contains(NEW), "{answer}");
    }

    /// A machine on which the tool is not installed: PATH has nothing but the rest.
    fn without_tool(mut self) -> Self {
        let bin = self.home.path("few");
        fs::create_dir(&bin).unwrap();
        for name in [
            "sh", "env", "cat", "sed", "grep", "mv", "rm", "flock", "mkdir",
        ] {
            symlink(real(name).unwrap(), bin.join(name)).unwrap();
        }
        self.home.set("PATH", bin);
        self
    }

    #[track_caller]
    pub(super) fn check_missing(self, query: &str) {
        let tool = self.tool;
        let kitchen = self.without_tool();
        for question in ["check", &format!("publish {USERNAME} {NEW}")] {
            kitchen.check_trouble(query, question, "store_refused", tool);
        }
    }
}

impl Drop for Kitchen {
    /// The agent that gpg started for this home.
    fn drop(&mut self) {
        let Some(gpgconf) = real("gpgconf") else {
            return;
        };
        for arguments in [&["--kill", "all"][..], &["--remove-socketdir"]] {
            let _ = self.home.command(&gpgconf).args(arguments).output();
        }
    }
}

fn real(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
