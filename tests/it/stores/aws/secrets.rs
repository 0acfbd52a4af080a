//! What is particular to Secrets Manager: fields, versions, labels, deletion.

use super::*;

#[test]
fn readers_find_a_documented_object_and_a_conditional_version() {
    let server = Moto::start();
    let store = at(&server, "awssm");
    put(&*store, 1, OLD).unwrap();
    put(&*store, 2, NEW).unwrap();
    let value = server.secret(SECRET);
    assert_eq!(
        (&value["token"], &value["username"]),
        (&json!(NEW), &json!(USERNAME))
    );
    let note = &value["sftoken"];
    assert_eq!(
        (&note["message_id"], &note["org"]),
        (&json!("2@mail.example"), &json!("production"))
    );
    assert_eq!(value.as_object().unwrap().len(), 3, "{value}");
    let labels = server.labels(SECRET);
    let with = |label: &str| {
        let mut found = labels
            .iter()
            .filter(|(_, labels)| labels.contains(&label.to_owned()));
        found.next().map(|(id, _)| id.clone())
    };
    let previous = json!({"SecretId": SECRET, "VersionId": with("AWSPREVIOUS").unwrap()});
    let previous = server.secrets("GetSecretValue", previous)["SecretString"].to_string();
    assert!(previous.contains(OLD), "{previous}");
    assert_eq!(with("sftoken-candidate"), None);
    assert!(with("AWSCURRENT").is_some());
}

#[test]
fn what_others_keep_in_the_same_secret_stays() {
    let server = Moto::start();
    let theirs = json!({"password": "theirs", "token": "no token"}).to_string();
    server.secrets(
        "CreateSecret",
        json!({"Name": SECRET, "SecretString": theirs, "ClientRequestToken": "c".repeat(32)}),
    );
    let store = at(&server, "awssm");
    let error = store.get(&key(USERNAME)).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "holds no token",
        "remove the field",
    );
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
    assert_eq!(server.secret(SECRET)["password"], "theirs");
    assert_eq!(held(&*store).as_deref(), Some(OLD));

    let parameters = "&field=sf_token";
    let other = planted(&server.store("awssm", "sf/{username}", parameters));
    assert_eq!(other.get(&key(USERNAME)).unwrap(), None);
}

#[test]
fn a_value_that_is_no_object_is_not_written_over() {
    let server = Moto::start();
    for (number, value) in ["a password", "[1]", "\"text\"", "7"]
        .into_iter()
        .enumerate()
    {
        let name = format!("theirs{number}");
        let made =
            json!({"Name": name, "SecretString": value, "ClientRequestToken": "c".repeat(32)});
        server.secrets("CreateSecret", made);
        let store = planted(&server.store("awssm", &name, ""));
        let error = put(&*store, 1, OLD).unwrap_err();
        check_error(
            &error,
            StoreErrorKind::Corrupt,
            "JSON object",
            "a secret of its own",
        );
        let asked = json!({"SecretId": name, "VersionStage": "AWSCURRENT"});
        assert_eq!(
            server.secrets("GetSecretValue", asked)["SecretString"],
            value
        );
    }
}

/// Between reading and moving the label, another writer gets through: the label has moved, and everything is read anew.
#[test]
fn a_label_that_has_moved_is_a_conflict() {
    let server = Arc::new(Moto::start());
    let whole = at(&server, "awssm");
    put(&*whole, 1, OLD).unwrap();
    for (second, end) in [(3, Put::Superseded), (5, Put::Written)] {
        let (rival, value) = (at(&server, "awssm"), of_second(4 + second % 2));
        let once = Mutex::new(false);
        let gate = gate(&server, move |asked, pass| {
            let mut once = once.lock().unwrap();
            if action(asked) == "UpdateSecretVersionStage" && !*once {
                *once = true;
                let newer = put(&*rival, 4, &of_second(4));
                assert!(
                    matches!(newer, Ok(Put::Written | Put::Unchanged | Put::Superseded)),
                    "{value}: {newer:?}"
                );
            }
            pass()
        });
        let slow = behind(&gate, "awssm");
        assert_eq!(put(&*slow, second, &of_second(second)).unwrap(), end);
        assert_eq!(held(&*whole), Some(of_second(second.max(4))));
    }
}

#[test]
fn a_secret_that_is_to_be_deleted_says_so() {
    let server = Moto::start();
    let store = at(&server, "awssm");
    put(&*store, 1, OLD).unwrap();
    server.secrets(
        "DeleteSecret",
        json!({"SecretId": SECRET, "RecoveryWindowInDays": 7}),
    );
    let error = put(&*store, 2, NEW).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Refused,
        "scheduled for deletion",
        "restore-secret",
    );
    server.secrets("RestoreSecret", json!({"SecretId": SECRET}));
    assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Unchanged);
    let gone = json!({"SecretId": SECRET, "ForceDeleteWithoutRecovery": true});
    server.secrets("DeleteSecret", gone);
    assert_eq!(held(&*store), None);
    assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written);
}

