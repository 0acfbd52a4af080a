//! One test crate for everything that crosses a module or needs a real server.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests"
)]

mod after;
mod aftermath;
mod arming;
mod authorize;
mod cli;
mod corpus;
mod cross_check;
mod dns;
mod docs;
mod explain;
mod fuzz;
mod get_status;
mod imap;
mod layering;
mod ledger;
mod logs;
mod mailbox;
mod misfortune;
mod newest;
mod notify;
mod oauth;
mod properties;
mod reach;
mod reading;
mod replay;
mod replay_cmd;
mod schema;
mod secrecy;
mod slots;
mod stores;
mod support;
mod trail;
mod verified;
mod verify;
mod wait;
mod watch;
