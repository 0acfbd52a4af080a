//! What stands there, and what replaces it.

use std::thread;

use super::*;
use crate::stores::race::{self, Fate, Ledgers};

const PATH: &str = "secret/salesforce/{username}";
const SLOT: &str = "salesforce/integration@acme.example";

#[test]
fn a_token_is_written_read_back_and_read_by_others() {
    let server = OpenBao::start();
    let store = rooted(&server, PATH);
    store.check().unwrap();
    assert_eq!(held(&*store), None);
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
    assert_eq!(held(&*store).as_deref(), Some(OLD));
    let read = |field: &str| {
        server.bao(&[
            "kv",
            "get",
            &format!("-field={field}"),
            "-mount=secret",
            SLOT,
        ])
    };
    assert_eq!(read("token").trim_end(), OLD);
    assert_eq!(read("username").trim_end(), USERNAME);
    let slot = store.slot(&key(USERNAME));
    assert_eq!(
        slot,
        format!("vault://{}/secret/{SLOT}", server.authority())
    );

    let about = server.api("GET", &format!("secret/metadata/{SLOT}"), Value::Null);
    let custom = &about["data"]["custom_metadata"];
    assert_eq!(custom["sftoken_version"], "1");
    let note: Value = serde_json::from_str(custom["sftoken"].as_str().unwrap()).unwrap();
    assert_eq!(note["message_id"], "1@mail.example");
    assert_eq!(note["org"], "production");
    assert_eq!(note["fingerprint"], token(OLD).fingerprint().as_str());
    assert_eq!(note["rank"]["date"], "2025-11-24T16:00:01Z");
    assert!(!about.to_string().contains(OLD), "{about}");
}

#[test]
fn older_never_replaces_newer_and_a_replay_changes_nothing() {
    let server = OpenBao::start();
    let store = rooted(&server, PATH);
    let ends =
        [(2, NEW), (1, OLD), (2, NEW)].map(|(second, value)| put(&*store, second, value).unwrap());
    assert_eq!(ends, [Put::Written, Put::Superseded, Put::Unchanged]);
    assert_eq!(held(&*store).as_deref(), Some(NEW));
    let about = server.api("GET", &format!("secret/metadata/{SLOT}"), Value::Null);
    assert_eq!(about["data"]["current_version"], 1);
    // another sftoken, which knows nothing of the first
    assert_eq!(
        put(&*rooted(&server, PATH), 1, OLD).unwrap(),
        Put::Superseded
    );
}

#[test]
fn what_others_keep_in_the_same_secret_stays() {
    let server = OpenBao::start();
    let theirs = json!({"data": {"password": "x", "token": "PutThereByAPersonByHand1", "n": 7}});
    server.api("POST", &format!("secret/data/{SLOT}"), theirs);
    let owner = json!({"custom_metadata": {"owner": "team"}});
    server.api("POST", &format!("secret/metadata/{SLOT}"), owner);
    let store = rooted(&server, PATH);
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
    let fields = server.fields(SLOT);
    assert_eq!(
        (&fields["password"], &fields["n"]),
        (&json!("x"), &json!(7))
    );
    assert_eq!(fields["token"], OLD);
    let about = server.api("GET", &format!("secret/metadata/{SLOT}"), Value::Null);
    assert_eq!(about["data"]["custom_metadata"]["owner"], "team");
}

#[test]
fn a_mount_that_demands_a_condition_gets_one() {
    let server = OpenBao::start();
    server.api("POST", "secret/config", json!({"cas_required": true}));
    let store = rooted(&server, PATH);
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
    assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written);
    assert_eq!(held(&*store).as_deref(), Some(NEW));
}

