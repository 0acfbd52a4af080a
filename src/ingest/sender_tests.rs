use super::*;
use crate::ingest::mail::Mail;

#[track_caller]
fn check(value: &str, expected: Option<&str>) {
    let mail = format!("From: {value}\r\n\r\n");
    let mail = Mail::parse(mail.as_bytes());
    let found = sender(mail.named("from").next().unwrap());
    match expected {
        Some(address) => assert!(found.unwrap().is(address), "{value}"),
        None => assert_eq!(found, Err(Refusal::FromInvalid), "{value}"),
    }
}

#[test]
fn one_plain_address_with_or_without_a_name() {
    let support = Some("support@salesforce.com");
    check("support@salesforce.com", support);
    check("<support@salesforce.com>", support);
    check("Salesforce <support@salesforce.com>", support);
    check("support@salesforce.com <support@salesforce.com>", support);
    check("\"Salesforce, Inc.\" <support@salesforce.com>", support);
    check(
        "=?UTF-8?B?U2FsZXNmb3JjZQ==?= <support@Salesforce.COM>",
        support,
    );
    check("Salesforce\r\n <support@salesforce.com>", support);
}

#[test]
fn tricks_with_the_sender_are_not_read() {
    for value in [
        "",
        "Salesforce",
        "support@salesforce.com, mallory@evil.example",
        "mallory@evil.example, support@salesforce.com",
        "Team: support@salesforce.com;",
        "<@evil.example:support@salesforce.com>",
        "support@salesforce.com (mallory)",
        "support(mallory)@salesforce.com",
        "\"support@salesforce.com\"@evil.example",
        "<mallory@evil.example>support@salesforce.com",
        "<mallory@evil.example> <support@salesforce.com>",
        "\"a\" <x@evil.example> \"b\" <support@salesforce.com>",
        "support@salesforce.com <mallory@evil.example",
        "support@salesforce.com\0.evil.example",
        "s\u{fc}pport@salesforce.com",
        "support@salesforce",
        "support@@salesforce.com",
        "support@salesforce.com.",
        ".support@salesforce.com",
        "support @salesforce.com",
        "support@[127.0.0.1]",
        "\"back\\slash\" <support@salesforce.com>",
    ] {
        check(value, None);
    }
}

#[test]
fn an_address_is_compared_octet_for_octet_before_the_at() {
    let address = Address::parse("support@emea.salesforce.com").unwrap();
    assert!(address.is("support@EMEA.salesforce.com"));
    assert!(!address.is("Support@emea.salesforce.com"));
    assert!(!address.is("support@salesforce.com"));
    assert!(address.is_within("salesforce.com"));
    assert!(address.is_within("emea.salesforce.com"));
    assert!(!address.is_within("force.com"));
    assert!(!address.is_within("x.emea.salesforce.com"));
}
