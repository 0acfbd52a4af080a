//! A port of the server.
//!
//! Knows TCP on the loopback interface. Never has TLS. Its data comes from whoever connects.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Server;

/// A port of the server; it is closed when this is dropped, with the connections to it.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Listener {
    pub(super) async fn open(server: Server) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(accept(server, listener));
        Ok(Self {
            address,
            _task: task,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(server: Server, listener: TcpListener) {
    let mut clients = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        // those that ended: a server that lives long must not keep them
        while clients.try_join_next().is_some() {}
        if server.accepts() {
            clients.spawn(server.clone().serve(stream));
        }
    }
}
