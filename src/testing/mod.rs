//! What other people's tests can use: a store in memory, a fixture builder and signer, a DNS server,
//! a provider of OAuth tokens, Salesforce's log-in, an IMAP server with mailboxes and faults, and a scripted one.
//!
//! Knows how to play the world around sftoken. Never stands in for the heart: what is examined, is
//! examined by the real thing. Everything here is a real implementation, fed by its caller.

pub mod dns;
pub mod fixture;
pub mod imap;
mod languages;
pub mod oauth;
mod rsa;
pub mod salesforce;
pub mod server;
pub mod sign;
pub mod store;
