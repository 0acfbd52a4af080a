//! How a server is reached and recognised: IPv6, pinned keys, client certificates.

use std::path::Path;
use std::process::Command;

use sftoken::inbox::{
    Class, ClientIdentity, Endpoint, InboxError, Limits, Pin, Session, TlsFault, TlsSetup,
};
use sftoken::ingest::secret::Secret;

use crate::support::dovecot::{Dovecot, PASSWORD};
use crate::support::tls_server::TlsServer;

async fn connect(endpoint: &Endpoint) -> Result<(), InboxError> {
    let password = Secret::new(PASSWORD.to_owned()).into();
    let session = Session::connect(endpoint, &password, &Limits::default()).await?;
    session.logout().await;
    Ok(())
}

async fn fault(endpoint: &Endpoint) -> TlsFault {
    match connect(endpoint).await {
        Err(InboxError::Tls { fault, at }) => {
            assert_eq!(at, endpoint.at());
            fault
        }
        other => panic!("{endpoint:?}: {other:?}"),
    }
}

/// The same server, recognised in another way.
fn by(tls: &TlsSetup, endpoint: Endpoint) -> Endpoint {
    Endpoint {
        tls: tls.clone(),
        ..endpoint
    }
}

/// The pin of a certificate as the documentation's command prints it.
fn pin(certificate: &Path) -> Pin {
    let command = "openssl x509 -in \"$1\" -pubkey -noout | openssl pkey -pubin -outform der \
                   | openssl dgst -sha256 -binary | openssl base64";
    let output = Command::new("sh")
        .args(["-c", command, "sh"])
        .arg(certificate)
        .output()
        .unwrap();
    let digest = String::from_utf8(output.stdout).unwrap();
    Pin::parse(&format!("sha256:{}", digest.trim())).unwrap()
}

/// A self-signed certificate as Proton Bridge makes one: an authority of its own, for another name, and
/// out of date. Gives it and its key.
fn self_signed(folder: &Path) -> [String; 2] {
    std::fs::write(
        folder.join("extensions"),
        "basicConstraints=critical,CA:TRUE\n",
    )
    .unwrap();
    for line in [
        "req -newkey rsa:2048 -nodes -subj /CN=bridge.example -keyout self.key -out self.csr",
        "x509 -req -in self.csr -signkey self.key -days -1 -extfile extensions -out self.crt",
    ] {
        let output = Command::new("openssl")
            .args(line.split(' '))
            .current_dir(folder)
            .output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {line}: {said}");
    }
    ["self.crt", "self.key"].map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
}

#[tokio::test]
async fn ipv6_addresses_are_connected_to() {
    let server = Dovecot::start();
    for endpoint in [server.endpoint("ann"), server.starttls("ann")] {
        let six = Endpoint {
            host: "::1".to_owned(),
            ..endpoint
        };
        connect(&six).await.unwrap();
        assert!(six.at().starts_with("[::1]:"));
        let unknown = by(&TlsSetup::system(), six);
        assert_eq!(fault(&unknown).await, TlsFault::Untrusted);
    }
}

/// Instead of authorities: the name, the signer and the dates do not matter, the key does.
#[tokio::test]
async fn a_pinned_key_is_enough() {
    let mut server = Dovecot::start();
    let old = pin(&server.tls_file("server.crt"));
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = self_signed(folder.path());
    let new = pin(&folder.path().join("self.crt"));

    let either = TlsSetup::pinned([old, new]);
    let endpoints = |server: &Dovecot| {
        [
            server.endpoint("ann"),
            server.starttls("ann"),
            server.misnamed("ann"),
        ]
    };
    for endpoint in endpoints(&server) {
        connect(&by(&either, endpoint)).await.unwrap();
    }
    server.stop();
    std::fs::write(server.tls_file("server.crt"), certificate).unwrap();
    std::fs::write(server.tls_file("server.key"), key).unwrap();
    server.start_again();
    for endpoint in endpoints(&server) {
        connect(&by(&either, endpoint.clone())).await.unwrap();
        // without a pin, the same certificate is worth nothing
        let fault = fault(&endpoint).await;
        assert!(
            matches!(fault, TlsFault::Untrusted | TlsFault::Expired),
            "{fault:?}"
        );
    }
}

/// The authority's own pin, and any other key's, is not the server's; nothing at all pins nothing.
#[tokio::test]
async fn another_key_is_told_with_its_pin() {
    let server = Dovecot::start();
    let shown = pin(&server.tls_file("server.crt"));
    let others = [
        TlsSetup::pinned([pin(&server.ca_file()), Pin::sha256([7; 32])]),
        TlsSetup::pinned([]),
    ];
    for tls in &others {
        for endpoint in [server.endpoint("ann"), server.starttls("ann")] {
            let endpoint = by(tls, endpoint);
            assert_eq!(fault(&endpoint).await, TlsFault::PinMismatch(Some(shown)));
            let error = connect(&endpoint).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.class()),
                ("pin_mismatch", Class::Policy)
            );
            assert!(error.to_string().contains(&shown.to_string()), "{error}");
        }
    }
}

