//! Mails whose signature does not prove what they claim.

use sftoken::testing::sign::{Flaw, Signer};

use super::hostile::{refused, timed};
use super::{Case, SELECTOR, key, record, replaced, signed, signed_by, under, usual, written};

pub(super) fn cases() -> Vec<Case> {
    [
        alignment(),
        coverage(),
        strength(),
        malformed(),
        keys(),
        changed(),
    ]
    .concat()
}

fn genuine() -> Vec<u8> {
    signed(&written(&usual()))
}

pub(super) fn resigned(
    name: &str,
    reason: &'static str,
    why: &str,
    change: impl FnOnce(&mut Signer<'_>),
) -> Case {
    refused(name, reason, why, signed_by(&written(&usual()), change))
}

/// Signatures by three selectors that have no key, on top.
fn by_three_more(mail: Vec<u8>) -> Vec<u8> {
    (0..3).fold(mail, |mail, number| {
        signed_by(&mail, |signer| signer.selector = format!("old{number}"))
    })
}

fn alignment() -> Vec<Case> {
    let domain = |name: &str, domain: &'static str| {
        let records = [domain, "salesforce.com"]
            .map(|domain| record(domain, SELECTOR, &key("rsa-2048").dns_record()));
        resigned(
            name,
            "dkim_not_aligned",
            "auth 1.5: d= must be a trusted domain and the sender's own or its parent",
            |signer| signer.domain = domain.into(),
        )
        .keys(records.to_vec())
    };
    let foreign = |number: usize, mail: Vec<u8>| {
        signed_by(&mail, |signer| {
            (signer.domain, signer.selector) = (format!("mailer{number}.example"), "m".into())
        })
    };
    let pile =
        |count: usize, mail: Vec<u8>| (0..count).fold(mail, |mail, number| foreign(number, mail));
    vec![
        refused(
            "no-signature",
            "dkim_missing",
            "auth 2.1",
            written(&usual()),
        ),
        domain("foreign-domain", "evil.example"),
        domain("child-domain", "emea.salesforce.com"),
        domain("other-trusted-domain", "salesforcedevs.com"),
        domain("top-level-domain", "com"),
        refused(
            "forty-signatures",
            "dkim_too_many",
            "auth 3.1: each would cost a DNS question",
            pile(40, written(&usual())),
        ),
        refused(
            "right-signature-is-the-ninth",
            "dkim_too_many",
            "auth 2.1: eight are looked at",
            pile(8, genuine()),
        ),
        refused(
            "right-key-is-the-fourth",
            "dkim_too_many",
            "auth 2.1: three are asked for",
            by_three_more(genuine()),
        ),
        resigned(
            "selector-of-staff-mail",
            "dkim_selector_denied",
            "auth 1.2: staff mail is signed with it",
            |signer| signer.selector = "google".into(),
        )
        .keys(vec![record(
            "salesforce.com",
            "google",
            &key("rsa-2048").dns_record(),
        )]),
    ]
}

/// Seconds from when the mails are sent until they are examined.
const UNTIL_NOW: i64 = 3_076;

fn coverage() -> Vec<Case> {
    let without = |field: &'static str| {
        let name = format!("{}-not-signed", field.to_ascii_lowercase());
        resigned(
            &name,
            "dkim_unsigned_header",
            "RFC 6376, 5.4; auth 0.3",
            |signer| signer.fields.retain(|name| name != field),
        )
    };
    let length = |name: &str, length| {
        resigned(
            name,
            "dkim_l_tag",
            "auth 1.5: what stands behind l= is anyone's",
            |signer| signer.length = Some(length),
        )
    };
    let appended = [
        signed_by(&written(&usual()), |signer| signer.length = Some(100)),
        b"Username: evil@evil.example\r\n".to_vec(),
    ]
    .concat();
    vec![
        without("From"),
        without("Subject"),
        without("Date"),
        length("body-length", 200),
        length("body-length-zero", 0),
        length("body-length-whole", 100_000),
        refused(
            "body-length-and-text-behind",
            "dkim_l_tag",
            "auth 1.5",
            appended,
        ),
        refused(
            "signed-tomorrow",
            "dkim_future",
            "auth 2.1",
            timed(86_400, None),
        ),
        refused(
            "signed-sixteen-minutes-ahead",
            "dkim_future",
            "auth 2.1",
            timed(UNTIL_NOW + 16 * 60, None),
        ),
        refused(
            "signature-expires-now",
            "dkim_expired",
            "RFC 6376, 3.5: from x= on",
            timed(0, Some(UNTIL_NOW)),
        ),
        refused(
            "signature-expired",
            "dkim_expired",
            "auth 1.4: the clock is an argument",
            timed(0, Some(60)),
        ),
    ]
}

