//! A secret that a command prints, as password managers do.
//!
//! Knows how to split a line into arguments and how to run them under a deadline. Never calls a
//! shell, and never shows what the command printed. The line comes from a secret reference.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::NotAReference;
use crate::ingest::secret::Secret;

/// Longest first line that counts; access tokens have a few kilobytes.
const MAX_LINE: usize = 64 * 1024;

/// Splits at white space; single and double quotes hold words together, a backslash takes the next
/// letter as it is, except in single quotes.
pub(super) fn split(line: &str) -> Result<Vec<String>, NotAReference> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                let next = letters.next().ok_or(UNFINISHED)?;
                word.get_or_insert_default().push(next);
            }
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    match (quote, words.first().map(String::as_str)) {
        (Some(_), _) => Err(UNFINISHED),
        (None, None | Some("")) => Err(NotAReference::new("the command has no name")),
        (None, Some(_)) => Ok(words),
    }
}

const UNFINISHED: NotAReference = NotAReference::new("a quote in the command is not closed");

/// Runs a command and takes the first line that it prints.
///
/// # Errors
/// When it cannot be started, fails, prints nothing, or takes longer than the deadline. The clause
/// never holds what it printed.
pub fn first_line(argv: &[String], deadline: Duration) -> Result<Secret, String> {
    let (name, arguments) = argv.split_first().ok_or("the command has no name")?;
    let end = Instant::now() + deadline;
    let mut child = Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("the command cannot be started: {error}"))?;
    let line = read_in_time(&mut child, end);
    let ended = ended_well(&mut child, end, line.is_err());
    let line = line?;
    ended?;
    Ok(line)
}

/// Reads on a thread of its own: a pipe has no deadline, and a child that hangs must not hold us.
fn read_in_time(child: &mut Child, end: Instant) -> Result<Secret, String> {
    let out = child.stdout.take().ok_or("the command has no output")?;
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut out = out;
        let _ = send.send(read_line(&mut out));
        // What follows the first line is read and dropped, so that the command does not die of a
        // closed pipe.
        let _ = io::copy(&mut out, &mut io::sink());
    });
    let left = end.saturating_duration_since(Instant::now());
    let line = receive
        .recv_timeout(left)
        .map_err(|_| "the command took too long".to_owned())?
        .map_err(|error| format!("the command's output cannot be read: {}", error.kind()))?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err("the command printed nothing".to_owned());
    }
    Ok(Secret::new(line.to_owned()))
}

/// The first line, and whatever came with it: in one buffer that never grows, so that no copy of it is left
/// behind.
fn read_line(out: &mut impl Read) -> io::Result<Zeroizing<String>> {
    let mut buffer = Zeroizing::new(vec![0; MAX_LINE]);
    let mut filled = 0;
    let end = loop {
        let begin = filled;
        filled += match out.read(&mut buffer[begin..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            count => match count? {
                0 => break filled,
                count => count,
            },
        };
        if let Some(at) = buffer[begin..filled].iter().position(|&byte| byte == b'\n') {
            break begin + at;
        }
    };
    let line = std::str::from_utf8(&buffer[..end]).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Zeroizing::new(line.to_owned()))
}

fn ended_well(child: &mut Child, end: Instant, give_up: bool) -> Result<(), String> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("the command failed: {status}")),
            Ok(None) if !give_up && Instant::now() < end => {
                thread::sleep(Duration::from_millis(5));
            }
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err("the command took too long".to_owned());
            }
            Err(error) => return Err(format!("the command cannot be waited for: {error}")),
        }
    }
}
