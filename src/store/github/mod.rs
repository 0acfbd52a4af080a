//! GitHub: a secret of a repository, of one of its environments, or of an organization.
//!
//! Knows public keys, sealed boxes and write-only secrets. Never reads a token back, since nobody can: what is
//! read back is when the secret was changed. Its order of writes is the ledger's, for GitHub cannot compare.
//!
//! ```text
//! GET public-key ─► seal ─► GET secrets/NAME: changed when? for whom? ─► PUT secrets/NAME ─► GET: changed since?
//! ```

mod app;
mod call;
mod name;
mod open;
mod organization;

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_box::PublicKey;
use crypto_box::aead::OsRng;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::address::in_url;
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind};
use crate::http::{Http, Response};
use crate::ingest::token::Token;
use app::LogIn;
use name::Name;
use organization::Visibility;

/// Two clocks of GitHub's, the one that dates an answer and the one that dates a change, are this close.
const SAME_TIME: SignedDuration = SignedDuration::from_secs(60);

/// The secrets of a repository, an environment or an organization.
#[derive(Debug)]
pub(super) struct GitHub {
    shown: String,
    /// What slots begin with.
    root: String,
    /// Where the secrets are, with a slash at the end.
    secrets: String,
    name: Name,
    /// Of an organization, not of a repository.
    organization: bool,
    /// Who may read an organization's secret that is made.
    visibility: Visibility,
    http: Http,
    log_in: LogIn,
    /// Whose token a fixed name was given first: it cannot be asked.
    owner: OnceLock<Key>,
}

#[derive(Deserialize)]
struct KeyRead {
    key_id: String,
    key: String,
}

#[derive(Deserialize)]
struct About {
    updated_at: Timestamp,
    /// Of an organization's secret.
    visibility: Option<String>,
}

impl GitHub {
    /// A token, sealed for GitHub alone, as the request that sets it.
    fn sealed(&self, token: &Token) -> Result<Value, StoreError> {
        let answer = self.ask("GET", &format!("{}public-key", self.secrets), None)?;
        if answer.status != 200 {
            return Err(self.refused(&answer));
        }
        let read: Option<KeyRead> = serde_json::from_slice(&answer.body).ok();
        let key = read.as_ref().and_then(|read| {
            let bytes = STANDARD.decode(&read.key).ok()?;
            PublicKey::from_slice(&bytes).ok()
        });
        let (Some(read), Some(key)) = (read, key) else {
            return Err(self.odd("the public key is not understood"));
        };
        let sealed = key.seal(&mut OsRng, token.expose().as_bytes());
        let sealed = sealed.map_err(|_| self.odd("nothing can be sealed for the public key"))?;
        Ok(json!({"encrypted_value": STANDARD.encode(sealed), "key_id": read.key_id}))
    }

    /// What is told of the secret; `None`: there is none.
    fn about(&self, url: &str) -> Result<Option<About>, StoreError> {
        let answer = self.ask("GET", url, None)?;
        match answer.status {
            404 => Ok(None),
            200 => {
                let about: Option<About> = serde_json::from_slice(&answer.body).ok();
                about
                    .map(Some)
                    .ok_or_else(|| self.odd("what is told of the secret is not understood"))
            }
            _ => Err(self.refused(&answer)),
        }
    }

    /// That the secret is there, and was changed by the request.
    fn confirm(
        &self,
        url: &str,
        before: Option<Timestamp>,
        put: &Response,
    ) -> Result<(), StoreError> {
        let after = self.about(url)?.map(|about| about.updated_at);
        // Times are whole seconds: a second write in one of them changes nothing that could be seen.
        let recently = call::date(put).map(|date| date - SAME_TIME);
        let moved = match (before, after) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(before), Some(after)) => {
                after > before || recently.is_some_and(|recently| after >= recently)
            }
        };
        match moved {
            true => Ok(()),
            false => Err(self.fail(
                Kind::Corrupt,
                "GitHub took the secret, and does not show that it was changed".to_owned(),
                "it will be tried again; see the secrets in the settings, and GitHub's status page",
            )),
        }
    }

    /// One name, one account, as far as this process sees.
    fn claim(&self, key: &Key) -> Result<(), StoreError> {
        if !self.name.is_fixed() || self.owner.get_or_init(|| key.clone()) == key {
            return Ok(());
        }
        Err(self.fail(
            Kind::Misconfigured,
            "the store's URL names one secret, and two accounts have their tokens there".to_owned(),
            "give each account its own: another store, or {username} in the secret's name",
        ))
    }

    fn fail(&self, kind: Kind, problem: String, hint: &str) -> StoreError {
        StoreError::new(&self.shown, kind, problem, hint)
    }
}

impl Store for GitHub {
    fn slot(&self, key: &Key) -> String {
        format!("{}{}", self.root, self.name.fill(key))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: false,
            readable: false,
        }
    }

    /// NOTE: whoever may read the public key may not yet write; that is known when a token is put.
    fn check(&self) -> Result<(), StoreError> {
        let probe = self.ask("GET", &format!("{}public-key", self.secrets), None)?;
        match probe.status {
            200 => Ok(()),
            _ => Err(self.refused(&probe)),
        }
    }

    fn publish(&self, key: &Key, token: &Token, _: &Meta) -> Result<Put, StoreError> {
        self.claim(key)?;
        let url = format!("{}{}", self.secrets, in_url(&self.name.fill(key)));
        let mut body = self.sealed(token)?;
        let before = self.about(&url)?;
        if self.organization
            && let (Value::Object(body), Value::Object(readers)) =
                (&mut body, self.readers(&url, before.as_ref())?)
        {
            body.extend(readers);
        }
        let put = self.ask("PUT", &url, Some(body.to_string().as_bytes()))?;
        let before = before.map(|about| about.updated_at);
        match put.status {
            201 | 204 => self.confirm(&url, before, &put).map(|()| Put::Written),
            _ => Err(self.refused(&put)),
        }
    }

    fn get(&self, _: &Key) -> Result<Option<Token>, StoreError> {
        let problem = "GitHub gives no secret back, but to the workflows that use it".to_owned();
        let hint = "use it in a workflow: ${{ secrets.NAME }}; to read it elsewhere as well, configure another store";
        Err(self.fail(Kind::WriteOnly, problem, hint))
    }
}
