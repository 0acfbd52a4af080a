//! What both stores promise of the order of tokens, whoever races and whatever breaks.

use super::*;

#[track_caller]
fn check_order(scheme: &str) {
    let server = Moto::start();
    let store = at(&server, scheme);
    store.check().unwrap();
    assert_eq!(held(&*store), None);
    assert_eq!(put(&*store, 2, OLD).unwrap(), Put::Written);
    assert_eq!(held(&*store).as_deref(), Some(OLD));
    let other = at(&server, scheme);
    assert_eq!(put(&*other, 1, NEW).unwrap(), Put::Superseded);
    assert_eq!(put(&*other, 2, OLD).unwrap(), Put::Unchanged);
    assert_eq!(held(&*store).as_deref(), Some(OLD));
    assert_eq!(put(&*other, 3, NEW).unwrap(), Put::Written);
    assert_eq!(put(&*store, 2, OLD).unwrap(), Put::Superseded);
    assert_eq!(held(&*store).as_deref(), Some(NEW));
    store.check().unwrap();
}

#[test]
fn a_secret_is_made_and_kept_newest() {
    check_order("awssm");
}

#[test]
fn a_parameter_is_made_and_kept_newest() {
    check_order("awsps");
}

/// Many rounds on one server, each with a slot of its own; everybody starts at once, in another order each time.
#[track_caller]
fn check_race(scheme: &str) {
    let server = Arc::new(Moto::start());
    let gate = gate(&server, |_, pass| pass());
    let endpoint = format!("http://{}", gate.authority());
    for round in 0..12 {
        let url = store(scheme, &format!("race{round}"), &endpoint, "");
        let barrier = Arc::new(std::sync::Barrier::new(8));
        let writers: Vec<_> = (0..8)
            .map(|place| {
                let second = (place * 5 + round) % 8;
                let (store, barrier) = (planted(&url), Arc::clone(&barrier));
                thread::spawn(move || {
                    barrier.wait();
                    put(&*store, second, &of_second(second)).unwrap()
                })
            })
            .collect();
        let ends: Vec<Put> = writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect();
        let expected = |end: &Put| matches!(end, Put::Written | Put::Superseded);
        assert!(ends.iter().all(expected), "{ends:?}");
        let newest = held(&*planted(&url));
        assert_eq!(newest, Some(of_second(7)), "round {round}: {ends:?}");
    }
}

#[test]
fn of_eight_writers_of_a_secret_the_newest_stays() {
    check_race("awssm");
}

#[test]
fn of_eight_writers_of_a_parameter_the_newest_stays() {
    check_race("awsps");
}

/// How a writer meets its end at a request.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Before the service heard of it.
    Before,
    /// After the service has done it.
    After,
}

fn the_end() -> (u16, String) {
    (400, json!({"__type": "TheEndOfTheWriter"}).to_string())
}

