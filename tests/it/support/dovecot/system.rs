//! What the tests' Dovecot needs of the system: programs, ports, users, processes.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

pub(super) fn program(name: &str) -> PathBuf {
    let sbin = Path::new("/usr/sbin").join(name);
    if sbin.exists() {
        sbin
    } else {
        PathBuf::from(name)
    }
}

pub(super) fn found(name: &str) -> bool {
    // both answer to these, and change nothing
    let word = if name == "openssl" {
        "version"
    } else {
        "--version"
    };
    Command::new(program(name)).arg(word).output().is_ok()
}

pub(super) fn id(what: &str) -> String {
    let output = Command::new("id").arg(what).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(super) fn is_root() -> bool {
    id("-u") == "0"
}

pub(super) fn signal(name: &str, pids: &[u32]) {
    for pid in pids {
        let _ = Command::new("kill")
            .args(["-s", name, &pid.to_string()])
            .stderr(Stdio::null())
            .status();
    }
}

/// Children and their children: Dovecot's processes are its own children, not of the session.
pub(super) fn descendants(pid: u32) -> Vec<u32> {
    let children =
        fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let mut all: Vec<u32> = children
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect();
    for child in all.clone() {
        all.extend(descendants(child));
    }
    all
}

/// A process id may have been given to someone else.
pub(super) fn is_dovecot(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"dovecot/"))
}
