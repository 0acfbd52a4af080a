//! `[trust]` and its pins: what may be written, what contradicts itself, and how each is told.

use std::path::Path;

use jiff::SignedDuration;

use super::{Config, ConfigError, load};
use crate::ingest::policy::{Demand, Policy};

/// An Ed25519 key: RFC 8463, appendix A.2.
const KEY: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn read(keys: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let own = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    let text = format!("[trust]\n{keys}");
    load(
        &text,
        Path::new("/etc/sftoken.toml"),
        variables.iter().map(own),
    )
}

fn policy(keys: &str) -> Policy {
    read(keys, &[]).map(|config| config.policy).unwrap()
}

/// The error for the second line, and a part of its hint.
#[track_caller]
fn wrong(keys: &str, problem: &str, hint: &str) {
    let error = read(keys, &[]).expect_err(keys);
    assert_eq!(error.to_string(), format!("/etc/sftoken.toml:2: {problem}"));
    assert!(error.hint().contains(hint), "hint: {}", error.hint());
}

#[test]
fn without_a_word_the_default_is_the_strictest() {
    let policy = policy("");
    assert_eq!(policy.demand, Demand::Dkim);
    assert_eq!(policy.authserv_id, None);
    assert!(policy.pinned_keys.is_empty());
    assert_eq!((policy.max_signatures, policy.max_dns_questions), (8, 3));
    assert_eq!(policy.max_future, SignedDuration::from_mins(15));
    assert_eq!(policy.denied_selectors, ["google"]);
    assert!(policy.required_signed.is_empty());
}

#[test]
fn every_key_of_the_table_is_a_variable_too() {
    let by_file = policy(&format!(
        "proof = \"dkim\"\nauthserv_id = \"mx.example.com\"\nsigning_domains = [\"B.example\"]\nsenders = [\"a@b.example\"]\ndenied_selectors = [\"X\"]\nrequired_signed = [\"Message-ID\"]\nmax_signatures = 4\nmax_dns_questions = 2\nclock_skew = \"1m\"\nmax_mail_age = \"1d\"\npinned_keys = {{ s1 = \"{KEY}\" }}"
    ));
    let by_variables = read(
        "",
        &[
            ("SFTOKEN_TRUST_PROOF", "dkim"),
            ("SFTOKEN_TRUST_AUTHSERV_ID", "mx.example.com"),
            ("SFTOKEN_TRUST_SIGNING_DOMAINS", "b.example"),
            ("SFTOKEN_TRUST_SENDERS", "a@b.example"),
            ("SFTOKEN_TRUST_DENIED_SELECTORS", "x"),
            ("SFTOKEN_TRUST_REQUIRED_SIGNED", "message-id"),
            ("SFTOKEN_TRUST_MAX_SIGNATURES", "4"),
            ("SFTOKEN_TRUST_MAX_DNS_QUESTIONS", "2"),
            ("SFTOKEN_TRUST_CLOCK_SKEW", "60s"),
            ("SFTOKEN_TRUST_MAX_MAIL_AGE", "24h"),
            ("SFTOKEN_TRUST_PINNED_KEYS", &format!("s1={KEY}")),
        ],
    );
    assert_eq!(
        format!("{by_file:?}"),
        format!("{:?}", by_variables.unwrap().policy)
    );
    assert_eq!((by_file.max_signatures, by_file.max_dns_questions), (4, 2));
    assert_eq!(by_file.max_future, SignedDuration::from_mins(1));
    assert_eq!(by_file.required_signed, ["message-id"]);
}

