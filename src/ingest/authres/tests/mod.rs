//! What is read of a field, which fields count, and what they amount to.

mod grammar;

use proptest::prelude::*;

use super::*;
use crate::ingest::policy::Policy;
use crate::ingest::sender::Address;

const ID: &str = "mx.example.com";
const PASS: &str = "dkim=pass header.d=salesforce.com header.s=sf2026";

/// What the provider says of a mail from `support@salesforce.com` whose header begins with `header`:
/// `DOMAIN SELECTOR` of each word, or the reason.
fn told(header: &str) -> String {
    let text = format!("{header}From: support@salesforce.com\r\n\r\n");
    let mail = Mail::parse(text.as_bytes());
    let from = Address::parse("support@salesforce.com").unwrap();
    let policy = Policy {
        authserv_id: Some(ID.to_owned()),
        ..Policy::default()
    };
    let told = |word: Word| {
        format!(
            "{} {}",
            word.domain,
            word.selector.as_deref().unwrap_or("-")
        )
    };
    match words(&mail, &from, &policy) {
        Ok(words) => words.into_iter().map(told).collect::<Vec<_>>().join(", "),
        Err(refusal) => refusal.kind().to_owned(),
    }
}

#[track_caller]
fn check(header: &str, expected: &str) {
    assert_eq!(told(header), expected, "{header}");
}

/// One field of our provider's, with these results.
#[track_caller]
fn check_results(results: &str, expected: &str) {
    check(
        &format!("Authentication-Results: {ID}; {results}\r\n"),
        expected,
    );
}

#[test]
fn a_pass_of_a_trusted_domain_counts() {
    check_results(PASS, "salesforce.com sf2026");
    check_results("dkim=pass header.i=@salesforce.com", "salesforce.com -");
    check_results(
        "DKIM=Pass Header.D=Salesforce.COM header.s=SF2026",
        "salesforce.com sf2026",
    );
    check_results(
        "dkim=pass header.d=salesforce.com header.i=@emea.salesforce.com",
        "salesforce.com -",
    );
}

#[test]
fn the_sub_domain_of_a_trusted_domain_does_not() {
    for domain in ["emea.salesforce.com", "salesforce.com.evil.example", "com"] {
        check_results(&format!("dkim=pass header.d={domain}"), "ar_not_aligned");
        check_results(&format!("dkim=pass header.i=@{domain}"), "ar_not_aligned");
    }
    // trusted, and not the sender's
    check_results("dkim=pass header.d=salesforcedevs.com", "ar_not_aligned");
}

#[test]
fn whose_signature_passed_must_be_told_once() {
    check_results("dkim=pass", "ar_not_aligned");
    check_results(
        "dkim=pass header.d=salesforce.com header.i=@evil.example",
        "ar_not_aligned",
    );
    check_results(
        "dkim=pass header.d=evil.example header.d=salesforce.com",
        "ar_malformed",
    );
    check_results(
        "dkim=pass header.i=@salesforce.com@evil.example",
        "ar_not_aligned",
    );
    check_results(
        "dkim=pass header.i=\"@salesforce.com x\"@evil.example",
        "ar_not_aligned",
    );
}

#[test]
fn without_a_pass_there_is_no_proof() {
    for results in [
        "none",
        "dkim=fail header.d=salesforce.com",
        "dkim=none",
        "dkim=temperror header.d=salesforce.com",
        "dkim=passed header.d=salesforce.com",
        "spf=pass smtp.mailfrom=salesforce.com",
        "spf=pass smtp.mailfrom=salesforce.com; dmarc=pass header.from=salesforce.com",
        "x-google-dkim=pass header.d=salesforce.com",
        "arc=pass header.d=salesforce.com",
    ] {
        check_results(results, "ar_fail");
    }
    // A relay's own signature does not hide why the sender's fails.
    check_results(
        "dkim=pass header.d=lists.example; dkim=fail header.d=salesforce.com",
        "ar_fail",
    );
}

#[test]
fn the_worst_result_of_a_domain_wins() {
    let bad = "dkim=fail header.d=salesforce.com";
    check_results(&format!("{PASS}; {bad}"), "ar_conflict");
    check_results(&format!("{bad}; {PASS}"), "ar_conflict");
    check_results(
        &format!("{PASS}; dkim=neutral header.i=x@Salesforce.com"),
        "ar_conflict",
    );
    // Of which signature it speaks is not told: of ours, perhaps.
    check_results(&format!("{PASS}; dkim=none"), "ar_conflict");
    let (one, other) = (format!("{ID}; {PASS}"), format!("{ID}; {bad}"));
    let fields = format!("Authentication-Results: {one}\r\nAuthentication-Results: {other}\r\n");
    check(&fields, "ar_conflict");
    check_results(
        &format!("{PASS}; dkim=fail header.d=evil.example"),
        "salesforce.com sf2026",
    );
    check_results(
        &format!("{PASS}; {PASS}"),
        "salesforce.com sf2026, salesforce.com sf2026",
    );
}

