//! `sftoken get --clip`, with a real X server and its clipboard.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::shelf::{OTHER, Shelf, TOKEN};
use crate::support::run::{Ended, PATIENCE, Running};
use crate::support::salesforce::ANN;

/// An X server without a screen.
struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-nolisten",
                "tcp",
                "-screen",
                "0",
                "64x64x8",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // it writes its number when it is ready
        let mut number = String::new();
        let mut out = std::io::BufReader::new(server.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut number).unwrap();
        let display = format!(":{}", number.trim());
        Self { server, display }
    }

    fn xclip(&self, way: &str) -> Command {
        let mut xclip = Command::new("xclip");
        xclip.args(["-selection", "clipboard", way]);
        xclip.env("DISPLAY", &self.display);
        xclip
    }

    fn holds(&self) -> String {
        String::from_utf8(self.xclip("-out").output().unwrap().stdout).unwrap()
    }

    fn put(&self, text: &str) {
        let mut xclip = self.xclip("-in");
        let mut child = xclip
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Waits until the clipboard holds something else.
    fn await_other_than(&self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let held = self.holds();
            if held != text {
                return held;
            }
            assert!(Instant::now() < until, "it is not cleared");
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn clip(shelf: &Shelf, screen: &Screen, words: &[&str]) -> Ended {
    let mut command = shelf.home.command(env!("CARGO_BIN_EXE_sftoken"));
    command.args(["get", ANN, "--clip"]).args(words);
    command.env("DISPLAY", &screen.display);
    Running::of(command, b"").end()
}

#[test]
fn the_token_is_on_the_clipboard_for_a_while() {
    let (shelf, screen) = (Shelf::new(), Screen::start());
    let began = Instant::now();
    let ended = clip(&shelf, &screen, &["--clear-after", "5s"]).check(0);
    assert_eq!(
        (ended.out.as_str(), ended.err.as_str()),
        ("", "on the clipboard for 5 s\n")
    );
    assert_eq!(screen.holds(), TOKEN);
    assert_eq!(screen.await_other_than(TOKEN), "");
    assert!(began.elapsed() >= Duration::from_secs(5));
}

#[test]
fn what_somebody_else_put_there_since_stays() {
    let (shelf, screen) = (Shelf::new(), Screen::start());
    clip(&shelf, &screen, &["--clear-after", "1s"]).check(0);
    screen.put("a shopping list");
    // one that is put later is cleared later: by then the first has looked
    let mut other = shelf.home.command(env!("CARGO_BIN_EXE_sftoken"));
    other
        .args(["clear-clipboard", "2s"])
        .env("DISPLAY", &screen.display);
    Running::of(other, OTHER.as_bytes()).end().check(0);
    assert_eq!(screen.holds(), "a shopping list");
}

#[test]
fn a_login_is_cleared_as_well() {
    let (shelf, screen) = (Shelf::new(), Screen::start());
    clip(
        &shelf,
        &screen,
        &["--format", "login", "--clear-after", "1s", "-q"],
    )
    .check(0);
    let login = format!("{}{TOKEN}", super::shelf::PASSWORD);
    assert_eq!(screen.await_other_than(&login), "");
}

/// A folder that alone is PATH: which tool is taken is decided by what is there.
fn with_only(shelf: &Shelf, tools: &[&str]) -> std::path::PathBuf {
    let folder = shelf.home.path("tools");
    std::fs::create_dir_all(&folder).unwrap();
    for tool in tools.iter().chain(&["sh", "env", "cat"]) {
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|path| path.join(tool));
        let found = found.into_iter().find(|path| path.exists()).expect(tool);
        std::os::unix::fs::symlink(found, folder.join(tool)).unwrap();
    }
    folder
}

#[test]
fn xsel_does_where_there_is_no_xclip() {
    let (shelf, screen) = (Shelf::new(), Screen::start());
    let mut command = shelf.home.command(env!("CARGO_BIN_EXE_sftoken"));
    command.args(["get", ANN, "--clip", "--clear-after", "2s"]);
    command
        .env("DISPLAY", &screen.display)
        .env("PATH", with_only(&shelf, &["xsel"]));
    Running::of(command, b"").end().check(0);
    // it says that it is done before it is
    assert_eq!(screen.await_other_than(""), TOKEN);
    assert_eq!(screen.await_other_than(TOKEN), "");
}

/// A stand-in for wl-clipboard, with the calls of its manual page: a compositor is too heavy here.
#[test]
fn under_wayland_its_own_tools_are_called() {
    let shelf = Shelf::new();
    let board = shelf.home.path("board");
    let folder = with_only(&shelf, &[]);
    for (name, script) in [
        (
            "wl-copy",
            "case \"$*\" in '') exec cat > $BOARD;; --clear) : > $BOARD;; *) exit 1;; esac",
        ),
        ("wl-paste", "[ \"$*\" = --no-newline ] && exec cat $BOARD"),
    ] {
        let path = shelf
            .home
            .write(&format!("tools/{name}"), format!("#!/bin/sh\n{script}\n"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).unwrap();
    }
    let mut command = shelf.home.command(env!("CARGO_BIN_EXE_sftoken"));
    command.args(["get", ANN, "--clip", "--clear-after", "2s"]);
    command
        .env("WAYLAND_DISPLAY", "wayland-9")
        .env("PATH", folder)
        .env("BOARD", &board);
    Running::of(command, b"").end().check(0);
    let holds = || std::fs::read_to_string(&board).unwrap();
    assert_eq!(holds(), TOKEN);
    let until = Instant::now() + PATIENCE;
    while holds() == TOKEN {
        assert!(Instant::now() < until, "it is not cleared");
        std::thread::yield_now();
    }
    assert_eq!(holds(), "");
}

#[test]
fn without_a_desktop_it_says_what_to_do() {
    let shelf = Shelf::new();
    let ended = shelf.run(&["get", ANN, "--clip"]).check(1);
    assert!(ended.err.contains("xclip"), "{}", ended.err);
    assert!(!(ended.out + &ended.err).contains(TOKEN));
    shelf.run(&["get", ANN, "--clip", "--reveal"]).check(2);
    shelf.run(&["get", ANN, "--clear-after", "3s"]).check(2);
}
