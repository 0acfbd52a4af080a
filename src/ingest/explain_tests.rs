use super::*;
use crate::ingest::refusal::{NotOurs, Pending};

const TOKEN: &str = "Zq4TnV8sLw2KdXb7Rm1YcGf5P";
const HEAD: &str = "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nFrom: support@salesforce.com\r\nSubject: Your new Salesforce security token\r\n";
const BODY: &str =
    "\r\nUsername: integration@acme.example\r\nSecurity token: Zq4TnV8sLw2KdXb7Rm1YcGf5P\r\n";
const SIGNATURE: &str = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=salesforce.com; s=S1;\r\n h=from : to:\r\n subject:date; t=1795428000; x=1795514400; bh=AAAA; b=AAAA\r\n";
const KEY: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

fn told(mail: &str, records: &[&str], policy: &Policy) -> Explanation {
    let now = "2026-11-23T10:05:00Z".parse().unwrap();
    let mut keys = KeyAnswers::default();
    for record in records {
        let records = KeyAnswer::Records(vec![(*record).to_owned()]);
        keys.insert("s1._domainkey.salesforce.com", records);
    }
    let mail = Mail::parse(mail.as_bytes());
    explain(&mail, &keys, policy, Recipe::built_in(), now).1
}

fn unproven() -> Policy {
    Policy {
        demand: Demand::Nothing,
        ..Policy::default()
    }
}

/// How each gate ended, as words.
#[track_caller]
fn check(mail: &str, policy: &Policy, expected: [Verdict; 8]) {
    let told = told(mail, &[], policy);
    assert_eq!(Gate::ALL.map(|gate| told.verdict(gate)), expected);
}

#[test]
fn a_gate_that_fails_leaves_the_rest_untouched() {
    use Verdict::{Held, NotReached as Not, Refused, Unknown, Waived};
    let mail = format!("{HEAD}{BODY}");
    let signed = format!("{SIGNATURE}{mail}");
    let default = Policy::default();
    check(
        &mail.replace("Salesforce security token", "lunch"),
        &default,
        [
            Verdict::NotOurs(NotOurs::NotCandidate),
            Not,
            Not,
            Not,
            Not,
            Not,
            Not,
            Not,
        ],
    );
    check(
        &mail.replace("Date: ", "X-Date: "),
        &default,
        [
            Held,
            Refused(Refusal::HeaderMissing),
            Not,
            Not,
            Not,
            Not,
            Not,
            Not,
        ],
    );
    check(
        &mail.replace("support@", "ann@"),
        &default,
        [
            Held,
            Held,
            Refused(Refusal::FromNotAllowed),
            Not,
            Not,
            Not,
            Not,
            Not,
        ],
    );
    check(
        &mail,
        &default,
        [
            Held,
            Held,
            Held,
            Refused(Refusal::DkimMissing),
            Not,
            Not,
            Not,
            Not,
        ],
    );
    check(
        &signed,
        &default,
        [
            Held,
            Held,
            Held,
            Unknown(Pending::DkimTemperror),
            Not,
            Not,
            Not,
            Not,
        ],
    );
    check(
        &mail.replace("10:00:00", "10:30:00"),
        &unproven(),
        [
            Held,
            Held,
            Held,
            Waived,
            Refused(Refusal::DateFuture),
            Not,
            Not,
            Not,
        ],
    );
    check(
        &mail.replace("\r\n\r\n", "\r\nContent-Type: image/png\r\n\r\n"),
        &unproven(),
        [
            Held,
            Held,
            Held,
            Waived,
            Held,
            Refused(Refusal::MimeUnexpected),
            Not,
            Not,
        ],
    );
    check(
        &mail.replace("Security token:", "Hello."),
        &unproven(),
        [
            Held,
            Held,
            Held,
            Waived,
            Held,
            Held,
            Refused(Refusal::TokenMissing),
            Not,
        ],
    );
    check(
        &mail,
        &unproven(),
        [Held, Held, Held, Waived, Held, Held, Held, Held],
    );
}

