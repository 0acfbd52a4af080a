//! What counts as a proof, and which keys are asked for: without a key, since none of these needs one.

use jiff::SignedDuration;

use super::pins::Pin;
use super::policy::Demand;
use super::*;

/// A mail under these fields.
fn under(fields: &str) -> String {
    format!("{fields}{}{}", super::HEAD, super::TEXT)
}

/// A signature that would count if it held, with one tag changed.
fn signature(old: &str, new: &str) -> String {
    let field = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=salesforce.com; s=s1; h=from:subject:date; bh=AAAA; b=AAAA\r\n";
    assert!(field.contains(old), "no {old}");
    field.replacen(old, new, 1)
}

fn by_selectors(selectors: &[&str]) -> String {
    let signature = |selector: &&str| signature("s=s1", &format!("s={selector}"));
    selectors.iter().map(signature).collect()
}

fn now() -> Timestamp {
    "2026-11-23T10:05:00Z".parse().unwrap()
}

/// The names that are asked for under this policy, without the end that all have in common.
#[track_caller]
fn check_questions(fields: &str, policy: &Policy, expected: &[&str]) {
    let text = under(fields);
    let mail = Mail::parse(text.as_bytes());
    let names = questions(&mail, policy, Recipe::built_in(), now());
    let of_salesforce = |name: &String| {
        let front = name.strip_suffix("._domainkey.salesforce.com");
        front
            .unwrap_or_else(|| panic!("{name} was asked for"))
            .to_owned()
    };
    let selectors: Vec<String> = names.iter().map(of_salesforce).collect();
    assert_eq!(selectors, expected, "{fields}");
}

#[test]
fn few_keys_are_asked_for_and_none_of_others() {
    let policy = Policy::default();
    check_questions("", &policy, &[]);
    let many = by_selectors(&["s1", "s2", "S1", "s3", "s4", "s5"]);
    check_questions(&many, &policy, &["s1", "s2", "s3"]);
    for domain in [
        "evil.example",
        "emea.salesforce.com",
        "com",
        "salesforcedevs.com",
        "salesforce.com.evil.example",
    ] {
        let foreign = signature("d=salesforce.com", &format!("d={domain}"));
        check_questions(&foreign.repeat(40), &policy, &[]);
        check_questions(&(foreign.repeat(7) + &many), &policy, &["s1"]);
        check_questions(&(foreign.repeat(8) + &many), &policy, &[]);
    }
    let more = Policy {
        max_signatures: 20,
        max_dns_questions: 5,
        ..Policy::default()
    };
    check_questions(&many, &more, &["s1", "s2", "s3", "s4", "s5"]);
    let less = Policy {
        max_signatures: 2,
        max_dns_questions: 1,
        ..Policy::default()
    };
    check_questions(&many, &less, &["s1"]);
}

#[test]
fn no_name_is_made_of_what_is_no_name() {
    for (old, new) in [
        ("s=s1", "s=s1\0.evil"),
        ("s=s1", "s=s1."),
        ("s=s1", "s=.s1"),
        ("s=s1", "s=a..b"),
        ("s=s1", "s=a b"),
        ("s=s1", "s=\"s1\""),
        ("s=s1", "s=s1/../x"),
        ("s=s1", "s=s%31"),
        ("s=s1", "s=\u{455}1"),
        ("s=s1", "s="),
        ("d=salesforce.com", "d=salesforce.com."),
        ("d=salesforce.com", "d=.salesforce.com"),
        ("d=salesforce.com", "d=salesforce.com\0.evil.example"),
        ("d=salesforce.com", "d=salesforce.com(.evil.example"),
        ("d=salesforce.com", "d=\"salesforce.com\""),
        ("d=salesforce.com", "d=salesforce\r\n .com"),
        ("d=salesforce.com", "d=sal\u{435}sforce.com"),
    ] {
        check_questions(&signature(old, new), &Policy::default(), &[]);
    }
    let long = format!("s={}", "a".repeat(64));
    check_questions(&signature("s=s1", &long), &Policy::default(), &[]);
    // Letters, digits, hyphens, dots between: a name.
    check_questions(
        &signature("s=s1", "s=a.b-2"),
        &Policy::default(),
        &["a.b-2"],
    );
}

