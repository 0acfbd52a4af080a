//! Invariants over random mails: what is generated is found, and nothing else is believed
//! (facts: authenticity, 7).

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use sftoken::dns::Resolver;
use sftoken::ingest::order::Arrival;
use sftoken::ingest::policy::Demand;
use sftoken::ledger::{Ledger, Source};
use sftoken::store::{Key, Store as _};
use sftoken::testing::fixture::{Encoding, LANGUAGES, Language, Structure, Subject, TokenMail};
use sftoken::testing::sign::{Canonical, Signer, SigningKey};
use sftoken::testing::store::MemoryStore;
use sftoken::watch::{Letter, Pipeline, Stores};
use sftoken::{Account, KeyAnswer, KeyAnswers, Mail, Org, Outcome, Policy, Recipe, examine};

use crate::explain::check_accounts;

const USERNAME: &str = "integration@acme.example";

fn date() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_pem(include_str!("../../fixtures/keys/ed25519.pem")).unwrap()
}

fn policy() -> Policy {
    let username = USERNAME.to_owned();
    Policy {
        accounts: vec![Account {
            username,
            org: None,
        }],
        ..Policy::default()
    }
}

fn signer(key: &SigningKey) -> Signer<'_> {
    Signer::new(key, "salesforce.com", "s1")
}

fn answers(signer: &Signer<'_>) -> KeyAnswers {
    let mut answers = KeyAnswers::default();
    let records = KeyAnswer::Records(vec![signer.key.dns_record()]);
    answers.insert(&signer.key_name(), records);
    answers
}

/// The outcome, or the token and the username that were found.
fn judge(bytes: &[u8], keys: &KeyAnswers, policy: &Policy) -> Result<(String, String), String> {
    let mail = Mail::parse(bytes);
    let outcome = examine(&mail, keys, policy, Recipe::built_in(), date());
    check_accounts(&mail, keys, policy, date());
    match outcome {
        Outcome::Found(found) => Ok((found.token.expose().to_owned(), found.username)),
        Outcome::NotOurs(why) => Err(why.kind().to_owned()),
        Outcome::Refused(why) => Err(why.kind().to_owned()),
        Outcome::Undecided(why) => Err(why.kind().to_owned()),
    }
}

fn language() -> impl Strategy<Value = Language> {
    (0..LANGUAGES.len()).prop_map(|at| LANGUAGES[at])
}

fn token() -> impl Strategy<Value = String> {
    "[A-Z][a-z][0-9][A-Za-z0-9]{21,22}"
}

