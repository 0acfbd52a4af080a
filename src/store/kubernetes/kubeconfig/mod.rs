//! A cluster and a user, as kubeconfig files name them.
//!
//! Knows contexts, authorities, tokens, client certificates and plugins. Never keeps what can be read again: the files are
//! read anew before what they gave may have ended. Its data comes from the files that `kubectl` reads.
//!
//! ```text
//! KUBECONFIG ─► files, merged ─► context ─► cluster: server, authorities ─► Http
//!                                      └──► user: token | certificate | plugin ─► Access
//! ```

mod file;
mod plugin;
mod user;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use url::Url;

use crate::http::Http;
use crate::ingest::secret::Secret;
use crate::store::{StoreError, StoreErrorKind as Kind};
use file::{Cluster, Files};

/// One publish asks four or five times: the files are not read for each.
const RECENT: Duration = Duration::from_secs(10);
/// What ends so soon is not used any more: a request may take this long.
const MARGIN: Duration = Duration::from_secs(30);

/// Why files, or what they name, are no good.
#[derive(Debug)]
struct Wrong {
    kind: Kind,
    problem: String,
    hint: String,
}

impl Wrong {
    fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind: Kind::Misconfigured,
            problem: problem.into(),
            hint: hint.into(),
        }
    }

    /// It may work later, without anybody changing a file.
    fn passing(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind: Kind::Locked,
            ..Self::new(problem, hint)
        }
    }

    fn of(self, shown: &str) -> StoreError {
        StoreError::new(shown, self.kind, self.problem, self.hint)
    }
}

/// What a request needs.
#[derive(Clone, Debug)]
pub(in crate::store) struct Access {
    pub(super) http: Http,
    /// A client certificate may stand for it.
    pub(super) token: Option<Secret>,
    /// It was got just now: asking again would give no better one.
    pub(super) is_fresh: bool,
}

/// What the URL says of it.
#[derive(Debug)]
#[cfg_attr(not(unix), expect(dead_code, reason = "plugins are run on Unix only"))]
pub(super) struct Wanted {
    pub(super) paths: Vec<PathBuf>,
    /// `None`: the current one.
    pub(super) context: Option<String>,
    /// Whoever answers may be the cluster.
    pub(super) insecure: bool,
    /// Plain HTTP is allowed.
    pub(super) in_the_clear: bool,
    /// Variables that plugins must not see.
    pub(super) private: Vec<String>,
    /// How long a plugin may take.
    pub(super) deadline: Duration,
}

/// A context.
#[derive(Debug)]
pub(super) struct Kubeconfig {
    wanted: Wanted,
    /// With the deadline of the URL.
    http: Http,
    /// `https://HOST:PORT`, perhaps with a path.
    pub(super) server: String,
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
struct Held {
    access: Access,
    /// `None`: until it is refused.
    until: Option<Instant>,
}

impl Kubeconfig {
    /// Reads the files, and whether what they say can be used. No plugin runs yet.
    pub(super) fn open(wanted: Wanted, http: Http, shown: &str) -> Result<Self, StoreError> {
        let look = || {
            let files = Files::read(&wanted.paths)?;
            let (cluster, user) = files.pick(wanted.context.as_deref())?;
            user.refuse_what_is_not_done()?;
            trusting(&http, &cluster, wanted.insecure)?;
            Ok((server(&cluster, &wanted)?, cluster.insecure_skip_tls_verify))
        };
        let (server, insecure) = look().map_err(|wrong: Wrong| wrong.of(shown))?;
        if insecure {
            tracing::warn!(
                store = shown,
                "whoever answers is taken for the cluster, as the kubeconfig and the store's URL say"
            );
        }
        Ok(Self {
            wanted,
            http,
            server,
            held: Mutex::default(),
        })
    }

    /// What holds, as far as is known.
    pub(super) fn access(&self, shown: &str) -> Result<Access, StoreError> {
        let mut held = self.held();
        let holds = |held: &&Held| held.until.is_none_or(|until| Instant::now() < until);
        if let Some(held) = held.as_ref().filter(holds) {
            return Ok(Access {
                is_fresh: false,
                ..held.access.clone()
            });
        }
        let fresh = self.load().map_err(|wrong| wrong.of(shown))?;
        let access = fresh.access.clone();
        *held = Some(fresh);
        Ok(access)
    }

