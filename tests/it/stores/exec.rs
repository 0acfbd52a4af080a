//! The exec store with real scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use sftoken::ingest::policy::Org;
use sftoken::store::{Key, Put, Store, StoreError, StoreErrorKind, StoreOptions, open};
use tempfile::TempDir;

use super::process::{StoreProcess, this};
use super::{NEW, USERNAME, key, meta, options, token};

/// A script in a folder of its own; it finds the folder in `$0`.
struct Script {
    home: TempDir,
}

impl Script {
    fn new(body: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("hook");
        fs::write(&path, format!("#!/bin/sh\nhere=${{0%/*}}\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self { home }
    }

    fn url(&self, query: &str) -> String {
        format!("exec:{}/hook{query}", self.home.path().display())
    }

    fn store(&self, query: &str) -> Arc<dyn Store> {
        open(&self.url(query), &StoreOptions::default()).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn left(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }
}

fn publish(store: &dyn Store) -> Result<Put, StoreError> {
    store.publish(&key(USERNAME), &token(NEW), &meta(&token(NEW)))
}

/// That a script's put fails like this, and that the error does not hold the token.
#[track_caller]
fn check_fails(body: &str, kind: StoreErrorKind, words: &str) {
    let error = publish(&*Script::new(body).store("")).unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.problem.contains(words), "{error}");
    assert!(!format!("{error:?}").contains(NEW), "{error:?}");
}

#[test]
fn the_token_comes_on_standard_input_and_nowhere_else() {
    let script = Script::new(
        "cat > $here/stdin; printf '%s\\n' \"$@\" > $here/argv; env > $here/env; cat /proc/$$/cmdline > $here/cmdline",
    );
    publish(&*script.store("?arg=--name&arg=a%20b%26c&arg=$(id)")).unwrap();
    assert_eq!(script.left("stdin"), NEW);
    assert_eq!(script.left("argv"), "--name\na b&c\n$(id)\n");
    for place in ["argv", "env", "cmdline"] {
        assert!(!script.left(place).contains(NEW), "{place}");
    }
    let told = script.left("env");
    let fingerprint = format!("SFTOKEN_FINGERPRINT={}", token(NEW).fingerprint());
    for line in [
        "SFTOKEN_ACTION=put",
        "SFTOKEN_USERNAME=integration@acme.example",
        "SFTOKEN_ORG=production",
        "SFTOKEN_DATE=2025-11-24T16:00:00Z",
        "SFTOKEN_MESSAGE_ID=one@mail.example",
        &fingerprint,
    ] {
        assert!(
            told.lines().any(|told| told == line),
            "{line} not in\n{told}"
        );
    }
}

#[test]
fn our_credentials_are_not_its_business() {
    let script = Script::new("env > $here/env; cat > /dev/null");
    let mut surroundings = Command::new(this());
    surroundings
        .env("VAULT_TOKEN", "planted-1")
        .env("AWS_SECRET_ACCESS_KEY", "planted-2")
        .env("SFTOKEN_MAILBOX_OPS_PASSWORD", "planted-3")
        .env("GH_TOKEN", "wanted")
        .env("LANG", "C.UTF-8");
    let mut store = StoreProcess::open(&script.url("?env=GH_TOKEN"), surroundings);
    store.ask(&format!("publish {USERNAME} {NEW}"));
    let told = script.left("env");
    assert!(!told.contains("planted"), "{told}");
    assert!(
        told.contains("GH_TOKEN=wanted") && told.contains("LANG=C.UTF-8"),
        "{told}"
    );
}

#[test]
fn the_exit_status_is_the_answer() {
    publish(&*Script::new("exit 0").store("")).unwrap();
    check_fails(
        "echo no route >&2; exit 75",
        StoreErrorKind::Unreachable,
        "no route",
    );
    check_fails("echo denied >&2; exit 3", StoreErrorKind::Refused, "denied");
    check_fails("kill -KILL $$", StoreErrorKind::Refused, "signal");
}

#[test]
fn the_token_is_redacted_from_its_words() {
    check_fails(
        "t=$(cat); echo \"bad value $t!\" >&2; exit 1",
        StoreErrorKind::Refused,
        "bad value (token)!",
    );
    check_fails(
        "set -x; read t; false $t",
        StoreErrorKind::Refused,
        "(token)",
    );
    check_fails(
        "t=$(cat); printf '\\033[31m%s\\n' $t >&2; exit 1",
        StoreErrorKind::Refused,
        "(token)",
    );
}

#[test]
fn many_words_are_bounded() {
    let script = Script::new("head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 1");
    let error = publish(&*script.store("")).unwrap_err();
    assert!(error.problem.len() < 400, "{}", error.problem.len());
}

#[test]
fn the_deadline_ends_the_program_and_its_children() {
    let script = Script::new("cat > /dev/null; (exec 3>$here/life; exec sleep 600) & wait");
    let life = script.file("life");
    assert!(
        Command::new("mkfifo")
            .arg(&life)
            .status()
            .unwrap()
            .success()
    );
    // The child holds the pipe's writing end: the end of the pipe is the end of the child.
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(fs::read(life).unwrap()));
    let store = open(&script.url(""), &options(Duration::from_secs(1))).unwrap();
    let asked = Instant::now();
    let error = publish(&*store).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Timeout, "{error}");
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(end.recv_timeout(Duration::from_secs(10)).unwrap(), b"");
}

