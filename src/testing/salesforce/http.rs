//! As much of HTTP/1.1 as the log-in needs, without a runtime.
//!
//! Knows one request and one answer, and the ways in which there is none. Never keeps a connection. Its data comes from
//! a stream.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use super::Fault;
use crate::testing::oauth::form;

/// The largest request.
const MAX_REQUEST: usize = 256 * 1024;

pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: BTreeMap<String, String>,
    pub(super) body: String,
}

pub(super) enum Reply {
    Page {
        status: u16,
        kind: &'static str,
        body: String,
        /// `Location`
        to: Option<String>,
    },
    Silence,
    Cut,
}

impl Reply {
    pub(super) fn page(status: u16, kind: &'static str, body: impl Into<String>) -> Self {
        Self::Page {
            status,
            kind,
            body: body.into(),
            to: None,
        }
    }

    /// What a fault looks like that is none of Salesforce's own.
    pub(super) fn failing(fault: &Fault) -> Option<Self> {
        let portal = "<html>Please log in to this network</html>";
        Some(match fault {
            Fault::Status(status) => Self::page(*status, "text/html", "<html>an error</html>"),
            Fault::Html => Self::page(200, "text/html", portal),
            Fault::Garbage => Self::page(200, "text/xml", "\u{1}\u{2}<<&&{{]]"),
            Fault::Huge => Self::page(200, "text/xml", " ".repeat(4 << 20)),
            Fault::Answer(status, body) => Self::page(*status, "text/xml", body),
            Fault::Redirect(to) => Self::Page {
                status: 302,
                kind: "text/html",
                body: String::new(),
                to: Some(to.clone()),
            },
            Fault::Silence => Self::Silence,
            Fault::Cut => Self::Cut,
            _ => return None,
        })
    }
}

pub(super) fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(request) = parse(&bytes) {
            return Some(request);
        }
        let count = stream.read(&mut buffer).ok().filter(|&count| count > 0)?;
        bytes.extend_from_slice(buffer.get(..count)?);
        if bytes.len() > MAX_REQUEST {
            return None;
        }
    }
}

/// `None` while it is not whole.
fn parse(bytes: &[u8]) -> Option<Request> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let head = str::from_utf8(bytes.get(..end)?).ok()?;
    let body = bytes.get(end + 4..)?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Some(0), |(_, value)| value.trim().parse().ok())?;
    let body = String::from_utf8_lossy(body.get(..length)?).into_owned();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request {
        method,
        path: path.to_owned(),
        query: form(query),
        body,
    })
}

/// A client that has gone away is no concern of ours.
pub(super) fn answer(stream: &mut TcpStream, reply: &Reply) {
    let (status, kind, body, to) = match reply {
        Reply::Cut => return,
        Reply::Silence => {
            // until it has enough of it
            while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
            return;
        }
        Reply::Page {
            status,
            kind,
            body,
            to,
        } => (status, kind, body, to),
    };
    let to = to.as_ref().map(|to| format!("Location: {to}\r\n"));
    let head = format!(
        "HTTP/1.1 {status} {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n",
        body.len(),
        to.unwrap_or_default()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
}
