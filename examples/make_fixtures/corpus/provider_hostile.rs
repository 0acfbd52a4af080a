//! Fields that attackers would write to have the provider's word for them, and what a provider may pass
//! though we refuse it.

use sftoken::testing::sign::{Flaw, Signer};

use super::provider::{PASS, RECEIVED, beginning, genuine, not_believed, told, with};
use super::{Case, replaced, signed_by, under, usual, written};

pub(super) fn cases() -> Vec<Case> {
    [smuggled(), forged(), ids(), results(), belied()].concat()
}

fn smuggled() -> Vec<Case> {
    let why = "auth 1.3: a real grammar";
    let spf = |name: &str, property: &str| {
        told(
            name,
            "ar_fail",
            why,
            &format!("spf=pass {property}; dkim=none"),
        )
    };
    let open = |name: &str, results: &str| told(name, "ar_malformed", "CVE-2020-12272", results);
    vec![
        spf(
            "pass-in-a-comment",
            "(; dkim=pass header.d=salesforce.com;) smtp.mailfrom=evil.example",
        ),
        spf(
            "pass-in-a-nested-comment",
            "(a (b) ; dkim=pass header.d=salesforce.com \\) ;) smtp.mailfrom=evil.example",
        ),
        spf(
            "pass-in-a-reason",
            "reason=\"x; dkim=pass header.d=salesforce.com\" smtp.mailfrom=evil.example",
        ),
        spf(
            "pass-in-another-property",
            "smtp.mailfrom=\"x; dkim=pass header.d=salesforce.com\"",
        ),
        spf(
            "pass-in-a-local-part",
            "smtp.mailfrom=\"x; dkim=pass header.d=salesforce.com\"@evil.example",
        ),
        spf(
            "pass-behind-an-escaped-quote",
            "smtp.mailfrom=\"\\\"; dkim=pass header.d=salesforce.com;\"@evil.example",
        ),
        open(
            "domain-with-an-open-comment",
            "dkim=pass header.d=salesforce.com(.evil.example",
        ),
        open(
            "domain-with-a-comment-that-a-selector-closes",
            "dkim=pass header.d=salesforce.com(.evil.example header.s=x) header.b=abcdefgh",
        ),
        open(
            "pass-without-a-semicolon",
            "spf=pass smtp.mailfrom=evil.example dkim=pass header.d=salesforce.com",
        ),
        open(
            "open-quote",
            "spf=pass smtp.mailfrom=\"evil.example; dkim=pass header.d=salesforce.com",
        ),
        not_believed(
            "nul-in-results",
            "bad_bytes",
            "auth 1.5",
            with(
                "dkim=pass header.d=salesforce.com\0.evil.example",
                &genuine(),
            ),
        ),
    ]
}

/// Fields that the sender wrote, in the trusted provider's name.
fn forged() -> Vec<Case> {
    let forgery = with(PASS, &written(&usual()));
    let why = "auth 1.3: only the block on top";
    vec![
        not_believed(
            "forged-field-below",
            "ar_fail",
            why,
            with("dkim=none", &under(RECEIVED, &forgery)),
        ),
        not_believed(
            "forged-field-below-and-the-sender-failed",
            "ar_fail",
            why,
            with(
                "dkim=fail header.d=salesforce.com",
                &under(RECEIVED, &forgery),
            ),
        ),
        not_believed(
            "forged-field-below-another-servers",
            "ar_fail",
            why,
            with(
                "dkim=none",
                &under("Authentication-Results: relay.example; none", &forgery),
            ),
        ),
        not_believed(
            "forged-field-directly-below",
            "ar_conflict",
            "OpenDKIM issue 185: forged fields that were left",
            with("dkim=none", &forgery),
        ),
        not_believed(
            "forged-field-directly-below-none",
            "ar_conflict",
            "OpenDKIM issue 185",
            with("none", &forgery),
        ),
        not_believed(
            "forged-field-directly-above",
            "ar_conflict",
            "OpenDKIM issue 185",
            with(
                PASS,
                &with("dkim=fail header.d=salesforce.com", &written(&usual())),
            ),
        ),
        not_believed(
            "unreadable-field-above-a-forged-one",
            "ar_malformed",
            "pimlie/authres_status issue 86 fails open there",
            with("dkim=fail (", &forgery),
        ),
    ]
}

fn ids() -> Vec<Case> {
    let id = |name: &str, reason, id: &str| {
        let field = format!("Authentication-Results: {id}; {PASS}");
        not_believed(
            name,
            reason,
            "auth 1.3: the whole word",
            under(&field, &genuine()),
        )
    };
    vec![
        id("longer-id", "ar_missing", "mx.example.com.evil.example"),
        id("id-of-a-sub-domain", "ar_missing", "evil.mx.example.com"),
        id(
            "id-behind-another-word",
            "ar_missing",
            "evil mx.example.com",
        ),
        id(
            "id-in-a-comment",
            "ar_missing",
            "evil.example (mx.example.com)",
        ),
        id(
            "id-folded-in-the-middle",
            "ar_missing",
            "mx.exam\r\n\tple.com",
        ),
        id(
            "id-with-a-folded-end",
            "ar_malformed",
            "mx.example.com\r\n\t.evil.example",
        ),
        id(
            "id-with-a-slash",
            "ar_malformed",
            "mx.example.com/evil.example",
        ),
        id(
            "version-that-nobody-knows",
            "ar_malformed",
            "mx.example.com 2",
        ),
    ]
}

