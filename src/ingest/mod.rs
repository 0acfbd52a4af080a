//! The heart: bytes of a mail in, an [`Outcome`] out.

pub mod cursor;
pub mod event;
pub mod keys;
pub mod mail;
pub mod order;
pub mod policy;
pub mod recipe;
pub mod refusal;
pub mod secret;
pub mod token;

use event::Proof;
use jiff::Timestamp;
use keys::KeyAnswers;
use mail::Mail;
use policy::{Org, Policy};
use recipe::Recipe;
use refusal::{NotOurs, Pending, Refusal};
use token::Token;

/// How an examination ended.
#[derive(Debug)]
pub enum Outcome {
    /// A genuine token mail for one of the accounts.
    Found(Found),
    /// None of our business.
    NotOurs(NotOurs),
    /// Claims to be a token mail, and is not believed.
    Refused(Refusal),
    /// Cannot be told yet: keep the mail, try again.
    Undecided(Pending),
}

/// A token, and why it is believed.
#[derive(Debug)]
pub struct Found {
    /// The token.
    pub token: Token,
    /// The Salesforce username that the mail names.
    pub username: String,
    /// The kind of org.
    pub org: Org,
    /// The signed Date.
    pub date: Timestamp,
    /// The proof.
    pub proof: Proof,
    /// What is odd about it, though not wrong: clauses without secrets.
    pub warnings: Vec<String>,
}

/// Whether a mail, of which only the header is known, is worth its body.
#[must_use]
pub fn worth_fetching(_header: &Mail<'_>, _policy: &Policy, _recipes: &[Recipe]) -> bool {
    true
}

/// The DNS names whose TXT records the examination needs: at most three, often none.
#[must_use]
pub fn questions(
    _mail: &Mail<'_>,
    _policy: &Policy,
    _recipes: &[Recipe],
    _now: Timestamp,
) -> Vec<String> {
    Vec::new()
}

/// The whole examination.
#[must_use]
pub fn examine(
    _mail: &Mail<'_>,
    _keys: &KeyAnswers,
    _policy: &Policy,
    _recipes: &[Recipe],
    _now: Timestamp,
) -> Outcome {
    Outcome::NotOurs(NotOurs::NotCandidate)
}
