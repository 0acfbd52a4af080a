//! Variables as text: for a shell, for files of variables, for GitHub Actions.
//!
//! Knows how each reader takes a value apart. Never writes what a reader would read differently: such a
//! value is an error. Variables are given.

use zeroize::Zeroizing;

use super::wanted::Variable;
use crate::ingest::secret::joined;

/// A form of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `NAME=value` to the end of the line, nothing quoted: `docker run --env-file`, `env $(…)`.
    Env,
    /// `export NAME='value'`, for any POSIX shell, zsh and fish.
    Shell,
    /// `NAME=value` or `NAME='value'`, for `.env` files.
    Dotenv,
}

/// A value that this form has no room for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value of {name} cannot be written in this form: {problem}")]
pub struct Unwritable {
    /// The variable.
    pub name: String,
    /// Why: a clause without secrets.
    pub problem: &'static str,
}

impl Unwritable {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "hand it over with sftoken run"
    }
}

impl Form {
    /// One line for each variable.
    ///
    /// # Errors
    /// When a value would be read differently by some reader of this form.
    pub fn lines(self, variables: &[Variable]) -> Result<Zeroizing<String>, Unwritable> {
        let mut lines = Vec::with_capacity(variables.len());
        for variable in variables {
            lines.push(self.line(variable).map_err(|problem| Unwritable {
                name: variable.name.clone(),
                problem,
            })?);
        }
        let pieces: Vec<&str> = lines
            .iter()
            .flat_map(|line| [line.as_str(), "\n"])
            .collect();
        Ok(joined(&pieces))
    }

    fn line(self, variable: &Variable) -> Result<Zeroizing<String>, &'static str> {
        let (name, value) = (&variable.name, variable.value.as_str());
        one_line(value)?;
        Ok(match self {
            Self::Env => joined(&[name, "=", value]),
            Self::Shell => joined(&["export ", name, "=", &shell(value)]),
            Self::Dotenv => joined(&[name, "=", &dotenv(value)?]),
        })
    }
}

fn one_line(value: &str) -> Result<(), &'static str> {
    match value.contains(['\n', '\r', '\0']) {
        true => Err("it holds a line end"),
        false => Ok(()),
    }
}

/// In single quotes. A quote and a backslash stand outside of them, each behind a backslash: fish, unlike
/// POSIX, knows `\'` and `\\` inside (fish, "Quotes").
fn shell(value: &str) -> Zeroizing<String> {
    let mut quoted = Zeroizing::new(String::with_capacity(6 * value.len() + 2));
    quoted.push('\'');
    for letter in value.chars() {
        match letter {
            '\'' | '\\' => quoted.extend(['\'', '\\', letter, '\'']),
            _ => quoted.push(letter),
        }
    }
    quoted.push('\'');
    quoted
}

/// Bare, or in the quotes that every reader takes literally. Node's, Python's and Ruby's dotenv and Compose
/// agree on single quotes without `'` and without an escape of Python's (`\\`, `\'`) inside; and on double quotes
/// without `"`, `\`, `$` and a backtick.
fn dotenv(value: &str) -> Result<Zeroizing<String>, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/@%+".contains(&byte);
    let single = !value.contains('\'') && !value.contains(r"\\") && !value.ends_with('\\');
    let quote = if !value.is_empty() && value.bytes().all(plain) {
        ""
    } else if single {
        "'"
    } else if !value.contains(['"', '\\', '$', '`']) {
        "\""
    } else {
        return Err("readers of .env files do not agree on its quotes and backslashes");
    };
    Ok(joined(&[quote, value, quote]))
}

/// The workflow command that keeps a value out of a job's log: a line for standard output (docs.github.com,
/// "Workflow commands for GitHub Actions"; the escapes are those of actions/toolkit, `escapeData`).
#[must_use]
pub fn github_mask(value: &str) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(3 * value.len() + 16));
    line.push_str("::add-mask::");
    for letter in value.chars() {
        match letter {
            '%' => line.push_str("%25"),
            '\r' => line.push_str("%0D"),
            '\n' => line.push_str("%0A"),
            _ => line.push(letter),
        }
    }
    line.push('\n');
    line
}

/// A line for the file that `GITHUB_ENV` or `GITHUB_OUTPUT` names.
///
/// # Errors
/// When the value holds a line end: what follows would be another variable.
pub fn github_line(variable: &Variable) -> Result<Zeroizing<String>, Unwritable> {
    let line = Form::Env.lines(std::slice::from_ref(variable))?;
    // NOTE: the runner takes NAME<<MARK as the beginning of several lines when it finds `<<` before the
    // first `=` (actions/runner, FileCommandManager): the name has no `<`, so the `=` comes first.
    Ok(line)
}