/// A writer ends at each of its requests in turn, before it and after it. Whoever tries the same mail again, finishes it; an
/// older mail never comes back; and nothing stays behind.
#[track_caller]
fn check_ends(scheme: &str, is_new: bool) {
    let server = Arc::new(Moto::start());
    let mut ended = 0;
    for end in [End::Before, End::After] {
        for at in 0.. {
            let name = format!("end-{is_new}-{end:?}-{at}");
            let whole = planted(&server.store(scheme, &name, ""));
            if !is_new {
                put(&*whole, 1, OLD).unwrap();
            }
            let count = Mutex::new(0);
            let gate = gate(&server, move |_, pass| {
                let mut count = count.lock().unwrap();
                *count += 1;
                match (*count - 1 < at, end) {
                    (true, _) => pass(),
                    (false, End::Before) => the_end(),
                    (false, End::After) => {
                        // nothing after it
                        if *count - 1 == at {
                            pass();
                        }
                        the_end()
                    }
                }
            });
            let endpoint = format!("http://{}", gate.authority());
            let broken = planted(&store(scheme, &name, &endpoint, ""));
            let first = put(&*broken, 2, NEW);
            let now = held(&*whole);
            let both = [if is_new { None } else { Some(OLD) }, Some(NEW)];
            assert!(both.contains(&now.as_deref()), "{name}: {now:?}");
            let again = put(&*whole, 2, NEW).unwrap();
            assert!(
                matches!(again, Put::Written | Put::Unchanged),
                "{name}: {again:?}"
            );
            assert_eq!(put(&*whole, 1, OLD).unwrap(), Put::Superseded, "{name}");
            assert_eq!(held(&*whole).as_deref(), Some(NEW), "{name}");
            assert_eq!(put(&*whole, 3, &of_second(3)).unwrap(), Put::Written);
            if scheme == "awssm" {
                let labels = server.labels(&name);
                let current = labels
                    .iter()
                    .filter(|(_, labels)| labels.contains(&"AWSCURRENT".to_owned()));
                assert_eq!(current.count(), 1, "{name}: {labels:?}");
                let ours = labels.iter().flat_map(|(_, labels)| labels);
                let ours = ours.filter(|label| label.starts_with("sftoken"));
                assert_eq!(ours.count(), 0, "{name}: {labels:?}");
            }
            if first.is_ok() {
                break;
            }
            ended += 1;
        }
    }
    assert!(ended >= 6, "only {ended} ends");
}

#[test]
fn a_writer_of_a_secret_may_end_anywhere() {
    check_ends("awssm", false);
}

#[test]
fn a_writer_of_a_new_secret_may_end_anywhere() {
    check_ends("awssm", true);
}

#[test]
fn a_writer_of_a_parameter_may_end_anywhere() {
    check_ends("awsps", false);
}

#[test]
fn a_writer_of_a_new_parameter_may_end_anywhere() {
    check_ends("awsps", true);
}

#[test]
fn accounts_and_orgs_do_not_meet() {
    let server = Moto::start();
    for scheme in BOTH {
        let store = at(&server, scheme);
        let sandbox = Key {
            org: Org::Sandbox,
            ..key(USERNAME)
        };
        put(&*store, 1, OLD).unwrap();
        let mut meta = mail_of(2, NEW);
        meta.org = Org::Sandbox;
        store.publish(&sandbox, &token(NEW), &meta).unwrap();
        assert_eq!(held(&*store).as_deref(), Some(OLD));

        let fixed = planted(&server.store(scheme, "one", ""));
        put(&*fixed, 1, OLD).unwrap();
        let end = fixed.publish(&sandbox, &token(NEW), &meta).unwrap();
        assert_eq!(end, Put::OtherOrg);
        let other = key("someone.else@acme.example");
        let error = fixed
            .publish(&other, &token(NEW), &mail_of(2, NEW))
            .unwrap_err();
        let (kind, hint) = (StoreErrorKind::Misconfigured, "{username}");
        check_error(&error, kind, "another account", hint);
        assert_eq!(held(&*fixed).as_deref(), Some(OLD));
    }
    assert_eq!(
        server.secret("sf/integration@acme.example=sandbox")["token"],
        NEW
    );
    let sandbox = server.parameter("/sf/integration_40acme.example_sandbox");
    assert_eq!(sandbox["Value"], NEW);
}

/// Slots as receipts show them, without anything that is nobody's affair.
#[test]
fn a_slot_is_a_url() {
    let shown = |url: &str| planted(url).slot(&key(USERNAME));
    assert_eq!(
        shown("awssm://eu-west-1/sf/{username}"),
        "awssm://eu-west-1/sf/integration@acme.example"
    );
    assert_eq!(
        shown("awssm://ops@-/sf?field=sf_token&kms-key=alias%2Fk"),
        "awssm://ops@-/sf?field=sf_token"
    );
    assert_eq!(
        shown("awsps://eu-west-1/sf/{username}?endpoint=https://vpce-1.example"),
        "awsps://eu-west-1/sf/integration_40acme.example?endpoint=https%3A%2F%2Fvpce-1.example"
    );
}
