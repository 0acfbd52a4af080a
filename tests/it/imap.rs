//! The inbox, against scripted servers and a real Dovecot.

mod dovecot;
mod login;
#[cfg(feature = "testing")]
mod scripted;