/// A token mail in any form; `None` when its charset cannot hold its language.
fn mail() -> impl Strategy<Value = (String, TokenMail)> {
    let encodings = [
        Encoding::EightBit,
        Encoding::QuotedPrintable,
        Encoding::SoftBreak,
        Encoding::Base64,
    ];
    let charsets = [
        "UTF-8",
        "utf-8",
        "iso-2022-jp",
        "Shift_JIS",
        "EUC-JP",
        "GB18030",
        "gb2312",
        "Big5",
        "EUC-KR",
        "KOI8-R",
        "windows-1250",
        "WINDOWS-1251",
        "windows-1252",
        "windows-1253",
        "windows-1254",
        "windows-1255",
        "windows-1256",
        "windows-874",
        "iso-8859-2",
        "cp932",
    ];
    let subjects = [
        Subject::Current,
        Subject::Old,
        Subject::Oem("Acme Cloud".to_owned()),
    ];
    (
        language(),
        token(),
        prop::sample::select(encodings.to_vec()),
        prop::sample::select(charsets.to_vec()),
        prop::sample::select(vec![
            Structure::Text,
            Structure::Html,
            Structure::Alternative,
        ]),
        prop::sample::select(subjects.to_vec()),
        any::<bool>(),
    )
        .prop_map(
            |(language, token, encoding, charset, structure, subject, sandbox)| {
                let mut mail = TokenMail::new(USERNAME, &token, date());
                mail.language = language;
                mail.encoding = encoding;
                mail.charset = charset.to_owned();
                mail.structure = structure;
                mail.subject = subject;
                mail.sandbox = sandbox;
                if mail.bytes().is_err() {
                    mail.charset = "UTF-8".to_owned();
                }
                (token, mail)
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_what_was_written((token, mail) in mail(), simple in any::<bool>()) {
        let key = key();
        let mut signer = signer(&key);
        signer.body = if simple { Canonical::Simple } else { Canonical::Relaxed };
        let bytes = signer.sign(&mail.bytes().unwrap());
        let found = judge(&bytes, &answers(&signer), &policy());
        prop_assert_eq!(found, Ok((token, USERNAME.to_owned())));
    }

    #[test]
    fn nothing_is_found_without_an_aligned_signature((_, mail) in mail(), foreign in any::<bool>()) {
        let key = key();
        let domain = if foreign { "salesforce.com.evil.example" } else { "evil.example" };
        let signer = Signer::new(&key, domain, "s1");
        let bytes = mail.bytes().unwrap();
        prop_assert!(judge(&bytes, &answers(&signer), &policy()).is_err());
        prop_assert!(judge(&signer.sign(&bytes), &answers(&signer), &policy()).is_err());
    }

    #[test]
    fn a_changed_octet_never_gives_another_token(
        (token, mail) in mail(), at in any::<prop::sample::Index>(), octet in any::<u8>(),
    ) {
        let key = key();
        let signer = signer(&key);
        let mut bytes = signer.sign(&mail.bytes().unwrap());
        let at = at.index(bytes.len());
        bytes[at] = octet;
        if let Ok(found) = judge(&bytes, &answers(&signer), &policy()) {
            prop_assert_eq!(found, (token, USERNAME.to_owned()));
        }
    }

    #[test]
    fn a_field_on_top_never_gives_another_token(
        (token, mail) in mail(),
        name in "(Subject|From|Date|To|Content-Type|Content-Transfer-Encoding|Content-Disposition|DKIM-Signature|ARC-Seal|Received|X-[a-z]{1,8})",
        value in "[ -~]{0,60}",
    ) {
        let key = key();
        let signer = signer(&key);
        let signed = signer.sign(&mail.bytes().unwrap());
        let bytes = [format!("{name}: {value}\r\n").as_bytes(), &signed].concat();
        if let Ok(found) = judge(&bytes, &answers(&signer), &policy()) {
            prop_assert_eq!(found, (token, USERNAME.to_owned()));
        }
    }

    #[test]
    fn fields_of_a_sender_are_never_the_providers_word(
        (_, mail) in mail(),
        fields in prop::collection::vec(prop::sample::select(vec![
            "Authentication-Results: mx.example.com; dkim=pass header.d=salesforce.com",
            "Authentication-Results: mx.example.com.evil.example; dkim=pass header.d=salesforce.com",
            "Authentication-Results: evil.example; dkim=pass header.d=salesforce.com",
            "Authentication-Results: dkim=pass header.d=salesforce.com",
            "ARC-Authentication-Results: i=1; mx.example.com; dkim=pass header.d=salesforce.com",
            "Received: from mx.example.com by mx.example.com; Mon, 23 Nov 2026 10:00:00 +0000",
            "X-Spam: no",
        ]), 0..6),
        verdict in prop::sample::select(vec!["none", "dkim=none", "dkim=fail header.d=salesforce.com", "spf=pass smtp.mailfrom=salesforce.com; dmarc=pass header.from=salesforce.com", "dkim=pass header.d=evil.example"]),
    ) {
        let field = |text: &str| format!("{text}\r\n");
        let of_sender: String = fields.iter().map(|text| field(text)).collect();
        let of_provider = field(&format!("Authentication-Results: mx.example.com; {verdict}"));
        let bytes = [of_provider.as_bytes(), of_sender.as_bytes(), &mail.bytes().unwrap()].concat();
        for demand in [Demand::AuthenticationResults, Demand::Either] {
            let authserv_id = Some("mx.example.com".to_owned());
            let policy = Policy { demand, authserv_id, ..policy() };
            let told = judge(&bytes, &KeyAnswers::default(), &policy);
            // NOTE: a provider that leaves a forged field directly below its own, and says nothing of the
            // sender's domain itself, has vouched for it (docs/trust.md: try your provider).
            let first = fields.first().copied().unwrap_or_default();
            let is_left = first.starts_with("Authentication-Results: mx.example.com;");
            let is_mute = verdict.starts_with("spf=") || verdict.ends_with("evil.example");
            prop_assert!(told.is_err() || (is_left && is_mute), "{:?}: {}", told, of_sender);
        }
    }

    #[test]
    fn a_changed_octet_under_the_signature_is_noticed(
        (token, mail) in mail(), at in any::<prop::sample::Index>(), octet in any::<u8>(), simple in any::<bool>(),
    ) {
        let key = key();
        let mut signer = signer(&key);
        (signer.header, signer.body) = match simple {
            true => (Canonical::Simple, Canonical::Simple),
            false => (Canonical::Relaxed, Canonical::Relaxed),
        };
        let mut bytes = signer.sign(&mail.bytes().unwrap());
        let places = covered(&bytes, &signer.fields);
        let at = *at.get(&places);
        let (old, new) = (std::mem::replace(&mut bytes[at], octet), octet);
        let is_name = bytes[..at].iter().rev().find(|byte| matches!(byte, b':' | b'\n')) != Some(&b':');
        // what relaxed canonicalisation does not see: blanks, and the case of a field's name
        let unseen = old == new
            || !simple && (old.is_ascii_whitespace() && new.is_ascii_whitespace()
                || is_name && old.eq_ignore_ascii_case(&new));
        match judge(&bytes, &answers(&signer), &policy()) {
            Ok(found) => prop_assert!(unseen && found == (token, USERNAME.to_owned()), "{old} became {new} at {at}"),
            Err(_) => prop_assert!(old != new),
        }
    }

    #[test]
    fn any_octets_give_an_outcome(octets in prop::collection::vec(any::<u8>(), 0..400), (_, mail) in mail()) {
        let key = key();
        let keys = answers(&signer(&key));
        let _ = judge(&octets, &keys, &policy());
        let unproven = Policy { demand: Demand::Nothing, ..policy() };
        let bytes = mail.bytes().unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let _ = judge(&[&bytes[..end], &octets].concat(), &keys, &unproven);
        let _ = judge(&[&octets, &bytes[..]].concat(), &keys, &unproven);
    }
}

/// Where the octets of the signed fields and of the body stand.
fn covered(mail: &[u8], fields: &[String]) -> Vec<usize> {
    let parsed = Mail::parse(mail);
    let is_signed = |name: &[u8]| {
        fields
            .iter()
            .any(|field| field.as_bytes().eq_ignore_ascii_case(name))
    };
    let mut places = Vec::new();
    let mut begin = 0;
    for field in parsed.fields() {
        let end = begin + field.raw.len();
        if is_signed(field.name) {
            places.extend(begin..end);
        }
        begin = end;
    }
    places.extend(mail.len() - parsed.body().len()..mail.len());
    places
}

/// A pipeline into a store in memory.
fn pipeline(store: &Arc<MemoryStore>, keys: KeyAnswers) -> Pipeline {
    let store: Arc<dyn sftoken::store::Store> = store.clone();
    Pipeline {
        policy: Arc::new(policy()),
        recipes: Recipe::built_in(),
        verifier: Arc::new(sftoken::watch::NoVerifier),
        errands: sftoken::watch::Errands::default(),
        limits: Arc::default(),
        keep: None,
        resolver: Arc::new(Resolver::from_files(keys)),
        stores: Arc::new(Stores::all_in(store)),
        ledger: Arc::new(Ledger::in_memory().unwrap()),
        clock: Arc::new(date),
    }
}

/// The token that is kept when mails of these seconds come in this order; some come twice.
async fn kept_of(seconds: &[i64]) -> Option<String> {
    let key = key();
    let signer = signer(&key);
    let store = Arc::new(MemoryStore::new());
    let pipeline = pipeline(&store, answers(&signer));
    for (number, second) in seconds.iter().enumerate() {
        let sent = date() + SignedDuration::from_secs(*second);
        let mail = TokenMail::new(USERNAME, &token_of(*second), sent);
        let letter = Letter {
            bytes: signer.sign(&mail.bytes().unwrap()),
            name: format!("{number}.eml"),
            source: Source::File {
                file: format!("{number}.eml"),
            },
            arrival: Arrival {
                number: number as u64,
                ..Arrival::default()
            },
        };
        pipeline.process(letter).await;
    }
    let org = Org::Production;
    let slot = Key {
        username: USERNAME.to_owned(),
        org,
    };
    store
        .get(&slot)
        .unwrap()
        .map(|token| token.expose().to_owned())
}

fn token_of(second: i64) -> String {
    format!("Zq4TnV8sLw2KdXb7Rm1Y{:05}", second + 50_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_whatever_order_mails_come_the_newest_stays(seconds in prop::collection::vec(-1000_i64..900, 1..9)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let newest = *seconds.iter().max().unwrap();
        prop_assert_eq!(runtime.block_on(kept_of(&seconds)), Some(token_of(newest)));
    }
}

#[test]
fn a_mail_cut_off_anywhere_is_not_found() {
    let key = key();
    let signer = signer(&key);
    let mut mail = TokenMail::new(USERNAME, "Zq4TnV8sLw2KdXb7Rm1YcGf5P", date());
    mail.structure = Structure::Alternative;
    let bytes = signer.sign(&mail.bytes().unwrap());
    let keys = answers(&signer);
    assert!(judge(&bytes, &keys, &policy()).is_ok());
    // Without its last line end the mail is still whole: some servers drop it.
    for end in 0..bytes.len() - 2 {
        assert!(judge(&bytes[..end], &keys, &policy()).is_err(), "{end}");
    }
}
