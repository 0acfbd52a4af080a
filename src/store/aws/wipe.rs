//! JSON that holds secrets, wiped.
//!
//! Knows that a value and a buffer that grows leave copies behind. Never leaves one of its own. Values come from whoever asks,
//! and from Secrets Manager.

use serde_json::Value as Json;
use zeroize::{Zeroize as _, Zeroizing};

/// A secret has at most 64 KiB, whose quotation marks are written as two letters.
const ROOM: usize = 256 * 1024;

/// The text of a value, and nothing of the value.
pub(super) fn text_of(value: Json) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(ROOM));
    // a value whose keys are strings is always written
    let _ = serde_json::to_writer(&mut *text, &value);
    wipe(value);
    text
}

/// Wipes every string of a value.
pub(super) fn wipe(value: Json) {
    match value {
        Json::String(mut text) => text.zeroize(),
        Json::Array(values) => values.into_iter().for_each(wipe),
        Json::Object(fields) => fields.into_iter().for_each(|(_, value)| wipe(value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
