//! A store in a process of its own: the bus of a keyring comes from the environment, which a test
//! must not change for its neighbours.
//!
//! The test binary runs itself; [`child`] obeys one line at a time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use sftoken::store::{Store, StoreError, StoreOptions, choose_default, open};

use super::{key, meta, token};

/// Marks an answer among the words of the test harness.
const ANSWER: &str = "=> ";

/// A process that holds one store open.
pub(super) struct StoreProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl StoreProcess {
    /// Opens `url` (`default`: whatever is chosen without configuration) in `surroundings`.
    pub(super) fn open(url: &str, mut surroundings: Command) -> Self {
        let mut child = surroundings
            .args([
                "--exact",
                "stores::process::child",
                "--ignored",
                "--nocapture",
            ])
            .env("STORE_UNDER_TEST", url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// `check`, `get USERNAME`, `publish USERNAME TOKEN` or `flood COUNT TOKEN`: its answer in one line.
    pub(super) fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        loop {
            let mut answer = String::new();
            let read = self.output.read_line(&mut answer).unwrap();
            assert!(read > 0, "the store's process ended at {line:?}");
            if let Some(answer) = answer.strip_prefix(ANSWER) {
                return answer.trim_end().to_owned();
            }
        }
    }
}

impl Drop for StoreProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of this test binary.
pub(super) fn this() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

#[test]
#[ignore = "the other half of StoreProcess: run by the tests that need it"]
fn child() {
    let seconds = std::env::var("STORE_DEADLINE").map(|text| text.parse().unwrap());
    let options = StoreOptions {
        interactive: std::env::var_os("STORE_INTERACTIVE").is_some(),
        deadline: seconds.ok().map(Duration::from_secs),
        ..StoreOptions::default()
    };
    let opened = match std::env::var("STORE_UNDER_TEST").unwrap().as_str() {
        "default" => choose_default(&options),
        url => open(url, &options),
    };
    for line in std::io::stdin().lines() {
        let answer = match &opened {
            Ok(store) => obey(&**store, &line.unwrap()),
            Err(error) => Err(error.clone()),
        };
        let answer = answer.unwrap_or_else(|error| {
            assert!(!error.hint.is_empty(), "{error}: no hint");
            format!(
                "{} {error} [{}]",
                error.kind.as_str(),
                error.hint.escape_debug()
            )
        });
        let mut out = std::io::stdout();
        writeln!(out, "\n{ANSWER}{answer}").unwrap();
    }
}

fn obey(store: &dyn Store, line: &str) -> Result<String, StoreError> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["check"] => store.check().map(|()| "ready".to_owned()),
        ["get", username] => {
            let found = store.get(&key(username))?;
            Ok(found.map_or("empty".to_owned(), |token| token.expose().to_owned()))
        }
        ["publish", username, value] => {
            let token = token(value);
            store.publish(&key(username), &token, &meta(&token))?;
            Ok(store.slot(&key(username)))
        }
        ["flood", count, value] => Ok(flood(store, count.parse().unwrap(), value)),
        _ => panic!("{line:?}"),
    }
}

/// A token for each of so many accounts, all at once: how many were stored, and what the others said.
fn flood(store: &dyn Store, count: usize, value: &str) -> String {
    let token = token(value);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let one = |number| {
            let (token, key) = (&token, key(&format!("{number}@acme.example")));
            scope.spawn(move || store.publish(&key, token, &meta(token)))
        };
        let running: Vec<_> = (0..count).map(one).collect();
        let ends = running.into_iter().map(|writer| writer.join().unwrap());
        ends.filter_map(|end| Some(end.err()?.to_string()))
            .collect()
    });
    let stored = count - failures.len();
    format!(
        "{stored} stored {}",
        failures.first().unwrap_or(&String::new())
    )
}
