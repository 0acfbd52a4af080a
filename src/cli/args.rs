//! The command line, as clap reads it.
//!
//! Knows options and their help. Never decides what they mean: that is each command's. Words come
//! from the user.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

pub(crate) use super::reading_args::{ClearClipboard, Get, GetFormat, Names, Run, Verify};
use crate::ledger::TrailHead;

/// Waits for the mail of a Salesforce security-token reset, proves that it is genuine, and stores
/// the token.
#[derive(Debug, Parser)]
#[command(
    name = "sftoken",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
#[command(after_help = super::exit::HELP)]
pub(crate) struct Arguments {
    /// What every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Configuration file [default: $XDG_CONFIG_HOME/sftoken/config.toml] [env: SFTOKEN_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON Lines on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say more; twice: everything
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Say less: only errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Form of the log on standard error
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
    /// TXT records to use instead of the DNS, one `NAME VALUE` a line; a name that no file holds
    /// does not exist (repeatable)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) keys: Vec<PathBuf>,
    /// Resolver to ask for DKIM keys [default: the system's]
    #[arg(long, global = true, value_name = "HOST:PORT", value_parser = crate::config::server_address)]
    pub(crate) dns: Option<String>,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line of text a record.
    #[default]
    Text,
    /// One JSON object a record.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch every configured mailbox and store each genuine token, for ever
    Watch(Watch),
    /// Announce a reset: with armed_only, mails are believed only inside such a window
    Arm(Arm),
    /// Wait for a token that is reset now: the step of a pipeline
    Wait(Wait),
    /// Judge mails from files; changes nothing and needs no mailbox
    Parse(Parse),
    /// Run the whole pipeline over mails from files, stores included
    Replay(Replay),
    /// Print an account's token from its store, put it on the clipboard or into a file
    Get(Get),
    /// Run a command with tokens in its environment
    Run(Run),
    /// Try whether an account's token logs in: one attempt, never a loop
    Verify(Verify),
    /// The other half of `get --clip`: takes a token off the clipboard again
    #[command(hide = true)]
    ClearClipboard(ClearClipboard),
    /// Show the accounts, the age of their tokens, and the mailboxes
    Status(Status),
    /// Tell what happened: the audit trail, to read, to export and to check
    History(History),
    /// Be allowed to read a mailbox by OAuth: once, by a person
    Authorize(Authorize),
}

/// A mailbox and a store without a configuration file.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Without a configuration file")]
pub(crate) struct Direct {
    /// Mailbox, as in imaps://user@example.com@imap.example.com (imap:// is STARTTLS)
    #[arg(long, value_name = "URL")]
    pub(crate) mailbox: Option<String>,
    /// Where the mailbox's password stands: keyring:SERVICE/USER, env:NAME, file:PATH,
    /// command:ARGV or systemd:CREDENTIAL [default: ask]
    // NOTE: never shown back by clap: it may be a password at the wrong place.
    #[arg(long, value_name = "REF", requires = "mailbox")]
    pub(crate) password: Option<String>,
    /// Certificates to trust beside the system's, PEM
    #[arg(long, value_name = "FILE", requires = "mailbox")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Folder to watch (repeatable) [default: the inbox, and the junk folder if there is one]
    #[arg(long = "folder", value_name = "FOLDER", requires = "mailbox")]
    pub(crate) folders: Vec<String>,
    /// Store for the tokens, as in keyring://sftoken
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
}

/// `watch`
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Catch up and end
    #[arg(long)]
    pub(crate) once: bool,
    /// Take only this account's tokens (repeatable) [default: the configured ones]
    #[arg(long = "account", value_name = "USERNAME", value_parser = username)]
    pub(crate) accounts: Vec<String>,
    #[command(flatten)]
    pub(crate) direct: Direct,
}

/// `arm`
#[derive(Debug, Args)]
pub(crate) struct Arm {
    /// Expect a reset of this account (repeatable) [default: the configured ones, else any]
    #[arg(long = "account", value_name = "USERNAME", value_parser = username)]
    pub(crate) accounts: Vec<String>,
    /// How long from now on
    #[arg(long = "for", value_name = "TIME", default_value = "30m", value_parser = crate::config::parse_duration)]
    pub(crate) length: SignedDuration,
}

