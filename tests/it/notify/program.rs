//! Hooks and consumers' tests with real scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sftoken::config::DEFAULT_PROGRAM_TIMEOUT;
use sftoken::notify::{
    Event, EventWord, Facts, NotifyError, NotifyErrorKind as Kind, PROGRAM_DEADLINE, Program,
};
use tempfile::TempDir;

use super::{child, event, large};

/// A script in a folder of its own; it finds the folder in `$0`.
struct Script {
    home: TempDir,
}

impl Script {
    fn new(body: &str) -> Self {
        let script = Self {
            home: tempfile::tempdir().unwrap(),
        };
        script.write(&format!("#!/bin/sh\nhere=${{0%/*}}\n{body}\n"), 0o700);
        script
    }

    fn write(&self, text: &str, mode: u32) {
        fs::write(self.file("hook"), text).unwrap();
        fs::set_permissions(self.file("hook"), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn left(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    fn path(&self) -> String {
        self.file("hook").to_str().unwrap().to_owned()
    }

    fn program(&self, arguments: &[&str]) -> Program {
        let mut argv = vec![self.path()];
        argv.extend(arguments.iter().map(|&text| text.to_owned()));
        Program::new(argv, Vec::new())
    }

    fn run(&self) -> Result<(), NotifyError> {
        self.program(&[]).run(&event())
    }

    /// Runs it with a deadline of a second, and that this is kept.
    #[track_caller]
    fn run_out_of_time(&self, event: &Event) -> NotifyError {
        let mut program = self.program(&[]);
        program.deadline = Duration::from_secs(1);
        let asked = Instant::now();
        let error = program.run(event).unwrap_err();
        assert_eq!(
            (error.kind, error.passing),
            (Kind::Timeout, false),
            "{error}"
        );
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(20), "{took:?}");
        error
    }
}

#[track_caller]
fn check_fails(body: &str, kind: Kind, passing: bool, words: &str) {
    let error = Script::new(body).run().unwrap_err();
    assert_eq!((error.kind, error.passing), (kind, passing), "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(
        error.to_string().ends_with('"') == error.problem.contains(": \""),
        "{error}"
    );
}

#[test]
fn a_program_is_told_in_json_and_in_variables() {
    let script = Script::new(
        "cat > $here/stdin; printf '%s\\n' \"$@\" > $here/argv; env > $here/env; pwd > $here/folder",
    );
    script
        .program(&["--name", "a b", "$(id)"])
        .run(&event())
        .unwrap();
    let told = script.left("stdin");
    assert!(told.ends_with("}\n") && told.lines().count() == 1, "{told}");
    let json: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(json, serde_json::to_value(event()).unwrap());
    assert_eq!(script.left("argv"), "--name\na b\n$(id)\n");
    assert_eq!(script.left("folder"), "/\n");
    let env = script.left("env");
    let id = format!("SFTOKEN_EVENT_ID={}", event().id());
    let fingerprint = format!(
        "SFTOKEN_FINGERPRINT={}",
        json["fingerprint"].as_str().unwrap()
    );
    for line in [
        "SFTOKEN_EVENT=stored",
        "SFTOKEN_USERNAME=integration@acme.example",
        "SFTOKEN_ORG=production",
        "SFTOKEN_DATE=2026-11-23T09:59:58Z",
        "SFTOKEN_SLOT=keyring://sftoken/integration@acme.example",
        "age:/tokens/integration@acme.example",
        &id,
        &fingerprint,
    ] {
        assert!(env.lines().any(|told| told == line), "{line} not in\n{env}");
    }
}

#[test]
fn what_does_not_apply_is_not_set() {
    let script = Script::new("env > $here/env");
    let event = Event::new(EventWord::Test, event().at(), Facts::default());
    script.program(&[]).run(&event).unwrap();
    let env = script.left("env");
    let ours: Vec<&str> = env
        .lines()
        .filter(|line| line.starts_with("SFTOKEN_"))
        .collect();
    assert_eq!(ours.len(), 2, "{ours:?}");
}

#[test]
fn nothing_of_ours_is_in_its_environment() {
    let script = Script::new("env > $here/env");
    let mut command = child::tells(&script.path());
    command.env("LANG", "C.UTF-8");
    for name in [
        "SFTOKEN_MAILBOX_OPS_URL",
        "SFTOKEN_SLOT",
        "SFTOKEN_CONFIG",
        "VAULT_ADDR",
        "BAO_ADDR",
        "AWS_PROFILE",
        "CREDENTIALS_DIRECTORY",
        "imap_password",
        // by a reference of the configuration
        "MAIL_LOGIN",
    ] {
        command.env(name, format!("planted-{name}"));
    }
    assert_eq!(child::answer(command), "done");
    let env = script.left("env");
    assert!(!env.contains("planted"), "{env}");
    assert!(
        env.contains("LANG=C.UTF-8") && env.contains("SFTOKEN_EVENT=stored"),
        "{env}"
    );
}

#[test]
fn the_exit_status_is_the_answer() {
    Script::new("echo fine >&2; exit 0").run().unwrap();
    check_fails(
        "echo no route >&2; exit 75",
        Kind::TryAgain,
        true,
        "(exit 75): \"no route\"",
    );
    check_fails(
        "echo first >&2; echo denied >&2; exit 3",
        Kind::ExitStatus,
        false,
        "(exit 3): \"denied\"",
    );
    check_fails(
        "exit 1",
        Kind::ExitStatus,
        false,
        "the program failed (exit 1)",
    );
    check_fails("kill -KILL $$", Kind::Signal, false, "signal: 9");
}

#[test]
fn its_last_words_are_harmless() {
    let error = Script::new("printf 'bad \\033[2J AbCdEf0hIjKlMnOpQrStUvWx\\n' >&2; exit 1")
        .run()
        .unwrap_err();
    assert!(error.problem.contains("bad \u{fffd}[2J"), "{error}");
    assert!(!error.problem.contains("AbCdEf0h"), "{error}");
}

#[test]
fn megabytes_of_words_neither_hold_it_nor_fill_us() {
    let talk = "head -c 8000000 /dev/zero | tr '\\0' x";
    Script::new(&format!("{talk}; {talk} >&2; exit 0"))
        .run()
        .unwrap();
    let error = Script::new(&format!("{talk}; {talk} >&2; exit 1"))
        .run()
        .unwrap_err();
    assert!(error.problem.len() < 300, "{}", error.problem.len());
}

#[test]
fn whoever_does_not_listen_is_told_all_the_same() {
    let script = Script::new("exec <&-; exit 0");
    script.run().unwrap();
    script.program(&[]).run(&large()).unwrap();
    // one that does not read, and does not end
    Script::new("exec sleep 600").run_out_of_time(&large());
    let script = Script::new("cat > $here/stdin");
    script.program(&[]).run(&large()).unwrap();
    let told: Value = serde_json::from_str(&script.left("stdin")).unwrap();
    assert_eq!(told, serde_json::to_value(large()).unwrap());
}

#[test]
fn at_the_deadline_all_that_it_started_is_ended() {
    let script =
        Script::new("echo waiting >&2; (exec 3>$here/life; sleep 600) & (sleep 600) & wait");
    let life = script.file("life");
    assert!(
        Command::new("mkfifo")
            .arg(&life)
            .status()
            .unwrap()
            .success()
    );
    // The grandchild holds the pipe's writing end: the end of the pipe is the end of the grandchild.
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(fs::read(life).unwrap()));
    let error = script.run_out_of_time(&event());
    assert!(error.problem.contains("within 1 s: \"waiting\""), "{error}");
    assert_eq!(end.recv_timeout(Duration::from_secs(20)).unwrap(), b"");
}

#[test]
fn a_program_that_ignores_signals_is_ended() {
    let script =
        Script::new("trap '' TERM INT HUP; echo $$ > $here/id; while :; do sleep 600; done");
    script.run_out_of_time(&event());
    let id = script.left("id");
    assert!(!PathBuf::from(format!("/proc/{}", id.trim())).exists());
}

#[test]
fn a_helper_left_behind_does_not_hold_us() {
    let script = Script::new("sleep 30 & exit 0");
    let asked = Instant::now();
    script.run().unwrap();
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
}

#[track_caller]
fn check_no_program(argv: &[&str], kind: Kind, words: &str) {
    let argv = argv.iter().map(|&text| text.to_owned()).collect();
    let error = Program::new(argv, Vec::new()).run(&event()).unwrap_err();
    assert_eq!((error.kind, error.passing), (kind, false), "{error}");
    assert!(error.problem.contains(words), "{error}");
    assert!(!error.to_string().contains("planted"), "{error}");
}

#[test]
fn what_is_no_program_is_told() {
    check_no_program(&[], Kind::Misconfigured, "has no name");
    check_no_program(&["", "planted"], Kind::Misconfigured, "has no name");
    check_no_program(
        &["./hook", "planted"],
        Kind::Misconfigured,
        "does not start at the root",
    );
    check_no_program(
        &["/nonexistent/hook", "planted"],
        Kind::NotStarted,
        "is not there",
    );
    check_no_program(&["no-such-program-anywhere"], Kind::NotStarted, "in PATH");
    check_no_program(&["true", "planted\0"], Kind::NotStarted, "holds a NUL");
    let script = Script::new("");
    script.write("#!/bin/sh\n", 0o600);
    check_no_program(&[&script.path()], Kind::NotStarted, "may not be executed");
    script.write("#!/nonexistent/interpreter\n", 0o700);
    check_no_program(&[&script.path()], Kind::NotStarted, "the interpreter");
    script.write("\u{7f}ELF", 0o700);
    check_no_program(&[&script.path()], Kind::NotStarted, "could not be started");
    let folder = script.file("").to_str().unwrap().to_owned();
    check_no_program(&[&folder], Kind::NotStarted, "may not be executed");
}

#[test]
fn a_name_is_looked_for_in_path() {
    let argv = ["true", "x"].map(str::to_owned).to_vec();
    Program::new(argv, Vec::new()).run(&event()).unwrap();
}

#[test]
fn both_sides_have_the_same_default() {
    assert_eq!(DEFAULT_PROGRAM_TIMEOUT.unsigned_abs(), PROGRAM_DEADLINE);
}
