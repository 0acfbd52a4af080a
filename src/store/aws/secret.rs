//! AWS Secrets Manager: a field of a secret.
//!
//! Knows versions and the labels that point to them, and writes by moving the label AWSCURRENT from the version that was read.
//! Never makes a version current in the same request that writes it, and never drops the fields of others. Name and field
//! come from the URL.
//!
//! ```text
//! GetSecretValue(AWSCURRENT): fields, version ─► PutSecretValue(a version of ours, labelled CANDIDATE)
//!        └─ no such secret ─► CreateSecret          └─► UpdateSecretVersionStage(AWSCURRENT: from the version read to ours)
//! ```
//!
//! A version's name is told by what is in it. So what a crash left between the two writes is finished by whoever tries
//! again, and nothing is left to clean up: CANDIDATE is one label, which the next candidate takes over.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use zeroize::Zeroizing;

use super::api::Api;
use super::name::Name;
use super::nobody;
use super::trouble::Trouble;
use super::value::{NOTE, Value, version_of};
use crate::ingest::token::Token;
use crate::store::conditional::{self, Conditional, Held, Note, Write};
use crate::store::{Capabilities, Key, Meta, Put, Store, StoreError, StoreErrorKind as Kind};

const CURRENT: &str = "AWSCURRENT";
const CANDIDATE: &str = "sftoken-candidate";

/// A field of a secret.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) api: Api,
    /// What slots begin with, up to the name.
    pub(super) root: String,
    /// What slots end with.
    pub(super) tail: String,
    pub(super) name: Name,
    pub(super) field: String,
    /// The key that a new secret is encrypted with; `None`: the account's own.
    pub(super) kms_key: Option<String>,
}

/// What a secret holds now.
pub(super) struct Current {
    /// `None`: there is no secret, or none of its versions is current.
    version: Option<String>,
    value: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Read {
    version_id: String,
    secret_string: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    #[serde(default)]
    version_stages: Vec<String>,
}

impl Secret {
    fn current(&self, name: &str) -> Result<Current, StoreError> {
        // NOTE: some servers give an older version where the label is not named (facts: stores, P7).
        let asked = json!({"SecretId": name, "VersionStage": CURRENT});
        let read: Read = match self.api.ask("GetSecretValue", asked)? {
            Ok(read) => read,
            Err(refusal) if refusal.is("ResourceNotFoundException") => {
                return Ok(Current {
                    version: None,
                    value: Value::default(),
                });
            }
            Err(refusal) => return Err(self.api.refused("GetSecretValue", name, &refusal)),
        };
        let text = read.secret_string.map(Zeroizing::new);
        let value = text.and_then(|text| Value::parse(&text));
        Ok(Current {
            version: Some(read.version_id),
            value: value.ok_or_else(|| self.no_object(name))?,
        })
    }

    /// Writes a version that is not current yet.
    fn put(&self, name: &str, id: &str, text: &[u8], first: bool) -> Result<Step, StoreError> {
        let asked = json!({"SecretId": name, "ClientRequestToken": id, "SecretString": String::from_utf8_lossy(text), "VersionStages": [CANDIDATE]});
        match self.api.ask::<Written>("PutSecretValue", asked)? {
            // A secret's very first version becomes current by itself.
            Ok(written) if first && written.version_stages.iter().any(|at| at == CURRENT) => {
                Ok(Step::Ended(Write::Done))
            }
            Ok(_) => Ok(Step::Next),
            Err(refusal) if refusal.is("ResourceNotFoundException") && first => {
                self.create(name, id, text).map(Step::Ended)
            }
            Err(refusal) if refusal.is("ResourceNotFoundException") => {
                Ok(Step::Ended(Write::Conflict))
            }
            Err(refusal) => Err(self.api.refused("PutSecretValue", name, &refusal)),
        }
    }

    fn create(&self, name: &str, id: &str, text: &[u8]) -> Result<Write, StoreError> {
        let mut asked = json!({
            "Name": name, "ClientRequestToken": id, "SecretString": String::from_utf8_lossy(text),
            "Description": "The Salesforce security token, kept by sftoken",
        });
        if let Some(key) = &self.kms_key {
            asked["KmsKeyId"] = json!(key);
        }
        match self.api.ask::<IgnoredAny>("CreateSecret", asked)? {
            Ok(_) => Ok(Write::Done),
            Err(refusal) if refusal.is("ResourceExistsException") => Ok(Write::Conflict),
            Err(refusal) => Err(self.api.refused("CreateSecret", name, &refusal)),
        }
    }

