//! Who may log in.
//!
//! Knows users, their tokens, and how many wrong log-ins each has had. Never knows how a log-in travels. Changed by the test,
//! and by log-ins.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};

use super::Fault;

/// What Salesforce's password policies begin with.
const USUAL_LOCK: u32 = 10;
/// As Salesforce's tokens: 25 letters and digits.
const TOKEN_LENGTH: usize = 25;
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

#[derive(Clone)]
pub(super) struct User {
    pub(super) password: String,
    pub(super) token: String,
    /// By an id of 18 letters and digits.
    pub(super) id: String,
    pub(super) locked: bool,
    wrong: u32,
}

pub(super) struct World {
    pub(super) users: BTreeMap<String, User>,
    pub(super) clients: BTreeMap<String, String>,
    /// Whose they are.
    pub(super) sessions: BTreeMap<String, String>,
    /// How often each name was tried.
    pub(super) attempts: BTreeMap<String, usize>,
    /// How many log-ins fail so; `None`: all.
    pub(super) faults: Vec<(Option<usize>, Fault)>,
    pub(super) lock_after: Option<u32>,
    pub(super) trusted: bool,
    pub(super) organization: String,
    pub(super) instance: Option<String>,
    made: u64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            users: BTreeMap::new(),
            clients: BTreeMap::new(),
            sessions: BTreeMap::new(),
            attempts: BTreeMap::new(),
            faults: Vec::new(),
            lock_after: Some(USUAL_LOCK),
            trusted: false,
            organization: "00D5e000001Xy7QEAS".to_owned(),
            instance: None,
            made: 0,
        }
    }
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// Wrong, unknown or locked: nobody is told which.
    Wrong,
    /// The password alone, from an address that is not trusted.
    NoToken,
}

impl World {
    pub(super) fn add_user(&mut self, username: &str, password: &str) -> String {
        let token = self.new_token(username);
        let number = self.users.len() + 1;
        let user = self.users.entry(username.to_owned()).or_insert(User {
            password: String::new(),
            token: String::new(),
            id: format!("0055e{number:010}AAA"),
            locked: false,
            wrong: 0,
        });
        (user.password, user.token) = (password.to_owned(), token.clone());
        token
    }

    pub(super) fn reset(&mut self, username: &str) -> Option<String> {
        let token = self.new_token(username);
        self.users.get_mut(username)?.token = token.clone();
        Some(token)
    }

    pub(super) fn unlock(&mut self, username: &str) {
        if let Some(user) = self.users.get_mut(username) {
            (user.locked, user.wrong) = (false, 0);
        }
    }

    /// The fault that this log-in meets, if one does. Counts it.
    pub(super) fn fault(&mut self, username: &str) -> Option<Fault> {
        *self.attempts.entry(username.to_owned()).or_default() += 1;
        let (left, fault) = self.faults.first_mut()?;
        let fault = fault.clone();
        if let Some(left) = left {
            *left = left.saturating_sub(1);
            self.faults.retain(|(left, _)| *left != Some(0));
        }
        Some(fault)
    }

    /// Judges a password with the token behind it.
    pub(super) fn judge(&mut self, username: &str, login: &str) -> Result<User, Denied> {
        let (trusted, lock_after) = (self.trusted, self.lock_after);
        let user = self.users.get_mut(username).ok_or(Denied::Wrong)?;
        if user.locked {
            return Err(Denied::Wrong);
        }
        let alone = login == user.password;
        if login.strip_prefix(user.password.as_str()) == Some(&user.token) || trusted && alone {
            user.wrong = 0;
            return Ok(user.clone());
        }
        user.wrong += 1;
        user.locked = lock_after.is_some_and(|most| user.wrong >= most);
        Err(if alone {
            Denied::NoToken
        } else {
            Denied::Wrong
        })
    }

    pub(super) fn new_session(&mut self, username: &str) -> String {
        let letters = self.unlike("session", username);
        let session = format!("{}!{letters}", self.organization);
        self.sessions.insert(session.clone(), username.to_owned());
        session
    }

    fn new_token(&mut self, username: &str) -> String {
        self.unlike("token", username)
    }

    /// Letters and digits that no other call gives, and the next run of the same test does.
    fn unlike(&mut self, what: &str, username: &str) -> String {
        self.made += 1;
        let number = self.made;
        let hash = digest(&SHA256, format!("{what} {number} of {username}").as_bytes());
        let letters = hash.as_ref().iter().take(TOKEN_LENGTH);
        letters
            .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
            .collect()
    }
}
