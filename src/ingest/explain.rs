//! What an examination saw: each gate and how it ended, each signature and what it is worth.
//!
//! Knows what a person needs to follow a verdict, and to pin what a first genuine mail was signed
//! with. Never judges: it is told by [`examine`](super::examine)'s own code, as its
//! [witness](super::witness). Never holds a token. Its texts come from the mail: whoever prints them
//! escapes them.

use jiff::{SignedDuration, Timestamp};

use super::Outcome;
use super::authentic::SINGLE;
use super::dkim::{KeySeen, SignatureSeen};
use super::event::Proof;
use super::keys::{KeyAnswer, KeyAnswers};
use super::mail::Mail;
use super::outline::outline;
use super::policy::{Demand, Policy};
use super::recipe::{Recipe, SubjectForm};
use super::redact::without_secrets;
use super::refusal::Refusal;
use super::token::{Fingerprint, Token};
use super::witness::{Gate, Labels, Verdict, Witness};

/// The account of an examination.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    verdicts: [Verdict; Gate::ALL.len()],
    /// The labels of the view that is being read.
    counted: Option<Labels>,
    /// The provider's name, where its word is asked for.
    authserv_id: Option<String>,
    /// How many accounts are looked for; none: anyone's tokens are taken.
    pub accounts: usize,
    /// The mail's size.
    pub bytes: usize,
    /// How many header fields it has.
    pub fields: usize,
    /// The subject, decoded.
    pub subject: Option<String>,
    /// What stands in From.
    pub from: Option<String>,
    /// The Date, and how long ago it was.
    pub date: Option<(Timestamp, SignedDuration)>,
    /// Fields that should stand once and stand more often.
    pub repeated: Vec<&'static str>,
    /// The parts, a line each, indented by their depth; empty where nobody came to look.
    pub parts: Vec<String>,
    /// How well the subject is known; `None` when nothing in the header speaks of a trusted domain.
    pub claim: Option<Claimed>,
    /// What each way of showing the mail gave, when it was looked at.
    pub views: Vec<ViewSeen>,
    /// The DKIM signatures that are looked at, in the order of the mail.
    pub signatures: Vec<DkimSeen>,
    /// What the mailbox's own provider says, once it was asked for its word.
    pub provider: Option<ProviderSeen>,
    /// How many DKIM signatures it has beyond those.
    pub beyond: usize,
}

/// Why the mail may be a token mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// How well the subject is known.
    pub form: SubjectForm,
    /// From or a signature speaks of a trusted domain, truly or not.
    pub names_trusted_domain: bool,
    /// The usernames in front of a token, where the header did not say enough.
    pub usernames: Vec<String>,
}

/// What one way of showing the mail gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewSeen {
    /// The labels in its visible text; `None` when hidden text has decided before.
    pub labels: Option<Labels>,
    /// The pair, or why there is none.
    pub found: Result<PairSeen, Refusal>,
}

/// Username and token, without the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairSeen {
    /// The username.
    pub username: String,
    /// How many letters and digits the token has.
    pub length: usize,
    /// The token's fingerprint.
    pub fingerprint: Fingerprint,
}

/// The word of the mailbox's provider (Authentication-Results), and what it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderSeen {
    /// The name that the user has pinned.
    pub id: Option<String>,
    /// Why it counts, or does not.
    pub verdict: Verdict,
    /// The domain that has signed, as the provider says, where its word counts.
    pub domain: Option<String>,
    /// The selector, if it was told.
    pub selector: Option<String>,
}

/// A DKIM signature, and what it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DkimSeen {
    /// Its tags.
    pub signature: SignatureSeen,
    /// Why it counts, or does not. Not reached: another one holds already, or a gate before it has
    /// decided.
    pub verdict: Verdict,
    /// The name that its key was looked up by, and what came back; `None` when nobody had to ask.
    pub asked: Option<(String, AnswerSeen)>,
}

/// What the DNS, or a file in its place, said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerSeen {
    /// So many records; the key, if it is in the only one.
    Records(usize, Option<KeySeen>),
    /// There is none.
    Absent,
    /// It could not be asked.
    Unknown,
}

/// [`examine`](super::examine) with an account of it: the same outcome, by the same code.
///
/// ```
/// use sftoken::ingest::explain::explain;
/// use sftoken::ingest::witness::{Gate, Verdict};
/// use sftoken::{KeyAnswers, Mail, Policy, Recipe};
///
/// let mail = b"From: support@salesforce.com\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n\
///     Subject: Your new Salesforce security token\r\n\r\nUsername: ann@acme.example\r\n";
/// let now = "2026-11-23T10:05:00Z".parse().unwrap();
/// let (mail, keys) = (Mail::parse(mail), KeyAnswers::default());
/// let (_, seen) = explain(&mail, &keys, &Policy::default(), Recipe::built_in(), now);
/// assert_eq!(seen.verdict(Gate::Sender), Verdict::Held);
/// assert_eq!(seen.verdict(Gate::Proof).kind(), Some("dkim_missing"));
/// assert_eq!(seen.verdict(Gate::Date), Verdict::NotReached);
/// ```
#[must_use]
pub fn explain(
    mail: &Mail<'_>,
    keys: &KeyAnswers,
    policy: &Policy,
    recipes: &[Recipe],
    now: Timestamp,
) -> (Outcome, Explanation) {
    let mut seen = Explanation::of(mail, policy, now);
    let outcome = super::examine_before(&mut seen, mail, keys, policy, recipes, now);
    let proof = seen.verdict(Gate::Proof);
    if policy.demand == Demand::Nothing && proof == Verdict::Held {
        seen.verdicts[Gate::Proof as usize] = Verdict::Waived;
    }
    if seen.verdict(Gate::Structure) != Verdict::NotReached {
        let lines = outline(mail).into_iter();
        seen.parts = lines.map(without_secrets).collect();
    }
    (outcome, seen)
}

