//! No core file, no debugger and no panic message shows a token.
//!
//! Knows the two switches of the kernel that matter, and the hook for panics. Never fails: where a switch
//! is not there, the program works without it. Runs once, before anything secret is read.
#![cfg_attr(
    unix,
    expect(unsafe_code, reason = "setrlimit and prctl have no safe form in libc")
)]

/// Forbids core files, and on Linux reading this process's memory as another process of the user.
pub(crate) fn harden() {
    quiet_panics();
    #[cfg(unix)]
    no_core_file();
    #[cfg(target_os = "linux")]
    not_dumpable();
}

/// A panic's message may hold what was being worked on: `str` shows the text that it cannot be cut in, and
/// imap-proto cuts what a server sent. Where it happened is enough for a report.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        super::say(
            "error",
            &format!("a fault in the program at {}", place.unwrap_or_default()),
            "it costs one connection or one mail, not the watch; please report it with this place",
        );
    }));
}

#[cfg(unix)]
fn no_core_file() {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `none` is a valid rlimit and outlives the call, which only reads it.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
}

/// Also keeps systemd-coredump away, which a limit of 0 does not when core_pattern is a pipe
/// (core(5)).
#[cfg(target_os = "linux")]
fn not_dumpable() {
    // SAFETY: PR_SET_DUMPABLE takes a number and touches no memory of ours.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
}