/// Nothing of IMAP goes to a server with another key: not even the greeting is read.
#[tokio::test]
async fn a_server_with_another_key_hears_no_password() {
    let server = Dovecot::start();
    let tls = TlsSetup::pinned([Pin::sha256([7; 32])]);
    let wrong = by(&tls, server.endpoint("nobody-has-logged-in"));
    assert_eq!(connect(&wrong).await.unwrap_err().kind(), "pin_mismatch");
    assert!(
        !server.log().contains("nobody-has-logged-in"),
        "{}",
        server.log()
    );
    // and the log does hold what is heard
    connect(&server.endpoint("ann")).await.unwrap();
    assert!(server.log().contains("ann"), "{}", server.log());
}

fn client(server: &Dovecot, certificate: &str, key: &str) -> ClientIdentity {
    ClientIdentity {
        certificate: server.tls_file(certificate),
        key: key_of(server, key),
    }
}

/// As a secret reference gives it: without the last line end.
fn key_of(server: &Dovecot, name: &str) -> Secret {
    let text = std::fs::read_to_string(server.tls_file(name)).unwrap();
    Secret::new(text.trim_end().to_owned())
}

#[tokio::test]
async fn a_client_certificate_is_shown() {
    let server = Dovecot::start_for_certificates();
    let authority = TlsSetup::with_file(server.ca_file());
    let pinned = TlsSetup::pinned([pin(&server.tls_file("server.crt"))]);
    for tls in [authority, pinned] {
        let known = tls.and_client(client(&server, "client.crt", "client.key"));
        for endpoint in [server.endpoint("ann"), server.starttls("ann")] {
            connect(&by(&known, endpoint.clone())).await.unwrap();
            // Dovecot takes the connection and refuses the log-in
            let error = connect(&by(&tls, endpoint)).await.unwrap_err();
            assert_eq!(error.kind(), "login_refused", "{error}");
            assert!(error.to_string().contains("certificate"), "{error}");
        }
    }
}

/// In TLS 1.2 the handshake fails; in 1.3 it is over for us before the server has judged.
#[tokio::test]
async fn a_refused_client_certificate_is_told() {
    let server = Dovecot::start();
    let folder = tempfile::tempdir().unwrap();
    let [_, key] = self_signed(folder.path());
    let stranger = ClientIdentity {
        certificate: folder.path().join("self.crt"),
        key: Secret::new(key),
    };
    let authority = TlsSetup::with_file(server.ca_file());
    for version in ["-tls1_2", "-tls1_3"] {
        let strict = TlsServer::start(&server, version);
        let at = Endpoint {
            port: strict.port,
            host: "127.0.0.1".to_owned(),
            ..server.endpoint("ann")
        };
        let refused = by(&authority.and_client(stranger.clone()), at.clone());
        assert_eq!(fault(&refused).await, TlsFault::ClientRefused, "{version}");
        let error = connect(&refused).await.unwrap_err();
        assert_eq!(error.kind(), "client_certificate_refused");
        assert_eq!(error.class(), Class::Policy);
    }
    // that none was given has a word of its own only in TLS 1.3
    let strict = TlsServer::start(&server, "-tls1_3");
    let none = Endpoint {
        port: strict.port,
        host: "127.0.0.1".to_owned(),
        ..server.endpoint("ann")
    };
    assert_eq!(fault(&none).await, TlsFault::ClientRefused);
}

#[tokio::test]
async fn a_client_certificate_that_cannot_be_used_is_told() {
    let server = Dovecot::start();
    let good = client(&server, "client.crt", "client.key");
    let plain = Secret::new("planted-no-key".to_owned());
    let cases = [
        (
            client(&server, "absent.crt", "client.key"),
            "absent.crt cannot be read",
        ),
        (
            client(&server, "client.key", "client.key"),
            "client.key holds no certificate",
        ),
        (
            client(&server, "client.crt", "server.key"),
            "client.crt and client_key do not belong together",
        ),
        (
            ClientIdentity { key: plain, ..good },
            "client_key is not a private key",
        ),
    ];
    for (client, said) in cases {
        let tls = TlsSetup::with_file(server.ca_file()).and_client(client);
        let error = connect(&by(&tls, server.endpoint("ann")))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.class()),
            ("client_certificate", Class::Policy)
        );
        let shown = format!("{error} {error:?} {tls:?}");
        assert!(shown.contains(said), "{shown}");
        assert!(
            !shown.contains("planted") && !shown.contains("PRIVATE"),
            "{shown}"
        );
    }
}
