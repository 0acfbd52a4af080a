//! What `Form::Shell` writes, as real shells read it.

use std::process::Command;

use sftoken::consumer::{Form, Variable};

use crate::support::run::Running;

/// Lets a shell read a line, and says what it makes of it.
#[track_caller]
fn check(shell: &str, value: &str) {
    let variable = Variable {
        name: "SF_PASSWORD".to_owned(),
        value: value.to_owned().into(),
        secret: true,
    };
    let line = Form::Shell.lines(&[variable]).unwrap();
    // on standard input: the arguments of a process are everybody's to read
    let mut command = Command::new(shell);
    command.env_remove("SF_PASSWORD");
    let out = Running::of(command, format!("{}env\n", *line).as_bytes())
        .end()
        .check(0)
        .out;
    let read = out
        .lines()
        .find_map(|line| line.strip_prefix("SF_PASSWORD="));
    assert_eq!(read, Some(value), "{shell}: {}", *line);
}

#[test]
fn every_shell_reads_what_was_meant() {
    for shell in ["sh", "bash", "zsh", "fish"] {
        for value in [
            super::shelf::TOKEN,
            super::shelf::PASSWORD,
            "'",
            "\\",
            "ends\\",
            "\\'\\\\''",
            "a\\nb!c",
            " ",
            "a\tb",
            "~",
            "-n",
            "%PATH%",
        ] {
            check(shell, value);
        }
    }
}
