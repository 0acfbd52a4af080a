//! What stores behind HTTPS have in common: their own secrets, deadlines, and what to say without an answer.
//!
//! Knows how a request fails before there is an answer. Never knows what is asked, and never shows a secret.
//! Secrets come from where the store's URL says, through its opener.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::address::Address;
use super::{Secrets, StoreError, StoreErrorKind as Kind, StoreOptions};
use crate::http::{Fault, Http, HttpError};
use crate::ingest::secret::Secret;

/// A store in the same cloud answers within 50 ms; one that is electing a leader, within seconds.
const DEADLINE: Duration = Duration::from_secs(10);
/// The largest answer: a secret has at most 1 MiB, in base64.
pub(super) const MAX_ANSWER: u64 = 2 * 1024 * 1024;

/// One publish asks four or five times, and a secret may come from a command that asks a person for a touch.
const RECENT: Duration = Duration::from_secs(10);

/// A store's secret, by its reference.
#[derive(Debug)]
pub(super) struct Place {
    reference: String,
    secrets: Option<Arc<dyn Secrets>>,
    recent: Mutex<Option<(Secret, Instant)>>,
}

impl Place {
    pub(super) fn new(reference: String, options: &StoreOptions) -> Self {
        Self {
            reference,
            secrets: options.secrets.clone(),
            recent: Mutex::default(),
        }
    }

    /// Reads it, or takes what was read just before; and whether it was read now.
    pub(super) fn recent(&self, shown: &str) -> Result<(Secret, bool), StoreError> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((secret, read)) = &*recent
            && read.elapsed() < RECENT
        {
            return Ok((secret.clone(), false));
        }
        let secret = self.read(shown)?;
        *recent = Some((secret.clone(), Instant::now()));
        Ok((secret, true))
    }

    /// What was read before does not hold any more.
    pub(super) fn forget(&self) {
        *self.recent.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Reads it.
    pub(super) fn read(&self, shown: &str) -> Result<Secret, StoreError> {
        let Some(secrets) = &self.secrets else {
            let problem = "this program does not tell its stores how to read secrets";
            let hint = "set StoreOptions::secrets";
            return Err(StoreError::new(shown, Kind::Misconfigured, problem, hint));
        };
        secrets.read(&self.reference).map_err(|error| {
            let kind = if error.passing {
                Kind::Locked
            } else {
                Kind::Misconfigured
            };
            let problem = format!("the secret to log in with is not there: {}", error.problem);
            StoreError::new(shown, kind, problem, error.hint)
        })
    }
}

/// A service account's token, in a pod. NOTE: its mode is the kubelet's affair (0644 without `fsGroup`), so it is
/// not held against others' eyes as `file:` is; nobody else is in the container.
#[cfg(any(feature = "vault", feature = "kubernetes"))]
pub(super) fn mounted(path: &Path, shown: &str) -> Result<Secret, StoreError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Secret::new(text.trim_end().to_owned())),
        Err(error) => Err(StoreError::new(
            shown,
            Kind::Misconfigured,
            format!(
                "the service account's token {} cannot be read: {}",
                path.display(),
                error.kind()
            ),
            "run in a pod that mounts it, or say where it is: service-account= in the store's URL; elsewhere, give a kubeconfig, or see docs/stores.md",
        )),
    }
}

/// How the store is reached: `ca-file=/PEM`, `timeout=10s`, `tls=0`. `usual` are the authorities where none are named, instead
/// of the system's.
pub(super) fn http(
    address: &mut Address,
    options: &StoreOptions,
    usual: Option<&Path>,
) -> Result<(Http, bool), StoreError> {
    let authorities = address.one("ca-file")?;
    if authorities
        .as_ref()
        .is_some_and(|path| !Path::new(path).is_absolute())
    {
        let hint = "write ca-file=/PATH: neither ~ nor variables are filled in";
        return Err(address.wrong("the path of ca-file does not start at the root", hint));
    }
    let deadline = address.duration("timeout")?;
    let deadline = deadline.or(options.deadline).unwrap_or(DEADLINE);
    let encrypted = address.switch("tls", true)?;
    let http = authorities
        .map(PathBuf::from)
        .or(usual.map(Path::to_owned))
        .map_or_else(Http::new, Http::with_authorities)
        .within(deadline);
    match encrypted {
        true => Ok((http, true)),
        false => Ok((http.in_the_clear(), false)),
    }
}

/// Says so where a store's secrets leave this machine without TLS.
pub(super) fn warn_of_clear_text(encrypted: bool, authority: &str, shown: &str) {
    let here = ["127.", "[::1]", "localhost:"];
    if !encrypted && !here.iter().any(|start| authority.starts_with(start)) {
        tracing::warn!(
            store = shown,
            "tokens travel without TLS, as the store's URL says"
        );
    }
}

/// What to say when there was no answer.
pub(super) fn unanswered(shown: &str, HttpError { host, fault }: HttpError) -> StoreError {
    let network = "check that the server runs, the network, and HTTPS_PROXY if there is one; it will be tried again";
    let (kind, what, hint) = match fault {
        Fault::NotHttps => (
            Kind::Misconfigured,
            "the URL names no host".to_owned(),
            "write HOST or HOST:PORT after the two slashes",
        ),
        Fault::Authorities(path, what) => (
            Kind::Misconfigured,
            format!("ca-file: {} {what}", path.display()),
            "give a readable PEM file",
        ),
        Fault::Timeout => (
            Kind::Timeout,
            "no answer in time".to_owned(),
            "it will be tried again; see what the server waits for, or give it more time with timeout=",
        ),
        Fault::NoAddress => (
            Kind::Unreachable,
            "the host name has no address".to_owned(),
            "check the host in the store's URL, and this machine's DNS",
        ),
        Fault::ConnectionRefused => (
            Kind::Unreachable,
            "the connection was refused".to_owned(),
            network,
        ),
        Fault::ConnectionFailed => (
            Kind::Unreachable,
            "the connection broke".to_owned(),
            "check the network; a server without TLS needs tls=0 in the store's URL",
        ),
        Fault::NoWay => (
            Kind::Unreachable,
            "there is no way to connect".to_owned(),
            network,
        ),
        Fault::Untrusted => (
            Kind::Misconfigured,
            "the certificate is not trusted".to_owned(),
            "if the server has a private certificate authority, give its certificate with ca-file=/PEM; check this machine's clock",
        ),
        Fault::Handshake => (
            Kind::Unreachable,
            "the TLS handshake failed".to_owned(),
            "check the port; a server without TLS needs tls=0 in the store's URL",
        ),
        Fault::TooLarge => (
            Kind::Corrupt,
            "the answer is too large".to_owned(),
            "check the host: that is no answer of such a store",
        ),
        Fault::NoHttp => (
            Kind::Unreachable,
            "the answer is no HTTP".to_owned(),
            "check the host and the port; a server with TLS does not take tls=0",
        ),
    };
    let host = if host.is_empty() {
        host
    } else {
        format!("{host}: ")
    };
    StoreError::new(shown, kind, format!("{host}{what}"), hint)
}

/// Host, perhaps with a port: letters that mean something else in a URL are refused, not guessed.
#[cfg(any(feature = "gcp", feature = "azure"))]
pub(super) fn is_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}
