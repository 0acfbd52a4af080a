//! One POST, one bounded answer.
//!
//! Knows HTTPS, deadlines and limits. Never follows a redirect, never speaks in the clear but to this very
//! machine, and keeps no connection. Its data comes from a provider's endpoint.

use std::error::Error as _;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{OauthError, Retry};

/// Look-up, connection, request and answer together.
const DEADLINE: Duration = Duration::from_secs(20);
/// Access tokens of Microsoft have 3 KB, with an id token beside them.
const MAX_ANSWER: usize = 128 * 1024;

/// How endpoints are reached. Clones share what was read: give the clients of one `ca_file` clones of one
/// value.
#[derive(Clone, Debug)]
pub struct Http(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    ca_file: Option<PathBuf>,
    deadline: Duration,
    agent: OnceLock<Agent>,
}

/// An answer.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
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
        Self::with(None, DEADLINE)
    }

    /// With the authorities of a PEM file instead of the system's.
    #[must_use]
    pub fn with_authorities(ca_file: impl Into<PathBuf>) -> Self {
        Self::with(Some(ca_file.into()), DEADLINE)
    }

    /// With another deadline for a request than 20 s.
    #[must_use]
    pub fn within(&self, deadline: Duration) -> Self {
        Self::with(self.0.ca_file.clone(), deadline)
    }

    fn with(ca_file: Option<PathBuf>, deadline: Duration) -> Self {
        Self(Arc::new(Inside {
            ca_file,
            deadline,
            agent: OnceLock::new(),
        }))
    }

    /// Sends a form. Blocks, no longer than the deadline.
    pub(super) fn post(
        &self,
        url: &str,
        form: &str,
        authorization: Option<&str>,
    ) -> Result<Response, OauthError> {
        let target = Target::parse(url)?;
        let fault = |error: &ureq::Error| explain(&target.host, error);
        let mut request = self
            .agent()?
            .post(url)
            .content_type("application/x-www-form-urlencoded")
            .header("Accept", "application/json");
        if let Some(value) = authorization {
            request = request.header("Authorization", value);
        }
        let request = match target.is_here {
            true => request.config().https_only(false).proxy(None).build(),
            false => request,
        };
        let mut response = request.send(form).map_err(|error| fault(&error))?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER as u64);
        // Room for the longest at once: a buffer that grows leaves copies behind, which nobody wipes.
        let mut whole = Zeroizing::new(Vec::with_capacity(MAX_ANSWER + 1));
        let read = body.reader().read_to_end(&mut whole);
        read.map_err(|error| fault(&ureq::Error::from(error)))?;
        Ok(Response {
            status: response.status().as_u16(),
            body: whole,
        })
    }

    fn agent(&self) -> Result<&Agent, OauthError> {
        if let Some(agent) = self.0.agent.get() {
            return Ok(agent);
        }
        let roots = match &self.0.ca_file {
            Some(path) => RootCerts::from(certificates(path)?.into_iter()),
            None => RootCerts::PlatformVerifier,
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::NativeTls)
            .root_certs(roots)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(self.0.deadline))
            .max_idle_connections(0)
            .max_idle_connections_per_host(0)
            .user_agent(concat!("sftoken/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(self.0.agent.get_or_init(|| Agent::new_with_config(config)))
    }
}

/// Where a request goes.
pub(super) struct Target {
    /// `host` or `host:port`, for errors.
    pub(super) host: String,
    /// On this machine: without TLS, and without a proxy.
    is_here: bool,
}

impl Target {
    /// HTTPS, or HTTP on this machine.
    pub(super) fn parse(text: &str) -> Result<Self, OauthError> {
        let wrong = || {
            let hint = "write the provider's endpoint, as in https://login.example.com/token";
            OauthError::new(
                "oauth_url",
                Retry::Never,
                "an endpoint's URL is not https://",
                hint,
            )
        };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let here = match url.host().ok_or_else(wrong)? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        let is_here = here && url.scheme() == "http";
        if !is_here && url.scheme() != "https" || !url.username().is_empty() {
            return Err(wrong());
        }
        let host = url.host_str().unwrap_or_default();
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self { host, is_here })
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<Certificate<'static>>, OauthError> {
    let wrong = |what: String| {
        let problem = format!("auth.ca_file: {} {what}", path.display());
        OauthError::new("ca_file", Retry::Never, problem, "give a readable PEM file")
    };
    let pem =
        std::fs::read(path).map_err(|error| wrong(format!("cannot be read ({})", error.kind())))?;
    let found: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    match found.is_empty() {
        true => Err(wrong("holds no certificate in PEM form".to_owned())),
        false => Ok(found),
    }
}

/// NOTE: only by kind, and none of the error's own text: it may hold parts of the answer.
fn explain(host: &str, error: &ureq::Error) -> OauthError {
    let network =
        "check the network between here and the provider, and HTTPS_PROXY if there is one";
    let (kind, what, hint) = match error {
        ureq::Error::Timeout(_) => ("oauth_timeout", "no answer in time", network),
        ureq::Error::HostNotFound => (
            "oauth_unreachable",
            "the host name has no address",
            "check the endpoint's URL, and this machine's DNS",
        ),
        ureq::Error::BodyExceedsLimit(_) => {
            return OauthError::answer(host, "the answer is too large");
        }
        ureq::Error::NativeTls(error) => tls(error),
        ureq::Error::Tls(_) => ("oauth_tls", "the TLS handshake failed", network),
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::TimedOut => ("oauth_timeout", "no answer in time", network),
            std::io::ErrorKind::ConnectionRefused => {
                ("oauth_unreachable", "the connection was refused", network)
            }
            _ => ("oauth_unreachable", "the connection failed", network),
        },
        ureq::Error::ConnectionFailed | ureq::Error::InvalidProxyUrl => {
            ("oauth_unreachable", "there is no way to connect", network)
        }
        _ => return OauthError::answer(host, "the answer is no HTTP"),
    };
    OauthError::new(kind, Retry::Soon, format!("{host}: {what}"), hint)
}

/// As for mailboxes: the library has no kinds, so OpenSSL's words are looked at, and not kept.
fn tls(error: &native_tls::Error) -> (&'static str, &'static str, &'static str) {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    let text = text.to_ascii_lowercase();
    let untrusted = ["verify failed", "not trusted", "self-signed", "issuer"];
    if untrusted.iter().any(|word| text.contains(word)) {
        let hint = "if the provider has a private certificate authority, give its certificate with auth.ca_file; check this machine's clock";
        return ("oauth_tls", "the certificate is not trusted", hint);
    }
    (
        "oauth_tls",
        "the TLS handshake failed",
        "check the endpoint's URL, and whether a proxy changes the connection",
    )
}