    /// Makes a version current, if the one that was read still is.
    fn promote(&self, name: &str, id: &str, read: Option<&str>) -> Result<Write, StoreError> {
        let mut asked = json!({"SecretId": name, "VersionStage": CURRENT, "MoveToVersionId": id});
        if let Some(read) = read {
            asked["RemoveFromVersionId"] = json!(read);
        }
        match self
            .api
            .ask::<IgnoredAny>("UpdateSecretVersionStage", asked)?
        {
            Ok(_) => Ok(Write::Done),
            // There is no word of its own for a label that stands elsewhere by now.
            Err(refusal)
                if refusal.is("InvalidParameterException")
                    || refusal.is("ResourceNotFoundException") =>
            {
                Ok(Write::Conflict)
            }
            Err(refusal) => Err(self.api.refused("UpdateSecretVersionStage", name, &refusal)),
        }
    }

    /// Takes our label from a version. NOTE: nothing depends on it: the next candidate takes the label over, wherever it is.
    fn tidy(&self, name: &str, id: &str) {
        let asked = json!({"SecretId": name, "VersionStage": CANDIDATE, "RemoveFromVersionId": id});
        let done = self
            .api
            .ask::<IgnoredAny>("UpdateSecretVersionStage", asked);
        if !matches!(done, Ok(Ok(_))) {
            tracing::debug!(
                store = self.api.shown(),
                "the label {CANDIDATE} stays where it is"
            );
        }
    }

    fn no_object(&self, name: &str) -> StoreError {
        let problem = format!("the secret {name} holds something else than a JSON object");
        let hint =
            "it is not written over: give sftoken a secret of its own, or put {} into this one";
        self.api.fail(Kind::Corrupt, problem, hint)
    }
}

/// How far a write got.
enum Step {
    Next,
    Ended(Write),
}

impl Store for Secret {
    fn slot(&self, key: &Key) -> String {
        format!("{}{}{}", self.root, self.name.fill(key), self.tail)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: true,
            readable: true,
        }
    }

    /// Finds credentials and asks for a secret. NOTE: whoever may read may not yet write; and who may not read nobody's secret may
    /// read an account's.
    fn check(&self) -> Result<(), StoreError> {
        let name = self.name.fill(&nobody());
        let asked = json!({"SecretId": name, "VersionStage": CURRENT});
        match self.api.ask::<IgnoredAny>("GetSecretValue", asked)? {
            Ok(_) => {}
            Err(refusal) if refusal.is("ResourceNotFoundException") => {}
            Err(refusal) if self.name.is_of_each && refusal.trouble() == Trouble::Permission => {}
            Err(refusal) => return Err(self.api.refused("GetSecretValue", &name, &refusal)),
        }
        Ok(())
    }

    fn publish(&self, key: &Key, token: &Token, meta: &Meta) -> Result<Put, StoreError> {
        conditional::publish(self, key, token, meta, &conditional::jitter)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let name = self.name.fill(key);
        let Current { value, .. } = self.current(&name)?;
        if !value.has(&self.field) {
            return Ok(None);
        }
        let token = value.token(&self.field);
        let place = || format!("the field {} of {name}", self.field);
        token.map(Some).ok_or_else(|| self.api.no_token(&place()))
    }
}

impl Conditional for Secret {
    type Revision = Current;

    fn shown(&self) -> &str {
        self.api.shown()
    }

    fn read(&self, key: &Key) -> Result<Held<Current>, StoreError> {
        let name = self.name.fill(key);
        let current = self.current(&name)?;
        let note = current.value.note();
        let place = || format!("the field {NOTE} of {name}");
        Ok(Held {
            token: current.value.token(&self.field),
            note: note.map_err(|_| self.api.unread_note(&place()))?,
            revision: current,
        })
    }

    fn write_if(
        &self,
        key: &Key,
        token: &Token,
        note: &Note,
        expected: Current,
    ) -> Result<Write, StoreError> {
        let name = self.name.fill(key);
        let Current { version, value } = expected;
        let text = value.replaced(&self.field, token, note);
        let id = version_of(&text, token);
        if let Step::Ended(end) = self.put(&name, &id, &text, version.is_none())? {
            return Ok(end);
        }
        let end = self.promote(&name, &id, version.as_deref())?;
        self.tidy(&name, &id);
        Ok(end)
    }
}
