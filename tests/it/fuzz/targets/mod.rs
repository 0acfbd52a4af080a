//! What the fuzzers run, and what they begin with.
//!
//! Knows the outside of the library only, and what must hold for any bytes: each target asserts it.
//! Never knows a fuzzer: `fuzz/` runs these bodies under libFuzzer, `tests/it/fuzz.rs` runs the seeds
//! through them with every `cargo test`. Its data comes from whoever runs it.

pub(crate) mod authres;
pub(crate) mod examine;
pub(crate) mod html;
pub(crate) mod imap_guard;
pub(crate) mod mail_text;
pub(crate) mod seeds;

use std::path::Path;

/// A name, and the bytes that a target begins with.
pub(crate) type Seed = (String, Vec<u8>);

/// A target: bytes in, a panic when something does not hold.
pub(crate) struct Target {
    /// Its name, which is also that of its corpus.
    pub(crate) name: &'static str,
    /// Its body.
    pub(crate) run: fn(&[u8]),
    /// What it begins with, made from the folder `fixtures`: a name and the bytes of each.
    pub(crate) seeds: fn(&Path) -> Vec<Seed>,
}

/// All of them. A new one is added here, in `fuzz/Cargo.toml` and in `fuzz/fuzz_targets`.
pub(crate) const ALL: [Target; 5] = [
    Target {
        name: "examine",
        run: examine::run,
        seeds: seeds::mails,
    },
    Target {
        name: "mail_text",
        run: mail_text::run,
        seeds: seeds::contents,
    },
    Target {
        name: "authres",
        run: authres::run,
        seeds: seeds::tops,
    },
    Target {
        name: "html",
        run: html::run,
        seeds: seeds::pages,
    },
    Target {
        name: "imap_guard",
        run: imap_guard::run,
        seeds: seeds::sessions,
    },
];
