//! The command line of the commands that read tokens, as clap reads it.
//!
//! Knows options and their help. Never decides what they mean: that is each command's. Words come
//! from the user.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::args::username;
use super::names::Naming;
use crate::ingest::policy::Org;

/// `get`
#[derive(Debug, Args)]
#[command(after_help = GET_HELP)]
pub(crate) struct Get {
    /// The Salesforce username
    #[arg(value_name = "USERNAME", value_parser = username)]
    pub(crate) username: String,
    /// Which of the two orgs that may share a username
    #[arg(long, value_name = "ORG", value_parser = org)]
    pub(crate) org: Option<Org>,
    /// Show it although standard output is a terminal
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Put it on the clipboard, and take it off again later
    #[arg(long, conflicts_with_all = ["file", "reveal"])]
    pub(crate) clip: bool,
    /// How long the clipboard keeps it
    #[arg(long, value_name = "TIME", default_value = "45s", requires = "clip", value_parser = crate::config::parse_duration)]
    pub(crate) clear_after: SignedDuration,
    /// What to print
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    pub(crate) format: GetFormat,
    /// Write it to a file that only its owner may read, in the place of the one that is there
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) names: Names,
    /// Store to read, as in keyring://sftoken [default: the account's]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
}

const GET_HELP: &str = "\
Examples:
  sftoken get integration@acme.example | consumer
  sftoken get --clip integration@acme.example
  sftoken get --format login --file /run/user/1000/login integration@acme.example
  eval \"$(sftoken get --format shell --preset restforce integration@acme.example)\"
  sftoken get --format github integration@acme.example     # in a step of GitHub Actions

Exit status: 2 if it may not be shown, or the account is not clear, 3 if there is no token, 6 if the
store cannot be read.";

/// What `get` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum GetFormat {
    /// The bare token, without a line end.
    #[default]
    Token,
    /// The password followed by the token, as Salesforce's log-in calls want it.
    Login,
    /// A JSON object.
    Json,
    /// NAME=value lines, nothing quoted: docker run --env-file.
    Env,
    /// Quoted export lines for any shell.
    Shell,
    /// Lines for a .env file.
    Dotenv,
    /// Masks on standard output, then lines for the file that $GITHUB_ENV names.
    Github,
    /// The same for the file that $GITHUB_OUTPUT names.
    GithubOutput,
}

/// Which variables hold what.
#[derive(Debug, Default, Args)]
pub(crate) struct Names {
    /// Variable for the token, or for another part of the log-in: NAME=login, password, username,
    /// org, domain, host, url, sandbox or airflow; USERNAME: in front names one of several accounts
    /// (repeatable) [default: the account's, else SF_SECURITY_TOKEN]
    #[arg(long = "env", value_name = "[USERNAME:]NAME[=FIELD]", value_parser = Naming::parse)]
    pub(crate) env: Vec<Naming>,
    /// The variables that a consumer expects: simple-salesforce, restforce, cumulusci, meltano,
    /// airflow, dataloader or kafka-connect
    #[arg(long, value_name = "CONSUMER", value_parser = super::names::preset)]
    pub(crate) preset: Option<String>,
}

/// `run`
#[derive(Debug, Args)]
#[command(after_help = RUN_HELP)]
pub(crate) struct Run {
    /// The Salesforce usernames
    #[arg(value_name = "USERNAME", required = true, value_parser = username)]
    pub(crate) usernames: Vec<String>,
    /// Which of the two orgs that may share a username
    #[arg(long, value_name = "ORG", value_parser = org)]
    pub(crate) org: Option<Org>,
    #[command(flatten)]
    pub(crate) names: Names,
    /// Variable for the path of a private file that holds the token, or another part of the log-in;
    /// it is gone when the command has ended (repeatable)
    #[arg(long = "file", value_name = "[USERNAME:]NAME[=FIELD]", value_parser = Naming::parse)]
    pub(crate) files: Vec<Naming>,
    /// Pass this variable on although it is a credential of sftoken's; a * at the end stands for any
    /// name that begins so (repeatable)
    #[arg(long, value_name = "NAME")]
    pub(crate) keep: Vec<String>,
    /// Store to read, as in keyring://sftoken [default: the account's]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The command, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

const RUN_HELP: &str = "\
SFTOKEN_*, VAULT_*, BAO_*, AWS_*, AZURE_*, IDENTITY_* and GOOGLE_APPLICATION_* variables, and those that
hold a secret of a mailbox or a store (env: references), are not passed on unless --keep names them.

Examples:
  sftoken run integration@acme.example -- ./nightly-load
  sftoken run --preset meltano integration@acme.example -- meltano run tap-salesforce target-postgres
  sftoken run --env a@acme.example:FROM --env b@acme.example:TO a@acme.example b@acme.example -- ./copy
  sftoken run --file SF_TOKEN_FILE integration@acme.example -- ./reads-a-file

Exit status: the command's own; 127 if there is no such command, 126 if it cannot be started; before
it is started 2, 3 and 6 as of get.";

/// `verify`
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub(crate) struct Verify {
    /// The Salesforce username
    #[arg(value_name = "USERNAME", value_parser = username)]
    pub(crate) username: String,
    /// Which of the two orgs that may share a username
    #[arg(long, value_name = "ORG", value_parser = org)]
    pub(crate) org: Option<Org>,
    /// Try the newest token again, also one that was kept out because it did not log in (verify = "before"): its mail
    /// is looked for in the mailboxes
    #[arg(long)]
    pub(crate) again: bool,
}

const VERIFY_HELP: &str = "\
Each wrong attempt counts towards the user's lock-out: do not run this in a loop. From an address
that the org trusts, a log-in proves little: there Salesforce does not ask for the token.

Exit status: 0 if the token logs in, 7 if Salesforce refuses the log-in, whatever the reason, 1 if
that is not known, 2 if the account or its password is not configured, 3 if there is no token, 6 if
the store cannot be read.";

/// `clear-clipboard`
#[derive(Debug, Args)]
pub(crate) struct ClearClipboard {
    /// How long to wait first
    #[arg(value_parser = crate::config::parse_duration)]
    pub(crate) after: SignedDuration,
}

fn org(text: &str) -> Result<Org, String> {
    [Org::Production, Org::Sandbox]
        .into_iter()
        .find(|org| org.as_str() == text)
        .ok_or_else(|| "production or sandbox".to_owned())
}
