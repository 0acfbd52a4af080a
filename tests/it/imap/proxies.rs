//! Through real proxies, to a real Dovecot.

use std::time::Duration;

use sftoken::inbox::{
    Class, ConnectFault, Endpoint, InboxError, Limits, Proxy, ProxyFault, ProxyKind, Session,
    TlsFault, TlsSetup,
};
use sftoken::ingest::secret::Secret;

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::proxy::{self, ProxyServer};

const KINDS: [ProxyKind; 2] = [ProxyKind::Socks5, ProxyKind::Http];

async fn connect(endpoint: &Endpoint) -> Result<(), InboxError> {
    let password = Secret::new(PASSWORD.to_owned()).into();
    let limits = Limits {
        // a tinyproxy that is spoken to in SOCKS5 waits for the end of a line
        connect: Duration::from_secs(5),
        ..Limits::default()
    };
    let session = Session::connect(endpoint, &password, &limits).await?;
    session.logout().await;
    Ok(())
}

fn through(proxy: Proxy, endpoint: Endpoint) -> Endpoint {
    Endpoint {
        proxy: Some(proxy),
        ..endpoint
    }
}

async fn fault(endpoint: &Endpoint) -> ProxyFault {
    let error = connect(endpoint).await.unwrap_err();
    let shown = format!("{error} {error:?} {}", error.hint());
    assert!(!shown.contains("planted"), "{shown}");
    match error {
        InboxError::Unreachable {
            fault: ConnectFault::Proxy { proxy, fault },
            at,
        } => {
            assert_eq!(at, endpoint.at());
            assert_eq!(proxy, endpoint.proxy.as_ref().unwrap().to_string());
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn both_kinds_of_proxy_connect() {
    let server = Dovecot::start();
    for kind in KINDS {
        let proxy = ProxyServer::start(kind);
        for endpoint in [server.endpoint("ann"), server.starttls("ann")] {
            for host in ["localhost", "127.0.0.1", "::1"] {
                let host = host.to_owned();
                let endpoint = Endpoint {
                    host,
                    ..endpoint.clone()
                };
                connect(&through(proxy.proxy(), endpoint)).await.unwrap();
            }
        }
        if kind == ProxyKind::Http {
            let asked = format!("CONNECT {}", server.endpoint("ann").at());
            assert!(proxy.log().contains(&asked), "{}", proxy.log());
        }
    }
}

#[tokio::test]
async fn a_proxys_login_is_understood() {
    let server = Dovecot::start();
    for kind in KINDS {
        let proxy = ProxyServer::start_with_login(kind);
        let known = through(proxy.proxy_with(proxy::PASSWORD), server.endpoint("ann"));
        connect(&known).await.unwrap();
        let wrong = through(proxy.proxy_with("planted-wrong"), server.endpoint("ann"));
        assert_eq!(fault(&wrong).await, ProxyFault::LoginRefused, "{kind:?}");
        let nobody = through(proxy.proxy(), server.endpoint("ann"));
        assert_eq!(fault(&nobody).await, ProxyFault::LoginNeeded, "{kind:?}");
        assert_eq!(connect(&nobody).await.unwrap_err().class(), Class::Policy);
    }
}

/// The proxy may lead anywhere: who is there is judged as without it.
#[tokio::test]
async fn tls_is_checked_through_a_proxy() {
    let server = Dovecot::start();
    for kind in KINDS {
        let proxy = ProxyServer::start(kind);
        let cases = [
            (server.misnamed("ann"), TlsFault::NameMismatch),
            (
                Endpoint {
                    tls: TlsSetup::system(),
                    ..server.endpoint("ann")
                },
                TlsFault::Untrusted,
            ),
        ];
        for (endpoint, expected) in cases {
            match connect(&through(proxy.proxy(), endpoint)).await {
                Err(InboxError::Tls { fault, .. }) => assert_eq!(fault, expected),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_by_the_proxy() {
    let server = Dovecot::start();
    // bound, so that nobody else gets the port, and not listening
    let closed = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let here: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    closed.bind(&here.into()).unwrap();
    let port = closed.local_addr().unwrap().as_socket().unwrap().port();
    for kind in KINDS {
        let proxy = ProxyServer::start(kind);
        let nowhere = Endpoint {
            host: "127.0.0.1".to_owned(),
            port,
            ..server.endpoint("ann")
        };
        let nowhere = through(proxy.proxy(), nowhere);
        assert_eq!(fault(&nowhere).await, ProxyFault::CannotConnect, "{kind:?}");
    }
}

#[tokio::test]
async fn a_forbidden_port_is_told() {
    let server = Dovecot::start();
    let proxy = ProxyServer::start_with_rules("ConnectPort 443\n");
    let endpoint = through(proxy.proxy(), server.endpoint("ann"));
    assert_eq!(fault(&endpoint).await, ProxyFault::Forbidden);
}

/// A proxy that is gone, or is none of its kind, is an error, never a reason to go without it.
#[tokio::test]
async fn a_proxy_is_never_gone_round() {
    let server = Dovecot::start();
    for (kind, other) in [(KINDS[0], KINDS[1]), (KINDS[1], KINDS[0])] {
        let running = ProxyServer::start(kind);
        let mistaken = Proxy {
            kind: other,
            ..running.proxy()
        };
        let mistaken = fault(&through(mistaken, server.endpoint("ann"))).await;
        assert!(
            matches!(
                mistaken,
                ProxyFault::Protocol | ProxyFault::Closed | ProxyFault::TimedOut
            ),
            "{mistaken:?}"
        );
        let gone = through(running.proxy(), server.endpoint("ann"));
        drop(running);
        let told = fault(&gone).await;
        assert_eq!(
            told,
            ProxyFault::Unreachable(Box::new(ConnectFault::Refused))
        );
    }
}