#[test]
fn a_token_for_someone_else_fails_at_the_gate_that_saw_it() {
    let mut policy = unproven();
    policy.accounts = vec![super::super::policy::Account {
        username: "other@acme.example".to_owned(),
        org: None,
    }];
    let not_ours = Verdict::NotOurs(NotOurs::UnknownAccount);
    let known = told(&format!("{HEAD}{BODY}"), &[], &policy);
    assert_eq!(known.verdict(Gate::Account), not_ours);
    let pair = known.pair().unwrap();
    assert_eq!(
        (pair.username.as_str(), pair.length),
        ("integration@acme.example", 25)
    );
    let localised = format!("{HEAD}{BODY}").replace("Your new Salesforce security token", "Qapla'");
    let unknown = told(&localised, &[], &policy);
    assert_eq!(unknown.verdict(Gate::Claim), not_ours);
    assert_eq!(
        unknown.claim.unwrap().usernames,
        ["integration@acme.example"]
    );
}

#[track_caller]
fn signatures(told: &Explanation) -> Vec<&DkimSeen> {
    told.signatures.iter().collect()
}

#[test]
fn a_signature_is_told_with_its_tags_and_its_key() {
    let told = told(
        &format!("{SIGNATURE}{HEAD}{BODY}"),
        &[KEY],
        &Policy::default(),
    );
    let [seen] = signatures(&told)[..] else {
        panic!()
    };
    let SignatureSeen {
        domain,
        selector,
        algorithm,
        canonical,
        signed,
        made,
        ..
    } = &seen.signature;
    let tags = [domain, selector, algorithm, canonical, signed].map(|tag| tag.as_deref().unwrap());
    assert_eq!(
        tags,
        [
            "salesforce.com",
            "s1",
            "rsa-sha256",
            "relaxed/relaxed",
            "from:to:subject:date"
        ]
    );
    assert_eq!(made.unwrap().as_second(), 1_795_428_000);
    assert_eq!(seen.verdict, Verdict::Refused(Refusal::DkimFailBody));
    let (name, answer) = seen.asked.as_ref().unwrap();
    assert_eq!(name, "s1._domainkey.salesforce.com");
    let AnswerSeen::Records(1, Some(key)) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((key.kind.as_str(), key.bits), ("rsa", Some(1024)));
    // openssl base64 -d | sha256sum, of the record's p=
    assert_eq!(
        key.fingerprint,
        "sha256:362d9a99501883f6d1ac717c53fff96582fb0a7c52464cb64b9082aa887bc7b4"
    );
}

