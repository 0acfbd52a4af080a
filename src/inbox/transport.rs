//! A private connection to a server: TCP to the first address that answers, then TLS.
//!
//! Knows addresses, keepalive, certificates. Never knows IMAP (STARTTLS is asked for by
//! [`login`](super::login)), never turns a check off. Its data comes from an [`Endpoint`].

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

use super::wire::Io;
use super::{ConnectFault, Endpoint, InboxError, Phase, TlsFault};

/// How long one address may take while others wait: two SYNs (RFC 8305 would start them side by side).
const PER_ADDRESS: Duration = Duration::from_secs(4);

/// When a quiet link is probed: below the 5 minutes after which the hastiest NAT boxes forget it.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// How often it is probed then, and how many probes may fail.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_PROBES: u32 = 3;

/// Connects by TCP, to each of the host's addresses until one answers.
pub(super) async fn tcp(
    endpoint: &Endpoint,
    at: &str,
    deadline: Instant,
) -> Result<TcpStream, InboxError> {
    let unreachable = |fault| InboxError::Unreachable {
        at: at.to_owned(),
        fault,
    };
    let found = timeout_at(
        deadline,
        lookup_host((endpoint.host.as_str(), endpoint.port)),
    )
    .await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => Vec::new(),
        Err(_) => return Err(unreachable(ConnectFault::TimedOut)),
    };
    let mut fault = ConnectFault::UnknownHost;
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = if index + 1 < addresses.len() {
            left.min(PER_ADDRESS)
        } else {
            left
        };
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(tuned(stream)),
            Ok(Err(error)) => fault = fault_of(&error),
            Err(_) => fault = ConnectFault::TimedOut,
        }
    }
    Err(unreachable(fault))
}

fn fault_of(error: &io::Error) -> ConnectFault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectFault::Refused,
        io::ErrorKind::TimedOut => ConnectFault::TimedOut,
        _ => ConnectFault::Failed,
    }
}

/// A quiet mailbox and a dead link look alike: the kernel tells them apart within two minutes (facts,
/// 3.2). A socket that does not take an option still works, so failures are left alone.
fn tuned(stream: TcpStream) -> TcpStream {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    {
        let socket = SockRef::from(&stream);
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_tcp_keepalive(&keepalive);
        #[cfg(target_os = "linux")]
        let _ = socket
            .set_tcp_user_timeout(Some(KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_PROBES));
    }
    stream
}

/// Wraps a connection in TLS; the certificate must be valid for the endpoint's host.
pub(super) async fn tls(
    endpoint: &Endpoint,
    at: &str,
    stream: Box<dyn Io>,
    deadline: Instant,
) -> Result<Box<dyn Io>, InboxError> {
    let fault = |fault| InboxError::Tls {
        at: at.to_owned(),
        fault,
    };
    let connector = endpoint.authorities.connector().map_err(fault)?;
    let connector = tokio_native_tls::TlsConnector::from(connector);
    match timeout_at(deadline, connector.connect(&endpoint.host, stream)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => {
            let why = tls_fault(&error);
            if why == TlsFault::Untrusted {
                endpoint.authorities.forget();
            }
            Err(fault(why))
        }
        Err(_) => Err(InboxError::Timeout {
            at: at.to_owned(),
            phase: Phase::Tls,
        }),
    }
}

/// native-tls has no kinds of errors, so its text is looked at: OpenSSL's words; elsewhere the answer is
/// [`TlsFault::Handshake`] more often. The text itself is not kept.
fn tls_fault(error: &native_tls::Error) -> TlsFault {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&[
        "hostname mismatch",
        "ip address mismatch",
        "cn name",
        "host name",
    ]) {
        TlsFault::NameMismatch
    } else if says(&["expired", "not yet valid"]) {
        TlsFault::Expired
    } else if says(&[
        "verify failed",
        "untrusted",
        "not trusted",
        "self-signed",
        "self signed",
        "issuer",
    ]) {
        TlsFault::Untrusted
    } else {
        TlsFault::Handshake
    }
}
