//! The way to a server through a proxy.
//!
//! Knows two kinds of proxies and that each connects us and is then out of the way. Never trusts one: TLS is
//! checked against the server's name as without it, and the proxy, not this machine, looks that name up.
//! Its data comes from an [`Endpoint`], never from variables such as `HTTPS_PROXY`.

mod http;
mod socks;

use std::fmt;
use std::net::IpAddr;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::dial::dial;
use super::{ConnectFault, Endpoint, ProxyFault, Security};
use crate::ingest::secret::Secret;

/// A proxy, and who we are to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User and password, if it wants them. Both reach the proxy unencrypted: that is how either kind
    /// asks for them.
    pub login: Option<ProxyLogin>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// SOCKS5 (RFC 1928), with a password as in RFC 1929.
    Socks5,
    /// HTTP `CONNECT` (RFC 9110, 9.3.6), with a password as in RFC 7617.
    Http,
}

/// Who we are to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyLogin {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

impl Proxy {
    /// Connects to the endpoint's server.
    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        deadline: Instant,
    ) -> Result<TcpStream, ConnectFault> {
        let named = |fault| ConnectFault::Proxy {
            proxy: self.to_string(),
            fault,
        };
        let stream = dial(&self.host, self.port, deadline).await;
        let stream = stream.map_err(|fault| named(ProxyFault::Unreachable(Box::new(fault))))?;
        match timeout_at(deadline, self.ask(stream, endpoint)).await {
            Ok(asked) => asked.map_err(named),
            Err(_) => Err(named(ProxyFault::TimedOut)),
        }
    }

    async fn ask(&self, stream: TcpStream, endpoint: &Endpoint) -> Result<TcpStream, ProxyFault> {
        let (host, port) = (endpoint.host.as_str(), endpoint.port);
        // a name stands between bytes of ours: it must not be able to end before them
        if host.is_empty() || host.len() > 255 || !host.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(ProxyFault::CannotConnect);
        }
        let login = self.login.as_ref();
        match self.kind {
            ProxyKind::Socks5 => socks::connect(stream, host, port, login).await,
            ProxyKind::Http => {
                // with STARTTLS it is the server that speaks first
                let silent = endpoint.security == Security::ImplicitTls;
                http::connect(stream, &authority(host, port), login, silent).await
            }
        }
    }
}

/// `HOST:PORT`, an IPv6 address in brackets.
pub(super) fn authority(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        _ => format!("{host}:{port}"),
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Socks5 => "socks5",
            ProxyKind::Http => "http",
        };
        write!(f, "{scheme}://{}", authority(&self.host, self.port))
    }
}

#[cfg(test)]
mod tests;
