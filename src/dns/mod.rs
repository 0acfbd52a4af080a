//! Asks the DNS for the TXT records of DKIM keys.
//!
//! Knows how to ask, and that "there is no such record" and "it could not be asked" are different
//! answers: the first refuses a mail for good, the second keeps it for another try. Never knows
//! why a name is asked for, nor what a key says. Its answers come from the system's resolver, from
//! a server that the user named, or from key files or a function alone.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use crate::ingest::keys::{KeyAnswer, KeyAnswers};

/// A question is given up after this time: a resolver that is reachable answers within
/// milliseconds or after its own retries upstream; a mail that stays undecided is tried again.
const DEADLINE: Duration = Duration::from_secs(2);
/// One try; hickory tries once more, so that a lost datagram is made good within [`DEADLINE`].
const TRY: Duration = Duration::from_millis(900);
/// Keys are few and live for hours, so a short memory is enough to serve a burst of mails, and a
/// key that its owner withdraws is forgotten soon.
const LONGEST_YES: Duration = Duration::from_secs(300);
/// A key may be published a moment after the first mail that it signed: "no" is asked again soon.
const LONGEST_NO: Duration = Duration::from_secs(5);
/// Three names a mail, and all mails of one sender share them.
const REMEMBERED: u64 = 64;

/// Where TXT records come from. Cheap to make: the first question opens it. One serves any number
/// of mailboxes, on one async runtime.
#[derive(Debug)]
pub struct Resolver {
    source: Source,
    /// Opened by the first question, and again after a failure: the system's configuration may
    /// have changed with the network.
    open: Mutex<Option<TokioResolver>>,
}

enum Source {
    System,
    Server(SocketAddr),
    Files(KeyAnswers),
    Other(Box<dyn Fn(&str) -> KeyAnswer + Send + Sync>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("System"),
            Self::Server(address) => write!(f, "Server({address})"),
            Self::Files(_) => f.write_str("Files"),
            Self::Other(_) => f.write_str("Other"),
        }
    }
}

impl Resolver {
    /// The system's resolver (`/etc/resolv.conf`, or the registry of Windows).
    #[must_use]
    pub fn system() -> Self {
        Self::new(Source::System)
    }

    /// One server, over UDP and TCP: `--dns HOST:PORT`.
    #[must_use]
    pub fn server(address: SocketAddr) -> Self {
        Self::new(Source::Server(address))
    }

    /// Key files alone: `--keys FILE`. Never asks the network; a name that no file holds is absent.
    #[must_use]
    pub fn from_files(keys: KeyAnswers) -> Self {
        Self::new(Source::Files(keys))
    }

    /// Whatever a library user has: a cache, a service, a test whose DNS is down for a while. It must
    /// answer at once, and [`KeyAnswer::Unknown`] where it cannot know.
    #[must_use]
    pub fn from_fn(answer: impl Fn(&str) -> KeyAnswer + Send + Sync + 'static) -> Self {
        Self::new(Source::Other(Box::new(answer)))
    }

    fn new(source: Source) -> Self {
        let open = Mutex::new(None);
        Self { source, open }
    }

    /// The TXT records of these names, asked all at once; takes two seconds at most, and always
    /// holds an answer for each name.
    pub async fn ask(&self, names: &[String]) -> KeyAnswers {
        let mut answers = KeyAnswers::default();
        match &self.source {
            Source::Files(keys) => return keys.answering(names.iter().map(String::as_str)),
            Source::Other(answer) => {
                names
                    .iter()
                    .for_each(|name| answers.insert(name, answer(name)));
                return answers;
            }
            Source::System | Source::Server(_) => {}
        }
        for (name, answer) in self.ask_network(names).await {
            answers.insert(&name, answer);
        }
        answers
    }

