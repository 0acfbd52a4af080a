//! Any bytes as a mail, with the fixtures' key, under several policies.
//!
//! What must hold: an outcome comes out; a token is found only under a signature that holds; nobody
//! is asked but for keys of trusted domains, three at most; what the header alone rules out is not ours.

use std::sync::LazyLock;

use jiff::Timestamp;
use sftoken::ingest::dkim::{Key, Signature, verify};
use sftoken::ingest::event::ProofMethod;
use sftoken::ingest::policy::{ALWAYS_SIGNED, Demand};
use sftoken::ingest::worth_fetching;
use sftoken::{
    Account, Found, KeyAnswer, KeyAnswers, Mail, Outcome, Policy, Recipe, examine, questions,
};

/// The names that the fixtures' mails ask for (`fixtures/mails`).
const DOMAINS: [&str; 4] = [
    "salesforce.com",
    "salesforcedevs.com",
    "emea.salesforce.com",
    "evil.example",
];

/// Both keys that the fixtures are signed with, under selectors of their own: one record each.
pub(super) static KEYS: LazyLock<KeyAnswers> = LazyLock::new(|| {
    let file = include_str!("../../../../fixtures/mails/salesforce/text.keys");
    let record = |file: &str| file.trim().split_once(' ').unwrap().1.to_owned();
    let rsa = record(file);
    let ed25519 = super::mail_text::SIGNING.dns_record();
    let mut keys = KeyAnswers::default();
    for domain in DOMAINS {
        for (selector, record) in [("sf2026", &rsa), ("google", &rsa), ("ed", &ed25519)] {
            let name = format!("{selector}._domainkey.{domain}");
            keys.insert(&name, KeyAnswer::Records(vec![record.clone()]));
        }
    }
    keys
});

/// The `now` of the corpus.
pub(super) fn now() -> Timestamp {
    "2026-04-01T16:00:00Z".parse().unwrap()
}

pub(super) const USERNAME: &str = "integration@acme.example";

/// A policy for each value of the three lowest bits.
fn policy(bits: u8) -> Policy {
    let account = Account {
        username: USERNAME.to_owned(),
        org: None,
    };
    Policy {
        accounts: if bits & 1 == 0 { vec![account] } else { vec![] },
        demand: match bits >> 1 & 3 {
            0 => Demand::Dkim,
            1 => Demand::Nothing,
            2 => Demand::AuthenticationResults,
            _ => Demand::Either,
        },
        authserv_id: Some("mx.example.com".to_owned()),
        ..Policy::default()
    }
}

/// The first byte chooses the policy, the rest is the mail.
pub(crate) fn run(data: &[u8]) {
    let Some((&bits, bytes)) = data.split_first() else {
        return;
    };
    let (policy, recipes) = (policy(bits), Recipe::built_in());
    let mail = Mail::parse(bytes);
    let names = questions(&mail, &policy, recipes, now());
    check_questions(&names, &policy);
    let answers = KEYS.answering(names.iter().map(String::as_str));
    let outcome = examine(&mail, &answers, &policy, recipes, now());
    if !worth_fetching(&header(bytes, &mail), &policy, recipes) {
        assert!(
            matches!(outcome, Outcome::NotOurs(_)),
            "passed over by its header, and then {outcome:?}"
        );
    }
    match outcome {
        Outcome::Found(found) => check_found(&found, &mail, &policy),
        Outcome::Undecided(_) => panic!("every question was answered"),
        Outcome::NotOurs(_) | Outcome::Refused(_) => {}
    }
}

fn header<'m>(bytes: &'m [u8], mail: &Mail<'m>) -> Mail<'m> {
    Mail::parse(&bytes[..bytes.len() - mail.body().len()])
}

fn check_questions(names: &[String], policy: &Policy) {
    assert!(names.len() <= 3, "{} questions", names.len());
    for name in names {
        // a selector may hold the word itself
        let (selector, domain) = name.rsplit_once("._domainkey.").unwrap();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        assert!(selector.bytes().all(plain), "asks for {name:?}");
        assert!(policy.signing_domains.iter().any(|ours| ours == domain));
    }
    let asks = matches!(policy.demand, Demand::Dkim | Demand::Either);
    assert!(asks || names.is_empty(), "asks for nothing's sake");
}

fn check_found(found: &Found, mail: &Mail<'_>, policy: &Policy) {
    let token = found.token.expose();
    assert!((15..=64).contains(&token.len()));
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let ours = |account: &Account| account.username == found.username;
    assert!(policy.accounts.is_empty() || policy.accounts.iter().any(ours));
    let mut signatures = mail.named("dkim-signature").filter_map(Signature::parse);
    let proven = match found.proof.method {
        ProofMethod::Dkim => signatures.any(|signature| holds(mail, &signature, policy)),
        // the target `authres` has more of it
        ProofMethod::AuthenticationResults => {
            matches!(
                policy.demand,
                Demand::AuthenticationResults | Demand::Either
            ) && mail.named("authentication-results").next().is_some()
        }
        ProofMethod::None => policy.demand == Demand::Nothing,
    };
    assert!(proven, "found unproven: {found:?}");
}

fn holds(mail: &Mail<'_>, signature: &Signature<'_>, policy: &Policy) -> bool {
    let KeyAnswer::Records(records) = KEYS.get(&signature.key_name()) else {
        return false;
    };
    let covers = |name: &str| signature.signed.iter().any(|signed| signed == name);
    policy.signing_domains.contains(&signature.domain)
        && ALWAYS_SIGNED.into_iter().all(covers)
        && !signature.has_length
        && Key::from_records(records, signature)
            .is_ok_and(|key| verify(mail, signature, &key).is_ok())
}
