//! Kubernetes: one key of a Secret.
//!
//! Knows how a Secret is read, made and patched on condition of its resourceVersion. Never touches its other keys,
//! labels and annotations. Namespace, name and key come from the URL, the log-in from the pod, the URL or a kubeconfig.
//!
//! ```text
//! GET secrets/NAME: data, annotations, resourceVersion ─► PATCH {resourceVersion, our key, our annotation}
//!                  └─ none ─► POST: only if there is none still
//! ```

mod call;
mod key;
mod kubeconfig;
mod open;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::conditional::{self, Conditional, Held, Note, Write};
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind, token_in};
use crate::http::Http;
use crate::ingest::token::Token;
use key::KeyName;
use open::LogIn;

/// A key of a Secret.
#[derive(Debug)]
pub(super) struct Kubernetes {
    shown: String,
    /// What slots begin with, up to the key.
    root: String,
    /// `https://HOST/api/v1/namespaces/NAMESPACE/secrets`.
    secrets: String,
    namespace: String,
    name: String,
    key: KeyName,
    http: Http,
    log_in: LogIn,
}

/// As much of a Secret as we look at.
#[derive(Deserialize)]
struct Secret {
    metadata: Metadata,
    #[serde(default)]
    data: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
    #[serde(default)]
    annotations: Option<Map<String, Value>>,
}

impl Secret {
    /// What stands under a key.
    fn value(&self, key: &str) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.data.as_ref()?.get(key)?.as_str()?;
        STANDARD.decode(text).ok().map(Zeroizing::new)
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(name)?.as_str()
    }
}

impl Kubernetes {
    fn url(&self) -> String {
        format!("{}/{}", self.secrets, self.name)
    }

    /// The Secret; `None`: there is none.
    fn secret(&self) -> Result<Option<Secret>, StoreError> {
        let answer = self.ask("GET", &self.url(), None)?;
        match answer.status {
            404 => Ok(None),
            200 => {
                let secret = serde_json::from_slice(&answer.body).ok();
                secret
                    .map(Some)
                    .ok_or_else(|| self.odd("the Secret is not understood"))
            }
            _ => Err(self.refused("get", &answer)),
        }
    }

    /// Our key and our annotation, and nothing else; with a resourceVersion, on that condition.
    fn ours(&self, key: &Key, token: &Token, note: &Note, version: Option<&str>) -> Value {
        let name = self.key.fill(key);
        let value = STANDARD.encode(token.expose());
        let annotations = json!({KeyName::annotation(&name): json!(note).to_string()});
        let mut ours = json!({"metadata": {"annotations": annotations}, "data": {name: value}});
        match version {
            Some(version) => ours["metadata"]["resourceVersion"] = json!(version),
            None => {
                ours["metadata"]["name"] = json!(self.name);
                ours["apiVersion"] = json!("v1");
                ours["kind"] = json!("Secret");
                ours["type"] = json!("Opaque");
            }
        }
        ours
    }

    fn fail(&self, kind: Kind, problem: String, hint: &str) -> StoreError {
        StoreError::new(&self.shown, kind, problem, hint)
    }
}

impl Store for Kubernetes {
    fn slot(&self, key: &Key) -> String {
        format!("{}{}", self.root, self.key.fill(key))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: true,
            readable: true,
        }
    }

    /// NOTE: whoever may read may not yet write; that is known when a token is put.
    fn check(&self) -> Result<(), StoreError> {
        self.secret().map(drop)
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        conditional::publish(self, key, token, meta, &conditional::jitter)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let name = self.key.fill(key);
        let secret = self.secret()?;
        let Some(value) = secret.and_then(|secret| secret.value(&name)) else {
            return Ok(None);
        };
        token_in(&value).map(Some).ok_or_else(|| {
            let problem = format!("the key {name} holds no token");
            self.fail(
                Kind::Corrupt,
                problem,
                "if it is not wanted, remove it; the next token makes a new one",
            )
        })
    }
}

impl Conditional for Kubernetes {
    /// `None`: there is no Secret.
    type Revision = Option<String>;

    fn shown(&self) -> &str {
        &self.shown
    }

    fn read(&self, key: &Key) -> Result<Held<Option<String>>, StoreError> {
        let name = self.key.fill(key);
        let secret = self.secret()?;
        let annotation = KeyName::annotation(&name);
        let note = secret
            .as_ref()
            .and_then(|secret| secret.annotation(&annotation));
        let note =
            note.map(|note| serde_json::from_str(note).map_err(|_| self.unread_note(&annotation)));
        Ok(Held {
            note: note.transpose()?,
            token: secret
                .as_ref()
                .and_then(|secret| token_in(&secret.value(&name)?)),
            revision: secret.map(|secret| secret.metadata.resource_version),
        })
    }

    fn write_if(
        &self,
        key: &Key,
        token: &Token,
        note: &Note,
        expected: Option<String>,
    ) -> Result<Write, StoreError> {
        let body = self.ours(key, token, note, expected.as_deref());
        let body = Zeroizing::new(body.to_string().into_bytes());
        let (verb, answer) = match expected {
            Some(_) => ("patch", self.ask("PATCH", &self.url(), Some(&body))?),
            None => ("create", self.ask("POST", &self.secrets, Some(&body))?),
        };
        match (answer.status, verb) {
            (200 | 201, _) => Ok(Write::Done),
            // Changed or made meanwhile; or removed.
            (409, _) | (404, "patch") => Ok(Write::Conflict),
            _ => Err(self.refused(verb, &answer)),
        }
    }
}
