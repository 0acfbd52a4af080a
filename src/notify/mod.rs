//! Who is told what became of a token: commands, a webhook, a desktop.
//!
//! Knows how to deliver one event once, and how long to pause before the next try. Never knows the token, keeps
//! nothing, and undoes nothing when it fails. Events come from whoever stored, checked or looked at a token.
//!
//! ```text
//! Event ─► Program (a hook, a consumer's test) ─┐
//!       ─► Webhook                              ├─► done, or a NotifyError ─► Retry: a pause, or the end
//!       ─► desktop                              ┘
//! ```
//!
//! Every call blocks, for a bounded time. Whoever calls keeps the event until it is delivered or given up: then a crash repeats
//! an event, and never loses one. The receiver knows a repetition by the event's id.

#[cfg(feature = "desktop")]
pub mod desktop;
mod error;
mod event;
mod program;
mod retry;
mod webhook;

pub use error::{NotifyError, NotifyErrorKind};
pub use event::{Event, Facts, TrailEntry};
pub use program::{DEADLINE as PROGRAM_DEADLINE, Program};
pub use retry::{LONGEST_PAUSE, Retry};
pub use webhook::{DEADLINE as WEBHOOK_DEADLINE, Webhook};

pub use crate::http::Http;
pub use crate::ingest::event::EventWord;
