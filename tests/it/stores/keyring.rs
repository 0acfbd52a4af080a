//! The keyring store against a real GNOME Keyring.

use std::process::Command;
use std::time::{Duration, Instant};

use super::process::{StoreProcess, this};
use super::{NEW, OLD, USERNAME};
use crate::support::secret_service::SecretService;

/// A keyring store in a process on `service`'s bus.
fn store_on(service: &SecretService) -> StoreProcess {
    StoreProcess::open("keyring://sftoken", service.command(this()))
}

/// Somebody sits there who may be asked; the store gives up after three seconds.
fn attended(service: &SecretService) -> StoreProcess {
    let mut command = service.command(this());
    command
        .env("STORE_INTERACTIVE", "1")
        .env("STORE_DEADLINE", "3");
    StoreProcess::open("keyring://sftoken", command)
}

/// That a check, a write and a read say this kind and these words, soon.
#[track_caller]
fn check_fails(store: &mut StoreProcess, kind: &str, words: &str) {
    for line in [
        "check",
        &format!("publish {USERNAME} {NEW}"),
        &format!("get {USERNAME}"),
    ] {
        let asked = Instant::now();
        let answer = store.ask(line);
        assert!(answer.starts_with(kind), "{line}: {answer}");
        assert!(answer.contains(words), "{line}: {answer}");
        assert!(!answer.contains(NEW), "{line}: {answer}");
        assert!(
            asked.elapsed() < Duration::from_secs(6),
            "{line}: {:?}",
            asked.elapsed()
        );
    }
}

#[test]
fn what_we_write_others_read_bare() {
    let service = SecretService::unlocked();
    let mut store = store_on(&service);
    assert_eq!(store.ask("check"), "ready");
    assert_eq!(store.ask(&format!("get {USERNAME}")), "empty");
    for value in [OLD, NEW] {
        let slot = store.ask(&format!("publish {USERNAME} {value}"));
        assert_eq!(slot, format!("keyring://sftoken/{USERNAME}"));
        assert_eq!(store.ask(&format!("get {USERNAME}")), value);
        assert_eq!(
            service.secret_tool_lookup("sftoken", USERNAME).as_deref(),
            Some(value)
        );
        let read = format!("keyring.get_password('sftoken', '{USERNAME}')");
        assert_eq!(service.python_keyring(&read), value);
    }
    assert_eq!(
        service.secret_tool_lookup("sftoken", "other@acme.example"),
        None
    );
}

#[test]
fn what_others_write_we_read_and_replace() {
    let service = SecretService::unlocked();
    let mut store = store_on(&service);
    service.secret_tool_store("sftoken", "hand@acme.example", OLD);
    service.python_keyring(&format!(
        "keyring.set_password('sftoken', 'py@acme.example', '{OLD}')"
    ));
    for username in ["hand@acme.example", "py@acme.example"] {
        assert_eq!(store.ask(&format!("get {username}")), OLD);
        store.ask(&format!("publish {username} {NEW}"));
        assert_eq!(
            service.secret_tool_lookup("sftoken", username).as_deref(),
            Some(NEW)
        );
        let read = format!("keyring.get_password('sftoken', '{username}')");
        assert_eq!(service.python_keyring(&read), NEW);
    }
}

/// Python's `keyring` adds an attribute, so its entry stands beside ours.
#[test]
fn two_entries_in_one_slot_get_the_same_new_token() {
    let service = SecretService::unlocked();
    let mut store = store_on(&service);
    store.ask(&format!("publish {USERNAME} {NEW}"));
    service.python_keyring(&format!(
        "keyring.set_password('sftoken', '{USERNAME}', '{OLD}')"
    ));
    let torn = store.ask(&format!("get {USERNAME}"));
    assert!(torn == OLD || torn.starts_with("store_corrupt"), "{torn}");
    assert!(!torn.contains(NEW), "{torn}");
    store.ask(&format!("publish {USERNAME} {NEW}"));
    assert_eq!(store.ask(&format!("get {USERNAME}")), NEW);
    assert_eq!(
        service.secret_tool_lookup("sftoken", USERNAME).as_deref(),
        Some(NEW)
    );
    let read = format!("keyring.get_password('sftoken', '{USERNAME}')");
    assert_eq!(service.python_keyring(&read), NEW);
}

#[test]
fn something_that_is_no_token_is_not_given_out() {
    let service = SecretService::unlocked();
    service.secret_tool_store("sftoken", USERNAME, "my holiday pictures");
    let answer = store_on(&service).ask(&format!("get {USERNAME}"));
    assert!(answer.starts_with("store_corrupt"), "{answer}");
    assert!(!answer.contains("holiday"), "{answer}");
}

#[test]
fn a_restarted_daemon_is_met_again() {
    let mut service = SecretService::unlocked();
    let mut store = store_on(&service);
    store.ask(&format!("publish {USERNAME} {OLD}"));
    service.restart_daemon();
    assert_eq!(store.ask(&format!("get {USERNAME}")), OLD);
    service.restart_daemon();
    store.ask(&format!("publish {USERNAME} {NEW}"));
    assert_eq!(
        service.secret_tool_lookup("sftoken", USERNAME).as_deref(),
        Some(NEW)
    );
    service.restart_daemon();
    assert_eq!(store.ask("check"), "ready");
}

