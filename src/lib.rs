//! sftoken waits for the mail that Salesforce sends after a security-token reset, proves that it is
//! genuine, takes the token out and writes it to a secret store.

#[cfg(feature = "dns")]
pub mod dns;
pub mod ingest;
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
