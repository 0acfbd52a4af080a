//! `sftoken run`: a command with tokens in its environment.
//!
//! Knows which variables the command gets, and which of ours it does not. Never stays in between: on Unix the
//! command takes this process's place, so that signals, the terminal's job control and the exit status are
//! the system's own. Tokens come through `reading`.

use std::ffi::OsStr;
use std::io;
use std::process::Command;

use super::args::{Global, Run};
use super::exit::{Exit, Failure};
use super::names::{check_distinct, check_meant, for_account};
use super::reading::{self, Chosen};
use super::{children, handed_file, settings};
use crate::config::{Config, store_variables};
use crate::consumer::Wanted;

/// Runs `run`.
pub(crate) fn run(global: &Global, args: &Run) -> Result<Exit, Failure> {
    let config = settings::read(global, None)?;
    let wishes = wishes(args, &config)?;
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::new(Exit::Usage, "no command", "add -- COMMAND"));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    withhold(&mut command, args, &config);
    for wish in &wishes {
        hand_over(&mut command, wish)?;
    }
    replaced_by(&mut command).map_err(|error| not_started(program, &error))
}

/// What one account's consumer wants.
struct Wish<'c> {
    chosen: Chosen<'c>,
    variables: Vec<Wanted>,
    files: Vec<Wanted>,
}

/// All of it, before a store is asked for anything.
fn wishes<'c>(args: &'c Run, config: &'c Config) -> Result<Vec<Wish<'c>>, Failure> {
    check_meant(&args.names.env, &args.usernames)?;
    check_meant(&args.files, &args.usernames)?;
    let mut wishes = Vec::new();
    for username in &args.usernames {
        let chosen = reading::choose(config, username, args.org, args.store.as_deref())?;
        let files = for_account(&args.files, username);
        // Who wants files only, is afraid of the environment.
        let variables = match args.files.is_empty() || args.names.any() {
            true => args.names.of(&chosen),
            false => Vec::new(),
        };
        wishes.push(Wish {
            chosen,
            variables,
            files,
        });
    }
    check_distinct(wishes.iter().flat_map(|wish| {
        let all = wish.variables.iter().chain(&wish.files);
        all.map(|wanted| (wish.chosen.username.as_str(), wanted))
    }))?;
    Ok(wishes)
}

fn hand_over(command: &mut Command, wish: &Wish<'_>) -> Result<(), Failure> {
    let reading = wish.chosen.read()?;
    for variable in reading.variables(&wish.variables)? {
        if variable.value.contains('\0') {
            let problem = format!("the value of {} holds a NUL", variable.name);
            let hint = "correct the password at the place where its reference points";
            return Err(Failure::new(Exit::Usage, problem, hint));
        }
        command.env(&variable.name, &*variable.value);
    }
    for variable in reading.variables(&wish.files)? {
        let path = handed_file::make(variable.value.as_bytes()).map_err(|error| {
            let problem = format!("there can be no private file for the command: {error}");
            let hint = "use --env, or sftoken get --file PATH";
            Failure::new(Exit::Failed, problem, hint)
        })?;
        command.env(&variable.name, path);
    }
    Ok(())
}

/// Takes our credentials out; the password of an account that is asked for is the command's business.
fn withhold(command: &mut Command, args: &Run, config: &Config) {
    let mut private = config.private_variables();
    private.extend(args.store.iter().flat_map(|url| store_variables(url)));
    let others = config
        .accounts
        .iter()
        .filter(|account| !args.usernames.contains(&account.username));
    private.extend(others.filter_map(|account| account.private_variable()));
    let withheld = children::withheld(&private, &args.keep);
    for name in &withheld {
        command.env_remove(name);
    }
    if !withheld.is_empty() {
        tracing::debug!(names = ?withheld, "variables that are not passed on; --keep passes one on");
    }
}

/// Becomes the command; comes back only when that fails.
#[cfg(unix)]
fn replaced_by(command: &mut Command) -> io::Result<Exit> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

/// Runs the command; the console gives Ctrl-C to both.
#[cfg(not(unix))]
fn replaced_by(command: &mut Command) -> io::Result<Exit> {
    let status = command.status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(Exit::Failed, Exit::Child))
}

/// As a shell would say it.
fn not_started(program: &OsStr, error: &io::Error) -> Failure {
    let (code, hint) = match error.kind() {
        io::ErrorKind::NotFound => (127, "check the command behind --, and PATH"),
        _ => (126, "check that the file behind -- may be executed"),
    };
    let problem = format!("{}: {error}", program.to_string_lossy());
    Failure::new(Exit::Child(code), problem, hint)
}
