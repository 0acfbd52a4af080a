//! A source of access tokens, as the credential of a mailbox.
//!
//! Knows how an OAuth error is to be treated by whoever connects. Never asks by itself: a session does, before
//! it connects. Its source comes from the configuration, or from a library user.

use crate::inbox::{BearerError, BearerFuture, BearerSource, Class, Credential};
use crate::ingest::secret::Secret;
use crate::oauth::{OauthError, Retry, TokenSource};

impl From<TokenSource> for Credential {
    fn from(source: TokenSource) -> Self {
        Self::Bearer(std::sync::Arc::new(source))
    }
}

impl BearerSource for TokenSource {
    fn bearer(&self) -> BearerFuture<'_> {
        Box::pin(async { self.token().await.map_err(BearerError::from) })
    }

    fn refused(&self, token: &Secret) {
        Self::refused(self, token);
    }
}

impl From<OauthError> for BearerError {
    fn from(error: OauthError) -> Self {
        Self {
            kind: error.kind,
            class: match error.retry {
                Retry::Soon => Class::Network,
                Retry::Slowly => Class::Throttled,
                Retry::Credential => Class::Auth,
                Retry::Never => Class::Policy,
            },
            problem: error.problem,
            hint: error.hint,
        }
    }
}