    async fn ask_network(&self, names: &[String]) -> Vec<(String, KeyAnswer)> {
        let Some(resolver) = (!names.is_empty()).then(|| self.opened()).flatten() else {
            let unknown = |name: &String| (name.clone(), KeyAnswer::Unknown);
            return names.iter().map(unknown).collect();
        };
        let mut running = JoinSet::new();
        for name in distinct(names) {
            running.spawn(one(resolver.clone(), name));
        }
        let answers = running.join_all().await;
        if answers
            .iter()
            .any(|(_, answer)| *answer == KeyAnswer::Unknown)
        {
            *self.lock() = None;
        }
        answers
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<TokioResolver>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> Option<TokioResolver> {
        let mut open = self.lock();
        if open.is_none() {
            *open = self
                .connect()
                .inspect_err(|error| tracing::warn!(%error, "the system's resolver cannot be used"))
                .ok();
        }
        open.clone()
    }

    fn connect(&self) -> Result<TokioResolver, NetError> {
        let mut builder = match &self.source {
            Source::Server(address) => {
                TokioResolver::builder_with_config(only(*address), TokioRuntimeProvider::default())
            }
            Source::System | Source::Files(_) | Source::Other(_) => TokioResolver::builder_tokio()?,
        };
        tune(builder.options_mut());
        builder.build()
    }
}

/// A configuration of one server.
fn only(address: SocketAddr) -> ResolverConfig {
    let mut ways = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for way in &mut ways {
        way.port = address.port();
    }
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(address.ip(), true, ways)])
}

/// Absolute names, no hosts file, bounded time and bounded memory (facts: authenticity, 3.5).
fn tune(options: &mut ResolverOpts) {
    options.ndots = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = TRY;
    options.attempts = 1;
    options.edns0 = true;
    options.cache_size = REMEMBERED;
    options.positive_max_ttl = Some(LONGEST_YES);
    options.negative_max_ttl = Some(LONGEST_NO);
}

fn distinct(names: &[String]) -> std::collections::BTreeSet<String> {
    names.iter().cloned().collect()
}

async fn one(resolver: TokioResolver, name: String) -> (String, KeyAnswer) {
    // A name that cannot be written in the DNS (a label above 63 octets) cannot stand in it.
    let Ok(mut absolute) = Name::from_ascii(&name) else {
        return (name, KeyAnswer::Absent);
    };
    absolute.set_fqdn(true);
    let lookup = resolver.lookup(absolute, RecordType::TXT);
    let answer = match tokio::time::timeout(DEADLINE, lookup).await {
        Ok(Ok(lookup)) => records(&lookup),
        Ok(Err(error)) => missing(&name, &error),
        Err(_) => could_not_ask(&name, "no answer in time"),
    };
    (name, answer)
}

fn records(lookup: &Lookup) -> KeyAnswer {
    let texts: Vec<String> = lookup
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::TXT(text) => Some(joined(text)),
            _ => None,
        })
        .collect();
    match lookup.message().metadata.response_code {
        ResponseCode::NoError if !texts.is_empty() => KeyAnswer::Records(texts),
        ResponseCode::NoError | ResponseCode::NXDomain => KeyAnswer::Absent,
        _ => KeyAnswer::Unknown,
    }
}

/// A record's strings belong together without anything between them (RFC 6376, 3.6.2.2).
fn joined(text: &TXT) -> String {
    String::from_utf8_lossy(&text.txt_data.concat()).into_owned()
}

/// Tells "no" from "could not ask". A referral without an answer is not a "no": it comes from a
/// server that does not answer for others.
fn missing(name: &str, error: &NetError) -> KeyAnswer {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(no)) => match (no.response_code, &no.ns, &no.soa) {
            (ResponseCode::NXDomain, _, _) => KeyAnswer::Absent,
            (ResponseCode::NoError, None, _) | (ResponseCode::NoError, _, Some(_)) => {
                KeyAnswer::Absent
            }
            _ => could_not_ask(name, "the server refers to another one"),
        },
        error => could_not_ask(name, &error.to_string()),
    }
}

fn could_not_ask(name: &str, why: &str) -> KeyAnswer {
    tracing::debug!(name, why, "the DNS could not be asked");
    KeyAnswer::Unknown
}
