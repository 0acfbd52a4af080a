//! The inbox against a real Dovecot over real TLS.

use std::time::{Duration, Instant};

use sftoken::inbox::{
    Class, ConnectFault, Credential, Endpoint, Folder, InboxError, Limits, Phase, Security,
    Session, TlsFault, TlsSetup, Wake,
};
use sftoken::ingest::secret::Secret;

use crate::support::dovecot::{Dovecot, PASSWORD};

const MAIL: &[u8] = b"From: a@salesforce.example\r\nSubject: Your new token\r\nX-Other: no\r\n\r\nbody \xff (((\r\n";

fn password() -> Credential {
    Secret::new(PASSWORD.to_owned()).into()
}

async fn connect(endpoint: &Endpoint) -> Result<Session, InboxError> {
    Session::connect(endpoint, &password(), &Limits::default()).await
}

/// A session in INBOX that has searched, and the next UID.
async fn watching(endpoint: &Endpoint) -> (Session, Folder, u32) {
    let mut session = connect(endpoint).await.unwrap();
    let folder = session.resolve_folder("INBOX").await.unwrap();
    let next = session.examine(&folder).await.unwrap().uid_next.unwrap();
    assert_eq!(session.search_from(next).await.unwrap(), [] as [u32; 0]);
    (session, folder, next)
}

