//! From a URL to a store.
//!
//! Knows which stores this build offers, and which one fits a machine without configuration. Never
//! falls back from one store to another: consumers must know where to look. URLs come from the
//! configuration or the command line.

use std::sync::Arc;
use std::time::Duration;

use super::address::Address;
use super::{Secrets, Store, StoreError};

/// What a store needs to know of the process that opens it.
#[derive(Clone, Debug, Default)]
pub struct StoreOptions {
    /// Someone sits in front of the screen: a keyring may ask to be unlocked.
    pub interactive: bool,
    /// How long one operation may take; `None`: the store's own default.
    pub deadline: Option<Duration>,
    /// Variables of the environment that hold secrets of ours: no program of a store sees them, unless its
    /// URL says so.
    pub private: Vec<String>,
    /// How the secrets are read that a store logs in with.
    pub secrets: Option<Arc<dyn Secrets>>,
}

/// What this version can open, as hints say it.
const OFFERED: &str = "this version offers keyring://SERVICE, age:/DIR?recipients-file=FILE, vault://HOST/MOUNT/PATH, k8s://NAMESPACE/NAME, awssm://REGION/NAME, awsps://REGION/PATH, gcsm://PROJECT/NAME, akv://VAULT/NAME, github://OWNER/REPO/NAME and exec:/PATH/PROGRAM";

/// The store at `url`: `keyring://SERVICE`, `age:/DIR?…`,
/// `vault://HOST/MOUNT/PATH?…`, `k8s://NAMESPACE/NAME?…`,
/// `awssm://REGION/NAME?…`, `awsps://REGION/PATH?…`,
/// `gcsm://PROJECT/NAME?…`, `akv://VAULT/NAME?…`,
/// `github://OWNER/REPO/NAME?…` or `exec:/PROGRAM?…`. Nothing is asked of
/// the store yet; [`Store::check`] does.
///
/// # Errors
/// [`Misconfigured`](super::StoreErrorKind::Misconfigured) when the URL, or a file that it names, does not hold.
pub fn open(url: &str, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    let address = Address::parse(url)?;
    match address.scheme.as_str() {
        "keyring" => open_keyring(address, options),
        "age" => open_age(address, options),
        "exec" => open_exec(address, options),
        "vault" | "openbao" => open_vault(address, options),
        "k8s" => open_kubernetes(address, options),
        "github" => open_github(address, options),
        "awssm" | "awsps" => open_aws(address, options),
        "gcsm" => open_gcp(address, options),
        "akv" => open_azure(address, options),
        _ => Err(address.wrong("no store has this scheme", OFFERED)),
    }
}

/// The store for a machine that has none configured: its keyring, if a usable one answers.
///
/// # Errors
/// The keyring's own trouble, with a hint that sets up age files instead. There is no silent
/// fall-back.
pub fn choose_default(options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    let chosen = open("keyring://sftoken", options).and_then(|keyring| {
        keyring.check()?;
        Ok(keyring)
    });
    chosen.map_err(|error| StoreError {
        hint: format!("{}\n{AGE_SETUP}", error.hint),
        problem: format!("no store is configured, and {}", error.problem),
        ..error
    })
}

/// Four lines for a shell: the first two belong on the machine that reads the tokens.
const AGE_SETUP: &str = "age files need no keyring; to set them up:

  age-keygen -o sftoken.key                      # where the tokens are read; keep this file there
  age-keygen -y sftoken.key > sftoken.recipients # the public half; this is all the watcher needs
  mkdir -p ~/.config/sftoken && mv sftoken.recipients ~/.config/sftoken/
  printf '[store.default]\\nurl = \"age:%s?recipients-file=%s\"\\n' \"$HOME/.local/share/sftoken\" \"$HOME/.config/sftoken/sftoken.recipients\" >> ~/.config/sftoken/config.toml
";

#[cfg(feature = "keyring")]
fn open_keyring(address: Address, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(super::keyring::Keyring::open(address, options)?))
}

#[cfg(feature = "age")]
fn open_age(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(super::age::AgeFiles::open(address)?))
}

#[cfg(all(feature = "exec", unix))]
fn open_exec(address: Address, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(super::exec::Exec::open(address, options)?))
}

#[cfg(feature = "vault")]
fn open_vault(address: Address, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(super::vault::Vault::open(address, options)?))
}

#[cfg(not(feature = "keyring"))]
fn open_keyring(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `keyring`"))
}

#[cfg(not(feature = "age"))]
fn open_age(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `age`"))
}

#[cfg(not(all(feature = "exec", unix)))]
fn open_exec(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `exec`, on Unix"))
}

#[cfg(feature = "kubernetes")]
fn open_kubernetes(address: Address, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(super::kubernetes::Kubernetes::open(
        address, options,
    )?))
}

#[cfg(not(feature = "kubernetes"))]
fn open_kubernetes(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `kubernetes`"))
}

#[cfg(feature = "github")]
fn open_github(address: Address, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(super::github::GitHub::open(address, options)?))
}

#[cfg(not(feature = "github"))]
fn open_github(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `github`"))
}

#[cfg(feature = "aws")]
fn open_aws(address: Address, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    super::aws::open(address, options)
}

#[cfg(not(feature = "aws"))]
fn open_aws(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `aws`"))
}

#[cfg(feature = "gcp")]
fn open_gcp(address: Address, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(super::gcp::Gcp::open(address, options)?))
}

#[cfg(not(feature = "gcp"))]
fn open_gcp(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `gcp`"))
}

#[cfg(feature = "azure")]
fn open_azure(address: Address, options: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(super::azure::Azure::open(address, options)?))
}

#[cfg(not(feature = "azure"))]
fn open_azure(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `azure`"))
}

#[cfg(not(feature = "vault"))]
fn open_vault(address: Address, _: &StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Err(not_built(&address, "feature `vault`"))
}

#[cfg(not(all(
    feature = "keyring",
    feature = "age",
    feature = "exec",
    feature = "vault",
    feature = "kubernetes",
    feature = "github",
    feature = "aws",
    feature = "gcp",
    feature = "azure",
    unix
)))]
fn not_built(address: &Address, need: &str) -> StoreError {
    let problem = "this build has no such store";
    address.wrong(problem, format!("build sftoken with {need}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreErrorKind;

    #[test]
    fn a_scheme_that_is_not_here_tells_what_is() {
        for url in ["nope://eu-west-1/x", "ftp://x"] {
            let error = open(url, &StoreOptions::default()).unwrap_err();
            assert_eq!(error.kind, StoreErrorKind::Misconfigured, "{url}");
            assert!(error.hint.contains("age:/DIR"), "{url}: {}", error.hint);
        }
    }
}
