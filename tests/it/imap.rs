//! The inbox, against scripted servers and a real Dovecot.

mod changes;
mod dovecot;
#[cfg(feature = "testing")]
mod scripted;
