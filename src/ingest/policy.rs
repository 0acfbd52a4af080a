//! Whom and what we trust: the `[trust]` table and the accounts, as values.
//!
//! Knows the defaults, which are safe alone. Never reads a file or a clock. It is filled from the
//! configuration by `config`, or by a library user.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::pins::Pins;

/// Fields that a signature must cover, whatever else it must (contract: trust, 1).
pub const ALWAYS_SIGNED: [&str; 3] = ["from", "subject", "date"];

/// The kind of Salesforce org. The same username may exist in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Org {
    /// A production (or Developer Edition) org.
    Production,
    /// A sandbox; its mail's subject begins with `Sandbox: `.
    Sandbox,
}

impl Org {
    /// `production` or `sandbox`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }
}

/// An account whose token we want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The Salesforce username, compared octet for octet.
    pub username: String,
    /// The kind of org; `None` takes either (an account named on the command line).
    pub org: Option<Org>,
}

/// What must hold before a mail is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A DKIM signature that we verify ourselves.
    Dkim,
    /// The word of the mailbox's provider (`authserv_id`) that a signature holds.
    AuthenticationResults,
    /// A signature that we verify ourselves, or the provider's word.
    Either,
    /// Nothing: `--unproven`, for `parse` and `replay` only.
    Nothing,
}

/// The trust policy. [`Policy::default`] is the documented default.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Which proof is demanded.
    pub demand: Demand,
    /// Domains whose signatures count (`d=`, exact, lower case).
    pub signing_domains: Vec<String>,
    /// Addresses that may stand in From, exact.
    pub senders: Vec<String>,
    /// Selectors that never count: `google` signs staff mail.
    pub denied_selectors: Vec<String>,
    /// Fields that the signature must cover beside [`ALWAYS_SIGNED`], lower case.
    pub required_signed: Vec<String>,
    /// The provider's name in Authentication-Results; without one, its word never counts.
    pub authserv_id: Option<String>,
    /// Keys that alone count, if there are any.
    pub pinned_keys: Pins,
    /// Signatures that are looked at: more are how a verifier is kept busy (contract: trust, 1).
    pub max_signatures: usize,
    /// DNS questions that one mail may cause.
    pub max_dns_questions: usize,
    /// Whose tokens we want; empty: anyone's.
    pub accounts: Vec<Account>,
    /// Oldest mail that is taken, by its signed Date; `None`: any age.
    pub max_age: Option<SignedDuration>,
    /// How far in the future a Date or `t=` may lie: `clock_skew`.
    pub max_future: SignedDuration,
    /// Tokens are believed only if their reset was announced. The heart does not ask: who announces is known to the
    /// loop.
    pub armed_only: bool,
    /// Largest mail that is looked into, in bytes.
    pub max_size: usize,
}

impl Default for Policy {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect();
        Self {
            demand: Demand::Dkim,
            signing_domains: words(&["salesforce.com", "salesforcedevs.com"]),
            // Provenance of each: Salesforce's own guides, public samples of 2019, 2020 and 2024.
            senders: words(&[
                "support@salesforce.com",
                "noreply@salesforce.com",
                "support@emea.salesforce.com",
                "info@salesforcedevs.com",
            ]),
            denied_selectors: words(&["google"]),
            required_signed: Vec::new(),
            authserv_id: None,
            pinned_keys: Pins::default(),
            max_signatures: 8,
            max_dns_questions: 3,
            accounts: Vec::new(),
            max_age: None,
            max_future: SignedDuration::from_mins(15),
            armed_only: false,
            max_size: 256 * 1024,
        }
    }
}
