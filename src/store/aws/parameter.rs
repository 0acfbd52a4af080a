//! AWS Systems Manager Parameter Store: a parameter of the type SecureString.
//!
//! Knows versions, whose numbers tell after a write whether somebody else wrote meanwhile, and puts the newest token back then. Never
//! overwrites without having read, nor reads a number as a promise: the service has no conditional write but for new
//! parameters. Path and key come from the URL.
//!
//! ```text
//! GetParameterHistory: versions, each with its note ─► rightful ─► PutParameter ─► version N+1: nobody came between
//!                             ▲                                        └─ another: somebody did ─► settle ─┐
//!                             └───────────── is the newest token current? if not, put it back ◄────────────┘
//! ```
//!
//! The last of several writers either saw all others' versions before it wrote, and was newer, or sees them after, and puts the
//! newest back. Between an overwrite and that, the older token stands there: for the time of two requests.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::api::Api;
use super::history::{History, SECURE, Version, created, fitting};
use super::name::Name;
use super::nobody;
use super::trouble::Trouble;
use crate::ingest::token::Token;
use crate::store::conditional::{self, Conditional, Held, Note, Write, jitter};
use crate::store::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind};

/// Each means that another writer got through.
const TRIES: u32 = 16;
/// The most that the service gives at once.
const PAGE: u32 = 50;
/// Versions are at most a hundred; a server that turns the pages for ever is none of Amazon's.
const PAGES: u32 = 20;

/// A parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) api: Api,
    /// What slots begin with, up to the path.
    pub(super) root: String,
    /// What slots end with.
    pub(super) tail: String,
    pub(super) name: Name,
    /// The key that tokens are encrypted with; `None`: the parameter's, or the account's own.
    pub(super) kms_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    parameters: Vec<Version>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    version: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    parameter: Version,
}

impl Parameter {
    fn history(&self, name: &str) -> Result<History, StoreError> {
        let mut history = History::default();
        let mut asked = json!({"Name": name, "WithDecryption": true, "MaxResults": PAGE});
        for _ in 0..PAGES {
            let page: Page = match self.api.ask("GetParameterHistory", asked.clone())? {
                Ok(page) => page,
                Err(refusal) if refusal.is("ParameterNotFound") => return Ok(History::default()),
                Err(refusal) => {
                    return Err(self.api.refused("GetParameterHistory", name, &refusal));
                }
            };
            history.add(page.parameters);
            match page.next_token.filter(|next| !next.is_empty()) {
                Some(next) => asked["NextToken"] = json!(next),
                None => return Ok(history),
            }
        }
        Err(self.api.odd("the parameter's history has no end"))
    }

    /// The history, once it knows of a version: what was just written may not be seen at once.
    fn history_with(&self, name: &str, number: u64) -> Result<History, StoreError> {
        for attempt in 1..TRIES {
            let history = self.history(name)?;
            // NOTE: a parameter that was removed meanwhile counts from 1 again.
            let seen = history.current().map_or(0, |version| version.number);
            if seen >= number || seen == 0 {
                return Ok(history);
            }
            jitter(attempt);
        }
        let hint = "it will be tried again";
        let problem = format!("the version {number} of {name}, just written, is not seen");
        Err(self.api.fail(Kind::Unreachable, problem, hint))
    }

    /// Writes over a version; the number of the new one.
    fn overwrite(
        &self,
        name: &str,
        version: &Version,
        token: &Token,
        note: &Note,
    ) -> Result<u64, StoreError> {
        let asked = version.overwritten(name, token, note, self.kms_key.as_deref());
        match self.api.ask::<Written>("PutParameter", asked)? {
            Ok(written) => Ok(written.version),
            Err(refusal) => Err(self.api.refused("PutParameter", name, &refusal)),
        }
    }

    fn create(&self, name: &str, token: &Token, note: &Note) -> Result<Write, StoreError> {
        let asked = created(name, token, note, self.kms_key.as_deref());
        match self.api.ask::<IgnoredAny>("PutParameter", asked)? {
            Ok(_) => Ok(Write::Done),
            Err(refusal) if refusal.is("ParameterAlreadyExists") => Ok(Write::Conflict),
            Err(refusal) => Err(self.api.refused("PutParameter", name, &refusal)),
        }
    }

