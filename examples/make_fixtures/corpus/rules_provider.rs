//! The provider's word on both sides of each rule: `tests/mutants` switches the rules off one by one, and
//! one of these mails must show it.

use serde_json::json;
use sftoken::testing::sign::Flaw;

use super::policy::{FOLDER, found, refused};
use super::provider::{PASS, by, genuine, not_believed, told, with, word};
use super::{Case, Expected, SELECTOR, replaced, signed_by, under, usual, written};

const WHY: &str = "RFC 8601, 2.2 and 5";

pub(super) fn cases() -> Vec<Case> {
    [grammar(), alignment(), signatures()].concat()
}

/// The mail without any signature: the provider's word alone.
fn bare(name: &str, reason: &'static str, field: &str) -> Case {
    not_believed(name, reason, WHY, under(field, &written(&usual())))
}

fn grammar() -> Vec<Case> {
    let field = "Authentication-Results: mx.example.com";
    let eight_bits = under(&format!("{field}; {PASS} (\u{1}\u{1})"), &written(&usual()));
    let eight_bits = eight_bits
        .into_iter()
        .map(|byte| if byte == 1 { 0xff } else { byte })
        .collect();
    vec![
        by(
            "mx.example.com",
            found(
                "version-of-the-field",
                "RFC 8601, 2.2",
                under(&format!("{field} 1; {PASS}"), &genuine()),
                word(Some(SELECTOR)),
            ),
        ),
        bare(
            "results-that-are-empty",
            "ar_malformed",
            &format!("{field};"),
        ),
        bare(
            "none-behind-a-pass",
            "ar_malformed",
            &format!("{field}; {PASS}; none"),
        ),
        bare(
            "pass-behind-none",
            "ar_malformed",
            &format!("{field}; none; {PASS}"),
        ),
        bare(
            "id-without-a-semicolon",
            "ar_malformed",
            &format!("{field} {PASS}"),
        ),
        bare(
            "control-character-in-a-comment",
            "ar_malformed",
            &format!("{field}; {PASS} (\u{7})"),
        ),
        bare(
            "control-character-in-a-reason",
            "ar_malformed",
            &format!("{field}; dkim=pass reason=\"\u{7}\" header.d=salesforce.com"),
        ),
        not_believed("eight-bits-in-results", "ar_malformed", WHY, eight_bits),
        bare(
            "field-of-another-name",
            "ar_missing",
            &format!("X-Results: mx.example.com; {PASS}"),
        ),
        told(
            "65-results",
            "ar_malformed",
            WHY,
            &vec!["dkim=pass header.d=salesforce.com"; 65].join(";\r\n\t"),
        ),
    ]
}

fn alignment() -> Vec<Case> {
    let unsigned = |name: &str, reason, results: &str| {
        not_believed(name, reason, WHY, with(results, &written(&usual())))
    };
    let emea = replaced(
        &written(&usual()),
        "From: support@salesforce.com <support@salesforce.com>",
        "From: support@emea.salesforce.com",
    );
    vec![
        unsigned(
            "identity-of-another-domain",
            "ar_not_aligned",
            "dkim=pass header.d=salesforce.com header.i=@evil.example",
        ),
        unsigned(
            "identity-of-a-longer-domain",
            "ar_not_aligned",
            "dkim=pass header.d=salesforce.com header.i=@evilsalesforce.com",
        ),
        not_believed(
            "senders-domain-is-not-trusted",
            "ar_not_aligned",
            WHY,
            with("dkim=pass header.d=emea.salesforce.com", &emea),
        ),
        unsigned(
            "trusted-domain-of-somebody-else",
            "ar_not_aligned",
            "dkim=pass header.d=salesforcedevs.com",
        ),
        unsigned(
            "own-domain-failed-and-a-relays-passed",
            "ar_fail",
            "dkim=fail header.d=salesforce.com; dkim=pass header.d=relay.example",
        ),
    ]
}

/// What of the mail's own signatures bears the word out.
fn signatures() -> Vec<Case> {
    let by_relay = |mail: &[u8]| signed_by(mail, |signer| signer.domain = "relay.example".into());
    let limited = json!({
        "proof": "authentication-results", "authserv_id": "mx.example.com", "max_signatures": 1
    });
    let other = signed_by(&written(&usual()), |signer| {
        (signer.selector, signer.flaw) = ("sf2025".into(), Flaw::None);
    });
    let meant = signed_by(&other, |signer| signer.length = Some(10));
    let case = |name: &str, reason, bytes| refused(name, reason, "auth 1.3", bytes).keys(vec![]);
    vec![
        case(
            "word-of-a-signature-beyond-those-looked-at",
            "dkim_too_many",
            with(PASS, &by_relay(&genuine())),
        )
        .policy(limited),
        by(
            "mx.example.com",
            found(
                "word-beside-a-relays-signature",
                "auth 1.3",
                with(PASS, &by_relay(&written(&usual()))),
                word(Some(SELECTOR)),
            ),
        ),
        not_believed(
            "word-of-a-signature-of-a-part-beside-another",
            "dkim_l_tag",
            "RFC 6376, 8.2",
            with(PASS, &meant),
        ),
        Case::new(
            FOLDER,
            "word-and-a-name-in-capitals",
            "RFC 5321, 2.4",
            replaced(
                &replaced(
                    &written(&usual()),
                    "From: support@salesforce.com <support@salesforce.com>",
                    "From: support@SALESFORCE.COM",
                ),
                "Your new Salesforce security",
                "Your new Acme security",
            ),
            Expected::Refused("dkim_missing"),
        ),
    ]
}
