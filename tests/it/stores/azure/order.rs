//! The newest token is on top, whoever races.

use std::thread;

use serde_json::Value;
use sftoken::ingest::policy::Org;
use sftoken::store::Put;

use super::vault::version;
use super::*;

fn held(store: &dyn Store) -> Option<Token> {
    store.get(&key(USERNAME)).unwrap()
}

#[test]
fn a_secret_is_made_and_kept_newest() {
    let vault = Vault::default();
    let stub = vault.start();
    let store = open(&stub, "salesforce");
    store.check().unwrap();
    assert_eq!(held(&*store), None);
    assert_eq!(put(&*store, 2, OLD).unwrap(), Put::Written);
    assert_eq!(
        put(&*open(&stub, "salesforce"), 1, NEW).unwrap(),
        Put::Superseded
    );
    assert_eq!(
        put(&*open(&stub, "salesforce"), 2, OLD).unwrap(),
        Put::Unchanged
    );
    assert_eq!(
        put(&*open(&stub, "salesforce"), 3, NEW).unwrap(),
        Put::Written
    );
    assert_eq!(held(&*store), Some(token(NEW)));
    let versions = vault.change(|inside| inside.secrets["salesforce"].len());
    assert_eq!(versions, 2);
    let tags = vault.top("salesforce").tags;
    let note: String = tags.values().map(String::as_str).collect();
    let note: Value = serde_json::from_str(&note).unwrap();
    assert_eq!(note["username"], USERNAME);
    assert_eq!(note["message_id"], "3@mail.example");
    let slot = format!("akv://{}/acme-jobs/salesforce", stub.authority());
    assert_eq!(store.slot(&key(USERNAME)), slot);
    assert!(store.capabilities().conditional && store.capabilities().readable);
}

/// No two of them in the same order in two rounds; each has looked at nothing yet when it starts.
#[test]
fn of_eight_writers_in_any_order_the_newest_stays_on_top() {
    for round in 0..8 {
        let vault = Vault::default();
        let stub = vault.start();
        let writers: Vec<_> = shuffled(round)
            .into_iter()
            .map(|second| {
                let store = open(&stub, "salesforce");
                thread::spawn(move || {
                    put(&*store, second, &format!("TokenOfSecond{second:011}")).unwrap()
                })
            })
            .collect();
        for writer in writers {
            let end = writer.join().unwrap();
            assert!(matches!(end, Put::Written | Put::Superseded), "{end:?}");
        }
        let top = vault.top("salesforce").value;
        assert_eq!(top, "TokenOfSecond00000000007", "round {round}");
    }
}

/// Another machine that has read before us, and sets after us.
#[test]
fn a_newer_token_that_was_covered_is_put_on_top_again() {
    let vault = Vault::default();
    let stub = vault.start();
    let store = open(&stub, "salesforce");
    put(&*store, 1, OLD).unwrap();
    vault.change(|inside| {
        inside.after_set = Some(|versions| {
            let older = versions[0].clone();
            versions.push(version(7, &older.value, older.tags));
        });
    });
    assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written);
    assert_eq!(vault.top("salesforce").value, NEW);

    // a machine that ended in between: the next one to look puts it right, whatever it brings itself
    vault.change(|inside| {
        let versions = inside.secrets.get_mut("salesforce").unwrap();
        let older = versions[0].clone();
        versions.push(version(8, &older.value, older.tags));
    });
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Superseded);
    assert_eq!(vault.top("salesforce").value, NEW);
}

/// `az keyvault secret set`: a new version without any tag.
#[test]
fn what_a_person_has_set_is_not_covered_by_an_older_mail() {
    let vault = Vault::default();
    let stub = vault.start();
    let store = open(&stub, "salesforce");
    put(&*store, 2, OLD).unwrap();
    let by_hand = "ByHandByHandByHandByHand";
    vault.change(|inside| {
        let versions = inside.secrets.get_mut("salesforce").unwrap();
        versions.push(version(7, by_hand, BTreeMap::new()));
    });
    let error = put(&*store, 2, OLD).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "another token",
        "who changed it",
    );
    assert_eq!(put(&*store, 1, NEW).unwrap(), Put::Superseded);
    assert_eq!(vault.top("salesforce").value, by_hand);
    assert_eq!(held(&*store), Some(token(by_hand)));
    assert_eq!(put(&*store, 3, NEW).unwrap(), Put::Written);
    assert_eq!(vault.top("salesforce").value, NEW);
}

#[test]
fn tags_of_others_are_taken_along() {
    let vault = Vault::default();
    let stub = vault.start();
    let store = open(&stub, "salesforce");
    vault.change(|inside| {
        let tags = BTreeMap::from([("team".to_owned(), "jobs".to_owned())]);
        let first = version(0, "no token yet", tags);
        inside.secrets.insert("salesforce".to_owned(), vec![first]);
    });
    let error = store.get(&key(USERNAME)).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "holds no token",
        "delete it",
    );
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
    assert_eq!(vault.top("salesforce").tags["team"], "jobs");
}

#[test]
fn accounts_and_orgs_do_not_meet() {
    let vault = Vault::default();
    let stub = vault.start();
    let store = open(&stub, "SF-{username}");
    let sandbox = Key {
        org: Org::Sandbox,
        ..key(USERNAME)
    };
    put(&*store, 1, OLD).unwrap();
    let mut meta = mail_of(2, NEW);
    meta.org = Org::Sandbox;
    store.publish(&sandbox, &token(NEW), &meta).unwrap();
    assert_eq!(vault.top("sf-integration-40acme-2eexample").value, OLD);
    assert_eq!(
        vault.top("sf-integration-40acme-2eexample-sandbox").value,
        NEW
    );

    let fixed = open(&stub, "one");
    put(&*fixed, 1, OLD).unwrap();
    let other = key("someone.else@acme.example");
    let error = fixed
        .publish(&other, &token(NEW), &mail_of(2, NEW))
        .unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "another account",
        "{username}",
    );
    assert_eq!(
        fixed.publish(&sandbox, &token(NEW), &meta).unwrap(),
        Put::OtherOrg
    );
    assert_eq!(vault.top("one").value, OLD);
}

#[test]
fn a_disabled_version_is_told_and_replaced_by_a_newer_one() {
    let vault = Vault::default();
    let stub = vault.start();
    let store = open(&stub, "salesforce");
    put(&*store, 2, OLD).unwrap();
    vault.change(|inside| {
        inside.secrets.get_mut("salesforce").unwrap()[0].enabled = false;
    });
    let error = store.get(&key(USERNAME)).unwrap_err();
    check_error(&error, StoreErrorKind::Refused, "disabled", "enable it");
    store.check().unwrap();
    assert_eq!(put(&*store, 1, NEW).unwrap(), Put::Superseded);
    assert_eq!(put(&*store, 3, NEW).unwrap(), Put::Written);
    assert_eq!(held(&*store), Some(token(NEW)));
}

#[test]
fn a_note_that_is_not_understood_stops_the_write() {
    let vault = Vault::default();
    let stub = vault.start();
    let store = open(&stub, "salesforce");
    let tags = BTreeMap::from([("sftoken".to_owned(), "{\"schema\":9}".to_owned())]);
    vault.change(|inside| {
        let newer = version(0, OLD, tags);
        inside.secrets.insert("salesforce".to_owned(), vec![newer]);
    });
    let error = put(&*store, 2, NEW).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "tag sftoken",
        "update sftoken",
    );
    assert_eq!(vault.top("salesforce").value, OLD);
}
