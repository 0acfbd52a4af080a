//! A connection to a server: TCP, by a proxy if one is configured, then TLS.
//!
//! Knows the order of the layers and how a dead link is noticed. Never knows IMAP (STARTTLS is asked for
//! by [`login`](super::login)), never goes round a proxy. Its data comes from an [`Endpoint`].

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::dial::dial;
use super::wire::Io;
use super::{Endpoint, InboxError, Phase};

/// Connects to the server, or to it through its proxy.
pub(super) async fn tcp(
    endpoint: &Endpoint,
    at: &str,
    deadline: Instant,
    liveness: Duration,
) -> Result<TcpStream, InboxError> {
    let connected = match &endpoint.proxy {
        None => dial(&endpoint.host, endpoint.port, deadline).await,
        Some(proxy) => proxy.connect(endpoint, deadline).await,
    };
    match connected {
        Ok(stream) => Ok(tuned(stream, &Probes::within(liveness))),
        Err(fault) => Err(InboxError::Unreachable {
            at: at.to_owned(),
            fault,
        }),
    }
}

/// Makes a connection private; the server must be the endpoint's.
pub(super) async fn tls(
    endpoint: &Endpoint,
    at: &str,
    stream: Box<dyn Io>,
    deadline: Instant,
) -> Result<Box<dyn Io>, InboxError> {
    let shaken = endpoint.tls.handshake(&endpoint.host, stream);
    match timeout_at(deadline, shaken).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(fault)) => Err(InboxError::Tls {
            at: at.to_owned(),
            fault,
        }),
        Err(_) => Err(InboxError::Timeout {
            at: at.to_owned(),
            phase: Phase::Tls,
        }),
    }
}

/// How the kernel asks a silent peer whether it is still there.
#[derive(Debug, PartialEq, Eq)]
struct Probes {
    /// The silence before the first probe.
    idle: Duration,
    /// The pause between two probes.
    interval: Duration,
    /// How many may stay unanswered.
    count: u32,
    /// How long anything sent may stay unanswered.
    answer: Duration,
}

impl Probes {
    /// The most probes: one lost packet must not be taken for a dead link, nor three.
    const MOST: u64 = 4;

    /// A third of the time is silence, the rest are probes. The kernel counts whole seconds, and takes no
    /// zero.
    fn within(liveness: Duration) -> Self {
        // socket options are 16 bits wide on some systems
        let all = liveness.as_secs().clamp(1, 32_767);
        let idle = (all / 3).max(1);
        let interval = ((all - idle) / Self::MOST).max(1);
        let count = ((all - idle) / interval).clamp(1, Self::MOST);
        Self {
            idle: Duration::from_secs(idle),
            interval: Duration::from_secs(interval),
            count: u32::try_from(count).unwrap_or(1),
            answer: Duration::from_secs(all),
        }
    }
}

/// A quiet mailbox and a dead link look alike: the kernel tells them apart (facts, 3.2). Through a proxy it
/// sees no further than to the proxy. A socket that does not take an option still works, so failures are
/// left alone.
fn tuned(stream: TcpStream, probes: &Probes) -> TcpStream {
    let keepalive = TcpKeepalive::new()
        .with_time(probes.idle)
        .with_interval(probes.interval)
        .with_retries(probes.count);
    {
        let socket = SockRef::from(&stream);
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_tcp_keepalive(&keepalive);
        #[cfg(target_os = "linux")]
        let _ = socket.set_tcp_user_timeout(Some(probes.answer));
    }
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_end_within_the_liveness() {
        for seconds in 2..10_000 {
            let probes = Probes::within(Duration::from_secs(seconds));
            let dead = probes.idle + probes.interval * probes.count;
            assert!(dead.as_secs() <= seconds, "{seconds}: {probes:?}");
            assert!(dead.as_secs() > seconds / 2, "{seconds}: {probes:?}");
            assert!(probes.idle.as_secs() >= 1 && probes.interval.as_secs() >= 1);
            assert_eq!(probes.answer.as_secs(), seconds);
        }
        let default = Probes::within(crate::inbox::Limits::default().liveness);
        let told = [default.idle, default.interval, default.answer].map(|time| time.as_secs());
        assert_eq!((told, default.count), ([10, 5, 30], 4));
        // what is no whole second, or more than a socket takes, is still something
        for odd in [Duration::ZERO, Duration::from_millis(1), Duration::MAX] {
            let probes = Probes::within(odd);
            assert!(!probes.idle.is_zero() && !probes.answer.is_zero() && probes.count > 0);
        }
    }

    #[tokio::test]
    async fn the_kernel_has_the_numbers() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let probes = Probes::within(Duration::from_secs(60));
        let stream = tuned(stream, &probes);
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && socket.tcp_nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(
            Probes {
                idle: socket.tcp_keepalive_time().unwrap(),
                interval: socket.tcp_keepalive_interval().unwrap(),
                count: socket.tcp_keepalive_retries().unwrap(),
                answer: socket.tcp_user_timeout().unwrap().unwrap(),
            },
            probes
        );
    }
}
