//! One request, one bounded answer.
//!
//! Knows HTTPS, deadlines and limits. Never follows a redirect, never speaks in the clear but to this very
//! machine (and, for credentials, its host) or where its user allowed it, and keeps no connection and no text of an error: that
//! may hold a part of the answer. Its data comes from an endpoint that a provider, a store or an account named.

mod trust;

use std::error::Error as _;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;
use ureq::http;
use ureq::tls::TlsConfig;
use url::{Host, Url};
use zeroize::Zeroizing;

#[cfg(feature = "kubernetes")]
pub(crate) use trust::Identity;
use trust::Trust;

/// Look-up, connection, request and answer together.
const DEADLINE: Duration = Duration::from_secs(20);

/// How endpoints are reached. Clones share what was read: give the clients of one `ca_file` clones of one
/// value.
#[derive(Clone, Debug)]
pub struct Http(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    settings: Settings,
    agent: OnceLock<Agent>,
}

#[derive(Clone, Debug)]
struct Settings {
    trust: Trust,
    deadline: Duration,
    clear: Clear,
    direct: bool,
    /// A certificate of ours, for servers that ask for one.
    #[cfg(feature = "kubernetes")]
    client: Option<Identity>,
}

/// Whom plain HTTP is spoken with, beside this very machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clear {
    /// The services that a cloud gives to a machine or a container on its own link; never through a proxy.
    link: bool,
    anywhere: bool,
}

/// A request. Its parts may be secrets, so it has no `Debug`.
pub(crate) struct Request<'r> {
    pub(crate) method: &'r str,
    pub(crate) url: &'r str,
    pub(crate) headers: &'r [(&'r str, &'r str)],
    /// Content type, unless it is empty, and content.
    pub(crate) body: Option<(&'r str, &'r [u8])>,
    /// The largest answer.
    pub(crate) limit: u64,
}

/// An answer.
pub(crate) struct Response {
    pub(crate) status: u16,
    #[cfg_attr(
        feature = "notify",
        allow(dead_code, reason = "nothing is made of a webhook's answer")
    )]
    pub(crate) body: Zeroizing<Vec<u8>>,
    #[cfg_attr(
        not(any(
            feature = "github",
            feature = "gcp",
            feature = "notify",
            feature = "aws"
        )),
        expect(dead_code, reason = "only some look at them")
    )]
    pub(crate) headers: http::HeaderMap,
}

impl Response {
    /// The text of a header.
    #[cfg(any(feature = "github", feature = "gcp", feature = "notify"))]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpError {
    /// `host` or `host:port`.
    pub(crate) host: String,
    pub(crate) fault: Fault,
}

/// What went wrong before there was an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The URL is none, or not one of HTTPS.
    NotHttps,
    /// The file of authorities, and what is wrong with it.
    Authorities(PathBuf, String),
    Timeout,
    NoAddress,
    ConnectionRefused,
    ConnectionFailed,
    NoWay,
    Untrusted,
    Handshake,
    TooLarge,
    NoHttp,
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    /// With the system's authorities, through the proxy that `HTTPS_PROXY` names.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Settings {
            trust: Trust::System,
            deadline: DEADLINE,
            clear: Clear::default(),
            direct: false,
            #[cfg(feature = "kubernetes")]
            client: None,
        })
    }

    /// With the authorities of a PEM file instead of the system's.
    #[must_use]
    pub fn with_authorities(ca_file: impl Into<PathBuf>) -> Self {
        Self::new().but(|settings| settings.trust = Trust::File(ca_file.into()))
    }

    /// With another deadline for a request than 20 s.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Self {
        self.but(|settings| settings.deadline = deadline)
    }

    /// With plain HTTP to any host, too: its user said so.
    #[cfg(any(
        feature = "vault",
        feature = "kubernetes",
        feature = "github",
        feature = "gcp",
        feature = "azure",
        feature = "aws"
    ))]
    pub(crate) fn in_the_clear(&self) -> Self {
        self.but(|settings| settings.clear.anywhere = true)
    }

    /// With plain HTTP to this machine's own link, too: where clouds give credentials.
    #[cfg(feature = "aws")]
    pub(crate) fn on_the_link(&self) -> Self {
        self.but(|settings| settings.clear.link = true)
    }

    /// How long a request may take.
    #[cfg(feature = "aws")]
    pub(crate) fn deadline(&self) -> Duration {
        self.0.settings.deadline
    }

    /// Without a proxy, whatever `HTTPS_PROXY` says: a cloud's metadata server is the machine's own.
    #[cfg(any(feature = "gcp", feature = "azure"))]
    pub(crate) fn direct(&self) -> Self {
        self.but(|settings| settings.direct = true)
    }

    /// With the authorities of a text in PEM form instead of the system's. `None`: it holds none.
    #[cfg(feature = "kubernetes")]
    pub(crate) fn trusting(&self, pem: &[u8]) -> Option<Self> {
        let found = trust::in_pem(pem);
        (!found.is_empty())
            .then(|| self.but(|settings| settings.trust = Trust::Certificates(found)))
    }

    /// With whoever answers for the server: its user said so.
    #[cfg(feature = "kubernetes")]
    pub(crate) fn trusting_anybody(&self) -> Self {
        self.but(|settings| settings.trust = Trust::Anybody)
    }

    /// With a certificate of ours, for servers that ask for one.
    #[cfg(feature = "kubernetes")]
    pub(crate) fn as_client(&self, identity: Identity) -> Self {
        self.but(|settings| settings.client = Some(identity))
    }

    fn but(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.0.settings.clone();
        change(&mut settings);
        Self::with(settings)
    }

    fn with(settings: Settings) -> Self {
        Self(Arc::new(Inside {
            settings,
            agent: OnceLock::new(),
        }))
    }

    /// Sends a request. Blocks, no longer than the deadline.
    pub(crate) fn send(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let target = Target::parse(request.url, self.0.settings.clear)?;
        let fault = |error: &ureq::Error| HttpError {
            host: target.host.clone(),
            fault: explain(error),
        };
        let agent = self.agent().map_err(|fault| HttpError {
            host: target.host.clone(),
            fault,
        })?;
        let mut head = http::Request::builder()
            .method(request.method)
            .uri(request.url);
        for (name, value) in request.headers {
            head = head.header(*name, *value);
        }
        let answer = match request.body {
            Some((kind, body)) => {
                if !kind.is_empty() {
                    head = head.header("Content-Type", kind);
                }
                let whole = head.body(body);
                whole
                    .map_err(ureq::Error::from)
                    .and_then(|whole| target.run(agent, whole))
            }
            None => {
                let whole = head.body(());
                whole
                    .map_err(ureq::Error::from)
                    .and_then(|whole| target.run(agent, whole))
            }
        };
        let mut response = answer.map_err(|error| fault(&error))?;
        let body = response.body_mut().with_config().limit(request.limit);
        // Room for the longest at once: a buffer that grows leaves copies behind, which nobody wipes.
        let room = usize::try_from(request.limit).map_or(0, |limit| limit + 1);
        let mut whole = Zeroizing::new(Vec::with_capacity(room));
        let read = body.reader().read_to_end(&mut whole);
        read.map_err(|error| fault(&ureq::Error::from(error)))?;
        Ok(Response {
            status: response.status().as_u16(),
            body: whole,
            headers: std::mem::take(response.headers_mut()),
        })
    }

    fn agent(&self) -> Result<&Agent, Fault> {
        if let Some(agent) = self.0.agent.get() {
            return Ok(agent);
        }
        let settings = &self.0.settings;
        let config = Agent::config_builder()
            .tls_config(settings.tls()?)
            .https_only(!settings.clear.anywhere)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(settings.deadline))
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .user_agent(concat!("sftoken/", env!("CARGO_PKG_VERSION")));
        let config = match settings.direct {
            true => config.proxy(None),
            false => config,
        };
        let config = config.build();
        Ok(self.0.agent.get_or_init(|| Agent::new_with_config(config)))
    }
}

