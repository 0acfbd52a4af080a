//! Programs that are run for their effect: bounded in time and words, and ended with all that they started.
//!
//! Knows how a program is started, fed and ended. Never knows why it runs, and lets no credential of ours into its
//! environment. Everything about a run comes from its caller.

#[cfg(any(feature = "exec", feature = "notify"))]
mod call;
#[cfg(any(feature = "exec", feature = "notify"))]
mod environment;
mod group;
#[cfg(any(feature = "exec", feature = "notify"))]
mod words;

#[cfg(any(feature = "exec", feature = "notify"))]
pub(crate) use call::Call;
#[cfg(feature = "notify")]
pub(crate) use call::Ended;
#[cfg(feature = "kubernetes")]
pub(crate) use group::{end, watch};
