//! An access token in hand.
//!
//! Knows how long it lives, and so when another must be got. Never knows how. Tokens come from its caller.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::StoreError;
#[cfg(any(feature = "gcp", feature = "azure"))]
use crate::http::Response;
use crate::ingest::secret::Secret;

/// A token, and how long it lives.
pub(super) struct Grant {
    pub(super) token: Secret,
    pub(super) lives: Duration,
}

/// A token for one request.
pub(super) struct Granted {
    pub(super) token: Secret,
    /// It was got just now: asking again would give no better one.
    pub(super) is_fresh: bool,
}

/// The token in hand.
#[derive(Debug, Default)]
pub(super) struct Session(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    token: Secret,
    until: Instant,
}

impl Session {
    /// A token that holds, as far as is known: the one in hand, or another.
    pub(super) fn token(
        &self,
        get: impl FnOnce() -> Result<Grant, StoreError>,
    ) -> Result<Granted, StoreError> {
        let mut kept = self.kept();
        let now = Instant::now();
        if let Some(held) = kept.as_ref().filter(|held| now < held.until) {
            let (token, is_fresh) = (held.token.clone(), false);
            return Ok(Granted { token, is_fresh });
        }
        let Grant { token, lives } = get()?;
        // A tenth of its life is left for the request that it is used for.
        let until = now + lives.mul_f32(0.9);
        *kept = Some(Kept {
            token: token.clone(),
            until,
        });
        let is_fresh = true;
        Ok(Granted { token, is_fresh })
    }

    /// Asks with a token. One that was got earlier may have been revoked since (401): another is got, once.
    #[cfg(any(feature = "gcp", feature = "azure"))]
    pub(super) fn ask(
        &self,
        get: impl Fn() -> Result<Grant, StoreError>,
        ask: impl Fn(&Granted) -> Result<Response, StoreError>,
    ) -> Result<Response, StoreError> {
        let granted = self.token(&get)?;
        let answer = ask(&granted)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.forget();
        match granted.is_fresh {
            true => Ok(answer),
            false => ask(&self.token(&get)?),
        }
    }

    /// The token does not hold any more.
    pub(super) fn forget(&self) {
        *self.kept() = None;
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
