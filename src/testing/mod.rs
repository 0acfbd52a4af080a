//! Peers and fakes for tests: this crate's own, and other people's.

pub mod imap;
