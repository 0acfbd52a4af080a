use super::*;

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn webhook(url: &str, with: Option<&str>) -> Result<Webhook, NotifyError> {
    Webhook::new(&secret(url), with.map(secret).as_ref(), &Http::new())
}

/// The example of the specification's own libraries.
#[test]
fn the_signature_is_that_of_the_specification() {
    let key = key(
        "x.example",
        &secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    )
    .unwrap();
    let signature = key.sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        br#"{"test": 2432232314}"#,
    );
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn only_the_host_is_shown() {
    let webhook = webhook(
        "https://hooks.example/T0/B1/planted?key=planted",
        Some("planted"),
    )
    .unwrap();
    assert_eq!(webhook.shown(), "hooks.example");
    assert!(!format!("{webhook:?}").contains("planted"), "{webhook:?}");
}

#[test]
fn what_is_no_place_for_events_is_told_without_the_url() {
    for (url, problem) in [
        ("planted", "is none"),
        ("http://hooks.example/planted", "not one of HTTPS"),
        ("https://planted:planted@hooks.example/", "holds a log-in"),
        ("https://:planted@hooks.example/", "holds a log-in"),
        ("ftp://hooks.example/planted", "not one of HTTPS"),
    ] {
        let error = webhook(url, None).unwrap_err();
        assert_eq!(error.kind, Kind::Misconfigured);
        assert!(error.problem.contains(problem), "{url}: {error}");
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
    webhook("http://127.0.0.1:1/x", None).unwrap();
}

#[test]
fn a_secret_that_is_none_is_told_without_it() {
    for (text, problem) in [
        ("whsec_planted!", "no base64"),
        ("", "is empty"),
        ("whsec_", "is empty"),
    ] {
        let error = webhook("https://hooks.example/", Some(text)).unwrap_err();
        assert!(error.problem.contains(problem), "{text}: {error}");
        assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    }
}

#[test]
fn a_pause_is_seconds_or_a_date_and_bounded() {
    let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    let seconds = |text| pause(text, now).map(|pause| pause.as_secs());
    assert_eq!(seconds("120"), Some(120));
    assert_eq!(seconds("99999999"), Some(3600));
    assert_eq!(seconds("Mon, 23 Nov 2026 10:00:30 GMT"), Some(30));
    assert_eq!(seconds("Mon, 23 Nov 2026 09:00:00 GMT"), Some(0));
    assert_eq!(seconds("soon"), None);
    assert_eq!(seconds("-5"), None);
}
