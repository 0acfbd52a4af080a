//! Whether a mail claims to be a token mail at all.
//!
//! Knows the cheap signs: subject, sender's domain, structure. Never believes any of them: a claim
//! only decides between "not ours" and "refused". Most mail is passed over by its header alone.

use super::mail::{Field, Mail};
use super::policy::{Org, Policy};
use super::recipe::{Recipe, Subject, SubjectForm};
use super::refusal::{NotOurs, Refusal};
use super::witness::Witness;

/// A mail that claims to bring a token by this recipe.
#[derive(Debug)]
pub(super) struct Claim<'r> {
    pub(super) recipe: &'r Recipe,
    pub(super) org: Org,
    form: SubjectForm,
    /// From or a signature speaks of a trusted domain.
    named: bool,
}

impl Claim<'_> {
    /// Whether the header claims enough by itself, whatever the body holds.
    fn is_enough(&self) -> bool {
        match self.form {
            SubjectForm::Exact => true,
            SubjectForm::Branded => self.named,
            SubjectForm::Localised | SubjectForm::Unknown => false,
        }
    }
}

/// What the header alone says: `None` when the mail is not ours whatever its body holds.
pub(super) fn by_header<'r>(
    mail: &Mail<'_>,
    policy: &Policy,
    recipes: &'r [Recipe],
) -> Option<Claim<'r>> {
    let named = names_trusted_domain(mail, policy);
    let mut best: Option<Claim<'r>> = None;
    let subjects = mail.named("subject").filter(|field| field.is_short());
    for text in subjects.filter_map(Field::decoded) {
        for recipe in recipes {
            let Subject { form, org } = recipe.subject(&text);
            if best.as_ref().is_none_or(|best| form >= best.form) {
                best = Some(Claim {
                    recipe,
                    org,
                    form,
                    named,
                });
            }
        }
    }
    let claim = best.or_else(|| {
        recipes.first().map(|recipe| Claim {
            recipe,
            org: Org::Production,
            form: SubjectForm::Unknown,
            named,
        })
    })?;
    (named || claim.form != SubjectForm::Unknown).then_some(claim)
}

/// A subject that claims enough by itself, whatever the body holds.
pub(super) fn by_subject<'r>(
    witness: &mut impl Witness,
    mail: &Mail<'_>,
    policy: &Policy,
    recipes: &'r [Recipe],
) -> Option<Claim<'r>> {
    let claim = by_header(mail, policy, recipes)?;
    witness.claim(claim.form, claim.named);
    claim.is_enough().then_some(claim)
}

/// Header and, where the header leaves it open, the structure of the body.
pub(super) fn by_body<'r>(
    witness: &mut impl Witness,
    mail: &Mail<'_>,
    policy: &Policy,
    recipes: &'r [Recipe],
) -> Result<Claim<'r>, NotOurs> {
    let claim = by_header(mail, policy, recipes).ok_or(NotOurs::NotCandidate)?;
    witness.claim(claim.form, claim.named);
    if claim.is_enough() {
        return Ok(claim);
    }
    if mail.raw().len() > policy.max_size {
        return Err(NotOurs::NotCandidate);
    }
    let views = match mail.views() {
        Ok(views) => views,
        // What cannot be read under a trusted name and a subject that speaks of a token is no news:
        // a reset that goes wrong must not do so silently.
        Err(Refusal::CharsetUnsupported | Refusal::DecodeError)
            if claim.named && claim.form == SubjectForm::Localised =>
        {
            return Ok(claim);
        }
        Err(_) => return Err(NotOurs::NotCandidate),
    };
    // A colleague who quotes the mail in an answer does not claim to bring a token; who hides or
    // quotes one under a trusted name does.
    let names = claim
        .recipe
        .claimed_usernames(views, &policy.accounts, claim.named);
    witness.claimed(&names);
    let ours = |name: &String| {
        policy
            .accounts
            .iter()
            .any(|account| account.username == *name)
    };
    let anyones = policy.accounts.is_empty() && claim.form != SubjectForm::Unknown;
    match names.first() {
        None => Err(NotOurs::NotCandidate),
        Some(_) if anyones || names.iter().any(ours) => Ok(claim),
        Some(_) if policy.accounts.is_empty() => Err(NotOurs::NotCandidate),
        Some(_) => Err(NotOurs::UnknownAccount),
    }
}

/// Whether From or one of the first signatures speaks of a trusted domain, truly or not.
fn names_trusted_domain(mail: &Mail<'_>, policy: &Policy) -> bool {
    let speaks = |value: &[u8]| {
        policy
            .signing_domains
            .iter()
            .any(|name| speaks_of(value, name))
    };
    mail.named("from").any(|field| speaks(field.value))
        || mail
            .named("dkim-signature")
            .take(8)
            .any(|field| speaks(field.value))
}

/// Whether `text` holds `word`, without regard to case: dots are rare, and `word` has one.
pub(super) fn speaks_of(text: &[u8], word: &str) -> bool {
    let Some(dot) = word.find('.') else {
        return false;
    };
    memchr::memchr_iter(b'.', text).any(|at| {
        let begin = at.checked_sub(dot);
        let found = begin.and_then(|begin| text.get(begin..begin + word.len()));
        found.is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
    })
}
