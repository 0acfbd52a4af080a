//! Any program as a store: `gh secret set`, `pass insert`, `systemd-creds encrypt`, a script.
//!
//! Knows the contract: the token on standard input, what is known of it in `SFTOKEN_…`, and the exit
//! status as the answer. Never puts a token into an argument or the environment, never uses a shell,
//! and never repeats a program's words unredacted. Program and arguments come from the URL.
//!
//! | | |
//! |---|---|
//! | standard input | the token, no line end (`put`); nothing (`get`, `check`) |
//! | standard output | the token (`get`) |
//! | `SFTOKEN_ACTION` | `put`, `get` (with `get=1`), `check` (with `check=1`) |
//! | `SFTOKEN_USERNAME`, `SFTOKEN_ORG` | the account |
//! | `SFTOKEN_FINGERPRINT`, `SFTOKEN_DATE`, `SFTOKEN_MESSAGE_ID` | the token (`put`) |
//! | exit 0 / 75 / other | done (or, with `get`, no output: empty) / try again / refused |

mod run;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use run::{Call, Ended};

use super::address::{Address, escape};
use super::plain::plain;
use super::{
    Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind, StoreOptions, token_in,
};
use crate::ingest::policy::Org;
use crate::ingest::token::Token;

/// A program may ask a service on the other side of the world, but not for ever.
const DEADLINE: Duration = Duration::from_secs(30);

/// `EX_TEMPFAIL` of sysexits(3): try again.
const TRY_AGAIN: i32 = 75;

/// A program that takes tokens.
#[derive(Debug)]
pub(super) struct Exec {
    shown: String,
    program: PathBuf,
    arguments: Vec<String>,
    private: Vec<String>,
    kept: Vec<String>,
    deadline: Duration,
    gets: bool,
    checks: bool,
}

impl Exec {
    /// `exec:/PROGRAM[?arg=A]…[&env=NAME]…[&timeout=30s][&get=1][&check=1]`.
    pub(super) fn open(mut address: Address, options: &StoreOptions) -> Result<Self, StoreError> {
        let program = PathBuf::from(&address.place);
        if !program.is_absolute() {
            let hint = "write exec:/PATH/PROGRAM?arg=A&arg=B: neither PATH nor ~ is looked at";
            return Err(address.wrong("the program's path does not start at the root", hint));
        }
        let arguments = address.all("arg");
        let kept = address.all("env");
        let given = address.duration("timeout")?;
        let usual = options.deadline.unwrap_or(DEADLINE);
        let (gets, checks) = (
            address.switch("get", false)?,
            address.switch("check", false)?,
        );
        address.finish("arg, env, timeout, get, check")?;
        Ok(Self {
            shown: address.shown,
            program,
            arguments,
            private: options.private.clone(),
            kept,
            deadline: given.unwrap_or(usual),
            gets,
            checks,
        })
    }

    fn call<'a>(&'a self, action: &'static str, key: Option<&Key>) -> Call<'a> {
        let mut told = vec![("SFTOKEN_ACTION", action.to_owned())];
        if let Some(key) = key {
            told.push(("SFTOKEN_USERNAME", key.username.clone()));
            told.push(("SFTOKEN_ORG", key.org.as_str().to_owned()));
        }
        Call {
            program: &self.program,
            arguments: &self.arguments,
            private: &self.private,
            kept: &self.kept,
            deadline: self.deadline,
            told,
            input: None,
        }
    }

    /// Runs the program; its exit status is the answer.
    fn done(&self, call: &Call<'_>) -> Result<Ended, StoreError> {
        let ended = call.run().map_err(|error| self.not_started(&error))?;
        let Some(status) = ended.status else {
            let problem = format!(
                "the program did not end within {} s",
                self.deadline.as_secs_f32()
            );
            let hint = "it was ended, with its whole process group; see what it waits for, or give it more time with timeout=";
            return Err(self.fail(Kind::Timeout, problem, hint));
        };
        match status.code() {
            Some(0) => Ok(ended),
            Some(TRY_AGAIN) => {
                let problem = format!(
                    "the program asks to try again (exit 75){}",
                    ended.last_words
                );
                Err(self.fail(
                    Kind::Unreachable,
                    problem,
                    "it will be tried again; see what it could not reach",
                ))
            }
            _ => {
                let problem = format!("the program refused ({status}){}", ended.last_words);
                Err(self.fail(
                    Kind::Refused,
                    problem,
                    "run it by hand with the same arguments to see why",
                ))
            }
        }
    }

    fn fail(&self, kind: Kind, problem: String, hint: &str) -> StoreError {
        StoreError::new(&self.shown, kind, problem, hint)
    }

    fn not_started(&self, error: &std::io::Error) -> StoreError {
        let problem = format!("the program could not be started: {error}");
        self.fail(
            Kind::Misconfigured,
            problem,
            "check the path, its permissions and its first line",
        )
    }
}

impl Store for Exec {
    /// With the arguments: one program may write to many places.
    fn slot(&self, key: &Key) -> String {
        let arguments = self.arguments.iter().enumerate().map(|(index, text)| {
            let mark = if index == 0 { '?' } else { '&' };
            format!("{mark}arg={}", escape(text))
        });
        let kind = match key.org {
            Org::Production => "",
            Org::Sandbox => "~sandbox",
        };
        let arguments: String = arguments.collect();
        format!("{}{arguments}#{}{kind}", self.shown, escape(&key.username))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: false,
            readable: self.gets,
        }
    }

    /// NOTE: without `check=1` the program is only looked at, not run: a `gh secret set` that knows
    /// nothing of `SFTOKEN_ACTION` would store an empty secret.
    fn check(&self) -> Result<(), StoreError> {
        executable(&self.program).map_err(|error| self.not_started(&error))?;
        if self.checks {
            self.done(&self.call("check", None))?;
        }
        Ok(())
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        let mut call = self.call("put", Some(key));
        let id = meta.message_id.clone().unwrap_or_default();
        call.told
            .push(("SFTOKEN_FINGERPRINT", meta.fingerprint.to_string()));
        call.told
            .push(("SFTOKEN_DATE", format!("{:.0}", meta.rank.date)));
        call.told.push(("SFTOKEN_MESSAGE_ID", plain(&id)));
        call.input = Some(token);
        self.done(&call)?;
        if !self.gets || self.get(key)?.as_ref() == Some(token) {
            return Ok(Put::Written);
        }
        let problem = "the program gave back something else than it was given".to_owned();
        Err(self.fail(
            Kind::Corrupt,
            problem,
            "check what it does for SFTOKEN_ACTION=get",
        ))
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        if !self.gets {
            let problem = "the program only takes tokens".to_owned();
            let hint = "read it where the program puts it; or, if it answers SFTOKEN_ACTION=get, add get=1 to the store's URL";
            return Err(self.fail(Kind::WriteOnly, problem, hint));
        }
        let ended = self.done(&self.call("get", Some(key)))?;
        if ended.output.is_empty() {
            return Ok(None);
        }
        token_in(&ended.output).map(Some).ok_or_else(|| {
            let problem = "the program gave back something that is no token".to_owned();
            self.fail(
                Kind::Corrupt,
                problem,
                "it should print the token, and nothing else",
            )
        })
    }
}

fn executable(program: &Path) -> std::io::Result<()> {
    let meta = std::fs::metadata(program)?;
    if meta.is_file() && meta.permissions().mode() & 0o111 != 0 {
        return Ok(());
    }
    Err(std::io::ErrorKind::PermissionDenied.into())
}
