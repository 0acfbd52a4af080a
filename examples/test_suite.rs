//! How a test suite uses `sftoken::testing`: mails made to measure, a store in memory, no network.
//!
//! ```sh
//! cargo test --features testing,watch --example test_suite
//! ```
//!
//! Nothing here is a mock: the mails are signed, the proof is the real one, and the store is a store.

#![expect(clippy::print_stdout, reason = "an example")]

fn main() {
    println!("this example is a test suite: cargo test --all-features --example test_suite");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use sftoken::dns::Resolver;
    use sftoken::ingest::order::Arrival;
    use sftoken::ingest::refusal::Refusal;
    use sftoken::ledger::{Ledger, Source};
    use sftoken::store::{Key, Store, StoreErrorKind};
    use sftoken::testing::fixture::{Structure, TokenMail};
    use sftoken::testing::sign::{Signer, SigningKey};
    use sftoken::testing::store::MemoryStore;
    use sftoken::watch::{Letter, Pipeline, Stores, Verdict};
    use sftoken::{KeyAnswers, Mail, Org, Outcome, Policy, Recipe, examine};

    const USERNAME: &str = "integration@acme.example";
    const TOKEN: &str = "2kTfR8s1XyZ0aBcD3eFgH4iJ";

    fn now() -> Timestamp {
        "2026-11-23T10:00:00Z".parse().unwrap()
    }

    fn key() -> SigningKey {
        SigningKey::from_pem(include_str!("../fixtures/keys/rsa-2048.pem")).unwrap()
    }

    /// The record that makes the test key count, in this process only.
    fn keys() -> KeyAnswers {
        let (key, mut keys) = (key(), KeyAnswers::default());
        let record = sftoken::KeyAnswer::Records(vec![key.dns_record()]);
        keys.insert("test._domainkey.salesforce.com", record);
        keys
    }

    fn signed(mail: &TokenMail) -> Vec<u8> {
        let key = key();
        Signer::new(&key, "salesforce.com", "test").sign(&mail.bytes().unwrap())
    }

    /// The heart alone: bytes in, an outcome out.
    #[test]
    fn our_code_takes_html_mail_too() {
        let mut mail = TokenMail::new(USERNAME, TOKEN, now());
        mail.structure = Structure::Html;
        let bytes = signed(&mail);
        let mail = Mail::parse(&bytes);
        let outcome = examine(
            &mail,
            &keys(),
            &Policy::default(),
            Recipe::built_in(),
            now(),
        );
        assert!(matches!(outcome, Outcome::Found(found) if found.token.expose() == TOKEN));
    }

    #[test]
    fn a_forged_token_is_refused() {
        let genuine = String::from_utf8(signed(&TokenMail::new(USERNAME, TOKEN, now()))).unwrap();
        let forged = genuine.replace(TOKEN, "0000000000000000000000000");
        let mail = Mail::parse(forged.as_bytes());
        let outcome = examine(
            &mail,
            &keys(),
            &Policy::default(),
            Recipe::built_in(),
            now(),
        );
        assert!(matches!(outcome, Outcome::Refused(Refusal::DkimFailBody)));
    }

    /// The whole pipeline, with a store that fails when it is told to.
    #[tokio::test]
    async fn a_locked_store_loses_no_token() {
        let store = Arc::new(MemoryStore::new());
        let pipeline = Pipeline {
            clock: Arc::new(now),
            ..Pipeline::new(
                Arc::new(Policy::default()),
                Arc::new(Resolver::from_files(keys())),
                Arc::new(Stores::all_in(store.clone())),
                Arc::new(Ledger::in_memory().unwrap()),
            )
        };
        let letter = Letter {
            bytes: signed(&TokenMail::new(USERNAME, TOKEN, now())),
            name: "a-mail".to_owned(),
            source: Source::File {
                file: "a-mail".to_owned(),
            },
            arrival: Arrival::default(),
        };

        store.fail_with(Some(StoreErrorKind::Locked));
        let verdicts = pipeline.process(letter.clone()).await;
        assert!(
            matches!(verdicts[..], [Verdict::Open(..)]),
            "kept for another try"
        );

        store.fail_with(None);
        let verdicts = pipeline.process(letter).await;
        let receipt = verdicts[0].receipt().expect("settled");
        assert!(receipt.stored_at.is_some());
        let slot = Key {
            username: USERNAME.to_owned(),
            org: Org::Production,
        };
        assert_eq!(store.get(&slot).unwrap().unwrap().expose(), TOKEN);
    }
}
