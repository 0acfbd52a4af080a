//! Four verifiers, one question: does a signature of this mail hold, with these keys?
//!
//! Knows how each is asked. Never knows what they should say. Mails come from the fixtures and from the
//! generator; nobody asks a network.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::Hash;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{
    AuthenticatedMessage, DkimResult, Error, MessageAuthenticator, Parameters, ResolverCache, Txt,
};
use sftoken::Mail;
use sftoken::ingest::dkim::{Key, Signature, verify};

/// A mail with the TXT records of its keys, by name.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) mail: Vec<u8>,
    pub(super) keys: Vec<(String, String)>,
}

/// Our own verifier, without any policy.
pub(super) fn ours(question: &Question) -> bool {
    let mail = Mail::parse(&question.mail);
    let holds = |signature: &Signature<'_>| {
        let wanted = signature.key_name();
        let records = question.keys.iter().filter(|(name, _)| *name == wanted);
        let records: Vec<String> = records.map(|(_, record)| record.clone()).collect();
        Key::from_records(&records, signature)
            .is_ok_and(|key| verify(&mail, signature, &key).is_ok())
    };
    mail.check_octets().is_ok()
        && mail
            .named("dkim-signature")
            .filter_map(Signature::parse)
            .any(|signature| holds(&signature))
}

/// The only records there are.
struct Records(HashMap<Box<str>, Txt>);

impl ResolverCache<Box<str>, Txt> for Records {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let known = self.0.get(name).cloned();
        Some(known.unwrap_or(Txt::Error(Error::ParseError)))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// mail-auth 0.13.3.
pub(super) fn mail_auth(questions: &[Question]) -> Vec<bool> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let nobody = ResolverConfig::from_parts(None, vec![], vec![]);
    let verifier = MessageAuthenticator::new(nobody, ResolverOpts::default()).unwrap();
    let ask = |question: &Question| {
        let parsed = question.keys.iter().filter_map(|(name, record)| {
            let key = DomainKey::parse(record.as_bytes()).ok()?;
            Some((
                format!("{name}.").into_boxed_str(),
                Txt::DomainKey(Arc::new(key)),
            ))
        });
        let records = Records(parsed.collect());
        let Some(message) = AuthenticatedMessage::parse(&question.mail) else {
            return false;
        };
        let told = runtime
            .block_on(verifier.verify_dkim(Parameters::new(&message).with_txt_cache(&records)));
        told.iter().any(|told| *told.result() == DkimResult::Pass)
    };
    questions.iter().map(ask).collect()
}

/// dkimpy, by `dkimpy.py`, at a given time.
pub(super) fn dkimpy(questions: &[Question], now: &str) -> Vec<bool> {
    let folder = written(questions);
    let output = python()
        .arg(now)
        .args(stems(questions, folder.path()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), questions.len());
    text.lines().map(|line| line.starts_with("pass ")).collect()
}

/// A Python with dkimpy, about to run `dkimpy.py`.
pub(super) fn python() -> Command {
    let python = std::env::var("SFTOKEN_TEST_PYTHON")
        .expect("run the tests with tests/run.sh: it makes a Python with dkimpy");
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cross_check/dkimpy.py"));
    command
}

/// OpenDKIM, in its test mode (`opendkim(8)`, -t), with records from a file (`TestDNSData`). Its clock is
/// the machine's.
pub(super) fn opendkim(questions: &[Question]) -> Vec<bool> {
    let folder = written(questions);
    let mut passed = vec![false; questions.len()];
    // One run for the questions that share their keys, fifty at a time.
    let mut groups: BTreeMap<&[(String, String)], Vec<usize>> = BTreeMap::new();
    for (at, question) in questions.iter().enumerate() {
        groups.entry(&question.keys).or_default().push(at);
    }
    for (keys, members) in groups {
        for some in members.chunks(50) {
            for at in run_opendkim(folder.path(), keys, some) {
                passed[at] = true;
            }
        }
    }
    passed
}

/// The numbers of those that pass. It ends at a mail whose header it does not take: that one does not
/// pass, and the rest is for another run.
fn run_opendkim(folder: &Path, keys: &[(String, String)], numbers: &[usize]) -> Vec<usize> {
    let records = keys
        .iter()
        .map(|(name, record)| format!("{name} {record}\n"));
    fs::write(folder.join("records"), records.collect::<String>()).unwrap();
    let config = format!(
        "Mode v\nTestDNSData file:{}\n",
        folder.join("records").display()
    );
    fs::write(folder.join("conf"), config).unwrap();
    let (mut passed, mut rest) = (Vec::new(), numbers);
    while !rest.is_empty() {
        let files: Vec<String> = rest.iter().map(|at| format!("{at}.eml")).collect();
        let output = Command::new("opendkim")
            .current_dir(folder)
            .args(["-x", "conf", "-v", "-t", &files.join(",")])
            .output()
            .expect("run the tests with tests/run.sh: it installs opendkim");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let says = |at: usize, end: &str| {
            let begin = format!("opendkim: {at}.eml: ");
            let mut lines = text.lines().filter(|line| line.starts_with(&begin));
            lines.any(|line| line.contains(end))
        };
        let seen = rest.iter().take_while(|&&at| says(at, "")).count();
        assert!(seen > 0, "opendkim: {text}");
        // it names the first signature that holds
        let (these, others) = rest.split_at(seen);
        passed.extend(these.iter().filter(|&&at| says(at, " succeeded")));
        rest = others;
    }
    passed
}

/// Each question as `N.eml` and `N.keys`.
fn written(questions: &[Question]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (at, question) in questions.iter().enumerate() {
        let stem = folder.path().join(at.to_string());
        fs::write(stem.with_extension("eml"), &question.mail).unwrap();
        let records = question.keys.iter();
        let records: String = records
            .map(|(name, record)| format!("{name} {record}\n"))
            .collect();
        fs::write(stem.with_extension("keys"), records).unwrap();
    }
    folder
}

fn stems(questions: &[Question], folder: &Path) -> Vec<std::path::PathBuf> {
    (0..questions.len())
        .map(|at| folder.join(at.to_string()))
        .collect()
}
