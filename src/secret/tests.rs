//! Each place that a reference may name, and that no error shows a value.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::ingest::secret::Secret;

fn parse(text: &str) -> SecretRef {
    SecretRef::parse(text, Path::new("/base")).unwrap()
}

fn env(name: &str) -> Option<OsString> {
    match name {
        "MAIL" => Some("hunter2\n".into()),
        "EMPTY" => Some("\n".into()),
        _ => None,
    }
}

fn get(reference: &SecretRef) -> Result<String, SecretError> {
    let keyring = |service: &str, user: &str| match (service, user) {
        ("sftoken", "ops") => Ok(Some(Secret::new("from the keyring".to_owned()))),
        ("sftoken", _) => Ok(None),
        _ => Err("the keyring is locked".to_owned()),
    };
    let sources = Sources {
        keyring: &keyring,
        env: &env,
    };
    resolve(reference, &sources).map(|secret| secret.expose().to_owned())
}

#[test]
fn references_are_read() {
    let keyring = |service: &str, user: &str| SecretRef::Keyring {
        service: service.to_owned(),
        user: user.to_owned(),
    };
    assert_eq!(parse("keyring:ops"), keyring("sftoken", "ops"));
    assert_eq!(
        parse("keyring:salesforce/a/b"),
        keyring("salesforce", "a/b")
    );
    assert_eq!(parse("file:pw"), SecretRef::File("/base/pw".into()));
    assert_eq!(parse("file:/run/pw"), SecretRef::File("/run/pw".into()));
    let argv = ["pass", "show", "a b", "c\"d", ""]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(
        parse(r#"command:pass show 'a b' "c\"d" ''"#),
        SecretRef::Command(argv)
    );
}

#[test]
fn what_is_no_reference_is_not_shown() {
    for text in [
        "hunter2",
        "hunter2:x",
        "env:",
        "keyring: ",
        "command:'hunter2",
        "systemd:../x",
        "env:A=hunter2",
    ] {
        let error = SecretRef::parse(text, Path::new("")).expect_err(text);
        assert!(!format!("{error} {error:?} {}", error.hint()).contains("hunter2"));
    }
}

#[test]
fn variables_and_keyring() {
    assert_eq!(get(&parse("env:MAIL")).unwrap(), "hunter2");
    assert_eq!(get(&parse("keyring:ops")).unwrap(), "from the keyring");
    let cases = [
        ("env:NONE", "env:NONE: the variable is not set"),
        ("env:EMPTY", "env:EMPTY: the secret is empty"),
        (
            "keyring:other",
            "keyring:sftoken/other: the keyring has no such entry",
        ),
        ("keyring:x/y", "keyring:x/y: the keyring is locked"),
        (
            "systemd:pw",
            "systemd:pw: systemd handed over no credentials",
        ),
    ];
    for (reference, problem) in cases {
        assert_eq!(
            get(&parse(reference)).expect_err(reference).to_string(),
            problem
        );
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pw");
    std::fs::write(&path, "hunter2\n").unwrap();
    let mode =
        |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o640);
    let error = get(&SecretRef::File(path.clone())).expect_err("group may read");
    assert!(error.to_string().ends_with(": others may read the file"));
    assert!(error.hint.starts_with("chmod 600 "));
    mode(0o600);
    assert_eq!(get(&SecretRef::File(path.clone())).unwrap(), "hunter2");
    get(&SecretRef::File(folder.path().to_owned())).expect_err("a folder");
    get(&SecretRef::File(folder.path().join("none"))).expect_err("nothing");
}

#[cfg(unix)]
#[test]
fn a_command_gives_its_first_line_and_nothing_in_errors() {
    let run = |script: &str| {
        let argv = ["sh", "-c", script].map(str::to_owned);
        command::first_line(&argv, Duration::from_secs(10)).map(|secret| secret.expose().to_owned())
    };
    assert_eq!(run("echo hunter2; echo more").unwrap(), "hunter2");
    assert_eq!(run("printf hunter2").unwrap(), "hunter2");
    for script in ["exit 0", "echo hunter2; exit 3", "echo"] {
        assert!(!run(script).expect_err(script).contains("hunter2"));
    }
    command::first_line(&["/nonexistent".to_owned()], Duration::from_secs(1)).expect_err("none");
}

#[cfg(unix)]
#[test]
fn a_command_that_hangs_is_ended() {
    let begin = Instant::now();
    let argv = ["sleep", "60"].map(str::to_owned);
    let error = command::first_line(&argv, Duration::from_millis(100)).expect_err("too long");
    assert_eq!(error, "the command took too long");
    assert!(begin.elapsed() < Duration::from_secs(30));
}
