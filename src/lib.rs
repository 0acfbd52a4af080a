//! sftoken waits for the mail that Salesforce sends after a security-token reset, proves that it is
//! genuine, takes the token out and writes it to a secret store.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "config")]
pub mod config;
pub mod files;
pub mod ingest;
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
