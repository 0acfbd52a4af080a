//! sftoken waits for the mail that Salesforce sends after a security-token reset, proves that it is
//! genuine, takes the token out and writes it to a secret store.

pub mod ingest;
#[cfg(any(
    feature = "keyring",
    feature = "age",
    feature = "exec",
    feature = "watch",
    feature = "testing"
))]
pub mod store;

pub use ingest::keys::{KeyAnswer, KeyAnswers};
pub use ingest::mail::{Mail, as_sent};
pub use ingest::policy::{Account, Org, Policy};
pub use ingest::recipe::Recipe;
pub use ingest::token::Token;
pub use ingest::{Found, Outcome, examine, questions};
