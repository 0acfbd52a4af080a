//! sftoken waits for the mail that Salesforce sends after a security-token reset, proves that it is
//! genuine, takes the token out and writes it to a secret store.

pub mod ingest;

#[cfg(feature = "dns")]
pub mod dns;
pub mod files;
#[cfg(feature = "imap")]
pub mod inbox;
#[cfg(feature = "ledger")]
pub mod ledger;
#[cfg(feature = "config")]
pub mod secret;
#[cfg(any(
    feature = "keyring",
    feature = "age",
    feature = "exec",
    feature = "watch",
    feature = "testing"
))]
pub mod store;

#[cfg(feature = "watch")]
pub mod watch;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "config")]
pub mod config;
#[cfg(feature = "testing")]
pub mod testing;

pub use ingest::keys::{KeyAnswer, KeyAnswers};
pub use ingest::mail::{Mail, as_sent};
pub use ingest::policy::{Account, Org, Policy};
pub use ingest::recipe::Recipe;
pub use ingest::token::Token;
pub use ingest::{Found, Outcome, examine, questions};
