//! What is told about a mail or a token: free of secrets, versioned, serialisable.
//!
//! Knows the shapes of the machine output (the JSON Schemas in `schema/` are held against them).
//! Never holds a token: `--reveal` adds it outside. Filled from an [`Outcome`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Outcome;
use super::mail::Mail;
use super::policy::Org;
use super::refusal::Refusal;
use super::token::Fingerprint;

/// Version of the JSON shapes.
pub const SCHEMA: u32 = 1;

/// How an examination ended, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// A genuine token mail for one of the accounts.
    Found,
    /// None of our business.
    NotOurs,
    /// Claims to be a token mail, and is not believed.
    Refused,
    /// Cannot be told yet.
    Undecided,
}

/// Why a mail is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// `dkim`, `authentication-results` or `none`.
    pub method: ProofMethod,
    /// The signing domain (`d=`).
    pub domain: Option<String>,
    /// The selector (`s=`).
    pub selector: Option<String>,
}

impl Proof {
    /// No proof: the mail was refused, is none of ours, or nobody asked for one.
    pub const NONE: Self = Self {
        method: ProofMethod::None,
        domain: None,
        selector: None,
    };
}

/// The kind of proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofMethod {
    /// A DKIM signature, verified here.
    Dkim,
    /// The mailbox provider's word (RFC 8601).
    AuthenticationResults,
    /// Nothing.
    None,
}

/// One mail's examination, as `parse --json` prints it. Every key is always present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Where the mail came from: the path as given, `#N` for the N-th mail of an mbox, or
    /// `MAILBOX/FOLDER;UIDVALIDITY=V/;UID=N`.
    pub source: String,
    /// How it ended.
    pub outcome: OutcomeWord,
    /// The stable word of the refusal, of not-ours or of undecided.
    pub reason: Option<String>,
    /// The Salesforce username.
    pub username: Option<String>,
    /// The kind of org.
    pub org: Option<Org>,
    /// Always `null` here; `--reveal` puts the token in at the very edge.
    pub token: Option<()>,
    /// First 16 hex digits of the token's SHA-256.
    pub fingerprint: Option<Fingerprint>,
    /// The Date field.
    #[serde(with = "whole_seconds")]
    pub date: Option<Timestamp>,
    /// The Message-ID field, without angle brackets.
    pub message_id: Option<String>,
    /// Why the mail is believed.
    pub proof: Proof,
}

impl Report {
    /// What is told of a mail that could not be read.
    #[must_use]
    pub fn unread(source: &str) -> Self {
        Self {
            schema: SCHEMA,
            source: source.to_owned(),
            outcome: OutcomeWord::Undecided,
            reason: None,
            username: None,
            org: None,
            token: None,
            fingerprint: None,
            date: None,
            message_id: None,
            proof: Proof::NONE,
        }
    }

    /// What is told of a mail and its outcome.
    #[must_use]
    pub fn new(source: &str, mail: &Mail<'_>, outcome: &Outcome) -> Self {
        let found = match outcome {
            Outcome::Found(found) => Some(found),
            _ => None,
        };
        let (word, reason) = match outcome {
            Outcome::Found(_) => (OutcomeWord::Found, None),
            Outcome::NotOurs(why) => (OutcomeWord::NotOurs, Some(why.kind())),
            Outcome::Refused(why) => (OutcomeWord::Refused, Some(why.kind())),
            Outcome::Undecided(why) => (OutcomeWord::Undecided, Some(why.kind())),
        };
        Self {
            schema: SCHEMA,
            source: source.to_owned(),
            outcome: word,
            reason: reason.map(str::to_owned),
            username: found.map(|found| found.username.clone()),
            org: found.map(|found| found.org),
            token: None,
            fingerprint: found.map(|found| found.token.fingerprint()),
            date: found.map(|found| found.date).or_else(|| mail.date()),
            message_id: mail.message_id(),
            proof: found.map_or(Proof::NONE, |found| found.proof.clone()),
        }
    }
}

/// The record of a stored token: a [`Report`] and where it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The mail that brought it.
    #[serde(flatten)]
    pub report: Report,
    /// The place in a store, as a URL free of secrets.
    pub slot: Option<String>,
    /// When the store had confirmed it by reading back.
    #[serde(with = "whole_seconds")]
    pub stored_at: Option<Timestamp>,
    /// A newer token was there already, so this one was not stored.
    pub superseded: bool,
    /// Whether it logs in; `null` when nobody tried.
    pub verified: Option<bool>,
}

impl Receipt {
    /// The receipt of a token that the store has confirmed.
    #[must_use]
    pub fn stored(report: &Report, slot: &str, at: Timestamp) -> Self {
        Self {
            slot: Some(slot.to_owned()),
            stored_at: Some(at),
            ..Self::unstored(report.clone())
        }
    }

    /// A mail whose token, if it had one, was not stored.
    #[must_use]
    pub fn unstored(report: Report) -> Self {
        Self {
            report,
            slot: None,
            stored_at: None,
            superseded: false,
            verified: None,
        }
    }

    /// A genuine mail whose token must not replace what is there.
    #[must_use]
    pub fn kept_out(report: Report, why: Refusal) -> Self {
        let report = Report {
            outcome: OutcomeWord::Refused,
            reason: Some(why.kind().to_owned()),
            ..report
        };
        Self {
            superseded: why == Refusal::OlderThanCurrent,
            ..Self::unstored(report)
        }
    }
}

impl OutcomeWord {
    /// The word, as JSON has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NotOurs => "not_ours",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
        }
    }
}

/// What happened, for those who are told: hooks, a webhook, a desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventWord {
    /// A token is in its store.
    Stored,
    /// The token logs in.
    Verified,
    /// The token does not log in.
    NotVerified,
    /// A store did not take a token.
    StoreFailed,
    /// What was to be told somebody was not taken.
    HookFailed,
    /// A consumer's test failed.
    ConsumerFailed,
    /// A token will soon be too old.
    Due,
    /// A token is too old.
    Overdue,
    /// Nothing: somebody wants to see an event arrive.
    Test,
}

impl EventWord {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Stored,
        Self::Verified,
        Self::NotVerified,
        Self::StoreFailed,
        Self::HookFailed,
        Self::ConsumerFailed,
        Self::Due,
        Self::Overdue,
        Self::Test,
    ];

    /// The word, as JSON has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Verified => "verified",
            Self::NotVerified => "not_verified",
            Self::StoreFailed => "store_failed",
            Self::HookFailed => "hook_failed",
            Self::ConsumerFailed => "consumer_failed",
            Self::Due => "due",
            Self::Overdue => "overdue",
            Self::Test => "test",
        }
    }
}

/// RFC 3339 in UTC with whole seconds: `2026-11-23T10:00:00Z`.
pub(crate) mod whole_seconds {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => out.collect_str(&format_args!("{time:.0}")),
            None => out.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<String>::deserialize(from)?
            .map(|text| text.parse().map_err(serde::de::Error::custom))
            .transpose()
    }
}
