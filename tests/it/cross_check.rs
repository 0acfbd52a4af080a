//! Three other verifiers' word on ours: OpenDKIM, dkimpy and mail-auth judge every fixture and hundreds of
//! random mails. Where they differ from us, the difference is one of a closed list, with its reason
//! (`known.rs`).

mod dice;
mod judges;
mod known;
mod mails;
mod signatures;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use judges::Question;
use known::{FIXTURES, Judge, KINDS};

/// 1 April 2026, 16:00 UTC: the `now` of the corpus.
const NOW: &str = "1775059200";
/// A time that no mail reaches: dkimpy signs by the machine's clock. Before the `x=` of the generator.
const LATER: &str = "4000000000";
/// The seed of every run, unless `SFTOKEN_SEED` gives another.
const SEED: u64 = 20_261_126;

fn fixtures() -> Vec<Question> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mails");
    let mut paths: Vec<PathBuf> = ["hostile", "salesforce", "unrelated"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "eml"))
        .collect();
    paths.sort();
    let question = |path: &PathBuf| {
        let keys = fs::read_to_string(path.with_extension("keys")).unwrap();
        let keys = keys.lines().filter_map(|line| line.split_once(' '));
        Question {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            mail: fs::read(path).unwrap(),
            keys: keys
                .map(|(name, record)| (name.to_owned(), record.to_owned()))
                .collect(),
        }
    };
    paths.iter().map(question).collect()
}

/// What each judge says where it differs from ours: the mail's number, and whether it passes there.
fn differences(questions: &[Question], now: &str) -> Vec<(Judge, usize, bool)> {
    let ours: Vec<bool> = questions.iter().map(judges::ours).collect();
    let passed = ours.iter().filter(|passed| **passed).count();
    assert!(
        passed * 3 > ours.len(),
        "only {passed} of {} pass",
        ours.len()
    );
    let told = [
        (Judge::OpenDkim, judges::opendkim(questions)),
        (Judge::Dkimpy, judges::dkimpy(questions, now)),
        (Judge::MailAuth, judges::mail_auth(questions)),
    ];
    let mut found = Vec::new();
    for (judge, theirs) in told {
        let pairs = theirs.iter().zip(&ours).enumerate();
        let differing = pairs.filter(|(_, (theirs, ours))| theirs != ours);
        found.extend(differing.map(|(at, (theirs, _))| (judge, at, *theirs)));
    }
    found
}

#[test]
fn other_verifiers_differ_on_the_fixtures_as_is_known() {
    let questions = fixtures();
    assert!(questions.len() >= 250, "only {} fixtures", questions.len());
    let found: BTreeSet<(Judge, &str, bool)> = differences(&questions, NOW)
        .into_iter()
        .map(|(judge, at, theirs)| (judge, questions[at].name.as_str(), theirs))
        .collect();
    let mut known = BTreeSet::new();
    for entry in FIXTURES {
        assert!(!entry.why.is_empty());
        for judge in entry.judges {
            known.extend(entry.mails.iter().map(|mail| (*judge, *mail, entry.pass)));
        }
    }
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "new: {new:#?}\ngone: {gone:#?}"
    );
}

#[test]
fn other_verifiers_differ_on_random_mails_as_is_known() {
    let seed = std::env::var("SFTOKEN_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    let keys = signatures::Keys::new();
    let seeds = |from: u64, count: u64| (0..count).map(move |number| seed + from + number);
    let mut questions: Vec<Question> = seeds(0, 400)
        .map(|seed| signatures::signed_by_us(seed, &keys))
        .collect();
    questions.extend(signatures::signed_by_dkimpy(seeds(400, 250), &keys));
    let fit = questions
        .iter()
        .filter(|question| known::is_fit_for_a_milter(question));
    assert!(fit.count() >= 150, "OpenDKIM sees too few");
    let mut occurred = vec![false; KINDS.len()];
    for (judge, at, theirs) in differences(&questions, LATER) {
        let question = &questions[at];
        let kind = KINDS
            .iter()
            .position(|kind| kind.judges.contains(&judge) && (kind.is)(question, theirs));
        let Some(kind) = kind else {
            panic!(
                "seed {seed}: {judge:?} says {theirs} of {}, and ours does not:\n{}",
                question.name,
                question.mail.escape_ascii()
            );
        };
        occurred[kind] = true;
    }
    for (kind, occurred) in KINDS.iter().zip(occurred) {
        assert!(occurred, "seed {seed}: it did not occur that {}", kind.why);
    }
}
