//! How a user of a kubeconfig proves who it is.
//!
//! Knows tokens, client certificates and plugins, and how long each may be used. Never takes another user's place
//! unasked: what is not done here is refused. Its data comes from the files.

use std::path::PathBuf;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::file::{Cluster, User};
use super::{Wanted, Wrong, decoded, read};
use crate::http::Identity;
use crate::ingest::secret::Secret;
use crate::store::pem;

/// What a request shows.
#[derive(Debug, Default)]
pub(super) struct Proof {
    pub(super) token: Option<Secret>,
    pub(super) identity: Option<Identity>,
}

/// How long it may be used without looking again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// The files may have changed.
    Soon,
    At(Timestamp),
    Refused,
}

impl User {
    /// Gets it. May run a plugin.
    pub(super) fn proof(
        &self,
        cluster: &Cluster,
        wanted: &Wanted,
    ) -> Result<(Proof, Until), Wrong> {
        self.refuse_what_is_not_done()?;
        let identity = self.identity()?;
        let token = match (&self.token_file, &self.token) {
            (Some(path), _) => {
                let text = Zeroizing::new(read("tokenFile", path)?);
                let text = std::str::from_utf8(&text).unwrap_or_default().trim();
                Some(Secret::new(text.to_owned()))
            }
            (None, token) => token.clone(),
        };
        let token = token.filter(|token| !token.expose().is_empty());
        if token.is_some() || identity.is_some() {
            return Ok((Proof { token, identity }, Until::Soon));
        }
        let Some(plugin) = &self.exec else {
            return Err(Wrong::new(
                "the kubeconfig's user has no token, certificate or plugin",
                "log in to the cluster as its administrator says, or name another context",
            ));
        };
        let given = plugin.run(cluster, wanted)?;
        let identity = match (&given.certificate, &given.key) {
            (Some(certificate), Some(key)) => Some(joined(certificate.as_bytes(), key)?),
            _ => None,
        };
        let token = given.token;
        if token.is_none() && identity.is_none() {
            return Err(Wrong::passing(
                "the kubeconfig's plugin gave neither a token nor a certificate",
                "run it by hand to see what it says",
            ));
        }
        let until = given.until.map_or(Until::Refused, Until::At);
        Ok((Proof { token, identity }, until))
    }

    pub(super) fn refuse_what_is_not_done(&self) -> Result<(), Wrong> {
        for (set, what, hint) in [
            (
                self.impersonated.is_some(),
                "acts as another one (as)",
                "name a context whose user may do it itself",
            ),
            (
                self.username.is_some(),
                "has a password",
                "Kubernetes takes none since 1.19: use a token, a certificate or a plugin",
            ),
            (
                self.auth_provider.is_some(),
                "has an auth-provider",
                "kubectl knows none since 1.26: use the provider's plugin (exec)",
            ),
        ] {
            if set {
                let problem = format!("the kubeconfig's user {what}, which is not done here");
                return Err(Wrong::new(problem, hint));
            }
        }
        Ok(())
    }

    fn identity(&self) -> Result<Option<Identity>, Wrong> {
        let certificate = match (&self.client_certificate_data, &self.client_certificate) {
            (Some(data), _) => decoded("client-certificate-data", data)?,
            (None, Some(path)) => read("client-certificate", path)?,
            (None, None) => return Ok(None),
        };
        let key = match (&self.client_key_data, &self.client_key) {
            (Some(data), _) => decoded("client-key-data", data.expose())?,
            (None, path) => read("client-key", path.as_ref().unwrap_or(&PathBuf::new()))?,
        };
        let key = Zeroizing::new(key);
        let key = Secret::new(std::str::from_utf8(&key).unwrap_or_default().to_owned());
        joined(&certificate, &key).map(Some)
    }
}

/// A certificate and its key.
fn joined(certificate: &[u8], key: &Secret) -> Result<Identity, Wrong> {
    let identity =
        pem::pkcs8(key.expose()).and_then(|key| Identity::new(certificate, key.as_bytes()));
    identity.ok_or_else(|| {
        let problem = "the client certificate or its key in the kubeconfig is none";
        let hint = "both are in PEM form, and the key is not encrypted";
        Wrong::new(problem, hint)
    })
}
