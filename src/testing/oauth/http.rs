//! As much of HTTP/1.1 as a test's provider needs.
//!
//! Knows one request with its form, one answer, and the ways in which there is none. Never keeps a connection. Its data comes from a stream.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The largest request.
const MAX_REQUEST: usize = 64 * 1024;

/// How an endpoint fails, instead of doing its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, with this body.
    Answer(u16, String),
    /// A page for people, as from a captive portal, with status 200.
    Html,
    /// An answer without an end in sight.
    Huge,
    /// Somewhere else, please.
    Redirect(String),
    /// Nothing; the connection stays open.
    Silence,
    /// The connection is cut.
    Cut,
}

pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) basic: Option<(String, String)>,
    pub(super) body: String,
}

pub(super) enum Reply {
    Bytes(Vec<u8>),
    Silence,
    Cut,
}

pub(super) async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = parse(&bytes) {
            return Some(request);
        }
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.ok().filter(|&n| n > 0)?;
        bytes.extend_from_slice(buffer.get(..count)?);
        if bytes.len() > MAX_REQUEST {
            return None;
        }
    }
}

/// `None` while it is not whole.
fn parse(bytes: &[u8]) -> Option<Request> {
    let text = str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let headers: BTreeMap<String, &str> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(Some(0), |n| n.parse().ok())?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: form(query),
        basic: headers.get("authorization").and_then(|value| basic(value)),
        body: body.get(..length)?.to_owned(),
    })
}

fn basic(value: &str) -> Option<(String, String)> {
    let text = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id), decoded(secret)))
}

pub(in crate::testing) fn form(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(k, v)| (decoded(k), decoded(v))).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (hex(rest.next()), hex(rest.next())) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or(b'?'),
                _ => b'?',
            },
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn answer(status: u16, kind: &str, body: &str) -> Reply {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    Reply::Bytes(text.into_bytes())
}

pub(super) fn redirect(to: &str) -> Reply {
    let text = format!(
        "HTTP/1.1 302 302\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    Reply::Bytes(text.into_bytes())
}

pub(super) fn failing(fault: &Fault) -> Reply {
    match fault {
        Fault::Answer(status, body) => answer(*status, "application/json", body),
        Fault::Html => answer(
            200,
            "text/html",
            "<html>Please log in to this network</html>",
        ),
        Fault::Huge => answer(200, "application/json", &" ".repeat(4 << 20)),
        Fault::Redirect(to) => redirect(to),
        Fault::Silence => Reply::Silence,
        Fault::Cut => Reply::Cut,
    }
}

pub(super) fn refuse(status: u16, error: &str, description: &str) -> Reply {
    let body = json!({"error": error, "error_description": description});
    answer(status, "application/json", &body.to_string())
}
