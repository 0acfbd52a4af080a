//! The alias names the newest token, whoever races; and `latest` means it too, once all have ended.

use std::thread;

use serde_json::Value;
use sftoken::ingest::policy::Org;

use super::*;

#[test]
fn a_secret_is_made_and_kept_newest() {
    let project = Project::default();
    let stub = project.start();
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
    for version in ["current", "latest", "2"] {
        assert_eq!(project.read("salesforce", version), NEW);
    }
    let secret = project.change(|inside| inside.secrets["salesforce"].clone());
    assert_eq!(secret.versions.len(), 2);
    let note: Value = serde_json::from_str(&secret.annotations["sftoken"]).unwrap();
    assert_eq!(note["username"], USERNAME);
    assert_eq!(note["message_id"], "3@mail.example");
    let slot = format!("gcsm://{}/acme-jobs/salesforce", stub.authority());
    assert_eq!(store.slot(&key(USERNAME)), slot);
    assert!(store.capabilities().conditional && store.capabilities().readable);
}

/// No two rounds have the same order.
#[test]
fn of_eight_writers_in_any_order_the_newest_stays() {
    for round in 0..8 {
        let project = Project::default();
        let stub = project.start();
        // one log-in for all: each would get a token of its own
        let store = open(&stub, "salesforce");
        store.check().unwrap();
        let writers: Vec<_> = shuffled(round)
            .into_iter()
            .map(|second| {
                let store = Arc::clone(&store);
                thread::spawn(move || {
                    put(&*store, second, &format!("TokenOfSecond{second:011}")).unwrap()
                })
            })
            .collect();
        for writer in writers {
            let end = writer.join().unwrap();
            assert!(matches!(end, Put::Written | Put::Superseded), "{end:?}");
        }
        for version in ["current", "latest"] {
            let read = project.read("salesforce", version);
            assert_eq!(read, "TokenOfSecond00000000007", "round {round}, {version}");
        }
    }
}

/// Between our look and our write, another machine brings a newer token: ours is the latest version for a moment.
#[test]
fn who_lost_a_race_makes_the_newest_the_latest_again() {
    let project = Project::default();
    let stub = project.start();
    let store = open(&stub, "salesforce");
    put(&*store, 1, OLD).unwrap();
    project.change(|inside| {
        inside.before = Some(("PATCH", |secrets| {
            let secret = secrets.get_mut("salesforce").unwrap();
            let ours = secret.versions.pop().unwrap();
            secret
                .versions
                .push(("ENABLED", "NewestNewestNewestNewest".to_owned()));
            secret.versions.push(ours);
            let note = secret.annotations["sftoken"]
                .replace("2025-11-24T16:00:01Z", "2025-11-24T16:01:01Z");
            assert_ne!(note, secret.annotations["sftoken"]);
            secret
                .annotations
                .insert("sftoken".to_owned(), note.replace("1@mail", "61@mail"));
            secret.aliases.insert("current".to_owned(), "2".to_owned());
            secret.etag += 1;
        }));
    });
    assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Superseded);
    for version in ["current", "latest"] {
        assert_eq!(
            project.read("salesforce", version),
            "NewestNewestNewestNewest"
        );
    }
}

/// Only what is read by the number of its version is always there at once (Google's documentation of consistency).
#[test]
fn what_is_shown_late_is_waited_for() {
    let project = Project::default();
    let stub = project.start();
    let store = open(&stub, "salesforce");
    put(&*store, 1, OLD).unwrap();
    project.change(|inside| inside.lag = 3);
    assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written);
    assert_eq!(project.read("salesforce", "latest"), NEW);
    let versions = || project.change(|inside| inside.secrets["salesforce"].versions.len());
    assert_eq!(versions(), 2);

    // not for ever; and no version is added for each look
    project.change(|inside| inside.lag = 1000);
    let error = put(&*store, 3, OLD).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Unreachable,
        "does not show yet",
        "tried again",
    );
    assert!(versions() <= 3, "{}", versions());
    project.change(|inside| inside.catch_up());
    assert_eq!(put(&*store, 3, OLD).unwrap(), Put::Unchanged);
    for version in ["current", "latest"] {
        assert_eq!(project.read("salesforce", version), OLD);
    }
}

/// A run that was cut off after it had added its version.
#[test]
fn a_version_that_was_left_over_is_used_or_covered() {
    let project = Project::default();
    let stub = project.start();
    let store = open(&stub, "salesforce");
    put(&*store, 2, OLD).unwrap();
    let left_over = |value: &str| {
        project.change(|inside| {
            let secret = inside.secrets.get_mut("salesforce").unwrap();
            secret.versions.push(("ENABLED", value.to_owned()));
        });
    };
    left_over("OlderOlderOlderOlderOlder");
    assert_eq!(
        put(&*store, 1, "OlderOlderOlderOlderOlder").unwrap(),
        Put::Superseded
    );
    assert_eq!(project.read("salesforce", "latest"), OLD);
    assert_eq!(project.read("salesforce", "current"), OLD);

    left_over(NEW);
    let before = project.change(|inside| inside.secrets["salesforce"].versions.len());
    assert_eq!(put(&*store, 3, NEW).unwrap(), Put::Written);
    let after = project.change(|inside| inside.secrets["salesforce"].versions.len());
    assert_eq!(
        (before, project.read("salesforce", "current")),
        (after, NEW.to_owned())
    );
}

