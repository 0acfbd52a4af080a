//! From a URL to a key of a Secret.
//!
//! Knows the parameters: `k8s://NAMESPACE/NAME?key=…`, and where a pod and kubectl find their cluster. Never asks the server. The
//! URL comes from the configuration or the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Kubernetes;
use super::key::KeyName;
use super::kubeconfig::{Access, Kubeconfig, Wanted};
use crate::http::Http;
use crate::store::address::{Address, escape};
use crate::store::remote::{Place, http, mounted, warn_of_clear_text};
use crate::store::{StoreError, StoreOptions};

/// Every cluster's own name for its API, which its certificate holds.
const SERVER: &str = "kubernetes.default.svc";
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const FORM: &str = "write k8s://NAMESPACE/NAME?key=KEY, as in k8s://jobs/salesforce?key=token";
const KNOWN: &str =
    "key, kubeconfig, context, insecure, server, token, service-account, ca-file, timeout, tls";
/// Cloud plugins ask their own cloud, and start slowly.
const PLUGIN: Duration = Duration::from_secs(30);

/// Who we are to the cluster.
#[derive(Debug)]
pub(super) enum LogIn {
    /// A token by reference.
    At(Place),
    /// A pod's service account. Read for each use: the kubelet replaces it before it expires.
    Mounted(PathBuf),
    /// A context of kubeconfig files.
    Kubeconfig(Box<Kubeconfig>),
}

impl LogIn {
    /// What a request needs; `http` is for those that name no cluster themselves.
    pub(super) fn access(&self, http: &Http, shown: &str) -> Result<Access, StoreError> {
        let (token, is_fresh) = match self {
            Self::At(place) => place.recent(shown)?,
            Self::Mounted(path) => (mounted(path, shown)?, true),
            Self::Kubeconfig(kubeconfig) => return kubeconfig.access(shown),
        };
        Ok(Access {
            http: http.clone(),
            token: Some(token),
            is_fresh,
        })
    }

    /// What was got does not hold any more.
    pub(super) fn forget(&self) {
        match self {
            Self::At(place) => place.forget(),
            Self::Mounted(_) => {}
            Self::Kubeconfig(kubeconfig) => kubeconfig.forget(),
        }
    }
}

/// Where the API is, and who we are to it.
struct Way {
    /// `https://HOST`, perhaps with a port and a path.
    base: String,
    /// What slots show of it.
    of_server: String,
    http: Http,
    log_in: LogIn,
}

impl Kubernetes {
    /// `k8s://NAMESPACE/NAME[?key=KEY]`: in a pod; elsewhere with a kubeconfig, or with `server`, `token` and `ca-file`.
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
        let key = KeyName::parse(&key).ok_or_else(|| {
            let hint = "a key has letters, digits, - _ and . between letters or digits, and may have {username} in it";
            address.wrong("Kubernetes takes no key of this name", hint)
        })?;
        let way = match wanted(&mut address, options)? {
            Some(wanted) => by_kubeconfig(&mut address, options, wanted)?,
            None => by_token(&mut address, options)?,
        };
        address.finish(KNOWN)?;
        Ok(Self {
            root: format!("k8s://{namespace}/{name}?{}key=", way.of_server),
            secrets: format!("{}/api/v1/namespaces/{namespace}/secrets", way.base),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            shown: address.shown,
            key,
            http: way.http,
            log_in: way.log_in,
        })
    }
}

/// With a given token, or a pod's.
fn by_token(address: &mut Address, options: &StoreOptions) -> Result<Way, StoreError> {
    let folder = address.one("service-account")?;
    let folder = PathBuf::from(folder.as_deref().unwrap_or(SERVICE_ACCOUNT));
    let token = address.one("token")?;
    // A given token belongs to a cluster whose authority is given, too, or the system's.
    let authorities = token.is_none().then(|| folder.join("ca.crt"));
    let (http, encrypted) = http(address, options, authorities.as_deref())?;
    let server = address.one("server")?;
    let protocol = if encrypted { "https" } else { "http" };
    let host = host(server.as_deref(), address)?;
    warn_of_clear_text(encrypted, host, &address.shown);
    let of_server = server.as_deref().map_or(String::new(), |server| {
        format!("server={}&", escape(server))
    });
    let log_in = match token {
        Some(reference) => LogIn::At(Place::new(reference, options)),
        None => LogIn::Mounted(folder.join("token")),
    };
    Ok(Way {
        base: format!("{protocol}://{host}"),
        of_server,
        http,
        log_in,
    })
}

/// What the URL says of a kubeconfig. Where it says nothing of any way, and this is no pod, it is kubectl's.
fn wanted(address: &mut Address, options: &StoreOptions) -> Result<Option<Wanted>, StoreError> {
    let file = address.one("kubeconfig")?;
    let context = address.one("context")?;
    let insecure = address.switch("insecure", false)?;
    let given = file.is_some() || context.is_some();
    let other = ["server", "token", "service-account"];
    let other = other.into_iter().find(|name| address.has(name));
    if let Some(name) = other.filter(|_| given) {
        let problem = format!("{name}= does not go with a kubeconfig");
        return Err(address.wrong(problem, "give the one or the other"));
    }
    if file
        .as_deref()
        .is_some_and(|path| !Path::new(path).is_absolute())
    {
        let hint = "write kubeconfig=/PATH: neither ~ nor variables are filled in";
        return Err(address.wrong("the path of kubeconfig does not start at the root", hint));
    }
    let paths = match file {
        Some(file) => vec![PathBuf::from(file)],
        None => usual(),
    };
    let in_pod = || Path::new(SERVICE_ACCOUNT).join("token").exists();
    let there = || other.is_none() && !in_pod() && paths.iter().any(|path| path.exists());
    if !given && !there() {
        return match insecure {
            true => Err(address.wrong("insecure= goes with a kubeconfig", "leave it out")),
            false => Ok(None),
        };
    }
    Ok(Some(Wanted {
        paths,
        context,
        insecure,
        in_the_clear: false,
        private: options.private.clone(),
        deadline: options.deadline.unwrap_or(PLUGIN),
    }))
}

/// kubectl's: the files that `KUBECONFIG` names, or `~/.kube/config`.
fn usual() -> Vec<PathBuf> {
    let named = std::env::var_os("KUBECONFIG").filter(|names| !names.is_empty());
    if let Some(names) = named {
        let paths = std::env::split_paths(&names);
        return paths.filter(|path| !path.as_os_str().is_empty()).collect();
    }
    let home = etcetera::home_dir().ok();
    home.map(|home| home.join(".kube/config"))
        .into_iter()
        .collect()
}

fn by_kubeconfig(
    address: &mut Address,
    options: &StoreOptions,
    wanted: Wanted,
) -> Result<Way, StoreError> {
    if address.has("ca-file") {
        let problem = "ca-file= does not go with a kubeconfig";
        return Err(address.wrong(problem, "give the authority in the kubeconfig"));
    }
    let (http, encrypted) = http(address, options, None)?;
    let wanted = Wanted {
        in_the_clear: !encrypted,
        ..wanted
    };
    let kubeconfig = Kubeconfig::open(wanted, http.clone(), &address.shown)?;
    let base = kubeconfig.server.clone();
    let (_, server) = base.split_once("://").unwrap_or_default();
    warn_of_clear_text(encrypted, server, &address.shown);
    Ok(Way {
        of_server: format!("server={}&", escape(server)),
        base,
        http,
        log_in: LogIn::Kubeconfig(Box::new(kubeconfig)),
    })
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
