//! The inbox, against scripted servers and a real Dovecot.

mod changes;
mod dovecot;
mod login;
mod proxies;
#[cfg(feature = "testing")]
mod scripted;
mod transport;
