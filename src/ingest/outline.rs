//! The parts of a mail, for people to look at.
//!
//! Knows types and encodings as they stand, to the depth and number that a token mail may have.
//! Never decides whether they are those of one, and never looks into a part. Its texts are untrusted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::mail::Mail;
use super::mime::{Part, Pieces};

/// Parts that are listed.
const MAX_PARTS: usize = 16;
/// Levels that are listed.
const MAX_DEPTH: usize = 4;

/// A line for each part, indented by its depth; ends where the structure cannot be read.
pub(super) fn outline(mail: &Mail<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    // A parser's panic costs one mail (facts: authenticity, 0.6).
    let _ = catch_unwind(AssertUnwindSafe(|| list(mail, 0, &mut lines)));
    lines
}

fn list(mail: &Mail<'_>, depth: usize, lines: &mut Vec<String>) {
    if lines.len() >= MAX_PARTS || depth > MAX_DEPTH {
        return;
    }
    let indent = "  ".repeat(depth);
    let Ok(part) = Part::of(mail) else {
        return lines.push(format!("{indent}cannot be read"));
    };
    let (kind, subtype) = part.kind();
    let file = if part.is_file() { ", a file" } else { "" };
    let param = |name: &str| {
        let value = part.param(name);
        value.map_or_else(String::new, |value| format!(", {name} {value}"))
    };
    let (charset, boundary) = (param("charset"), param("boundary"));
    let encoding = &part.encoding;
    lines.push(format!(
        "{indent}{kind}/{subtype}{charset}{boundary}, {encoding}{file}"
    ));
    if kind != "multipart" {
        return;
    }
    let pieces = part
        .param("boundary")
        .and_then(|boundary| Pieces::cut(part.body, boundary, MAX_PARTS).ok());
    for piece in pieces.map(|pieces| pieces.parts).unwrap_or_default() {
        list(&Mail::parse(piece), depth + 1, lines);
    }
}
