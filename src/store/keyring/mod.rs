//! The platform's keyring: Secret Service on Linux and the BSDs, Keychain on macOS, Credential
//! Manager on Windows.
//!
//! Knows the slot (service, username), which `secret-tool`, Python's `keyring` and others read
//! directly: the secret is the bare token. Never waits without a deadline, and never asks to be
//! unlocked when nobody is there. The daemon is reached through `keyring-core`.
//!
//! Each operation runs on a thread of its own (facts: a locked keyring with an unanswered dialog
//! hangs for ever, and a zbus anywhere in the program would panic inside a runtime). The session is
//! kept for the next operation, because one connection per operation costs the user a dialog each
//! time with KeePassXC; it is opened again when the daemon has forgotten it. Operations of one store take turns.

#[cfg(any(target_os = "macos", windows))]
#[path = "native.rs"]
mod platform;
#[cfg(all(unix, not(target_os = "macos")))]
#[path = "secret_service.rs"]
mod platform;
mod slot;
mod trouble;
mod turns;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use platform::Session;
use trouble::Trouble;
use turns::Turns;

use super::address::{Address, escape};
use super::{Capabilities, Key, Meta, Put, Store, StoreError, StoreOptions};
use crate::ingest::secret::Secret;
use crate::ingest::token::Token;

/// Nobody sits in front of the screen. A healthy daemon answers in 50 ms (facts, 1.2).
const UNATTENDED: Duration = Duration::from_secs(5);
/// Someone may have to find and type a password.
const ATTENDED: Duration = Duration::from_secs(30);

/// A password that the user keeps in the keyring, under `service` and `user`; `None` when there is
/// no such entry.
///
/// # Errors
/// When the keyring is missing, locked or silent.
pub fn password(
    service: &str,
    user: &str,
    options: &StoreOptions,
) -> Result<Option<Secret>, StoreError> {
    let (service_name, user) = (service.to_owned(), user.to_owned());
    Keyring::named(service, options)
        .run(move |session| slot::read_password(session, &service_name, &user))
}

/// Puts a secret that is no token into the keyring, under `service` and `user`, and reads it back.
///
/// # Errors
/// When the keyring is missing, locked or silent, or gives back something else.
pub fn set_password(
    service: &str,
    user: &str,
    secret: &Secret,
    options: &StoreOptions,
) -> Result<(), StoreError> {
    let (service_name, user, secret) = (service.to_owned(), user.to_owned(), secret.clone());
    Keyring::named(service, options)
        .run(move |session| slot::write_password(session, &service_name, &user, &secret))
}

/// The keyring of this user on this machine.
#[derive(Debug)]
pub(super) struct Keyring {
    shown: String,
    service: String,
    deadline: Duration,
    access: Access,
    turns: Turns,
}

/// What an operation's thread shares with the store.
#[derive(Clone, Debug)]
struct Access {
    interactive: bool,
    /// How long a dialog may stand, in seconds; afterwards it is taken away. Shorter than the
    /// deadline, so that the answer is "nobody unlocked it" and not "no answer".
    patience: u64,
    idle: Arc<Mutex<Option<Session>>>,
}

impl Keyring {
    /// `keyring://SERVICE`; without a service, `sftoken`. Asks nothing of the keyring yet.
    pub(super) fn open(address: Address, options: &StoreOptions) -> Result<Self, StoreError> {
        address.finish("none")?;
        let service = match address.place.trim_end_matches('/') {
            "" => "sftoken",
            path if path.contains('/') => {
                return Err(address.wrong(
                    "a keyring has a service and no path",
                    "write keyring://SERVICE; the username is added for each account",
                ));
            }
            service => service,
        };
        Ok(Self::named(service, options))
    }

    fn named(service: &str, options: &StoreOptions) -> Self {
        let usual = if options.interactive {
            ATTENDED
        } else {
            UNATTENDED
        };
        let deadline = options.deadline.unwrap_or(usual);
        Self {
            shown: format!("keyring://{}", escape(service)),
            service: service.to_owned(),
            deadline,
            access: Access {
                interactive: options.interactive,
                patience: deadline.as_secs().saturating_sub(1).max(1),
                idle: Arc::default(),
            },
            turns: Turns::default(),
        }
    }

    /// Does `work` when it is its turn, on a thread of its own, within the deadline.
    fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&Session) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let silent = || Trouble::NoAnswer(self.deadline).told(&self.shown);
        let turn = self.turns.wait(self.deadline).ok_or_else(silent)?;
        let (done, answer) = mpsc::sync_channel(1);
        let given_up = Arc::new(AtomicBool::new(false));
        let (access, seen) = (self.access.clone(), Arc::clone(&given_up));
        let spawned = thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || done.send(access.attempt(&seen, &work)));
        if let Err(error) = spawned {
            return Err(Trouble::Other(error.to_string()).told(&self.shown));
        }
        let outcome = match answer.recv_timeout(self.deadline) {
            // NOTE: a daemon that says nothing is not waited for by all, one after the other.
            Ok(Err(Trouble::Silent)) => Err(Trouble::Silent),
            Ok(outcome) => {
                turn.ended();
                outcome
            }
            Err(why) => {
                given_up.store(true, Ordering::SeqCst);
                Err(match why {
                    RecvTimeoutError::Timeout => Trouble::NoAnswer(self.deadline),
                    RecvTimeoutError::Disconnected => Trouble::Crashed,
                })
            }
        };
        outcome.map_err(|trouble| trouble.told(&self.shown))
    }
}

impl Access {
    /// Once with the kept session, and once more with a new one when the daemon has forgotten it.
    fn attempt<T>(
        &self,
        given_up: &AtomicBool,
        work: &impl Fn(&Session) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let kept = self.idle().take();
        if let Some(session) = kept {
            match self.on(session, given_up, work) {
                Err(trouble) if trouble.wants_new_session() => {
                    tracing::debug!(%trouble, "the keyring's session is gone: opening a new one");
                }
                outcome => return outcome,
            }
        }
        self.on(Session::open(self.patience)?, given_up, work)
    }

    fn on<T>(
        &self,
        session: Session,
        given_up: &AtomicBool,
        work: &impl Fn(&Session) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        session.ready(self.interactive)?;
        // NOTE: a dialog may be answered long after our caller was told "no answer". A write then
        // could put an older token over a newer one.
        if given_up.load(Ordering::SeqCst) {
            return Err(Trouble::Crashed);
        }
        let outcome = work(&session);
        if !matches!(&outcome, Err(trouble) if trouble.wants_new_session()) {
            *self.idle() = Some(session);
        }
        outcome
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Option<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Keyring {
    /// The same for both kinds of org: a keyring's slot has no place for the kind.
    fn slot(&self, key: &Key) -> String {
        format!("{}/{}", self.shown, escape(&key.username))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            conditional: false,
            readable: true,
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        self.run(|_| Ok(()))
    }

    fn publish(&self, key: &Key, token: &Token, _: &Meta) -> Result<Put, StoreError> {
        let (service, key, token) = (self.service.clone(), key.clone(), token.clone());
        self.run(move |session| slot::write(session, &service, &key.username, &token))?;
        Ok(Put::Written)
    }

    fn get(&self, key: &Key) -> Result<Option<Token>, StoreError> {
        let (service, key) = (self.service.clone(), key.clone());
        self.run(move |session| slot::read(session, &service, &key.username))
    }
}
