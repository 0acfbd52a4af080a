//! SOCKS5 proxies that misbehave.

use super::*;

#[tokio::test]
async fn answers_of_socks_are_understood() {
    const OFFER: Step = (3, b"\x05\x00");
    const ASKED: usize = 19;
    let cases: [(&'static [Step], ProxyFault); 8] = [
        (&[(3, b"\x05\xff")], ProxyFault::LoginNeeded),
        (&[(3, b"\x05\x02")], ProxyFault::LoginNeeded),
        (
            &[(3, b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            ProxyFault::Protocol,
        ),
        (&[(3, b"\x05")], ProxyFault::Closed),
        (
            &[OFFER, (ASKED, b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00")],
            ProxyFault::Forbidden,
        ),
        (
            &[OFFER, (ASKED, b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00")],
            ProxyFault::CannotConnect,
        ),
        (
            &[OFFER, (ASKED, b"\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00")],
            ProxyFault::Protocol,
        ),
        (&[OFFER, (ASKED, b"\x05\x00\x00\x07")], ProxyFault::Protocol),
    ];
    for (steps, expected) in cases {
        let (told, _) = played(
            ProxyKind::Socks5,
            None,
            "imap.example",
            Security::ImplicitTls,
            steps,
        )
        .await;
        assert_eq!(fault(told), expected, "{steps:?}");
    }
}

/// A name goes to the proxy as a name, an address as an address; what follows the answer is the server's.
#[tokio::test]
async fn socks_is_given_names_and_addresses() {
    const DONE: &[u8] = b"\x05\x00\x00\x03\x01x\x00\x50* OK hi\r\n";
    let named: &'static [Step] = &[(3, b"\x05\x00"), (19, DONE)];
    let six: &'static [Step] = &[(3, b"\x05\x00"), (22, DONE)];
    let cases: [(&str, &'static [Step], &[u8]); 2] = [
        (
            "imap.example",
            named,
            b"\x05\x01\x00\x03\x0cimap.example\x03\xe1",
        ),
        (
            "::1",
            six,
            b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x03\xe1",
        ),
    ];
    for (host, steps, asked) in cases {
        let (connected, heard) =
            played(ProxyKind::Socks5, None, host, Security::StartTls, steps).await;
        assert_eq!(&heard[3..], asked);
        let mut read = String::new();
        connected.unwrap().read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "* OK hi\r\n");
    }
}
