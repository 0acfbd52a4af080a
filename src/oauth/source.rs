//! One mailbox's access tokens.
//!
//! Knows when the token in hand is near its end, and asks for the next one once, however many want it. Never
//! asks more often, and never loses a rotated refresh token: it is saved before anything else can fail. Its
//! data comes from a [`Client`], and its time from a clock. Of several programs, one asks at a time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Client, OauthError, Place, PlaceError, Retry, Tokens};
use crate::ingest::secret::Secret;

/// A clock; the wall's, because tokens go on ageing while a machine sleeps.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A token is renewed so long before its end: a session that begins with it should live for a while.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// What gives a right to tokens.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A user has allowed it: the refresh token's place.
    Refresh(Arc<dyn Place>),
    /// The app has the right itself.
    ClientCredentials,
}

/// A source of access tokens. Clones share everything.
#[derive(Clone)]
pub struct TokenSource(Arc<Inside>);

struct Inside {
    client: Client,
    grant: Grant,
    clock: Clock,
    kept: Mutex<Option<Kept>>,
    /// Held while the provider is asked: by a blocking thread, so that a caller who goes away does not let
    /// another one ask with a refresh token that is just being replaced.
    flight: Mutex<Rotated>,
}

#[derive(Clone)]
struct Kept {
    token: Secret,
    renew_at: Timestamp,
    ends_at: Timestamp,
}

/// A refresh token that could not be saved in the place of the old one.
#[derive(Default)]
struct Rotated {
    unsaved: Option<Unsaved>,
    warned: bool,
}

struct Unsaved {
    /// What stands in the place.
    instead_of: Secret,
    token: Secret,
}

impl TokenSource {
    /// A source that has asked nothing yet.
    #[must_use]
    pub fn new(client: Client, grant: Grant, clock: Clock) -> Self {
        Self(Arc::new(Inside {
            client,
            grant,
            clock,
            kept: Mutex::default(),
            flight: Mutex::default(),
        }))
    }

    /// The token in hand, or a new one when that is near its end.
    ///
    /// # Errors
    /// When a new one is needed and the provider cannot be asked, or refuses.
    pub async fn token(&self) -> Result<Secret, OauthError> {
        if let Some(token) = self.0.in_hand() {
            return Ok(token);
        }
        let inside = Arc::clone(&self.0);
        let asking = tokio::task::spawn_blocking(move || inside.renew());
        asking.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// The token was refused: it is not given again. A newer one stays.
    pub fn refused(&self, token: &Secret) {
        let mut kept = locked(&self.0.kept);
        if kept.as_ref().is_some_and(|kept| kept.token == *token) {
            *kept = None;
        }
    }
}

/// The program is ending.
fn stopped() -> OauthError {
    let problem = "the request for a token was called off";
    OauthError::new("oauth_unreachable", Retry::Soon, problem, "try again")
}

impl Inside {
    fn in_hand(&self) -> Option<Secret> {
        let now = (self.clock)();
        let kept = locked(&self.kept);
        let fresh = kept.as_ref().filter(|kept| now < kept.renew_at);
        fresh.map(|kept| kept.token.clone())
    }

    fn renew(&self) -> Result<Secret, OauthError> {
        let mut rotated = locked(&self.flight);
        // someone else may have asked meanwhile
        if let Some(token) = self.in_hand() {
            return Ok(token);
        }
        let answer = match &self.grant {
            Grant::ClientCredentials => self.client.for_itself(),
            Grant::Refresh(place) => self.refresh(place.as_ref(), &mut rotated),
        };
        let tokens = match answer {
            Ok(tokens) => tokens,
            Err(error) => return self.not_ended_yet(&error).ok_or(error),
        };
        tracing::debug!(lives = ?tokens.lives, "a new access token");
        let now = (self.clock)();
        let after = |time: Duration| {
            let time = SignedDuration::try_from(time).ok();
            time.and_then(|time| now.checked_add(time).ok())
                .unwrap_or(now)
        };
        let margin = MARGIN.min(tokens.lives / 2);
        *locked(&self.kept) = Some(Kept {
            token: tokens.access.clone(),
            renew_at: after(tokens.lives.saturating_sub(margin)),
            ends_at: after(tokens.lives),
        });
        Ok(tokens.access)
    }

    /// The token in hand, when a trouble that may pass came in the last minutes of its life.
    fn not_ended_yet(&self, error: &OauthError) -> Option<Secret> {
        if !matches!(error.retry, Retry::Soon | Retry::Slowly) {
            return None;
        }
        let now = (self.clock)();
        let kept = locked(&self.kept).clone()?;
        (now < kept.ends_at).then(|| {
            tracing::warn!(
                hint = error.hint,
                "the access token is used to its end: {error}"
            );
            kept.token
        })
    }

    /// Asks with the refresh token as it stands now. When that is refused and another stands there by
    /// then (another sftoken has rotated it, a person has authorized anew), with the other.
    fn refresh(&self, place: &dyn Place, rotated: &mut Rotated) -> Result<Tokens, OauthError> {
        let _alone = place.lock()?;
        // another one may have replaced it while this one waited
        let stands = place.load()?;
        let first = rotated.latest(&stands);
        let (used, tokens) = match self.client.refresh(&first) {
            Err(error) if error.is_of_the_grant() => {
                let now = place.load()?;
                if now == first || now == stands {
                    return Err(error);
                }
                let tokens = self.client.refresh(&now)?;
                (now, tokens)
            }
            answer => (first, answer?),
        };
        match &tokens.refresh {
            Some(new) if *new != used => rotated.keep(place, new, used),
            _ => {}
        }
        Ok(tokens)
    }
}

impl Rotated {
    /// The token that could not be saved, as long as its predecessor stands in the place.
    fn latest(&mut self, stands: &Secret) -> Secret {
        self.unsaved = self.unsaved.take().filter(|it| it.instead_of == *stands);
        let unsaved = self.unsaved.as_ref().map(|it| it.token.clone());
        unsaved.unwrap_or_else(|| stands.clone())
    }

    /// Saves a new refresh token; one that cannot be saved is kept as long as the program runs.
    fn keep(&mut self, place: &dyn Place, new: &Secret, used: Secret) {
        let instead_of = self.unsaved.take().map_or(used, |it| it.instead_of);
        let Err(error) = place.save(new) else {
            tracing::debug!("a new refresh token was saved");
            return;
        };
        let hint = error.hint().to_owned();
        match &error {
            // most providers let the old one live on; said once
            PlaceError::ReadOnly { .. } if self.warned => {}
            PlaceError::ReadOnly { .. } => tracing::warn!(
                hint,
                "the provider replaces refresh tokens, and {error}: after a restart, the old one may not work any more"
            ),
            PlaceError::Failed { .. } => tracing::error!(
                hint,
                "a new refresh token cannot be saved, and the old one may not work after a restart: {error}"
            ),
        }
        self.warned = true;
        self.unsaved = Some(Unsaved {
            instead_of,
            token: new.clone(),
        });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("provider", self.0.client.provider())
            .field("grant", &self.0.grant)
            .finish_non_exhaustive()
    }
}
