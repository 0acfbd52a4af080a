//! Each trouble has a sentence and a remedy of its own, and stands in the documentation.

use std::collections::BTreeSet;

use super::*;

const DOCS: &str = include_str!("../../../docs/stores.md");

/// All of them. NOTE: a new one fails to compile in `listed` until it is added here.
fn all() -> Vec<Trouble> {
    vec![
        Trouble::NoBus,
        Trouble::NoProvider,
        Trouble::NoCollection,
        Trouble::Locked,
        Trouble::Dismissed,
        Trouble::NoAnswer(Duration::from_secs(5)),
        Trouble::Silent,
        Trouble::Forgotten,
        Trouble::NoAccess("words".to_owned()),
        Trouble::Differs,
        Trouble::NoToken,
        Trouble::Disagree(2),
        Trouble::Crashed,
        Trouble::Other("words".to_owned()),
    ]
}

/// Where it stands in `all`.
fn listed(trouble: &Trouble) -> usize {
    match trouble {
        Trouble::NoBus => 0,
        Trouble::NoProvider => 1,
        Trouble::NoCollection => 2,
        Trouble::Locked => 3,
        Trouble::Dismissed => 4,
        Trouble::NoAnswer(_) => 5,
        Trouble::Silent => 6,
        Trouble::Forgotten => 7,
        Trouble::NoAccess(_) => 8,
        Trouble::Differs => 9,
        Trouble::NoToken => 10,
        Trouble::Disagree(_) => 11,
        Trouble::Crashed => 12,
        Trouble::Other(_) => 13,
    }
}

#[test]
fn each_has_a_sentence_of_its_own_and_a_remedy() {
    let all = all();
    let places: Vec<usize> = all.iter().map(listed).collect();
    assert_eq!(places, (0..=13).collect::<Vec<_>>());
    let sentences: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(sentences.len(), all.len());
    for trouble in &all {
        let error = trouble.told("keyring://sftoken");
        assert!(error.hint.len() > 10, "{trouble:?}");
        assert!(!error.problem.ends_with('.'), "{trouble:?}");
    }
}

/// With the word for machines in the same row.
#[test]
fn each_stands_in_the_documentation() {
    for trouble in all() {
        let sentence = trouble.to_string().replace("words", "…");
        let row = DOCS.lines().find(|row| row.contains(&sentence));
        let row = row.unwrap_or_else(|| panic!("docs/stores.md does not say {sentence:?}"));
        let word = trouble.told("keyring:").kind.as_str();
        assert!(row.contains(word), "{row}");
    }
}
