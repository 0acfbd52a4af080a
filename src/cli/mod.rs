//! The command line: arguments, terminal, exit statuses.
//!
//! Knows how words become calls of the library, and results become text. Never decides anything that
//! a library user would need. Arguments come from the user; everything else from the modules below.
//!
//! ```text
//! words ─► args ─► settings (file, environment, options) ─► a command ─► Exit
//! ```

mod account;
mod args;
mod arm;
mod authorize;
mod children;
mod clip;
mod engine;
mod exit;
mod follow;
mod get;
mod handed_file;
mod harden;
mod history;
mod json;
mod keys;
mod late;
mod logging;
mod names;
mod oauth;
mod parse;
mod progress;
mod reading;
mod reading_args;
mod receipts;
mod render;
mod replay;
mod run;
mod settings;
mod signals;
mod status;
mod summary;
mod trail_forms;
mod transport;
mod verification;
mod verifier;
mod verify;
mod wait;
mod watch;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};
use exit::{Exit, Failure};

/// Runs the program with these words, of which the first is its name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    harden::harden();
    let exit = match Arguments::try_parse_from(words) {
        Ok(arguments) => command(&arguments).unwrap_or_else(|failure| tell(&failure)),
        Err(error) => {
            let _ = error.print();
            // Help and version are no errors; clap's own number for the others is 2 as well.
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            }
        }
    };
    exit.into()
}

fn command(arguments: &Arguments) -> Result<Exit, Failure> {
    let global = &arguments.global;
    logging::begin(global)?;
    match &arguments.command {
        Command::Parse(args) => parse::run(global, args),
        Command::Watch(args) => watch::run(global, args),
        Command::Arm(args) => arm::run(global, args),
        Command::Wait(args) => wait::run(global, args),
        Command::Replay(args) => replay::run(global, args),
        Command::Get(args) => get::run(global, args),
        Command::Run(args) => run::run(global, args),
        Command::Verify(args) => verify::run(global, args),
        Command::ClearClipboard(args) => clip::clear(args),
        Command::Status(args) => status::run(global, args),
        Command::History(args) => history::run(global, args),
        Command::Authorize(args) => authorize::run(global, args),
    }
}

/// Says what happened, and what to do about it.
fn tell(failure: &Failure) -> Exit {
    if !failure.problem.is_empty() {
        say("error", &failure.problem, &failure.hint);
    }
    failure.exit
}

/// One clause and its remedy on standard error. Nobody is left to tell when that fails.
fn say(word: &str, problem: &str, hint: &str) {
    progress::clear();
    let style = render::Style::new(io::IsTerminal::is_terminal(&io::stderr()));
    let colour = match word {
        "error" => render::Colour::Red,
        _ => render::Colour::Yellow,
    };
    let mut text = format!(
        "{}: {}\n",
        style.paint(colour, word),
        render::escape(problem)
    );
    if !hint.is_empty() {
        // A hint may hold lines for a shell: each is escaped by itself.
        let lines: Vec<_> = hint.trim_end().lines().map(render::escape).collect();
        text.push_str(&format!("  hint: {}\n", lines.join("\n  ")));
    }
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
