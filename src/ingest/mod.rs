//! The heart: bytes of a mail in, an [`Outcome`] out.
//!
//! Knows the order of the steps. Performs no I/O and reads no clock: keys, policy, recipes and the
//! time are arguments. Its callers fetch mails, ask the DNS and write to stores.
//!
//! ```text
//! bytes -> Mail -> (which DNS keys?) -> KeyAnswers -> Authentic | Refusal -> Match -> Token
//! ```

mod css;
mod encoded_word;
mod flowed;
mod fold;
mod html;
pub mod mail;
mod mime;
mod outline;
mod quote;
pub(crate) mod redact;
pub mod text;

pub mod authentic;
mod authres;
pub mod dkim;
pub mod keys;
pub mod pins;
pub mod policy;
mod provider;
pub mod sender;

mod claim;
mod label;
pub mod recipe;
mod vocabulary;

pub mod cursor;
pub mod event;
pub mod explain;
pub mod order;
pub mod organization;
pub mod refusal;
pub mod secret;
pub mod token;
pub mod witness;

use authentic::{Authentic, Doubt};
use event::Proof;
use jiff::Timestamp;
use keys::KeyAnswers;
use mail::Mail;
use policy::{Org, Policy};
use recipe::Recipe;
use refusal::{NotOurs, Pending, Refusal};
use token::Token;
use witness::{Gate, Nobody, Witness};

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

/// Whether a mail, of which only the header is known, may turn out to be ours: its body is worth
/// fetching.
#[must_use]
pub fn worth_fetching(header: &Mail<'_>, policy: &Policy, recipes: &[Recipe]) -> bool {
    claim::by_header(header, policy, recipes).is_some()
}

/// The DNS names whose TXT records [`examine`] needs: at most [`Policy::max_dns_questions`], none for
/// mail that is not ours or is refused anyway.
#[must_use]
pub fn questions(
    mail: &Mail<'_>,
    policy: &Policy,
    recipes: &[Recipe],
    now: Timestamp,
) -> Vec<String> {
    match claim::by_body(&mut Nobody, mail, policy, recipes) {
        Ok(_) => authentic::questions(mail, policy, now),
        Err(_) => Vec::new(),
    }
}

/// The whole examination.
///
/// The same arguments give the same outcome, whatever the bytes: no panic, no I/O, linear time.
#[must_use]
pub fn examine(
    mail: &Mail<'_>,
    keys: &KeyAnswers,
    policy: &Policy,
    recipes: &[Recipe],
    now: Timestamp,
) -> Outcome {
    examine_before(&mut Nobody, mail, keys, policy, recipes, now)
}

/// [`examine`] before a witness.
fn examine_before(
    witness: &mut impl Witness,
    mail: &Mail<'_>,
    keys: &KeyAnswers,
    policy: &Policy,
    recipes: &[Recipe],
    now: Timestamp,
) -> Outcome {
    let claim = claim::by_body(witness, mail, policy, recipes);
    let claim = match witness.gate(Gate::Claim, claim) {
        Ok(claim) => claim,
        Err(not_ours) => return Outcome::NotOurs(not_ours),
    };
    let authentic = match authentic::prove_before(witness, mail, keys, policy, now) {
        Ok(authentic) => authentic,
        Err(Doubt::Refused(refusal)) => return Outcome::Refused(refusal),
        Err(Doubt::Pending(pending)) => return Outcome::Undecided(pending),
    };
    let found = claim
        .recipe
        .find_before(witness, &authentic, &policy.accounts);
    let found = match found {
        Ok(found) => found,
        Err(refusal) => return Outcome::Refused(refusal),
    };
    let org = account_org(&found.username, claim.org, policy).ok_or(NotOurs::UnknownAccount);
    match witness.gate(Gate::Account, org) {
        Ok(org) => Outcome::Found(found_for(found, org, &authentic)),
        Err(not_ours) => Outcome::NotOurs(not_ours),
    }
}

/// The examination of a mail that is too large to be looked into, by its header.
#[must_use]
pub fn examine_oversized(header: &Mail<'_>, policy: &Policy, recipes: &[Recipe]) -> Outcome {
    oversized_before(&mut Nobody, header, policy, recipes)
}

/// [`examine_oversized`] before a witness.
fn oversized_before(
    witness: &mut impl Witness,
    header: &Mail<'_>,
    policy: &Policy,
    recipes: &[Recipe],
) -> Outcome {
    let claim = claim::by_subject(witness, header, policy, recipes).ok_or(NotOurs::NotCandidate);
    if let Err(not_ours) = witness.gate(Gate::Claim, claim) {
        return Outcome::NotOurs(not_ours);
    }
    let _ = witness.gate(Gate::Fields, Err::<(), _>(Refusal::TooLarge));
    Outcome::Refused(Refusal::TooLarge)
}

/// The token of an account, and what is odd about it.
fn found_for(found: recipe::Match, org: Org, mail: &Authentic<'_>) -> Found {
    let odd = "the token has an unusual length (24 or 25 characters are known)";
    let warnings = if found.token.has_usual_length() {
        vec![]
    } else {
        vec![odd.to_owned()]
    };
    Found {
        token: found.token,
        username: found.username,
        org,
        date: mail.date(),
        proof: mail.proof().clone(),
        warnings,
    }
}

/// The kind of org that the token is for, if the username is one of ours: a token mail for someone
/// else is none of our business.
///
/// A mail that says `Sandbox: ` is never for a production account: anyone may own a sandbox whose
/// user carries the same name. Without the prefix, which is not certain in token mails (facts:
/// salesforce-mail, 1.3), it is for the production account, else for a sandbox of that name.
fn account_org(username: &str, said: Org, policy: &Policy) -> Option<Org> {
    if policy.accounts.is_empty() {
        return Some(said);
    }
    let named = || {
        policy
            .accounts
            .iter()
            .filter(|account| account.username == username)
    };
    if named().any(|account| account.org.is_none_or(|org| org == said)) {
        return Some(said);
    }
    let sandbox_only = said == Org::Production && named().count() > 0;
    sandbox_only.then_some(Org::Sandbox)
}

#[cfg(test)]
mod tests;
