//! The fuzzers' targets, over the seeds that they begin with: what must hold for any bytes, holds for
//! these. `fuzz/` goes on from there; for it, seeds are written into `SFTOKEN_FUZZ_CORPUS`.

mod targets;

use std::fs;
use std::path::Path;

/// Runs a target over its seeds, of which there are so many at least.
#[track_caller]
fn check(name: &str, at_least: usize) {
    let mut targets = targets::ALL.into_iter();
    let target = targets.find(|target| target.name == name).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let seeds = (target.seeds)(&fixtures);
    assert!(seeds.len() >= at_least, "only {} seeds", seeds.len());
    if let Some(corpus) = std::env::var_os("SFTOKEN_FUZZ_CORPUS") {
        write(&Path::new(&corpus).join(target.name), &seeds);
    }
    for (name, bytes) in seeds {
        let run = std::panic::catch_unwind(|| (target.run)(&bytes));
        assert!(run.is_ok(), "{}: see above: {name}", target.name);
    }
}

fn write(folder: &Path, seeds: &[targets::Seed]) {
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in seeds {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

#[test]
fn every_mail_has_an_outcome_that_its_signature_bears_out() {
    check("examine", 250);
}

#[test]
fn every_content_under_a_genuine_header_is_read_as_it_is_seen() {
    check("mail_text", 250);
}

#[test]
fn every_providers_word_is_read_in_the_block_on_top() {
    check("authres", 120);
}

#[test]
fn every_page_becomes_lines() {
    check("html", 20);
}

#[test]
fn every_server_is_answered() {
    check("imap_guard", 70);
}