#[test]
fn a_helper_left_behind_does_not_hold_us() {
    let script = Script::new("cat > $here/stdin; sleep 30 & exit 0");
    let asked = Instant::now();
    publish(&*script.store("")).unwrap();
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(script.left("stdin"), NEW);
}

#[test]
fn a_program_that_can_give_back_is_read_back() {
    let keeps = "case $SFTOKEN_ACTION in put) cat > $here/kept;; get) cat $here/kept 2>/dev/null; exit 0;; esac";
    let script = Script::new(keeps);
    let store = script.store("?get=1");
    assert!(store.capabilities().readable);
    assert_eq!(store.get(&key(USERNAME)).unwrap(), None);
    publish(&*store).unwrap();
    assert_eq!(store.get(&key(USERNAME)).unwrap(), Some(token(NEW)));
    let liar =
        Script::new("cat > /dev/null; [ $SFTOKEN_ACTION = put ] || echo AnotherTokenAnotherToken");
    let error = publish(&*liar.store("?get=1")).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
    let error = script.store("").get(&key(USERNAME)).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::WriteOnly);
}

#[test]
fn check_runs_only_a_program_that_knows_it() {
    let script = Script::new("echo $SFTOKEN_ACTION >> $here/ran; exit 75");
    script.store("").check().unwrap();
    assert!(!script.file("ran").exists());
    let error = script.store("?check=1").check().unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unreachable);
    assert_eq!(script.left("ran"), "check\n");
}

#[test]
fn a_program_that_is_not_there_is_a_wrong_configuration() {
    let script = Script::new("");
    fs::set_permissions(script.file("hook"), fs::Permissions::from_mode(0o600)).unwrap();
    for url in [script.url(""), "exec:/nonexistent/program".to_owned()] {
        let store = open(&url, &StoreOptions::default()).unwrap();
        assert_eq!(
            store.check().unwrap_err().kind,
            StoreErrorKind::Misconfigured
        );
        assert_eq!(
            publish(&*store).unwrap_err().kind,
            StoreErrorKind::Misconfigured
        );
    }
    for url in [
        "exec:hook",
        "exec:/p?timeout=soon",
        "exec:/p?argument=x",
        "exec:/p?timeout=0",
    ] {
        let error = open(url, &StoreOptions::default()).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Misconfigured, "{url}");
    }
}

#[test]
fn slots_differ_by_arguments_and_by_org() {
    let slot = |query, org| {
        let username = USERNAME.to_owned();
        let store = open(&format!("exec:/p{query}"), &StoreOptions::default()).unwrap();
        store.slot(&Key { username, org })
    };
    let slots = [
        slot("", Org::Production),
        slot("", Org::Sandbox),
        slot("?arg=a&arg=b", Org::Production),
        slot("?arg=a%26arg=b", Org::Production),
    ];
    assert_eq!(slots[0], "exec:/p#integration@acme.example");
    for (index, one) in slots.iter().enumerate() {
        assert!(!slots[index + 1..].contains(one), "{one}");
    }
}
