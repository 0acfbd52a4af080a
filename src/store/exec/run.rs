//! One run of a program, bounded in time and words.
//!
//! Knows how to start a process group, feed it, and end all of it at the deadline. Never leaves the
//! token in an argument or the environment. Everything about the run comes from [`Call`].

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{environment, words};
use crate::ingest::token::Token;
use crate::store::process::{end, watch};
use crate::store::token_in;

/// What to run.
pub(super) struct Call<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [String],
    /// Variables that are kept from it, whatever they are called.
    pub(super) private: &'a [String],
    /// Credentials of our environment that the program may see.
    pub(super) kept: &'a [String],
    pub(super) deadline: Duration,
    /// What is told to it in the environment.
    pub(super) told: Vec<(&'static str, String)>,
    pub(super) input: Option<&'a Token>,
}

/// How it ended.
pub(super) struct Ended {
    /// `None`: not in time.
    pub(super) status: Option<ExitStatus>,
    /// The first bytes of standard output; more than a token is never needed.
    pub(super) output: Zeroizing<Vec<u8>>,
    /// The end of an error text: what it said last, or nothing.
    pub(super) last_words: String,
}

/// Standard output that is looked at.
const OUTPUT: usize = 4096;

/// A program that leaves a helper behind keeps its pipes open; its words are not waited for longer.
const AFTERWARDS: Duration = Duration::from_millis(500);

type Kept = (Zeroizing<Vec<u8>>, bool);

impl Call<'_> {
    /// Runs the program to its end, or ends it.
    pub(super) fn run(&self) -> io::Result<Ended> {
        let until = Instant::now() + self.deadline;
        let mut child = self.command().spawn()?;
        let output = drain(child.stdout.take(), first(OUTPUT));
        let errors = drain(child.stderr.take(), last(words::KEPT));
        let ended = watch(&child);
        self.feed(&mut child);
        let in_time = ended
            .recv_timeout(until.saturating_duration_since(Instant::now()))
            .is_ok();
        if !in_time {
            end(&child);
        }
        // It has ended or was killed: this only takes the status.
        let status = child.wait()?;
        let (said, whole) = errors.recv_timeout(AFTERWARDS).unwrap_or_default();
        let (output, _) = output.recv_timeout(AFTERWARDS).unwrap_or_default();
        // What it was given, or gives back: neither is told.
        let given_back = token_in(&output);
        let token = self.input.or(given_back.as_ref());
        Ok(Ended {
            status: in_time.then_some(status),
            last_words: words::last(&said, whole, token),
            output,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        environment::clean(&mut command, self.private, self.kept);
        command
            .args(self.arguments)
            .envs(self.told.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }

    /// The token, and the end. A pipe holds 4096 bytes without a reader (POSIX `PIPE_BUF` is 512), so
    /// this never waits; a program that does not read it says by its status whether that is well.
    fn feed(&self, child: &mut Child) {
        if let (Some(mut stdin), Some(token)) = (child.stdin.take(), self.input) {
            let _ = stdin.write_all(token.expose().as_bytes());
        }
    }
}

/// Reads a pipe to its end on a thread of its own, so that the program never waits for us.
fn drain<R: Read + Send + 'static>(
    pipe: Option<R>,
    keep: impl Fn(&mut Kept, &[u8]) + Send + 'static,
) -> Receiver<Kept> {
    let (done, told) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = (Zeroizing::new(Vec::with_capacity(4 * words::KEPT)), true);
        let mut buffer = Zeroizing::new([0; 4096]);
        let Some(mut pipe) = pipe else { return };
        while let Ok(count @ 1..) = pipe.read(&mut *buffer) {
            keep(&mut kept, &buffer[..count]);
        }
        let _ = done.send(kept);
    });
    told
}

fn first(limit: usize) -> impl Fn(&mut Kept, &[u8]) {
    move |(kept, whole), bytes| {
        let room = limit - kept.len();
        *whole &= bytes.len() <= room;
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

fn last(limit: usize) -> impl Fn(&mut Kept, &[u8]) {
    move |(kept, whole), bytes| {
        kept.extend_from_slice(bytes);
        let surplus = kept.len().saturating_sub(limit);
        *whole &= surplus == 0;
        kept.drain(..surplus);
    }
}