#[test]
fn what_would_not_count_asks_for_nothing() {
    for (old, new) in [
        ("v=1", "v=2"),
        ("s=s1", "s=s1; l=10"),
        ("a=rsa-sha256", "a=rsa-sha1"),
        ("s=s1", "s=google"),
        ("s=s1", "s=Google"),
        ("h=from:", "h=to:"),
        (":subject", ":to"),
        (":date", ""),
    ] {
        check_questions(&signature(old, new), &Policy::default(), &[]);
    }
    let strict = Policy {
        required_signed: vec!["message-id".to_owned()],
        ..Policy::default()
    };
    check_questions(&signature(":date", ":date"), &strict, &[]);
    check_questions(&signature(":date", ":date:Message-ID"), &strict, &["s1"]);
}

#[test]
fn times_are_held_against_the_given_clock() {
    let at = |tag: &str, seconds: i64| {
        let time = now().as_second() + seconds;
        signature("s=s1", &format!("s=s1; {tag}={time}"))
    };
    let policy = Policy::default();
    check_questions(&at("t", 15 * 60), &policy, &["s1"]);
    check_questions(&at("t", 15 * 60 + 1), &policy, &[]);
    check_questions(&at("x", 1), &policy, &["s1"]);
    check_questions(&at("x", 0), &policy, &[]);
    let patient = Policy {
        max_future: SignedDuration::from_hours(1),
        ..Policy::default()
    };
    check_questions(&at("t", 60 * 60), &patient, &["s1"]);
    check_questions(&at("t", 60 * 60 + 1), &patient, &[]);
    // An expiry has no skew: a signature's owner said when it ends.
    check_questions(&at("x", 0), &patient, &[]);
    // More seconds than a clock can show
    check_questions(
        &signature("s=s1", "s=s1; x=99999999999999999999"),
        &policy,
        &["s1"],
    );
    check_questions(
        &signature("s=s1", "s=s1; t=99999999999999999999"),
        &policy,
        &[],
    );
}

fn pinned(name: &str, pin: Pin) -> Policy {
    let mut policy = Policy::default();
    policy.pinned_keys.insert(name, pin);
    policy
}

#[test]
fn where_keys_are_pinned_no_other_is_asked_for() {
    let both = by_selectors(&["s1", "s2"]);
    let fingerprint = || Pin::Fingerprint([7; 32]);
    check_questions(&both, &pinned("S2", fingerprint()), &["s2"]);
    check_questions(
        &both,
        &pinned("s2._domainkey.Salesforce.com", fingerprint()),
        &["s2"],
    );
    check_questions(
        &both,
        &pinned("s2._domainkey.salesforcedevs.com", fingerprint()),
        &[],
    );
    check_questions(&both, &pinned("s2", Pin::Key(vec![0; 32])), &[]);
}

#[test]
fn a_provider_is_believed_without_a_question() {
    let policy = Policy {
        demand: Demand::AuthenticationResults,
        ..Policy::default()
    };
    check_questions(&by_selectors(&["s1"]), &policy, &[]);
}

/// The outcome when the DNS cannot be asked.
#[track_caller]
fn check_offline(fields: &str, policy: &Policy, expected: &str) {
    assert_eq!(super::word(&under(fields), policy), expected, "{fields}");
}

const FOUND: &str = "integration@acme.example@production";
const PASS: &str = "Authentication-Results: mx.example.com; dkim=pass header.d=salesforce.com\r\n";
const FAIL: &str = "Authentication-Results: mx.example.com; dkim=fail header.d=salesforce.com\r\n";

