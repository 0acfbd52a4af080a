//! `sftoken run`: what the command gets, and that it is the system's own process.

use std::fs;

use super::shelf::{OTHER, PASSWORD, Shelf, TOKEN};
use crate::support::run::{Ended, Running};
use crate::support::salesforce::{ANN, BOB};

/// Runs a shell script as the command.
#[track_caller]
fn script(shelf: &Shelf, words: &[&str], script: &str) -> Ended {
    let command = ["--", "sh", "-c", script];
    shelf.run(&[&["run"], words, &command].concat())
}

#[test]
fn the_token_is_in_the_environment_and_the_status_is_the_commands() {
    let shelf = Shelf::new();
    let ended = script(
        &shelf,
        &[ANN],
        "echo $SF_SECURITY_TOKEN; echo why >&2; exit 42",
    )
    .check(42);
    assert_eq!(
        (ended.out, ended.err),
        (format!("{TOKEN}\n"), "why\n".to_owned())
    );
}

#[test]
fn names_are_chosen_on_the_command_line_or_in_the_account() {
    let shelf = Shelf::new();
    let show = "printf '%s|' \"$A\" \"$B\" \"$SF_SECURITY_TOKEN\" \"$SF_SERVERURL\"";
    let out = script(&shelf, &[ANN, "--env", "A", "--env", "B=password"], show)
        .check(0)
        .out;
    assert_eq!(out, format!("{TOKEN}|{PASSWORD}|||"));
    shelf.configure("preset = \"cumulusci\"\nenv = [\"A=login\"]");
    let out = script(&shelf, &[ANN], show).check(0).out;
    assert_eq!(
        out,
        format!("{PASSWORD}{TOKEN}|||https://login.salesforce.com|")
    );
}

#[test]
fn two_accounts_want_two_names() {
    let shelf = Shelf::new();
    let clash = script(&shelf, &[ANN, BOB], "exit 0").check(2);
    let named = format!("--env {ANN}:FIRST --env {BOB}:SECOND");
    assert!(
        clash.err.contains("SF_SECURITY_TOKEN") && clash.err.contains(&named),
        "{}",
        clash.err
    );
    let (a, b) = (format!("{ANN}:A"), format!("{BOB}:B"));
    let words = [ANN, BOB, "--env", &a, "--env", &b];
    let out = script(&shelf, &words, "echo $A $B").check(0).out;
    assert_eq!(out, format!("{TOKEN} {OTHER}\n"));
    // a name for somebody who is not there is a slip
    let slip = script(&shelf, &[BOB, "--env", &a], "exit 0").check(2);
    assert!(slip.err.contains("not among the usernames"), "{}", slip.err);
    shelf.configure("env = [\"FROM_ANN\"]");
    let out = script(&shelf, &[ANN, BOB], "echo $FROM_ANN $SF_SECURITY_TOKEN")
        .check(0)
        .out;
    assert_eq!(out, format!("{TOKEN} {OTHER}\n"));
}

#[test]
fn a_command_that_cannot_be_started_ends_as_in_a_shell() {
    let shelf = Shelf::new();
    let file = shelf.home.write("not-executable", "#!/bin/sh\n");
    let missing = shelf
        .run(&["run", ANN, "--", "no-such-command-here"])
        .check(127);
    assert!(
        missing.err.contains("no-such-command-here"),
        "{}",
        missing.err
    );
    shelf
        .run(&["run", ANN, "--", "/no/such/command"])
        .check(127);
    shelf.run(&["run", ANN, "--", &file]).check(126);
    shelf.run(&["run", ANN, "--", "/"]).check(126);
}

#[test]
fn nothing_is_started_without_every_token() {
    let shelf = Shelf::new();
    shelf.put(BOB, "production", "");
    let words = [ANN, "--env", "A", "carl@acme.example"];
    script(&shelf, &words, "touch started").check(2);
    let b = format!("{BOB}:B");
    script(
        &shelf,
        &[ANN, "--env", "integration@acme.example:A", BOB, "--env", &b],
        "touch started",
    )
    .check(3);
    script(&shelf, &[BOB, "--preset", "airflow"], "touch started").check(3);
    shelf.lock();
    script(&shelf, &[ANN], "touch started").check(6);
    shelf.run(&["run", ANN]).check(2);
    assert!(!shelf.home.path("started").exists());
}