/// `gcloud secrets versions add`: readers of `latest` get it, until a newer mail comes.
#[test]
fn what_a_person_has_added_is_not_covered_by_an_older_mail() {
    let project = Project::default();
    let stub = project.start();
    let store = open(&stub, "salesforce");
    put(&*store, 2, OLD).unwrap();
    let by_hand = "ByHandByHandByHandByHand";
    project.change(|inside| {
        let secret = inside.secrets.get_mut("salesforce").unwrap();
        secret.versions.push(("ENABLED", by_hand.to_owned()));
    });
    assert_eq!(put(&*store, 1, NEW).unwrap(), Put::Superseded);
    assert_eq!(put(&*store, 2, OLD).unwrap(), Put::Unchanged);
    assert_eq!(project.read("salesforce", "latest"), by_hand);
    // and one who moves the alias, too
    project.change(|inside| {
        let secret = inside.secrets.get_mut("salesforce").unwrap();
        secret.aliases.insert("current".to_owned(), "2".to_owned());
        secret.etag += 1;
    });
    let error = put(&*store, 2, OLD).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "another token",
        "who changed it",
    );
    assert_eq!(held(&*store), Some(token(by_hand)));
    assert_eq!(put(&*store, 3, NEW).unwrap(), Put::Written);
    assert_eq!(project.read("salesforce", "latest"), NEW);
}

#[test]
fn what_others_keep_in_the_secret_stays() {
    let project = Project::default();
    let stub = project.start();
    let mut secret = project::Secret {
        etag: 5,
        versions: vec![("ENABLED", "by terraform".to_owned())],
        ..project::Secret::default()
    };
    secret
        .annotations
        .insert("team".to_owned(), "jobs".to_owned());
    secret.aliases.insert("blue".to_owned(), "1".to_owned());
    project.change(|inside| inside.secrets.insert("salesforce".to_owned(), secret));
    let store = planted(&stub)
        .open(&url(&stub, "salesforce", "&alias=live"))
        .unwrap();
    assert_eq!(held(&*store), None);
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
    let secret = project.change(|inside| inside.secrets["salesforce"].clone());
    assert_eq!(secret.annotations["team"], "jobs");
    assert_eq!(
        (
            secret.aliases["blue"].as_str(),
            secret.aliases["live"].as_str()
        ),
        ("1", "2")
    );
}

#[test]
fn two_that_make_the_secret_at_once_do_not_quarrel() {
    let project = Project::default();
    let stub = project.start();
    project.change(|inside| {
        inside.before = Some(("POST", |secrets| {
            let made = project::Secret {
                etag: 1,
                ..project::Secret::default()
            };
            secrets.insert("salesforce".to_owned(), made);
        }));
    });
    assert_eq!(
        put(&*open(&stub, "salesforce"), 1, OLD).unwrap(),
        Put::Written
    );
    assert_eq!(project.read("salesforce", "current"), OLD);
}

#[test]
fn a_version_that_is_shut_is_told_and_replaced() {
    for state in ["DISABLED", "DESTROYED"] {
        let project = Project::default();
        let stub = project.start();
        let store = open(&stub, "salesforce");
        put(&*store, 2, OLD).unwrap();
        project.change(|inside| {
            inside.secrets.get_mut("salesforce").unwrap().versions[0].0 = state;
        });
        let error = store.get(&key(USERNAME)).unwrap_err();
        check_error(
            &error,
            StoreErrorKind::Refused,
            "disabled or destroyed",
            "enable it",
        );
        assert_eq!(put(&*store, 1, NEW).unwrap(), Put::Superseded);
        // the mail that brought it may bring it again
        assert_eq!(put(&*store, 2, OLD).unwrap(), Put::Written);
        assert_eq!(held(&*store), Some(token(OLD)));
    }
}

#[test]
fn accounts_and_orgs_do_not_meet() {
    let project = Project::default();
    let stub = project.start();
    let store = open(&stub, "sf-{username}");
    let sandbox = Key {
        org: Org::Sandbox,
        ..key(USERNAME)
    };
    put(&*store, 1, OLD).unwrap();
    let mut meta = mail_of(2, NEW);
    meta.org = Org::Sandbox;
    store.publish(&sandbox, &token(NEW), &meta).unwrap();
    assert_eq!(
        project.read("sf-integration_40acme_2Eexample", "current"),
        OLD
    );
    assert_eq!(
        project.read("sf-integration_40acme_2Eexample_sandbox", "current"),
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
    assert_eq!(project.read("one", "current"), OLD);
}

#[test]
fn a_note_that_is_not_understood_stops_the_write() {
    let project = Project::default();
    let stub = project.start();
    let store = open(&stub, "salesforce");
    put(&*store, 1, OLD).unwrap();
    project.change(|inside| {
        let secret = inside.secrets.get_mut("salesforce").unwrap();
        secret
            .annotations
            .insert("sftoken".to_owned(), "{\"schema\":9}".to_owned());
    });
    let error = put(&*store, 2, NEW).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "annotation sftoken",
        "update sftoken",
    );
    assert_eq!(project.read("salesforce", "current"), OLD);
}
