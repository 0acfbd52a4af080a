//! Does a token log in? Whoever can try it, when it is tried, and that it is tried once.
//!
//! Knows the turns of a log-in: noted before it is made, answered or not, never made twice for one token. Never
//! speaks to Salesforce: a [`Verifier`] does. What was tried before comes from the ledger.

use std::fmt;

use jiff::Timestamp;

use super::pipeline::Pipeline;
use super::verdict::Trouble;
use crate::ingest::organization::OrganizationId;
use crate::ingest::token::{Fingerprint, Token};
use crate::ledger::{Event, Ledger, LedgerError, Login, LoginState, Record, Tried};
use crate::store::Key;

/// The log-in ended in an organization that was not expected.
pub const OTHER_ORGANIZATION: &str = "other_organization";

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
    /// Tries a token, unless it was tried before; `kept_out`: it replaces nothing until it logs in. Then what came of
    /// that is known, and whether it is news. Whoever tries the same token at the same time, in whatever process, waits
    /// for it.
    pub(super) fn log_in_once(
        &self,
        key: &Key,
        token: &Token,
        kept_out: bool,
    ) -> Result<(Known, bool), Trouble> {
        let fingerprint = token.fingerprint();
        let whose = tried(key, &fingerprint);
        let _alone = self.ledger.lock(&lock_name(key))?;
        if let Some(before) = self.ledger.begin_login(whose, (self.clock)(), kept_out)? {
            if before.state != LoginState::Begun {
                return Ok((known(before), false));
            }
            // whoever began it had our lock, and is dead: that is its end
            let why = Failing::from(before);
            let cut_off = Attempt::Unanswered(why.clone());
            note(&self.ledger, whose, &cut_off, (self.clock)(), kept_out)?;
            return Ok((Known::Unknown(why), true));
        }
        let attempt = self.check_organization(key, self.verifier.attempt(key, token))?;
        note(&self.ledger, whose, &attempt, (self.clock)(), kept_out)?;
        let known = match attempt {
            Attempt::LoggedIn { .. } => Known::LogsIn,
            Attempt::Refused(why) => Known::Refused(why),
            Attempt::Unanswered(why) => Known::Unknown(why),
            Attempt::NotMade(why) => Known::Later(why),
        };
        Ok((known, true))
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
            Some(known) if is_another(&known, found) => Ok(Attempt::Refused(Failing {
                kind: OTHER_ORGANIZATION.to_owned(),
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

/// An attempt that a person wants, whatever was tried before: it is noted, and receipts of the token say what came of it.
///
/// # Errors
/// When the ledger does not answer; then nothing was attempted, or it is not noted how it ended.
pub fn attempt_again<T>(
    ledger: &Ledger,
    key: &Key,
    fingerprint: &Fingerprint,
    now: fn() -> Timestamp,
    attempt: impl FnOnce() -> (Attempt, T),
) -> Result<T, LedgerError> {
    let whose = tried(key, fingerprint);
    let _alone = ledger.lock(&lock_name(key))?;
    ledger.forget_login(whose)?;
    ledger.begin_login(whose, now(), false)?;
    let (attempt, seen) = attempt();
    note(ledger, whose, &attempt, now(), false)?;
    let verified = match attempt {
        Attempt::LoggedIn { .. } => true,
        Attempt::Refused(why) if why.against_token => false,
        _ => return Ok(seen),
    };
    for mut receipt in ledger.receipts_of(&key.username)? {
        let report = &receipt.report;
        let same = report.org == Some(key.org) && report.fingerprint.as_ref() == Some(fingerprint);
        if let Some(slot) = receipt.slot.clone().filter(|_| same) {
            receipt.verified = Some(verified);
            ledger.commit(&slot, &receipt)?;
        }
    }
    Ok(seen)
}

/// Whether both are ids, and of two organizations.
fn is_another(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(OrganizationId::parse);
    one.is_some() && other.is_some() && one != other
}

pub(super) fn tried<'t>(key: &'t Key, fingerprint: &'t Fingerprint) -> Tried<'t> {
    Tried {
        username: &key.username,
        org: key.org,
        fingerprint,
    }
}

/// What came of an attempt, for the next one and for the audit trail. One that was not made leaves nothing.
fn note(
    ledger: &Ledger,
    whose: Tried<'_>,
    attempt: &Attempt,
    at: Timestamp,
    kept_out: bool,
) -> Result<(), LedgerError> {
    let Some(login) = login_of(attempt, at) else {
        return ledger.forget_login(whose);
    };
    let login = Login { kept_out, ..login };
    ledger.end_login(whose, &login)?;
    let event = match login.state {
        LoginState::LoggedIn => Event::Verified,
        LoginState::Refused => Event::NotVerified,
        LoginState::Begun | LoginState::Unknown => Event::VerificationUnknown,
    };
    let record = Record {
        username: Some(whose.username.to_owned()),
        org: Some(whose.org),
        fingerprint: Some(whose.fingerprint.clone()),
        reason: login.reason,
        detail: login.problem.or(login.organization_id),
        ..Record::new(at, event)
    };
    ledger.note(&record).map(drop)
}

fn lock_name(key: &Key) -> String {
    format!("log-in {} {}", key.org.as_str(), key.username)
}

/// As the ledger keeps an attempt; one that was not made leaves nothing.
fn login_of(attempt: &Attempt, at: Timestamp) -> Option<Login> {
    let login = |state, why: Option<&Failing>| Login {
        at,
        state,
        reason: why.map(|why| why.kind.clone()),
        problem: why.map(|why| why.problem.clone()),
        hint: why.map(|why| why.hint.clone()),
        against_token: why.is_some_and(|why| why.against_token),
        kept_out: false,
        organization_id: None,
    };
    match attempt {
        Attempt::LoggedIn { organization_id } => Some(Login {
            organization_id: organization_id.clone(),
            ..login(LoginState::LoggedIn, None)
        }),
        Attempt::Refused(why) => Some(login(LoginState::Refused, Some(why))),
        Attempt::Unanswered(why) => Some(login(LoginState::Unknown, Some(why))),
        Attempt::NotMade(_) => None,
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
