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
use super::policy::{ALWAYS_SIGNED, Demand, Policy};
use super::provider;
use super::refusal::{Pending, Refusal};
use super::sender::{Address, sender};
use super::witness::{Gate, Nobody, Verdict, Witness};

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
        Demand::AuthenticationResults => {
            provider::vouched(witness, mail, &from, policy, now).map_err(Doubt::from)
        }
        Demand::Either => match signed(witness, mail, &from, keys, policy, now) {
            Err(doubt) => provider::instead(witness, doubt, mail, &from, policy, now),
            held => held,
        },
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
    match policy.demand {
        Demand::Nothing | Demand::AuthenticationResults => Vec::new(),
        Demand::Dkim | Demand::Either => key_names(&signatures(mail, &from, policy, now), policy),
    }
}

/// The names of the keys of signatures that would count, without those that are pinned whole.
fn key_names(signatures: &[Result<Signature<'_>, Refusal>], policy: &Policy) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for signature in signatures.iter().flatten() {
        let name = signature.key_name();
        let is_new = !names.contains(&name) && policy.pinned_keys.record(signature).is_none();
        if is_new && names.len() < policy.max_dns_questions {
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
    let asked = key_names(&signatures, policy);
    witness.judged(&signatures);
    let mut doubt: Option<Doubt> = None;
    for (at, signature) in signatures.into_iter().enumerate() {
        let told = |name: &str, answer: &KeyAnswer| witness.key(at, name, answer);
        let checked = signature
            .map_err(Doubt::from)
            .and_then(|signature| check(mail, signature, keys, policy, &asked, told));
        witness.signature(at, &checked);
        match (checked, doubt) {
            (Ok(proof), _) => return Ok(proof),
            (Err(pending @ Doubt::Pending(_)), _) => doubt = Some(pending),
            // That a key was not asked for must not hide behind one that is not there.
            (Err(many @ Doubt::Refused(Refusal::DkimTooMany)), Some(Doubt::Refused(_))) => {
                doubt = Some(many);
            }
            (Err(first), None | Some(Doubt::Refused(Refusal::DkimNotAligned))) => {
                doubt = Some(first)
            }
            (Err(_), Some(_)) => {}
        }
    }
    let too_many = mail.named("dkim-signature").count() > policy.max_signatures;
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
        .take(policy.max_signatures)
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
pub(super) fn judge(
    signature: &Signature<'_>,
    from: &Address,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Refusal> {
    let trusted = policy.signing_domains.contains(&signature.domain);
    let covers = |name: &str| signature.signed.iter().any(|signed| signed == name);
    let extra = policy.required_signed.iter().map(String::as_str);
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
            ALWAYS_SIGNED.into_iter().chain(extra).all(covers),
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
        (
            policy.pinned_keys.name(signature),
            Refusal::DkimKeyNotPinned,
        ),
    ];
    let failed = checks.iter().find(|(holds, _)| !holds);
    failed.map_or(Ok(()), |(_, refusal)| Err(*refusal))
}

/// Looks the key up among pins and answers, and verifies.
fn check(
    mail: &Mail<'_>,
    signature: Signature<'_>,
    keys: &KeyAnswers,
    policy: &Policy,
    asked: &[String],
    told: impl FnOnce(&str, &KeyAnswer),
) -> Result<Proof, Doubt> {
    let pins = &policy.pinned_keys;
    let name = signature.key_name();
    let records = match pins.record(&signature) {
        Some(pinned) => {
            told(&name, &KeyAnswer::Records(pinned.to_vec()));
            pinned
        }
        None => answered(&name, keys, asked, told)?.into(),
    };
    let held = Key::from_records(&records, &signature).and_then(|key| {
        pins.admit(&signature, &key)?;
        dkim::verify(mail, &signature, &key)
    });
    held.map_err(|refusal| pins.misfit(&signature, refusal))?;
    Ok(Proof {
        method: ProofMethod::Dkim,
        domain: Some(signature.domain),
        selector: Some(signature.selector),
    })
}

/// The records of a key that was asked for.
fn answered<'k>(
    name: &String,
    keys: &'k KeyAnswers,
    asked: &[String],
    told: impl FnOnce(&str, &KeyAnswer),
) -> Result<&'k [String], Doubt> {
    if !asked.contains(name) {
        return Err(Refusal::DkimTooMany.into());
    }
    let answer = keys.get(name);
    told(name, answer);
    match answer {
        KeyAnswer::Records(records) => Ok(records),
        KeyAnswer::Absent => Err(Refusal::DkimKeyMissing.into()),
        KeyAnswer::Unknown => Err(Doubt::Pending(Pending::DkimTemperror)),
    }
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
