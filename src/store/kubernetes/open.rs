//! From a URL to a key of a Secret.
//!
//! Knows the parameters: `k8s://NAMESPACE/NAME?key=…`, and where a pod finds its cluster. Never asks the server. The
//! URL comes from the configuration or the command line.

use std::path::{Path, PathBuf};

use super::Kubernetes;
use super::key::KeyName;
use crate::ingest::secret::Secret;
use crate::store::address::{Address, escape};
use crate::store::remote::{Place, http, mounted, warn_of_clear_text};
use crate::store::{StoreError, StoreOptions};

/// Every cluster's own name for its API, which its certificate holds.
const SERVER: &str = "kubernetes.default.svc";
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const FORM: &str = "write k8s://NAMESPACE/NAME?key=KEY, as in k8s://jobs/salesforce?key=token";
const KNOWN: &str = "key, server, token, service-account, ca-file, timeout, tls";

/// Who we are to the cluster.
#[derive(Debug)]
pub(super) enum LogIn {
    /// A token by reference.
    At(Place),
    /// A pod's service account. Read for each use: the kubelet replaces it before it expires.
    Mounted(PathBuf),
}

impl LogIn {
    pub(super) fn token(&self, shown: &str) -> Result<Secret, StoreError> {
        match self {
            Self::At(place) => place.recent(shown).map(|(token, _)| token),
            Self::Mounted(path) => mounted(path, shown),
        }
    }

    /// The token does not hold any more.
    pub(super) fn forget(&self) {
        if let Self::At(place) = self {
            place.forget();
        }
    }
}

impl Kubernetes {
    /// `k8s://NAMESPACE/NAME[?key=KEY]`: in a pod; elsewhere with `server`, `token` and `ca-file`.
    pub(in crate::store) fn open(
        mut address: Address,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        let place = address.place.clone();
        let (namespace, name) = match place.split_once('/') {
            Some(parts) if address.shown.contains("://") => parts,
            _ => return Err(address.wrong("the store's URL names no namespace and Secret", FORM)),
        };
        if !is_label(namespace) || !name.split('.').all(is_label) {
            let hint = "names in Kubernetes have small letters, digits and -";
            return Err(address.wrong(
                "the namespace or the Secret in the store's URL is none",
                hint,
            ));
        }
        let key = address.one("key")?.unwrap_or_else(|| "token".to_owned());
        let key_name = KeyName::parse(&key).ok_or_else(|| {
            let hint = "a key has letters, digits, - _ and . between letters or digits, and may have {username} in it";
            address.wrong("Kubernetes takes no key of this name", hint)
        })?;
        let folder = address.one("service-account")?;
        let folder = PathBuf::from(folder.as_deref().unwrap_or(SERVICE_ACCOUNT));
        let token = address.one("token")?;
        // A given token belongs to a cluster whose authority is given, too, or the system's.
        let authorities = token.is_none().then(|| folder.join("ca.crt"));
        let (http, encrypted) = http(&mut address, options, authorities.as_deref())?;
        let server = address.one("server")?;
        let protocol = if encrypted { "https" } else { "http" };
        let host = host(server.as_deref(), &address)?;
        warn_of_clear_text(encrypted, host, &address.shown);
        let of_server = server.as_deref().map_or(String::new(), |server| {
            format!("server={}&", escape(server))
        });
        address.finish(KNOWN)?;
        Ok(Self {
            root: format!("k8s://{namespace}/{name}?{of_server}key="),
            secrets: format!("{protocol}://{host}/api/v1/namespaces/{namespace}/secrets"),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            shown: address.shown,
            key: key_name,
            http,
            log_in: log_in(token, &folder, options),
        })
    }
}

fn log_in(token: Option<String>, folder: &Path, options: &StoreOptions) -> LogIn {
    match token {
        Some(reference) => LogIn::At(Place::new(reference, options)),
        None => LogIn::Mounted(folder.join("token")),
    }
}

/// RFC 1123, as Kubernetes has it for names.
fn is_label(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let closed = !text.starts_with('-') && !text.ends_with('-');
    !text.is_empty() && text.len() <= 253 && closed && text.bytes().all(fits)
}

fn host<'s>(server: Option<&'s str>, address: &Address) -> Result<&'s str, StoreError> {
    let server = server.unwrap_or(SERVER);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    if server.is_empty() || !server.bytes().all(fits) {
        return Err(address.wrong(
            "the server is none",
            "write server=HOST or server=HOST:PORT, without https://",
        ));
    }
    Ok(server)
}