/// Deleted, its version still counts, and so does what it was.
#[test]
fn a_deleted_secret_is_written_again_but_not_with_an_older_token() {
    let server = OpenBao::start();
    let store = rooted(&server, PATH);
    for gone in ["data", "destroy", "metadata"] {
        put(&*store, 2, NEW).unwrap();
        match gone {
            "destroy" => {
                let about = server.api("GET", &format!("secret/metadata/{SLOT}"), Value::Null);
                let versions = json!({"versions": [about["data"]["current_version"]]});
                server.api("POST", &format!("secret/destroy/{SLOT}"), versions);
            }
            place => {
                server.api("DELETE", &format!("secret/{place}/{SLOT}"), Value::Null);
            }
        }
        assert_eq!(held(&*store), None, "{gone}");
        if gone != "metadata" {
            assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Superseded, "{gone}");
        }
        assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written, "{gone}");
        assert_eq!(held(&*store).as_deref(), Some(NEW), "{gone}");
    }
}

#[test]
fn of_eight_writers_in_any_order_the_newest_stays() {
    let server = OpenBao::start();
    for round in 0..6 {
        let writers: Vec<_> = (0..8)
            .map(|place| {
                let second = (place * 5 + round) % 8;
                let store = rooted(&server, &format!("secret/race/{round}/{{username}}"));
                thread::spawn(move || {
                    put(&*store, second, &format!("TokenOfSecond{second:011}")).unwrap()
                })
            })
            .collect();
        for writer in writers {
            let end = writer.join().unwrap();
            assert!(matches!(end, Put::Written | Put::Superseded), "{end:?}");
        }
        let fields = server.fields(&format!("race/{round}/{USERNAME}"));
        assert_eq!(fields["token"], "TokenOfSecond00000000007", "round {round}");
        let note: Value = serde_json::from_str(fields["sftoken"].as_str().unwrap()).unwrap();
        assert_eq!(note["message_id"], "7@mail.example");
    }
}

/// Through the whole pipeline, with a ledger for each.
#[test]
fn machines_that_do_not_know_each_other_keep_the_newest() {
    let (server, mut fate) = (OpenBao::start(), Fate::new());
    for round in 0..4 {
        let path = format!("secret/machines/{round}/{{username}}");
        let newest = race::run(&mut fate, Ledgers::Own, USERNAME, || rooted(&server, &path));
        let fields = server.fields(&format!("machines/{round}/{USERNAME}"));
        assert_eq!(fields["token"], newest, "round {round}, {}", fate.told());
    }
}

#[test]
fn accounts_and_orgs_do_not_meet() {
    let server = OpenBao::start();
    let store = rooted(&server, PATH);
    let sandbox = Key {
        org: Org::Sandbox,
        ..key(USERNAME)
    };
    put(&*store, 1, OLD).unwrap();
    assert_eq!(store.get(&sandbox).unwrap(), None);
    assert_ne!(store.slot(&key(USERNAME)), store.slot(&sandbox));
    let odd = key("../%2e/a?b#c");
    store.publish(&odd, &token(NEW), &mail_of(2, NEW)).unwrap();
    assert_eq!(store.get(&odd).unwrap(), Some(token(NEW)));
    assert_eq!(held(&*store).as_deref(), Some(OLD));

    // one path for all is taken by the first
    let fixed = rooted(&server, "secret/one");
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
    let mut meta = mail_of(2, NEW);
    meta.org = Org::Sandbox;
    assert_eq!(
        fixed.publish(&sandbox, &token(NEW), &meta).unwrap(),
        Put::OtherOrg
    );
    assert_eq!(server.fields("one")["token"], OLD);
}

#[test]
fn a_note_that_cannot_be_read_is_not_passed_over() {
    let server = OpenBao::start();
    let store = rooted(&server, "secret/one");
    let newer = json!({"data": {"token": NEW, "sftoken": "{\"schema\":9}"}});
    server.api("POST", "secret/data/one", newer);
    let error = put(&*store, 1, OLD).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "`sftoken`",
        "update sftoken",
    );
    assert_eq!(held(&*store).as_deref(), Some(NEW));
    server.api(
        "POST",
        "secret/data/one",
        json!({"data": {"token": "no token"}}),
    );
    assert_eq!(
        store.get(&key(USERNAME)).unwrap_err().kind,
        StoreErrorKind::Corrupt
    );
}
