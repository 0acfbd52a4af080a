//! Google Cloud Secret Manager: versions of a secret, and an alias that names the newest.
//!
//! Knows that a version is added without any condition, and that alias and note are set on condition of the secret's etag.
//! Never moves the alias to an older token; what it added and the alias does not name, it covers again for readers
//! of `latest`. Project and name come from the URL, the log-in from the URL or the machine.
//!
//! ```text
//! GET secret: note, alias, etag ─► admit ─► addVersion ─► PATCH {etag, alias, note} ─► read back ─► Put
//!       ▲                            │                          └─ another came first ─┐
//!       └────────────────────────────┼───────────────────────────────────────────────┘
//!                                    └─ older: is `latest` ours? ─► addVersion with the newest, PATCH
//! ```

mod attempt;
mod auth;
mod call;
mod credentials;
mod open;
mod secret;

use super::conditional;
use super::name::Name;
use super::session::Session;
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind};
use crate::http::Http;
use crate::ingest::policy::Org;
use crate::ingest::token::Token;
use attempt::Attempt;
use auth::LogIn;
use secret::Access;

/// A name in a project.
#[derive(Debug)]
pub(super) struct Gcp {
    shown: String,
    /// What slots begin with.
    root: String,
    /// `https://secretmanager.googleapis.com/v1/projects/PROJECT/secrets`.
    secrets: String,
    name: Name,
    /// What consumers read instead of `latest`.
    alias: String,
    /// In one place only: then Google copies it nowhere, and is not told where to.
    regional: bool,
    http: Http,
    log_in: LogIn,
    session: Session,
}

impl Gcp {
    fn attempt(&self, key: &Key) -> Attempt<'_> {
        Attempt::new(self, self.name.fill(key))
    }

    fn fail(&self, kind: Kind, problem: String, hint: &str) -> StoreError {
        StoreError::new(&self.shown, kind, problem, hint)
    }
}

/// Whom a name is asked about that is nobody's.
fn nobody() -> Key {
    Key {
        username: "sftoken-check".to_owned(),
        org: Org::Production,
    }
}

impl Store for Gcp {
    fn slot(&self, key: &Key) -> String {
        format!("{}{}", self.root, self.name.fill(key))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: true,
            readable: true,
        }
    }

    /// NOTE: whoever may look may not yet add; that is known when a token is put.
    fn check(&self) -> Result<(), StoreError> {
        self.secret(&self.name.fill(&nobody())).map(drop)
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        let attempt = self.attempt(key);
        let put = conditional::publish(&attempt, key, token, meta, &conditional::jitter)?;
        if put == Put::Superseded {
            attempt.cover(token)?;
        }
        Ok(put)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let name = self.name.fill(key);
        match self.access(&name, &self.alias)? {
            Access::None => Ok(None),
            Access::Is(_, Some(token)) => Ok(Some(token)),
            Access::Is(number, None) => Err(self.fail(
                Kind::Corrupt,
                format!("version {number} of the secret {name} holds no token"),
                "if it is not wanted, remove the alias; the next token sets it anew",
            )),
            Access::Shut => Err(self.fail(
                Kind::Refused,
                format!(
                    "the version that {} names is disabled or destroyed",
                    self.alias
                ),
                "enable it, or wait for the next token: it makes a new version",
            )),
        }
    }
}