    /// Puts the newest token back, if an older one has been written over it: until nobody comes between.
    fn settle(&self, name: &str, mut seen: u64) -> Result<(), StoreError> {
        for attempt in 1..TRIES {
            let history = self.history_with(name, seen)?;
            let (Some(current), Some(rightful)) = (history.current(), history.rightful()) else {
                return Ok(());
            };
            let stands = current.number == rightful.number;
            let (Some(token), Ok(Some(note)), false) = (rightful.token(), rightful.note(), stands)
            else {
                return Ok(());
            };
            tracing::info!(
                store = self.api.shown(),
                "an older token was written over a newer one: the newer one is put back"
            );
            seen = self.overwrite(name, current, &token, &note)?;
            if seen == current.number + 1 {
                return Ok(());
            }
            jitter(attempt);
        }
        let hint = "it will be tried again; see who writes to this parameter so often";
        let problem = format!("{TRIES} times another writer came between");
        Err(self.api.fail(Kind::Unreachable, problem, hint))
    }

    fn in_the_clear(&self, name: &str, kind: &str) -> StoreError {
        let problem = format!(
            "the parameter {name} is of the type {}",
            crate::store::plain::plain(kind)
        );
        let hint = "a token is kept as SecureString only: remove the parameter, or name another";
        self.api.fail(Kind::Misconfigured, problem, hint)
    }
}

impl Store for Parameter {
    fn slot(&self, key: &Key) -> String {
        format!("{}{}{}", self.root, self.name.fill(key), self.tail)
    }

    /// NOTE: by itself, the service orders nothing; what orders is that each writer looks after itself.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: true,
            readable: true,
        }
    }

    /// As for secrets: finds credentials and asks, without decryption.
    fn check(&self) -> Result<(), StoreError> {
        let name = self.name.fill(&nobody());
        let asked = json!({"Name": name, "WithDecryption": false, "MaxResults": 1});
        match self.api.ask::<IgnoredAny>("GetParameterHistory", asked)? {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.is("ParameterNotFound") => Ok(()),
            Err(refusal) if self.name.is_of_each && refusal.trouble() == Trouble::Permission => {
                Ok(())
            }
            Err(refusal) => Err(self.api.refused("GetParameterHistory", &name, &refusal)),
        }
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        let mut meta = meta.clone();
        meta.message_id = fitting(meta.message_id);
        let put = conditional::publish(self, key, token, &meta, &conditional::jitter)?;
        if matches!(put, Put::Superseded | Put::Unchanged) {
            // A writer that ended between its two steps has left this to others.
            self.settle(&self.name.fill(key), 0)?;
        }
        Ok(put)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let name = self.name.fill(key);
        let asked = json!({"Name": name, "WithDecryption": true});
        match self.api.ask::<Got>("GetParameter", asked)? {
            Ok(Got { parameter }) => {
                let token = parameter.token();
                token.map(Some).ok_or_else(|| self.api.no_token(&name))
            }
            Err(refusal) if refusal.is("ParameterNotFound") => Ok(None),
            Err(refusal) => Err(self.api.refused("GetParameter", &name, &refusal)),
        }
    }
}

impl Conditional for Parameter {
    type Revision = History;

    fn shown(&self) -> &str {
        self.api.shown()
    }

    fn read(&self, key: &Key) -> Result<Held<History>, StoreError> {
        let name = self.name.fill(key);
        let history = self.history(&name)?;
        let Some(current) = history.current() else {
            return Ok(Held {
                token: None,
                note: None,
                revision: history,
            });
        };
        if current.kind != SECURE {
            return Err(self.in_the_clear(&name, &current.kind));
        }
        let place = || format!("the description of {name}");
        current.note().map_err(|_| self.api.unread_note(&place()))?;
        let rightful = history.rightful().unwrap_or(current);
        Ok(Held {
            token: rightful.token(),
            note: rightful.note().unwrap_or_default(),
            revision: history,
        })
    }

    fn write_if(
        &self,
        key: &Key,
        token: &Token,
        note: &Note,
        expected: History,
    ) -> Result<Write, StoreError> {
        let name = self.name.fill(key);
        let Some(current) = expected.current() else {
            return self.create(&name, token, note);
        };
        let written = self.overwrite(&name, current, token, note)?;
        if written != current.number + 1 {
            self.settle(&name, written)?;
        }
        Ok(Write::Done)
    }
}