/// [`examine_oversized`](super::examine_oversized) with an account of it.
#[must_use]
pub fn explain_oversized(
    header: &Mail<'_>,
    policy: &Policy,
    recipes: &[Recipe],
    now: Timestamp,
) -> (Outcome, Explanation) {
    let mut seen = Explanation::of(header, policy, now);
    let outcome = super::oversized_before(&mut seen, header, policy, recipes);
    (outcome, seen)
}

impl Explanation {
    /// What can be told before anything is judged.
    fn of(mail: &Mail<'_>, policy: &Policy, now: Timestamp) -> Self {
        let text = |name: &str| {
            let field = mail.named(name).next();
            field.and_then(|field| field.text()).map(without_secrets)
        };
        let subject = mail.named("subject").next();
        let signatures = mail.named("dkim-signature");
        let signature = |field| DkimSeen {
            signature: presentable(SignatureSeen::of(field)),
            verdict: Verdict::NotReached,
            asked: None,
        };
        Self {
            verdicts: [Verdict::NotReached; Gate::ALL.len()],
            counted: None,
            authserv_id: policy.authserv_id.clone(),
            accounts: policy.accounts.len(),
            bytes: mail.raw().len(),
            fields: mail.fields().len(),
            subject: subject
                .and_then(|field| field.decoded())
                .map(without_secrets),
            from: text("from"),
            date: mail.date().map(|date| (date, now.duration_since(date))),
            repeated: SINGLE
                .into_iter()
                .filter(|name| mail.named(name).nth(1).is_some())
                .collect(),
            parts: Vec::new(),
            claim: None,
            views: Vec::new(),
            signatures: signatures
                .take(policy.max_signatures)
                .map(signature)
                .collect(),
            provider: None,
            beyond: mail
                .named("dkim-signature")
                .count()
                .saturating_sub(policy.max_signatures),
        }
    }

    /// How a gate ended.
    #[must_use]
    pub fn verdict(&self, gate: Gate) -> Verdict {
        self.verdicts[gate as usize]
    }

    /// The pair that every view gave, if one was found in the first.
    #[must_use]
    pub fn pair(&self) -> Option<&PairSeen> {
        self.views.first()?.found.as_ref().ok()
    }

    fn dkim(&mut self, at: usize) -> Option<&mut DkimSeen> {
        self.signatures.get_mut(at)
    }
}

impl Witness for Explanation {
    fn gate<T, E: Copy + Into<Verdict>>(
        &mut self,
        gate: Gate,
        result: Result<T, E>,
    ) -> Result<T, E> {
        self.verdicts[gate as usize] = verdict(&result);
        result
    }

    fn claim(&mut self, form: SubjectForm, names_trusted_domain: bool) {
        self.claim = Some(Claimed {
            form,
            names_trusted_domain,
            usernames: Vec::new(),
        });
    }

    fn claimed(&mut self, usernames: &[String]) {
        if let Some(claim) = &mut self.claim {
            claim.usernames = usernames.to_vec();
        }
    }

    fn judged<T, E: Copy + Into<Verdict>>(&mut self, signatures: &[Result<T, E>]) {
        for (at, judged) in signatures.iter().enumerate() {
            if judged.is_err() {
                self.signature(at, judged);
            }
        }
    }

    fn key(&mut self, at: usize, name: &str, answer: &KeyAnswer) {
        let answer = match answer {
            KeyAnswer::Records(records) => AnswerSeen::Records(records.len(), KeySeen::of(records)),
            KeyAnswer::Absent => AnswerSeen::Absent,
            KeyAnswer::Unknown => AnswerSeen::Unknown,
        };
        if let Some(seen) = self.dkim(at) {
            seen.asked = Some((name.to_owned(), answer));
        }
    }

    fn signature<T, E: Copy + Into<Verdict>>(&mut self, at: usize, checked: &Result<T, E>) {
        if let Some(seen) = self.dkim(at) {
            seen.verdict = verdict(checked);
        }
    }

    fn provider(&mut self, word: &Result<Proof, Refusal>) {
        let proof = word.as_ref().ok();
        self.provider = Some(ProviderSeen {
            id: self.authserv_id.clone(),
            verdict: verdict(word),
            domain: proof.and_then(|proof| proof.domain.clone()),
            selector: proof.and_then(|proof| proof.selector.clone()),
        });
    }

    fn labels(&mut self, labels: Labels) {
        self.counted = Some(labels);
    }

    fn view(&mut self, found: &Result<(String, Token), Refusal>) {
        let found = found.as_ref().map_err(|refusal| *refusal);
        let found = found.map(|(username, token)| PairSeen {
            username: username.clone(),
            length: token.length(),
            fingerprint: token.fingerprint(),
        });
        self.views.push(ViewSeen {
            labels: self.counted.take(),
            found,
        });
    }
}

/// The tags that a key is looked up by stay as they are; the others are text like any other.
fn presentable(signature: SignatureSeen) -> SignatureSeen {
    SignatureSeen {
        algorithm: signature.algorithm.map(without_secrets),
        canonical: signature.canonical.map(without_secrets),
        signed: signature.signed.map(without_secrets),
        identity: signature.identity.map(without_secrets),
        length: signature.length.map(without_secrets),
        ..signature
    }
}

fn verdict<T, E: Copy + Into<Verdict>>(result: &Result<T, E>) -> Verdict {
    match result {
        Ok(_) => Verdict::Held,
        Err(why) => (*why).into(),
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
