//! The shapes of the KV engine, version 2.
//!
//! Knows fields, versions and mounts as JSON. Never asks anything. Its bytes come from the server.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::ingest::token::Token;
use crate::store::conditional::Note;
use crate::store::plain::plain;

/// The field of our note.
pub(super) const NOTE: &str = "sftoken";
/// What a value of `custom_metadata` may have (Vault's documentation of KV version 2: 512 bytes).
const MAX_ANNOTATION: usize = 512;

/// A secret, and which version of it.
#[derive(Default)]
pub(in crate::store) struct Version {
    /// 0: there never was one.
    pub(super) number: u64,
    pub(super) secret: Secret,
    custom: Map<String, Value>,
}

/// A secret's fields: ours, and those of others.
#[derive(Default)]
pub(in crate::store) struct Secret {
    pub(super) fields: Map<String, Value>,
}

/// An engine.
pub(super) struct Mount {
    path: String,
    kind: String,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Option<T>,
}

#[derive(Deserialize)]
struct Read {
    data: Option<Map<String, Value>>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
    custom_metadata: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct MountRead {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    options: Option<Map<String, Value>>,
}

/// The answer to a read, whether there is a secret, a deleted one, or none (`{"errors":[]}`).
pub(super) fn version(body: &[u8]) -> Option<Version> {
    let answer: Answer<Read> = serde_json::from_slice(body).ok()?;
    let Some(read) = answer.data else {
        return Some(Version::default());
    };
    Some(Version {
        number: read.metadata.version,
        secret: Secret {
            fields: read.data.unwrap_or_default(),
        },
        custom: read.metadata.custom_metadata.unwrap_or_default(),
    })
}

/// The answer to the question which engine a path belongs to.
pub(super) fn mount(body: &[u8]) -> Option<Mount> {
    let answer: Answer<MountRead> = serde_json::from_slice(body).ok()?;
    let read = answer.data?;
    let version = read.options.unwrap_or_default();
    let version = version.get("version").and_then(Value::as_str);
    Some(Mount {
        version: version.map(str::to_owned),
        path: read.path,
        kind: read.kind,
    })
}

impl Mount {
    /// Its path, with a slash at the end, if it can compare and set; otherwise why not and what to do.
    pub(super) fn holds_versions(self) -> Result<String, (String, &'static str)> {
        let path = self.path.trim_end_matches('/');
        match (self.kind.as_str(), self.version.as_deref()) {
            ("kv", Some("2")) => Ok(format!("{path}/")),
            ("kv" | "generic", _) => Err((
                format!(
                    "the mount {path}/ is of KV version 1, where a condition on a write is not heeded"
                ),
                "upgrade it (`vault kv enable-versioning MOUNT/`), or use a mount of version 2",
            )),
            (kind, _) => Err((
                format!("the mount {path}/ is of another kind ({})", plain(kind)),
                "name a path in a KV engine of version 2",
            )),
        }
    }
}

impl Version {
    /// What a deleted secret's metadata says of it.
    pub(super) fn left_behind(&self) -> Option<Note> {
        serde_json::from_str(self.custom.get(NOTE)?.as_str()?).ok()
    }

    /// The request that puts a token into this version's place; the fields of others stay.
    pub(super) fn replaced(
        mut self,
        field: &str,
        token: &Token,
        note: &Note,
    ) -> Zeroizing<Vec<u8>> {
        let mut set = |name: &str, value: String| {
            self.secret
                .fields
                .insert(name.to_owned(), Value::String(value));
        };
        set(field, token.expose().to_owned());
        if field != "username" {
            set("username", note.username.clone());
        }
        set(NOTE, json!(note).to_string());
        let body = json!({"options": {"cas": self.number}, "data": self.secret.fields});
        Zeroizing::new(body.to_string().into_bytes())
    }
}

/// The request that copies a note into `custom_metadata`, and says of which version it is.
pub(super) fn annotation(note: &Note, version: u64) -> Zeroizing<Vec<u8>> {
    let mut text = json!(note).to_string();
    if text.len() > MAX_ANNOTATION {
        let mut short = note.clone();
        short.meta.message_id = None;
        text = json!(short).to_string();
    }
    let copy = json!({NOTE: text, "sftoken_version": version.to_string()});
    Zeroizing::new(json!({"custom_metadata": copy}).to_string().into_bytes())
}
