//! HashiCorp Vault and OpenBao: the KV engine, version 2.
//!
//! Knows where a secret's value, version and note stand, and writes by check-and-set. Never touches the other
//! fields of a secret, and never writes to a mount of version 1, which would take a condition and not heed it
//! (facts: stores, 4.1). Path, log-in and certificate authority come from the URL.
//!
//! ```text
//! log in ─► mount: is it KV version 2? ─► GET data/PATH: fields, version ─► POST data/PATH {cas: version}
//! ```
//!
//! The note stands in the value, as the field `sftoken`: only what is written in the same request as the token
//! is true of it, whoever races. `custom_metadata` gets a copy for people, which outlives a deletion.

mod auth;
mod call;
mod kv;
mod open;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::address::in_url;
use super::conditional::{self, Conditional, Held, Note, Write};
use super::template::Template;
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind, token_in};
use crate::http::Http;
use crate::ingest::token::Token;
use auth::Auth;
use kv::{Secret, Version};

/// A path in a KV engine.
#[derive(Debug)]
pub(super) struct Vault {
    shown: String,
    /// What slots begin with: scheme and host.
    root: String,
    /// `https://HOST:PORT/v1/`.
    api: String,
    path: Template,
    field: String,
    namespace: Option<String>,
    http: Http,
    auth: Auth,
    /// Those that are known to be KV engines of version 2.
    mounts: Mutex<BTreeSet<String>>,
}

impl Vault {
    /// The mount, with its slash, and the path in it, of an account. A path's mount may depend on the account.
    fn place(&self, key: &Key) -> Result<(String, String), StoreError> {
        let whole = self.path.fill(key);
        let known = self
            .mounts()
            .iter()
            .find(|mount| whole.starts_with(*mount))
            .cloned();
        let mount = match known {
            Some(mount) => mount,
            None => {
                let found = self.find_mount(&whole)?;
                self.mounts().insert(found.clone());
                found
            }
        };
        let inside = whole.strip_prefix(&mount).filter(|path| !path.is_empty());
        let inside = inside
            .ok_or_else(|| self.odd("the mount that the server tells is not one of the path"))?;
        Ok((mount, inside.to_owned()))
    }

    fn mounts(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.mounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks which engine a path belongs to, as `vault kv` does.
    fn find_mount(&self, path: &str) -> Result<String, StoreError> {
        let asked = format!("sys/internal/ui/mounts/{}", in_url(path));
        let answer = self.authorized("GET", &asked, None)?;
        match answer.status {
            200 => kv::mount(&answer.body)
                .ok_or_else(|| self.odd("the answer about the mount is not understood"))?
                .holds_versions()
                .map_err(|(problem, hint)| self.fail(Kind::Misconfigured, problem, hint)),
            403 => Err(self.forbidden(
                &format!("no engine that the token may use has the path {path}"),
                path,
            )),
            404 => Err(self.fail(
                Kind::Misconfigured,
                "there is no such namespace, or no Vault at this address".to_owned(),
                "check namespace= and the host in the store's URL",
            )),
            status => Err(self.unexpected(status, &answer.body)),
        }
    }

    fn read_secret(&self, key: &Key) -> Result<Version, StoreError> {
        let (mount, path) = self.place(key)?;
        let answer = self.authorized("GET", &in_url(&format!("{mount}data/{path}")), None)?;
        match answer.status {
            // NOTE: 404 has a body where a version was deleted, and its number counts (facts: stores, P6).
            200 | 404 => {
                kv::version(&answer.body).ok_or_else(|| self.odd("the secret is not understood"))
            }
            403 => {
                let path = format!("{mount}data/{path}");
                Err(self.forbidden(&format!("the token may not read {path}"), &path))
            }
            status => Err(self.unexpected(status, &answer.body)),
        }
    }

    /// A copy of the note for people, which tells after a deletion what was there. NOTE: it is not ordered with
    /// the value, so nothing else relies on it; many tokens are not allowed to write it.
    fn annotate(&self, mount: &str, path: &str, note: &Note, version: u64) {
        let asked = in_url(&format!("{mount}metadata/{path}"));
        let patched = self.authorized("PATCH", &asked, Some(&kv::annotation(note, version)));
        let done = patched.as_ref().is_ok_and(|answer| answer.status < 300);
        if !done {
            tracing::debug!(
                store = self.shown,
                "the secret's custom_metadata was not written"
            );
        }
    }

    fn no_token(&self) -> StoreError {
        let problem = format!("the field {} holds no token", self.field);
        self.fail(
            Kind::Corrupt,
            problem,
            "if it is not wanted, remove it; the next token makes a new one",
        )
    }
}

impl Store for Vault {
    fn slot(&self, key: &Key) -> String {
        let mut slot = format!("{}/{}", self.root, self.path.fill(key));
        let namespace = self.namespace.as_ref().map(|name| ("namespace", name));
        let field = (self.field != open::FIELD).then_some(("field", &self.field));
        for (mark, (name, value)) in "?&".chars().zip(namespace.into_iter().chain(field)) {
            slot.push_str(&format!("{mark}{name}={}", in_url(value)));
        }
        slot
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: true,
            readable: true,
        }
    }

    /// Logs in and looks at the mount. Which path an account has is known when its token comes.
    fn check(&self) -> Result<(), StoreError> {
        self.find_mount(&self.path.fill(&open::nobody())).map(drop)
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        conditional::publish(self, key, token, meta, &conditional::jitter)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let Secret { fields, .. } = self.read_secret(key)?.secret;
        match fields.get(&self.field) {
            None => Ok(None),
            Some(value) => {
                let token = value.as_str().and_then(|text| token_in(text.as_bytes()));
                token.map(Some).ok_or_else(|| self.no_token())
            }
        }
    }
}

impl Conditional for Vault {
    type Revision = Version;

    fn shown(&self) -> &str {
        &self.shown
    }

    fn read(&self, key: &Key) -> Result<Held<Version>, StoreError> {
        let version = self.read_secret(key)?;
        let text = |name: &str| version.secret.fields.get(name)?.as_str();
        let note = match version.secret.fields.contains_key(kv::NOTE) {
            true => {
                let note = text(kv::NOTE).and_then(|note| serde_json::from_str(note).ok());
                Some(note.ok_or_else(|| self.unread_note())?)
            }
            false if version.secret.fields.is_empty() => version.left_behind(),
            false => None,
        };
        Ok(Held {
            token: text(&self.field).and_then(|value| token_in(value.as_bytes())),
            note,
            revision: version,
        })
    }

    fn write_if(
        &self,
        key: &Key,
        token: &Token,
        note: &Note,
        expected: Version,
    ) -> Result<Write, StoreError> {
        let (mount, path) = self.place(key)?;
        let next = expected.number + 1;
        let body = expected.replaced(&self.field, token, note);
        let answer =
            self.authorized("POST", &in_url(&format!("{mount}data/{path}")), Some(&body))?;
        match answer.status {
            200 => {
                self.annotate(&mount, &path, note, next);
                Ok(Write::Done)
            }
            // The same words in Vault and in OpenBao; there is no code of its own.
            400 if call::says(&answer.body, "check-and-set") => Ok(Write::Conflict),
            403 => {
                let path = format!("{mount}data/{path}");
                Err(self.forbidden(&format!("the token may not write {path}"), &path))
            }
            404 => Err(self.fail(
                Kind::Refused,
                format!("the mount {mount} is gone"),
                "see `vault secrets list`; then start sftoken again",
            )),
            status => Err(self.unexpected(status, b"")),
        }
    }
}
