//! A delivery by LMTP (RFC 2033), as a mail server would make it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Delivers one mail to the LMTP server at `port`.
pub(super) fn deliver(port: u16, user: &str, mail: &[u8]) {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut lmtp = BufReader::new(stream);
    reply(&mut lmtp);
    let mut say = |bytes: &[u8]| {
        lmtp.get_mut().write_all(bytes).unwrap();
        reply(&mut lmtp);
    };
    say(b"LHLO client.example\r\n");
    say(b"MAIL FROM:<sender@salesforce.example>\r\n");
    say(format!("RCPT TO:<{user}@mail.example>\r\n").as_bytes());
    say(b"DATA\r\n");
    say(&stuffed(mail));
}

fn reply(lmtp: &mut BufReader<TcpStream>) {
    loop {
        let mut line = String::new();
        lmtp.read_line(&mut line).unwrap();
        assert!(line.starts_with(['2', '3']), "LMTP said {line:?}");
        if line.as_bytes().get(3) == Some(&b' ') {
            return;
        }
    }
}

/// Lines with CRLF, dots doubled, and the final dot.
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in mail
        .strip_suffix(b"\n")
        .unwrap_or(mail)
        .split(|&b| b == b'\n')
    {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}
