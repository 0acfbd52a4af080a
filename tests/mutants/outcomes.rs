//! Prints the outcome of every fixture, under its own policy and under a few others: one line each.
//!
//! Compiled by `tests/mutants` into a copy of the heart in which single checks can be switched off; never
//! a part of sftoken. Its argument is the folder `fixtures/mails`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sftoken::ingest::event::Report;
use sftoken::ingest::pins::{Pin, Pins};
use sftoken::ingest::policy::Demand;
use sftoken::ingest::{examine_oversized, worth_fetching};
use sftoken::{
    Account, KeyAnswers, Mail, Outcome, Policy, Recipe, Org, as_sent, examine, questions,
};

/// What of `NAME.expected.json` is needed here.
#[derive(serde::Deserialize)]
struct Expected {
    now: jiff::Timestamp,
    accounts: Vec<String>,
    #[serde(default)]
    policy: Trust,
}

/// The keys of `[trust]` that fixtures have, as the configuration reads them.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Trust {
    proof: Option<String>,
    authserv_id: Option<String>,
    clock_skew: Option<jiff::SignedDuration>,
    signing_domains: Option<Vec<String>>,
    senders: Option<Vec<String>>,
    denied_selectors: Option<Vec<String>>,
    required_signed: Vec<String>,
    max_signatures: Option<usize>,
    max_dns_questions: Option<usize>,
    pinned_keys: BTreeMap<String, String>,
}

impl Trust {
    fn policy(&self, accounts: Vec<Account>) -> Option<Policy> {
        let usual = Policy::default();
        let mut pinned_keys = Pins::default();
        for (name, pin) in &self.pinned_keys {
            pinned_keys.insert(name, Pin::parse(pin).ok()?);
        }
        let lower = |name: &String| name.to_ascii_lowercase();
        Some(Policy {
            accounts,
            demand: match self.proof.as_deref() {
                None | Some("dkim") => Demand::Dkim,
                Some("authentication-results") => Demand::AuthenticationResults,
                Some("either") => Demand::Either,
                Some(_) => return None,
            },
            signing_domains: self.signing_domains.clone().unwrap_or(usual.signing_domains),
            senders: self.senders.clone().unwrap_or(usual.senders),
            denied_selectors: self.denied_selectors.clone().unwrap_or(usual.denied_selectors),
            required_signed: self.required_signed.iter().map(lower).collect(),
            authserv_id: self.authserv_id.clone(),
            pinned_keys,
            max_signatures: self.max_signatures.unwrap_or(usual.max_signatures),
            max_dns_questions: self.max_dns_questions.unwrap_or(usual.max_dns_questions),
            max_future: self.clock_skew.unwrap_or(usual.max_future),
            ..usual
        })
    }
}

fn mails(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            mails(&path, found);
        } else if path.extension().is_some_and(|end| end == "eml") {
            found.push(path);
        }
    }
}

fn main() -> ExitCode {
    let Some(root) = std::env::args_os().nth(1) else {
        return ExitCode::from(2);
    };
    let mut paths = Vec::new();
    mails(Path::new(&root), &mut paths);
    paths.sort();
    let mut out = String::new();
    for path in paths {
        let name = path.strip_prefix(&root).unwrap_or(&path).with_extension("");
        match lines(&path) {
            Some(lines) => lines
                .iter()
                .for_each(|(policy, told)| out += &format!("{}\t{policy}\t{told}\n", name.display())),
            None => return ExitCode::FAILURE,
        }
    }
    print!("{out}");
    ExitCode::SUCCESS
}

