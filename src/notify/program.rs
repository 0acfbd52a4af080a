//! A program that is told: a hook, or a consumer's test.
//!
//! Knows what the program is given (the event on standard input, its main facts in `SFTOKEN_…`) and what its end means. Never uses a
//! shell, gives it no credential of ours, and makes nothing of its output but the end of an error text. Program and arguments come from
//! the user.
//!
//! | | |
//! |---|---|
//! | standard input | the event: one line of JSON |
//! | `SFTOKEN_EVENT`, `SFTOKEN_EVENT_ID` | what happened, and the id of this event |
//! | `SFTOKEN_USERNAME`, `SFTOKEN_ORG`, `SFTOKEN_FINGERPRINT`, `SFTOKEN_DATE` | the account and the token |
//! | `SFTOKEN_SLOT` | where the token is stored: one place a line |
//! | exit 0 / 75 / other | done / try again / failed |
//!
//! What does not apply is not set. Its folder is `/`.

use std::time::Duration;

use super::error::{NotifyError, NotifyErrorKind as Kind};
use super::event::Event;
use crate::plain::plain;

/// A restart of a service takes half a minute, if it goes badly.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A program, and how it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path from the root, or a name that PATH is searched for; and its arguments.
    pub argv: Vec<String>,
    /// When it is ended, with its whole process group.
    pub deadline: Duration,
    /// Variables that it must not see, whatever they are called: those that hold secrets of ours. What looks like a
    /// credential is kept from it in any case.
    pub private: Vec<String>,
}

impl Program {
    /// With the usual deadline.
    #[must_use]
    pub fn new(argv: Vec<String>, private: Vec<String>) -> Self {
        Self {
            argv,
            deadline: DEADLINE,
            private,
        }
    }

    /// Its name, for people. Arguments may hold more than they should see.
    #[must_use]
    pub fn shown(&self) -> String {
        plain(self.argv.first().map_or("", String::as_str))
    }

    /// Whether it could be a program at all.
    ///
    /// # Errors
    /// When it has no name, or a path that begins somewhere: it would be another one in every folder.
    pub fn check(&self) -> Result<(), NotifyError> {
        let hint = "write a path from the root, or a name that is in PATH";
        let name = self.argv.first().map_or("", String::as_str);
        let problem = match name {
            "" => "the command has no name",
            name if name.contains('/') && !name.starts_with('/') => {
                "the program's path does not start at the root"
            }
            _ => return Ok(()),
        };
        Err(self.lasting(Kind::Misconfigured, problem.to_owned(), hint))
    }

    fn lasting(&self, kind: Kind, problem: String, hint: &'static str) -> NotifyError {
        NotifyError::lasting(&self.shown(), kind, problem, hint)
    }

    /// Runs it once. Blocks, no longer than the deadline.
    ///
    /// # Errors
    /// When it cannot be started, or ends otherwise than with 0. Only exit 75 asks for another try.
    #[cfg(not(unix))]
    pub fn run(&self, _event: &Event) -> Result<(), NotifyError> {
        self.check()?;
        let problem = "programs are run on Unix only".to_owned();
        Err(self.lasting(
            Kind::NotStarted,
            problem,
            "use a webhook, or `sftoken wait … && COMMAND`",
        ))
    }
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::path::Path;
    use std::process::ExitStatus;

    use super::{Event, Kind, NotifyError, Program};
    use crate::process::{Call, Ended};

    /// `EX_TEMPFAIL` of sysexits(3): try again.
    const TRY_AGAIN: i32 = 75;

    impl Program {
        /// Runs it once. Blocks, no longer than the deadline.
        ///
        /// # Errors
        /// When it cannot be started, or ends otherwise than with 0. Only exit 75 asks for another try.
        pub fn run(&self, event: &Event) -> Result<(), NotifyError> {
            self.check()?;
            let json = event.json().map_err(|error| {
                let problem = format!("the event cannot be written as JSON: {error}");
                self.lasting(
                    Kind::Misconfigured,
                    problem,
                    "report this as a fault of sftoken",
                )
            })?;
            let call = Call {
                program: Path::new(&self.argv[0]),
                arguments: &self.argv[1..],
                private: &self.private,
                kept: &[],
                deadline: self.deadline,
                told: told(event),
                input: &[&json[..], b"\n"].concat(),
            };
            let ended = call.run().map_err(|error| self.not_started(&error))?;
            match ended.status {
                Some(status) => self.judge(status, &ended),
                None => Err(self.too_late(&ended)),
            }
        }

