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

mod auth;
mod call;
mod credentials;
mod open;
mod secret;

use std::cell::RefCell;

use super::conditional::{self, Conditional, Held, Note, Write};
use super::name::Name;
use super::session::Session;
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind};
use crate::http::Http;
use crate::ingest::policy::Org;
use crate::ingest::token::Token;
use auth::LogIn;
use secret::{Access, Secret};

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

/// One publish: it remembers the versions that it has added.
struct Attempt<'g> {
    store: &'g Gcp,
    name: String,
    added: RefCell<Vec<u64>>,
}

/// The most times that `latest` is put right, in one publish.
const TRIES: u32 = 16;

impl Gcp {
    fn attempt(&self, key: &Key) -> Attempt<'_> {
        Attempt {
            store: self,
            name: self.name.fill(key),
            added: RefCell::default(),
        }
    }

    fn fail(&self, kind: Kind, problem: String, hint: &str) -> StoreError {
        StoreError::new(&self.shown, kind, problem, hint)
    }
}

impl Attempt<'_> {
    /// The number of a version that holds the token and that `latest` means, if nobody comes between. One that a run that was
    /// cut off has left is used.
    fn version(&self, token: &Token) -> Result<u64, StoreError> {
        if let Access::Is(number, Some(top)) = self.store.access(&self.name, "latest")?
            && top == *token
        {
            return Ok(number);
        }
        let number = self.store.add(&self.name, token)?;
        self.added.borrow_mut().push(number);
        Ok(number)
    }

    /// This mail's token is older than what the alias names. Where `latest` means a version of ours all the same, the
    /// newest is added again. NOTE: a version of somebody else's is left alone: it is on its way to the alias, or a
    /// person's, and may be newer than any mail.
    fn cover(&self, mine: &Token) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                conditional::jitter(attempt);
            }
            let Some(secret) = self.store.secret(&self.name)? else {
                return Ok(());
            };
            let Some(current) = secret.number(&self.store.alias) else {
                return Ok(());
            };
            let Access::Is(number, Some(top)) = self.store.access(&self.name, "latest")? else {
                return Ok(());
            };
            let ours = top == *mine || self.added.borrow().contains(&number);
            if number <= current || !ours {
                return Ok(());
            }
            let newest = self.store.access(&self.name, &current.to_string())?;
            let Access::Is(_, Some(newest)) = newest else {
                return Ok(());
            };
            let number = match top == newest {
                true => number,
                false => self.version(&newest)?,
            };
            tracing::info!(
                store = self.store.shown,
                "the newest token is made the latest version again"
            );
            self.store.point(&self.name, &secret, number, None)?;
        }
        Err(self.store.fail(
            Kind::Unreachable,
            format!("{TRIES} times another writer came first"),
            "it will be tried again; see who writes to this secret so often",
        ))
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

impl Conditional for Attempt<'_> {
    /// `None`: there is no secret.
    type Revision = Option<Secret>;

    fn shown(&self) -> &str {
        &self.store.shown
    }

    fn read(&self, _: &Key) -> Result<Held<Option<Secret>>, StoreError> {
        let store = self.store;
        let Some(secret) = store.secret(&self.name)? else {
            return Ok(Held {
                token: None,
                note: None,
                revision: None,
            });
        };
        let token = match secret.number(&store.alias) {
            None => None,
            Some(number) => match store.access(&self.name, &number.to_string())? {
                Access::Is(_, token) => token,
                Access::None | Access::Shut => None,
            },
        };
        Ok(Held {
            token,
            note: secret.note().map_err(|()| store.unread_note())?,
            revision: Some(secret),
        })
    }

    fn write_if(
        &self,
        _: &Key,
        token: &Token,
        note: &Note,
        expected: Option<Secret>,
    ) -> Result<Write, StoreError> {
        let secret = match expected {
            Some(secret) => secret,
            None => match self.store.create(&self.name)? {
                Some(secret) => secret,
                None => return Ok(Write::Conflict),
            },
        };
        let number = self.version(token)?;
        self.store.point(&self.name, &secret, number, Some(note))
    }
}
