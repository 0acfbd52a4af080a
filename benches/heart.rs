//! What a mail costs in the heart: a token mail with and without its proof, and other people's mail.
//!
//! `cargo bench --features testing --bench heart`
#![expect(
    clippy::expect_used,
    reason = "a benchmark stops when its set-up fails"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

use jiff::Timestamp;
use sftoken::ingest::policy::Demand;
use sftoken::testing::fixture::{Structure, Subject, TokenMail};
use sftoken::testing::sign::{Signer, SigningKey};
use sftoken::{KeyAnswer, KeyAnswers, Mail, Outcome, Policy, Recipe, examine};

const KEY: &str = include_str!("../fixtures/keys/rsa-2048.pem");
const DATE: &str = "2026-11-23T10:00:00Z";

/// A mail, and how it is judged.
struct Case {
    name: &'static str,
    mail: Vec<u8>,
    policy: Policy,
    found: bool,
}

fn cases(signer: &Signer<'_>) -> Vec<Case> {
    let date = DATE.parse().expect("a date");
    let token = TokenMail::new(
        "integration@acme.example",
        "2kTfR8s1XyZ0aBcD3eFgH4iJk",
        date,
    );
    let with = |structure| TokenMail {
        structure,
        ..token.clone()
    };
    let subject = Subject::Custom("Your weekly security token report".to_owned());
    let other = TokenMail {
        subject,
        from: "Ann <ann@shop.example>".to_owned(),
        ..token.clone()
    };
    let signed = |mail: &TokenMail| signer.sign(&mail.bytes().expect("a mail"));
    let unproven = Policy {
        demand: Demand::Nothing,
        ..Policy::default()
    };
    let plain = other.bytes().expect("a mail");
    let large = [plain, vec![b'x'; 50 * 1024]].concat();
    let case = |name, mail, policy: &Policy, found| Case {
        name,
        mail,
        policy: policy.clone(),
        found,
    };
    let proven = Policy::default();
    vec![
        case(
            "token mail, text, signature checked",
            signed(&token),
            &proven,
            true,
        ),
        case(
            "token mail, text and HTML, signature checked",
            signed(&with(Structure::Alternative)),
            &proven,
            true,
        ),
        case(
            "token mail, text, no proof demanded",
            signed(&token),
            &unproven,
            true,
        ),
        case(
            "token mail, text and HTML, no proof demanded",
            signed(&with(Structure::Alternative)),
            &unproven,
            true,
        ),
        case("other mail, 52 KB", large, &proven, false),
    ]
}

fn heart(criterion: &mut Criterion) {
    let key = SigningKey::from_pem(KEY).expect("the published test key");
    let signer = Signer::new(&key, "salesforce.com", "bench");
    let mut keys = KeyAnswers::default();
    keys.insert(
        &signer.key_name(),
        KeyAnswer::Records(vec![key.dns_record()]),
    );
    let now: Timestamp = DATE.parse().expect("a date");
    let mut group = criterion.benchmark_group("examine");
    for case in cases(&signer) {
        let judge = |bytes: &[u8]| {
            let mail = Mail::parse(bytes);
            let outcome = examine(&mail, &keys, &case.policy, Recipe::built_in(), now);
            matches!(outcome, Outcome::Found(_))
        };
        assert_eq!(judge(&case.mail), case.found, "{}", case.name);
        group.throughput(Throughput::Elements(1));
        group.bench_function(case.name, |bencher| {
            bencher.iter(|| judge(black_box(&case.mail)))
        });
    }
    group.finish();
}

criterion_group!(benches, heart);
criterion_main!(benches);
