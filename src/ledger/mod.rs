//! What happened, and what is newest: one SQLite file, shared by every process of this user.
//!
//! Knows cursors, claims, decisions, receipts, contacts, announced resets, log-ins, errands and the audit trail. Never sees
//! a token (its calls take fingerprints)
//! and never reads a clock (times are arguments). What it is told comes from the loop that watches.
//!
//! ```text
//! lock(slot) -> intend(mail) -> [store: put, read back] -> commit(receipt) -> unlock
//!               └ older, or known: stop
//! ```
//!
//! `intend` comes before the write: once a newer genuine mail was seen, an older one never wins,
//! even if the write then fails, because Salesforce has voided the older token.
//!
//! The audit trail ([`Record`], [`Ledger::note`], [`Ledger::check_trail`]) tells what happened; nothing is decided by it.

mod claims;
mod cursors;
mod decisions;
mod errands;
mod error;
mod lock;
mod logins;
mod open;
pub mod order;
mod record;
mod slots;
mod trail;
mod trail_broken;
mod trail_check;
mod trail_prune;
mod trail_read;
mod troubles;
mod windows;

pub use decisions::{Decision, Source};
pub use errands::{Errand, Plan, Reached, StepResult};
pub use error::{LedgerError, LedgerErrorKind};
pub use lock::SlotLock;
pub use logins::{Login, LoginState, Tried};
pub use open::Ledger;
pub use order::{Admit, Candidate, Newest, State};
pub use record::{Event, Record};
pub use trail::{NotAnAnchor, TrailHead};
pub use trail_broken::Broken;
pub use trail_check::Checked;
pub use trail_read::{Entry, Filter, Order, Trail};
pub use troubles::{Since, SlotTrouble};
