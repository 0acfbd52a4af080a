//! What stands in a server's OK, NO, BAD and BYE: code, text, capabilities.
//!
//! Knows response codes (RFC 9051, 7.1; RFC 5530). Never decides what follows from them. Its data comes
//! from every response that has one.

use async_imap::imap_proto::{Capability, Outcome, ResponseCode};

use super::text::{clean, split_code};

/// What a server says at its end: the code stands in front, as it was sent.
pub(super) fn bye(outcome: &Outcome<'_>) -> String {
    match said(outcome) {
        (Some(code), text) => format!("[{code}] {text}"),
        (None, text) => text,
    }
}

/// Response code and text of an outcome, fit for an error.
pub(super) fn said(outcome: &Outcome<'_>) -> (Option<String>, String) {
    let text = outcome.information.as_deref().unwrap_or_default();
    let (code, text) = split_code(text);
    let code = code.map(|code| code.word);
    let known = outcome.code.as_ref().and_then(|code| match code {
        ResponseCode::Alert => Some("ALERT"),
        ResponseCode::TryCreate => Some("TRYCREATE"),
        ResponseCode::Parse => Some("PARSE"),
        _ => None,
    });
    (known.map(str::to_owned).or(code), clean(text))
}

/// Capabilities in a response code, folded to upper case: servers write `Imap4Rev1` and `Sasl-IR`.
pub(super) fn capabilities_in(outcome: &Outcome<'_>) -> Option<Vec<String>> {
    match &outcome.code {
        Some(ResponseCode::Capabilities(list)) => Some(list.iter().map(fold).collect()),
        _ => None,
    }
}

/// A capability in upper case.
pub(super) fn fold(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_ascii_uppercase()),
        Capability::Atom(atom) => atom.to_ascii_uppercase(),
    }
}
