//! One mail, from bytes to verdict: ask the DNS, examine, publish, record.
//!
//! Knows the order of the edges. Never knows where the mail came from, and never prints. Its mails
//! come from a folder of a mailbox, or from files.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};

use super::ages::Limit;
use super::deliver::GenuineToken;
use super::errands::Errands;
use super::stores::Stores;
use super::verdict::{Trouble, Verdict};
use super::verifier::{NoVerifier, Verifier};
use crate::dns::Resolver;
use crate::ingest::event::{OutcomeWord, Receipt, Report};
use crate::ingest::mail::Mail;
use crate::ingest::order::Arrival;
use crate::ingest::policy::Policy;
use crate::ingest::recipe::Recipe;
use crate::ingest::refusal::NotOurs;
use crate::ingest::{Outcome, examine, examine_oversized, questions, worth_fetching};
use crate::ledger::{Decision, Ledger, Source};

/// What time it is: the system's clock, or a test's.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything that a mail meets on its way to a store. Shared by all folders.
#[derive(Clone)]
pub struct Pipeline {
    /// Whom and what we trust.
    pub policy: Arc<Policy>,
    /// What counts as a token mail.
    pub recipes: &'static [Recipe],
    /// Where DKIM keys are asked for.
    pub resolver: Arc<Resolver>,
    /// Where tokens go.
    pub stores: Arc<Stores>,
    /// What happened before.
    pub ledger: Arc<Ledger>,
    /// Whether tokens log in, and when that is tried.
    pub verifier: Arc<dyn Verifier>,
    /// What is done once something happened to a token.
    pub errands: Errands,
    /// Whoever watches for long reminds of tokens that grow older than this.
    pub limits: Arc<[Limit]>,
    /// How long whoever watches for long keeps the audit trail; `None`: for ever.
    pub keep: Option<SignedDuration>,
    /// What time it is.
    pub clock: Clock,
}

/// One mail and where it was. `Debug` does not show its bytes: they may hold a token.
#[derive(Clone)]
pub struct Letter {
    /// The bytes as the server holds them.
    pub bytes: Vec<u8>,
    /// For people and machines: `MAILBOX/FOLDER;UIDVALIDITY=V/;UID=N`, or a path.
    pub name: String,
    /// For the audit trail.
    pub source: Source,
    /// For the order of mails of one second.
    pub arrival: Arrival,
}

