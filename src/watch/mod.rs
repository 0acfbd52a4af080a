//! The loop: open a mailbox, catch up, process each mail, wait; for ever, or until something came.
//!
//! Knows the order of the edges, retry and shutdown. Never knows arguments, terminals or TOML. Its
//! mailboxes, stores and policy come from the configuration, or from a library user.
//!
//! ```text
//! connection ─► live ─► folder, look: UIDs past the cursor ─► head ─► (wanted?) ─► body ─► Pipeline ─► Verdict ─► cursor
//!    ^           │                                            (claim)     DNS, heart, store, ledger    (handle)     |
//!    │           └──────────────────────────── wait (IDLE, probes) ◄────────────────────────────────────────────────┘
//!    └── pauses, limiter ◄── a cut, a refusal, a silence, a jump of the clock
//! ```

mod ages;
pub mod backoff;
#[cfg(feature = "oauth")]
mod bearer;
mod chance;
mod claim;
mod connection;
mod deliver;
mod errands;
mod folder;
mod follow;
mod handle;
mod jump;
mod limiter;
mod live;
mod look;
mod mailbox;
mod pauses;
mod pipeline;
mod publish;
mod pulse;
mod put_off;
mod renew;
mod service;
mod serving;
mod settle;
mod stores;
mod task;
mod trials;
mod turnstile;
mod verdict;
mod verifier;
mod wait;

pub use ages::{Limit, age_state};
pub use chance::Chance;
pub use errands::Errands;
pub use follow::{Follow, NoFollow, Ran, Told};
pub use pipeline::{Clock, Letter, Pipeline};
pub use service::{Shutdown, Stopped, catch_up, watch};
pub use stores::Stores;
pub use task::{FolderChoice, Handled, MailboxTask, Start};
pub use verdict::{TriedLogIn, Trouble, Verdict};
pub use verifier::{
    Attempt, Failing, NoVerifier, OTHER_ORGANIZATION, Verifier, Verify, attempt_again,
};
pub use wait::{Armed, Order, WaitError, arm};
