//! Whether a mail claims to be a token mail at all.
//!
//! Knows the cheap signs: subject, sender's domain, structure. Never believes any of them: a claim
//! only decides between "not ours" and "refused". Most mail is passed over by its header alone.

use memchr::memmem::Finder;

use super::mail::Mail;
use super::policy::{Org, Policy};
use super::recipe::{Recipe, SubjectForm};
use super::refusal::NotOurs;

/// A mail that claims to bring a token by this recipe.
#[derive(Debug)]
pub(super) struct Claim<'r> {
    pub(super) recipe: &'r Recipe,
    pub(super) org: Org,
    pub(super) form: SubjectForm,
}

/// What the header alone says: `None` when the mail is not ours whatever its body holds.
pub(super) fn by_header<'r>(
    mail: &Mail<'_>,
    policy: &Policy,
    recipes: &'r [Recipe],
) -> Option<Claim<'r>> {
    let subjects: Vec<String> = mail
        .named("subject")
        .filter_map(|field| field.decoded())
        .collect();
    let best = recipes
        .iter()
        .flat_map(|recipe| {
            subjects
                .iter()
                .map(move |text| (recipe, recipe.subject(text)))
        })
        .max_by_key(|(_, subject)| subject.form);
    let (recipe, org, form) = match best {
        Some((recipe, subject)) => (recipe, subject.org, subject.form),
        None => (recipes.first()?, Org::Production, SubjectForm::Unknown),
    };
    let claims = form != SubjectForm::Unknown || names_trusted_domain(mail, policy);
    claims.then_some(Claim { recipe, org, form })
}

/// A subject that claims enough by itself, whatever the body holds.
pub(super) fn by_subject<'r>(
    mail: &Mail<'_>,
    policy: &Policy,
    recipes: &'r [Recipe],
) -> Option<Claim<'r>> {
    let claim = by_header(mail, policy, recipes)?;
    let enough = match claim.form {
        SubjectForm::Exact => true,
        SubjectForm::Branded => names_trusted_domain(mail, policy),
        SubjectForm::Localised | SubjectForm::Unknown => false,
    };
    enough.then_some(claim)
}

/// Header and, where the header leaves it open, the structure of the body.
pub(super) fn by_body<'r>(
    mail: &Mail<'_>,
    policy: &Policy,
    recipes: &'r [Recipe],
) -> Result<Claim<'r>, NotOurs> {
    if let Some(claim) = by_subject(mail, policy, recipes) {
        return Ok(claim);
    }
    let claim = by_header(mail, policy, recipes).ok_or(NotOurs::NotCandidate)?;
    if mail.raw().len() > policy.max_size {
        return Err(NotOurs::NotCandidate);
    }
    let views = mail.views().map_err(|_| NotOurs::NotCandidate)?;
    let names = claim.recipe.claimed_usernames(views, &policy.accounts);
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

/// Whether From or a signature speaks of a trusted domain, truly or not.
fn names_trusted_domain(mail: &Mail<'_>, policy: &Policy) -> bool {
    let speaks = |value: &[u8]| {
        let lower = value.to_ascii_lowercase();
        policy
            .signing_domains
            .iter()
            .any(|domain| Finder::new(domain).find(&lower).is_some())
    };
    mail.named("from").any(|field| speaks(field.value))
        || mail
            .named("dkim-signature")
            .take(8)
            .any(|field| speaks(field.value))
}