#[test]
fn dmarc_must_agree_where_it_is_told() {
    let with = |dmarc: &str, expected: &str| check_results(&format!("{PASS}; {dmarc}"), expected);
    with(
        "dmarc=pass (p=reject dis=none) header.from=Salesforce.com",
        "salesforce.com sf2026",
    );
    with("dmarc=fail header.from=salesforce.com", "ar_fail");
    with("dmarc=none", "ar_fail");
    with("dmarc=pass header.from=evil.example", "ar_conflict");
    with("dmarc=pass header.from=emea.salesforce.com", "ar_conflict");
    with("dmarc=pass", "ar_conflict");
    with(
        "dmarc=pass header.from=salesforce.com; dmarc=fail header.from=salesforce.com",
        "ar_conflict",
    );
}

#[test]
fn what_we_would_refuse_ourselves_does_not_count() {
    check_results(
        "dkim=pass header.d=salesforce.com header.s=google",
        "dkim_selector_denied",
    );
    check_results(&format!("{PASS} header.a=rsa-sha1"), "dkim_weak");
    check_results(
        &format!("{PASS} header.a=RSA-SHA256"),
        "salesforce.com sf2026",
    );
    check_results(
        &format!("dkim=pass header.d=salesforce.com header.s=google; {PASS}"),
        "salesforce.com sf2026",
    );
}

#[test]
fn the_id_is_ours_as_a_whole_word() {
    let of = |id: &str| told(&format!("Authentication-Results: {id}; {PASS}\r\n"));
    for id in [
        "mx.example.com",
        "MX.Example.COM",
        "\"mx.example.com\"",
        "(x) mx.example.com (y) 1 (z)",
        "\r\n\tmx.example.com\r\n 1",
    ] {
        assert_eq!(of(id), "salesforce.com sf2026", "{id}");
    }
    for id in [
        "mx.example.com.evil.example",
        "xmx.example.com",
        "mx.example",
        "mx.example.com.",
        "evil.example (mx.example.com)",
        "(mx.example.com)",
        "evil mx.example.com",
        "mx.exam\r\n ple.com",
        "\"mx.example.com \"",
        "",
    ] {
        assert_eq!(of(id), "ar_missing", "{id}");
    }
}

#[test]
fn a_field_that_begins_with_our_id_must_be_readable() {
    for rest in [
        "",
        ";",
        " ;; dkim=pass header.d=salesforce.com",
        " dkim=pass header.d=salesforce.com",
        " 2; dkim=pass header.d=salesforce.com",
        " .evil.example; dkim=pass header.d=salesforce.com",
        "@evil.example; dkim=pass header.d=salesforce.com",
        "/1; dkim=pass header.d=salesforce.com",
        "; dkim=pass header.d=salesforce.com(.evil.example",
        "; dkim=pass header.d=salesforce.com(.evil.example) header.s=x",
        "; dkim=pass header.d=salesforce.com(.evil.example header.s=x)y header.b=abc",
        "; dkim=pass header.d=salesforce.com header.s=\"x",
        "; dkim=pass header.d=salesforce.com dkim=fail",
        "; dkim=pass header.d=",
        "; dkim/2=pass header.d=salesforce.com",
        "; dkim=pass header.d",
        "; dkim pass header.d=salesforce.com",
        "; dkim=pass, header.d=salesforce.com",
        "; none; dkim=pass header.d=salesforce.com",
        "; dkim=pass header.d=\"salesforce.com\".evil.example",
        "; dkim=pass header.d=a\"b\"",
        "; dkim=pass \u{7f} header.d=salesforce.com",
        "; dkim=pass h\u{e9}ader.d=salesforce.com",
    ] {
        let field = format!("Authentication-Results: mx.example.com{rest}\r\n");
        check(&field, "ar_malformed");
        // nor does a good one beside it help
        let good = format!("Authentication-Results: {ID}; {PASS}\r\n");
        check(&format!("{field}{good}"), "ar_malformed");
        check(&format!("{good}{field}"), "ar_malformed");
    }
}

#[test]
fn what_is_not_utf_8_is_not_read() {
    let mut mail = format!("Authentication-Results: {ID}; {PASS} header.x=").into_bytes();
    mail.extend(b"\xff\r\nFrom: support@salesforce.com\r\n\r\n");
    let found = block(&Mail::parse(&mail), ID).map(|found| found.len());
    assert_eq!(found, Err(Refusal::ArMalformed));
}

