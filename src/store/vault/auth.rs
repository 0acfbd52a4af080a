//! Who we are to Vault.
//!
//! Knows tokens that are given, and log-ins by AppRole, Kubernetes and JWT, which are repeated before what they
//! brought expires. Never keeps a secret that stands elsewhere: it is read for each use. Its data comes from the URL.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::Vault;
use crate::ingest::secret::Secret;
use crate::store::remote::{Place, mounted};
use crate::store::{StoreError, StoreErrorKind as Kind};

/// A way to prove who we are.
#[derive(Debug)]
pub(super) struct Auth {
    way: Way,
    session: Mutex<Option<Session>>,
}

#[derive(Debug)]
pub(super) enum Way {
    /// A token that someone else renews.
    Token(Place),
    /// A log-in at `auth/MOUNT/login`.
    Login { mount: String, with: Proof },
}

#[derive(Debug)]
pub(super) enum Proof {
    AppRole { role_id: String, secret_id: Place },
    Jwt { role: Option<String>, jwt: Jwt },
}

#[derive(Debug)]
pub(super) enum Jwt {
    At(Place),
    /// A service account's, in a pod.
    Mounted(PathBuf),
}

#[derive(Debug)]
struct Session {
    token: Secret,
    /// `None`: for ever.
    until: Option<Instant>,
}

/// A token for one request.
pub(super) struct Granted {
    pub(super) secret: Secret,
    /// It was got or read just now: asking again would give no other.
    pub(super) is_fresh: bool,
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Option<Grant>,
}

#[derive(Deserialize)]
struct Grant {
    client_token: String,
    lease_duration: u64,
}

impl Auth {
    pub(super) fn new(way: Way) -> Self {
        Self {
            way,
            session: Mutex::new(None),
        }
    }

    /// A token that holds, as far as is known.
    pub(super) fn token(&self, vault: &Vault) -> Result<Granted, StoreError> {
        let (mount, proof) = match &self.way {
            Way::Token(place) => {
                let (secret, is_fresh) = place.recent(&vault.shown)?;
                return Ok(Granted { secret, is_fresh });
            }
            Way::Login { mount, with } => (mount, with),
        };
        let mut session = self.session();
        let now = Instant::now();
        if let Some(held) = session
            .as_ref()
            .filter(|held| held.until.is_none_or(|end| now < end))
        {
            return Ok(Granted {
                secret: held.token.clone(),
                is_fresh: false,
            });
        }
        let fresh = log_in(vault, mount, proof, now)?;
        let secret = fresh.token.clone();
        *session = Some(fresh);
        Ok(Granted {
            secret,
            is_fresh: true,
        })
    }

    /// The token does not hold any more.
    pub(super) fn forget(&self) {
        match &self.way {
            Way::Token(place) => place.forget(),
            Way::Login { .. } => *self.session() = None,
        }
    }

    fn session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proof {
    fn body(&self, shown: &str) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let body = match self {
            Self::AppRole { role_id, secret_id } => {
                let secret = secret_id.read(shown)?;
                json!({"role_id": role_id, "secret_id": secret.expose()})
            }
            Self::Jwt { role, jwt } => json!({"role": role, "jwt": jwt.read(shown)?.expose()}),
        };
        Ok(Zeroizing::new(body.to_string().into_bytes()))
    }
}

impl Jwt {
    fn read(&self, shown: &str) -> Result<Secret, StoreError> {
        match self {
            Self::At(place) => place.read(shown),
            Self::Mounted(path) => mounted(path, shown),
        }
    }
}

fn log_in(vault: &Vault, mount: &str, proof: &Proof, now: Instant) -> Result<Session, StoreError> {
    let body = proof.body(&vault.shown)?;
    let path = format!("auth/{}/login", crate::store::address::in_url(mount));
    let answer = vault.ask("POST", &path, Some(&body), None)?;
    if answer.status != 200 {
        return Err(refused(vault, mount, answer.status));
    }
    let told: Option<LoggedIn> = serde_json::from_slice(&answer.body).ok();
    let grant = told.and_then(|told| told.auth);
    let grant = grant.ok_or_else(|| vault.odd("the answer to the log-in holds no token"))?;
    // A tenth of its life is left for the request that it is used for.
    let life = Duration::from_secs(grant.lease_duration).mul_f32(0.9);
    Ok(Session {
        token: Secret::new(grant.client_token),
        until: (grant.lease_duration > 0).then(|| now + life),
    })
}

/// NOTE: without the server's words: some builds repeat claims of a JWT in them.
fn refused(vault: &Vault, mount: &str, status: u16) -> StoreError {
    let (what, hint) = match status {
        // Whether there is such a method is not told to strangers by every server.
        403 | 404 => (
            "there is no such auth method, or it refuses",
            "check auth-mount= and namespace= in the store's URL (`vault auth list`), and the role",
        ),
        _ => (
            "the log-in is refused",
            "check role or role-id, and the secret; a secret-id or a JWT may have expired, or a clock be wrong",
        ),
    };
    vault.fail(
        Kind::Refused,
        format!("auth/{mount}: {what} (HTTP {status})"),
        hint,
    )
}
