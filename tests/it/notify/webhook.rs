//! Webhooks on a stub server; signatures are checked by others.

use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use native_tls::{Identity, TlsAcceptor};
use sftoken::ingest::secret::Secret;
use sftoken::notify::{Http, NotifyError, NotifyErrorKind as Kind, Retry, Webhook};

use super::{event, large};
use crate::support::dovecot::certificates;
use crate::support::stub::{Asked, Reply, Stub};

/// What the receiver's page would show.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn webhook(stub: &Stub, secret: Option<&str>) -> Webhook {
    let url = Secret::new(format!(
        "http://{}/planted/path?planted=1",
        stub.authority()
    ));
    let secret = secret.map(|text| Secret::new(text.to_owned()));
    Webhook::new(&url, secret.as_ref(), &Http::new()).unwrap()
}

fn answering(status: u16) -> Stub {
    Stub::start(move |_: &Asked| (status, "planted answer".to_owned()))
}

fn send(stub: &Stub) -> Result<(), NotifyError> {
    webhook(stub, Some(SECRET)).send(&event(), Timestamp::now())
}

/// What was posted, checked by somebody else's program.
#[track_caller]
fn check_by(script: &str, secret: &str, asked: &Asked) {
    let python = std::env::var("SFTOKEN_TEST_PYTHON").expect("SFTOKEN_TEST_PYTHON");
    let headers = serde_json::to_string(&asked.headers).unwrap();
    let output = Command::new(python)
        .args(["-c", script, secret, &headers, &asked.body])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert_eq!(output.stdout, b"genuine\n");
}

/// The specification's own library.
const OFFICIAL: &str = "import sys, json
from standardwebhooks import Webhook
secret, headers, body = sys.argv[1:]
Webhook(secret).verify(body, json.loads(headers))
try:
    Webhook(secret).verify(body + ' ', json.loads(headers))
except Exception:
    print('genuine')
";

/// A secret that is no base64, which the library does not know.
const BY_HAND: &str = "import sys, json, hmac, base64
secret, headers, body = sys.argv[1:]
h = json.loads(headers)
signed = h['webhook-id'] + '.' + h['webhook-timestamp'] + '.' + body
mac = base64.b64encode(hmac.digest(secret.encode(), signed.encode(), 'sha256')).decode()
if h['webhook-signature'] == 'v1,' + mac:
    print('genuine')
";

#[test]
fn others_find_the_signature_genuine() {
    let stub = answering(204);
    for (script, secret) in [(OFFICIAL, SECRET), (BY_HAND, "a text of my own, as it is")] {
        webhook(&stub, Some(secret))
            .send(&event(), Timestamp::now())
            .unwrap();
        check_by(script, secret, stub.asked().last().unwrap());
    }
}

#[test]
fn the_event_is_posted_as_it_is() {
    let stub = answering(200);
    let now = Timestamp::from_second(1_764_000_000).unwrap();
    webhook(&stub, None).send(&event(), now).unwrap();
    webhook(&stub, Some(SECRET)).send(&large(), now).unwrap();
    let [plain, signed] = &stub.asked()[..] else {
        panic!("{:?}", stub.asked());
    };
    assert_eq!(
        (plain.method.as_str(), plain.path.as_str()),
        ("POST", "/planted/path?planted=1")
    );
    assert_eq!(plain.headers["content-type"], "application/json");
    assert_eq!(plain.headers["webhook-id"], event().id());
    assert_eq!(plain.headers["webhook-timestamp"], "1764000000");
    assert!(!plain.headers.contains_key("webhook-signature"));
    assert_eq!(plain.json(), serde_json::to_value(event()).unwrap());
    assert_eq!(signed.json(), serde_json::to_value(large()).unwrap());
    assert!(signed.headers["webhook-signature"].starts_with("v1,"));
}

/// The id is the event's, the time is the try's.
#[test]
fn a_repetition_is_known_by_its_id() {
    let stub = answering(200);
    let webhook = webhook(&stub, Some(SECRET));
    for second in [1_764_000_000, 1_764_000_010] {
        webhook
            .send(&event(), Timestamp::from_second(second).unwrap())
            .unwrap();
    }
    let asked = stub.asked();
    let header = |name: &str| {
        (
            asked[0].headers[name].clone(),
            asked[1].headers[name].clone(),
        )
    };
    let (first, second) = header("webhook-id");
    assert_eq!(first, second);
    for name in ["webhook-timestamp", "webhook-signature"] {
        let (first, second) = header(name);
        assert_ne!(first, second, "{name}");
    }
}

