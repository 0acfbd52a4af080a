use super::*;

fn record() -> Record {
    let at = "2026-11-23T10:00:00.5Z".parse().unwrap();
    Record::new(at, Event::HookFailed)
}

#[test]
fn the_text_is_ascii_and_comes_back_as_it_was() {
    for odd in [
        "",
        "plain",
        "\u{7f}\u{1b}[31m\u{202e}\n\"\\",
        "Grüße, 東京, 😀 and after",
        "é",
        "éé",
    ] {
        let record = Record {
            detail: Some(odd.to_owned()),
            ..record()
        };
        let text = record.text().unwrap();
        let plain = |byte: u8| (0x20..0x7f).contains(&byte);
        assert!(text.bytes().all(plain), "{text}");
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }
}

#[test]
fn every_key_is_there_in_a_fixed_order() {
    let expected = "{\"at\":\"2026-11-23T10:00:00.5Z\",\"event\":\"hook_failed\",\"username\":null,\
        \"org\":null,\"fingerprint\":null,\"source\":null,\"slot\":null,\"reason\":null,\
        \"detail\":null,\"date\":null,\"message_id\":null,\"body_hash\":null}";
    assert_eq!(record().text().unwrap(), expected);
}

#[test]
fn a_decision_becomes_an_event_and_comes_back() {
    for (outcome, reason, event) in [
        ("found", None, Event::Stored),
        ("refused", Some("older_than_current"), Event::Superseded),
        ("refused", Some("dkim_missing"), Event::Refused),
        ("not_ours", Some("unknown_account"), Event::NotOurs),
        ("undecided", Some("dkim_temperror"), Event::Undecided),
        ("undecided", Some("set_aside"), Event::SetAside),
        ("undecided", Some("store_locked"), Event::StoreFailed),
        ("undecided", None, Event::Undecided),
    ] {
        let decision = Decision {
            at: record().at,
            source: Source::File {
                file: "x.eml".to_owned(),
            },
            outcome: outcome.to_owned(),
            reason: reason.map(str::to_owned),
            username: None,
            org: Some(Org::Sandbox),
            fingerprint: None,
            date: None,
            message_id: None,
            body_hash: None,
            more_to_come: false,
            slot: None,
        };
        let record = Record::from(&decision);
        assert_eq!(record.event, event);
        assert_eq!(record.decision(), Some(decision));
    }
}

#[test]
fn the_words_are_those_of_the_json() {
    for event in Event::ALL {
        let json = serde_json::to_value(event).unwrap();
        assert_eq!(json, event.as_str());
    }
}
