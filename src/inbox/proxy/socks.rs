//! SOCKS5: asks a proxy for a connection.
//!
//! Knows what its refusals mean. Never looks the server's name up: the proxy does (what curl calls
//! `socks5h`). Its data comes from the proxy, read to the byte by tokio-socks.
//!
//! NOTE: tokio-socks (0.5.3) builds the log-in in a buffer of its own, inside of the future that connects, and
//! does not wipe it. The proxy's password therefore stays in freed memory until that is used again, as it goes
//! over the wire unencrypted anyway (RFC 1929). The mailbox's password never comes here.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;
use tokio_socks::{Error, TargetAddr};

use super::{ProxyFault, ProxyLogin};

pub(super) async fn connect(
    stream: TcpStream,
    host: &str,
    port: u16,
    login: Option<&ProxyLogin>,
) -> Result<TcpStream, ProxyFault> {
    let target = match host.parse::<IpAddr>() {
        Ok(address) => TargetAddr::Ip(SocketAddr::new(address, port)),
        Err(_) => TargetAddr::Domain(host.into(), port),
    };
    let connected = match login {
        None => Socks5Stream::connect_with_socket(stream, target).await,
        Some(login) => {
            let password = login.password.expose();
            Socks5Stream::connect_with_password_and_socket(stream, target, &login.user, password)
                .await
        }
    };
    connected.map(Socks5Stream::into_inner).map_err(fault_of)
}

fn fault_of(error: Error) -> ProxyFault {
    match error {
        Error::Io(_) => ProxyFault::Closed,
        Error::NoAcceptableAuthMethods | Error::AuthorizationRequired => ProxyFault::LoginNeeded,
        Error::PasswordAuthFailure(_) => ProxyFault::LoginRefused,
        Error::InvalidAuthValues(_) => ProxyFault::LoginUnfit,
        Error::ConnectionNotAllowedByRuleset => ProxyFault::Forbidden,
        Error::GeneralSocksServerFailure
        | Error::NetworkUnreachable
        | Error::HostUnreachable
        | Error::ConnectionRefused
        | Error::TtlExpired
        | Error::AddressTypeNotSupported => ProxyFault::CannotConnect,
        _ => ProxyFault::Protocol,
    }
}
