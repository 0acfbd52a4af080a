//! A copy of the source in which each check has a switch, and the program built from it.
//!
//! Knows how to write and build the copy, once for all rules. Never changes the source itself. Its
//! switches are thrown by the environment: one process for each rule.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::list::{Rule, Rules};

/// Longer than any run takes, on a machine with other things to do; a rule whose absence makes it endless
/// has shown itself.
const LONGEST: Duration = Duration::from_secs(300);

/// What the copy's crate has beside the source: the switches.
const SWITCHES: &str = r#"
/// Whether a rule is switched off: `RULES_OFF` names them by number.
pub fn rule_is_off(number: usize) -> bool {
    static OFF: std::sync::LazyLock<Vec<usize>> = std::sync::LazyLock::new(|| {
        let text = std::env::var("RULES_OFF").unwrap_or_default();
        text.split(',').filter_map(|number| number.parse().ok()).collect()
    });
    OFF.contains(&number)
}
"#;

/// Every mail is judged some thousand times: what this costs in building, it saves twice in running.
const QUICK: &str = "\n[profile.dev]\nopt-level = 1\ndebug = false\ndebug-assertions = false\n";

/// The built copy.
pub(crate) struct Copy {
    program: PathBuf,
    fixtures: PathBuf,
}

/// Fixture and policy, and what came of it.
pub(crate) type Outcomes = BTreeMap<(String, String), String>;

impl Copy {
    /// Writes and builds it below `target/tmp`, incrementally.
    pub(crate) fn build(root: &Path, lists: &[Rules]) -> Self {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
        let heart = place.join("heart");
        write_source(root, &heart, lists);
        let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        write(&heart.join("Cargo.toml"), &manifest(&read("Cargo.toml")));
        write(&heart.join("Cargo.lock"), &read("Cargo.lock"));
        write(&heart.join("outcomes.rs"), include_str!("outcomes.rs"));
        cargo_build(&heart, &place.join("build"));
        Self {
            program: place.join("build/debug/outcomes"),
            fixtures: root.join("fixtures/mails"),
        }
    }

    /// All outcomes with some rules switched off; `None` when the program died or did not end.
    pub(crate) fn outcomes(&self, off: &[usize]) -> Option<Outcomes> {
        let numbers: Vec<String> = off.iter().map(usize::to_string).collect();
        let mut child = Command::new(&self.program)
            .arg(&self.fixtures)
            .env("RULES_OFF", numbers.join(","))
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        let (sender, all) = mpsc::channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            let read = output.read_to_string(&mut text);
            sender.send(read.map(|_| text))
        });
        // it ends when it has said all
        let text = all.recv_timeout(LONGEST);
        if text.is_err() {
            child.kill().unwrap();
        }
        let status = child.wait().unwrap();
        let text = text.ok()?.ok()?;
        status.success().then(|| parsed(&text))
    }
}

/// The source with its switches. A list that does not fit the source any more ends the run.
fn write_source(root: &Path, heart: &Path, lists: &[Rules]) {
    let mut rotten = Vec::new();
    let of = |list: &Rules| root.join("src/ingest").join(&list.file);
    for list in lists {
        assert!(of(list).is_file(), "no {}", of(list).display());
    }
    copy_folder(&root.join("src"), &heart.join("src"), &mut |path, text| {
        let Some(at) = lists.iter().position(|list| path == of(list)) else {
            let is_root = path == root.join("src/lib.rs");
            return if is_root { text + SWITCHES } else { text };
        };
        let first = lists[..at].iter().map(|list| list.rules.len()).sum();
        with_switches(&text, &lists[at].rules, first).unwrap_or_else(|why| {
            rotten.extend(why);
            text
        })
    });
    let rotten = rotten.join("\n");
    assert!(rotten.is_empty(), "the list of rules has rotted:\n{rotten}");
}

fn cargo_build(heart: &Path, target: &Path) {
    let cargo = Command::new(env!("CARGO"))
        .args([
            "build",
            "--locked",
            "--no-default-features",
            "--bin",
            "outcomes",
        ])
        .current_dir(heart)
        .env("CARGO_TARGET_DIR", target)
        // switches leave parentheses and the like
        .env("RUSTFLAGS", "--cap-lints=allow")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&cargo.stderr);
    assert!(cargo.status.success(), "{said}");
}

fn parsed(text: &str) -> Outcomes {
    let line = |line: &str| {
        let mut parts = line.splitn(3, '\t').map(str::to_owned);
        Some(((parts.next()?, parts.next()?), parts.next()?))
    };
    text.lines().filter_map(line).collect()
}

/// The source with a switch at each check; `first` is the number of the first rule.
fn with_switches(source: &str, rules: &[Rule], first: usize) -> Result<String, Vec<String>> {
    let mut places = Vec::new();
    let mut rotten = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let switched = rule.switched(first + at);
        match rule.place(source).and_then(|place| Ok((place, switched?))) {
            Ok((place, text)) => places.push((place, text, &rule.name)),
            Err(why) => rotten.push(why),
        }
    }
    places.sort_by_key(|(place, ..)| place.start);
    for pair in places.windows(2) {
        if pair[0].0.end > pair[1].0.start {
            rotten.push(format!("{} and {} overlap", pair[0].2, pair[1].2));
        }
    }
    if !rotten.is_empty() {
        return Err(rotten);
    }
    let mut out = source.to_owned();
    for (place, text, _) in places.into_iter().rev() {
        out.replace_range(place, &text);
    }
    Ok(out)
}

/// The package's manifest with one program and no tests; lints are for people.
fn manifest(text: &str) -> String {
    let mut kept = String::new();
    let mut keep = true;
    for line in text.lines() {
        if line.starts_with('[') {
            let dropped = [
                "[[bin]]",
                "[[test]]",
                "[[example]]",
                "[[bench]]",
                "[lints",
                "[profile",
            ];
            keep = !dropped.iter().any(|head| line.starts_with(head));
        }
        if keep {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept + "\n[workspace]\n\n[[bin]]\nname = \"outcomes\"\npath = \"outcomes.rs\"\n" + QUICK
}

fn copy_folder(from: &Path, to: &Path, change: &mut impl FnMut(&Path, String) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let there = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &there, change);
        } else {
            write(&there, &change(&path, fs::read_to_string(&path).unwrap()));
        }
    }
    remove_strangers(from, to);
}

/// What an earlier run has copied and is gone now: a module that became a folder would be there twice.
fn remove_strangers(from: &Path, to: &Path) {
    for entry in fs::read_dir(to).unwrap() {
        let there = entry.unwrap().path();
        if !from.join(there.file_name().unwrap()).exists() {
            let removed = match there.is_dir() {
                true => fs::remove_dir_all(&there),
                false => fs::remove_file(&there),
            };
            removed.unwrap();
        }
    }
}

/// Only what changed is written, so that cargo builds only that.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).unwrap();
    }
}
