//! Why there is no token.
//!
//! Knows each refusal of a provider in plain words, from `errors.toml`. Never holds a secret, nor raw bytes of
//! an answer. Its data comes from the other files here.

use std::sync::OnceLock;

use serde::Deserialize;

use super::{Brand, PlaceError};

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct OauthError {
    /// The stable word for machines.
    pub kind: &'static str,
    /// How soon another try is worth it.
    pub retry: Retry,
    /// What happened: a clause that names the provider's host.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

/// How soon another try is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// Soon: it may pass.
    Soon,
    /// Slowly: the provider is overloaded, or thinks that we are a nuisance.
    Slowly,
    /// Very few times: what proves the user is refused.
    Credential,
    /// Never, before someone changes something.
    Never,
}

impl OauthError {
    pub(super) fn new(
        kind: &'static str,
        retry: Retry,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            retry,
            problem: problem.into(),
            hint: hint.into(),
        }
    }

    /// An answer that makes no sense.
    pub(super) fn answer(host: &str, what: &str) -> Self {
        let hint = "check that the URL is the provider's, and that no proxy answers in its place";
        Self::new("oauth_answer", Retry::Soon, format!("{host}: {what}"), hint)
    }

    /// Whether it is the refresh token that is refused.
    pub(super) fn is_of_the_grant(&self) -> bool {
        self.kind == "invalid_grant"
    }
}

impl From<PlaceError> for OauthError {
    /// A keyring may be unlocked, and a file put there, while a daemon waits.
    fn from(error: PlaceError) -> Self {
        let hint = error.hint().to_owned();
        Self::new("oauth_secret", Retry::Soon, error.to_string(), hint)
    }
}

/// What a provider said when it refused.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refusal<'r> {
    /// `error`.
    pub(super) error: &'r str,
    /// A code of its own: `AADSTS…`, or Google's `error_subtype`.
    pub(super) own: Option<&'r str>,
    /// `error_description`, cleaned.
    pub(super) description: &'r str,
}

/// Puts a refusal into plain words.
pub(super) fn refused(host: &str, brand: Brand, refusal: Refusal<'_>) -> OauthError {
    let codes = match refusal.own {
        Some(own) => format!("{}, {own}", refusal.error),
        None => refusal.error.to_owned(),
    };
    match lookup(brand, refusal) {
        Some(entry) => OauthError::new(
            &entry.kind,
            entry.retry,
            format!("{host} refuses: {} ({codes})", entry.says),
            &*entry.hint,
        ),
        None => {
            let said = match refusal.description {
                "" => String::new(),
                text => format!(": {text}"),
            };
            let hint = "look the code up in the provider's documentation; `sftoken authorize MAILBOX` begins anew";
            let problem = format!("{host} refuses ({codes}){said}");
            OauthError::new("oauth_refused", Retry::Credential, problem, hint)
        }
    }
}

/// One entry of `errors.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) code: String,
    pub(super) provider: Option<String>,
    pub(super) kind: String,
    pub(super) retry: Retry,
    pub(super) says: String,
    pub(super) hint: String,
}

#[derive(Deserialize)]
struct Table {
    entry: Vec<Entry>,
}

pub(super) const TABLE: &str = include_str!("errors.toml");

/// All entries; a test reads that the table is well formed.
pub(super) fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| toml::from_str(TABLE).map_or_else(|_| Vec::new(), |t: Table| t.entry))
}

fn lookup(brand: Brand, refusal: Refusal<'_>) -> Option<&'static Entry> {
    let name = match brand {
        Brand::Google => Some("google"),
        Brand::Microsoft => Some("microsoft"),
        Brand::Other => None,
    };
    let find = |code: &str, provider: Option<&str>| {
        let fits = |e: &&Entry| e.code == code && e.provider.as_deref() == provider;
        entries().iter().find(fits)
    };
    let own = refusal.own.and_then(|own| {
        let special = name.and_then(|_| find(own, name));
        special.or_else(|| find(own, None))
    });
    own.or_else(|| name.and_then(|_| find(refusal.error, name)))
        .or_else(|| find(refusal.error, None))
}
