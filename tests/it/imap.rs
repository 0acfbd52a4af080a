//! The inbox, against scripted servers, one in memory and a real Dovecot.

mod changes;
mod cuts;
mod dovecot;
mod login;
mod proxies;
mod scripted;
mod server;
mod server_faults;
mod server_raw;
mod transport;