        fn judge(&self, status: ExitStatus, ended: &Ended) -> Result<(), NotifyError> {
            let said = ended.last_words(None);
            match status.code() {
                Some(0) => Ok(()),
                Some(TRY_AGAIN) => {
                    let problem = format!("the program asks to try again (exit 75){said}");
                    let hint = "it will be tried again; see what it could not reach";
                    Err(NotifyError::passing(
                        &self.shown(),
                        Kind::TryAgain,
                        problem,
                        hint,
                    ))
                }
                Some(code) => {
                    let problem = format!("the program failed (exit {code}){said}");
                    let hint = "run it by hand to see why; what is stored stays stored";
                    Err(self.lasting(Kind::ExitStatus, problem, hint))
                }
                None => {
                    let problem = format!("the program was ended ({status}){said}");
                    let hint = "see who ended it, in the system's log";
                    Err(self.lasting(Kind::Signal, problem, hint))
                }
            }
        }

        fn too_late(&self, ended: &Ended) -> NotifyError {
            let problem = format!(
                "the program did not end within {} s{}",
                self.deadline.as_secs_f32(),
                ended.last_words(None)
            );
            let hint = "it was ended, with its whole process group; see what it waits for, or give it more time";
            self.lasting(Kind::Timeout, problem, hint)
        }

        fn not_started(&self, error: &io::Error) -> NotifyError {
            use io::ErrorKind as Io;
            let (problem, hint) = match error.kind() {
                Io::NotFound if self.argv[0].contains('/') => (
                    "the program is not there, or the interpreter in its first line is not",
                    "check the path, and the first line of a script",
                ),
                Io::NotFound => (
                    "there is no program of this name in PATH",
                    "install it, or write its path from the root; a service has a PATH of its own",
                ),
                Io::PermissionDenied => (
                    "the program may not be executed",
                    "make it executable for the user that sftoken runs as",
                ),
                Io::InvalidInput => (
                    "an argument, or a value that it is told, holds a NUL",
                    "remove the NUL from the command",
                ),
                _ => return self.not_now(error),
            };
            self.lasting(Kind::NotStarted, problem.to_owned(), hint)
        }

        /// No memory, too many processes, a file that is just being written; or no program at all.
        fn not_now(&self, error: &io::Error) -> NotifyError {
            let problem = format!("the program could not be started: {error}");
            let no_program = rustix::io::Errno::NOEXEC.raw_os_error();
            if error.raw_os_error() == Some(no_program) {
                let hint = "begin a script with #! and its interpreter";
                return self.lasting(Kind::NotStarted, problem, hint);
            }
            let hint = "it will be tried again; see what the machine is short of";
            NotifyError::passing(&self.shown(), Kind::NotStarted, problem, hint)
        }
    }

    fn told(event: &Event) -> Vec<(&'static str, String)> {
        let facts = event.facts();
        let mut told = vec![
            ("SFTOKEN_EVENT", event.word().as_str().to_owned()),
            ("SFTOKEN_EVENT_ID", event.id().to_owned()),
        ];
        let org = facts.org.map(|org| org.as_str().to_owned());
        let fingerprint = facts.fingerprint.as_ref().map(ToString::to_string);
        let date = facts.date.map(|date| format!("{date:.0}"));
        let slots = (!facts.slots.is_empty()).then(|| facts.slots.join("\n"));
        for (name, value) in [
            ("SFTOKEN_USERNAME", facts.username.clone()),
            ("SFTOKEN_ORG", org),
            ("SFTOKEN_FINGERPRINT", fingerprint),
            ("SFTOKEN_DATE", date),
            ("SFTOKEN_SLOT", slots),
        ] {
            told.extend(value.map(|value| (name, value)));
        }
        told
    }
}
