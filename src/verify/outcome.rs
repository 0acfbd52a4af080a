//! What came of a log-in.
//!
//! Knows three results, and which of them says something of the token. Never holds a secret: the session is gone by
//! then. Filled by the two ways.

use std::fmt;

use serde::Serialize;

use super::{Doubt, Refusal};

/// What came of a log-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Password and token are good.
    LoggedIn(LoggedIn),
    /// Salesforce answered, and refused.
    Refused(Refusal),
    /// There is no answer that says anything.
    Unknown(Doubt),
}

/// Where a log-in ended, as far as Salesforce says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LoggedIn {
    /// The organization, by an id of 15 or 18 letters and digits.
    pub organization_id: Option<String>,
    /// The user, likewise.
    pub user_id: Option<String>,
    /// The host that the org's calls go to.
    pub server_host: Option<String>,
}

impl Outcome {
    /// The stable word for machines.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LoggedIn(_) => "logged_in",
            Self::Refused(refusal) => refusal.why.kind(),
            Self::Unknown(doubt) => doubt.cause.kind(),
        }
    }

    /// What to do; empty after a log-in.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::LoggedIn(_) => "",
            Self::Refused(refusal) => refusal.why.hint(),
            Self::Unknown(doubt) => doubt.cause.hint(),
        }
    }

    /// Whether the token may be what was refused. A log-in that is refused for something else, or for nothing that we know,
    /// says nothing of the token.
    #[must_use]
    pub fn speaks_against_the_token(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.why.speaks_against_the_token())
    }

    /// Whether the token is good; `None` is "could not know".
    #[must_use]
    pub fn verified(&self) -> Option<bool> {
        match self {
            Self::LoggedIn(_) => Some(true),
            no => no.speaks_against_the_token().then_some(false),
        }
    }

    /// Whether the attempt may have reached Salesforce, and so been counted. If not, another one costs nothing.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        !matches!(self, Self::Unknown(doubt) if !doubt.sent)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoggedIn(about) => about.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unknown(doubt) => doubt.fmt(f),
        }
    }
}

impl fmt::Display for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token logs in")?;
        if let Some(host) = &self.server_host {
            write!(f, " to {host}")?;
        }
        match &self.organization_id {
            Some(organization) => write!(f, " (organization {organization})"),
            None => Ok(()),
        }
    }
}
