//! Real implementations of the edges' traits, for other people's tests.

pub mod store;
