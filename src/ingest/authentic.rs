//! From a mail to a mail that is believed.
//!
//! Knows the trust policy: octets, single fields, sender, signature, age. Never asks the DNS or
//! reads a clock, and never knows the token's form. Its [`Authentic`] is the only key to a recipe.

use jiff::Timestamp;

use super::claim::speaks_of;
use super::dkim::{self, Algorithm, Key, Signature};
use super::event::{Proof, ProofMethod};
use super::keys::{KeyAnswer, KeyAnswers};
use super::mail::{Field, Mail};
use super::policy::{Demand, Policy};
use super::refusal::{Pending, Refusal};
use super::sender::{Address, sender};
use super::witness::{Gate, Nobody, Verdict, Witness};

/// Signatures that are looked at; more are how a verifier is kept busy (contract: trust, 1).
pub(super) const MAX_SIGNATURES: usize = 8;
/// DNS questions that one mail may cause.
const MAX_QUESTIONS: usize = 3;

/// Fields that stand once at most, and the first three exactly once.
pub(super) const SINGLE: [&str; 10] = [
    "from",
    "subject",
    "date",
    "to",
    "content-type",
    "mime-version",
    "message-id",
    "content-transfer-encoding",
    "sender",
    "reply-to",
];

/// A mail that is believed: only [`prove`] makes one.
#[derive(Debug)]
pub struct Authentic<'m> {
    mail: &'m Mail<'m>,
    proof: Proof,
    date: Timestamp,
}

/// Why a mail is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is not genuine, or not provably so.
    Refused(Refusal),
    /// It cannot be told yet.
    Pending(Pending),
}

impl From<Refusal> for Doubt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Doubt> for Verdict {
    fn from(doubt: Doubt) -> Self {
        match doubt {
            Doubt::Refused(refusal) => refusal.into(),
            Doubt::Pending(pending) => pending.into(),
        }
    }
}

impl<'m> Authentic<'m> {
    /// The mail.
    #[must_use]
    pub fn mail(&self) -> &'m Mail<'m> {
        self.mail
    }

    /// Why it is believed.
    #[must_use]
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Its Date, which the signature covers.
    #[must_use]
    pub fn date(&self) -> Timestamp {
        self.date
    }
}

/// Proves a mail. The gates stand in the order of the documentation: cheap and un-clever first.
///
/// # Errors
/// The first gate that does not hold.
pub fn prove<'m>(
    mail: &'m Mail<'m>,
    keys: &KeyAnswers,
    policy: &Policy,
    now: Timestamp,
) -> Result<Authentic<'m>, Doubt> {
    prove_before(&mut Nobody, mail, keys, policy, now)
}

/// [`prove`] before a witness.
pub(super) fn prove_before<'m>(
    witness: &mut impl Witness,
    mail: &'m Mail<'m>,
    keys: &KeyAnswers,
    policy: &Policy,
    now: Timestamp,
) -> Result<Authentic<'m>, Doubt> {
    let from = presentable(witness, mail, policy)?;
    let proof = match policy.demand {
        Demand::Nothing => Ok(Proof::NONE),
        Demand::Dkim => signed(witness, mail, &from, keys, policy, now),
    };
    let proof = witness.gate(Gate::Proof, proof)?;
    let date = witness.gate(Gate::Date, fresh(mail, policy, now))?;
    Ok(Authentic { mail, proof, date })
}

/// The names of the keys that [`prove`] needs: none when a cheaper gate refuses already.
#[must_use]
pub fn questions(mail: &Mail<'_>, policy: &Policy, now: Timestamp) -> Vec<String> {
    let Ok(from) = presentable(&mut Nobody, mail, policy) else {
        return Vec::new();
    };
    if policy.demand == Demand::Nothing {
        return Vec::new();
    }
    key_names(&signatures(mail, &from, policy, now))
}

/// The names of the keys of signatures that would count.
fn key_names(signatures: &[Result<Signature<'_>, Refusal>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for signature in signatures.iter().flatten() {
        let name = signature.key_name();
        if !names.contains(&name) && names.len() < MAX_QUESTIONS {
            names.push(name);
        }
    }
    names
}

/// Everything that can be told without a signature.
fn presentable(
    witness: &mut impl Witness,
    mail: &Mail<'_>,
    policy: &Policy,
) -> Result<Address, Refusal> {
    witness.gate(Gate::Fields, well_formed(mail, policy))?;
    witness.gate(Gate::Sender, trusted_sender(mail, policy))
}

/// Size, octets and header fields.
fn well_formed(mail: &Mail<'_>, policy: &Policy) -> Result<(), Refusal> {
    if mail.raw().len() > policy.max_size {
        return Err(Refusal::TooLarge);
    }
    mail.check_octets()?;
    check_single(mail)?;
    check_subject(mail)
}

/// The one address in From.
fn trusted_sender(mail: &Mail<'_>, policy: &Policy) -> Result<Address, Refusal> {
    let from = mail.named("from").next().ok_or(Refusal::HeaderMissing)?;
    let from = sender(from)?;
    let allowed = policy.senders.iter().any(|sender| from.is(sender));
    allowed.then_some(from).ok_or(Refusal::FromNotAllowed)
}

/// A field that stands twice is read by one program and verified by another (RFC 6376, 8.15), so
/// each must stand once, whether the signature covers it or not.
fn check_single(mail: &Mail<'_>) -> Result<(), Refusal> {
    let mut counts = [0_usize; SINGLE.len()];
    for field in mail.fields() {
        if let Some(at) = SINGLE.iter().position(|name| field.is(name)) {
            counts[at] += 1;
        }
    }
    if counts.iter().any(|&count| count > 1) {
        return Err(Refusal::HeaderDuplicate);
    }
    let is_missing = counts[..3].contains(&0);
    (!is_missing).then_some(()).ok_or(Refusal::HeaderMissing)
}

