//! What Amazon's SDK traces: a subscriber and a logger that take everything must see no token and no credential.

use std::fmt::Debug;
use std::process::Command;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::support::run::Home;

/// Takes every record and span of every crate, as a careless program's subscriber would.
struct Everything;

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn seen(line: String) {
    SEEN.lock().unwrap().push(line);
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut words = Words(span.metadata().target().to_owned());
        span.record(&mut words);
        seen(words.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut words = Words(String::new());
        values.record(&mut words);
        seen(words.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(event.metadata().target().to_owned());
        event.record(&mut words);
        seen(words.0);
    }

    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        seen(format!("{} {}", record.target(), record.args()));
    }

    fn flush(&self) {}
}

const SECRETS: [&str; 6] = [
    "planted-secret-access-key",
    "planted-session-token",
    "planted-container-token",
    OLD,
    NEW,
    // base64 of the middle of a token, as a body's bytes could be shown
    "VG9rZW5OZXdUb2tlbk5ld1Rva2Vu",
];

/// In a process of its own: a subscriber for all threads can be set once, and credentials come from the environment.
#[test]
#[ignore = "`nobody_hears_a_token_or_a_credential` runs it, with what it needs"]
fn child() {
    let endpoint = std::env::var("PLANTED_ENDPOINT").unwrap();
    tracing::subscriber::set_global_default(Everything).unwrap();
    log::set_logger(&Everything).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    for scheme in BOTH {
        let url = format!("{scheme}://eu-west-1/sf/{{username}}?endpoint={endpoint}");
        let store = open(&url, &StoreOptions::default()).unwrap();
        store.check().unwrap();
        assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
        assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written);
        assert_eq!(held(&*store).as_deref(), Some(NEW));
        // with a log-in in it
        seen(format!("{store:?}"));
        let other = open(&url.replace("{username}", "a"), &StoreOptions::default()).unwrap();
        let stranger = key("someone.else@acme.example");
        put(&*other, 1, OLD).unwrap();
        other
            .publish(&stranger, &token(NEW), &mail_of(2, NEW))
            .unwrap_err();
    }
    tracing::trace!("the subscriber works");
    log::debug!("the logger works");
    let seen = SEEN.lock().unwrap();
    for words in ["the subscriber works", "the logger works"] {
        assert!(seen.iter().any(|line| line.contains(words)), "{seen:#?}");
    }
    let of_sdk: Vec<_> = seen
        .iter()
        .filter(|line| line.starts_with("aws_"))
        .collect();
    assert!(of_sdk.is_empty(), "{of_sdk:#?}");
    for secret in SECRETS {
        let shown: Vec<_> = seen.iter().filter(|line| line.contains(secret)).collect();
        assert!(shown.is_empty(), "{secret}: {shown:#?}");
    }
}

#[test]
fn nobody_hears_a_token_or_a_credential() {
    let server = Moto::start();
    let service = Stub::start(|asked: &Asked| {
        assert_eq!(asked.headers["authorization"], "planted-container-token");
        let told = json!({"AccessKeyId": ANYBODY.0, "SecretAccessKey": ANYBODY.1, "Token": "planted-session-token", "Expiration": "2099-01-01T00:00:00Z"});
        (200, told.to_string())
    });
    let home = Home::new();
    let mut command: Command = home.command(std::env::current_exe().unwrap());
    command.args(["--exact", "--ignored", "stores::aws::silence::child"]);
    command.env("PLANTED_ENDPOINT", server.url(""));
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.env(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        format!("http://{}/role", service.authority()),
    );
    command.env(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "planted-container-token",
    );
    let ended = command.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && told.contains("1 passed"),
        "{told}"
    );
    assert!(!service.asked().is_empty());
}
