//! HTTP proxies that misbehave.

use super::*;
use crate::inbox::proxy::http::connect;

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
        let asking = tokio::spawn(connect(ours, "imap.example:993", None, false));
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
