//! The examples in `examples/after`, as they are printed there.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sftoken::ingest::secret::Secret;
use sftoken::notify::{Http, NotifyErrorKind as Kind, Program, Webhook};

use super::event;
use crate::support::run::{Home, Running};
use crate::support::stub::{Asked, Stub};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn example(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/after");
    let path = folder.join(name);
    assert!(path.is_file(), "{path:?}");
    path
}

#[test]
fn a_receiver_believes_what_is_signed_now() {
    let home = Home::new();
    let mut command = home.command("python3");
    let secret = home.write("secret", format!("{SECRET}\n"));
    command.arg(example("webhook_receiver.py")).arg(secret);
    let mut receiver = Running::of(command, b"");
    let line = receiver.hear_out("listening on ");
    let authority = line.trim().strip_prefix("listening on ").unwrap();
    let url = Secret::new(format!("http://{authority}/"));
    let webhook = |secret: Option<&str>| {
        let secret = secret.map(|text| Secret::new(text.to_owned()));
        Webhook::new(&url, secret.as_ref(), &Http::new()).unwrap()
    };
    let now = Timestamp::now();
    let old = now - SignedDuration::from_mins(10);
    let genuine = webhook(Some(SECRET));
    for forged in [
        webhook(None).send(&event(), now),
        webhook(Some("another secret")).send(&event(), now),
        genuine.send(&event(), old),
    ] {
        assert_eq!(forged.unwrap_err().kind, Kind::Refused);
    }
    genuine.send(&event(), now).unwrap();
    genuine.send(&event(), now).unwrap();
    let told = receiver.stop();
    let events: Vec<&str> = told.out.lines().skip(1).collect();
    let fingerprint = event().facts().fingerprint.clone().unwrap();
    assert_eq!(
        events,
        [format!("stored integration@acme.example {fingerprint}")],
        "{}",
        told.err
    );
}

#[test]
fn a_chat_is_told_by_a_hook() {
    let home = Home::new();
    let hook = |url: &str| {
        let file = home.write("chat-url", format!("{url}\n"));
        let path = example("post_to_chat.py").to_str().unwrap().to_owned();
        Program::new(vec![path, file], Vec::new()).run(&event())
    };
    let chat = Stub::start(|_: &Asked| (200, "ok".to_owned()));
    hook(&format!("http://{}/T0/planted", chat.authority())).unwrap();
    let fingerprint = event().facts().fingerprint.clone().unwrap();
    let text = format!("stored: integration@acme.example (production), fingerprint {fingerprint}");
    assert_eq!(chat.asked()[0].json(), json!({ "text": text }));
    for (status, kind) in [
        (404, Kind::ExitStatus),
        (429, Kind::TryAgain),
        (500, Kind::TryAgain),
    ] {
        let chat = Stub::start(move |_: &Asked| (status, "no".to_owned()));
        let error = hook(&format!("http://{}/T0/planted", chat.authority())).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(
            error.problem.contains(&format!("answered {status}")),
            "{error}"
        );
    }
    let error = hook("http://127.0.0.1:1/T0/planted").unwrap_err();
    assert_eq!(error.kind, Kind::TryAgain, "{error}");
    assert!(!error.to_string().contains("planted"), "{error}");
}

#[test]
fn every_example_is_tested_and_listed() {
    let here = include_str!("examples.rs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_to_string(root.join("docs/after.md")).unwrap();
    let files = fs::read_dir(root.join("examples/after")).unwrap().flatten();
    let names: Vec<String> = files
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        assert!(
            here.contains(&format!("example(\"{name}\")")),
            "{name} is not tested"
        );
        assert!(
            docs.contains(&format!("(../examples/after/{name})")),
            "{name} is not listed"
        );
    }
}
