//! From an account's configuration to a trial log-in.
//!
//! Knows which configured word becomes which argument. Never tries anything: it only builds. Secrets come from their
//! references.

use super::engine;
use super::exit::{Exit, Failure};
use crate::config::{Account, LoginWay};
use crate::ingest::secret::Secret;
use crate::verify::{Http, LogIn, Way, default_endpoint};

/// How and where an account's token is tried.
pub(crate) fn log_in(account: &Account) -> Result<LogIn, Failure> {
    let wanted = &account.verification;
    let way = match &wanted.way {
        LoginWay::Soap => Way::soap(),
        LoginWay::OauthPassword {
            client_id,
            client_secret,
        } => Way::OauthPassword {
            client_id: client_id.clone(),
            client_secret: client_secret.as_ref().map(engine::secret).transpose()?,
        },
    };
    let http = match &wanted.ca_file {
        Some(path) => Http::with_authorities(path),
        None => Http::new(),
    };
    let by_default = default_endpoint(account.org);
    let endpoint = wanted.login_url.as_deref().unwrap_or(by_default);
    let log_in = LogIn::new(way, endpoint, http);
    Ok(match &wanted.organization_id {
        Some(organization) => log_in.expecting(organization.clone()),
        None => log_in,
    })
}

/// The password that an account's token is tried with.
pub(crate) fn password(account: &Account) -> Result<Secret, Failure> {
    let name = &account.username;
    let reference = account.password.as_ref().ok_or_else(|| {
        let problem = format!("{name}: a token is tried with the password, and none is configured");
        let hint = format!("add password = \"keyring:salesforce/{name}\" to its [[account]]");
        Failure::new(Exit::Usage, problem, hint)
    })?;
    engine::secret(reference)
}
