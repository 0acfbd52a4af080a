//! A Salesforce for shell scripts: users log in, and their tokens can be reset.
//!
//! ```sh
//! stub_salesforce --port-file port --user integration@acme.example password.txt --on-reset ./send-the-mail &
//! curl -X POST "http://127.0.0.1:$(cat port)/reset?username=integration@acme.example"
//! ```
//!
//! A reset makes a new token and kills the old one. The command behind `--on-reset`, which takes all words that follow, gets the
//! new token on standard input and the username in STUB_USERNAME; a reset that it fails is answered with 500. Without one, the
//! answer holds the token. `/fault?kind=login_disabled`, `/fault?kind=none`, `/unlock?username=…` and `/attempts?username=…` are the other
//! orders. It runs until it is killed.

#![expect(clippy::print_stderr, reason = "an example")]

use std::error::Error;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use sftoken::testing::salesforce::SalesforceStub;

const USAGE: &str = "usage: stub_salesforce --port-file FILE [--user USERNAME PASSWORD-FILE|-]… [--token USERNAME FILE|-]… \
[--client ID SECRET-FILE|-]… [--organization ID] [--lock-out-after N] [--on-reset COMMAND [ARGUMENT…]]";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(salesforce) => loop {
            std::thread::park();
            // a thread may be woken for no reason
            let _ = salesforce.address();
        },
        Err(error) => {
            eprintln!("stub_salesforce: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(mut words: impl Iterator<Item = String>) -> Result<SalesforceStub, Box<dyn Error>> {
    let salesforce = SalesforceStub::start()?;
    let mut port_file = None;
    let mut on_reset = Vec::new();
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or(USAGE);
        match word.as_str() {
            "--port-file" => port_file = Some(PathBuf::from(next()?)),
            "--user" => drop(salesforce.add_user(&next()?, &first_line(&next()?)?)),
            "--token" => {
                let (username, token) = (next()?, first_line(&next()?)?);
                if !salesforce.set_token(&username, &token) {
                    return Err("--token stands behind the --user that it is for".into());
                }
            }
            "--client" => salesforce.add_client(&next()?, &first_line(&next()?)?),
            "--organization" => salesforce.set_organization(&organization(next()?)?),
            "--lock-out-after" => salesforce.lock_out_after(Some(next()?.parse()?)),
            "--on-reset" => on_reset = words.by_ref().collect(),
            _ => return Err(USAGE.into()),
        }
    }
    salesforce.allow_control(move |username, token| handed_over(&on_reset, username, token));
    told(&port_file.ok_or(USAGE)?, salesforce.address().port())?;
    Ok(salesforce)
}

/// A password has no place among the arguments, which every user of the machine may read.
fn first_line(file: &str) -> io::Result<String> {
    if file == "-" {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let text = std::fs::read_to_string(file)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn organization(id: String) -> Result<String, &'static str> {
    let plain = id.len() == 18 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain
        .then_some(id)
        .ok_or("an organization has an id of 18 letters and digits")
}

/// The file is there at once and whole, or not yet.
fn told(file: &Path, port: u16) -> io::Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{port}\n"))?;
    std::fs::rename(new, file)
}

fn handed_over(command: &[String], username: &str, token: &str) -> Result<String, String> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(format!("{token}\n"));
    };
    let failed = |what: &str, error: io::Error| format!("{program}: {what}: {error}\n");
    let mut child = Command::new(program)
        .args(arguments)
        .env("STUB_USERNAME", username)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| failed("cannot be started", error))?;
    if let Some(mut input) = child.stdin.take() {
        // a command that does not read its input tells by its status how it went
        let _ = input.write_all(token.as_bytes());
    }
    let status = child
        .wait()
        .map_err(|error| failed("cannot be waited for", error))?;
    match status.success() {
        true => Ok(String::new()),
        false => Err(format!("{program}: {status}\n")),
    }
}
