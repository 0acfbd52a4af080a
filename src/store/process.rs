//! A program's process group: when it has ended, and how to end it.
//!
//! Knows one child and what it has started. Never takes a child's status: its id stays taken until its owner does, so that
//! no stranger is met. Children come from the stores that run programs.

use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Tells when the child has ended, without taking its status.
pub(super) fn watch(child: &Child) -> Receiver<()> {
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

/// Ends the child and all that it started in its process group, which it must lead.
pub(super) fn end(child: &Child) {
    if let Some(group) = pid(child) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id().try_into().ok()?)
}
