//! An event told in a process of its own: the environment is a process's, and a test must not change it for its
//! neighbours.
//!
//! The test binary runs itself; [`child`] tells one event.

use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use sftoken::notify::{NotifyError, Program, desktop};

use super::event;

/// Marks the answer among the words of the test harness.
const ANSWER: &str = "=> ";

/// A process that will tell `what`: `desktop`, or a program's path.
pub(super) fn tells(what: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    surround(&mut command, what);
    command
}

/// The same, in surroundings that are there.
pub(super) fn surround(command: &mut Command, what: &str) {
    command
        .args([
            "--exact",
            "notify::child::child",
            "--ignored",
            "--nocapture",
        ])
        .env("NOTIFY_UNDER_TEST", what);
}

/// Runs it: `done`, or the word and the clause of the error.
pub(super) fn answer(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answer = text.lines().find_map(|line| line.strip_prefix(ANSWER));
    let answer = answer.unwrap_or_else(|| panic!("no answer: {text}"));
    answer.to_owned()
}

#[test]
#[ignore = "the other half of `tells`: run by the tests that need it"]
fn child() {
    let told = match std::env::var("NOTIFY_UNDER_TEST").unwrap().as_str() {
        "desktop" => desktop::show(&event(), desktop::DEADLINE),
        "desktop, soon" => desktop::show(&event(), Duration::from_millis(300)),
        program => {
            Program::new(vec![program.to_owned()], vec!["MAIL_LOGIN".to_owned()]).run(&event())
        }
    };
    let answer = match told {
        Ok(()) => "done".to_owned(),
        Err(error) => shown(&error),
    };
    writeln!(std::io::stdout(), "\n{ANSWER}{answer}").unwrap();
}

fn shown(error: &NotifyError) -> String {
    assert!(!error.hint().is_empty(), "{error}: no hint");
    format!("{} {error}", error.kind.as_str())
}