fn strength() -> Vec<Case> {
    let weak = |name: &str, key_name: &str| {
        let key = key(key_name);
        let bytes = Signer::new(&key, "salesforce.com", SELECTOR).sign(&written(&usual()));
        refused(name, "dkim_weak", "RFC 8301, 3.2", bytes).keys(vec![record(
            "salesforce.com",
            SELECTOR,
            &key.dns_record(),
        )])
    };
    let labelled = |name: &str, label: &'static str| {
        resigned(name, "dkim_weak", "RFC 8301, 3.1; auth 0.3", |signer| {
            signer.algorithm = Some(label.into())
        })
    };
    vec![
        weak("key-of-512-bits", "rsa-512"),
        weak("key-of-768-bits", "rsa-768"),
        labelled("sha1", "rsa-sha1"),
        labelled("unknown-algorithm", "rsa-md5"),
    ]
}

fn malformed() -> Vec<Case> {
    let edited = |name: &str, why: &str, old: &str, new: &str| {
        refused(name, "dkim_malformed", why, replaced(&genuine(), old, new))
    };
    vec![
        edited("signature-without-version", "RFC 6376, 3.5", "v=1; ", ""),
        edited("signature-of-version-2", "RFC 6376, 3.5", "v=1;", "v=2;"),
        edited(
            "signature-with-tag-twice",
            "RFC 6376, 3.2",
            "s=sf2026;",
            "s=sf2026; s=evil;",
        ),
        edited(
            "signature-with-quote-in-domain",
            "auth 1.5: Composition Kills",
            "d=salesforce.com;",
            "d=salesforce.com\"evil.example;",
        ),
        edited(
            "signature-with-blank-in-selector",
            "auth 1.5: Composition Kills",
            "s=sf2026;",
            "s=sf 2026;",
        ),
        edited(
            "signature-with-dot-behind-domain",
            "auth 1.5: another name to the DNS than to us",
            "d=salesforce.com;",
            "d=salesforce.com.;",
        ),
        edited(
            "signature-with-comment-in-domain",
            "CVE-2020-12272",
            "d=salesforce.com;",
            "d=salesforce.com(.evil.example;",
        ),
        edited("signature-with-bad-base64", "RFC 6376, 3.5", "bh=", "bh=!"),
        edited(
            "signature-without-fields",
            "RFC 6376, 3.5",
            "h=Date",
            "z=Date",
        ),
        edited(
            "signature-of-unknown-form",
            "RFC 6376, 3.5",
            "c=relaxed/simple",
            "c=loose/simple",
        ),
        resigned(
            "identity-of-another-domain",
            "dkim_malformed",
            "RFC 6376, 6.1.1",
            |signer| signer.identity = Some("support@evil.example".into()),
        ),
        resigned(
            "identity-of-a-longer-domain",
            "dkim_malformed",
            "RFC 6376, 6.1.1",
            |signer| signer.identity = Some("support@evilsalesforce.com".into()),
        ),
        resigned(
            "expires-before-it-was-made",
            "dkim_malformed",
            "RFC 6376, 3.5",
            |signer| (signer.time, signer.expires) = (Some(super::SENT), Some(super::SENT - 60)),
        ),
    ]
}

