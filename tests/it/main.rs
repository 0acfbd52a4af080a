//! One test crate for everything that crosses a module or needs a real server.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests"
)]

mod cli;
mod corpus;
mod dns;
mod imap;
mod ledger;
mod mail_auth;
mod oracle;
mod properties;
mod replay;
mod schema;
mod stores;
mod support;
mod wait;