    /// It does not hold any more.
    pub(super) fn forget(&self) {
        *self.held() = None;
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self) -> Result<Held, Wrong> {
        let files = Files::read(&self.wanted.paths)?;
        let (cluster, user) = files.pick(self.wanted.context.as_deref())?;
        if server(&cluster, &self.wanted)? != self.server {
            return Err(Wrong::new(
                "the kubeconfig's context names another cluster than when sftoken was started",
                "start sftoken again if that is meant; name the context in the store's URL to be safe from kubectl config use-context",
            ));
        }
        let http = trusting(&self.http, &cluster, self.wanted.insecure)?;
        let (proof, until) = user.proof(&cluster, &self.wanted)?;
        let http = match proof.identity {
            Some(identity) => http.as_client(identity),
            None => http,
        };
        let access = Access {
            http,
            token: proof.token,
            is_fresh: true,
        };
        let until = match until {
            user::Until::Soon => Some(Instant::now() + RECENT),
            user::Until::Refused => None,
            user::Until::At(end) => {
                let left = Duration::try_from(end.duration_since(Timestamp::now()));
                Some(Instant::now() + left.unwrap_or_default().saturating_sub(MARGIN))
            }
        };
        Ok(Held { access, until })
    }
}

/// The cluster's address, without a slash at its end.
fn server(cluster: &Cluster, wanted: &Wanted) -> Result<String, Wrong> {
    let odd = || {
        let hint = "it is written server: https://HOST:PORT in the kubeconfig";
        Wrong::new("the server of the kubeconfig's cluster is no URL", hint)
    };
    let text = cluster.server.as_deref().ok_or_else(odd)?;
    let url = Url::parse(text).map_err(|_| odd())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !plain || url.host_str().is_none() {
        return Err(odd());
    }
    match (url.scheme(), wanted.in_the_clear) {
        ("https", false) | ("http", true) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        ("http", false) => Err(Wrong::new(
            "the kubeconfig's cluster is reached without TLS",
            "if that is meant, write tls=0 in the store's URL",
        )),
        ("https", true) => Err(Wrong::new(
            "the kubeconfig's cluster is reached with TLS",
            "leave tls=0 out of the store's URL",
        )),
        _ => Err(odd()),
    }
}

/// By what the cluster is recognised.
fn trusting(http: &Http, cluster: &Cluster, insecure: bool) -> Result<Http, Wrong> {
    for (set, name, hint) in [
        (
            cluster.tls_server_name.is_some(),
            "tls-server-name",
            "use the name that the certificate bears as the server's",
        ),
        (
            cluster.proxy_url.is_some(),
            "proxy-url",
            "set HTTPS_PROXY instead",
        ),
    ] {
        if set {
            let problem = format!("the kubeconfig's cluster has {name}, which is not done here");
            return Err(Wrong::new(problem, hint));
        }
    }
    if cluster.insecure_skip_tls_verify && !insecure {
        return Err(Wrong::new(
            "the kubeconfig takes whoever answers for the cluster (insecure-skip-tls-verify)",
            "give certificate-authority-data in the kubeconfig; if anybody may read the tokens, write insecure=1 in the store's URL",
        ));
    }
    if cluster.insecure_skip_tls_verify {
        return Ok(http.trusting_anybody());
    }
    let Some(pem) = cluster.authorities()? else {
        return Ok(http.clone());
    };
    http.trusting(&pem).ok_or_else(|| {
        let problem = "the authority of the kubeconfig's cluster is no certificate in PEM form";
        let hint = "see certificate-authority and certificate-authority-data in the kubeconfig";
        Wrong::new(problem, hint)
    })
}

impl Cluster {
    /// The authorities in PEM form; `None`: the system's.
    fn authorities(&self) -> Result<Option<Vec<u8>>, Wrong> {
        match (
            &self.certificate_authority_data,
            &self.certificate_authority,
        ) {
            (Some(data), _) => decoded("certificate-authority-data", data).map(Some),
            (None, Some(path)) => read("certificate-authority", path).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// A field whose name ends in `-data`.
fn decoded(name: &str, data: &str) -> Result<Vec<u8>, Wrong> {
    STANDARD.decode(data.trim_end()).map_err(|_| {
        let problem = format!("{name} in the kubeconfig is no base64");
        Wrong::new(problem, "take it as the cluster's administrator gives it")
    })
}

/// A file that a field names.
fn read(name: &str, path: &std::path::Path) -> Result<Vec<u8>, Wrong> {
    std::fs::read(path).map_err(|error| {
        let (path, kind) = (path.display(), error.kind());
        let problem = format!("{path} cannot be read: {kind}");
        Wrong::new(problem, format!("it is the {name} in the kubeconfig"))
    })
}
