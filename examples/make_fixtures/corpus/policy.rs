//! Mails that are judged by another policy than the default: pinned keys, other limits. The provider's
//! word stands in `provider`.

use serde_json::json;
use sftoken::testing::sign::Signer;

use super::{Case, Expected, SELECTOR, TOKEN, USER, key, signed, signed_by, under, usual, written};

pub(super) const FOLDER: &str = "policy";

pub(super) fn cases() -> Vec<Case> {
    [pins(), limits()].concat()
}

/// The mail of [`usual`], to be found by this proof.
pub(super) fn found(name: &str, why: &str, bytes: Vec<u8>, proof: [Option<&str>; 3]) -> Case {
    let expected = Expected::Found(USER.to_owned(), "production", TOKEN.to_owned());
    let [method, domain, selector] = proof;
    let proof = json!({ "method": method, "domain": domain, "selector": selector });
    Case::new(FOLDER, name, why, bytes, expected).proof(proof)
}

pub(super) const BY_DKIM: [Option<&str>; 3] =
    [Some("dkim"), Some("salesforce.com"), Some(SELECTOR)];

pub(super) fn refused(name: &str, reason: &'static str, why: &str, bytes: Vec<u8>) -> Case {
    Case::new(FOLDER, name, why, bytes, Expected::Refused(reason))
}

fn genuine() -> Vec<u8> {
    signed(&written(&usual()))
}

fn pins() -> Vec<Case> {
    let why = "product: trust; auth 6, T10: a DNS that lies";
    let (public, other) = (key("rsa-2048").public(), key("rsa-1024").public());
    let full = format!("{SELECTOR}._domainkey.salesforce.com");
    let pinned = |name: &str, pin: &str| json!({ "pinned_keys": { name: pin } });
    let taken = |name: &str, policy| found(name, why, genuine(), BY_DKIM).policy(policy);
    let refused = |name: &str, reason, policy| refused(name, reason, why, genuine()).policy(policy);
    let not_pinned = "dkim_key_not_pinned";
    let ed25519 = key("ed25519");
    let by_ed25519 = Signer::new(&ed25519, "salesforce.com", SELECTOR).sign(&written(&usual()));
    vec![
        taken("pinned-key", pinned(&full, &public)).keys(vec![]),
        taken(
            "pinned-key-by-selector",
            pinned(SELECTOR, &format!("p={public}")),
        )
        .keys(vec![]),
        taken("pinned-fingerprint", pinned(&full, FINGERPRINT)),
        found("pinned-ed25519-key", why, by_ed25519, BY_DKIM)
            .policy(pinned(SELECTOR, &ed25519.public()))
            .keys(vec![]),
        refused("pinned-key-is-another", not_pinned, pinned(&full, &other)),
        refused(
            "pinned-key-of-another-kind",
            not_pinned,
            pinned(&full, &ed25519.public()),
        ),
        refused(
            "pinned-selector-is-another",
            not_pinned,
            pinned("sf2027", &public),
        ),
        refused(
            "pinned-fingerprint-of-another-key",
            not_pinned,
            pinned(&full, &format!("sha256:{}", "0".repeat(64))),
        ),
        refused(
            "pinned-in-full-goes-before-the-selector",
            not_pinned,
            json!({ "pinned_keys": { full.clone(): other, SELECTOR: public } }),
        ),
        refused(
            "pinned-fingerprint-without-a-key",
            "dkim_key_missing",
            pinned(&full, FINGERPRINT),
        )
        .keys(vec![]),
    ]
}

/// Of `fixtures/keys/rsa-2048.pem`: `openssl pkey -pubout -outform DER | sha256sum`.
const FINGERPRINT: &str = "sha256:634787768904f1f2a166d819af6a2f7d8441236048d2d93f730975269af603f6";

fn limits() -> Vec<Case> {
    let ahead = |minutes: i64| {
        let mut mail = usual();
        mail.date = jiff::Timestamp::from_second(NOW + minutes * 60).expect("a time");
        signed(&written(&mail))
    };
    let with_id = signed_by(&written(&usual()), |signer| {
        signer.fields.push("Message-ID".into())
    });
    let relayed = signed_by(&genuine(), |signer| signer.domain = "relay.example".into());
    let required = json!({ "required_signed": ["Message-ID"] });
    vec![
        found(
            "required-field-is-signed",
            "auth 2.2: required_signed",
            with_id,
            BY_DKIM,
        )
        .policy(required.clone()),
        refused(
            "required-field-is-not-signed",
            "dkim_unsigned_header",
            "auth 2.2",
            genuine(),
        )
        .policy(required),
        refused(
            "one-signature-is-looked-at",
            "dkim_too_many",
            "max_signatures",
            relayed.clone(),
        )
        .policy(json!({ "max_signatures": 1 })),
        found(
            "two-signatures-are-looked-at",
            "max_signatures",
            relayed,
            BY_DKIM,
        )
        .policy(json!({ "max_signatures": 2 })),
        refused(
            "one-key-is-asked-for",
            "dkim_too_many",
            "max_dns_questions",
            two_selectors(),
        )
        .policy(json!({ "max_dns_questions": 1 })),
        found(
            "two-keys-are-asked-for",
            "max_dns_questions",
            two_selectors(),
            BY_DKIM,
        )
        .policy(json!({ "max_dns_questions": 2 })),
        found("date-within-a-wide-skew", "clock_skew", ahead(59), BY_DKIM)
            .policy(json!({ "clock_skew": "1h" })),
        refused(
            "date-beyond-a-narrow-skew",
            "date_future",
            "clock_skew",
            ahead(2),
        )
        .policy(json!({ "clock_skew": "1m" })),
        refused(
            "sender-is-not-configured",
            "from_not_allowed",
            "senders",
            genuine(),
        )
        .policy(json!({ "senders": ["noreply@salesforce.com"] })),
        refused(
            "domain-is-not-configured",
            "dkim_not_aligned",
            "signing_domains",
            genuine(),
        )
        .policy(json!({ "signing_domains": ["salesforcedevs.com"] })),
        refused(
            "selector-is-denied",
            "dkim_selector_denied",
            "denied_selectors",
            genuine(),
        )
        .policy(json!({ "denied_selectors": [SELECTOR] })),
        refused(
            "word-of-a-provider-without-being-asked",
            "dkim_missing",
            "product: authentication-results is opt-in",
            under(
                "Authentication-Results: mx.example.com; dkim=pass header.d=salesforce.com",
                &written(&usual()),
            ),
        )
        .policy(json!({ "proof": "dkim", "authserv_id": "mx.example.com" })),
    ]
}

/// 1 April 2026, 16:00 UTC, in seconds: when the mails are examined.
const NOW: i64 = 1_775_059_200;

/// A spoilt signature by another selector on top of the right one.
fn two_selectors() -> Vec<u8> {
    signed_by(&genuine(), |signer| signer.selector = "sf2025".into())
}