/// One fixture under each policy.
fn lines(path: &Path) -> Option<Vec<(&'static str, String)>> {
    let file = fs::read(path).ok()?;
    let keys = fs::read_to_string(path.with_extension("keys")).ok()?;
    let keys = KeyAnswers::from_key_file(&keys).ok()?;
    let expected = fs::read_to_string(path.with_extension("expected.json")).ok()?;
    let expected: Expected = serde_json::from_str(&expected).ok()?;
    let crlf = as_sent(&file);
    let lf: Vec<u8> = file.iter().copied().filter(|&byte| byte != b'\r').collect();
    let policies = policies(&expected)?;
    let mut told: Vec<_> = policies
        .iter()
        .map(|(name, policy)| (*name, judge(&crlf, &keys, policy, expected.now)))
        .collect();
    told.push(("lf", judge(&as_sent(&lf), &keys, &policies[0].1, expected.now)));
    let silent = KeyAnswers::default();
    told.push(("silent-dns", examined(&crlf, &silent, &policies[0].1, expected.now)));
    told.push(("head", head(&crlf, &policies[0].1)));
    Some(told)
}

/// The fixture's own policy, and others that make single rules show.
fn policies(expected: &Expected) -> Option<Vec<(&'static str, Policy)>> {
    let accounts = |org: Option<Org>| {
        let account = |username: &String| Account { username: username.clone(), org };
        expected.accounts.iter().map(account).collect::<Vec<_>>()
    };
    let own = expected.policy.policy(accounts(None))?;
    Some(vec![
        ("own", own.clone()),
        ("unproven", Policy { demand: Demand::Nothing, ..own.clone() }),
        ("anyone", Policy { accounts: vec![], ..own.clone() }),
        ("anyone-unproven", Policy { accounts: vec![], demand: Demand::Nothing, ..own.clone() }),
        ("sandbox", Policy { accounts: accounts(Some(Org::Sandbox)), ..own.clone() }),
        ("production", Policy { accounts: accounts(Some(Org::Production)), ..own.clone() }),
        ("young", Policy { max_age: Some(jiff::SignedDuration::from_mins(30)), ..own.clone() }),
        ("pinned", Policy { pinned_keys: a_pin(), ..own.clone() }),
        ("small", Policy { max_size: 900, ..own }),
    ])
}

/// For the corpus's selector, of no key. Where a provider's word is taken, the configuration refuses pins,
/// but a library's user may have both.
fn a_pin() -> Pins {
    let mut pins = Pins::default();
    pins.insert("sf2026", Pin::Fingerprint([0; 32]));
    pins
}

/// Outcome, reason, username, org, token; behind it, what the DNS is asked.
fn judge(bytes: &[u8], keys: &KeyAnswers, policy: &Policy, now: jiff::Timestamp) -> String {
    let mail = Mail::parse(bytes);
    let names = questions(&mail, policy, Recipe::built_in(), now);
    let answers = keys.answering(names.iter().map(String::as_str));
    format!("{} asks {}", examined(bytes, &answers, policy, now), names.join(","))
}

/// The same with these answers; behind the words, whether it is warned of, and the proof.
fn examined(bytes: &[u8], answers: &KeyAnswers, policy: &Policy, now: jiff::Timestamp) -> String {
    let mail = Mail::parse(bytes);
    let outcome = examine(&mail, answers, policy, Recipe::built_in(), now);
    let report = Report::new("", &mail, &outcome);
    let token = match &outcome {
        Outcome::Found(found) => found.token.expose(),
        _ => "-",
    };
    let word = serde_json::to_string(&report.outcome).unwrap_or_default();
    let org = report.org.map_or("-", Org::as_str);
    let warned = matches!(&outcome, Outcome::Found(found) if !found.warnings.is_empty());
    [
        word.trim_matches('"'),
        report.reason.as_deref().unwrap_or("-"),
        report.username.as_deref().unwrap_or("-"),
        org,
        token,
        &format!("\twarned {warned} by {:?}", report.proof),
    ]
    .join(" ")
}

/// What is told of the header alone.
fn head(bytes: &[u8], policy: &Policy) -> String {
    let end = bytes.len() - Mail::parse(bytes).body().len();
    let mail = Mail::parse(&bytes[..end]);
    let recipes = Recipe::built_in();
    let worth = worth_fetching(&mail, policy, recipes);
    let oversized = matches!(examine_oversized(&mail, policy, recipes), Outcome::Refused(_));
    format!("worth fetching {worth}, refused if too large {oversized}")
}
