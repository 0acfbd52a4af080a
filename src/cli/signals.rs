//! Signals that end the program.
//!
//! Knows which ones, and their numbers. Never ends anything itself. They come from the system.

/// Waits for the first of SIGINT, SIGTERM and SIGHUP, and gives its number.
#[cfg(unix)]
pub(crate) async fn first() -> u8 {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).ok();
    let mut interrupt = listen(SignalKind::interrupt());
    let mut terminate = listen(SignalKind::terminate());
    let mut hang_up = listen(SignalKind::hangup());
    tokio::select! {
        Some(()) = next(&mut interrupt) => 2,
        Some(()) = next(&mut terminate) => 15,
        Some(()) = next(&mut hang_up) => 1,
        else => std::future::pending().await,
    }
}

#[cfg(unix)]
async fn next(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    signal.as_mut()?.recv().await
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn first() -> u8 {
    match tokio::signal::ctrl_c().await {
        Ok(()) => 2,
        Err(_) => std::future::pending().await,
    }
}
