//! UIDs
