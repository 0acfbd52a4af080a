//! Whoever tries tokens for the loop: each account as it is configured.
//!
//! Knows which outcome of a log-in is which answer to the loop. Never tries twice: the loop sees to that. Accounts come
//! from the configuration, passwords from their references at the moment of the attempt.

use super::exit::Failure;
use super::verification;
use crate::config::{Account, Config, VerifyWhen};
use crate::ingest::token::Token;
use crate::store::Key;
use crate::verify::Outcome;
use crate::watch::{Attempt, Failing, OTHER_ORGANIZATION, Verifier, Verify};

/// The accounts that are tried, or not.
#[derive(Debug)]
pub(crate) struct Accounts(Vec<Account>);

impl Accounts {
    pub(crate) fn of(config: &Config) -> Self {
        Self(config.accounts.clone())
    }

    fn find(&self, key: &Key) -> Option<&Account> {
        let mut accounts = self.0.iter();
        accounts.find(|account| account.username == key.username && account.org == key.org)
    }
}

impl Verifier for Accounts {
    fn when(&self, key: &Key) -> Verify {
        match self.find(key).map(|account| account.verification.when) {
            Some(VerifyWhen::After) => Verify::After,
            Some(VerifyWhen::Before) => Verify::Before,
            Some(VerifyWhen::Never) | None => Verify::Never,
        }
    }

    fn attempt(&self, key: &Key, token: &Token) -> Attempt {
        let Some(account) = self.find(key) else {
            return Attempt::NotMade(Failing {
                kind: "not_configured".to_owned(),
                problem: format!("{} is not configured", key.username),
                hint: "add its [[account]] with its password".to_owned(),
                against_token: false,
            });
        };
        let prepared = verification::log_in(account)
            .and_then(|log_in| Ok((log_in, verification::password(account)?)));
        match prepared {
            Ok((log_in, password)) => answer(&log_in.attempt(&key.username, &password, token)),
            Err(failure) => Attempt::NotMade(unprepared(failure)),
        }
    }
}

/// A log-in that cannot be made, as a locked keyring cannot give the password.
fn unprepared(failure: Failure) -> Failing {
    Failing {
        kind: "not_prepared".to_owned(),
        problem: failure.problem,
        hint: failure.hint,
        against_token: false,
    }
}

/// The answer to the loop.
pub(crate) fn answer(outcome: &Outcome) -> Attempt {
    let failing = Failing {
        kind: outcome.kind().to_owned(),
        problem: outcome.to_string(),
        hint: outcome.hint().to_owned(),
        // a token of somebody else's organization is not ours, however well it logs in there
        against_token: outcome.speaks_against_the_token() || outcome.kind() == OTHER_ORGANIZATION,
    };
    let was_sent = outcome.was_sent();
    match outcome {
        Outcome::LoggedIn(about) => Attempt::LoggedIn {
            organization_id: about.organization_id.clone(),
        },
        Outcome::Refused(_) => Attempt::Refused(failing),
        Outcome::Unknown(_) if was_sent => Attempt::Unanswered(failing),
        Outcome::Unknown(_) => Attempt::NotMade(failing),
    }
}