#[tokio::test]
async fn tls_and_starttls_connect() {
    let server = Dovecot::start();
    for endpoint in [server.endpoint("ann"), server.starttls("ann")] {
        let (session, ..) = watching(&endpoint).await;
        session.logout().await;
    }
    // the certificate is for the address too
    let endpoint = Endpoint {
        host: "127.0.0.1".to_owned(),
        ..server.endpoint("ann")
    };
    connect(&endpoint).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_told_as_such() {
    let server = Dovecot::start();
    for endpoint in [server.endpoint("ann"), server.starttls("ann")] {
        let wrong = Secret::new("planted-wrong-pass".to_owned()).into();
        let error = Session::connect(&endpoint, &wrong, &Limits::default())
            .await
            .unwrap_err();
        assert!(
            matches!(&error, InboxError::LoginRefused { code: Some(code), .. } if code == "AUTHENTICATIONFAILED"),
            "{error:?}"
        );
        assert_eq!(error.class(), Class::Auth);
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_is_told_as_such() {
    let server = Dovecot::start();
    let good = server.endpoint("ann");
    let cases = [
        (
            Endpoint {
                tls: TlsSetup::system(),
                ..good.clone()
            },
            TlsFault::Untrusted,
        ),
        (
            Endpoint {
                tls: TlsSetup::system(),
                ..server.starttls("ann")
            },
            TlsFault::Untrusted,
        ),
        (server.misnamed("ann"), TlsFault::NameMismatch),
        // a port without TLS
        (
            Endpoint {
                port: server.starttls("ann").port,
                ..good
            },
            TlsFault::Handshake,
        ),
    ];
    for (endpoint, expected) in cases {
        match connect(&endpoint).await.unwrap_err() {
            InboxError::Tls { fault, .. } => assert_eq!(fault, expected, "{endpoint:?}"),
            other => panic!("{endpoint:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_ca_file_without_certificates_is_told_as_such() {
    let server = Dovecot::start();
    for (path, said) in [
        ("/nowhere/ca.pem", "cannot be read"),
        ("Cargo.toml", "no certificate"),
    ] {
        let endpoint = Endpoint {
            tls: TlsSetup::with_file(path),
            ..server.endpoint("ann")
        };
        let error = connect(&endpoint).await.unwrap_err();
        assert_eq!(error.kind(), "ca_file");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn nobody_there_is_told_as_such() {
    // bound, so that nobody else gets the port, and not listening
    let port = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let here: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    port.bind(&here.into()).unwrap();
    let closed = Endpoint {
        host: "127.0.0.1".to_owned(),
        port: port.local_addr().unwrap().as_socket().unwrap().port(),
        security: Security::ImplicitTls,
        user: "ann".to_owned(),
        tls: TlsSetup::system(),
        proxy: None,
    };
    // a name with spaces is known to be none without asking any DNS
    let unknown = Endpoint {
        host: "no such host.example".to_owned(),
        ..closed.clone()
    };
    for (endpoint, expected) in [
        (closed, ConnectFault::Refused),
        (unknown, ConnectFault::UnknownHost),
    ] {
        match connect(&endpoint).await.unwrap_err() {
            InboxError::Unreachable { fault, .. } => assert_eq!(fault, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn new_mail_wakes_and_is_fetched_unseen() {
    let server = Dovecot::start();
    let (mut session, _, next) = watching(&server.endpoint("ann")).await;
    let waiting = tokio::spawn(async move {
        let wake = session.wait().await;
        (session, wake)
    });
    server.deliver("ann", MAIL);
    let (mut session, wake) = waiting.await.unwrap();
    assert_eq!(wake.unwrap(), Wake::Changed);
    assert_eq!(session.search_from(next).await.unwrap(), [next]);

    let heads = session.heads(&[next, next + 1]).await.unwrap();
    let [head] = &heads[..] else {
        panic!("{heads:?}")
    };
    let age = jiff::Timestamp::now().duration_since(head.internal_date.unwrap());
    assert!(age.abs() < jiff::SignedDuration::from_mins(5), "{age:?}");
    let header = String::from_utf8_lossy(&head.header).to_lowercase();
    assert!(
        header.contains("subject: your new token") && !header.contains("x-other"),
        "{header}"
    );

    let body = session.body(next).await.unwrap().unwrap();
    assert_eq!(body.len(), usize::try_from(head.size).unwrap());
    assert!(body.ends_with(b"\r\n\r\nbody \xff (((\r\n"));
    assert_eq!(session.body(next + 1).await.unwrap(), None);
    assert!(session.last_roundtrip().elapsed() < Duration::from_secs(60));
    session.logout().await;
    assert_eq!(server.flags("ann"), [""], "the mail was marked");
}

/// Before IDLE is asked for, after the search: the server tells it once, and it is not missed.
#[tokio::test]
async fn mail_between_search_and_idle_is_not_lost() {
    let server = Dovecot::start();
    let (mut session, _, next) = watching(&server.endpoint("ann")).await;
    server.deliver("ann", MAIL);
    // another command swallows the EXISTS that IDLE would have told
    assert_eq!(session.body(next).await.unwrap(), None);
    assert_eq!(session.wait().await.unwrap(), Wake::Changed);
    assert_eq!(session.search_from(next).await.unwrap(), [next]);
    server.deliver("ann", MAIL);
    assert_eq!(session.wait().await.unwrap(), Wake::Changed);
    assert_eq!(session.search_from(next + 1).await.unwrap(), [next + 1]);
}

#[tokio::test]
async fn idle_is_renewed_in_time() {
    let server = Dovecot::start();
    let limits = Limits {
        idle_renew: Duration::from_millis(300),
        ..Limits::default()
    };
    let mut session = Session::connect(&server.endpoint("ann"), &password(), &limits)
        .await
        .unwrap();
    let inbox = session.resolve_folder("INBOX").await.unwrap();
    session.examine(&inbox).await.unwrap();
    session.search_from(1).await.unwrap();
    for _ in 0..3 {
        assert_eq!(session.wait().await.unwrap(), Wake::Renew);
    }
}

#[tokio::test]
async fn a_mail_is_fetched_byte_for_byte_and_found_by_day() {
    let server = Dovecot::start();
    let large: Vec<u8> = MAIL
        .iter()
        .copied()
        .chain(b"(\"{5}\r\n".repeat(20_000))
        .collect();
    server.put("ann", "", MAIL);
    server.put("ann", "", &large);
    let mut session = connect(&server.endpoint("ann")).await.unwrap();
    let inbox = session.resolve_folder("inbox").await.unwrap();
    let state = session.examine(&inbox).await.unwrap();
    assert_eq!((state.exists, state.uid_next), (2, Some(3)));
    let today = jiff::tz::Offset::UTC
        .to_datetime(jiff::Timestamp::now())
        .date();
    assert_eq!(
        session
            .search_since(today.yesterday().unwrap())
            .await
            .unwrap(),
        [1, 2]
    );
    assert_eq!(
        session
            .search_since(today.saturating_add(jiff::Span::new().days(3)))
            .await
            .unwrap(),
        [] as [u32; 0]
    );
    let mut bodies = [
        session.body(1).await.unwrap().unwrap(),
        session.body(2).await.unwrap().unwrap(),
    ];
    bodies.sort_by_key(Vec::len);
    assert_eq!(bodies[0], MAIL);
    assert!(bodies[1] == large);
}

#[tokio::test]
async fn junk_is_found_and_other_names_are_taken_as_they_are() {
    let server = Dovecot::start();
    server.put("ann", "Spam", MAIL);
    server.put("ann", "Entw&APw-rfe", MAIL);
    let mut session = connect(&server.endpoint("ann")).await.unwrap();
    for (name, wire) in [("\\Junk", "Spam"), ("Entwürfe", "Entw&APw-rfe")] {
        let folder = session.resolve_folder(name).await.unwrap();
        assert_eq!(folder.as_str(), wire);
        assert_eq!(session.examine(&folder).await.unwrap().exists, 1, "{name}");
    }
    assert_eq!(
        session.resolve_folder("\\All").await.unwrap_err().kind(),
        "no_such_folder"
    );
    let nowhere = session.resolve_folder("Nowhere").await.unwrap();
    assert_eq!(
        session.examine(&nowhere).await.unwrap_err().kind(),
        "no_such_folder"
    );
    // and the connection still works
    let inbox = session.resolve_folder("INBOX").await.unwrap();
    assert_eq!(session.examine(&inbox).await.unwrap().exists, 0);
}

#[tokio::test]
async fn a_server_that_ends_is_a_disconnect_and_may_come_back() {
    let mut server = Dovecot::start();
    for end in [Dovecot::stop, Dovecot::kill] {
        let (mut session, ..) = watching(&server.endpoint("ann")).await;
        let waiting = tokio::spawn(async move { session.wait().await });
        end(&mut server);
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.class()),
            ("disconnected", Class::Network),
            "{error}"
        );
        server.start_again();
    }
    connect(&server.endpoint("ann")).await.unwrap();
}

#[tokio::test]
async fn uidvalidity_changes_when_the_server_forgets() {
    let mut server = Dovecot::start();
    server.deliver("ann", MAIL);
    let before = {
        let mut session = connect(&server.endpoint("ann")).await.unwrap();
        let inbox = session.resolve_folder("INBOX").await.unwrap();
        session.examine(&inbox).await.unwrap().uid_validity
    };
    server.stop();
    server.forget_uids("ann");
    // UIDVALIDITY is the second of its making
    tokio::time::sleep(Duration::from_millis(1100)).await;
    server.start_again();
    let mut session = connect(&server.endpoint("ann")).await.unwrap();
    let inbox = session.resolve_folder("INBOX").await.unwrap();
    assert_ne!(session.examine(&inbox).await.unwrap().uid_validity, before);
}

#[tokio::test]
async fn a_frozen_server_is_given_up() {
    let server = Dovecot::start();
    let short = Duration::from_millis(400);
    let limits = Limits {
        connect: short,
        login: short,
        command: short,
        ..Limits::default()
    };
    let mut session = Session::connect(
        &server.endpoint("ann"),
        &password(),
        &Limits {
            command: short,
            ..Limits::default()
        },
    )
    .await
    .unwrap();
    server.freeze();
    let begun = Instant::now();
    // the kernel still accepts connections for it
    for (endpoint, phase) in [
        (server.endpoint("ann"), Phase::Tls),
        (server.starttls("ann"), Phase::Login),
    ] {
        match Session::connect(&endpoint, &password(), &limits)
            .await
            .unwrap_err()
        {
            InboxError::Timeout { phase: told, .. } => assert_eq!(told, phase),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(session.search_from(1).await.unwrap_err().kind(), "timeout");
    assert!(begun.elapsed() < Duration::from_secs(5));
    server.thaw();
    // the answer that comes now is not waited for, and not taken for another's
    assert_eq!(
        session.search_from(1).await.unwrap_err().kind(),
        "disconnected"
    );
    connect(&server.endpoint("ann")).await.unwrap();
}
