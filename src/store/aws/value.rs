//! A secret's value: a JSON object, with fields of ours and of others.
//!
//! Knows where token, username and note stand in it. Never drops a field of somebody else's. Its text comes from Secrets
//! Manager.

use ring::hmac;
use serde_json::{Map, Value as Json, json};
use zeroize::Zeroizing;

use super::wipe::{text_of, wipe};
use crate::ingest::token::Token;
use crate::store::conditional::Note;
use crate::store::token_in;

/// The field of our note.
pub(super) const NOTE: &str = "sftoken";

/// The fields.
#[derive(Default)]
pub(super) struct Value(Map<String, Json>);

impl Value {
    /// `None`: it is no JSON object.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    pub(super) fn token(&self, field: &str) -> Option<Token> {
        token_in(self.0.get(field)?.as_str()?.as_bytes())
    }

    /// The note, if there is one; an error, if it cannot be read.
    pub(super) fn note(&self) -> Result<Option<Note>, serde_json::Error> {
        let note = self.0.get(NOTE).cloned();
        note.map(serde_json::from_value).transpose()
    }

    /// The text with another token.
    pub(super) fn replaced(
        mut self,
        field: &str,
        token: &Token,
        note: &Note,
    ) -> Zeroizing<Vec<u8>> {
        let mut fields = std::mem::take(&mut self.0);
        let mut set = |name: &str, value: Json| fields.insert(name.to_owned(), value);
        wipe(set(field, json!(token.expose())).unwrap_or_default());
        if field != "username" {
            set("username", json!(note.username));
        }
        set(NOTE, json!(note));
        text_of(Json::Object(fields))
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        wipe(Json::Object(std::mem::take(&mut self.0)));
    }
}

/// A version's name, told by its text alone, so that whoever writes it twice writes it once. NOTE: versions' names are seen
/// by many, and fields of others may be easy to guess; the token, as the key, is not.
pub(super) fn version_of(text: &[u8], token: &Token) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.expose().as_bytes());
    let tag = hmac::sign(&key, text);
    let hex = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
    hex.collect()
}
