//! Proxies that misbehave, on real sockets; those that behave are in `tests/it`.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::inbox::{Class, InboxError, TlsSetup};

const SECRET: &str = "planted-proxy-pass";

fn endpoint(proxy: Proxy, host: &str, security: Security) -> Endpoint {
    Endpoint {
        host: host.to_owned(),
        port: 993,
        security,
        user: "user".to_owned(),
        tls: TlsSetup::system(),
        proxy: Some(proxy),
    }
}

fn login(user: &str, password: &str) -> Option<ProxyLogin> {
    Some(ProxyLogin {
        user: user.to_owned(),
        password: Secret::new(password.to_owned()),
    })
}

/// What a proxy does: says a piece, after it has heard that many bytes.
type Step = (usize, &'static [u8]);

/// Plays a proxy; what it heard comes back.
async fn played(
    kind: ProxyKind,
    login: Option<ProxyLogin>,
    host: &str,
    security: Security,
    steps: &'static [Step],
) -> (Result<TcpStream, ConnectFault>, Vec<u8>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy = Proxy {
        kind,
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        login,
    };
    let playing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        for (length, said) in steps {
            let mut piece = vec![0; *length];
            stream.read_exact(&mut piece).await.unwrap();
            heard.extend(piece);
            stream.write_all(said).await.unwrap();
        }
        heard
    });
    let endpoint = endpoint(proxy, host, security);
    let deadline = Instant::now() + Duration::from_secs(20);
    let connected = endpoint
        .proxy
        .as_ref()
        .unwrap()
        .connect(&endpoint, deadline)
        .await;
    (connected, playing.await.unwrap())
}

#[track_caller]
fn fault(connected: Result<TcpStream, ConnectFault>) -> ProxyFault {
    match connected {
        Err(ConnectFault::Proxy { fault, proxy }) => {
            assert!(proxy.contains("://127.0.0.1:"), "{proxy}");
            fault
        }
        other => panic!("{other:?}"),
    }
}

const REQUEST: &str = "CONNECT imap.example:993 HTTP/1.1\r\nHost: imap.example:993\r\n\r\n";
const CONNECT: usize = REQUEST.len();

async fn http(security: Security, steps: &'static [Step]) -> Result<TcpStream, ConnectFault> {
    let (connected, heard) = played(ProxyKind::Http, None, "imap.example", security, steps).await;
    let heard = String::from_utf8(heard).unwrap();
    assert_eq!(heard, REQUEST);
    connected
}

#[tokio::test]
async fn answers_to_connect_are_understood() {
    let cases: [(&'static [Step], ProxyFault); 11] = [
        (
            &[(
                CONNECT,
                b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            )],
            ProxyFault::LoginNeeded,
        ),
        (
            &[(CONNECT, b"HTTP/1.0 403 Filtered\r\n\r\n")],
            ProxyFault::Forbidden,
        ),
        (
            &[(CONNECT, b"HTTP/1.1 502 Bad\r\n\r\n<html>")],
            ProxyFault::CannotConnect,
        ),
        (
            &[(
                CONNECT,
                b"HTTP/1.1 302 Found\r\nLocation: https://login.example\r\n\r\n",
            )],
            ProxyFault::Status(302),
        ),
        (
            &[(CONNECT, b"* OK IMAP4rev1 ready\r\n")],
            ProxyFault::Protocol,
        ),
        (&[(CONNECT, b"\x05\x00")], ProxyFault::Protocol),
        (
            &[(CONNECT, b"HTTP/1.1 200 OK\r\nVia: a\x00b\r\n\r\n")],
            ProxyFault::Protocol,
        ),
        (&[(CONNECT, b"HTTP/1.1 200 OK\r\n")], ProxyFault::Closed),
        (&[(CONNECT, b"")], ProxyFault::Closed),
        // a page of a hotel's network, and bytes where the server has to be silent
        (
            &[(CONNECT, b"HTTP/1.1 200 OK\r\n\r\n<html>")],
            ProxyFault::Injected,
        ),
        (
            &[(CONNECT, b"HTTP/1.1 200 O"), (0, b"K\r\nA: b\r\n\r\n\x16")],
            ProxyFault::Injected,
        ),
    ];
    for (steps, expected) in cases {
        assert_eq!(
            fault(http(Security::ImplicitTls, steps).await),
            expected,
            "{steps:?}"
        );
    }
}

/// With STARTTLS the server greets, perhaps in the same packet: the greeting is its, to the byte.
#[tokio::test]
async fn a_greeting_behind_the_answer_is_the_servers() {
    let steps: &'static [Step] = &[
        (CONNECT, b"HTTP/1.1 200 Connection est"),
        (0, b"ablished\r\nVia: 1.1 proxy.example\r\n\r\n* OK hi\r\n"),
    ];
    let mut stream = http(Security::StartTls, steps).await.unwrap();
    let mut read = String::new();
    stream.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "* OK hi\r\n");
}

