//! kubeconfig files, as one.
//!
//! Knows their shape, and how several are merged: what a file says first, holds. Never shows a line of them. Its texts come
//! from the paths of `KUBECONFIG` or of the store's URL.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::Wrong;
use super::plugin::Plugin;
use crate::ingest::secret::Secret;
use crate::store::plain::plain;

/// What the files say together.
#[derive(Debug, Default)]
pub(super) struct Files {
    current: Option<String>,
    contexts: Vec<(String, Context)>,
    clusters: Vec<(String, Cluster)>,
    users: Vec<(String, User)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    current_context: Option<String>,
    contexts: Option<Vec<NamedContext>>,
    clusters: Option<Vec<NamedCluster>>,
    users: Option<Vec<NamedUser>>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    user: User,
}

/// A context. Its namespace does not matter: the store's URL names one.
#[derive(Clone, Debug, Deserialize)]
struct Context {
    cluster: String,
    user: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Cluster {
    pub(super) server: Option<String>,
    pub(super) certificate_authority: Option<PathBuf>,
    pub(super) certificate_authority_data: Option<String>,
    #[serde(default)]
    pub(super) insecure_skip_tls_verify: bool,
    pub(super) tls_server_name: Option<String>,
    pub(super) proxy_url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct User {
    #[serde(default, deserialize_with = "hidden")]
    pub(super) token: Option<Secret>,
    #[serde(rename = "tokenFile")]
    pub(super) token_file: Option<PathBuf>,
    pub(super) client_certificate: Option<PathBuf>,
    pub(super) client_certificate_data: Option<String>,
    pub(super) client_key: Option<PathBuf>,
    #[serde(default, deserialize_with = "hidden")]
    pub(super) client_key_data: Option<Secret>,
    pub(super) exec: Option<Plugin>,
    pub(super) username: Option<IgnoredAny>,
    pub(super) auth_provider: Option<IgnoredAny>,
    #[serde(rename = "as")]
    pub(super) impersonated: Option<IgnoredAny>,
}

/// A secret, typed at birth.
pub(super) fn hidden<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Secret::new))
}

impl Files {
    /// Reads and merges them. One that is not there is passed over, unless it is the only one.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, Wrong> {
        let mut whole = Self::default();
        for path in paths {
            match std::fs::read_to_string(path) {
                Ok(text) => whole.add(path, &Secret::new(text))?,
                Err(error) if error.kind() == ErrorKind::NotFound && paths.len() > 1 => {}
                Err(error) => {
                    let problem = format!("{} cannot be read: {}", path.display(), error.kind());
                    let hint = "see kubeconfig= in the store's URL, or KUBECONFIG";
                    return Err(Wrong::new(problem, hint));
                }
            }
        }
        Ok(whole)
    }

    /// NOTE: without the parser's words: they repeat what stands there.
    fn add(&mut self, path: &Path, text: &Secret) -> Result<(), Wrong> {
        let file: File = serde_saphyr::from_str(text.expose()).map_err(|error| {
            let line = error.location().map_or(0, |place| place.line());
            let problem = format!("{} is no kubeconfig: see its line {line}", path.display());
            Wrong::new(problem, "kubectl config view reads it the same way")
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let current = file.current_context.filter(|name| !name.is_empty());
        self.current = self.current.take().or(current);
        for NamedContext { name, context } in file.contexts.unwrap_or_default() {
            first(&mut self.contexts, name, context);
        }
        for NamedCluster { name, mut cluster } in file.clusters.unwrap_or_default() {
            anchor(folder, [&mut cluster.certificate_authority]);
            first(&mut self.clusters, name, cluster);
        }
        for NamedUser { name, mut user } in file.users.unwrap_or_default() {
            let paths = [
                &mut user.token_file,
                &mut user.client_certificate,
                &mut user.client_key,
            ];
            anchor(folder, paths);
            if let Some(plugin) = &mut user.exec {
                plugin.anchor(folder);
            }
            first(&mut self.users, name, user);
        }
        Ok(())
    }

    /// The cluster and the user of a context, or of the current one.
    pub(super) fn pick(&self, context: Option<&str>) -> Result<(Cluster, User), Wrong> {
        let name = context.or(self.current.as_deref()).ok_or_else(|| {
            let problem = "the kubeconfig has no current context";
            let hint = "name one in the store's URL: context=NAME, as kubectl config get-contexts shows it";
            Wrong::new(problem, hint)
        })?;
        let missing = |what: &str, name: &str| {
            let problem = format!("the kubeconfig has no {what} {}", plain(name));
            Wrong::new(problem, "kubectl config view shows what there is")
        };
        let context = named(&self.contexts, name).ok_or_else(|| missing("context", name))?;
        let cluster = named(&self.clusters, &context.cluster);
        let cluster = cluster.ok_or_else(|| missing("cluster", &context.cluster))?;
        let user = match &context.user {
            None => User::default(),
            Some(name) => {
                let user = named(&self.users, name);
                user.ok_or_else(|| missing("user", name))?.clone()
            }
        };
        Ok((cluster.clone(), user))
    }
}

fn first<T>(all: &mut Vec<(String, T)>, name: String, one: T) {
    if named(all, &name).is_none() {
        all.push((name, one));
    }
}

fn named<'a, T>(all: &'a [(String, T)], name: &str) -> Option<&'a T> {
    let found = all.iter().find(|(other, _)| other == name);
    found.map(|(_, one)| one)
}

/// Paths are relative to the file that they stand in. An empty one is none.
fn anchor<'p>(folder: &Path, paths: impl IntoIterator<Item = &'p mut Option<PathBuf>>) {
    for path in paths {
        *path = path
            .take()
            .filter(|path| !path.as_os_str().is_empty())
            .map(|path| folder.join(path));
    }
}
