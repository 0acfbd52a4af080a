//! One publish: what it has written, and what it must see again.
//!
//! Knows that Google shows a change late: only a version that is read by its number is always the one that was added
//! (Secret Manager's documentation of consistency). So what is known to be past is not believed. Never takes a version of
//! somebody else's for its own.

use std::cell::RefCell;

use super::Gcp;
use super::secret::{Access, Secret};
use crate::ingest::token::Token;
use crate::store::conditional::{self, Conditional, Held, Note, Write};
use crate::store::{Key, StoreError, StoreErrorKind as Kind};

/// The most times that something is looked at again, with pauses that grow to a third of a second.
const TRIES: u32 = 16;

pub(super) struct Attempt<'g> {
    store: &'g Gcp,
    name: String,
    /// The versions that it has added.
    added: RefCell<Vec<(u64, Token)>>,
    /// Etags that its own writes have ended.
    past: RefCell<Vec<String>>,
}

impl<'g> Attempt<'g> {
    pub(super) fn new(store: &'g Gcp, name: String) -> Self {
        Self {
            store,
            name,
            added: RefCell::default(),
            past: RefCell::default(),
        }
    }

    /// The secret, as it is after all that this attempt has written.
    fn secret(&self) -> Result<Option<Secret>, StoreError> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                conditional::jitter(attempt);
            }
            let secret = self.store.secret(&self.name)?;
            let past = self.past.borrow();
            let is_past = match &secret {
                Some(secret) => past.contains(&secret.etag),
                None => !past.is_empty(),
            };
            if !is_past {
                return Ok(secret);
            }
        }
        Err(self.store.fail(
            Kind::Unreachable,
            "Secret Manager does not show yet what was written".to_owned(),
            "nothing to do: it will be tried again",
        ))
    }

    /// The number of a version that holds the token and that `latest` means, if nobody comes between. One that a run that was
    /// cut off has left is used, and so is one of ours that `latest` does not mean yet.
    fn version(&self, token: &Token) -> Result<u64, StoreError> {
        let latest = self.store.access(&self.name, "latest")?;
        let (top, held) = match &latest {
            Access::Is(number, held) => (*number, held.as_ref()),
            Access::None | Access::Shut => (0, None),
        };
        if held == Some(token) {
            return Ok(top);
        }
        let ours = self.last_added();
        if let Some((number, _)) = ours.filter(|(number, held)| *number > top && held == token) {
            return Ok(number);
        }
        let number = self.store.add(&self.name, token)?;
        self.added.borrow_mut().push((number, token.clone()));
        Ok(number)
    }

    fn last_added(&self) -> Option<(u64, Token)> {
        self.added.borrow().last().cloned()
    }

    fn point(
        &self,
        secret: &Secret,
        number: u64,
        note: Option<&Note>,
    ) -> Result<Write, StoreError> {
        let write = self.store.point(&self.name, secret, number, note)?;
        if write == Write::Done {
            self.past.borrow_mut().push(secret.etag.clone());
        }
        Ok(write)
    }

    /// This mail's token is older than what the alias names. Where `latest` means a version of ours all the same, the
    /// newest is added again. NOTE: a version of somebody else's is left alone: it is on its way to the alias, or a
    /// person's, and may be newer than any mail.
    pub(super) fn cover(&self, mine: &Token) -> Result<(), StoreError> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                conditional::jitter(attempt);
            }
            let Some(secret) = self.secret()? else {
                return Ok(());
            };
            let Some(current) = secret.number(&self.store.alias) else {
                return Ok(());
            };
            let Some((number, top)) = self.ours_on_top(mine)?.filter(|(top, _)| *top > current)
            else {
                return Ok(());
            };
            let newest = self.store.access(&self.name, &current.to_string())?;
            let Access::Is(_, Some(newest)) = newest else {
                return Ok(());
            };
            let number = match top == newest {
                true => number,
                false => self.version(&newest)?,
            };
            tracing::info!(
                store = self.store.shown,
                "the newest token is made the latest version again"
            );
            self.point(&secret, number, None)?;
        }
        Err(self.store.fail(
            Kind::Unreachable,
            format!("{TRIES} times another writer came first"),
            "it will be tried again; see who writes to this secret so often",
        ))
    }

    /// The version that `latest` means, or will, if it is of ours.
    fn ours_on_top(&self, mine: &Token) -> Result<Option<(u64, Token)>, StoreError> {
        let added = self.last_added();
        let (number, top) = match self.store.access(&self.name, "latest")? {
            Access::Is(number, Some(top)) => (number, top),
            // Disabled, destroyed or no token: nobody takes it for one.
            _ => return Ok(None),
        };
        if let Some(added) = added.filter(|(ours, _)| *ours >= number) {
            return Ok(Some(added));
        }
        let ours = top == *mine || self.added.borrow().iter().any(|(ours, _)| *ours == number);
        Ok(ours.then_some((number, top)))
    }
}

impl Conditional for Attempt<'_> {
    /// `None`: there is no secret.
    type Revision = Option<Secret>;

    fn shown(&self) -> &str {
        &self.store.shown
    }

    fn read(&self, _: &Key) -> Result<Held<Option<Secret>>, StoreError> {
        let store = self.store;
        let Some(secret) = self.secret()? else {
            return Ok(Held {
                token: None,
                note: None,
                revision: None,
            });
        };
        let token = match secret.number(&store.alias) {
            None => None,
            Some(number) => match store.access(&self.name, &number.to_string())? {
                Access::Is(_, token) => token,
                Access::None | Access::Shut => None,
            },
        };
        Ok(Held {
            token,
            note: secret.note().map_err(|()| store.unread_note())?,
            revision: Some(secret),
        })
    }

    fn write_if(
        &self,
        _: &Key,
        token: &Token,
        note: &Note,
        expected: Option<Secret>,
    ) -> Result<Write, StoreError> {
        let secret = match expected {
            Some(secret) => secret,
            None => match self.store.create(&self.name)? {
                Some(secret) => secret,
                None => return Ok(Write::Conflict),
            },
        };
        let number = self.version(token)?;
        self.point(&secret, number, Some(note))
    }
}