/// However an answer is cut into packets, it ends where it ends.
#[tokio::test]
async fn an_answer_may_come_in_any_pieces() {
    const ANSWER: &[u8] = b"HTTP/1.1 200 Connection established\r\nVia: a\r\n\r\n* OK hi\r\n";
    for cut in 1..ANSWER.len() {
        let (ours, mut proxys) = pair().await;
        let asking = tokio::spawn(http::connect(ours, "imap.example:993", None, false));
        let mut request = [0; CONNECT];
        proxys.read_exact(&mut request).await.unwrap();
        for piece in [&ANSWER[..cut], &ANSWER[cut..]] {
            proxys.write_all(piece).await.unwrap();
            // the other side reads what there is before more comes
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
        }
        drop(proxys);
        let mut read = String::new();
        let mut stream = asking.await.unwrap().unwrap();
        stream.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "* OK hi\r\n", "cut at {cut}");
    }
}

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    ours.set_nodelay(true).unwrap();
    let (other, _) = listener.accept().await.unwrap();
    other.set_nodelay(true).unwrap();
    (ours, other)
}

/// An answer without end is cut, whatever it consists of.
#[tokio::test]
async fn an_endless_answer_is_given_up() {
    for line in ["X-Field: more and more and more\r\n", "x"] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Proxy {
            kind: ProxyKind::Http,
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
            login: None,
        };
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let said = stream.write_all(b"HTTP/1.1 200 OK\r\nA: ").await;
            let mut going = said.is_ok();
            while going {
                going = stream.write_all(line.repeat(100).as_bytes()).await.is_ok();
            }
        });
        let endpoint = endpoint(proxy, "imap.example", Security::ImplicitTls);
        let deadline = Instant::now() + Duration::from_secs(20);
        let told = endpoint
            .proxy
            .as_ref()
            .unwrap()
            .connect(&endpoint, deadline)
            .await;
        assert_eq!(fault(told), ProxyFault::Protocol);
    }
}

