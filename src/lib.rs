//! sftoken waits for the mail that Salesforce sends after a security-token reset, proves that it is
//! genuine, takes the token out and writes it to a secret store.

pub mod ingest;
#[cfg(feature = "ledger")]
pub mod ledger;
#[cfg(any(
    feature = "keyring",
    feature = "age",
    feature = "exec",
    feature = "watch",
    feature = "testing"
))]
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