#[test]
fn proofs() {
    let with_id = |proof: &str| {
        policy(&format!(
            "proof = \"{proof}\"\nauthserv_id = \"MX.example\""
        ))
        .demand
    };
    assert_eq!(with_id("dkim"), Demand::Dkim);
    assert_eq!(
        with_id("authentication-results"),
        Demand::AuthenticationResults
    );
    assert_eq!(with_id("either"), Demand::Either);
    wrong(
        "proof = \"spf\"",
        "trust.proof: \"spf\" is not known here",
        "authentication-results, either",
    );
    for proof in ["authentication-results", "either"] {
        wrong(
            &format!("proof = \"{proof}\""),
            "trust.proof: the provider's word counts only with the name by which it is known, authserv_id",
            "authserv_id = \"mx.example.com\"",
        );
    }
    for id in [
        "",
        "mx example",
        "mx.example; dkim=pass",
        "a@b.example",
        "(x)",
    ] {
        wrong(
            &format!("authserv_id = {id:?}"),
            &format!("trust.authserv_id: {id:?} is not the name of a provider"),
            "the first word",
        );
    }
}

#[test]
fn lists_that_trust_nobody() {
    for key in ["signing_domains", "senders"] {
        wrong(
            &format!("{key} = []"),
            &format!("trust.{key}: an empty list trusts nobody"),
            "default",
        );
    }
    wrong(
        "required_signed = [\"a:b\"]",
        "trust.required_signed: \"a:b\" is not a field's name",
        "message-id",
    );
    wrong(
        "denied_selectors = [\"a b\"]",
        "trust.denied_selectors: \"a b\" is not a selector",
        "google",
    );
}

#[test]
fn numbers_and_times_stay_in_their_range() {
    let number = |key: &str, value: &str, problem: &str| {
        wrong(
            &format!("{key} = {value}"),
            &format!("trust.{key}: {problem}"),
            "",
        );
    };
    for (value, problem) in [
        ("0", "0 is not from 1 to 32"),
        ("-1", "-1 is not from 1 to 32"),
        ("33", "33 is not from 1 to 32"),
        ("8.0", "the key wants a whole number"),
        ("\"8\"", "the key wants a whole number"),
        ("99999999999999999999", "the key wants a whole number"),
    ] {
        number("max_signatures", value, problem);
    }
    number("max_dns_questions", "9", "9 is not from 1 to 8");
    assert_eq!(policy("max_signatures = 0x20").max_signatures, 32);
    wrong(
        "clock_skew = \"25h\"",
        "trust.clock_skew: more than a day is no error of a clock",
        "24h",
    );
    wrong(
        "clock_skew = \"0s\"",
        "trust.clock_skew: \"0s\" is not a length of time, as in 90d, 30m or 1h30m",
        "15m",
    );
    let error = read("", &[("SFTOKEN_TRUST_MAX_SIGNATURES", "eight")]).expect_err("no number");
    assert_eq!(
        error.to_string(),
        "SFTOKEN_TRUST_MAX_SIGNATURES: trust.max_signatures: the key wants a whole number"
    );
}

/// The pins, as they are told.
fn pins(keys: &str, variables: &[(&str, &str)]) -> String {
    let config = read(keys, variables).unwrap();
    format!("{:?}", config.policy.pinned_keys)
}

#[test]
fn a_pin_is_named_in_every_way_that_toml_has() {
    let expected = pins(
        &format!("pinned_keys = {{ \"s1._domainkey.salesforce.com\" = \"{KEY}\" }}"),
        &[],
    );
    assert!(
        expected.contains("\"s1._domainkey.salesforce.com\""),
        "{expected}"
    );
    for keys in [
        format!("[trust.pinned_keys]\n\"s1._domainkey.salesforce.com\" = \"p={KEY}\""),
        // to TOML these are tables in tables
        format!("[trust.pinned_keys]\ns1._domainkey.salesforce.com = \"{KEY}\""),
        format!("pinned_keys.s1._domainkey.\"Salesforce.com\" = \"{KEY}\""),
    ] {
        assert_eq!(pins(&keys, &[]), expected, "{keys}");
    }
    for value in [
        format!("s1._domainkey.salesforce.com={KEY}"),
        format!("{{ \"s1._domainkey.salesforce.com\" = \"{KEY}\" }}"),
    ] {
        let other = "pinned_keys = { s9 = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\" }";
        let variable = [("SFTOKEN_TRUST_PINNED_KEYS", value.as_str())];
        assert_eq!(
            pins(other, &variable),
            expected,
            "a variable stands for the whole table"
        );
    }
    assert_eq!(
        pins("", &[("SFTOKEN_TRUST_PINNED_KEYS", "")]),
        pins("pinned_keys = {}", &[])
    );
}

