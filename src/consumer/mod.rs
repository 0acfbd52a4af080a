//! What consumers of a token are given, and what they call it.
//!
//! Knows the names under which scripts, libraries and connectors look for a log-in, and the forms in which
//! they read it. Never reads a store or a secret, and never hands anything over: values in, values out. The
//! log-in is given by the caller, the names by the user.
//!
//! ```text
//! Login + Wanted (NAME=FIELD, or a preset) ─► Variable ─► the environment of a command, or a text in some form
//! ```

mod field;
mod form;
mod preset;
mod wanted;

#[cfg(test)]
mod tests;

pub use field::{Field, Login};
pub use form::{Form, Unwritable, github_line, github_mask};
pub use preset::{PRESETS, preset};
pub use wanted::{DEFAULT_NAME, NoPassword, NotAVariable, Variable, Wanted, variables};