#[test]
fn each_signature_has_a_verdict_of_its_own() {
    let foreign = SIGNATURE.replace("d=salesforce.com", "d=evil.example");
    let broken = SIGNATURE.replace("v=1; ", "");
    let weak = SIGNATURE.replace("rsa-sha256", "rsa-sha1");
    let mail = format!(
        "{foreign}{broken}{weak}{SIGNATURE}{}{HEAD}{BODY}",
        foreign.repeat(6)
    );
    let told = told(&mail, &[KEY], &Policy::default());
    let seen: Vec<_> = signatures(&told).iter().map(|seen| seen.verdict).collect();
    let foreign = Verdict::Refused(Refusal::DkimNotAligned);
    let expected = [
        Refusal::DkimNotAligned,
        Refusal::DkimMalformed,
        Refusal::DkimWeak,
        Refusal::DkimFailBody,
    ];
    assert_eq!(seen[..4], expected.map(Verdict::Refused));
    assert_eq!(seen[4..], [foreign; 4]);
    assert_eq!(told.beyond, 2);
    // No name of a foreign domain was asked for.
    let asked: Vec<_> = signatures(&told)
        .iter()
        .filter_map(|seen| seen.asked.as_ref())
        .collect();
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_key_record_is_told_as_far_as_it_can_be_read() {
    let seen = |records: &[&str]| {
        let records: Vec<String> = records.iter().map(|&record| record.to_owned()).collect();
        KeySeen::of(&records).map(|key| (key.kind, key.bits))
    };
    let limited = KEY.replace("k=rsa", "t=y:s; s=email; k=rsa");
    let allows = KeySeen::of(&[limited]).unwrap().allows;
    assert_eq!(allows, "t=y:s s=email");
    assert_eq!(seen(&[KEY]), Some(("rsa".to_owned(), Some(1024))));
    assert_eq!(seen(&["p=AAAA"]), Some(("rsa".to_owned(), None)));
    let ed25519 = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    assert_eq!(seen(&[ed25519]), Some(("ed25519".to_owned(), Some(256))));
    assert_eq!(seen(&["v=DKIM1; p="]), None);
    assert_eq!(seen(&["p=A!AA"]), None);
    assert_eq!(seen(&[KEY, KEY]), None);
    assert_eq!(seen(&[]), None);
}

#[test]
fn a_mail_that_is_too_large_is_told_by_its_header() {
    let check = |mail: &str, expected: [Verdict; 2]| {
        let (policy, now) = (Policy::default(), Timestamp::UNIX_EPOCH);
        let mail = Mail::parse(mail.as_bytes());
        let (outcome, seen) = explain_oversized(&mail, &policy, Recipe::built_in(), now);
        let plain = super::super::examine_oversized(&mail, &policy, Recipe::built_in());
        assert_eq!(format!("{outcome:?}"), format!("{plain:?}"));
        let verdicts = [Gate::Claim, Gate::Fields].map(|gate| seen.verdict(gate));
        assert_eq!(verdicts, expected);
        seen.claim.map(|claim| claim.form)
    };
    let form = check(HEAD, [Verdict::Held, Verdict::Refused(Refusal::TooLarge)]);
    let other = HEAD.replace("Salesforce security token", "lunch");
    let not_ours = Verdict::NotOurs(NotOurs::NotCandidate);
    assert_eq!(form, Some(SubjectForm::Exact));
    let form = check(&other, [not_ours, Verdict::NotReached]);
    assert_eq!(form, Some(SubjectForm::Unknown));
}

#[test]
fn each_view_tells_what_it_gave() {
    let mail = format!(
        "{HEAD}Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n{BODY}--b\r\nContent-Type: text/html\r\n\r\n<p>Username: integration@acme.example<br>Security token: Zq5TnV8sLw2KdXb7Rm1YcGf5P<p style=\"display:none\">Security token: x</p>\r\n--b--\r\n"
    );
    let told = told(&mail, &[], &unproven());
    let labels = Labels {
        token: 1,
        username: 1,
    };
    assert_eq!(
        told.verdict(Gate::Token),
        Verdict::Refused(Refusal::TokenAmbiguous)
    );
    assert_eq!(told.views.len(), 2);
    assert_eq!(told.views[0].labels, Some(labels));
    assert!(told.views[0].found.is_ok());
    assert_eq!(
        told.views[1],
        ViewSeen {
            labels: None,
            found: Err(Refusal::TokenAmbiguous)
        }
    );
}

#[test]
fn what_could_be_a_token_is_not_repeated() {
    let hidden = "(like a token, not shown)";
    let cases = [
        (
            format!("FW: token {TOKEN}!"),
            format!("FW: token {hidden}!"),
        ),
        ("abCDefGHijKLmnOPqrST".to_owned(), hidden.to_owned()),
        (
            "Sicherheitstoken zurückgesetzt".to_owned(),
            "Sicherheitstoken zurückgesetzt".to_owned(),
        ),
        (
            "bounces-20261123100000@sfdc.net".to_owned(),
            "bounces-20261123100000@sfdc.net".to_owned(),
        ),
        (
            "integration20261123@acme.example".to_owned(),
            "integration20261123@acme.example".to_owned(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(without_secrets(text), expected);
    }
    let everywhere = SIGNATURE.replace("h=from", &format!("i={TOKEN}@salesforce.com; h={TOKEN}"));
    let mail =
        format!("{everywhere}{HEAD}Content-Type: multipart/mixed; boundary={TOKEN}\r\n{BODY}")
            .replace("From: support", &format!("From: {TOKEN} {TOKEN}"))
            .replace("Subject: ", &format!("Subject: {TOKEN} "))
            .replace("s=S1", &format!("s={TOKEN}"));
    for policy in [unproven(), Policy::default()] {
        let told = format!("{:?}", told(&mail, &[KEY], &policy));
        assert!(!told.contains(TOKEN), "{told}");
    }
}