fn keys() -> Vec<Case> {
    let public = key("rsa-2048").public();
    let with = |name: &str, reason, why: &str, values: &[String]| {
        let records = values
            .iter()
            .map(|value| record("salesforce.com", SELECTOR, value))
            .collect();
        refused(name, reason, why, genuine()).keys(records)
    };
    let one = |name: &str, reason, tags: &str| {
        with(
            name,
            reason,
            "RFC 6376, 3.6.1 and 6.1.2",
            &[format!("v=DKIM1; {tags}")],
        )
    };
    let strict = resigned(
        "key-is-strict-and-identity-below",
        "dkim_key_restricted",
        "RFC 6376, 3.6.1: t=s",
        |signer| {
            signer.identity = Some("x@bnc.salesforce.com".into());
        },
    );
    vec![
        with("key-missing", "dkim_key_missing", "RFC 6376, 6.1.2", &[]),
        with(
            "key-twice",
            "dkim_key_missing",
            "RFC 6376, 3.6.2.2: undefined, so neither counts",
            &[key("rsa-2048").dns_record(), key("rsa-1024").dns_record()],
        ),
        one("key-revoked", "dkim_key_revoked", "k=rsa; p="),
        one(
            "key-in-testing",
            "dkim_key_testing",
            &format!("k=rsa; t=y; p={public}"),
        ),
        one(
            "key-for-another-service",
            "dkim_key_restricted",
            &format!("k=rsa; s=tlsrpt; p={public}"),
        ),
        one(
            "key-for-sha1-only",
            "dkim_key_restricted",
            &format!("k=rsa; h=sha1; p={public}"),
        ),
        one(
            "key-of-another-kind",
            "dkim_key_restricted",
            &format!("k=ed25519; p={public}"),
        ),
        refused(
            "key-of-31-octets",
            "dkim_key_malformed",
            "RFC 8463, 4",
            Signer::new(&key("ed25519"), "salesforce.com", SELECTOR).sign(&written(&usual())),
        )
        .keys(vec![record(
            "salesforce.com",
            SELECTOR,
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHUQ==",
        )]),
        one("key-not-base64", "dkim_key_malformed", "k=rsa; p=!!!!"),
        one(
            "key-cut-short",
            "dkim_key_malformed",
            &format!("k=rsa; p={}", &public[..100]),
        ),
        with(
            "key-of-someone-else",
            "dkim_fail_signature",
            "RFC 6376, 6.1.3",
            &[key("rsa-1024").dns_record()],
        ),
        strict.keys(vec![record(
            "salesforce.com",
            SELECTOR,
            &format!("v=DKIM1; t=s; k=rsa; p={public}"),
        )]),
    ]
}

fn changed() -> Vec<Case> {
    let edited = |name: &str, reason, old: &str, new: &str| {
        refused(
            name,
            reason,
            "auth 6: T4, a forwarder with one genuine mail",
            replaced(&genuine(), old, new),
        )
    };
    let banner = [genuine(), b"This mail came from outside.\r\n".to_vec()].concat();
    vec![
        edited(
            "token-changed",
            "dkim_fail_body",
            super::TOKEN,
            super::OTHER,
        ),
        edited(
            "username-changed",
            "dkim_fail_body",
            "integration@acme",
            "integration@evil",
        ),
        refused(
            "banner-behind",
            "dkim_fail_body",
            "mail 6: gateways break simple bodies",
            banner,
        ),
        edited(
            "subject-changed",
            "dkim_fail_signature",
            "Subject: Your",
            "Subject: Sandbox: Your",
        ),
        edited(
            "date-changed",
            "dkim_fail_signature",
            "15:08:44",
            "15:58:44",
        ),
        edited(
            "recipient-changed",
            "dkim_fail_signature",
            "To: integrations",
            "To: someone",
        ),
        resigned(
            "body-hash-wrong",
            "dkim_fail_body",
            "RFC 6376, 6.1.3",
            |signer| signer.flaw = Flaw::BodyHash,
        ),
        resigned(
            "signature-wrong",
            "dkim_fail_signature",
            "RFC 6376, 6.1.3",
            |signer| signer.flaw = Flaw::Signature,
        ),
        refused(
            "duplicate-subject-oversigned",
            "header_duplicate",
            "auth 1.5: a second field counts, whatever the signature covers",
            under("Subject: Another", &subject_twice()),
        ),
        refused(
            "content-type-signed-as-absent",
            "dkim_fail_signature",
            "RFC 6376, 5.4: a field added behind a signature that covers its absence",
            oversigned(),
        ),
    ]
}

/// Signed as having no Reply-To, to which one was added.
fn oversigned() -> Vec<u8> {
    let bytes = signed_by(&written(&usual()), |signer| {
        signer.fields.push("Reply-To".into())
    });
    under("Reply-To: attacker@evil.example", &bytes)
}

/// Signed as having one Subject and no second one.
fn subject_twice() -> Vec<u8> {
    signed_by(&written(&usual()), |signer| {
        signer.fields.push("Subject".into())
    })
}
