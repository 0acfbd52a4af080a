//! Two machines, each with its own ledger, and one store that compares before it sets.

use std::sync::Arc;

use sftoken::dns::Resolver;
use sftoken::ingest::event::{OutcomeWord, Receipt};
use sftoken::ingest::order::Arrival;
use sftoken::ledger::{Ledger, Source};
use sftoken::store::{Key, Store as _};
use sftoken::testing::store::MemoryStore;
use sftoken::watch::{Letter, Pipeline, Stores, Verdict};
use sftoken::{KeyAnswers, Org, Policy, Recipe};

use crate::support::salesforce::{ANN, SELECTOR, ago, genuine, key_name, key_record, new_token};

fn machine(store: &Arc<MemoryStore>) -> Pipeline {
    let keys = format!("{} {}\n", key_name(SELECTOR), key_record());
    let keys = KeyAnswers::from_key_file(&keys).unwrap();
    let store: Arc<dyn sftoken::store::Store> = store.clone();
    Pipeline {
        policy: Arc::new(Policy::default()),
        recipes: Recipe::built_in(),
        verifier: Arc::new(sftoken::watch::NoVerifier),
        errands: sftoken::watch::Errands::default(),
        limits: Arc::default(),
        keep: None,
        resolver: Arc::new(Resolver::from_files(keys)),
        stores: Arc::new(Stores::all_in(store)),
        ledger: Arc::new(Ledger::in_memory().unwrap()),
        clock: Arc::new(jiff::Timestamp::now),
    }
}

async fn give(machine: &Pipeline, mail: &[u8]) -> Receipt {
    let letter = Letter {
        bytes: mail.to_vec(),
        name: "a mail".to_owned(),
        source: Source::File {
            file: "a mail".to_owned(),
        },
        arrival: Arrival::default(),
    };
    match machine.process(letter).await.remove(0) {
        Verdict::Settled(receipt) => receipt,
        Verdict::Open(_, trouble) => panic!("{trouble}"),
    }
}

#[tokio::test]
async fn an_older_mail_on_another_machine_replaces_nothing() {
    let store = Arc::new(MemoryStore::new());
    let (older, newer) = (new_token(), new_token());
    let [older_mail, newer_mail] =
        [(&older, 600), (&newer, 60)].map(|(token, age)| genuine(ANN, token, ago(age)));
    let (one, other) = (machine(&store), machine(&store));

    let stored = give(&one, &newer_mail).await;
    let kept_out = give(&other, &older_mail).await;
    let again = give(&other, &newer_mail).await;

    assert!(stored.stored_at.is_some());
    assert_eq!(kept_out.report.outcome, OutcomeWord::Refused);
    assert_eq!(
        kept_out.report.reason.as_deref(),
        Some("older_than_current")
    );
    assert!(kept_out.superseded && kept_out.stored_at.is_none());
    // the other machine has not written it, but knows by now where it is
    assert!(again.stored_at.is_some());
    assert_eq!(store.publishes(), 1);
    let key = Key {
        username: ANN.to_owned(),
        org: Org::Production,
    };
    let held = store.get(&key).unwrap().unwrap();
    assert_eq!(held.expose(), newer);
    let trail = other.ledger.history(None, 10).unwrap();
    let reasons: Vec<_> = trail.iter().map(|row| row.reason.as_deref()).collect();
    assert_eq!(reasons, [None, Some("older_than_current")]);
}
