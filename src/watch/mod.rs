//! The loop: open a folder, catch up, process each mail, wait; for ever, or until something came.
//!
//! Knows the order of the edges, retry and shutdown. Never knows arguments, terminals or TOML. Its
//! folders, stores and policy come from the configuration, or from a library user.
//!
//! ```text
//! Session -> UIDs past the cursor -> head -> (wanted?) -> body -> Pipeline -> Verdict -> cursor
//!    ^                                                    DNS, heart, store, ledger       |
//!    └────────────── back-off ◄── a cut, a refusal, a silence        wait (IDLE) ◄────────┘
//! ```

pub mod backoff;
#[cfg(feature = "oauth")]
mod bearer;
mod connection;
mod folder;
mod pipeline;
mod publish;
mod service;
mod stores;
mod verdict;
mod wait;

pub use folder::{FolderTask, Start};
pub use pipeline::{Clock, Letter, Pipeline};
pub use service::{Shutdown, Stopped, catch_up, watch};
pub use stores::Stores;
pub use verdict::{Trouble, Verdict};
pub use wait::{Armed, Order, WaitError, arm};