fn results() -> Vec<Case> {
    let why = "auth 1.3";
    let dmarc =
        |name: &str, reason, dmarc: &str| told(name, reason, why, &format!("{PASS}; {dmarc}"));
    vec![
        told(
            "spf-alone",
            "ar_fail",
            why,
            "spf=pass smtp.mailfrom=salesforce.com",
        ),
        told(
            "dmarc-by-spf-alone",
            "ar_fail",
            "auth 1.1; CVE-2019-20790",
            "spf=pass smtp.mailfrom=salesforce.com; dkim=none; dmarc=pass header.from=salesforce.com",
        ),
        told("results-none", "ar_fail", why, "none"),
        told(
            "dkim-failed",
            "ar_fail",
            why,
            "dkim=fail header.d=salesforce.com",
        ),
        told(
            "dkim-of-a-word-that-begins-like-pass",
            "ar_fail",
            why,
            "dkim=passable header.d=salesforce.com",
        ),
        told(
            "pass-then-fail",
            "ar_conflict",
            why,
            &format!("{PASS}; dkim=fail header.d=salesforce.com header.s=sf2026"),
        ),
        told(
            "fail-then-pass",
            "ar_conflict",
            why,
            &format!("dkim=fail header.d=salesforce.com header.s=sf2026; {PASS}"),
        ),
        told(
            "foreign-domain-passed",
            "ar_not_aligned",
            why,
            "dkim=pass header.d=evil.example",
        ),
        told(
            "sub-domain-passed",
            "ar_not_aligned",
            why,
            "dkim=pass header.d=emea.salesforce.com",
        ),
        told(
            "longer-domain-passed",
            "ar_not_aligned",
            why,
            "dkim=pass header.i=@salesforce.com.evil.example",
        ),
        told(
            "domain-not-told",
            "ar_not_aligned",
            why,
            "dkim=pass (2048-bit key)",
        ),
        told(
            "domain-told-twice",
            "ar_malformed",
            why,
            "dkim=pass header.d=evil.example header.d=salesforce.com",
        ),
        dmarc(
            "dmarc-failed",
            "ar_fail",
            "dmarc=fail header.from=salesforce.com",
        ),
        dmarc(
            "dmarc-of-another-domain",
            "ar_conflict",
            "dmarc=pass header.from=evil.example",
        ),
        told(
            "staff-selector-passed",
            "dkim_selector_denied",
            "auth 1.2",
            "dkim=pass header.i=@salesforce.com header.s=google",
        ),
    ]
}

/// The provider passed what the mail's own signatures belie.
fn belied() -> Vec<Case> {
    let why = "auth 1.3: a provider may pass what we refuse";
    let passed = |name: &str, reason, change: &dyn Fn(&mut Signer<'_>)| {
        let mail = signed_by(&written(&usual()), change);
        not_believed(
            name,
            reason,
            why,
            with("dkim=pass header.d=salesforce.com", &mail),
        )
    };
    let with_length = signed_by(&written(&usual()), |signer| signer.length = Some(100));
    let meant = format!(
        "dkim=pass header.i=@salesforce.com header.b=\"{}\"",
        beginning(&with_length)
    );
    let two = signed_by(&with_length, |signer| signer.flaw = Flaw::Signature);
    let garbled = replaced(&genuine(), "d=salesforce.com;", "d=salesforce.com\"x;");
    vec![
        passed("passed-with-body-length", "dkim_l_tag", &|signer| {
            signer.length = Some(200)
        }),
        passed(
            "passed-with-unsigned-date",
            "dkim_unsigned_header",
            &|signer| {
                signer.fields.retain(|name| name != "Date");
            },
        ),
        passed("passed-with-sha1", "dkim_weak", &|signer| {
            signer.algorithm = Some("rsa-sha1".into())
        }),
        passed(
            "passed-by-staff-selector-not-told",
            "dkim_selector_denied",
            &|signer| {
                signer.selector = "google".into();
            },
        ),
        told(
            "passed-with-an-algorithm-of-old",
            "dkim_weak",
            "RFC 8301",
            &format!("{PASS} header.a=rsa-sha1"),
        ),
        told(
            "passed-by-a-selector-that-the-mail-lacks",
            "ar_conflict",
            why,
            "dkim=pass header.d=salesforce.com header.s=other",
        ),
        not_believed(
            "passed-is-not-the-signature-that-looks-good",
            "dkim_l_tag",
            "RFC 6008: header.b tells which is meant",
            with(&meant, &two),
        ),
        not_believed(
            "passed-with-a-garbled-signature",
            "dkim_malformed",
            "auth 1.5",
            with(PASS, &garbled),
        ),
    ]
}