fn check_subject(mail: &Mail<'_>) -> Result<(), Refusal> {
    let subject = mail
        .named("subject")
        .next()
        .and_then(|field| field.decoded());
    let fits =
        subject.is_some_and(|text| !text.chars().any(|ch| ch.is_control() || ch == '\u{fffd}'));
    fits.then_some(()).ok_or(Refusal::SubjectInvalid)
}

/// A signature that holds: a pass beats "could not ask", which beats the first failure.
fn signed(
    witness: &mut impl Witness,
    mail: &Mail<'_>,
    from: &Address,
    keys: &KeyAnswers,
    policy: &Policy,
    now: Timestamp,
) -> Result<Proof, Doubt> {
    let signatures = signatures(mail, from, policy, now);
    let asked = key_names(&signatures);
    witness.judged(&signatures);
    let mut doubt: Option<Doubt> = None;
    for (at, signature) in signatures.into_iter().enumerate() {
        let told = |name: &str, answer: &KeyAnswer| witness.key(at, name, answer);
        let checked = signature
            .map_err(Doubt::from)
            .and_then(|signature| check(mail, signature, keys, &asked, told));
        witness.signature(at, &checked);
        match (checked, doubt) {
            (Ok(proof), _) => return Ok(proof),
            (Err(pending @ Doubt::Pending(_)), _) => doubt = Some(pending),
            (Err(first), None | Some(Doubt::Refused(Refusal::DkimNotAligned))) => {
                doubt = Some(first)
            }
            (Err(_), Some(_)) => {}
        }
    }
    let too_many = mail.named("dkim-signature").count() > MAX_SIGNATURES;
    Err(match doubt {
        Some(pending @ Doubt::Pending(_)) => pending,
        Some(Doubt::Refused(_)) if too_many => Refusal::DkimTooMany.into(),
        Some(doubt) => doubt,
        None => Refusal::DkimMissing.into(),
    })
}

/// The first signatures, each judged before any key is asked for.
fn signatures<'m>(
    mail: &Mail<'m>,
    from: &Address,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Result<Signature<'m>, Refusal>> {
    let judge = |field: &Field<'m>| {
        let Some(signature) = Signature::parse(field) else {
            return Err(unreadable(field, policy));
        };
        judge(&signature, from, policy, now)?;
        Ok(signature)
    };
    mail.named("dkim-signature")
        .take(MAX_SIGNATURES)
        .map(judge)
        .collect()
}

/// A signature that cannot be read is somebody else's, unless it speaks of a trusted domain: what a
/// relay writes must not hide why the sender's own signature fails.
fn unreadable(field: &Field<'_>, policy: &Policy) -> Refusal {
    let is_ours = |domain: &String| speaks_of(field.value, domain);
    let ours = policy.signing_domains.iter().any(is_ours);
    if ours {
        Refusal::DkimMalformed
    } else {
        Refusal::DkimNotAligned
    }
}

/// Whether a signature would count if it held.
fn judge(
    signature: &Signature<'_>,
    from: &Address,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Refusal> {
    let trusted = policy.signing_domains.contains(&signature.domain);
    let covers = |name: &String| signature.signed.contains(name);
    let checks = [
        (
            trusted && from.is_within(&signature.domain),
            Refusal::DkimNotAligned,
        ),
        (!signature.has_length, Refusal::DkimLTag),
        (signature.algorithm != Algorithm::Weak, Refusal::DkimWeak),
        (
            !policy.denied_selectors.contains(&signature.selector),
            Refusal::DkimSelectorDenied,
        ),
        (
            policy.required_signed.iter().all(covers),
            Refusal::DkimUnsignedHeader,
        ),
        (
            signature
                .made
                .is_none_or(|made| made.duration_since(now) <= policy.max_future),
            Refusal::DkimFuture,
        ),
        (
            signature.expires.is_none_or(|expires| expires > now),
            Refusal::DkimExpired,
        ),
    ];
    let failed = checks.iter().find(|(holds, _)| !holds);
    failed.map_or(Ok(()), |(_, refusal)| Err(*refusal))
}

/// Looks the key up among the answers and verifies.
fn check(
    mail: &Mail<'_>,
    signature: Signature<'_>,
    keys: &KeyAnswers,
    asked: &[String],
    told: impl FnOnce(&str, &KeyAnswer),
) -> Result<Proof, Doubt> {
    let name = signature.key_name();
    if !asked.contains(&name) {
        return Err(Refusal::DkimTooMany.into());
    }
    let answer = keys.get(&name);
    told(&name, answer);
    let records = match answer {
        KeyAnswer::Records(records) => records,
        KeyAnswer::Absent => return Err(Refusal::DkimKeyMissing.into()),
        KeyAnswer::Unknown => return Err(Doubt::Pending(Pending::DkimTemperror)),
    };
    let key = Key::from_records(records, &signature)?;
    dkim::verify(mail, &signature, &key)?;
    Ok(Proof {
        method: ProofMethod::Dkim,
        domain: Some(signature.domain),
        selector: Some(signature.selector),
    })
}

/// The Date: readable, not in the future (else one mail blocks all later ones), not too old.
fn fresh(mail: &Mail<'_>, policy: &Policy, now: Timestamp) -> Result<Timestamp, Refusal> {
    let date = mail.date().ok_or(Refusal::DateInvalid)?;
    let age = now.duration_since(date);
    if -age > policy.max_future {
        return Err(Refusal::DateFuture);
    }
    match policy.max_age {
        Some(oldest) if age > oldest => Err(Refusal::DateTooOld),
        _ => Ok(date),
    }
}
