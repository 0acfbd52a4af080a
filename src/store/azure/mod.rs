//! Azure Key Vault: a secret, with its note in tags.
//!
//! Knows how a secret is read and set, and that every set makes a new version, whatever was there. Never leaves an
//! older token on top of a newer one: it looks at all versions after each set, and sets the newest again where it was covered.
//! Vault and name come from the URL, the log-in from the URL or the machine.
//!
//! ```text
//! GET versions: their notes ─► GET secret: is it the newest? ─► admit ─► PUT secret ─► the same look again
//!       ▲                          └─ no: GET its version ─► PUT it again ─┐
//!       └──────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Whoever sets last looks last, and sees all versions: so the newest is on top once all have looked, whoever races.

mod auth;
mod call;
mod note;
mod open;
mod versions;

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::conditional::{self, Conditional, Held, Note, Write};
use super::name::Name;
use super::session::Session;
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind, token_in};
use crate::http::Http;
use crate::ingest::policy::Org;
use crate::ingest::token::Token;
use auth::LogIn;
use note::Tags;

/// A name in a vault.
#[derive(Debug)]
pub(super) struct Azure {
    shown: String,
    /// What slots begin with.
    root: String,
    /// `https://VAULT.vault.azure.net/secrets/`.
    secrets: String,
    name: Name,
    http: Http,
    log_in: LogIn,
    session: Session,
}

/// A secret's version, as it is read.
#[derive(Deserialize)]
struct Bundle {
    value: String,
    #[serde(default)]
    tags: Option<Tags>,
}

/// What is on top.
#[derive(Default)]
struct Top {
    token: Option<Token>,
    tags: Tags,
}

/// The most times that a newer token is put on top again, in one look.
const TRIES: u32 = 16;

impl Azure {
    /// The newest version, as every reader sees it. One that is disabled counts as none.
    fn top(&self, name: &str) -> Result<Top, StoreError> {
        let answer = self.authorized("GET", &self.url(name), None)?;
        match answer.status {
            200 => {
                let bundle = self.bundle(&answer.body)?;
                let value = Zeroizing::new(bundle.value);
                Ok(Top {
                    token: token_in(value.as_bytes()),
                    tags: bundle.tags.unwrap_or_default(),
                })
            }
            404 => Ok(Top::default()),
            403 if call::is_disabled(&answer) => Ok(Top::default()),
            _ => Err(self.refused("get", &answer)),
        }
    }

    /// What the slot holds, once the newest token is on top. NOTE: a token without a note was set by somebody else: it may
    /// be newer than any mail, and is not covered.
    fn settled(&self, name: &str) -> Result<Held<Tags>, StoreError> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                conditional::jitter(attempt);
            }
            let newest = self.newest(name)?;
            let top = self.top(name)?;
            let on_top = note::read(&top.tags).map_err(|()| self.unread_note())?;
            let covered = newest.filter(|newest| newer(&newest.note, on_top.as_ref()));
            let Some(covered) = covered else {
                return Ok(Held {
                    token: top.token,
                    note: on_top,
                    revision: top.tags,
                });
            };
            let uncover = on_top.is_some() && covered.enabled;
            let token = if uncover {
                self.version(name, &covered.id)?
            } else {
                None
            };
            let Some(token) = token else {
                return Ok(Held {
                    token: top.token,
                    note: Some(covered.note),
                    revision: top.tags,
                });
            };
            tracing::info!(store = self.shown, "a newer token is put on top again");
            self.set(name, &token, &covered.note, &top.tags)?;
        }
        Err(self.fail(
            Kind::Unreachable,
            format!("{TRIES} times another writer put an older token on top"),
            "it will be tried again; see who writes to this secret so often",
        ))
    }

    /// Makes a version. Tags of others are taken along: a new version has none by itself.
    fn set(&self, name: &str, token: &Token, note: &Note, others: &Tags) -> Result<(), StoreError> {
        let tags = note::write(note, others).ok_or_else(|| {
            self.fail(
                Kind::Refused,
                "the secret's tags leave no room for the note".to_owned(),
                "Key Vault takes 15 tags: remove some",
            )
        })?;
        let body = json!({"value": token.expose(), "contentType": "text/plain", "tags": tags});
        let body = Zeroizing::new(body.to_string().into_bytes());
        let answer = self.authorized("PUT", &self.url(name), Some(&body))?;
        match answer.status {
            200 => Ok(()),
            _ => Err(self.refused("set", &answer)),
        }
    }

    /// The token of one version; `None`: it was disabled meanwhile, or holds none.
    fn version(&self, name: &str, id: &str) -> Result<Option<Token>, StoreError> {
        let answer = self.authorized("GET", &self.url(&format!("{name}/{id}")), None)?;
        match answer.status {
            200 => {
                let value = Zeroizing::new(self.bundle(&answer.body)?.value);
                Ok(token_in(value.as_bytes()))
            }
            404 => Ok(None),
            403 if call::is_disabled(&answer) => Ok(None),
            _ => Err(self.refused("get", &answer)),
        }
    }

    fn bundle(&self, body: &[u8]) -> Result<Bundle, StoreError> {
        let bundle = serde_json::from_slice(body).ok();
        bundle.ok_or_else(|| self.odd("the secret is not understood"))
    }

    fn fail(&self, kind: Kind, problem: String, hint: &str) -> StoreError {
        StoreError::new(&self.shown, kind, problem, hint)
    }
}

fn newer(note: &Note, than: Option<&Note>) -> bool {
    than.is_none_or(|than| note.meta.rank > than.meta.rank)
}

/// Whom a name is asked about that is nobody's.
fn nobody() -> Key {
    Key {
        username: "sftoken-check".to_owned(),
        org: Org::Production,
    }
}

impl Store for Azure {
    fn slot(&self, key: &Key) -> String {
        format!("{}{}", self.root, self.name.fill(key))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: true,
            readable: true,
        }
    }

    /// NOTE: whoever may read and list may not yet set; that is known when a token is put.
    fn check(&self) -> Result<(), StoreError> {
        let name = self.name.fill(&nobody());
        self.newest(&name)?;
        self.top(&name).map(drop)
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        conditional::publish(self, key, token, meta, &conditional::jitter)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let name = self.name.fill(key);
        let answer = self.authorized("GET", &self.url(&name), None)?;
        match answer.status {
            404 => return Ok(None),
            200 => {}
            _ => return Err(self.refused("get", &answer)),
        }
        let value = Zeroizing::new(self.bundle(&answer.body)?.value);
        token_in(value.as_bytes()).map(Some).ok_or_else(|| {
            let problem = format!("the secret {name} holds no token");
            let hint = "if it is not wanted, delete it; the next token makes a new one";
            self.fail(Kind::Corrupt, problem, hint)
        })
    }
}

impl Conditional for Azure {
    /// The tags that were read.
    type Revision = Tags;

    fn shown(&self) -> &str {
        &self.shown
    }

    fn read(&self, key: &Key) -> Result<Held<Tags>, StoreError> {
        self.settled(&self.name.fill(key))
    }

    /// NOTE: the vault takes every set. Who came between is found by the look that follows: `read`, before anything is
    /// called written.
    fn write_if(
        &self,
        key: &Key,
        token: &Token,
        note: &Note,
        expected: Tags,
    ) -> Result<Write, StoreError> {
        self.set(&self.name.fill(key), token, note, &expected)?;
        Ok(Write::Done)
    }
}
