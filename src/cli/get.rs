//! `sftoken get`: an account's token, from its store to whoever reads it.
//!
//! Knows forms and the four places where they go: standard output, the clipboard, a private file, GitHub's
//! files. Never shows a token on a terminal unasked. Tokens and passwords come through `reading`.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::args::{Get, GetFormat, Global};
use super::exit::{Exit, Failure};
use super::names::{check_distinct, check_meant};
use super::reading::{self, Chosen, Reading};
use super::{clip, settings};
use crate::config::Config;
use crate::consumer::{self, Field, Form, Unwritable, Variable, Wanted};
use crate::ingest::event::SCHEMA;
use crate::ingest::policy::Org;
use crate::ingest::secret::joined;
use crate::secret::write_private;

/// Runs `get`.
pub(crate) fn run(global: &Global, args: &Get) -> Result<Exit, Failure> {
    let format = match global.json {
        true => GetFormat::Json,
        false => args.format,
    };
    check(args, format)?;
    let config = settings::read(global, None)?;
    let chosen = reading::choose(&config, &args.username, args.org, args.store.as_deref())?;
    let wanted = wanted(args, format, &chosen)?;
    let github = github_file(format)?;
    let reading = chosen.read()?;
    match github {
        Some(file) => to_github(&reading.variables(&wanted)?, &file)?,
        None => deliver(global, args, &config, &text(&reading, format, &wanted)?)?,
    }
    Ok(Exit::Done)
}

/// What can be told before anything is read.
fn check(args: &Get, format: GetFormat) -> Result<(), Failure> {
    let usage = |problem: &str, hint: &str| Err(Failure::new(Exit::Usage, problem, hint));
    let github = matches!(format, GetFormat::Github | GetFormat::GithubOutput);
    if github && (args.clip || args.file.is_some()) {
        let hint = "leave --file and --clip away";
        return usage("the github formats have files of their own", hint);
    }
    let bare = matches!(
        format,
        GetFormat::Token | GetFormat::Login | GetFormat::Json
    );
    if bare && args.names.any() {
        let hint = "add --format env, shell, dotenv or github, or leave --env and --preset away";
        return usage("this format has no variables to name", hint);
    }
    let shown = args.file.is_none() && !args.clip;
    if shown && io::stdout().is_terminal() && !args.reveal {
        let hint = "pipe it to its consumer, put it on the clipboard with --clip, or add --reveal";
        return usage("a token is not shown on a terminal unasked", hint);
    }
    Ok(())
}

/// The variables of the forms that have some, and the password's use for the one that has none.
fn wanted(args: &Get, format: GetFormat, chosen: &Chosen<'_>) -> Result<Vec<Wanted>, Failure> {
    let alone = |field, name: &str| {
        vec![Wanted {
            name: name.to_owned(),
            field,
            if_known: false,
        }]
    };
    Ok(match format {
        GetFormat::Token | GetFormat::Json => alone(Field::Token, "--format"),
        GetFormat::Login => alone(Field::Login, "--format login"),
        GetFormat::Env
        | GetFormat::Shell
        | GetFormat::Dotenv
        | GetFormat::Github
        | GetFormat::GithubOutput => {
            check_meant(&args.names.env, std::slice::from_ref(&args.username))?;
            let wanted = args.names.of(chosen);
            check_distinct(wanted.iter().map(|one| (args.username.as_str(), one)))?;
            wanted
        }
    })
}

fn text(
    reading: &Reading<'_>,
    format: GetFormat,
    wanted: &[Wanted],
) -> Result<Zeroizing<String>, Failure> {
    let form = match format {
        GetFormat::Json => return json(reading),
        GetFormat::Env => Some(Form::Env),
        GetFormat::Shell => Some(Form::Shell),
        GetFormat::Dotenv => Some(Form::Dotenv),
        GetFormat::Token | GetFormat::Login | GetFormat::Github | GetFormat::GithubOutput => None,
    };
    let variables = reading.variables(wanted)?;
    Ok(match form {
        Some(form) => form.lines(&variables)?,
        None => variables
            .into_iter()
            .next()
            .map(|one| one.value)
            .unwrap_or_default(),
    })
}

/// To the one place that was asked for.
fn deliver(global: &Global, args: &Get, config: &Config, text: &str) -> Result<(), Failure> {
    if args.clip {
        let private = config.private_variables();
        return clip::put(global, text, args.clear_after, &private);
    }
    match &args.file {
        Some(path) => to_file(path, text),
        None => Ok(to_output(text)?),
    }
}

fn to_output(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    // A bare value is bare on a pipe; a person wants the prompt on a line of its own.
    if out.is_terminal() && !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn to_file(path: &Path, text: &str) -> Result<(), Failure> {
    write_private(path, text.as_bytes()).map_err(|error| {
        let problem = format!("{}: cannot be written: {error}", path.display());
        let hint = "name a file in a folder that you may write to: the file is replaced whole";
        Failure::new(Exit::Failed, problem, hint)
    })
}

/// The file that GitHub's runner reads after the step.
fn github_file(format: GetFormat) -> Result<Option<PathBuf>, Failure> {
    let name = match format {
        GetFormat::Github => "GITHUB_ENV",
        GetFormat::GithubOutput => "GITHUB_OUTPUT",
        _ => return Ok(None),
    };
    let file = std::env::var_os(name).filter(|file| !file.is_empty());
    let file = file.ok_or_else(|| {
        let hint = "this format is for a step of GitHub Actions; elsewhere use --format env";
        Failure::new(Exit::Usage, format!("{name} names no file"), hint)
    })?;
    Ok(Some(PathBuf::from(file)))
}

/// First the masks, so that no line of the job's log can be earlier than they are; then the lines.
fn to_github(variables: &[Variable], file: &Path) -> Result<(), Failure> {
    let lines: Result<Vec<_>, _> = variables.iter().map(consumer::github_line).collect();
    let lines = lines?;
    let mut out = io::stdout().lock();
    for variable in variables.iter().filter(|variable| variable.secret) {
        out.write_all(consumer::github_mask(&variable.value).as_bytes())?;
    }
    out.flush()?;
    let opened = OpenOptions::new().append(true).create(true).open(file);
    let lines: Vec<&str> = lines.iter().map(|line| line.as_str()).collect();
    let written = opened.and_then(|mut file| file.write_all(joined(&lines).as_bytes()));
    written.map_err(|error| {
        let problem = format!("{}: cannot be written: {error}", file.display());
        Failure::new(Exit::Failed, problem, "see what the runner set it to")
    })
}

fn json(reading: &Reading<'_>) -> Result<Zeroizing<String>, Failure> {
    #[derive(serde::Serialize)]
    struct Entry<'e> {
        schema: u32,
        username: &'e str,
        org: Org,
        token: &'e str,
        fingerprint: String,
        slot: &'e str,
    }
    let entry = Entry {
        schema: SCHEMA,
        username: &reading.key.username,
        org: reading.key.org,
        token: reading.token.expose(),
        fingerprint: reading.token.fingerprint().to_string(),
        slot: &reading.slot,
    };
    let mut text = Zeroizing::new(Vec::with_capacity(4096));
    serde_json::to_writer(&mut *text, &entry).map_err(io::Error::from)?;
    text.push(b'\n');
    let text = String::from_utf8(std::mem::take(&mut *text));
    Ok(Zeroizing::new(text.unwrap_or_default()))
}

impl From<Unwritable> for Failure {
    fn from(error: Unwritable) -> Self {
        Self::new(Exit::Failed, &error, error.hint())
    }
}
