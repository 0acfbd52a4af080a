//! What is particular to the Parameter Store: types, keys, histories, and repair.

use super::*;

#[test]
fn readers_find_the_bare_token_encrypted() {
    let server = Moto::start();
    let url = server.store("awsps", "sf/{username}", "&kms-key=alias/tokens");
    put(&*planted(&url), 1, OLD).unwrap();
    let made = server.parameter(PARAMETER);
    // moto shows by which key it would have encrypted
    assert_eq!(made["Type"], "SecureString");
    assert_eq!(made["Value"], OLD);
    let history = |name: &str| {
        let asked = json!({"Name": name, "WithDecryption": true});
        server.parameters("GetParameterHistory", asked)["Parameters"]
            .as_array()
            .unwrap()
            .clone()
    };
    let first = history(PARAMETER)[0].clone();
    assert_eq!(first["KeyId"], "alias/tokens");
    let note = first["Description"]
        .as_str()
        .unwrap()
        .strip_prefix("sftoken ")
        .unwrap();
    let note: Value = serde_json::from_str(note).unwrap();
    assert_eq!(
        (&note["username"], &note["message_id"]),
        (&json!(USERNAME), &json!("1@mail.example"))
    );
    // whoever names no key keeps the parameter's
    put(&*at(&server, "awsps"), 2, NEW).unwrap();
    assert_eq!(history(PARAMETER)[1]["KeyId"], "alias/tokens");
}

#[test]
fn a_parameter_in_the_clear_is_not_written() {
    let server = Moto::start();
    let made = json!({"Name": PARAMETER, "Type": "String", "Value": "theirs"});
    server.parameters("PutParameter", made);
    let error = put(&*at(&server, "awsps"), 1, OLD).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Misconfigured,
        "type String",
        "SecureString",
    );
    assert_eq!(server.parameter(PARAMETER)["Value"], "theirs");
}

/// An older mail's writer has read, and then sleeps, while a newer one writes: its overwrite is noticed, and undone.
#[test]
fn an_older_token_that_was_written_over_a_newer_one_does_not_stay() {
    let server = Arc::new(Moto::start());
    let whole = at(&server, "awsps");
    put(&*whole, 1, OLD).unwrap();
    let (rival, once) = (at(&server, "awsps"), Mutex::new(false));
    let gate = gate(&server, move |asked, pass| {
        let mut once = once.lock().unwrap();
        if action(asked) == "PutParameter" && !std::mem::replace(&mut *once, true) {
            assert_eq!(put(&*rival, 9, &of_second(9)).unwrap(), Put::Written);
        }
        pass()
    });
    let slow = behind(&gate, "awsps");
    assert_eq!(put(&*slow, 5, &of_second(5)).unwrap(), Put::Superseded);
    assert_eq!(held(&*whole), Some(of_second(9)));
    let repaired = server.parameter(PARAMETER);
    assert_eq!(repaired["Version"], 4);
}

/// The same, and the older writer ends before it looks: for whoever comes next, the newest token is still the one.
#[test]
fn what_a_writer_left_undone_is_done_by_the_next() {
    for next in [5, 4, 7, 9] {
        let server = Arc::new(Moto::start());
        let whole = at(&server, "awsps");
        put(&*whole, 1, OLD).unwrap();
        let (rival, puts) = (at(&server, "awsps"), Mutex::new(0));
        let gate = gate(&server, move |asked, pass| {
            let mut puts = puts.lock().unwrap();
            if action(asked) == "PutParameter" && *puts == 0 {
                assert_eq!(put(&*rival, 8, &of_second(8)).unwrap(), Put::Written);
                *puts += 1;
                return pass();
            }
            match *puts {
                0 => pass(),
                _ => (400, json!({"__type": "TheEnd"}).to_string()),
            }
        });
        put(&*behind(&gate, "awsps"), 5, &of_second(5)).unwrap_err();
        assert_eq!(
            held(&*whole),
            Some(of_second(5)),
            "the older one stands there"
        );
        let end = put(&*whole, next, &of_second(next)).unwrap();
        let expected = if next == 9 {
            Put::Written
        } else {
            Put::Superseded
        };
        assert_eq!(end, expected, "{next}");
        assert_eq!(held(&*whole), Some(of_second(next.max(8))));
    }
}

/// The service keeps a hundred versions, and tells fifty at once.
#[test]
fn a_long_history_is_read_whole() {
    let server = Moto::start();
    let store = at(&server, "awsps");
    for second in 0..120 {
        assert_eq!(
            put(&*store, second, &of_second(second)).unwrap(),
            Put::Written,
            "{second}"
        );
    }
    assert_eq!(put(&*store, 60, &of_second(60)).unwrap(), Put::Superseded);
    assert_eq!(held(&*store), Some(of_second(119)));
    assert_eq!(server.parameter(PARAMETER)["Version"], 120);
}

#[test]
fn what_a_person_wrote_stands_until_the_next_token() {
    let server = Moto::start();
    let store = at(&server, "awsps");
    put(&*store, 5, OLD).unwrap();
    let by_hand = |value: &str, description: &str| {
        let made = json!({"Name": PARAMETER, "Value": value, "Overwrite": true, "Description": description});
        server.parameters("PutParameter", made);
    };
    by_hand("TokenByHandTokenByHand00", "by hand");
    assert_eq!(held(&*store).as_deref(), Some("TokenByHandTokenByHand00"));
    assert_eq!(put(&*store, 6, NEW).unwrap(), Put::Written);
    // in the console, the description stays when the value is changed
    let description = {
        let asked = json!({"Name": PARAMETER, "WithDecryption": true});
        let told = server.parameters("GetParameterHistory", asked);
        told["Parameters"].as_array().unwrap().last().unwrap()["Description"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    by_hand("TokenByHandTokenByHand00", &description);
    let error = put(&*store, 6, NEW).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "another token",
        "find out who",
    );
    assert_eq!(put(&*store, 5, OLD).unwrap(), Put::Superseded);
    assert_eq!(held(&*store).as_deref(), Some("TokenByHandTokenByHand00"));
    assert_eq!(put(&*store, 7, &of_second(7)).unwrap(), Put::Written);
    by_hand(NEW, "sftoken {\"schema\":9}");
    let error = put(&*store, 8, OLD).unwrap_err();
    check_error(
        &error,
        StoreErrorKind::Corrupt,
        "cannot be read",
        "update sftoken",
    );
}

#[test]
fn the_longest_message_id_fits() {
    let server = Moto::start();
    let store = at(&server, "awsps");
    let mut meta = mail_of(1, OLD);
    meta.message_id = Some(format!("{}@mail.example", "m".repeat(980)));
    let put = || store.publish(&key(USERNAME), &token(OLD), &meta).unwrap();
    assert_eq!(put(), Put::Written);
    assert_eq!(put(), Put::Unchanged);
}
