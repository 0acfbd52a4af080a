use std::future::pending;
use std::pin::Pin;
use std::sync::Mutex;

use super::*;

type Attempt = Pin<Box<dyn Future<Output = io::Result<SocketAddr>> + Send>>;

fn addresses(list: &[&str]) -> Vec<SocketAddr> {
    let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), 993);
    list.iter().map(address).collect()
}

#[track_caller]
fn ordered(given: &[&str], expected: &[&str]) {
    let ordered = interleaved(addresses(given));
    assert_eq!(ordered, addresses(expected));
}

#[test]
fn families_take_turns() {
    ordered(
        &[
            "2001:db8::1",
            "2001:db8::2",
            "2001:db8::3",
            "192.0.2.1",
            "192.0.2.2",
        ],
        &[
            "2001:db8::1",
            "192.0.2.1",
            "2001:db8::2",
            "192.0.2.2",
            "2001:db8::3",
        ],
    );
    // where the system prefers IPv4, it has a reason
    ordered(&["192.0.2.1", "2001:db8::1"], &["192.0.2.1", "2001:db8::1"]);
    ordered(
        &["192.0.2.1", "192.0.2.2", "192.0.2.1"],
        &["192.0.2.1", "192.0.2.2"],
    );
    ordered(&[], &[]);
}

#[test]
fn an_answer_with_thousands_of_addresses_is_cut() {
    let many =
        (0..5000_u16).map(|at| SocketAddr::from(([198, 51, (at >> 8) as u8, at as u8], 993)));
    let ordered = interleaved(many);
    assert_eq!(ordered.len(), MAX_ADDRESSES);
}

#[test]
fn no_such_name_is_not_could_not_ask() {
    let told = |text: &str| look_up_fault(&format!("failed to lookup address information: {text}"));
    for text in [
        "Name or service not known",
        "nodename nor servname provided, or not known",
        "No address associated with hostname",
        "Name does not resolve",
    ] {
        assert_eq!(told(text), ConnectFault::UnknownHost);
    }
    for text in [
        "Temporary failure in name resolution",
        "Non-recoverable failure in name resolution",
        "Try again",
        "System error",
    ] {
        assert_eq!(told(text), ConnectFault::LookUpFailed);
    }
}

/// What an address does: by its last number.
fn behave(address: SocketAddr) -> Attempt {
    let ends = |kind: io::ErrorKind| -> Attempt { Box::pin(async move { Err(kind.into()) }) };
    match address.ip().to_string().rsplit(['.', ':']).next() {
        Some("1") => Box::pin(async move { Ok(address) }),
        Some("2") => ends(io::ErrorKind::ConnectionRefused),
        Some("3") => ends(io::ErrorKind::NetworkUnreachable),
        Some("4") => Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            Ok(address)
        }),
        _ => Box::pin(pending()),
    }
}

/// Who won or what is told, how long it took, and how many were asked.
async fn raced(list: &[&str]) -> (Result<String, ConnectFault>, Duration, usize) {
    let begun = Instant::now();
    let asked = Mutex::new(0);
    let connect = |address| {
        *asked.lock().unwrap() += 1;
        behave(address)
    };
    let won = race(addresses(list), connect, begun + Duration::from_secs(10)).await;
    let asked = *asked.lock().unwrap();
    (won.map(|won| won.ip().to_string()), begun.elapsed(), asked)
}

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn the_first_to_answer_wins_and_the_rest_are_not_asked() {
    let (won, took, asked) = raced(&["192.0.2.1", "192.0.2.9"]).await;
    assert_eq!((won.unwrap().as_str(), asked), ("192.0.2.1", 1));
    assert!(took < ATTEMPT_DELAY);
}

#[tokio::test(start_paused = true)]
async fn a_dead_address_costs_one_pause() {
    let (won, took, _) = raced(&["2001:db8::9", "192.0.2.1"]).await;
    assert_eq!(won.unwrap(), "192.0.2.1");
    assert!(
        took >= ATTEMPT_DELAY && took < ATTEMPT_DELAY + 10 * MS,
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_refuses_costs_nothing() {
    let (won, took, _) = raced(&["2001:db8::2", "2001:db8::3", "192.0.2.1"]).await;
    assert_eq!(won.unwrap(), "192.0.2.1");
    assert!(took < ATTEMPT_DELAY, "{took:?}");
}

/// An earlier attempt goes on while later ones begin, and may still win.
#[tokio::test(start_paused = true)]
async fn a_slow_address_still_counts() {
    let (won, took, asked) = raced(&["2001:db8::4", "192.0.2.9", "192.0.2.9"]).await;
    assert_eq!((won.unwrap().as_str(), asked), ("2001:db8::4", 2));
    assert!(took >= 400 * MS && took < 410 * MS, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_most_useful_fault_is_told() {
    let cases: [(&[&str], ConnectFault, u128); 6] = [
        (&[], ConnectFault::UnknownHost, 0),
        (&["2001:db8::3", "192.0.2.2"], ConnectFault::Refused, 0),
        (&["2001:db8::2", "192.0.2.3"], ConnectFault::Refused, 0),
        (&["2001:db8::3", "192.0.2.3"], ConnectFault::Failed, 0),
        (&["2001:db8::3", "192.0.2.9"], ConnectFault::TimedOut, 10),
        (&["2001:db8::9", "192.0.2.2"], ConnectFault::Refused, 10),
    ];
    for (list, expected, seconds) in cases {
        let (told, took, _) = raced(list).await;
        assert_eq!(told.unwrap_err(), expected, "{list:?}");
        assert_eq!((took.as_millis() + 500) / 1000, seconds, "{list:?}");
    }
}

/// Real sockets: a listener whose queue is full drops every packet that would open a connection.
#[tokio::test]
async fn a_real_dead_address_costs_no_seconds() {
    let socket = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0)).into())
        .unwrap();
    socket.listen(0).unwrap();
    let dead = socket.local_addr().unwrap().as_socket().unwrap();
    let mut queued = Vec::new();
    // as many as the queue takes: the next one hears nothing
    while let Ok(connected) = tokio::time::timeout(300 * MS, TcpStream::connect(dead)).await {
        queued.push(connected.unwrap());
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let alive = listener.local_addr().unwrap();
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(60);
    let stream = race(vec![dead, alive], TcpStream::connect, deadline)
        .await
        .unwrap();
    assert_eq!(stream.peer_addr().unwrap(), alive);
    // a second lost packet alone would be 3 s
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_real_address_that_refuses_is_passed_over() {
    let closed = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None).unwrap();
    closed
        .bind(&SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 0)).into())
        .unwrap();
    let closed = closed.local_addr().unwrap().as_socket().unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let alive = listener.local_addr().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let stream = race(vec![closed, alive], TcpStream::connect, deadline)
        .await
        .unwrap();
    assert_eq!(stream.peer_addr().unwrap(), alive);
    let told = race(vec![closed], TcpStream::connect, deadline)
        .await
        .unwrap_err();
    assert_eq!(told, ConnectFault::Refused);
}