#[tokio::test]
async fn answers_of_socks_are_understood() {
    const OFFER: Step = (3, b"\x05\x00");
    const ASKED: usize = 19;
    let cases: [(&'static [Step], ProxyFault); 8] = [
        (&[(3, b"\x05\xff")], ProxyFault::LoginNeeded),
        (&[(3, b"\x05\x02")], ProxyFault::LoginNeeded),
        (
            &[(3, b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            ProxyFault::Protocol,
        ),
        (&[(3, b"\x05")], ProxyFault::Closed),
        (
            &[OFFER, (ASKED, b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")],
            ProxyFault::Forbidden,
        ),
        (
            &[OFFER, (ASKED, b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00")],
            ProxyFault::CannotConnect,
        ),
        (
            &[OFFER, (ASKED, b"\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00")],
            ProxyFault::Protocol,
        ),
        (&[OFFER, (ASKED, b"\x05\x00\x00\x07")], ProxyFault::Protocol),
    ];
    for (steps, expected) in cases {
        let (told, _) = played(
            ProxyKind::Socks5,
            None,
            "imap.example",
            Security::ImplicitTls,
            steps,
        )
        .await;
        assert_eq!(fault(told), expected, "{steps:?}");
    }
}

/// A name goes to the proxy as a name, an address as an address; what follows the answer is the server's.
#[tokio::test]
async fn socks_is_given_names_and_addresses() {
    const DONE: &[u8] = b"\x05\x00\x00\x03\x01x\x00\x50* OK hi\r\n";
    let named: &'static [Step] = &[(3, b"\x05\x00"), (19, DONE)];
    let six: &'static [Step] = &[(3, b"\x05\x00"), (22, DONE)];
    let cases: [(&str, &'static [Step], &[u8]); 2] = [
        (
            "imap.example",
            named,
            b"\x05\x01\x00\x03\x0cimap.example\x03\xe1",
        ),
        (
            "::1",
            six,
            b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x03\xe1",
        ),
    ];
    for (host, steps, asked) in cases {
        let (connected, heard) =
            played(ProxyKind::Socks5, None, host, Security::StartTls, steps).await;
        assert_eq!(&heard[3..], asked);
        let mut read = String::new();
        connected.unwrap().read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "* OK hi\r\n");
    }
}

/// The password goes to the proxy that asks for it and nowhere else.
#[tokio::test]
async fn a_login_is_told_to_the_proxy_alone() {
    let refused: &'static [Step] = &[(4, b"\x05\x02"), (23, b"\x01\x01")];
    let (told, heard) = played(
        ProxyKind::Socks5,
        login("me", SECRET),
        "imap.example",
        Security::StartTls,
        refused,
    )
    .await;
    assert_eq!(&heard[4..], b"\x01\x02me\x12planted-proxy-pass");
    check_login_refused(told);

    let refused: &'static [Step] = &[(CONNECT, b"HTTP/1.1 407 No\r\n\r\n")];
    let (told, _) = played(
        ProxyKind::Http,
        login("me", SECRET),
        "imap.example",
        Security::StartTls,
        refused,
    )
    .await;
    check_login_refused(told);

    let unasked: &'static [Step] = &[(4, b"\x05\x00"), (19, b"\x05\x01\x00\x01")];
    let (_, heard) = played(
        ProxyKind::Socks5,
        login("me", SECRET),
        "imap.example",
        Security::StartTls,
        unasked,
    )
    .await;
    assert!(!String::from_utf8_lossy(&heard).contains(SECRET));
}

#[track_caller]
fn check_login_refused(told: Result<TcpStream, ConnectFault>) {
    let error = InboxError::Unreachable {
        at: "imap.example:993".to_owned(),
        fault: told.unwrap_err(),
    };
    assert_eq!(
        (error.kind(), error.class()),
        ("proxy_login_refused", Class::Auth)
    );
    let shown = format!("{error} {} {error:?}", error.hint());
    assert!(!shown.contains("planted"), "{shown}");
    assert!(shown.contains("proxy_password"), "{shown}");
}

#[test]
fn a_password_is_in_no_debug_text() {
    let proxy = Proxy {
        kind: ProxyKind::Http,
        host: "::1".to_owned(),
        port: 3128,
        login: login("me", SECRET),
    };
    assert_eq!(proxy.to_string(), "http://[::1]:3128");
    let shown = format!("{:?}", endpoint(proxy, "imap.example", Security::StartTls));
    assert!(
        shown.contains("redacted") && !shown.contains("planted"),
        "{shown}"
    );
}

/// What would end a line of the request, or its field, is not sent.
#[tokio::test]
async fn what_would_break_the_request_is_not_sent() {
    let long = "x".repeat(256);
    let cases = [
        (
            ProxyKind::Http,
            "imap.example\r\nX: y",
            None,
            ProxyFault::CannotConnect,
        ),
        (ProxyKind::Socks5, "", None, ProxyFault::CannotConnect),
        (ProxyKind::Http, &long, None, ProxyFault::CannotConnect),
        (
            ProxyKind::Http,
            "imap.example",
            login("a:b", SECRET),
            ProxyFault::LoginUnfit,
        ),
        (
            ProxyKind::Http,
            "imap.example",
            login("a", "b\r\n"),
            ProxyFault::LoginUnfit,
        ),
        (
            ProxyKind::Socks5,
            "imap.example",
            login("a", ""),
            ProxyFault::LoginUnfit,
        ),
        (
            ProxyKind::Socks5,
            "imap.example",
            login("a", &long),
            ProxyFault::LoginUnfit,
        ),
    ];
    for (kind, host, login, expected) in cases {
        let (told, heard) = played(kind, login, host, Security::ImplicitTls, &[]).await;
        assert_eq!(fault(told), expected, "{kind:?} {host}");
        assert!(heard.is_empty());
    }
}

/// Silence ends with the deadline of the whole connection, and a proxy that is gone is not gone round.
#[tokio::test]
async fn silence_and_absence_are_told() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for kind in [ProxyKind::Http, ProxyKind::Socks5] {
        let proxy = Proxy {
            kind,
            host: "127.0.0.1".to_owned(),
            port,
            login: None,
        };
        let endpoint = endpoint(proxy, "imap.example", Security::ImplicitTls);
        let deadline = Instant::now() + Duration::from_millis(200);
        let told = endpoint
            .proxy
            .as_ref()
            .unwrap()
            .connect(&endpoint, deadline)
            .await;
        assert_eq!(fault(told), ProxyFault::TimedOut);
    }
    drop(listener);
    let gone = Proxy {
        kind: ProxyKind::Socks5,
        host: "127.0.0.1".to_owned(),
        port,
        login: None,
    };
    let endpoint = endpoint(gone, "127.0.0.1", Security::ImplicitTls);
    let deadline = Instant::now() + Duration::from_secs(20);
    let told = endpoint
        .proxy
        .as_ref()
        .unwrap()
        .connect(&endpoint, deadline)
        .await;
    assert_eq!(
        fault(told),
        ProxyFault::Unreachable(Box::new(ConnectFault::Refused))
    );
}
