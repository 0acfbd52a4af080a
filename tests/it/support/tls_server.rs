//! A TLS server that ends a handshake without the right client certificate, as Dovecot does not.
//!
//! Knows `openssl s_server`. Never speaks IMAP. Its certificates are a [`Dovecot`]'s.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::dovecot::{Dovecot, PORTS, free_ports};

/// The server. Dropping it ends it.
pub(crate) struct TlsServer {
    /// Where it listens, on 127.0.0.1.
    pub(crate) port: u16,
    child: Child,
}

impl TlsServer {
    /// Starts it with the certificates of `like`; `version` is `-tls1_2` or `-tls1_3`.
    pub(crate) fn start(like: &Dovecot, version: &str) -> Self {
        let _one_at_a_time = PORTS
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let [port] = free_ports();
        let file = |name| like.tls_file(name);
        let mut child = Command::new("openssl")
            .args(["s_server", "-Verify", "1", "-verify_return_error", version])
            .args(["-accept", &format!("127.0.0.1:{port}")])
            .arg("-cert")
            .arg(file("server.crt"))
            .arg("-key")
            .arg(file("server.key"))
            .arg("-CAfile")
            .arg(file("ca.crt"))
            // it ends when its input does
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ACCEPT"));
        // what it prints further is read, so that it does not stall
        std::thread::spawn(move || lines.for_each(drop));
        Self { port, child }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
