//! Writes the corpus of mails under `fixtures/mails`, and its table of provenance.
//!
//! Knows where files go. Never judges a mail: what is expected of each stands beside it. Run it as
//! `cargo run --features testing --example make_fixtures`; the same bytes come out every time.
#![expect(clippy::expect_used, reason = "a generator stops at the first error")]

mod corpus;

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let _ = fs::remove_dir_all(root.join("mails"));
    for (path, bytes) in corpus::files() {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&root))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}
