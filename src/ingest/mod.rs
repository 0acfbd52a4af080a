//! The heart: bytes of a mail in, an outcome out.

pub mod event;
pub mod order;
pub mod policy;
pub mod refusal;
pub mod token;
