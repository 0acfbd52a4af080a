//! What a log-in is proven with.
//!
//! Knows a password, and a source of access tokens. Never knows how a token is got: a source is asked
//! anew before each connection. Its data comes from the caller.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Class, InboxError};
use crate::ingest::secret::Secret;

/// How long a source may take. It has deadlines of its own; this one holds against a source that has none.
const SOURCE: Duration = Duration::from_secs(60);

/// What a user proves to a server.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A password: by SCRAM-SHA-256, PLAIN or LOGIN, the first of them that the server offers.
    Password(Secret),
    /// An OAuth 2.0 access token: by OAUTHBEARER or XOAUTH2.
    Bearer(Arc<dyn BearerSource>),
}

impl From<Secret> for Credential {
    fn from(password: Secret) -> Self {
        Self::Password(password)
    }
}

/// The answer of a [`BearerSource`].
pub type BearerFuture<'s> = Pin<Box<dyn Future<Output = Result<Secret, BearerError>> + Send + 's>>;

/// Where access tokens come from. Shared by all connections of a mailbox.
pub trait BearerSource: fmt::Debug + Send + Sync {
    /// A token that lives for a while yet. Asked for before each connection, so a source keeps the one
    /// that it has.
    fn bearer(&self) -> BearerFuture<'_>;

    /// A server refused this token: it is not to be given again.
    fn refused(&self, token: &Secret);
}

/// Why there is no access token. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct BearerError {
    /// The stable word for machines.
    pub kind: &'static str,
    /// How it is to be treated by whoever tries again.
    pub class: Class,
    /// What happened: a clause.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

/// A credential in hand, for one log-in.
pub(super) enum Proof {
    Password(Secret),
    Bearer(Secret, Arc<dyn BearerSource>),
}

impl Credential {
    /// The credential in hand. Before the connection: a provider that is slow must not use up the time of
    /// the log-in, nor keep a server waiting.
    pub(super) async fn in_hand(&self, at: &str) -> Result<Proof, InboxError> {
        let source = match self {
            Self::Password(password) => return Ok(Proof::Password(password.clone())),
            Self::Bearer(source) => source,
        };
        let answer = timeout(SOURCE, source.bearer()).await;
        let token =
            answer
                .unwrap_or_else(|_| Err(silent()))
                .map_err(|error| InboxError::NoToken {
                    at: at.to_owned(),
                    error,
                })?;
        Ok(Proof::Bearer(token, Arc::clone(source)))
    }
}

fn silent() -> BearerError {
    BearerError {
        kind: "token_timeout",
        class: Class::Network,
        problem: "no access token came in time".to_owned(),
        hint: "check the network between here and the provider of the tokens".to_owned(),
    }
}