fn either() -> Policy {
    Policy {
        demand: Demand::Either,
        authserv_id: Some("mx.example.com".to_owned()),
        ..Policy::default()
    }
}

#[test]
fn a_key_that_could_not_be_asked_for_leaves_the_mail_undecided() {
    let signed = by_selectors(&["s1"]);
    check_offline(&signed, &Policy::default(), "dkim_temperror");
    check_offline(&signed, &either(), "dkim_temperror");
    check_offline(&format!("{FAIL}{signed}"), &either(), "dkim_temperror");
    check_offline(&format!("{PASS}{signed}"), &either(), FOUND);
    check_offline(
        &format!("{PASS}{signed}"),
        &Policy::default(),
        "dkim_temperror",
    );
    // Nothing to ask for: it is told at once.
    check_offline(PASS, &either(), FOUND);
    check_offline(FAIL, &either(), "ar_fail");
    check_offline("", &either(), "ar_missing");
    let with_length = signature("s=s1", "s=s1; l=10");
    check_offline(&with_length, &either(), "dkim_l_tag");
    check_offline(&format!("{PASS}{with_length}"), &either(), "dkim_l_tag");
}

#[test]
fn a_signature_that_nobody_looked_at_may_belie_the_provider() {
    let relays = |count| signature("d=salesforce.com", "d=relay.example").repeat(count);
    let policy = Policy {
        demand: Demand::AuthenticationResults,
        ..either()
    };
    let told = |relays: &str, own: &str| format!("{PASS}{relays}{own}");
    check_offline(&told(&relays(8), ""), &policy, FOUND);
    check_offline(
        &told(&relays(8), &signature("s=s1", "s=s1; l=1")),
        &policy,
        "dkim_too_many",
    );
    check_offline(
        &told(&relays(7), &signature("s=s1", "s=s1; l=1")),
        &policy,
        "dkim_l_tag",
    );
    check_offline(&told(&relays(7), &by_selectors(&["s1"])), &policy, FOUND);
}

#[test]
fn a_whole_key_that_is_pinned_needs_no_dns() {
    // The signature is nobody's, and that is told without a question.
    let policy = pinned("s1", Pin::Key(vec![0; 32]));
    check_offline(&by_selectors(&["s1"]), &policy, "dkim_key_not_pinned");
    check_offline(&by_selectors(&["s2"]), &policy, "dkim_key_not_pinned");
    let fingerprint = pinned("s1", Pin::Fingerprint([7; 32]));
    check_offline(&by_selectors(&["s1"]), &fingerprint, "dkim_temperror");
}

#[test]
fn a_providers_word_does_not_pass_by_the_pins() {
    for demand in [Demand::AuthenticationResults, Demand::Either] {
        let policy = Policy {
            demand,
            pinned_keys: pinned("s1", Pin::Key(vec![0; 32])).pinned_keys,
            ..either()
        };
        check_offline(
            &format!("{PASS}{}", by_selectors(&["s2"])),
            &policy,
            "dkim_key_not_pinned",
        );
        check_offline(PASS, &policy, "dkim_key_not_pinned");
    }
}

#[test]
fn a_key_that_was_not_asked_for_is_told_as_such() {
    let mut keys = KeyAnswers::default();
    let many = by_selectors(&["s1", "s2", "s3", "s4"]);
    for selector in ["s1", "s2", "s3", "s4"] {
        keys.insert(
            &format!("{selector}._domainkey.salesforce.com"),
            crate::KeyAnswer::Absent,
        );
    }
    let told = |fields: &str| {
        let text = under(fields);
        let mail = Mail::parse(text.as_bytes());
        match examine(&mail, &keys, &Policy::default(), Recipe::built_in(), now()) {
            Outcome::Refused(why) => why.kind(),
            _ => "not refused",
        }
    };
    assert_eq!(told(&many), "dkim_too_many");
    assert_eq!(told(&by_selectors(&["s1", "s2", "s3"])), "dkim_key_missing");
}
