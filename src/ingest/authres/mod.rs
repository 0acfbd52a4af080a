//! What the mailbox's own provider says about a mail's origin: Authentication-Results (RFC 8601).
//!
//! Knows the field's grammar, which of the fields are the provider's, and what their results amount
//! to. Never verifies a signature and asks nobody. The provider is known by the authserv-id that the
//! user has pinned.
//!
//! ```text
//! fields from the top -> the block of our id -> findings -> one word for each signature that passed
//! ```
//!
//! # Which fields count
//!
//! Trace fields are put on top, and a provider deletes foreign fields with its own id (RFC 8601, 5).
//! So only what stands on top can be believed:
//!
//! 1. Fields are looked at from the top. What stands above the first Authentication-Results field of
//!    our id is passed over: later hops, and servers that write another id or none.
//! 2. From there on, the fields of our id that directly follow each other are the block. Any other
//!    field ends it, an Authentication-Results field of another id or without a readable one too:
//!    what stands below may be the sender's.
//! 3. A field is of our id when its authserv-id is ours as a whole word, whatever follows. If the rest
//!    cannot be read, nothing in the block counts: a reader that skips it would believe the next,
//!    which may be forged.

mod field;
mod scan;
mod word;

pub(super) use word::{Word, words};

use field::{Finding, Results, Unreadable};

use super::mail::{Field, Mail};
use super::refusal::Refusal;

/// More results than any provider writes: one for each signature (we look at 32 at most), and as many of
/// other methods. Each pass is held against the mail's signatures, so their number must be bounded.
const MAX_FINDINGS: usize = 64;

/// The findings of the block of `id`.
fn block(mail: &Mail<'_>, id: &str) -> Result<Vec<Finding>, Refusal> {
    let fields = mail.fields().iter().map(|field| of_id(field, id));
    let mut block = fields.skip_while(Option::is_none).map_while(|field| field);
    let first = block.next().ok_or(Refusal::ArMissing)?;
    let mut found = Vec::new();
    let mut says_none = false;
    for field in std::iter::once(first).chain(block) {
        let results = field.map_err(|_| Refusal::ArMalformed)?;
        says_none |= results.found.is_empty();
        found.extend(results.found);
    }
    // "Nothing was checked" and a result: one of the two is not the provider's.
    if says_none && !found.is_empty() {
        return Err(Refusal::ArConflict);
    }
    let sensible = found.len() <= MAX_FINDINGS;
    sensible.then_some(found).ok_or(Refusal::ArMalformed)
}

/// The field, if it is an Authentication-Results field of this id.
fn of_id(field: &Field<'_>, id: &str) -> Option<Result<Results, Unreadable>> {
    if !field.is("authentication-results") {
        return None;
    }
    let read = Results::parse(field.value);
    let told = match &read {
        Ok(results) => Some(&results.id),
        Err(unreadable) => unreadable.id.as_ref(),
    };
    told.is_some_and(|told| told.eq_ignore_ascii_case(id))
        .then_some(read)
}

#[cfg(test)]
mod tests;
