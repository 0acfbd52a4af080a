//! The mailbox provider's word as a proof, held against the signatures that the mail still has.
//!
//! Knows when a `dkim=pass` of the provider's is borne out. Never verifies a signature: the provider
//! has, and we need no key. It is asked for by [`prove`](super::authentic::prove) when the policy
//! takes the provider's word.

use jiff::Timestamp;

use super::authentic::{Doubt, judge};
use super::authres::{self, Word};
use super::claim::speaks_of;
use super::dkim::Signature;
use super::event::{Proof, ProofMethod};
use super::mail::Mail;
use super::policy::Policy;
use super::refusal::Refusal;
use super::sender::Address;
use super::witness::Witness;

/// The provider's word that a trusted domain has signed the mail.
///
/// # Errors
/// When the provider does not say so, or the mail's own signatures belie it.
pub(super) fn vouched(
    witness: &mut impl Witness,
    mail: &Mail<'_>,
    from: &Address,
    policy: &Policy,
    now: Timestamp,
) -> Result<Proof, Refusal> {
    let word = believed(mail, from, policy, now);
    witness.provider(&word);
    word
}

fn believed(
    mail: &Mail<'_>,
    from: &Address,
    policy: &Policy,
    now: Timestamp,
) -> Result<Proof, Refusal> {
    // The provider does not tell by which key: where only pinned keys count, its word does not.
    if !policy.pinned_keys.is_empty() {
        return Err(Refusal::DkimKeyNotPinned);
    }
    let mut first = None;
    for word in authres::words(mail, from, policy)? {
        match borne_out(&word, mail, from, policy, now) {
            Ok(()) => return Ok(proof(word)),
            Err(refusal) => first = first.or(Some(refusal)),
        }
    }
    Err(first.unwrap_or(Refusal::ArFail))
}

/// The provider's word in the place of a proof of our own that failed. What is told then is why our
/// own failed, unless there was nothing to prove.
///
/// # Errors
/// When the provider's word does not hold either.
pub(super) fn instead(
    witness: &mut impl Witness,
    doubt: Doubt,
    mail: &Mail<'_>,
    from: &Address,
    policy: &Policy,
    now: Timestamp,
) -> Result<Proof, Doubt> {
    vouched(witness, mail, from, policy, now).map_err(|refusal| match doubt {
        Doubt::Refused(Refusal::DkimMissing) => refusal.into(),
        doubt => doubt,
    })
}

fn proof(word: Word) -> Proof {
    Proof {
        method: ProofMethod::AuthenticationResults,
        domain: Some(word.domain),
        selector: word.selector,
    }
}

/// Whether the mail's signatures bear the word out: where there are some of that domain, one must be
/// the one that the provider means, and would count if it held. A provider may have passed what we
/// refuse: `l=`, an unsigned From. A mail without any may have lost them on its way.
fn borne_out(
    word: &Word,
    mail: &Mail<'_>,
    from: &Address,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Refusal> {
    let mut doubt = None;
    let mut fields = mail.named("dkim-signature");
    for field in fields.by_ref().take(policy.max_signatures) {
        match Signature::parse(field) {
            None if speaks_of(field.value, &word.domain) => {
                doubt = doubt.or(Some(Refusal::DkimMalformed));
            }
            Some(signature) if signature.domain == word.domain => {
                match named(word, &signature).and_then(|()| judge(&signature, from, policy, now)) {
                    Ok(()) => return Ok(()),
                    // Of two reasons, that of the signature which is meant is told.
                    Err(Refusal::ArConflict) => doubt = doubt.or(Some(Refusal::ArConflict)),
                    Err(refusal) => doubt = Some(refusal),
                }
            }
            None | Some(_) => {}
        }
    }
    let unseen = fields.next().map(|_| Refusal::DkimTooMany);
    doubt.or(unseen).map_or(Ok(()), Err)
}

/// Whether it is the signature that the provider means.
fn named(word: &Word, signature: &Signature<'_>) -> Result<(), Refusal> {
    let selector = word.selector.as_ref();
    let is_meant = selector.is_none_or(|selector| *selector == signature.selector)
        && (word.beginning.as_ref()).is_none_or(|beginning| signature.begins_with(beginning));
    is_meant.then_some(()).ok_or(Refusal::ArConflict)
}