#[test]
fn each_answer_means_one_thing() {
    for status in [200, 201, 202, 204, 299] {
        send(&answering(status)).unwrap();
    }
    for (status, kind, passing) in [
        (301, Kind::Misconfigured, false),
        (302, Kind::Misconfigured, false),
        (400, Kind::Refused, false),
        (401, Kind::Refused, false),
        (404, Kind::Refused, false),
        (410, Kind::Refused, false),
        (408, Kind::TryAgain, true),
        (425, Kind::TryAgain, true),
        (429, Kind::TryAgain, true),
        (500, Kind::TryAgain, true),
        (503, Kind::TryAgain, true),
    ] {
        let error = send(&answering(status)).unwrap_err();
        assert_eq!((error.kind, error.passing), (kind, passing), "{error}");
        assert!(
            error.to_string().contains(&format!("(HTTP {status})")),
            "{error}"
        );
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn no_redirect_is_followed() {
    let other = answering(200);
    let place = format!("http://{}/elsewhere", other.authority());
    let stub =
        Stub::start(move |_: &Asked| Reply::from((307, String::new())).with("Location", &place));
    send(&stub).unwrap_err();
    assert!(other.asked().is_empty());
}

#[test]
fn a_receiver_that_is_busy_is_left_alone() {
    let stub = Stub::start(|_: &Asked| Reply::from((429, String::new())).with("Retry-After", "40"));
    let error = send(&stub).unwrap_err();
    assert_eq!(error.wait, Some(Duration::from_secs(40)));
    assert_eq!(
        Retry::WEBHOOK.pause(1, &error),
        Some(Duration::from_secs(40))
    );
}

#[test]
fn it_is_tried_until_it_is_taken() {
    let stub = answering(503);
    let webhook = webhook(&stub, Some(SECRET));
    let mut pauses = Vec::new();
    let ended = Retry::WEBHOOK.run(
        |pause| {
            pauses.push(pause.as_secs());
            pauses.len() < 3
        },
        || webhook.send(&event(), Timestamp::now()),
    );
    assert_eq!(ended.unwrap_err().kind, Kind::TryAgain);
    assert_eq!(pauses, [2, 10, 50]);
    let ids: Vec<String> = stub
        .asked()
        .iter()
        .map(|asked| asked.headers["webhook-id"].clone())
        .collect();
    assert_eq!(ids, [event().id(); 3]);
}

/// Reads to the end of an event: who closes before loses his answer.
fn hear_out(stream: &mut impl Read) {
    let (mut heard, mut buffer) = (Vec::new(), [0; 4096]);
    while !heard.ends_with(b"}") {
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => heard.extend_from_slice(&buffer[..count]),
            _ => return,
        }
    }
}

/// A receiver that says `answer` to whatever comes, and closes; `None`: it says nothing, and never closes.
fn odd(answer: Option<&'static [u8]>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/planted", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            if let Some(answer) = answer {
                // what begins TLS is no event, and has no such end
                let patience = Some(Duration::from_millis(300));
                stream.set_read_timeout(patience).unwrap();
                hear_out(&mut stream);
                let _ = stream.write_all(answer);
            } else {
                open.push(stream);
            }
        }
    });
    url
}

#[track_caller]
fn check_passing(url: &str, kind: Kind, words: &str) {
    let url = Secret::new(url.to_owned());
    let webhook = Webhook::new(&url, None, &Http::new()).unwrap();
    let webhook = webhook.within(Duration::from_secs(1));
    let error = webhook.send(&event(), Timestamp::now()).unwrap_err();
    assert_eq!((error.kind, error.passing), (kind, true), "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    assert!(error.receiver.starts_with("127.0.0.1:"), "{error}");
}

#[test]
fn a_receiver_that_does_not_answer_is_tried_again() {
    check_passing(&odd(None), Kind::Timeout, "no answer in time");
    check_passing(&odd(Some(b"")), Kind::Unreachable, "the connection broke");
    check_passing(
        &odd(Some(b"* OK IMAP\r\n")),
        Kind::Unreachable,
        "is no HTTP",
    );
    let large =
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n".to_owned() + &"x".repeat(9_999_999);
    check_passing(
        &odd(Some(large.leak().as_bytes())),
        Kind::TryAgain,
        "too large",
    );
    let closed = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap();
    check_passing(
        &format!("http://{closed}/planted"),
        Kind::Unreachable,
        "refused",
    );
    let url = odd(Some(b"")).replace("http://", "https://");
    check_passing(&url, Kind::Unreachable, "TLS");
}

/// A receiver behind TLS, with a certificate of a private authority for `localhost`.
fn with_tls(folder: &Path) -> u16 {
    certificates(folder);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let identity = Identity::from_pkcs8(&read("server.crt"), &read("server.key")).unwrap();
    let acceptor = TlsAcceptor::new(identity).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // whoever does not trust it is gone already
            let Ok(mut stream) = acceptor.accept(stream) else {
                continue;
            };
            hear_out(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n");
        }
    });
    port
}

#[test]
fn a_private_authority_is_trusted_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let port = with_tls(folder.path());
    let url = Secret::new(format!("https://localhost:{port}/planted"));
    let send = |http: Http| {
        let webhook = Webhook::new(&url, None, &http).unwrap();
        webhook.send(&event(), Timestamp::now())
    };
    send(Http::with_authorities(folder.path().join("ca.crt"))).unwrap();
    let error = send(Http::new()).unwrap_err();
    assert_eq!(
        (error.kind, error.passing),
        (Kind::Untrusted, true),
        "{error}"
    );
    assert!(error.hint().contains("webhook_ca_file"), "{}", error.hint());
}

#[test]
fn authorities_that_are_not_there_are_told() {
    let url = Secret::new("https://127.0.0.1:1/planted".to_owned());
    let http = Http::with_authorities("/nonexistent/ca.pem");
    let webhook = Webhook::new(&url, None, &http).unwrap();
    let error = webhook.send(&event(), Timestamp::now()).unwrap_err();
    assert_eq!((error.kind, error.passing), (Kind::Misconfigured, false));
    assert!(
        error.problem.contains("/nonexistent/ca.pem cannot be read"),
        "{error}"
    );
}
