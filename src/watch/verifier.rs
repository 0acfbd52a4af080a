//! Does a token log in? Whoever can try it, when it is tried, and that it is tried once.
//!
//! Knows the turns of a log-in: noted before it is made, answered or not, never made twice for one token. Never
//! speaks to Salesforce: a [`Verifier`] does. What was tried before comes from the ledger.

use std::fmt;

use jiff::Timestamp;

use super::pipeline::Pipeline;
use super::verdict::Trouble;
use crate::ingest::token::{Fingerprint, Token};
use crate::ledger::{Login, LoginState, Tried};
use crate::store::Key;

/// When an account's tokens are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Never.
    #[default]
    Never,
    /// Once they are stored.
    After,
    /// Before they are stored: one that does not log in replaces nothing.
    Before,
}

/// Whoever can try whether a token logs in.
pub trait Verifier: Send + Sync + fmt::Debug {
    /// When the account's tokens are tried.
    fn when(&self, key: &Key) -> Verify;

    /// One attempt: one request at most. Blocks, for a bounded time.
    fn attempt(&self, key: &Key, token: &Token) -> Attempt;
}

/// Tries nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoVerifier;

impl Verifier for NoVerifier {
    fn when(&self, _: &Key) -> Verify {
        Verify::Never
    }

    fn attempt(&self, _: &Key, _: &Token) -> Attempt {
        Attempt::NotMade(Failing {
            kind: "not_configured".to_owned(),
            problem: "nobody is there to try it".to_owned(),
            hint: "configure verify and password of the account".to_owned(),
            against_token: false,
        })
    }
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It logs in.
    LoggedIn {
        /// The organisation, 18 or 15 letters and digits.
        organization_id: Option<String>,
    },
    /// It was answered, and refused.
    Refused(Failing),
    /// It may have been received, and was not answered: never "bad".
    Unanswered(Failing),
    /// Nothing was sent: it can be tried again.
    NotMade(Failing),
}

/// Why a token is not proven to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// The stable word.
    pub kind: String,
    /// What happened: a clause without secrets.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
    /// It speaks against the token (or the password, or the user is locked), not against how the org is set up.
    pub against_token: bool,
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It logs in.
    LogsIn,
    /// It was tried, and refused.
    Refused(Failing),
    /// It was tried, and nobody knows.
    Unknown(Failing),
    /// It was not tried, and can be later.
    Later(Failing),
}

impl Pipeline {
    /// Tries a token, unless it was tried before; then what came of that is known. Whoever tries the same token
    /// at the same time, in whatever process, waits for it.
    pub(super) fn log_in_once(&self, key: &Key, token: &Token) -> Result<Known, Trouble> {
        let fingerprint = token.fingerprint();
        let whose = tried(key, &fingerprint);
        let lock = format!("log-in {} {}", key.org.as_str(), key.username);
        let _alone = self.ledger.lock(&lock)?;
        if let Some(before) = self.ledger.begin_login(whose, (self.clock)())? {
            return Ok(known(before));
        }
        let attempt = self.check_organization(key, self.verifier.attempt(key, token))?;
        let now = (self.clock)();
        let (login, known) = match attempt {
            Attempt::LoggedIn { organization_id } => {
                let login = Login {
                    organization_id,
                    ..ended(now, LoginState::LoggedIn, None)
                };
                (login, Known::LogsIn)
            }
            Attempt::Refused(why) => {
                let login = ended(now, LoginState::Refused, Some(&why));
                (login, Known::Refused(why))
            }
            Attempt::Unanswered(why) => {
                let login = ended(now, LoginState::Unknown, Some(&why));
                (login, Known::Unknown(why))
            }
            Attempt::NotMade(why) => {
                self.ledger.forget_login(whose)?;
                return Ok(Known::Later(why));
            }
        };
        self.ledger.end_login(whose, &login)?;
        Ok(known)
    }

    /// A user of another organisation may carry the same name.
    fn check_organization(&self, key: &Key, attempt: Attempt) -> Result<Attempt, Trouble> {
        let Attempt::LoggedIn {
            organization_id: Some(found),
        } = &attempt
        else {
            return Ok(attempt);
        };
        let known = self.ledger.organization_of(&key.username, key.org)?;
        match known {
            Some(known) if !same_organization(&known, found) => Ok(Attempt::Refused(Failing {
                kind: "other_organization".to_owned(),
                problem: format!(
                    "the token logs in to organization {found}, and earlier ones did to {known}"
                ),
                hint: "find out whose reset this was; if the account moved, sftoken verify --again takes the new organization".to_owned(),
                against_token: true,
            })),
            _ => Ok(attempt),
        }
    }
}

/// The 18 letters of an id are its 15, and a check of their case.
fn same_organization(one: &str, other: &str) -> bool {
    let short = |id: &str| id.get(..15).map(str::to_owned);
    short(one).is_some() && short(one) == short(other)
}

pub(super) fn tried<'t>(key: &'t Key, fingerprint: &'t Fingerprint) -> Tried<'t> {
    Tried {
        username: &key.username,
        org: key.org,
        fingerprint,
    }
}

fn ended(at: Timestamp, state: LoginState, why: Option<&Failing>) -> Login {
    Login {
        at,
        state,
        reason: why.map(|why| why.kind.clone()),
        problem: why.map(|why| why.problem.clone()),
        hint: why.map(|why| why.hint.clone()),
        against_token: why.is_some_and(|why| why.against_token),
        organization_id: None,
    }
}

/// What an earlier attempt says.
fn known(before: Login) -> Known {
    match before.state {
        LoginState::LoggedIn => Known::LogsIn,
        LoginState::Refused => Known::Refused(before.into()),
        LoginState::Begun | LoginState::Unknown => Known::Unknown(before.into()),
    }
}

/// Of a log-in that was begun and whose end nobody noted, that is what is known.
impl From<Login> for Failing {
    fn from(login: Login) -> Self {
        let interrupted = "the log-in was begun, and the program ended before it was answered";
        let again = "sftoken verify tries it once more";
        Self {
            kind: login.reason.unwrap_or_else(|| "interrupted".to_owned()),
            problem: login.problem.unwrap_or_else(|| interrupted.to_owned()),
            hint: login.hint.unwrap_or_else(|| again.to_owned()),
            against_token: login.against_token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::same_organization;

    #[test]
    fn an_organization_is_the_same_with_15_and_with_18_letters() {
        assert!(same_organization("00D5g000000abcd", "00D5g000000abcdEAA"));
        assert!(!same_organization("00D5g000000abcd", "00D5g000000aBcdEAQ"));
        assert!(!same_organization("00D5g", "00D5g"));
    }
}
