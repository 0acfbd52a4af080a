//! Stores against the real programs that others read them with.

mod age;
mod default;
mod exec;
mod keyring;
mod process;

use std::time::Duration;

use jiff::Timestamp;
use sftoken::ingest::policy::Org;
use sftoken::ingest::token::Token;
use sftoken::store::{Key, Meta, StoreOptions};

const USERNAME: &str = "integration@acme.example";
const OLD: &str = "OldTokenOldTokenOldToken";
const NEW: &str = "NewTokenNewTokenNewToken";

fn key(username: &str) -> Key {
    Key {
        username: username.to_owned(),
        org: Org::Production,
    }
}

fn token(value: &str) -> Token {
    Token::new(value).unwrap()
}

fn meta(token: &Token) -> Meta {
    Meta {
        fingerprint: token.fingerprint(),
        date: Timestamp::from_second(1_764_000_000).unwrap(),
        message_id: Some("one@mail.example".to_owned()),
    }
}

fn options(deadline: Duration) -> StoreOptions {
    StoreOptions {
        interactive: false,
        deadline: Some(deadline),
        ..StoreOptions::default()
    }
}