/// The process that was started is the command: no one stands between it and whoever sends signals, stops it or
/// waits for it.
#[test]
fn the_command_takes_the_place_of_sftoken() {
    let shelf = Shelf::new();
    let mut running = shelf.start(&["run", ANN, "--", "sh", "-c", "echo $$; exec sleep 600"]);
    let id = running.hear_out("").trim().to_owned();
    assert_eq!(id, running.id().to_string());
    // Stopped and continued. NOTE: not by TSTP, as a terminal does: without one, as under CI, the process group may
    // be orphaned, and then the kernel drops it (POSIX, 2.4.3).
    running.signal("STOP");
    await_state(running.id(), "T");
    running.signal("CONT");
    await_state(running.id(), "S");
    running.stop().check(143);
}

/// Waits until the kernel calls a process's state so.
#[track_caller]
fn await_state(id: u32, wanted: &str) {
    let until = std::time::Instant::now() + crate::support::run::PATIENCE;
    loop {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let state = stat
            .rsplit(") ")
            .next()
            .unwrap()
            .get(..1)
            .unwrap()
            .to_owned();
        if state == wanted {
            return;
        }
        assert!(
            std::time::Instant::now() < until,
            "it is {state}, not {wanted}"
        );
        std::thread::yield_now();
    }
}

#[test]
fn every_signal_reaches_the_command() {
    let shelf = Shelf::new();
    for (signal, number) in [
        ("TERM", 15),
        ("INT", 2),
        ("HUP", 1),
        ("QUIT", 3),
        ("USR1", 10),
    ] {
        let traps = format!(
            "trap 'echo got {signal}; kill $!; exit 7' {signal}; sleep 600 > /dev/null 2>&1 & echo ready; wait"
        );
        let mut heard = shelf.start(&["run", ANN, "--", "sh", "-c", &traps]);
        heard.hear_out("ready");
        heard.signal(signal);
        assert!(heard.end().check(7).out.contains(&format!("got {signal}")));
        let mut dies = shelf.start(&["run", ANN, "--", "sh", "-c", "echo ready; exec sleep 600"]);
        dies.hear_out("ready");
        dies.signal(signal);
        dies.end().check(128 + number);
    }
}

/// In a shell with job control, Ctrl-Z stops the command and `fg` brings it back.
#[test]
fn a_terminals_job_control_works() {
    let shelf = Shelf::new();
    let inner = format!(
        "{} run {ANN} -- sh -c 'kill -TSTP $$; echo came back with $SF_SECURITY_TOKEN'",
        env!("CARGO_BIN_EXE_sftoken")
    );
    let outer = format!("set -m; {inner}; jobs; fg; echo over $?");
    let mut command = shelf.home.command("script");
    let quoted = outer.replace('\'', "'\\''");
    command.args(["-qec", &format!("bash -c '{quoted}'"), "/dev/null"]);
    command.env("TERM", "dumb");
    let ended = Running::of(command, b"").end();
    assert!(ended.out.contains("Stopped"), "{}", ended.out);
    assert!(
        ended.out.contains(&format!("came back with {TOKEN}")),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("over 0"), "{}", ended.out);
}

#[test]
fn standard_input_is_the_commands() {
    let shelf = Shelf::new();
    let mut command = shelf.home.command(env!("CARGO_BIN_EXE_sftoken"));
    command.args(["run", ANN, "--", "cat"]);
    assert_eq!(
        Running::of(command, b"from afar").end().check(0).out,
        "from afar"
    );
}

/// sftoken ignores SIGPIPE as every Rust program does; its command must not inherit that.
#[test]
fn a_pipe_that_breaks_ends_the_command_quietly() {
    let shelf = Shelf::new();
    let line = format!(
        "({} run {ANN} -- yes; echo $? >&2) | head -n 1",
        env!("CARGO_BIN_EXE_sftoken")
    );
    let mut command = shelf.home.command("sh");
    command.args(["-c", &line]);
    let ended = Running::of(command, b"").end().check(0);
    assert_eq!((ended.out.as_str(), ended.err.trim()), ("y\n", "141"));
}

#[test]
fn arguments_are_passed_as_they_are() {
    let shelf = Shelf::new();
    let words = [
        "run", ANN, "--", "printf", "%s|", "--env", "-v", "a b", "$HOME",
    ];
    assert_eq!(shelf.run(&words).check(0).out, "--env|-v|a b|$HOME|");
}
