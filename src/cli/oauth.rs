//! From a mailbox's `auth` to a source of access tokens.
//!
//! Knows which configured word becomes which argument, and that a secret's place is a reference. Never asks a
//! provider itself. Everything comes from the configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::engine;
use super::exit::{Exit, Failure};
use crate::config::{Mailbox, Oauth, OauthGrant, OauthProvider};
use crate::ingest::secret::Secret;
use crate::oauth::{
    Client, Grant, Http, OauthError, Place, PlaceError, Provider, Retry, TokenSource,
};
use crate::secret::{SaveError, SecretError, SecretRef};

/// Connections to providers, one for each set of authorities.
#[derive(Debug, Default)]
pub(crate) struct Providers(BTreeMap<Option<PathBuf>, Http>);

impl Providers {
    /// The source of a mailbox's tokens. Its secrets must be there now: what is missing is told before
    /// anything is waited for.
    pub(crate) fn source(
        &mut self,
        mailbox: &Mailbox,
        oauth: &Oauth,
    ) -> Result<TokenSource, Failure> {
        if let Some(reference) = &oauth.client_secret {
            engine::secret(reference)?;
        }
        let grant = match &oauth.grant {
            OauthGrant::ClientCredentials => Grant::ClientCredentials,
            OauthGrant::RefreshToken(reference) => {
                engine::secret(reference).map_err(|failure| unauthorized(mailbox, failure))?;
                Grant::Refresh(place(reference))
            }
        };
        let client = self.client(oauth);
        Ok(TokenSource::new(client, grant, Arc::new(Timestamp::now)))
    }

    /// The client of a mailbox's provider.
    pub(crate) fn client(&mut self, oauth: &Oauth) -> Client {
        let http = self
            .0
            .entry(oauth.ca_file.clone())
            .or_insert_with_key(|file| {
                file.as_ref().map_or_else(Http::new, Http::with_authorities)
            });
        let secret = oauth.client_secret.as_ref().map(place);
        Client::new(provider(oauth), &oauth.client_id, secret, http.clone())
    }
}

/// A refresh token that is not there yet is got by a command of ours.
fn unauthorized(mailbox: &Mailbox, failure: Failure) -> Failure {
    let name = &mailbox.name;
    let hint = format!("run `sftoken authorize {name}` once; or: {}", failure.hint);
    Failure::new(failure.exit, failure.problem, hint)
}

fn provider(oauth: &Oauth) -> Provider {
    let token_url = oauth.token_url.clone();
    let mut provider = match &oauth.provider {
        OauthProvider::Google => Provider::google(),
        OauthProvider::Microsoft { tenant } => Provider::microsoft(tenant),
        OauthProvider::Generic => Provider::generic(token_url.as_deref().unwrap_or_default()),
    };
    if let Some(url) = token_url {
        provider.token_url = url;
    }
    let instead = |new: &Option<String>, old: &mut Option<String>| {
        if new.is_some() {
            old.clone_from(new);
        }
    };
    instead(&oauth.device_url, &mut provider.device_url);
    instead(&oauth.authorize_url, &mut provider.authorize_url);
    instead(&oauth.scope, &mut provider.scope);
    instead(&oauth.scope, &mut provider.app_scope);
    provider
}

/// A reference, as the place of a secret.
#[derive(Debug)]
struct Reference(SecretRef);

fn place(reference: &SecretRef) -> Arc<dyn Place> {
    Arc::new(Reference(reference.clone()))
}

impl Place for Reference {
    fn load(&self) -> Result<Secret, PlaceError> {
        engine::read_secret(&self.0).map_err(failed)
    }

    fn save(&self, secret: &Secret) -> Result<(), PlaceError> {
        engine::save_secret(&self.0, secret).map_err(|error| match error {
            SaveError::ReadOnly { reference } => PlaceError::ReadOnly { place: reference },
            SaveError::Failed(error) => failed(error),
        })
    }

    fn lock(&self) -> Result<Box<dyn fmt::Debug>, PlaceError> {
        let lock = engine::lock_secret(&self.0).map_err(failed)?;
        Ok(Box::new(lock))
    }
}

fn failed(error: SecretError) -> PlaceError {
    PlaceError::Failed {
        problem: error.to_string(),
        hint: error.hint,
    }
}

impl From<OauthError> for Failure {
    fn from(error: OauthError) -> Self {
        let exit = match (error.kind, error.retry) {
            ("authorization_expired", _) => Exit::Nothing,
            ("oauth_url" | "ca_file" | "no_device_flow" | "no_browser_flow", _) => Exit::Usage,
            (_, Retry::Soon | Retry::Slowly | Retry::Credential | Retry::Never) => Exit::Mailbox,
        };
        Self::new(exit, &error, &error.hint)
    }
}
