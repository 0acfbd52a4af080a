//! A program's end, and the end of all that it started.
//!
//! Knows process groups. Never takes a status, so that a number can never mean a stranger. Children come from whoever
//! started them in a group of their own.

use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Tells when the child has ended, without taking its status: its id stays taken until then, so that
/// [`end`] can never meet a stranger.
pub(crate) fn watch(child: &Child) -> Receiver<()> {
    let (ended, told) = mpsc::channel();
    let id = pid(child);
    thread::spawn(move || {
        let Some(id) = id else { return };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(id), options) {}
        let _ = ended.send(());
    });
    told
}

/// Ends the child and all that it started in its process group.
pub(crate) fn end(child: &Child) {
    if let Some(group) = pid(child) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id().try_into().ok()?)
}