#[test]
fn only_the_block_on_top_counts() {
    let ours = |results: &str| format!("Authentication-Results: {ID}; {results}\r\n");
    let pass = ours(PASS);
    let spf = ours("spf=pass smtp.mailfrom=x.example");
    let other = "Authentication-Results: evil.example; dkim=fail header.d=salesforce.com\r\n";
    let of_sender =
        "Authentication-Results: mx2.mta.salesforce.com x-tls.subject=\"/C=US\"; auth=pass (x)\r\n";
    let of_exchange = "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=x.example; dkim=pass header.d=x.example;compauth=pass reason=100\r\n";
    let received = "Received: from a by b; Wed, 1 Apr 2026 15:08:44 +0000\r\n";
    let good = "salesforce.com sf2026";
    check("", "ar_missing");
    check(received, "ar_missing");
    check(of_exchange, "ar_missing");
    // Above the block: passed over.
    for above in [received, other, of_sender, of_exchange] {
        check(&format!("{above}{pass}"), good);
        check(&format!("{above}{above}{spf}{pass}{received}"), good);
    }
    // Between: it ends the block, and what is below may be the sender's.
    for between in [received, other, of_sender, of_exchange] {
        check(&format!("{spf}{between}{pass}"), "ar_fail");
        check(
            &format!(
                "{pass}{between}{}",
                ours("dkim=fail header.d=salesforce.com")
            ),
            good,
        );
        check(
            &format!("{pass}{between}Authentication-Results: {ID} broken\r\n"),
            good,
        );
    }
    // A forged field below, and the provider's own above says that nothing was signed.
    check(&format!("{}{received}{pass}", ours("dkim=none")), "ar_fail");
    check(&format!("{}{pass}", ours("dkim=none")), "ar_conflict");
    check(&format!("{}{pass}", ours("none")), "ar_conflict");
    check(&format!("{pass}{}", ours("none")), "ar_conflict");
}

#[test]
fn a_flood_of_results_is_not_worked_through() {
    let results = |count: usize| {
        let other = "; dkim=fail header.d=x.example".repeat(count - 1);
        format!("{PASS}{other}")
    };
    check_results(&results(64), "salesforce.com sf2026");
    check_results(&results(65), "ar_malformed");
    let field = format!("Authentication-Results: {ID}; {PASS}\r\n");
    check(&field.repeat(65), "ar_malformed");
}

#[test]
fn without_an_id_nobody_is_believed() {
    let text = format!("Authentication-Results: {ID}; {PASS}\r\n\r\n");
    let from = Address::parse("support@salesforce.com").unwrap();
    let found = words(&Mail::parse(text.as_bytes()), &from, &Policy::default());
    assert_eq!(found, Err(Refusal::ArMissing));
}

/// What a sender may have in the envelope or in a header of his own, for the provider to copy.
fn senders_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "x",
        " ",
        ";",
        "dkim=pass",
        "header.d=salesforce.com",
        "(",
        ")",
        "\"",
        "\\",
        "@",
        ID,
        "\r\n ",
        ",",
        "none",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_a_provider_quotes_counts(text in senders_text(), quoted in any::<bool>(), glued in any::<bool>()) {
        let escape = |specials: &str| -> String {
            text.chars().flat_map(|ch| specials.contains(ch).then_some('\\').into_iter().chain([ch])).collect()
        };
        let copied = match (quoted, glued) {
            (true, true) => format!("smtp.mailfrom=\"{}\"@evil.example", escape("\"\\")),
            (true, false) => format!("reason=\"{}\" smtp.mailfrom=evil.example", escape("\"\\")),
            (false, _) => format!("({}) smtp.mailfrom=evil.example", escape("()\\")),
        };
        let field = format!("Authentication-Results: {ID}; spf=pass {copied}; dkim=none\r\n");
        prop_assert_eq!(told(&field), "ar_fail", "{}", field);
    }

    #[test]
    fn nothing_that_a_provider_copies_as_it_is_gives_another_domain(text in senders_text()) {
        // Careless: the signature's domain without quotes, and a selector behind it.
        let text = text.replace("salesforce.com", "evil.example");
        let field = format!("Authentication-Results: {ID}; dkim=pass header.d=salesforce.com{text}.evil.example header.s={text}\r\n");
        let told = told(&field);
        prop_assert!(told.starts_with("ar_") || text.starts_with([' ', ';', '\r']), "{}: {}", told, field);
    }

    #[test]
    fn nothing_below_another_field_counts(text in senders_text(), id in any::<bool>()) {
        let id = if id { ID } else { "" };
        let forged = format!("Authentication-Results: {id}{text}; {PASS}\r\nAuthentication-Results: {ID}; {PASS}\r\n");
        let fields = format!("Authentication-Results: {ID}; dkim=none\r\nReceived: x\r\n{forged}");
        prop_assert_eq!(told(&fields), "ar_fail", "{}", fields);
    }
}
