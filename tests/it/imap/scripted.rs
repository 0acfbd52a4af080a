//! `fixtures/imap/*.session`: one misfortune a file, with what the server does and what must come of it.
//!
//! The `D:` lines drive the client, in order: `D: connect = KIND CLASS` (else it must log in),
//! `D: examine = UIDVALIDITY UIDNEXT EXISTS`, `D: search N = UIDS`, `D: heads UIDS = UID:SIZE:DATE:BYTES`,
//! `D: undated UIDS = …`, `D: body UID = SIZE|gone`, `D: wait = changed|elsewhere|alive|renew`,
//! `D: folder NAME`, `D: elapsed SECONDS` (virtual, since the connection began). Instead of a value,
//! `KIND CLASS` of the error. `D: limit-line BYTES`, `D: liveness SECONDS` and
//! `D: renewal SECONDS` set limits; without `liveness`, an hour passes before a silent connection is probed.
//! `D: news = FOLDERS|any` is what was told of other folders.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sftoken::inbox::{
    Endpoint, Folder, InboxError, Limits, News, Security, Session, TlsSetup, Wake,
};
use sftoken::ingest::secret::Secret;
use sftoken::testing::imap::{Script, ScriptError};
use tokio::time::Instant;

/// A password that must not show anywhere; with characters that want quoting.
const PASSWORD: &str = "planted-pass-7\"\\";

/// What must not be in any error: the password, its SASL form, and a token in an unreadable line.
const PLANTED: [&str; 3] = ["planted-pass", "AHVzZXJAZXhhbXBsZS5jb20", "planted-token"];

/// Fewer than this, and someone has lost some.
const AT_LEAST: usize = 70;

#[test]
fn every_session_ends_as_it_says() {
    let sessions = sessions();
    assert!(
        sessions.len() >= AT_LEAST,
        "only {} sessions",
        sessions.len()
    );
    let bad: Vec<String> = sessions
        .iter()
        .filter(|path| !ends_well(path))
        .map(|path| path.display().to_string())
        .collect();
    assert!(bad.is_empty(), "see above: {bad:#?}");
}

/// Each has a runtime with a clock of its own; the panic of one does not hide the others.
fn ends_well(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(run(&name, &text))
    }))
    .is_ok()
}

fn sessions() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/imap");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "session"))
        .collect();
    found.sort();
    found
}

async fn run(name: &str, text: &str) {
    let orders: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("D: "))
        .collect();
    assert!(!orders.is_empty(), "{name}: nothing is expected of it");
    let begun = Instant::now();
    let limits = limits(&orders);
    let (stream, server) = Script::parse(text).unwrap().serve();
    let password = Secret::new(PASSWORD.to_owned()).into();
    let connected = Session::connect_over(
        stream,
        "mail.example:993",
        "user@example.com",
        &password,
        &limits,
    )
    .await;
    let mut client = Client {
        session: None,
        folder: None,
        begun,
    };
    let connected = connected.map(|session| {
        client.session = Some(session);
        "ok".to_owned()
    });
    let expected = orders
        .iter()
        .find_map(|order| order.strip_prefix("connect = "))
        .unwrap_or("ok");
    assert_eq!(told(connected), expected, "{name}: connect");
    for order in orders {
        client.obey(name, order).await;
    }
    let failed = client.session.is_none();
    drop(client);
    match server.await.unwrap() {
        // a client that gives up goes in the middle
        Ok(()) | Err(ScriptError::Gone(_)) => {}
        Err(error) => panic!("{name}: {error} (connected: {})", !failed),
    }
}

