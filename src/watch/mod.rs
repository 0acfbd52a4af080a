//! The loop.
pub mod backoff;
