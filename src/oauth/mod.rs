//! Access tokens for a mailbox, by OAuth 2.0.
//!
//! Knows the token endpoint, and the two ways in which a person allows the access for the first time. Never
//! knows what a token is for, nor where secrets stand: their places are arguments. Its data comes from a
//! provider that may be anyone's.
//!
//! ```text
//! place of a refresh token ─► TokenSource ─► access token        Client: form ─► Http ─► answer | OauthError
//!          ▲                      │
//!          └── a rotated one ◄────┘          device (RFC 8628), browser (RFC 8252) ─► first refresh token
//! ```

mod answer;
mod browser;
mod client;
mod device;
mod error;
mod http;
mod provider;
mod source;

use std::fmt;

use crate::ingest::secret::Secret;

pub use answer::Tokens;
pub use browser::Browser;
pub use client::Client;
pub use device::DeviceCode;
pub use error::{OauthError, Retry};
pub use http::Http;
pub use provider::{Brand, Provider};
pub use source::{Clock, Grant, TokenSource};

/// Where a secret stands. Read anew each time: it may have been changed meanwhile, by a person or by
/// another sftoken. May block; called off the async threads.
pub trait Place: fmt::Debug + Send + Sync {
    /// Reads it.
    ///
    /// # Errors
    /// When it is not there, or cannot be read now.
    fn load(&self) -> Result<Secret, PlaceError>;

    /// Puts another one in its place, whole or not at all.
    ///
    /// # Errors
    /// [`PlaceError::ReadOnly`] when such a place is never written; otherwise when it cannot be now.
    fn save(&self, secret: &Secret) -> Result<(), PlaceError>;

    /// Keeps others, in this process or another, from doing so until what it gives is dropped: it is held
    /// from before the reading until the next one is saved. Of two who use one refresh token at once, one
    /// may lose what the other was given, and a provider may take them for thieves and revoke all. A place
    /// that nobody else can reach has nothing to do.
    ///
    /// # Errors
    /// When another one holds it for too long.
    fn lock(&self) -> Result<Box<dyn fmt::Debug>, PlaceError> {
        Ok(Box::new(()))
    }
}

/// Why a place gives or takes no secret: a clause and a remedy, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Nothing can be written there.
    #[error("{place} can only be read")]
    ReadOnly {
        /// The reference.
        place: String,
    },
    /// It failed.
    #[error("{problem}")]
    Failed {
        /// What happened.
        problem: String,
        /// What to do about it.
        hint: String,
    },
}

impl PlaceError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::ReadOnly { .. } => "use keyring:SERVICE/USER or file:PATH for a refresh token",
            Self::Failed { hint, .. } => hint,
        }
    }
}

#[cfg(test)]
mod tests;
