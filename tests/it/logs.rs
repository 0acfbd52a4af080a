//! What dependencies log: a logger that takes everything must see no token and no password.

use std::sync::Mutex;

use jiff::Timestamp;
use log::{Level, LevelFilter, Log, Metadata, Record};
use sftoken::inbox::{Limits, Session};
use sftoken::ingest::secret::Secret;
use sftoken::notify::{Event, EventWord, Facts, Http, Webhook};
use sftoken::testing::imap::Script;

use crate::support::stub::{Asked, Stub};

/// Takes every record of every crate, as a careless program's logger would.
struct Everything(Mutex<Vec<String>>);

static SEEN: Everything = Everything(Mutex::new(Vec::new()));

impl Log for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}", record.target(), record.args());
        self.0.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn no_logger_of_anybodys_sees_what_the_codec_reads() {
    log::set_logger(&SEEN).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let script = "login\nexamine\nC: $ UID FETCH 6 (UID BODY.PEEK[])\n\
        R: * 6 FETCH (UID 6 BODY[] {20}\\r\\nplanted-token-in-body)\\r\\n\nS: $ OK done\n\
        C: $ UID SEARCH UID 6:*\nS: * SEARCH planted-token-in-nonsense";
    let script = script.replace("{20}", "{21}");
    let (stream, _server) = Script::parse(&script).unwrap().serve();
    let password = Secret::new("planted-password".to_owned()).into();
    let limits = Limits::default();
    let mut session = Session::connect_over(stream, "mail.example:993", "user", &password, &limits)
        .await
        .unwrap();
    let inbox = session.resolve_folder("INBOX").await.unwrap();
    session.examine(&inbox).await.unwrap();
    let body = session.body(6).await.unwrap().unwrap();
    assert_eq!(body, b"planted-token-in-body");
    session.search_from(6).await.unwrap_err();

    tokio::task::spawn_blocking(tell_a_webhook).await.unwrap();

    log::debug!("the logger works");
    let seen = SEEN.0.lock().unwrap();
    assert!(seen.iter().any(|line| line.contains("the logger works")));
    let planted: Vec<_> = seen
        .iter()
        .filter(|line| line.contains("planted"))
        .collect();
    assert!(planted.is_empty(), "{planted:?}");
    let of_codec =
        |line: &&String| line.starts_with("async_imap") || line.starts_with("imap_proto");
    assert_eq!(seen.iter().filter(of_codec).count(), 0, "{seen:?}");
    assert!(seen.iter().any(|line| line.starts_with("ureq")));
    assert!(log::STATIC_MAX_LEVEL < Level::Trace);
}

/// The path of its URL may be a secret.
fn tell_a_webhook() {
    let stub = Stub::start(|_: &Asked| (204, String::new()));
    let url = format!("http://{}/planted-path?planted-query", stub.authority());
    let key = Secret::new("planted-signing-key".to_owned());
    let webhook = Webhook::new(&Secret::new(url), Some(&key), &Http::new()).unwrap();
    let event = Event::new(EventWord::Test, Timestamp::now(), Facts::default());
    webhook.send(&event, Timestamp::now()).unwrap();
}
