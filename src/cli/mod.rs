//! The command line: arguments, terminal, exit statuses.
//!
//! Knows how words become calls of the library, and results become text. Never decides anything that
//! a library user would need. Arguments come from the user; everything else from the modules below.
//!
//! ```text
//! words ─► args ─► settings (file, environment, options) ─► a command ─► Exit
//! ```

mod args;
mod exit;
mod harden;
mod json;
mod keys;
mod logging;
mod parse;
mod render;
mod settings;
mod summary;

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
        Command::Watch(args) => {
            settings::read(global, Some(&args.direct))?;
            not_here("watch")
        }
        Command::Wait(args) => {
            settings::read(global, Some(&args.direct))?;
            not_here("wait")
        }
        Command::Replay(_) => not_here("replay"),
        Command::Get(_) => not_here("get"),
        Command::Status(_) => not_here("status"),
    }
}

/// NOTE: the frame for commands that are wired later.
fn not_here(command: &str) -> Result<Exit, Failure> {
    let problem = format!("{command} is not part of this build");
    Err(Failure::new(Exit::Failed, problem, ""))
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
        text.push_str(&format!("  hint: {}\n", render::escape(hint)));
    }
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
