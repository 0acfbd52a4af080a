//! What happened, and what is newest: one SQLite file, shared by every process of this user.
//!
//! Knows cursors, claims, decisions, receipts, contacts, announced resets, log-ins and errands. Never sees a token (its calls take fingerprints)
//! and never reads a clock (times are arguments). What it is told comes from the loop that watches.
//!
//! ```text
//! lock(slot) -> intend(mail) -> [store: put, read back] -> commit(receipt) -> unlock
//!               └ older, or known: stop
//! ```
//!
//! `intend` comes before the write: once a newer genuine mail was seen, an older one never wins,
//! even if the write then fails, because Salesforce has voided the older token.

mod claims;
mod cursors;
mod decisions;
mod errands;
mod error;
mod lock;
mod logins;
mod open;
pub mod order;
mod slots;
mod troubles;
mod windows;

pub use decisions::{Decision, Source};
pub use errands::{Errand, Plan, Reached, StepResult};
pub use error::{LedgerError, LedgerErrorKind};
pub use lock::SlotLock;
pub use logins::{Login, LoginState, Tried};
pub use open::Ledger;
pub use order::{Admit, Candidate, Newest, State};
pub use troubles::{Since, SlotTrouble};
