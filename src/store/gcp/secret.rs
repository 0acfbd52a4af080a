//! A secret and its versions, as the API has them.
//!
//! Knows etags, aliases, annotations, payloads and their checksums. Never leaves out what others have written there: alias
//! and annotation are set beside theirs. Its data comes from the API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Gcp, call};
use crate::ingest::token::Token;
use crate::store::conditional::{Note, Write};
use crate::store::{StoreError, token_in};

/// The annotation that says where the token of the alias came from.
pub(super) const NOTE: &str = "sftoken";

/// As much of a secret as we look at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct Secret {
    pub(super) etag: String,
    #[serde(default)]
    annotations: Map<String, Value>,
    #[serde(default)]
    version_aliases: Map<String, Value>,
}

impl Secret {
    /// The version that an alias names. Numbers of 64 bits are strings in JSON.
    pub(super) fn number(&self, alias: &str) -> Option<u64> {
        match self.version_aliases.get(alias)? {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64(),
        }
    }

    /// The note. `Err`: there is one, and it is not understood.
    pub(super) fn note(&self) -> Result<Option<Note>, ()> {
        let Some(note) = self.annotations.get(NOTE) else {
            return Ok(None);
        };
        let text = note.as_str().ok_or(())?;
        serde_json::from_str(text).map(Some).map_err(drop)
    }
}

/// What is behind the name of a version.
pub(super) enum Access {
    /// No such secret, version or alias.
    None,
    /// It is disabled or destroyed.
    Shut,
    /// Its number, and the token if it holds one.
    Is(u64, Option<Token>),
}

#[derive(Deserialize)]
struct Version {
    name: String,
    #[serde(default)]
    payload: Payload,
}

#[derive(Default, Deserialize)]
struct Payload {
    #[serde(default)]
    data: String,
    #[serde(default, rename = "dataCrc32c")]
    data_crc32c: Option<String>,
}

impl Version {
    /// `projects/P/secrets/S/versions/7`.
    fn number(&self) -> Option<u64> {
        self.name.rsplit('/').next()?.parse().ok()
    }
}

impl Payload {
    /// What it holds; `None`: it came over damaged.
    fn bytes(self) -> Option<Zeroizing<Vec<u8>>> {
        let data = Zeroizing::new(self.data);
        let bytes = Zeroizing::new(STANDARD.decode(data.as_bytes()).ok()?);
        let told = self.data_crc32c.as_deref();
        let whole = told.is_none_or(|told| told.parse() == Ok(crc32c(&bytes)));
        whole.then_some(bytes)
    }
}

impl Gcp {
    /// The secret; `None`: there is none.
    pub(super) fn secret(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let answer = self.authorized("GET", &self.url(name), None)?;
        match answer.status {
            404 => Ok(None),
            200 => self.read(&answer.body).map(Some),
            _ => Err(self.refused("get", name, &answer)),
        }
    }

    /// Makes the secret; `None`: another has made it first.
    pub(super) fn create(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let body = match self.regional {
            true => json!({}),
            false => json!({"replication": {"automatic": {}}}),
        };
        let body = body.to_string();
        let url = format!("{}?secretId={name}", self.secrets);
        let answer = self.authorized("POST", &url, Some(body.as_bytes()))?;
        match answer.status {
            200 => self.read(&answer.body).map(Some),
            409 => Ok(None),
            _ => Err(self.refused("create", name, &answer)),
        }
    }

    fn read(&self, body: &[u8]) -> Result<Secret, StoreError> {
        let secret = serde_json::from_slice(body).ok();
        secret.ok_or_else(|| self.odd("the secret is not understood"))
    }

    /// Reads a version by its number or alias.
    pub(super) fn access(&self, name: &str, version: &str) -> Result<Access, StoreError> {
        let url = format!("{}/versions/{version}:access", self.url(name));
        let answer = self.authorized("GET", &url, None)?;
        match answer.status {
            404 => Ok(Access::None),
            400 if call::is_precondition(&answer) => Ok(Access::Shut),
            200 => {
                let version: Option<Version> = serde_json::from_slice(&answer.body).ok();
                let seen =
                    version.and_then(|version| Some((version.number()?, version.payload.bytes()?)));
                let (number, bytes) = seen
                    .ok_or_else(|| self.odd("a version is not understood, or came over damaged"))?;
                Ok(Access::Is(number, token_in(&bytes)))
            }
            _ => Err(self.refused("access the versions of", name, &answer)),
        }
    }

    /// Adds a version, and tells its number.
    pub(super) fn add(&self, name: &str, token: &Token) -> Result<u64, StoreError> {
        let bytes = token.expose().as_bytes();
        let data = Zeroizing::new(STANDARD.encode(bytes));
        let body = json!({"payload": {"data": *data, "dataCrc32c": crc32c(bytes).to_string()}});
        let body = Zeroizing::new(body.to_string().into_bytes());
        let url = format!("{}:addVersion", self.url(name));
        let answer = self.authorized("POST", &url, Some(&body))?;
        if answer.status != 200 {
            return Err(self.refused("add a version to", name, &answer));
        }
        let version: Option<Version> = serde_json::from_slice(&answer.body).ok();
        let number = version.and_then(|version| version.number());
        number.ok_or_else(|| self.odd("the version that was added is not understood"))
    }

    /// Lets the alias name a version, and sets its note if there is a new one, unless the secret has changed.
    pub(super) fn point(
        &self,
        name: &str,
        secret: &Secret,
        number: u64,
        note: Option<&Note>,
    ) -> Result<Write, StoreError> {
        let mut aliases = secret.version_aliases.clone();
        aliases.insert(self.alias.clone(), json!(number.to_string()));
        let mut body = json!({"etag": secret.etag, "versionAliases": aliases});
        let mut mask = "versionAliases";
        if let Some(note) = note {
            let mut annotations = secret.annotations.clone();
            annotations.insert(NOTE.to_owned(), json!(json!(note).to_string()));
            body["annotations"] = Value::Object(annotations);
            mask = "versionAliases,annotations";
        }
        let body = body.to_string();
        let url = format!("{}?updateMask={mask}", self.url(name));
        let answer = self.authorized("PATCH", &url, Some(body.as_bytes()))?;
        match answer.status {
            200 => Ok(Write::Done),
            // Changed meanwhile; or removed.
            400 | 409 if call::is_precondition(&answer) => Ok(Write::Conflict),
            404 => Ok(Write::Conflict),
            _ => Err(self.refused("update", name, &answer)),
        }
    }
}

/// The Castagnoli CRC (RFC 3720, appendix B.4), which Google checks and gives: the whole way, not only that of TLS.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
    let add = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(!0, add)
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    /// RFC 3720, B.4: 32 zeros, 32 ones, 0 to 31; and the usual check value.
    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }
}
