//! TLS in front of a server that has none, with a certificate of a private authority for `localhost`.

use std::net::SocketAddr;
use std::path::Path;

use native_tls::Identity;
use tokio::net::{TcpListener, TcpStream};

use super::dovecot::certificates;

/// Starts it; its certificates stand in `folder`. Gives its port on 127.0.0.1.
pub(crate) async fn with_tls(target: SocketAddr, folder: &Path) -> u16 {
    certificates(folder);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let identity = Identity::from_pkcs8(&read("server.crt"), &read("server.key")).unwrap();
    let acceptor = native_tls::TlsAcceptor::new(identity).unwrap();
    let acceptor = tokio_native_tls::TlsAcceptor::from(acceptor);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut near = acceptor.accept(stream).await?;
                let mut far = TcpStream::connect(target).await?;
                tokio::io::copy_bidirectional(&mut near, &mut far).await?;
                Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
            });
        }
    });
    port
}
