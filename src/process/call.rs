//! One run of a program, bounded in time and words.
//!
//! Knows how to start a process group, feed it, and end all of it at the deadline. Never knows why it runs, and
//! lets no credential of ours into its environment. Everything about the run comes from [`Call`].

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::group::{end, watch};
use super::{environment, words};
use crate::ingest::token::Token;

/// What to run.
pub(crate) struct Call<'a> {
    /// A path, or a name that PATH is searched for.
    pub(crate) program: &'a Path,
    pub(crate) arguments: &'a [String],
    /// Variables that are kept from it, whatever they are called.
    pub(crate) private: &'a [String],
    /// Credentials of our environment that the program may see.
    pub(crate) kept: &'a [String],
    pub(crate) deadline: Duration,
    /// What is told to it in the environment.
    pub(crate) told: Vec<(&'static str, String)>,
    /// What it reads on standard input, and then the end.
    pub(crate) input: &'a [u8],
}

/// How it ended.
pub(crate) struct Ended {
    /// `None`: not in time.
    pub(crate) status: Option<ExitStatus>,
    /// The first bytes of standard output; more than a token is never needed.
    #[cfg_attr(
        not(feature = "exec"),
        expect(dead_code, reason = "hooks have nothing to give back")
    )]
    pub(crate) output: Zeroizing<Vec<u8>>,
    said: Kept,
}

impl Ended {
    /// The end of an error text: what it said last, or nothing. `token`: what it was given, or gave back, if
    /// that is known; it is not told.
    pub(crate) fn last_words(&self, token: Option<&Token>) -> String {
        let (said, whole) = &self.said;
        words::last(said, *whole, token)
    }
}

/// Standard output that is looked at.
const OUTPUT: usize = 4096;

/// What a pipe holds without a reader: 65,536 bytes on Linux, 4096 where pipes are short of memory.
const PIPE: usize = 4096;

/// A program that leaves a helper behind keeps its pipes open; its words are not waited for longer.
const AFTERWARDS: Duration = Duration::from_millis(500);

type Kept = (Zeroizing<Vec<u8>>, bool);

impl Call<'_> {
    /// Runs the program to its end, or ends it.
    pub(crate) fn run(&self) -> io::Result<Ended> {
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
        let said = errors.recv_timeout(AFTERWARDS).unwrap_or_default();
        let (output, _) = output.recv_timeout(AFTERWARDS).unwrap_or_default();
        Ok(Ended {
            status: in_time.then_some(status),
            output,
            said,
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

    /// The input, and the end. A program that does not read it says by its status whether that is well; what
    /// a pipe does not hold is written on a thread of its own, so that the deadline is kept.
    fn feed(&self, child: &mut Child) {
        let Some(mut stdin) = child.stdin.take() else {
            return;
        };
        if self.input.len() <= PIPE {
            let _ = stdin.write_all(self.input);
            return;
        }
        let input = Zeroizing::new(self.input.to_vec());
        thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
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
