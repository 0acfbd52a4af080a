//! The clipboard: a token on it, and off it again.
//!
//! Knows the tools of each platform, all of which take the text on standard input. Never puts the text into
//! an argument, and clears nothing that somebody else put there since. A second `sftoken` waits meanwhile.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

use jiff::SignedDuration;
use zeroize::Zeroizing;

use super::args::{ClearClipboard, Global};
use super::children;
use super::exit::{Exit, Failure};

/// A program and its arguments.
type Call = &'static [&'static str];

/// How a clipboard is written, read and cleared.
struct Tool {
    copy: Call,
    paste: Call,
    clear: Call,
    /// The variable without which it cannot work.
    needs: Option<&'static str>,
}

#[cfg(target_os = "macos")]
const TOOLS: &[Tool] = &[Tool {
    copy: &["pbcopy"],
    paste: &["pbpaste"],
    clear: &["pbcopy"],
    needs: None,
}];

#[cfg(windows)]
const TOOLS: &[Tool] = &[Tool {
    copy: &["clip.exe"],
    paste: &[
        "powershell.exe",
        "-NoProfile",
        "-Command",
        "Get-Clipboard -Raw",
    ],
    clear: &["clip.exe"],
    needs: None,
}];

/// Wayland first: under it, an X11 tool reaches only other X11 programs at times.
#[cfg(not(any(target_os = "macos", windows)))]
const TOOLS: &[Tool] = &[
    Tool {
        copy: &["wl-copy"],
        paste: &["wl-paste", "--no-newline"],
        clear: &["wl-copy", "--clear"],
        needs: Some("WAYLAND_DISPLAY"),
    },
    Tool {
        copy: &["xclip", "-selection", "clipboard", "-in"],
        paste: &["xclip", "-selection", "clipboard", "-out"],
        clear: &["xclip", "-selection", "clipboard", "-in"],
        needs: Some("DISPLAY"),
    },
    Tool {
        copy: &["xsel", "--clipboard", "--input"],
        paste: &["xsel", "--clipboard", "--output"],
        clear: &["xsel", "--clipboard", "--clear"],
        needs: Some("DISPLAY"),
    },
];

/// Puts a text on the clipboard, and leaves somebody behind who clears it.
pub(crate) fn put(
    global: &Global,
    text: &str,
    clear_after: SignedDuration,
    private: &[String],
) -> Result<(), Failure> {
    let tool = usable()?;
    feed(started(tool.copy, private), text).map_err(|error| failed(tool.copy[0], &error))?;
    if let Err(error) = leave_behind(text, clear_after, private) {
        // Nobody would ever clear it.
        let _ = feed(started(tool.clear, private), "");
        return Err(failed("the one who clears it", &error));
    }
    if !global.quiet {
        let seconds = clear_after.as_secs();
        // Nobody is left to tell when that fails.
        let _ = writeln!(io::stderr(), "on the clipboard for {seconds} s");
    }
    Ok(())
}

/// `clear-clipboard`: waits, and clears the clipboard if it still holds what stands on standard input.
pub(crate) fn clear(args: &ClearClipboard) -> Result<Exit, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(MOST));
    io::stdin()
        .lock()
        .take(MOST as u64)
        .read_to_string(&mut text)?;
    // The terminal that `get` was called from may be closed meanwhile.
    #[cfg(unix)]
    let _ = rustix::process::setsid();
    std::thread::sleep(args.after.try_into().unwrap_or_default());
    let tool = usable()?;
    let held = pasted(tool).map_err(|error| failed(tool.paste[0], &error))?;
    let end = |text: &str| text.trim_end_matches(['\r', '\n']).len();
    if held[..end(&held)] == text[..end(&text)] {
        feed(started(tool.clear, &[]), "").map_err(|error| failed(tool.clear[0], &error))?;
    }
    Ok(Exit::Done)
}

/// The first tool that is there.
fn usable() -> Result<&'static Tool, Failure> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let fits = |tool: &&Tool| tool.needs.is_none_or(set) && is_there(tool);
    TOOLS.iter().find(fits).ok_or_else(|| {
        Failure::new(
            Exit::Failed,
            "there is no clipboard here that can be reached",
            "install wl-clipboard (Wayland), xclip or xsel (X11), and call it from the desktop's session; or pipe the token to its consumer",
        )
    })
}

/// Whether its program stands in PATH. Not tried out: not every tool has a call that changes nothing.
fn is_there(tool: &Tool) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool.copy[0]).is_file())
}

/// NOTE: xclip and wl-copy leave a process behind that serves the clipboard; with a pipe of ours in its hands,
/// whoever reads `get` would wait for it.
fn started(call: &[&str], private: &[String]) -> Command {
    let mut command = Command::new(call[0]);
    command.args(&call[1..]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for name in children::withheld(private, &[]) {
        command.env_remove(name);
    }
    command
}

fn feed(mut command: Command, text: &str) -> io::Result<()> {
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    let status = child.wait()?;
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(status.to_string())),
    }
}

/// What the clipboard holds; a tool that finds it empty fails, and gives nothing.
fn pasted(tool: &Tool) -> io::Result<Zeroizing<String>> {
    let mut child = started(tool.paste, &[])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut text = Zeroizing::new(Vec::with_capacity(MOST + 1));
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MOST as u64).read_to_end(&mut text)?;
    }
    child.wait()?;
    // What is no text is not ours.
    let text = String::from_utf8(std::mem::take(&mut *text));
    Ok(Zeroizing::new(text.unwrap_or_default()))
}

/// More than a log-in can be.
const MOST: usize = 64 * 1024;

fn leave_behind(text: &str, after: SignedDuration, private: &[String]) -> io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["clear-clipboard", &format!("{}s", after.as_secs())]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for name in children::withheld(private, &[]) {
        command.env_remove(name);
    }
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    match child.stdin.take() {
        Some(mut stdin) => stdin.write_all(text.as_bytes()),
        None => Ok(()),
    }
}

fn failed(who: &str, error: &io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the clipboard cannot be used: {who}: {error}"),
        "try the tool by hand in the same session",
    )
}
