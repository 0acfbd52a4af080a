//! Random signatures: every pair of canonical forms, odd orders and white space in tags, several signatures
//! on one mail, some spoilt. By `testing::sign`, or by dkimpy.
//!
//! Knows the test keys, and that the same seed gives the same mail (but dkimpy writes the time). Never
//! knows what a verifier says.

use std::io::Write as _;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sftoken::testing::sign::{Canonical, Flaw, Signer, SigningKey};

use super::dice::Dice;
use super::judges::{Question, python};
use super::mails::{DOMAIN, change, mail};

const KEYS: [(&str, &str, &str); 3] = [
    (
        "r1",
        "rsa-1024.pem",
        include_str!("../../../fixtures/keys/rsa-1024.pem"),
    ),
    (
        "r2",
        "rsa-2048.pem",
        include_str!("../../../fixtures/keys/rsa-2048.pem"),
    ),
    (
        "e1",
        "ed25519.pem",
        include_str!("../../../fixtures/keys/ed25519.pem"),
    ),
];

/// The test keys, read once.
pub(super) struct Keys(Vec<SigningKey>);

impl Keys {
    pub(super) fn new() -> Self {
        Self(
            KEYS.map(|(_, _, pem)| SigningKey::from_pem(pem).unwrap())
                .into(),
        )
    }

    /// All records: every question has the same.
    fn records(&self) -> Vec<(String, String)> {
        let record = |(key, (selector, ..)): (&SigningKey, &(&str, &str, &str))| {
            (format!("{selector}._domainkey.{DOMAIN}"), key.dns_record())
        };
        self.0.iter().zip(&KEYS).map(record).collect()
    }
}

fn names(dice: &mut Dice) -> Vec<String> {
    let mut names = vec!["From", "Subject", "Date"];
    let more = [
        "To",
        "Message-ID",
        "X-Extra",
        "X-Extra",
        "From",
        "Subject",
        "Not-There",
        "X-Extra",
        "cc",
    ];
    names.extend((0..dice.below(6)).map(|_| dice.pick(&more)));
    dice.shuffle(&mut names);
    let upper = dice.one_in(4);
    let form = |name: &str| match upper {
        true => name.to_uppercase(),
        false => name.to_owned(),
    };
    names.into_iter().map(form).collect()
}

const BLANKS: [&str; 8] = ["", "", "", " ", "  ", "\t", "\r\n ", "\r\n\t"];

/// The tags in any order, with white space wherever it may be (RFC 6376, 3.2).
fn template(dice: &mut Dice, signer: &Signer<'_>) -> String {
    let word = |form| match form {
        Canonical::Simple => "simple",
        Canonical::Relaxed => "relaxed",
    };
    let mut listed = String::new();
    for (at, name) in signer.fields.iter().enumerate() {
        let colon = if at == 0 { "" } else { ":" };
        listed.push_str(&format!(
            "{colon}{}{name}{}",
            dice.pick(&BLANKS),
            dice.pick(&BLANKS)
        ));
    }
    let mut tags = vec![
        ("v", "1".to_owned()),
        ("a", format!("{}-sha256", signer.key.kind())),
        (
            "c",
            format!("{}/{}", word(signer.header), word(signer.body)),
        ),
        ("d", dice.pick(&[DOMAIN, DOMAIN, "Acme.EXAMPLE"]).to_owned()),
        ("s", signer.selector.clone()),
        ("h", listed.trim().to_owned()),
        ("bh", "{bh}".to_owned()),
    ];
    let optional = [
        ("q", "dns/txt"),
        ("t", "1775056124"),
        ("x", "4102444800"),
        ("i", "@acme.example"),
        ("i", "a@mail.acme.example"),
        ("z", "From:a=40acme.example|Subject:b"),
        ("n", "unknown"),
    ];
    for (name, value) in optional {
        let twice = tags.iter().any(|(other, _)| *other == name);
        if dice.one_in(4) && !twice {
            tags.push((name, value.to_owned()));
        }
    }
    dice.shuffle(&mut tags);
    let mut text = String::new();
    for (at, (name, value)) in tags.iter().enumerate() {
        let semicolon = if at == 0 { "" } else { ";" };
        let mut blank = || dice.pick(&BLANKS);
        let (a, b, c, d) = (blank(), blank(), blank(), blank());
        let a = if at == 0 { " " } else { a };
        text.push_str(&format!("{semicolon}{a}{name}{b}={c}{value}{d}"));
    }
    text
}

/// One signature of ours on top.
fn sign(dice: &mut Dice, keys: &Keys, mail: &[u8], flaw: Flaw) -> Vec<u8> {
    let at = dice.below(KEYS.len());
    let mut signer = Signer::new(&keys.0[at], DOMAIN, KEYS[at].0);
    let form = |relaxed| {
        if relaxed {
            Canonical::Relaxed
        } else {
            Canonical::Simple
        }
    };
    (signer.header, signer.body) = (form(dice.one_in(2)), form(dice.one_in(2)));
    signer.fields = names(dice);
    signer.flaw = flaw;
    if !dice.one_in(3) {
        signer.template = Some(template(dice, &signer));
    }
    signer.sign(mail)
}

/// A mail signed by ours, once or several times.
pub(super) fn signed_by_us(seed: u64, keys: &Keys) -> Question {
    let mut dice = Dice(seed);
    let mut bytes = mail(&mut dice);
    for _ in 0..=dice.below(2) * dice.below(3) {
        let flaw = match dice.below(8) {
            0 => Flaw::BodyHash,
            1 => Flaw::Signature,
            _ => Flaw::None,
        };
        bytes = sign(&mut dice, keys, &bytes, flaw);
    }
    if dice.one_in(3) {
        change(&mut dice, &mut bytes);
    }
    Question {
        name: format!("ours-{seed}"),
        mail: bytes,
        keys: keys.records(),
    }
}

/// Mails signed by dkimpy, all in one run of it.
pub(super) fn signed_by_dkimpy(seeds: impl Iterator<Item = u64>, keys: &Keys) -> Vec<Question> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys/");
    let mut mails = Vec::new();
    let mut jobs = String::new();
    for seed in seeds {
        let mut dice = Dice(seed);
        let mail = mail(&mut dice);
        let (selector, file, _) = KEYS[dice.below(KEYS.len())];
        let algorithm = if selector == "e1" {
            "ed25519-sha256"
        } else {
            "rsa-sha256"
        };
        let form = |dice: &mut Dice| dice.pick(&["simple", "relaxed"]);
        let job = json!({
            "mail": STANDARD.encode(&mail), "key": format!("{root}{file}"), "selector": selector,
            "domain": DOMAIN, "header": form(&mut dice), "body": form(&mut dice),
            "algorithm": algorithm, "fields": names(&mut dice),
        });
        jobs.push_str(&format!("{job}\n"));
        mails.push((seed, dice, mail));
    }
    let fields = dkimpy_signs(jobs);
    assert_eq!(fields.len(), mails.len(), "dkimpy signs each");
    let question = |((seed, mut dice, mail), field): ((u64, Dice, Vec<u8>), Vec<u8>)| {
        let mut bytes = [field, mail].concat();
        if dice.one_in(3) {
            change(&mut dice, &mut bytes);
        }
        Question {
            name: format!("dkimpy-{seed}"),
            mail: bytes,
            keys: keys.records(),
        }
    };
    mails.into_iter().zip(fields).map(question).collect()
}

fn dkimpy_signs(jobs: String) -> Vec<Vec<u8>> {
    let mut child = python()
        .arg("sign")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(jobs.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| STANDARD.decode(line).unwrap())
        .collect()
}
