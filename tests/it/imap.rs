//! The inbox, against scripted servers and a real Dovecot.

#[cfg(feature = "testing")]
mod cuts;
mod dovecot;
#[cfg(feature = "testing")]
mod scripted;
mod server;
mod server_raw;
