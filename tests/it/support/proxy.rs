//! Throw-away proxies on loopback: microsocks for SOCKS5, tinyproxy for HTTP CONNECT.
//!
//! Knows how to start either, with a log-in of its own if one is wanted. Never uses the machine's own
//! configuration of them. Needs the programs of the same names: without them it panics.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sftoken::inbox::{Proxy, ProxyKind, ProxyLogin};
use sftoken::ingest::secret::Secret;
use tempfile::TempDir;

use super::dovecot::{PORTS, free_ports};

/// The user of a proxy that wants a log-in.
pub(crate) const USER: &str = "proxy-user";
/// Its password.
pub(crate) const PASSWORD: &str = "planted-proxy-pass";

/// A proxy. Dropping it ends it.
pub(crate) struct ProxyServer {
    kind: ProxyKind,
    port: u16,
    folder: TempDir,
    child: Child,
}

impl ProxyServer {
    /// Starts a proxy that takes everyone.
    pub(crate) fn start(kind: ProxyKind) -> Self {
        Self::launch(kind, false, "")
    }

    /// Starts one that wants [`USER`] and [`PASSWORD`].
    pub(crate) fn start_with_login(kind: ProxyKind) -> Self {
        Self::launch(kind, true, "")
    }

    /// Starts tinyproxy with more lines in its configuration.
    pub(crate) fn start_with_rules(rules: &str) -> Self {
        Self::launch(ProxyKind::Http, false, rules)
    }

    fn launch(kind: ProxyKind, login: bool, rules: &str) -> Self {
        let _one_at_a_time = PORTS
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let [port] = free_ports();
        let folder = tempfile::Builder::new()
            .prefix("sftoken-proxy-")
            .tempdir()
            .unwrap();
        let mut command = match kind {
            ProxyKind::Socks5 => microsocks(port, login),
            ProxyKind::Http => tinyproxy(port, login, rules, &folder),
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need `microsocks` and `tinyproxy`: apt-get install microsocks tinyproxy-bin");
        let mut server = Self {
            kind,
            port,
            folder,
            child,
        };
        server.await_port();
        server
    }

    /// How it is reached, without a log-in.
    pub(crate) fn proxy(&self) -> Proxy {
        Proxy {
            kind: self.kind,
            host: "localhost".to_owned(),
            port: self.port,
            login: None,
        }
    }

    /// The same with this password.
    pub(crate) fn proxy_with(&self, password: &str) -> Proxy {
        Proxy {
            login: Some(ProxyLogin {
                user: USER.to_owned(),
                password: Secret::new(password.to_owned()),
            }),
            ..self.proxy()
        }
    }

    /// What tinyproxy wrote about its connections.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn await_port(&mut self) {
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < end,
                "{:?} does not start: {ended:?}",
                self.kind
            );
            // nothing tells when it listens
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for ProxyServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn microsocks(port: u16, login: bool) -> Command {
    let mut command = Command::new("microsocks");
    command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
    if login {
        command.args(["-u", USER, "-P", PASSWORD]);
    }
    command
}

fn tinyproxy(port: u16, login: bool, rules: &str, folder: &TempDir) -> Command {
    let login = if login {
        format!("BasicAuth {USER} {PASSWORD}\n")
    } else {
        String::new()
    };
    let log = folder.path().join("log");
    let config = format!(
        "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 50\n\
         LogFile \"{}\"\nLogLevel Connect\n{login}{rules}",
        log.display()
    );
    let file = folder.path().join("tinyproxy.conf");
    fs::write(&file, config).unwrap();
    let mut command = Command::new("tinyproxy");
    command.arg("-d").arg("-c").arg(file);
    command
}
