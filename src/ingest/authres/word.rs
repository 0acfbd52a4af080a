//! What the provider's findings amount to for one mail.
//!
//! Knows alignment and contradiction. Never looks at the mail's signatures: whether they bear the
//! provider out is for [`provider`](crate::ingest::provider). Works on the block of the pinned id.

use super::block;
use super::field::{Finding, Twice};
use crate::ingest::mail::Mail;
use crate::ingest::policy::Policy;
use crate::ingest::refusal::Refusal;
use crate::ingest::sender::Address;

/// A `dkim=pass` of an aligned, trusted domain, which nothing in the block contradicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Word {
    /// `header.d`, else the domain of `header.i`.
    pub(in crate::ingest) domain: String,
    /// `header.s`, lower case.
    pub(in crate::ingest) selector: Option<String>,
    /// `header.b`: how the signature's value begins (RFC 6008).
    pub(in crate::ingest) beginning: Option<String>,
}

/// One DKIM result, as far as it tells whose signature it is about.
struct Dkim {
    passed: bool,
    domain: Option<String>,
    algorithm: Option<String>,
    word: Word,
}

/// The passes that count; there is at least one.
///
/// # Errors
/// When the provider says nothing, nothing readable, or nothing good.
pub(in crate::ingest) fn words(
    mail: &Mail<'_>,
    from: &Address,
    policy: &Policy,
) -> Result<Vec<Word>, Refusal> {
    let id = policy.authserv_id.as_deref().ok_or(Refusal::ArMissing)?;
    let found = block(mail, id)?;
    let of = |method: &'static str| found.iter().filter(move |found| found.method == method);
    let results: Result<Vec<Dkim>, Twice> = of("dkim").map(dkim).collect();
    let results = results.map_err(|Twice| Refusal::ArMalformed)?;
    let passed = aligned(&results, from, policy)?;
    dmarc(of("dmarc"), from)?;
    let mut refusal = Refusal::ArFail;
    let mut words = Vec::new();
    for result in passed {
        match counts(result, policy) {
            Ok(()) => words.push(result.word.clone()),
            Err(why) => refusal = why,
        }
    }
    (!words.is_empty()).then_some(words).ok_or(refusal)
}

fn dkim(found: &Finding) -> Result<Dkim, Twice> {
    let text = |name: &str| -> Result<Option<String>, Twice> {
        Ok(found.property(name)?.map(str::to_owned))
    };
    let lower = |name: &str| -> Result<Option<String>, Twice> {
        Ok(text(name)?.map(|text| text.to_ascii_lowercase()))
    };
    let (signer, identity) = (lower("header.d")?, lower("header.i")?);
    // Gmail tells `header.i` only.
    let domain = match (&signer, &identity) {
        (Some(signer), Some(identity)) => is_within(identity, signer).then(|| signer.clone()),
        (Some(signer), None) => Some(signer.clone()),
        (None, Some(identity)) => Some(domain_of(identity).to_owned()),
        (None, None) => None,
    };
    Ok(Dkim {
        passed: found.result == "pass",
        word: Word {
            domain: domain.clone().unwrap_or_default(),
            selector: lower("header.s")?,
            beginning: text("header.b")?,
        },
        domain,
        algorithm: lower("header.a")?,
    })
}

/// The passes of a trusted domain that is the sender's own or its parent. The worst result of such a
/// domain wins; one that does not tell its domain, or tells two, speaks of all.
fn aligned<'r>(
    results: &'r [Dkim],
    from: &Address,
    policy: &Policy,
) -> Result<Vec<&'r Dkim>, Refusal> {
    let is_ours =
        |domain: &String| policy.signing_domains.contains(domain) && from.is_within(domain);
    let (passed, failed): (Vec<&Dkim>, Vec<&Dkim>) =
        results.iter().partition(|result| result.passed);
    let ours: Vec<&Dkim> = passed
        .iter()
        .copied()
        .filter(|result| result.domain.as_ref().is_some_and(is_ours))
        .collect();
    let contradicts =
        |bad: &&Dkim| bad.domain.is_none() || ours.iter().any(|result| result.domain == bad.domain);
    if !ours.is_empty() {
        let conflict = failed.iter().any(contradicts);
        return (!conflict).then_some(ours).ok_or(Refusal::ArConflict);
    }
    // Why the sender's own signature fails is more telling than that a relay's holds.
    let own_failed = failed
        .iter()
        .any(|result| result.domain.as_ref().is_some_and(is_ours));
    Err(if passed.is_empty() || own_failed {
        Refusal::ArFail
    } else {
        Refusal::ArNotAligned
    })
}

/// DMARC, where the provider tells it: a pass, of the domain in From. A pass alone would not do: it may
/// rest on SPF (OpenDMARC, CVE-2019-20790).
fn dmarc<'f>(results: impl Iterator<Item = &'f Finding>, from: &Address) -> Result<(), Refusal> {
    let (passed, failed): (Vec<&Finding>, Vec<&Finding>) =
        results.partition(|found| found.result == "pass");
    if !failed.is_empty() {
        return Err(if passed.is_empty() {
            Refusal::ArFail
        } else {
            Refusal::ArConflict
        });
    }
    for found in passed {
        let domain = found.property("header.from");
        let domain = domain.map_err(|Twice| Refusal::ArMalformed)?;
        let is_senders =
            domain.is_some_and(|domain| domain_of(domain).eq_ignore_ascii_case(from.domain()));
        if !is_senders {
            return Err(Refusal::ArConflict);
        }
    }
    Ok(())
}

/// What we would refuse in a signature of our own proving.
fn counts(result: &Dkim, policy: &Policy) -> Result<(), Refusal> {
    let is_strong = |algorithm: &String| matches!(&**algorithm, "rsa-sha256" | "ed25519-sha256");
    if !result.algorithm.as_ref().is_none_or(is_strong) {
        return Err(Refusal::DkimWeak);
    }
    let selector = result.word.selector.as_ref();
    if selector.is_some_and(|selector| policy.denied_selectors.contains(selector)) {
        return Err(Refusal::DkimSelectorDenied);
    }
    Ok(())
}

/// The domain of an address, or the domain itself.
fn domain_of(value: &str) -> &str {
    value.rsplit_once('@').map_or(value, |(_, domain)| domain)
}

/// Whether an identity (`i=`) lies in a domain (`d=`), as RFC 6376, 6.1.1 demands.
fn is_within(identity: &str, domain: &str) -> bool {
    let rest = domain_of(identity).strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