impl Settings {
    fn tls(&self) -> Result<TlsConfig, Fault> {
        #[cfg(feature = "kubernetes")]
        let client = self.client.as_ref().map(|identity| identity.0.clone());
        #[cfg(not(feature = "kubernetes"))]
        let client = None;
        self.trust.tls(client)
    }
}

/// Where a request goes.
pub(crate) struct Target {
    /// `host` or `host:port`, for errors.
    pub(crate) host: String,
    /// On this machine or its link: without TLS, and without a proxy.
    is_near: bool,
}

impl Target {
    /// HTTPS, or HTTP with those whom it is spoken with.
    pub(crate) fn parse(text: &str, clear: Clear) -> Result<Self, HttpError> {
        let wrong = || HttpError {
            host: String::new(),
            fault: Fault::NotHttps,
        };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let near = match url.host().ok_or_else(wrong)? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback() || clear.link && address.is_link_local(),
            // Amazon's services on the link have addresses of their own there.
            Host::Ipv6(address) => {
                let theirs = address.segments()[..2] == [0xfd00, 0x0ec2];
                address.is_loopback() || clear.link && theirs
            }
        };
        let plain = url.scheme() == "http";
        let is_near = near && plain;
        let allowed = url.scheme() == "https" || is_near || plain && clear.anywhere;
        if !allowed || !url.username().is_empty() {
            return Err(wrong());
        }
        let host = url.host_str().unwrap_or_default();
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self { host, is_near })
    }

    fn run(
        &self,
        agent: &Agent,
        request: http::Request<impl ureq::AsSendBody>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let request = match self.is_near {
            true => agent
                .configure_request(request)
                .https_only(false)
                .proxy(None)
                .build(),
            false => request,
        };
        agent.run(request)
    }
}

/// NOTE: only by kind, and none of the error's own text: it may hold parts of the answer.
fn explain(error: &ureq::Error) -> Fault {
    match error {
        ureq::Error::Timeout(_) => Fault::Timeout,
        ureq::Error::HostNotFound => Fault::NoAddress,
        ureq::Error::BodyExceedsLimit(_) => Fault::TooLarge,
        ureq::Error::NativeTls(error) => tls(error),
        ureq::Error::Tls(_) => Fault::Handshake,
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::TimedOut => Fault::Timeout,
            std::io::ErrorKind::ConnectionRefused => Fault::ConnectionRefused,
            _ if is_of_the_look_up(error) => Fault::NoAddress,
            _ => Fault::ConnectionFailed,
        },
        ureq::Error::ConnectionFailed | ureq::Error::InvalidProxyUrl => Fault::NoWay,
        _ => Fault::NoHttp,
    }
}

/// NOTE: the resolver's errors have no kind, so the standard library's own words are looked at, and not kept. It matters
/// whether a request may have been sent: a trial log-in is made once.
fn is_of_the_look_up(error: &std::io::Error) -> bool {
    let text = error.to_string();
    text.starts_with("failed to lookup address information")
}

/// As for mailboxes: the library has no kinds, so OpenSSL's words are looked at, and not kept.
fn tls(error: &native_tls::Error) -> Fault {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    let text = text.to_ascii_lowercase();
    let untrusted = ["verify failed", "not trusted", "self-signed", "issuer"];
    match untrusted.iter().any(|word| text.contains(word)) {
        true => Fault::Untrusted,
        false => Fault::Handshake,
    }
}
