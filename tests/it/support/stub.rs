//! A server that answers as it is told, and keeps what it was asked.
//!
//! Knows as much of HTTP/1.1 as a REST client's test needs, and TLS where a test wants it. Never leaves loopback. Lives in
//! threads of its own, and is gone with the test.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslVerifyMode};
use serde_json::Value;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: String,
    body: String,
}

impl From<(u16, String)> for Reply {
    fn from((status, body): (u16, String)) -> Self {
        Self {
            status,
            headers: String::new(),
            body,
        }
    }
}

impl Reply {
    /// With one header more.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }
}

/// The server.
pub(crate) struct Stub {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    /// Starts it. A status and a body are an answer.
    pub(crate) fn start<R: Into<Reply>>(
        answer: impl Fn(&Asked) -> R + Send + Sync + 'static,
    ) -> Self {
        Self::start_at((std::net::Ipv4Addr::LOCALHOST, 0).into(), answer)
    }

    /// The same, at a certain address.
    pub(crate) fn start_at<R: Into<Reply>>(
        address: std::net::SocketAddr,
        answer: impl Fn(&Asked) -> R + Send + Sync + 'static,
    ) -> Self {
        Self::with(address, None, answer)
    }

    /// Starts it with TLS, as `localhost`, with the certificates of a folder. With `clients`, it takes those only who
    /// show a certificate of the folder's authority.
    pub(crate) fn private<R: Into<Reply>>(
        folder: &Path,
        clients: bool,
        answer: impl Fn(&Asked) -> R + Send + Sync + 'static,
    ) -> Self {
        let mut tls = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        tls.set_certificate_chain_file(folder.join("server.crt"))
            .unwrap();
        tls.set_private_key_file(folder.join("server.key"), SslFiletype::PEM)
            .unwrap();
        if clients {
            tls.set_ca_file(folder.join("ca.crt")).unwrap();
            tls.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        let anywhere = (std::net::Ipv4Addr::LOCALHOST, 0).into();
        Self::with(anywhere, Some(tls.build()), answer)
    }

    fn with<R: Into<Reply>>(
        address: std::net::SocketAddr,
        tls: Option<SslAcceptor>,
        answer: impl Fn(&Asked) -> R + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (kept, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                let tls = tls.clone();
                thread::spawn(move || {
                    let answer = |asked: &Asked| (*answer)(asked).into();
                    match tls {
                        None => serve(stream, &kept, answer),
                        // a client that does not trust us is gone
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream) {
                                serve(stream, &kept, answer);
                            }
                        }
                    }
                });
            }
        });
        Self { port, asked }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        locked(&self.asked).clone()
    }
}

fn locked(asked: &Mutex<Vec<Asked>>) -> std::sync::MutexGuard<'_, Vec<Asked>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(
    mut stream: impl Read + Write,
    kept: &Mutex<Vec<Asked>>,
    answer: impl Fn(&Asked) -> Reply,
) {
    let Some(asked) = read(&mut stream) else {
        return;
    };
    locked(kept).push(asked.clone());
    let Reply {
        status,
        headers,
        body,
    } = answer(&asked);
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         {headers}Connection: close\r\n\r\n{body}"
    );
    // whoever asked may be gone
    let _ = stream.write_all(text.as_bytes());
}

fn read(stream: &mut impl Read) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|&count| count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(asked) = parse(std::str::from_utf8(&bytes).ok()?) {
            return Some(asked);
        }
    }
}

/// `None` while it is not whole.
fn parse(text: &str) -> Option<Asked> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(Some(0), |n| n.parse().ok())?;
    Some(Asked {
        body: body.get(..length)?.to_owned(),
        method,
        path,
        headers,
    })
}

/// Asks another stub the same, for one that changes only some answers.
pub(crate) fn forward(authority: &str, asked: &Asked) -> (u16, String) {
    let mut stream = TcpStream::connect(authority).unwrap();
    let mut text = format!("{} {} HTTP/1.1\r\n", asked.method, asked.path);
    for (name, value) in &asked.headers {
        text += &format!("{name}: {value}\r\n");
    }
    stream
        .write_all(format!("{text}\r\n{}", asked.body).as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}
