//! A DNS server for tests, in process, over UDP and TCP.
//!
//! Knows TXT records, and the ways in which a server fails: no such name, "server failure", no
//! word at all. Never asks another server. Its answers are given by the test, and can be changed
//! while it runs.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hickory_resolver::proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use crate::ingest::keys::{KeyAnswer, KeyAnswers};

/// What the server says of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// These TXT records; long ones are cut into strings of 255 octets, as in the real DNS.
    Records(Vec<String>),
    /// The name exists, and has no TXT record.
    NoData,
    /// No such name. Said of every name that nobody set.
    NxDomain,
    /// Something went wrong upstream.
    ServFail,
    /// It does not answer such questions.
    Refused,
    /// Nothing.
    Silent,
}

/// The largest UDP answer; above it the client is sent to TCP (RFC 1035, 4.2.1; EDNS is ignored, so
/// that a test sees truncation with keys of ordinary length).
const UDP_LIMIT: usize = 512;

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct State {
    says: BTreeMap<String, Says>,
    asked: HashMap<String, usize>,
    asked_by_tcp: usize,
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl DnsServer {
    /// Starts a server on a free port of the loopback interface. It knows no names yet.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start() -> io::Result<Self> {
        let (tcp, udp) = sockets().await?;
        let address = tcp.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, Arc::clone(&state)));
        tasks.spawn(serve_tcp(tcp, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            _tasks: tasks,
        })
    }

    /// Where it listens, over UDP and TCP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what it says of a name from now on.
    pub fn set(&self, name: &str, says: Says) {
        locked(&self.state).says.insert(plain(name), says);
    }

    /// Takes over the records of a key file, for these names.
    pub fn set_keys<'n>(&self, keys: &KeyAnswers, names: impl IntoIterator<Item = &'n str>) {
        for name in names {
            let says = match keys.get(name) {
                KeyAnswer::Records(records) => Says::Records(records.clone()),
                KeyAnswer::Absent => Says::NxDomain,
                KeyAnswer::Unknown => Says::ServFail,
            };
            self.set(name, says);
        }
    }

    /// How often a name was asked for; tries of one question count each.
    #[must_use]
    pub fn asked(&self, name: &str) -> usize {
        let state = locked(&self.state);
        state.asked.get(&plain(name)).copied().unwrap_or_default()
    }

    /// How often anything was asked.
    #[must_use]
    pub fn asked_in_all(&self) -> usize {
        locked(&self.state).asked.values().sum()
    }

    /// How many of the questions came over TCP.
    #[must_use]
    pub fn asked_by_tcp(&self) -> usize {
        locked(&self.state).asked_by_tcp
    }
}

/// One port for both protocols: TCP takes a free one, UDP must get the same.
async fn sockets() -> io::Result<(TcpListener, UdpSocket)> {
    let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..16 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((tcp, udp)),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn serve_udp(socket: UdpSocket, state: Arc<Mutex<State>>) {
    let mut buffer = [0; 4096];
    while let Ok((size, client)) = socket.recv_from(&mut buffer).await {
        let Some(answer) = answer(&buffer[..size], &state) else {
            continue;
        };
        let Ok(mut bytes) = answer.to_vec() else {
            continue;
        };
        if bytes.len() > UDP_LIMIT {
            bytes = answer.truncate().to_vec().unwrap_or_default();
        }
        // A client that has gone away is no concern of the server.
        let _ = socket.send_to(&bytes, client).await;
    }
}

async fn serve_tcp(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut clients = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        clients.spawn(serve_client(stream, Arc::clone(&state)));
    }
}

async fn serve_client(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    while exchange(&mut stream, &state).await.is_ok() {}
}

/// One question over TCP: two octets of length stand before each message (RFC 1035, 4.2.2).
async fn exchange(stream: &mut TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let size = stream.read_u16().await?;
    let mut question = vec![0; usize::from(size)];
    stream.read_exact(&mut question).await?;
    locked(state).asked_by_tcp += 1;
    let Some(answer) = answer(&question, state).and_then(|answer| answer.to_vec().ok()) else {
        return Ok(());
    };
    let size = u16::try_from(answer.len()).map_err(io::Error::other)?;
    stream.write_u16(size).await?;
    stream.write_all(&answer).await
}

/// The answer to a question, or silence.
fn answer(bytes: &[u8], state: &Mutex<State>) -> Option<Message> {
    let question = Message::from_vec(bytes).ok()?;
    let query = question.queries.first()?.clone();
    let name = plain(&query.name().to_ascii());
    let mut state = locked(state);
    *state.asked.entry(name.clone()).or_default() += 1;
    let says = state.says.get(&name).unwrap_or(&Says::NxDomain);
    respond(&question, &query, says)
}

fn respond(question: &Message, query: &Query, says: &Says) -> Option<Message> {
    let mut answer = Message::new(
        question.metadata.id,
        MessageType::Response,
        question.metadata.op_code,
    );
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_query(query.clone());
    answer.metadata.response_code = match says {
        Says::Records(_) | Says::NoData => ResponseCode::NoError,
        Says::NxDomain => ResponseCode::NXDomain,
        Says::ServFail => ResponseCode::ServFail,
        Says::Refused => ResponseCode::Refused,
        Says::Silent => return None,
    };
    if let (Says::Records(records), RecordType::TXT) = (says, query.query_type()) {
        for record in records {
            let data = RData::TXT(strings(record));
            answer.add_answer(Record::from_rdata(query.name().clone(), 300, data));
        }
    }
    Some(answer)
}

fn strings(record: &str) -> TXT {
    TXT::from_bytes(record.as_bytes().chunks(255).collect())
}
