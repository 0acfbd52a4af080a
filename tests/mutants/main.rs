//! Proof that every rule of the heart is tested: with any one check switched off, the outcome of a
//! fixture changes (facts: authenticity, 7.13).
//!
//! `rules/*.toml` lists the checks. All are put into one copy of the source, each behind a switch, and
//! the copy is built once; then it judges all fixtures, once for each switch. A fixture shows a rule by
//! its outcome, or by what the DNS is asked and what is told of its header: under its own policy, which is
//! held against the expected files, or under one of a few others (`outcomes.rs`).
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests"
)]

mod copy;
mod list;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use copy::{Copy, Outcomes};
use list::Rule;

/// Fewer than this, and someone has lost some.
const AT_LEAST: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn no_rule_can_be_switched_off_unseen() {
    let lists = list::read(&root().join("tests/mutants/rules"));
    let rules: Vec<&Rule> = lists.iter().flat_map(|list| &list.rules).collect();
    assert!(rules.len() >= AT_LEAST, "only {} rules", rules.len());
    let copy = Copy::build(root(), &lists);
    let usual = copy.outcomes(&[]).expect("the copy judges all fixtures");
    check_usual(&usual);
    let complaints = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(rule) = rules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = check(rule, &rules, &copy, &usual) {
                        complaints.lock().unwrap().insert(rule.name.clone(), why);
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(
        complaints.is_empty(),
        "{} of {} rules: {complaints:#?}",
        complaints.len(),
        rules.len()
    );
}

/// Without any rule off, every fixture has the outcome that is written beside it.
fn check_usual(usual: &Outcomes) {
    let own: Vec<_> = usual
        .iter()
        .filter(|((_, policy), _)| policy == "own")
        .collect();
    assert!(own.len() >= 600, "only {} fixtures", own.len());
    for ((name, _), told) in own {
        let path = root()
            .join("fixtures/mails")
            .join(format!("{name}.expected.json"));
        let expected: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let words = ["outcome", "reason", "username", "org", "token"]
            .map(|key| expected[key].as_str().unwrap_or("-"));
        let told = told.split('\t').next().unwrap().trim_end();
        assert_eq!(told, words.join(" "), "{name}");
    }
}

/// A rule alone shows itself; or, where the list says so, only together with others.
fn check(rule: &Rule, rules: &[&Rule], copy: &Copy, usual: &Outcomes) -> Result<(), String> {
    let number = |name: &String| rules.iter().position(|rule| rule.name == *name);
    let own = number(&rule.name).unwrap();
    let alone = difference(copy, usual, &[own]);
    if std::env::var_os("SFTOKEN_SHOW_RULES").is_some() {
        eprintln!("{}: {alone:?}", rule.name);
    }
    match alone {
        Some(_) if rule.with.is_empty() => Ok(()),
        Some(shown) => Err(format!(
            "shows itself alone, in {shown}: the list says it does not"
        )),
        None if rule.with.is_empty() => Err("no fixture shows it".to_owned()),
        None => {
            let mut off = vec![own];
            for name in &rule.with {
                off.push(number(name).ok_or(format!("no rule {name}"))?);
            }
            let together = difference(copy, usual, &off);
            together
                .map(drop)
                .ok_or_else(|| format!("no fixture shows it together with {:?}", rule.with))
        }
    }
}

/// A fixture whose outcome differs; one under its own policy, if there is one.
fn difference(copy: &Copy, usual: &Outcomes, off: &[usize]) -> Option<String> {
    let Some(outcomes) = copy.outcomes(off) else {
        return Some("a program that dies or does not end".to_owned());
    };
    let differing = usual
        .iter()
        .filter(|(at, told)| outcomes.get(*at) != Some(*told));
    let ((name, policy), told) = differing.min_by_key(|((_, policy), _)| policy != "own")?;
    let now = outcomes.get(&(name.clone(), policy.clone()));
    let now = now.map_or("nothing", String::as_str);
    Some(format!("{name} ({policy}): {told} -> {now}"))
}
