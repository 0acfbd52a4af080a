//! The consumers in `examples/consumers`, as they are printed there, with the readers that they name.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sftoken::testing::salesforce::SalesforceStub;

use super::shelf::{OTHER, PASSWORD, Shelf, TOKEN};
use crate::support::run::{Ended, Home, Running};
use crate::support::salesforce::ANN;
use crate::support::secret_service::SecretService;

const INSIDE: &str = "integration@acme.example is logged in to acme.my.salesforce.example\n";

fn example(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/consumers");
    let path = folder.join(name);
    assert!(path.is_file(), "{path:?}");
    path
}

/// The command in a home where `sftoken` is in PATH.
fn command(home: &Home, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let ours = Path::new(env!("CARGO_BIN_EXE_sftoken")).parent().unwrap();
    let mut path = OsString::from(home.path("bin"));
    path.push(":");
    path.push(ours);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut command = home.command(program);
    command.env("PATH", path);
    command
}

/// A program in the home's PATH.
fn install(home: &Home, name: &str, text: impl AsRef<[u8]>) {
    let path = home.write(&format!("bin/{name}"), text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn end(command: Command) -> Ended {
    Running::of(command, b"").end()
}

/// A Salesforce that knows ANN, and sends her on to the org that the examples name.
fn salesforce(password: &str, token: &str) -> SalesforceStub {
    let salesforce = SalesforceStub::start().unwrap();
    salesforce.set_instance("https://acme.my.salesforce.example");
    salesforce.add_user(ANN, password);
    assert!(salesforce.set_token(ANN, token));
    salesforce
}

/// simple-salesforce itself, and Python's keyring with the entry that sftoken wrote.
#[test]
fn python_logs_in_from_the_keyring() {
    let mut home = Home::new();
    let bus = SecretService::unlocked();
    home.join(&bus);
    let salesforce = salesforce("p<&>'\"s", TOKEN);
    let python = std::env::var("SFTOKEN_TEST_PYTHON").expect("SFTOKEN_TEST_PYTHON");
    let log_in = |token: &str| {
        bus.secret_tool_store("sftoken", ANN, token);
        bus.secret_tool_store("salesforce", ANN, "p<&>'\"s");
        let mut command = command(&home, &python);
        command.arg(example("simple_salesforce_login.py")).arg(ANN);
        command.env("SF_LOGIN_URL", salesforce.url());
        command.env(
            "PYTHON_KEYRING_BACKEND",
            "keyring.backends.SecretService.Keyring",
        );
        end(command)
    };
    assert_eq!(log_in(TOKEN).check(0).out, INSIDE);
    assert!(log_in(OTHER).check(1).err.contains("INVALID_LOGIN"));
}

/// A consumer that `sftoken run` starts, against a server that knows `token`.
#[track_caller]
fn run(words: &[&str], consumer: &[&str], token: &str) -> Ended {
    let shelf = Shelf::new();
    let salesforce = salesforce(PASSWORD, token);
    let mut command = command(&shelf.home, "sftoken");
    command
        .arg("run")
        .args(words)
        .args([ANN, "--"])
        .args(consumer);
    command.env("SF_LOGIN_URL", salesforce.url());
    end(command)
}

#[test]
fn node_logs_in_as_jsforce_does() {
    let script = example("jsforce_login.mjs");
    let words = ["--preset", "simple-salesforce"];
    let node = ["node", script.to_str().unwrap()];
    assert_eq!(run(&words, &node, TOKEN).check(0).out, INSIDE);
    assert!(
        run(&words, &node, OTHER)
            .check(1)
            .err
            .contains("INVALID_LOGIN")
    );
}

#[test]
fn a_shell_logs_in_with_curl() {
    let script = example("curl_login.sh");
    let words = [
        "--env",
        "SF_LOGIN=login",
        "--env",
        "SF_USERNAME=username",
        "--env",
        "SF_URL=url",
    ];
    let curl = [script.to_str().unwrap()];
    assert_eq!(run(&words, &curl, TOKEN).check(0).out, INSIDE);
    assert!(
        run(&words, &curl, OTHER)
            .check(1)
            .err
            .contains("INVALID_LOGIN")
    );
}

#[test]
fn airflow_reads_its_connection() {
    let shelf = Shelf::new();
    let stand_in = include_bytes!("airflow.py");
    install(&shelf.home, "airflow", stand_in);
    let ended = end(command(&shelf.home, example("airflow_connection.sh"))).check(0);
    assert_eq!(
        ended.json(),
        [json!({
            "conn_type": "salesforce", "login": ANN, "password": PASSWORD, "host": "",
            "extra": {"security_token": TOKEN, "domain": "login"},
        })]
    );
}

/// The lines of each `run: |` of a workflow.
fn scripts(workflow: &str) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut lines = workflow.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("run: |").map(str::len) else {
            continue;
        };
        let mut script = String::new();
        while let Some(line) = lines.next_if(|line| line.len() - line.trim_start().len() > indent) {
            script.push_str(line.trim_start());
            script.push('\n');
        }
        scripts.push(script);
    }
    scripts
}