impl Letter {
    /// SHA-256 of the bytes, in hex: the mail's name wherever it is moved to.
    pub(super) fn hash(&self) -> String {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in digest(&SHA256, &self.bytes).as_ref() {
            // writing to a String cannot fail
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// What an examination came to.
pub(super) enum Judged {
    /// A genuine token for one of the accounts.
    Token(Box<GenuineToken>),
    /// Anything else, recorded.
    Done(Box<Verdict>),
}

/// Wiped: a token stands in it.
impl Drop for Letter {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.bytes);
    }
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter")
            .field("bytes", &self.bytes.len())
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

impl Pipeline {
    /// With the built-in recipes and the system's clock; no token is tried at a log-in, and nothing is done once it
    /// is stored. Fields can be set as in `Pipeline { clock, ..Pipeline::new(…) }`.
    #[must_use]
    pub fn new(
        policy: Arc<Policy>,
        resolver: Arc<Resolver>,
        stores: Arc<Stores>,
        ledger: Arc<Ledger>,
    ) -> Self {
        Self {
            policy,
            recipes: Recipe::built_in(),
            resolver,
            stores,
            ledger,
            verifier: Arc::new(NoVerifier),
            errands: Errands::default(),
            limits: Arc::default(),
            keep: None,
            clock: Arc::new(Timestamp::now),
        }
    }

    /// Whether a mail, of which the header is known, is worth its body.
    #[must_use]
    pub fn wants(&self, header: &[u8]) -> bool {
        worth_fetching(&Mail::parse(header), &self.policy, self.recipes)
    }

    /// Takes one mail to its verdict: one for each slot of the account where it brings a token, else exactly one.
    pub async fn process(&self, letter: Letter) -> Vec<Verdict> {
        match self.judge(&letter).await {
            Judged::Token(token) => self.store(*token, letter, false).await,
            Judged::Done(verdict) => vec![*verdict],
        }
    }

    /// Proves one mail and reads it; stores nothing.
    pub(super) async fn judge(&self, letter: &Letter) -> Judged {
        let now = (self.clock)();
        let names = {
            let mail = Mail::parse(&letter.bytes);
            questions(&mail, &self.policy, self.recipes, now)
        };
        let keys = self.resolver.ask(&names).await;
        let (outcome, report) = {
            let mail = Mail::parse(&letter.bytes);
            let outcome = examine(&mail, &keys, &self.policy, self.recipes, now);
            let report = Report::new(&letter.name, &mail, &outcome);
            (outcome, report)
        };
        match outcome {
            Outcome::Found(found) => Judged::Token(Box::new(GenuineToken { found, report })),
            outcome => {
                let hash = Some(letter.hash());
                let verdict = self.settle(&outcome, report, &letter.source, hash, now);
                Judged::Done(Box::new(verdict))
            }
        }
    }

    /// Takes a mail that is too large to its verdict, by its header.
    #[must_use]
    pub fn process_oversized(&self, header: &[u8], name: &str, source: &Source) -> Verdict {
        let mail = Mail::parse(header);
        let outcome = examine_oversized(&mail, &self.policy, self.recipes);
        let report = Report::new(name, &mail, &outcome);
        self.settle(&outcome, report, source, None, (self.clock)())
    }

    /// Everything but a found token. Mail that has nothing to do with tokens leaves no trace.
    fn settle(
        &self,
        outcome: &Outcome,
        report: Report,
        source: &Source,
        hash: Option<String>,
        now: Timestamp,
    ) -> Verdict {
        if let Outcome::Undecided(why) = outcome {
            return Verdict::Open(report, Trouble::Undecided(*why));
        }
        let receipt = Receipt::unstored(report);
        if !matches!(outcome, Outcome::NotOurs(NotOurs::NotCandidate)) {
            let decision = decision(&receipt, source, hash, now);
            if let Err(error) = self.ledger.record(&decision) {
                return Verdict::Open(receipt.report, error.into());
            }
        }
        Verdict::Settled(receipt)
    }

    /// Records that a mail is kept open: once, not at each try or run.
    pub fn note_open(&self, report: &Report, trouble: &Trouble, source: &Source) {
        let receipt = Receipt::unstored(trouble.on(report.clone()));
        let decision = Decision {
            slot: trouble.store().map(str::to_owned),
            ..decision(&receipt, source, None, (self.clock)())
        };
        if let Err(error) = self.ledger.record_open(&decision) {
            tracing::warn!(hint = error.hint(), "{error}");
        }
    }
}

/// The audit trail's row for a mail.
pub(super) fn decision(
    receipt: &Receipt,
    source: &Source,
    body_hash: Option<String>,
    at: Timestamp,
) -> Decision {
    let report = &receipt.report;
    Decision {
        at,
        source: source.clone(),
        outcome: report.outcome.as_str().to_owned(),
        reason: report.reason.clone(),
        username: report.username.clone(),
        org: report.org,
        fingerprint: report.fingerprint.clone(),
        date: report.date,
        message_id: report.message_id.clone(),
        body_hash,
        slot: receipt.slot.clone(),
        more_to_come: false,
    }
}

/// Says in the log what became of a mail, once. Text of the mail is written as Rust would escape it.
pub(super) fn log(verdict: &Verdict, first: bool) {
    match verdict {
        Verdict::Settled(receipt) => log_settled(receipt),
        Verdict::Open(report, Trouble::Claimed) => {
            tracing::debug!(source = %report.source, "{}", Trouble::Claimed);
        }
        Verdict::Open(report, trouble) if first => {
            let (source, hint) = (&report.source, trouble.hint());
            tracing::warn!(%source, kind = trouble.kind(), hint, "kept to be tried again: {trouble}");
        }
        Verdict::Open(report, trouble) => {
            tracing::debug!(source = %report.source, kind = trouble.kind(), "still open: {trouble}");
        }
    }
}

fn log_settled(receipt: &Receipt) {
    let report = &receipt.report;
    let source = &report.source;
    let reason = report.reason.as_deref().unwrap_or_default();
    let message_id = report.message_id.as_deref().unwrap_or_default();
    match report.outcome {
        // Told where it was stored.
        OutcomeWord::Found => {}
        OutcomeWord::Refused if receipt.superseded => {
            tracing::info!(%source, reason, "a newer token is stored already");
        }
        OutcomeWord::Refused => tracing::warn!(%source, reason, ?message_id, "mail refused"),
        OutcomeWord::NotOurs if reason == NotOurs::UnknownAccount.kind() => {
            tracing::info!(%source, reason, ?message_id, "a token mail for another account");
        }
        _ => tracing::debug!(%source, reason, "not ours"),
    }
}
