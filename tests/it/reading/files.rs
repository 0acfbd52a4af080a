//! `sftoken run --file`: the token in a file that only the command can open.

use std::fs;

use super::shelf::{PASSWORD, Shelf, TOKEN};
use crate::support::salesforce::ANN;

#[test]
fn the_file_holds_the_token_and_the_environment_does_not() {
    let shelf = Shelf::new();
    let script = "cat $SF_TOKEN_FILE; echo; stat -L -c '%a %U' $SF_TOKEN_FILE; cat < $SF_TOKEN_FILE; echo; env";
    let words = [
        "run",
        ANN,
        "--file",
        "SF_TOKEN_FILE",
        "--",
        "sh",
        "-c",
        script,
    ];
    let out = shelf.run(&words).check(0).out;
    let lines: Vec<&str> = out.lines().collect();
    let me = String::from_utf8(
        std::process::Command::new("id")
            .arg("-un")
            .output()
            .unwrap()
            .stdout,
    );
    assert_eq!(lines[0], TOKEN);
    assert_eq!(lines[1], format!("600 {}", me.unwrap().trim()));
    // each opening begins at the beginning
    assert_eq!(lines[2], TOKEN);
    assert!(!lines[3..].concat().contains(TOKEN), "{out}");
    assert!(
        lines[3..]
            .iter()
            .any(|line| line.starts_with("SF_TOKEN_FILE=/"))
    );
}

#[test]
fn the_file_can_hold_a_log_in_and_stand_beside_variables() {
    let shelf = Shelf::new();
    let script = "printf '%s|%s' \"$(cat $LOGIN)\" $TOKEN";
    let words = [
        "run",
        ANN,
        "--file",
        "LOGIN=login",
        "--env",
        "TOKEN",
        "--",
        "sh",
        "-c",
        script,
    ];
    assert_eq!(
        shelf.run(&words).check(0).out,
        format!("{PASSWORD}{TOKEN}|{TOKEN}")
    );
}

/// Python closes what it does not know before it starts a program; the path goes on.
#[test]
fn grandchildren_can_open_it() {
    let shelf = Shelf::new();
    let script = "import os, subprocess\n\
        print(open(os.environ['F']).read(), flush=True)\n\
        subprocess.run(['sh', '-c', 'cat \"$F\"'], close_fds=True, check=True)";
    let words = ["run", ANN, "--file", "F", "--", "python3", "-c", script];
    assert_eq!(shelf.run(&words).check(0).out, format!("{TOKEN}\n{TOKEN}"));
}

#[test]
fn nobody_can_change_it() {
    let shelf = Shelf::new();
    let script = "(echo x > $F) 2>/dev/null && echo written; (echo x >> $F) 2>/dev/null && echo added; cat $F";
    let words = ["run", ANN, "--file", "F", "--", "sh", "-c", script];
    assert_eq!(shelf.run(&words).check(0).out, TOKEN);
}

#[test]
fn it_is_gone_with_the_command_even_if_that_is_killed() {
    let shelf = Shelf::new();
    let mut running = shelf.start(&[
        "run",
        ANN,
        "--file",
        "F",
        "--",
        "sh",
        "-c",
        "echo $F; exec sleep 600",
    ]);
    let path = running.hear_out("/").trim().to_owned();
    assert_eq!(fs::read_to_string(&path).unwrap(), TOKEN);
    running.kill().check(137);
    assert!(fs::metadata(path).is_err());
    // nor was it ever in a folder
    for (path, bytes) in crate::support::run::files_below(&shelf.home.path(".")) {
        let in_store = path.to_string_lossy().contains("/shelf/");
        assert!(
            in_store || memchr::memmem::find(&bytes, TOKEN.as_bytes()).is_none(),
            "{path:?}"
        );
    }
}
