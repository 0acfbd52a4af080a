//! The targets of `tests/it/fuzz`, for libFuzzer.
//!
//! Knows whose panics are none: those of parsers that sftoken itself catches. Never has a target of its
//! own: the bodies are shared with the tests.

#[expect(dead_code, reason = "the tests make the seeds")]
#[path = "../../tests/it/fuzz/targets/mod.rs"]
mod targets;

use std::panic;
use std::sync::Once;

static QUIET: Once = Once::new();

/// Runs the target of that name over some bytes.
///
/// libFuzzer's hook aborts at any panic, even one that is caught. mail-parser and imap-proto are known
/// to panic, and sftoken catches that; what it does not catch still ends the run, one frame further up.
pub fn run(name: &str, data: &[u8]) {
    QUIET.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let at = info.location().map_or("", |at| at.file());
            let caught = ["mail-parser-", "imap-proto-"];
            if !caught.iter().any(|name| at.contains(name)) {
                hook(info);
            }
        }));
    });
    let mut targets = targets::ALL.iter();
    let target = targets.find(|target| target.name == name);
    (target.expect("a target of that name").run)(data);
}