/// `wait`
#[derive(Debug, Args)]
#[command(after_help = super::exit::HELP)]
pub(crate) struct Wait {
    /// Wait for this account's token (repeatable) [default: the configured ones]
    #[arg(long = "account", value_name = "USERNAME", value_parser = username)]
    pub(crate) accounts: Vec<String>,
    /// Take mails that came since then too, RFC 3339 [default: only mails that come from now on]
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
    /// Longest time to wait
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = crate::config::parse_duration)]
    pub(crate) timeout: SignedDuration,
    /// Pass this variable on to COMMAND although it is a credential of sftoken's, as `run` does; a * at
    /// the end stands for any name that begins so (repeatable)
    #[arg(long, value_name = "NAME", requires = "command")]
    pub(crate) keep: Vec<String>,
    #[command(flatten)]
    pub(crate) direct: Direct,
    /// Command that resets the token; run once everything is ready to catch the mail
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// `parse`
#[derive(Debug, Args)]
#[command(after_help = PARSE_HELP)]
pub(crate) struct Parse {
    /// Files, mbox files, Maildirs, folders of them; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Look only for this account's token (repeatable) [default: the configured ones, else any]
    #[arg(long = "account", value_name = "USERNAME", value_parser = username)]
    pub(crate) accounts: Vec<String>,
    /// Show the token
    #[arg(long)]
    pub(crate) reveal: bool,
    /// The time that counts as now, RFC 3339 [default: the real one]
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
    /// Believe mails without any proof: only to look at files of your own
    #[arg(long)]
    pub(crate) unproven: bool,
}

const PARSE_HELP: &str = "\
Of a mail that is alone, and of each with -v, it tells what was checked, what held, what failed and
what to do, and what the mail was signed with; of several mails it prints a line each, and with -q
of one as well.

Exit status: 4 if a mail was refused, else 1 if one could not be decided or read, else 0 if a token
was found, else 3.";

/// `replay`
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Files, mbox files, Maildirs, folders of them; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Take only this account's tokens (repeatable) [default: the configured ones, else any]
    #[arg(long = "account", value_name = "USERNAME", value_parser = username)]
    pub(crate) accounts: Vec<String>,
    /// Store for the tokens, as in keyring://sftoken [default: the configured one]
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The time that counts as now, RFC 3339 [default: the real one]
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<Timestamp>,
    /// Believe mails without any proof: only for test suites
    #[arg(long)]
    pub(crate) unproven: bool,
}

/// `status`
#[derive(Debug, Args)]
#[command(after_help = STATUS_HELP)]
pub(crate) struct Status {
    /// For monitors: an account without a token, and a mailbox that nobody watches, count as wrong too
    #[arg(long)]
    pub(crate) check: bool,
}

const STATUS_HELP: &str = "\
Exit status, the first that fits: 6 if a slot does not take its token, 7 if a token was refused at
the log-in, 5 if a mailbox is silent (--check), 1 if a hook, a test or a message failed, 3 if a token
is due or overdue, or missing (--check), else 0.";

/// `history`
#[derive(Debug, Args)]
#[command(after_help = HISTORY_HELP)]
pub(crate) struct History {
    /// Only what happened to this account [default: everything]
    #[arg(value_name = "USERNAME", value_parser = username)]
    pub(crate) username: Option<String>,
    /// Only what happened then or later, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Timestamp>,
    /// Only what happened before, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// Only the newest N records [default: 50 on a terminal, else all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// What to print
    #[arg(long, value_name = "FORM", value_enum)]
    pub(crate) format: Option<HistoryFormat>,
    /// Recompute the whole trail, and print its head
    #[arg(long, conflicts_with_all = ["username", "since", "until", "limit", "format"])]
    pub(crate) check: bool,
    /// A head that was written down earlier: the trail must still hold it
    #[arg(long, value_name = "SEQ:HASH", requires = "check")]
    pub(crate) anchor: Option<TrailHead>,
}

const HISTORY_HELP: &str = "\
Examples:
  sftoken history integration@acme.example
  sftoken history --since 2026-11-01T00:00:00Z --format csv >november.csv
  sftoken history --check --anchor \"$(cat /mnt/elsewhere/anchor)\"

Exit status: 1 if the trail is not what was written, or cannot be compared with the anchor.";

/// What `history` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryFormat {
    /// A line for people, the newest last
    Text,
    /// A JSON object a line, with all that is needed to recompute the chain; also --json
    Jsonl,
    /// Comma-separated values (RFC 4180), safe to open in a spreadsheet
    Csv,
}

/// `authorize`
#[derive(Debug, Args)]
pub(crate) struct Authorize {
    /// The mailbox's name in the configuration [default: the only one that logs in by OAuth]
    #[arg(value_name = "MAILBOX")]
    pub(crate) mailbox: Option<String>,
    /// Use a browser on this machine, also where the provider takes a code that is entered anywhere
    #[arg(long)]
    pub(crate) browser: bool,
}

pub(super) fn username(text: &str) -> Result<String, String> {
    let odd = |letter: char| letter.is_whitespace() || letter.is_control();
    match text.is_empty() || text.contains(odd) {
        true => Err("a username is not empty and holds no white space".to_owned()),
        false => Ok(text.to_owned()),
    }
}