#[test]
fn pins_that_could_never_count() {
    let pin = |name: &str, value: &str, problem: &str, hint: &str| {
        let key = format!("trust.pinned_keys.{name}");
        wrong(
            &format!("pinned_keys.\"{name}\" = \"{value}\""),
            &format!("{key}: {problem}"),
            hint,
        );
    };
    pin(
        "s1",
        "AAAA",
        "the pin is neither a public key in base64 nor sha256:HEX",
        "behind p=",
    );
    pin(
        "s1",
        "",
        "the pin is neither a public key in base64 nor sha256:HEX",
        "1024 bits",
    );
    pin(
        "s1",
        "sha256:12",
        "the fingerprint is not 64 hex digits",
        "in hex",
    );
    pin("s 1", KEY, "\"s 1\" is not a selector", "google");
    pin(
        "s1._domainkey.evil.example",
        KEY,
        "\"evil.example\" is none of the signing_domains",
        "remove the pin",
    );
    pin(
        "google",
        KEY,
        "\"google\" is one of the denied_selectors",
        "remove the pin",
    );
    pin(
        "Google._domainkey.salesforce.com",
        KEY,
        "\"google\" is one of the denied_selectors",
        "remove",
    );
    wrong(
        "pinned_keys = [\"x\"]",
        "trust.pinned_keys: the key wants a table of texts",
        "NAME",
    );
    wrong(
        "pinned_keys.s1 = 1",
        "trust.pinned_keys.s1: the key wants a text",
        "quotes",
    );
    let error = read("", &[("SFTOKEN_TRUST_PINNED_KEYS", "s1")]).expect_err("no pair");
    assert!(error.hint().contains("NAME=text"), "{}", error.hint());
    let error = read("", &[("SFTOKEN_TRUST_PINNED_KEYS", "s1=AAAA")]).expect_err("no key");
    assert!(
        error
            .to_string()
            .starts_with("SFTOKEN_TRUST_PINNED_KEYS: trust.pinned_keys.s1: "),
        "{error}"
    );
}

#[test]
fn of_two_pins_for_one_key_none_is_taken_in_silence() {
    let full = "s1._domainkey.salesforce.com";
    for (keys, problem) in [
        (
            format!("pinned_keys = {{ s1 = \"{KEY}\", S1 = \"{KEY}\" }}"),
            "trust.pinned_keys.s1: the key is pinned twice",
        ),
        (
            format!("pinned_keys = {{ \"{full}\" = \"{KEY}\", {full} = \"{KEY}\" }}"),
            "trust.pinned_keys.s1._domainkey.salesforce.com: the name stands twice in the table",
        ),
    ] {
        wrong(&keys, problem, "one of the two");
    }
    let twice = format!("s1={KEY},s1={KEY}");
    let error = read("", &[("SFTOKEN_TRUST_PINNED_KEYS", &twice)]).expect_err("twice");
    assert!(error.to_string().contains("stands twice"), "{error}");
}

#[test]
fn a_providers_word_would_pass_by_the_pins() {
    for proof in ["authentication-results", "either"] {
        wrong(
            &format!(
                "pinned_keys.s1 = \"{KEY}\"\nproof = \"{proof}\"\nauthserv_id = \"mx.example\""
            ),
            "trust.pinned_keys: a provider does not tell by which key it was convinced, so its word would pass by the pins",
            "proof = \"dkim\"",
        );
    }
}
