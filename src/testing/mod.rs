//! What other people's tests need: real implementations of small things, not mocks.
//!
//! Knows how to write token mails, sign them and answer for their keys. Never reads a clock or
//! random numbers: every time, key and identifier is an argument. Its texts are data.

pub mod dns;
pub mod fixture;
mod languages;
mod rsa;
pub mod sign;
