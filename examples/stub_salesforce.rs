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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::path::Path;

    use super::run;

    const ANN: &str = "integration@acme.example";

    /// One request without a body; status and body of the answer.
    fn ask(folder: &Path, request: &str) -> (String, String) {
        let port = std::fs::read_to_string(folder.join("port")).unwrap();
        let port: u16 = port.trim().parse().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap();
        (status.to_owned(), body.to_owned())
    }

    fn start(folder: &Path, more: &[&str]) -> super::SalesforceStub {
        std::fs::write(folder.join("word"), "word\n").unwrap();
        let (port, word) = (folder.join("port"), folder.join("word"));
        let (port, word) = (port.to_str().unwrap(), word.to_str().unwrap());
        let words = [
            "--port-file",
            port,
            "--user",
            ANN,
            word,
            "--client",
            "app",
            word,
        ];
        let words = words.iter().chain(more).map(|word| (*word).to_owned());
        run(words).unwrap()
    }

    #[test]
    fn a_reset_gives_the_new_token() {
        let folder = tempfile::tempdir().unwrap();
        let salesforce = start(folder.path(), &["--lock-out-after", "3"]);
        let old = salesforce.token(ANN).unwrap();
        let reset = format!("POST /reset?username={ANN}");
        let (status, token) = ask(folder.path(), &reset);
        assert_eq!((status.as_str(), token.len()), ("200", 26));
        assert_ne!(token.trim(), old);
        assert_eq!(salesforce.token(ANN).as_deref(), Some(token.trim()));
        let (status, _) = ask(folder.path(), "POST /reset?username=nobody");
        assert_eq!(status, "400");
        let (status, count) = ask(folder.path(), &format!("GET /attempts?username={ANN}"));
        assert_eq!((status.as_str(), count.as_str()), ("200", "0\n"));
        for (order, status) in [
            ("fault?kind=login_disabled", "200"),
            ("fault?kind=status_503&times=2", "200"),
            ("fault?kind=slow_200", "200"),
            ("fault?kind=none", "200"),
            ("fault?kind=nonsense", "400"),
            ("fault?kind=cut&times=often", "400"),
            ("unlock?username=nobody", "400"),
            ("nothing", "404"),
        ] {
            assert_eq!(
                ask(folder.path(), &format!("POST /{order}")).0,
                status,
                "{order}"
            );
        }
    }

    #[test]
    fn a_command_gets_the_new_token_on_its_input() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let script = format!(
            "read -r token; echo \"$STUB_USERNAME $token\" > {}",
            kept.display()
        );
        // without a line end at its end, `read` says that it has seen the end
        let script = script.replace(';', "||:;");
        let salesforce = start(folder.path(), &["--on-reset", "sh", "-c", &script]);
        let (status, body) = ask(folder.path(), &format!("POST /reset?username={ANN}"));
        assert_eq!((status.as_str(), body.as_str()), ("200", ""));
        let token = salesforce.token(ANN).unwrap();
        let text = std::fs::read_to_string(kept).unwrap();
        assert_eq!(text, format!("{ANN} {token}\n"));
    }

    #[test]
    fn a_command_that_fails_fails_the_reset() {
        let folder = tempfile::tempdir().unwrap();
        let _salesforce = start(folder.path(), &["--on-reset", "false"]);
        let (status, body) = ask(folder.path(), &format!("POST /reset?username={ANN}"));
        assert_eq!(status, "500");
        assert!(body.contains("false: exit status: 1"), "{body}");
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for words in [
            vec![],
            vec!["--nonsense"],
            vec!["--user"],
            vec!["--port-file"],
        ] {
            run(words.into_iter().map(str::to_owned)).unwrap_err();
        }
    }
}