/// Who puts an older version back wants it; the next token replaces it all the same.
#[test]
fn a_version_that_was_put_back_by_hand_is_replaced_by_the_next_token() {
    let server = Moto::start();
    let store = at(&server, "awssm");
    put(&*store, 1, OLD).unwrap();
    put(&*store, 2, NEW).unwrap();
    let labels = server.labels(SECRET);
    let id = |label: &str| {
        labels
            .iter()
            .find(|(_, labels)| labels.contains(&label.to_owned()))
            .unwrap()
            .0
            .clone()
    };
    let back = json!({"SecretId": SECRET, "VersionStage": "AWSCURRENT", "MoveToVersionId": id("AWSPREVIOUS"), "RemoveFromVersionId": id("AWSCURRENT")});
    server.secrets("UpdateSecretVersionStage", back);
    assert_eq!(held(&*store).as_deref(), Some(OLD));
    // the version of this mail is there already, and is made current again
    assert_eq!(put(&*store, 2, NEW).unwrap(), Put::Written);
    assert_eq!(held(&*store).as_deref(), Some(NEW));
    assert_eq!(server.labels(SECRET).len(), labels.len());
}

/// Many conflicts and ends do not use up the labels of a secret (20), nor its versions.
#[test]
fn nothing_piles_up() {
    let server = Arc::new(Moto::start());
    let whole = at(&server, "awssm");
    put(&*whole, 1, OLD).unwrap();
    let gate = gate(&server, |asked, pass| match action(asked) {
        "UpdateSecretVersionStage" => (400, json!({"__type": "TheEnd"}).to_string()),
        _ => pass(),
    });
    let broken = behind(&gate, "awssm");
    for second in 2..32 {
        put(&*broken, second, &of_second(second)).unwrap_err();
        put(&*broken, second, &of_second(second)).unwrap_err();
    }
    let labels = server.labels(SECRET);
    let all = labels.iter().flat_map(|(_, labels)| labels).count();
    assert_eq!(
        (all, held(&*whole).as_deref()),
        (2, Some(OLD)),
        "{labels:?}"
    );
    assert_eq!(labels.len(), 31);
}

#[test]
fn a_note_that_cannot_be_read_stops_the_write() {
    let server = Moto::start();
    let value = json!({"token": OLD, "sftoken": {"schema": 9}}).to_string();
    server.secrets(
        "CreateSecret",
        json!({"Name": SECRET, "SecretString": value, "ClientRequestToken": "c".repeat(32)}),
    );
    let store = at(&server, "awssm");
    let error = put(&*store, 2, NEW).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "cannot be read",
        "update sftoken",
    );
    assert_eq!(held(&*store).as_deref(), Some(OLD));
}

/// As made by infrastructure code: the secret is there, and empty. On AWS, its first version becomes current by itself; a server
/// that does not do so is asked to.
#[test]
fn a_secret_without_a_value_takes_its_first() {
    for by_itself in [true, false] {
        let stub = Empty::start(by_itself);
        let store = behind(&stub.0, "awssm");
        assert_eq!(put(&*store, 1, OLD).unwrap(), Put::Written);
        let asked: Vec<Asked> = stub.0.asked();
        let told: Vec<&str> = asked.iter().map(action).collect();
        assert!(!told.contains(&"CreateSecret"), "{told:?}");
        assert_eq!(told.contains(&"UpdateSecretVersionStage"), !by_itself);
    }
}

/// A secret without a version.
struct Empty(Stub);

impl Empty {
    fn start(by_itself: bool) -> Self {
        let state = Mutex::new((None::<Value>, false));
        Self(Stub::start(move |asked| {
            let (version, is_current) = &mut *state.lock().unwrap();
            match (action(asked), version.as_ref(), *is_current) {
                ("GetSecretValue", Some(version), true) => (200, version.to_string()),
                ("GetSecretValue", ..) => (
                    400,
                    json!({"__type": "ResourceNotFoundException"}).to_string(),
                ),
                ("PutSecretValue", ..) => {
                    let body = asked.json();
                    *version = Some(
                        json!({"VersionId": body["ClientRequestToken"], "SecretString": body["SecretString"]}),
                    );
                    *is_current = by_itself;
                    let mut labels = vec!["sftoken-candidate"];
                    labels.extend(by_itself.then_some("AWSCURRENT"));
                    (
                        200,
                        json!({"VersionId": body["ClientRequestToken"], "VersionStages": labels})
                            .to_string(),
                    )
                }
                ("UpdateSecretVersionStage", ..) => {
                    *is_current = true;
                    (200, "{}".to_owned())
                }
                _ => (400, json!({"__type": "NotHere"}).to_string()),
            }
        }))
    }
}
