//! Real servers and hermetic surroundings for tests.

pub(crate) mod secret_service;