#[test]
fn the_steps_of_github_actions_hand_the_token_on() {
    let shelf = Shelf::new();
    let workflow = fs::read_to_string(example("github-actions.yml")).unwrap();
    let scripts = scripts(&workflow);
    let [env, output] = &scripts[..] else {
        panic!("{scripts:?}");
    };
    let (env_file, output_file) = (shelf.home.path("env"), shelf.home.path("output"));
    let step = |script: &str| {
        // as the runner calls it: docs.github.com, "jobs.<job_id>.steps[*].shell"
        let mut command = command(&shelf.home, "bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        command
            .env("GITHUB_ENV", &env_file)
            .env("GITHUB_OUTPUT", &output_file);
        end(command).check(0).out
    };
    let masked = format!("::add-mask::{TOKEN}\n");
    assert!(step(env).ends_with(&masked));
    assert_eq!(step(output), masked);
    let env = fs::read_to_string(&env_file).unwrap();
    assert!(
        env.contains(&format!("SF_SECURITY_TOKEN={TOKEN}\n")),
        "{env}"
    );
    assert_eq!(
        fs::read_to_string(&output_file).unwrap(),
        format!("token={TOKEN}\n")
    );
}

/// systemd is not there to start a unit in a container; its own tools check the unit, seal the credential and open it, and
/// the unit's command runs as systemd would run it.
#[test]
fn a_service_gets_the_token_as_a_credential() {
    let shelf = Shelf::new();
    let unit = example("nightly-load.service");
    install(
        &shelf.home,
        "nightly-load",
        "#!/bin/sh\necho $SF_SECURITY_TOKEN\n",
    );
    let verify = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&unit)
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&verify.stderr).into_owned();
    let own: Vec<&str> = complaints
        .lines()
        .filter(|line| line.contains("nightly-load"))
        .collect();
    assert!(own.is_empty(), "{own:?}");
    // the first command of the unit's comment, with a key that needs neither TPM nor a set-up host; systemd has
    // renamed it, and wants to be asked for it by now
    let folder = shelf.home.path("credentials");
    fs::create_dir(&folder).unwrap();
    let script = format!(
        "seal() {{ systemd-creds encrypt --name=sf-token --with-key=$1 - sealed; }}\n\
         sftoken get {ANN} | {{ seal null || seal tpm2-absent; }}\n\
         open() {{ systemd-creds decrypt --name=sf-token $1 sealed credentials/sf-token; }}\n\
         open --allow-null || open"
    );
    let mut creds = command(&shelf.home, "sh");
    creds.args(["-ec", &script]);
    end(creds).check(0);
    assert!(
        !fs::read_to_string(shelf.home.path("sealed"))
            .unwrap()
            .contains(TOKEN)
    );
    let text = fs::read_to_string(unit).unwrap();
    assert!(text.contains("LoadCredentialEncrypted=sf-token:/"));
    let start = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .unwrap();
    // systemd.service(5): `$$` is a dollar sign, and single quotes hold words together
    let start = start.replace("$$", "$");
    let mut service = command(&shelf.home, "sh");
    service
        .args(["-c", &start])
        .env("CREDENTIALS_DIRECTORY", &folder);
    assert_eq!(end(service).check(0).out, format!("{TOKEN}\n"));
}

#[test]
fn every_example_is_tested_and_listed() {
    let here = include_str!("examples.rs");
    let docs = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/consumers.md"))
        .unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/consumers");
    let files = fs::read_dir(folder).unwrap().flatten();
    let names: Vec<String> = files
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        assert!(
            here.contains(&format!("example(\"{name}\")")),
            "{name} is not tested"
        );
        assert!(
            docs.contains(&format!("(../examples/consumers/{name})")),
            "{name} is not listed"
        );
    }
}
