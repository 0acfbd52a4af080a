//! What other programs of the same user can learn of a running `sftoken`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::shelf::{OTHER, PASSWORD, SANDBOX, Shelf, TOKEN};
use crate::support::run::PATIENCE;
use crate::support::salesforce::{ANN, BOB};

/// Nobody in particular: root may read everything, and would prove nothing.
const NOBODY: u32 = 65_534;

/// A folder for everyone, with a copy of `sftoken` in it: the checkout may be closed to nobody.
struct Commons {
    folder: tempfile::TempDir,
}

impl Commons {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let commons = Self { folder };
        fs::copy(env!("CARGO_BIN_EXE_sftoken"), commons.sftoken()).unwrap();
        // a store that says when it is asked, and answers never
        let script = "#!/bin/sh\necho asked > \"${0%/*}/asked\"\nexec sleep 600 > /dev/null 2>&1\n";
        fs::write(commons.path("store"), script).unwrap();
        for program in [commons.sftoken(), commons.path("store")] {
            fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        commons
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sftoken(&self) -> PathBuf {
        self.path("sftoken")
    }

    /// A program of an ordinary user, who allows core files as large as they like.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"])
            .args(words);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.folder.path())
            .env("PLANTED", PASSWORD);
        command
            .current_dir(self.folder.path())
            .stderr(Stdio::null())
            .stdout(Stdio::null());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Whether another program of the same user can read a file of a process.
    fn can_read(&self, id: u32, name: &str) -> bool {
        let file = format!("/proc/{id}/{name}");
        let read = self
            .command(&["head", "-c", "1", &file])
            .stdout(Stdio::piped())
            .output();
        !read.unwrap().stdout.is_empty()
    }

    /// Waits until the store was asked: `sftoken` is in the middle of its work.
    fn await_asked(&self) {
        let until = std::time::Instant::now() + PATIENCE;
        while !self.path("asked").exists() {
            assert!(
                std::time::Instant::now() < until,
                "the store is never asked"
            );
            std::thread::yield_now();
        }
    }

    fn core_files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder.path()).unwrap().flatten();
        let names = files.map(|file| file.path());
        names
            .filter(|path| path.to_string_lossy().contains("core"))
            .collect()
    }
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0
}

fn aborted(mut child: std::process::Child) -> ExitStatus {
    let kill = Command::new("kill")
        .args(["-s", "ABRT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    child.wait().unwrap()
}

#[test]
fn an_abort_leaves_no_core_and_the_environment_is_closed() {
    let commons = Commons::new();
    let program = commons.sftoken();
    let url = format!("exec:{}?get=1", commons.path("store").display());
    let words = [program.to_str().unwrap(), "get", ANN, "--store", &url];
    let mut command = commons.command(&words);
    let child = command.process_group(0).spawn().unwrap();
    commons.await_asked();
    for name in ["environ", "maps", "auxv"] {
        assert!(!commons.can_read(child.id(), name), "{name} can be read");
    }
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    let numbers: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(numbers, ["0", "0"], "{core}");
    let status = aborted(child);
    assert_eq!((status.signal(), status.core_dumped()), (Some(6), false));
    assert_eq!(commons.core_files(), [] as [PathBuf; 0]);
}

/// The same of a program that takes no care: this test can fail.
#[test]
fn of_another_program_it_is_open() {
    let commons = Commons::new();
    let child = commons.command(&["sleep", "600"]).spawn().unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    while fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap() != "sleep\n" {
        assert!(std::time::Instant::now() < until, "it does not start");
    }
    // the kernel gives it its name a little before the rest
    while !commons.can_read(child.id(), "environ") {
        assert!(std::time::Instant::now() < until, "it stays closed");
    }
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    assert!(
        limits.contains("Max core file size        unlimited"),
        "{limits}"
    );
    let status = aborted(child);
    assert_eq!(status.signal(), Some(6));
}

/// The command of `run` may be looked at, or nobody could debug it; a core file it leaves none.
#[test]
fn the_command_of_run_leaves_no_core_either() {
    let shelf = Shelf::new();
    let script = "ulimit -c; ulimit -H -c; kill -ABRT $$";
    let ended = shelf
        .run(&["run", ANN, "--", "sh", "-c", script])
        .check(134);
    assert_eq!(ended.out, "0\n0\n");
}

/// Reads the arguments of every process of the machine, over and over.
struct Watcher {
    stop: Arc<AtomicBool>,
    seen: JoinHandle<Vec<String>>,
}

impl Watcher {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let seen = std::thread::spawn(move || {
            let mut seen = std::collections::BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                for process in fs::read_dir("/proc").unwrap().flatten() {
                    let bytes = fs::read(process.path().join("cmdline")).unwrap_or_default();
                    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
                    if !text.is_empty() && !seen.contains(&text) {
                        seen.insert(text);
                    }
                }
            }
            seen.into_iter().collect()
        });
        Self { stop, seen }
    }

    fn seen(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.seen.join().unwrap()
    }
}

#[test]
fn no_secret_is_in_the_arguments_of_any_process() {
    let shelf = Shelf::new();
    let own = Path::new(env!("CARGO_BIN_EXE_sftoken"))
        .display()
        .to_string();
    let watcher = Watcher::start();
    for _ in 0..10 {
        shelf.run(&["get", ANN]).check(0);
        shelf
            .run(&["get", ANN, "--format", "login", "--file", "login"])
            .check(0);
        let preset = ["--format", "shell", "--preset", "simple-salesforce"];
        shelf.run(&[&["get", ANN], &preset[..]].concat()).check(0);
        let words = [
            "run", ANN, "--env", "A=login", "--file", "F", "--", "sh", "-c", "sleep 0",
        ];
        shelf.run(&words).check(0);
        shelf.run(&["run", BOB, "--", "true"]).check(0);
    }
    let seen = watcher.seen();
    let mentions = |text: &str| seen.iter().any(|line| line.contains(text));
    assert!(mentions(&own), "the watcher saw none of {own}");
    assert!(
        mentions("shelf/read"),
        "the watcher saw no program of the store"
    );
    for secret in [TOKEN, OTHER, SANDBOX, PASSWORD] {
        let told: Vec<&String> = seen.iter().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{told:?}");
    }
}