fn limits(orders: &[&str]) -> Limits {
    let given = |name: &str| {
        let mut orders = orders.iter();
        orders.find_map(|order| order.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    };
    let default = Limits::default();
    let seconds = |name: &str, default: Duration| {
        let given = given(name).map(|seconds| u64::try_from(seconds).unwrap());
        given.map_or(default, Duration::from_secs)
    };
    Limits {
        max_line: given("limit-line").unwrap_or(default.max_line),
        liveness: seconds("liveness", Duration::from_secs(3600)),
        idle_renew: seconds("renewal", default.idle_renew),
        ..default
    }
}

struct Client {
    session: Option<Session>,
    folder: Option<Folder>,
    begun: Instant,
}

impl Client {
    async fn obey(&mut self, name: &str, order: &str) {
        let (order, expected) = order.split_once(" =").unwrap_or((order, ""));
        let (verb, rest) = order.split_once(' ').unwrap_or((order, ""));
        let told = match verb {
            "connect" | "limit-line" | "liveness" | "renewal" => return,
            "elapsed" => {
                let wanted = Duration::from_secs(rest.parse().unwrap());
                let elapsed = self.begun.elapsed();
                // the clock goes on by whole milliseconds
                let off = elapsed.abs_diff(wanted);
                assert!(
                    off < Duration::from_millis(100),
                    "{name}: {elapsed:?} instead of {wanted:?}"
                );
                return;
            }
            verb => self.ask(verb, rest).await,
        };
        assert_eq!(told, expected.trim(), "{name}: {order}");
    }

    async fn ask(&mut self, verb: &str, rest: &str) -> String {
        let session = self.session.as_mut().expect("connected");
        let number = || rest.parse::<u32>().unwrap();
        match verb {
            "folder" => told(session.resolve_folder(rest).await.map(|folder| {
                self.folder = Some(folder);
                String::new()
            })),
            "examine" => {
                let folder = match &self.folder {
                    Some(folder) => folder.clone(),
                    None => session.resolve_folder("INBOX").await.unwrap(),
                };
                told(session.examine(&folder).await.map(|state| {
                    let next = state
                        .uid_next
                        .map_or("-".to_owned(), |next| next.to_string());
                    format!("{} {next} {}", state.uid_validity, state.exists)
                }))
            }
            "search" => told(
                session
                    .search_from(number())
                    .await
                    .map(|uids| spaced(uids.iter().map(u32::to_string))),
            ),
            "heads" | "undated" => {
                let uids: Vec<u32> = rest.split(' ').map(|uid| uid.parse().unwrap()).collect();
                let heads = match verb {
                    "heads" => session.heads(&uids).await,
                    _ => session.undated_heads(&uids).await,
                };
                told(heads.map(|heads| {
                    spaced(heads.iter().map(|head| {
                        let date = head
                            .internal_date
                            .map_or("-".to_owned(), |date| date.to_string());
                        format!("{}:{}:{date}:{}", head.uid, head.size, head.header.len())
                    }))
                }))
            }
            "body" => told(session.body(number()).await.map(|body| match body {
                Some(bytes) => bytes.len().to_string(),
                None => "gone".to_owned(),
            })),
            "wait" => told(session.wait().await.map(|wake| match wake {
                Wake::Changed => "changed".to_owned(),
                Wake::Elsewhere => "elsewhere".to_owned(),
                Wake::Alive => "alive".to_owned(),
                Wake::Renew => "renew".to_owned(),
            })),
            "news" => match session.news_elsewhere() {
                News::Of(names) => spaced(names.into_iter()),
                News::OfAny => "any".to_owned(),
            },
            other => panic!("no such order: {other}"),
        }
    }
}

fn spaced(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

/// The value, or kind and class of the error, which must hold no secret and be fit for a terminal.
fn told(result: Result<String, InboxError>) -> String {
    match result {
        Ok(value) => value,
        Err(error) => {
            let texts = [
                error.to_string(),
                format!("{error:?}"),
                error.hint().to_owned(),
            ];
            for planted in PLANTED {
                assert!(
                    texts.iter().all(|text| !text.contains(planted)),
                    "{texts:?}"
                );
            }
            assert!(
                texts[0].starts_with("mail.example:993")
                    || texts[0].contains("for mail.example:993"),
                "{texts:?}"
            );
            assert!(!texts[0].contains(char::is_control) && !texts[2].is_empty());
            format!("{} {:?}", error.kind(), error.class()).to_lowercase()
        }
    }
}

/// What cannot be sent is not sent: not one byte of a log-in.
#[tokio::test]
async fn a_password_with_a_line_end_is_not_sent() {
    for password in ["secret\n", "sec\rret", "\0"] {
        let script =
            Script::parse("S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\nhang").unwrap();
        let (stream, _server) = script.serve();
        let password = Secret::new(password.to_owned()).into();
        let result = Session::connect_over(
            stream,
            "mail.example:993",
            "user",
            &password,
            &Limits::default(),
        )
        .await;
        assert_eq!(result.unwrap_err().kind(), "bad_credential");
    }
}

/// LOGIN with a password beyond ASCII: as a literal, when the server asks for it.
#[tokio::test]
async fn a_password_beyond_ascii_is_a_literal() {
    let script = "\
S: * OK [CAPABILITY IMAP4rev1] ready
C: $ LOGIN \"user\" {9}
S: + go on
C: pässwörd?
S: $ OK [CAPABILITY IMAP4rev1] welcome";
    // 8 letters and a question mark, of which two take two bytes
    let script = script.replace("{9}", "{11}");
    let (stream, _server) = Script::parse(&script).unwrap().serve();
    let password = Secret::new("pässwörd?".to_owned()).into();
    Session::connect_over(
        stream,
        "mail.example:993",
        "user",
        &password,
        &Limits::default(),
    )
    .await
    .unwrap();
}

/// A wait that is dropped in IDLE leaves a connection that fails, and does not take answers for others'.
#[tokio::test(start_paused = true)]
async fn a_dropped_wait_spends_the_connection() {
    let script = "login\nexamine\nC: $ UID SEARCH UID 6:*\nS: $ OK\nC: $ IDLE\nS: + idling\nhang";
    let (stream, _server) = Script::parse(script).unwrap().serve();
    let password = Secret::new(PASSWORD.to_owned()).into();
    let limits = Limits::default();
    let mut session = Session::connect_over(stream, "mail.example:993", "user", &password, &limits)
        .await
        .unwrap();
    let folder = session.resolve_folder("INBOX").await.unwrap();
    session.examine(&folder).await.unwrap();
    session.search_from(6).await.unwrap();
    assert!(
        tokio::time::timeout(Duration::from_secs(5), session.wait())
            .await
            .is_err()
    );
    assert_eq!(
        session.search_from(6).await.unwrap_err().kind(),
        "disconnected"
    );
    session.logout().await;
}

/// The farewell takes two seconds at most, whatever the server does.
#[tokio::test(start_paused = true)]
async fn logout_does_not_wait_for_ever() {
    let (stream, _server) = Script::parse("login\nC: $ LOGOUT\nhang").unwrap().serve();
    let password = Secret::new(PASSWORD.to_owned()).into();
    let limits = Limits::default();
    let session = Session::connect_over(stream, "mail.example:993", "user", &password, &limits)
        .await
        .unwrap();
    let begun = Instant::now();
    session.logout().await;
    assert!(begun.elapsed() <= Duration::from_millis(2100));
}

/// What comes in the clear behind the answer to STARTTLS was put there by someone (CVE-2011-0411 and its
/// kin), and who skips the log-in would skip TLS.
#[tokio::test]
async fn starttls_is_all_or_nothing() {
    let cases = [
        (
            "S: * OK hi\nC: $ STARTTLS\nR: $ OK go\\r\\n* OK injected\\r\\n",
            "starttls_injection",
        ),
        (
            "S: * OK hi\nC: $ STARTTLS\nR: $ OK go\\r\\n* OK inj",
            "starttls_injection",
        ),
        (
            "S: * OK hi\nC: $ STARTTLS\nS: $ BAD what",
            "starttls_not_offered",
        ),
        ("S: * PREAUTH hi", "starttls_not_offered"),
        ("S: * OK hi\nC: $ STARTTLS\nS: $ OK go\nclose", "tls_failed"),
    ];
    for (script, kind) in cases {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let endpoint = Endpoint {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
            security: Security::StartTls,
            user: "user@example.com".to_owned(),
            tls: TlsSetup::system(),
            proxy: None,
        };
        let script = Script::parse(script).unwrap();
        let server =
            tokio::spawn(async move { script.play(listener.accept().await.unwrap().0).await });
        let password = Secret::new(PASSWORD.to_owned()).into();
        let error = Session::connect(&endpoint, &password, &Limits::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        server.await.unwrap().unwrap();
    }
}

#[test]
fn a_script_with_a_mistake_is_refused() {
    for line in ["X: what", "S*x: y", "S 5h: y", "R: \\q", "logout"] {
        assert_eq!(
            Script::parse(line).unwrap_err(),
            ScriptError::Syntax(1),
            "{line}"
        );
    }
}
