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
    let ended = clip(&shelf, &screen, &["--clear-after", "3s"]).check(0);
    assert_eq!(
        (ended.out.as_str(), ended.err.as_str()),
        ("", "on the clipboard for 3 s\n")
    );
    assert_eq!(screen.holds(), TOKEN);
    assert_eq!(screen.await_other_than(TOKEN), "");
    assert!(began.elapsed() >= Duration::from_secs(3));
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

#[test]
fn without_a_desktop_it_says_what_to_do() {
    let shelf = Shelf::new();
    let ended = shelf.run(&["get", ANN, "--clip"]).check(1);
    assert!(ended.err.contains("xclip"), "{}", ended.err);
    assert!(!(ended.out + &ended.err).contains(TOKEN));
    shelf.run(&["get", ANN, "--clip", "--reveal"]).check(2);
    shelf.run(&["get", ANN, "--clear-after", "3s"]).check(2);
}