#[test]
fn a_locked_keyring_is_said_to_be_locked_without_a_dialog() {
    let mut service = SecretService::unlocked();
    service.start_silent_prompter();
    let mut store = store_on(&service);
    store.ask(&format!("publish {USERNAME} {OLD}"));
    service.lock();
    let asked = Instant::now();
    check_fails(&mut store, "store_locked", "nobody is there to unlock it");
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn a_dialog_that_nobody_answers_does_not_hang() {
    let mut service = SecretService::unlocked();
    service.start_silent_prompter();
    service.lock();
    check_fails(&mut attended(&service), "store_locked", "not answered");
}

#[test]
fn a_dialog_that_cannot_be_shown_does_not_hang() {
    let service = SecretService::unlocked();
    service.lock();
    check_fails(
        &mut attended(&service),
        "store_locked",
        "could not be shown",
    );
}

#[test]
fn a_daemon_that_hangs_does_not_hang_us() {
    let service = SecretService::unlocked();
    let mut store = store_on(&service);
    assert_eq!(store.ask("check"), "ready");
    service.signal_daemon("-STOP");
    check_fails(&mut store, "store_timeout", "answer");
    service.signal_daemon("-CONT");
    assert_eq!(store.ask("check"), "ready");
}

#[test]
fn without_a_bus_it_says_so() {
    let service = SecretService::bus_only();
    let mut command = service.command(this());
    command.env_remove("DBUS_SESSION_BUS_ADDRESS");
    let mut store = StoreProcess::open("keyring:", command);
    check_fails(&mut store, "store_unreachable", "no D-Bus session bus");
}

#[test]
fn with_a_bus_that_is_gone_it_says_so() {
    let mut command = Command::new(this());
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let mut store = StoreProcess::open("keyring:", command);
    check_fails(&mut store, "store_unreachable", "no D-Bus session bus");
}

#[test]
fn without_a_keyring_on_the_bus_it_says_so() {
    let service = SecretService::bus_only();
    check_fails(
        &mut store_on(&service),
        "store_unreachable",
        "keeps secrets",
    );
}

#[test]
fn without_a_default_collection_it_says_so() {
    let mut service = SecretService::bus_only();
    service.start_empty_daemon();
    check_fails(
        &mut store_on(&service),
        "store_unreachable",
        "no default collection",
    );
}

#[test]
fn a_keyring_that_starts_later_is_found() {
    let mut service = SecretService::bus_only();
    let mut store = store_on(&service);
    check_fails(&mut store, "store_unreachable", "keeps secrets");
    service.start_daemon();
    assert_eq!(store.ask("check"), "ready");
}

/// An update of the keyring, while a watcher runs: it is gone, and comes back locked.
#[test]
fn a_daemon_that_goes_away_and_comes_back_locked_is_told_step_by_step() {
    let mut service = SecretService::unlocked();
    let mut store = store_on(&service);
    store.ask(&format!("publish {USERNAME} {OLD}"));
    service.stop_daemon();
    check_fails(&mut store, "store_unreachable", "keeps secrets");
    service.restart_daemon_locked();
    check_fails(&mut store, "store_locked", "nobody is there to unlock it");
    service.restart_daemon();
    assert_eq!(store.ask(&format!("get {USERNAME}")), OLD);
}

/// libdbus would end the whole process with the session, if it were not told otherwise.
#[test]
fn a_session_that_ends_does_not_end_the_watcher() {
    let mut service = SecretService::unlocked();
    let mut store = store_on(&service);
    assert_eq!(store.ask("check"), "ready");
    service.stop_bus();
    check_fails(&mut store, "store_unreachable", "no D-Bus session bus");
}

/// A bus takes 256 connections of a user where nothing else is configured.
#[test]
fn many_tokens_at_once_take_turns_on_one_connection() {
    let service = SecretService::unlocked();
    let mut store = store_on(&service);
    let told = store.ask(&format!("flood 300 {NEW}"));
    assert_eq!(told.trim_end(), "300 stored");
    let held = service.secret_tool_lookup("sftoken", "299@acme.example");
    assert_eq!(held.as_deref(), Some(NEW));
}

/// One that hangs is waited for once, and not once for each that stands behind it.
#[test]
fn behind_one_that_hangs_nobody_waits_longer_than_the_deadline() {
    let service = SecretService::unlocked();
    let mut store = store_on(&service);
    assert_eq!(store.ask("check"), "ready");
    service.signal_daemon("-STOP");
    let asked = Instant::now();
    let told = store.ask(&format!("flood 20 {NEW}"));
    assert!(told.starts_with("0 stored"), "{told}");
    assert!(told.contains("answer"), "{told}");
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
    service.signal_daemon("-CONT");
    assert_eq!(store.ask("check"), "ready");
}
