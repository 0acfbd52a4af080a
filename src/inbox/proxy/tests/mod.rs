//! Proxies that misbehave, on real sockets; those that behave are in `tests/it`.

mod http;
mod socks;

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
