//! The real `sftoken`, in a home of its own.
//!
//! Knows how to start it, wait for a line of it, signal it and read how it ended. Never lets anything
//! of the machine reach it (environment, configuration, keyring), and never waits without an end.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use sftoken::ledger::Ledger;
use tempfile::TempDir;

/// How long anything may take on a loaded machine of two cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A home: its files, its variables, and what sftoken keeps in it.
pub(crate) struct Home {
    folder: TempDir,
    variables: Vec<(String, OsString)>,
}

impl Home {
    /// An empty home on a machine without a keyring.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("sftoken-home-")
            .tempdir()
            .unwrap();
        let mut home = Self {
            folder,
            variables: Vec::new(),
        };
        for (name, below) in [
            ("HOME", "."),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            let path = home.path(below);
            fs::create_dir_all(&path).unwrap();
            home.set(name, path);
        }
        home.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        home
    }

    /// A variable of every program that is started from now on.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.into()));
    }

    /// The bus of a test's keyring is the session's.
    pub(crate) fn join(&mut self, bus: &super::secret_service::SecretService) {
        for (name, value) in bus.environment() {
            if name == "DBUS_SESSION_BUS_ADDRESS" {
                self.set(name, value);
            }
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in the home; its path as text.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The configuration file.
    pub(crate) fn configure(&self, toml: &str) {
        self.write("config/sftoken/config.toml", toml);
    }

    /// The ledger of everything that ran here.
    pub(crate) fn ledger(&self) -> Ledger {
        Ledger::open(self.path("state/sftoken/ledger.db")).unwrap()
    }

    /// Outcome and reason of each decision in the audit trail, in their order.
    pub(crate) fn decisions(&self) -> Vec<(String, Option<String>)> {
        let mut rows = self.ledger().history(None, 10_000).unwrap();
        rows.reverse();
        let told = rows.into_iter().map(|row| (row.outcome, row.reason));
        told.collect()
    }

    /// A program with this home and nothing else of the machine's but PATH.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LANG", "C.UTF-8");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.folder.path());
        command
    }

    /// Starts `sftoken` with these words.
    pub(crate) fn start<W: AsRef<str>>(&self, words: &[W]) -> Running {
        let mut command = self.command(env!("CARGO_BIN_EXE_sftoken"));
        command.args(words.iter().map(AsRef::as_ref));
        Running::of(command, b"")
    }

    /// Runs `sftoken` with these words to its end.
    pub(crate) fn run<W: AsRef<str>>(&self, words: &[W]) -> Ended {
        self.start(words).end()
    }
}

/// A program that runs; dropping it kills it.
pub(crate) struct Running {
    child: Child,
    out: Stream,
    err: Stream,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status; of one that a signal killed, 128 and the signal, as in a shell.
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The JSON lines on standard output.
    pub(crate) fn json(&self) -> Vec<Value> {
        let lines = self.out.lines().map(serde_json::from_str::<Value>);
        lines
            .map(|line| line.unwrap_or_else(|error| panic!("{error} in {self:?}")))
            .collect()
    }

    #[track_caller]
    pub(crate) fn check(self, status: i32) -> Self {
        assert_eq!(self.status, status, "\n{}\n{}", self.out, self.err);
        self
    }
}

impl Running {
    /// Starts a program and reads it, line by line.
    pub(crate) fn of(mut command: Command, input: &[u8]) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // a program that does not read its input may be gone already
        let _ = child.stdin.take().unwrap().write_all(input);
        let out = Stream::of(child.stdout.take().unwrap());
        let err = Stream::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line on standard output that holds `words`.
    #[track_caller]
    pub(crate) fn hear_out(&mut self, words: &str) -> String {
        let heard = self.out.hear(words);
        heard.unwrap_or_else(|| self.never_said(words))
    }

    /// Waits for the next line on standard error that holds `words`.
    #[track_caller]
    pub(crate) fn hear_err(&mut self, words: &str) -> String {
        let heard = self.err.hear(words);
        heard.unwrap_or_else(|| self.never_said(words))
    }

    #[track_caller]
    fn never_said(&self, words: &str) -> ! {
        panic!(
            "it never said {words:?}:\n{}\n{}",
            self.out.text(),
            self.err.text()
        )
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        self.end_within(PATIENCE)
    }

    #[track_caller]
    pub(crate) fn end_within(mut self, limit: Duration) -> Ended {
        // its streams end with it, and tell when that is
        let until = Instant::now() + limit;
        let ended = self.out.await_end(until) && self.err.await_end(until);
        assert!(
            ended,
            "it does not end:\n{}\n{}",
            self.out.text(),
            self.err.text()
        );
        let status = self.child.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        Ended {
            status: status
                .code()
                .unwrap_or_else(|| 128 + signal.unwrap_or_default()),
            out: self.out.text(),
            err: self.err.text(),
        }
    }

    /// Ends it with SIGTERM.
    #[track_caller]
    pub(crate) fn stop(self) -> Ended {
        self.signal("TERM");
        self.end()
    }

    /// Ends it without a chance to tidy up.
    #[track_caller]
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.end()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One output stream, read to its end by a thread.
struct Stream {
    heard: Arc<(Mutex<Heard>, Condvar)>,
    /// Lines that were waited for.
    past: usize,
    _reader: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    ended: bool,
}

impl Stream {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let heard = Arc::<(Mutex<Heard>, Condvar)>::default();
        let shared = Arc::clone(&heard);
        let reader = std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                locked(&shared.0).lines.push(text);
                shared.1.notify_all();
                line.clear();
            }
            locked(&shared.0).ended = true;
            shared.1.notify_all();
        });
        Self {
            heard,
            past: 0,
            _reader: reader,
        }
    }

    fn text(&self) -> String {
        locked(&self.heard.0).lines.concat()
    }

    /// The next line with these words; `None` when the stream ends, or time is up, before.
    fn hear(&mut self, words: &str) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        let mut heard = locked(&self.heard.0);
        loop {
            while let Some(line) = heard.lines.get(self.past) {
                self.past += 1;
                if line.contains(words) {
                    return Some(line.clone());
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if heard.ended || left.is_zero() {
                return None;
            }
            heard = waited(&self.heard.1, heard, left);
        }
    }

    fn await_end(&self, until: Instant) -> bool {
        let mut heard = locked(&self.heard.0);
        while !heard.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            heard = waited(&self.heard.1, heard, left);
        }
        true
    }
}

fn locked(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn waited<'h>(
    bell: &Condvar,
    heard: MutexGuard<'h, Heard>,
    left: Duration,
) -> MutexGuard<'h, Heard> {
    let woken = bell.wait_timeout(heard, left);
    woken.unwrap_or_else(PoisonError::into_inner).0
}

/// Every file below a folder, with its bytes.
pub(crate) fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if let Ok(bytes) = fs::read(&path) {
            found.push((path, bytes));
        }
    }
    found
}
