//! The corpus is what its generator writes, byte for byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../examples/make_fixtures/corpus/mod.rs"]
mod generator;

fn files_below(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.insert(path);
        }
    }
}

#[test]
fn generating_again_gives_the_same_bytes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut unknown = BTreeSet::new();
    files_below(&root.join("mails"), &mut unknown);
    for (path, bytes) in generator::files() {
        let path = root.join(path);
        let there = fs::read(&path).unwrap_or_default();
        assert!(
            there == bytes,
            "{} differs: run the example make_fixtures",
            path.display()
        );
        unknown.remove(&path);
    }
    assert!(unknown.is_empty(), "nobody writes {unknown:?}");
}

#[test]
fn no_two_mails_have_one_name() {
    let mut names = BTreeSet::new();
    for (path, _) in generator::files() {
        assert!(names.insert(path.clone()), "{path} is written twice");
    }
}
