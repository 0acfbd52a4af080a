//! The inbox, against scripted servers and a real Dovecot.

#[cfg(feature = "testing")]
mod cuts;
mod dovecot;
#[cfg(feature = "testing")]
mod scripted;
#[cfg(feature = "testing")]
mod server;
#[cfg(feature = "testing")]
mod server_faults;
#[cfg(feature = "testing")]
mod server_raw;
