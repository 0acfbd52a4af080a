//! TCP to a host of many addresses: whichever answers first.
//!
//! Knows how attempts are ordered and spaced (RFC 8305). Never knows what the connection is for. Its data
//! is a name, which the system's resolver turns into addresses.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::ConnectFault;

/// The pause between two attempts while none has failed: what RFC 8305 (section 5) recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The most addresses that are tried: large providers have eight of a family, and an answer may hold
/// thousands.
const MAX_ADDRESSES: usize = 16;

/// Look-ups at one time, in the whole process: each takes a thread until the system's resolver gives up,
/// whether anyone still waits for it or not. A thousand mailboxes that begin together need no thousand
/// threads.
static LOOK_UPS: Semaphore = Semaphore::const_new(32);

/// Connects to a host.
pub(super) async fn dial(
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<TcpStream, ConnectFault> {
    let addresses = match timeout_at(deadline, look_up(host, port)).await {
        Ok(Ok(addresses)) => interleaved(addresses),
        Ok(Err(error)) => return Err(look_up_fault(&error.to_string())),
        Err(_) => return Err(ConnectFault::TimedOut),
    };
    race(addresses, TcpStream::connect, deadline).await
}

async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let permit = LOOK_UPS.acquire().await.map_err(io::Error::other)?;
    let place = (host.to_owned(), port);
    spawn_blocking(move || {
        let _until_the_resolver_is_done = permit;
        place.to_socket_addrs().map(Iterator::collect)
    })
    .await?
}

/// "There is no such name" and "could not ask" are two answers; the standard library has them in words only
/// (those of glibc, macOS, musl and Windows).
fn look_up_fault(text: &str) -> ConnectFault {
    let none = [
        "not known",
        "No address associated",
        "does not resolve",
        "No such host is known",
    ];
    match none.iter().any(|words| text.contains(words)) {
        true => ConnectFault::UnknownHost,
        false => ConnectFault::LookUpFailed,
    }
}

/// One of each family in turn, so that a family that does not work costs one attempt. The system's order
/// says which comes first (RFC 6724): IPv6 wherever it works and nobody configured it otherwise.
fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut known: Vec<SocketAddr> = Vec::new();
    for address in addresses {
        if !known.contains(&address) && known.len() < 4 * MAX_ADDRESSES {
            known.push(address);
        }
    }
    let six_first = known.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = known
        .into_iter()
        .partition(|address| address.is_ipv6() == six_first);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    while ordered.len() < MAX_ADDRESSES {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            break;
        }
        ordered.extend(pair.into_iter().flatten());
    }
    ordered
}

/// Begins an attempt every [`ATTEMPT_DELAY`], or at once when one fails; the first to connect wins, and
/// the others are dropped.
async fn race<T, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
    deadline: Instant,
) -> Result<T, ConnectFault>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut waiting = addresses.into_iter();
    let mut running = JoinSet::new();
    let mut told = ConnectFault::UnknownHost;
    let mut next_at = Instant::now();
    while waiting.len() > 0 || !running.is_empty() {
        tokio::select! {
            biased;
            Some(ended) = running.join_next() => match ended {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => {
                    told = more_useful(told, fault_of(&error));
                    next_at = Instant::now();
                }
                Err(_) => told = more_useful(told, ConnectFault::Failed),
            },
            () = sleep_until(deadline) => return Err(more_useful(told, ConnectFault::TimedOut)),
            () = sleep_until(next_at), if waiting.len() > 0 => {
                if let Some(address) = waiting.next() {
                    running.spawn(connect(address));
                }
                next_at = Instant::now() + ATTEMPT_DELAY;
            }
        }
    }
    Err(told)
}

fn fault_of(error: &io::Error) -> ConnectFault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectFault::Refused,
        io::ErrorKind::TimedOut => ConnectFault::TimedOut,
        _ => ConnectFault::Failed,
    }
}

/// Of two addresses' faults, the one that tells more: a host that refuses is there, one that is silent may
/// be, and that there is no way is mostly said of a family that this machine does not have.
fn more_useful(one: ConnectFault, other: ConnectFault) -> ConnectFault {
    let rank = |fault: &ConnectFault| match fault {
        ConnectFault::Refused => 3,
        ConnectFault::TimedOut => 2,
        ConnectFault::Failed => 1,
        _ => 0,
    };
    if rank(&other) > rank(&one) {
        other
    } else {
        one
    }
}

#[cfg(test)]
#[path = "dial_tests.rs"]
mod tests;
