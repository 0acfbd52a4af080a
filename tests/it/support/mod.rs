//! Real peers for the tests.

pub(crate) mod dovecot;
