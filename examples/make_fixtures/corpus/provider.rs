//! Mails that are judged by the word of the mailbox's provider (RFC 8601): as providers write it, and
//! as attackers would.

use serde_json::json;
use sftoken::testing::fixture::TokenMail;
use sftoken::testing::sign::{Flaw, Signer};

use super::policy::{BY_DKIM, FOLDER, found, refused};
use super::{
    Case, Expected, SELECTOR, key, record, replaced, signed, signed_by, under, usual, written,
};

/// The provider that the policy trusts.
const ID: &str = "mx.example.com";
const RECEIVED: &str = "Received: from smtp02.mta.salesforce.com by mx.example.com with ESMTPS id 1;\r\n\tWed, 1 Apr 2026 15:08:46 +0000";
const PASS: &str = "dkim=pass header.d=salesforce.com header.s=sf2026";

pub(super) fn cases() -> Vec<Case> {
    [
        shapes(),
        smuggled(),
        forged(),
        ids(),
        results(),
        belied(),
        gates(),
        either(),
    ]
    .concat()
}

fn genuine() -> Vec<u8> {
    signed(&written(&usual()))
}

/// Judged by the word of this provider alone; the DNS knows nothing.
fn by(id: &str, case: Case) -> Case {
    let policy = json!({ "proof": "authentication-results", "authserv_id": id });
    case.policy(policy).keys(vec![])
}

/// A mail under one field of the trusted provider's.
fn with(results: &str, mail: &[u8]) -> Vec<u8> {
    under(&format!("Authentication-Results: {ID}; {results}"), mail)
}

fn not_believed(name: &str, reason: &'static str, why: &str, bytes: Vec<u8>) -> Case {
    by(ID, refused(name, reason, why, bytes))
}

/// The usual mail with these results, not believed.
fn told(name: &str, reason: &'static str, why: &str, results: &str) -> Case {
    not_believed(name, reason, why, with(results, &genuine()))
}

fn word(selector: Option<&str>) -> [Option<&str>; 3] {
    [
        Some("authentication-results"),
        Some("salesforce.com"),
        selector,
    ]
}

/// How the value of a mail's first signature begins.
fn beginning(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail);
    let (_, value) = text.split_once("; b=\r\n\t").expect("a signature");
    value[..8].to_owned()
}

fn shapes() -> Vec<Case> {
    let mail = genuine();
    let b = beginning(&mail);
    let gmail = format!(
        "Delivered-To: integrations@acme.example\r\n\
         Received: by 2002:a05:6000:1:b0:3f1 with SMTP id 1; Wed, 1 Apr 2026 08:08:47 -0700 (PDT)\r\n\
         ARC-Authentication-Results: i=1; mx.google.com; dkim=pass header.i=@salesforce.com\r\n\
         Return-Path: <bounce@bnc.salesforce.com>\r\n\
         {RECEIVED}\r\n\
         Received-SPF: pass (google.com: domain of bounce@bnc.salesforce.com designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1;\r\n\
         Authentication-Results: mx.google.com;\r\n       dkim=pass header.i=@salesforce.com header.s=sf2026 header.b=\"{b}\";\r\n       spf=pass (google.com: domain of bounce@bnc.salesforce.com designates 192.0.2.1 as permitted sender) smtp.mailfrom=bounce@bnc.salesforce.com;\r\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=salesforce.com"
    );
    let fastmail = format!(
        "Authentication-Results: mx4.messagingengine.com;\r\n    x-csa=none;\r\n    x-me-sender=none;\r\n    x-ptr=pass smtp.helo=smtp02.mta.salesforce.com\r\n    policy.ptr=smtp02.mta.salesforce.com\r\n\
         Authentication-Results: mx4.messagingengine.com;\r\n    bimi=skipped (DMARC Policy is not at enforcement)\r\n\
         Authentication-Results: mx4.messagingengine.com;\r\n    arc=none (no signatures found)\r\n\
         Authentication-Results: mx4.messagingengine.com;\r\n    dkim=pass (2048-bit rsa key sha256) header.d=salesforce.com\r\n    header.i=@salesforce.com header.b={b} header.a=rsa-sha256\r\n    header.s=sf2026 x-bits=2048;\r\n    dmarc=pass policy.published-domain-policy=reject\r\n    policy.applied-disposition=none (p=reject,d=none) policy.policy-from=p\r\n    header.from=salesforce.com;\r\n    spf=pass smtp.mailfrom=bounce@bnc.salesforce.com\r\n    smtp.helo=smtp02.mta.salesforce.com"
    );
    let opendkim = format!(
        "Authentication-Results: {ID}; dmarc=pass (p=reject dis=none) header.from=salesforce.com\r\n\
         Authentication-Results: {ID}; spf=pass smtp.mailfrom=bnc.salesforce.com\r\n\
         Authentication-Results: {ID};\r\n\tdkim=pass (2048-bit key; unprotected) header.d=salesforce.com header.i=@salesforce.com header.b=\"{b}\"\r\n\
         {RECEIVED}"
    );
    // Seen April 2026: the sender's own server writes a field that is not of this grammar.
    let senders = "Authentication-Results: mx2-ia6-sp4.mta.salesforce.com x-tls.subject=\"/C=US/O=Salesforce/CN=app1.sfdc.net\";\r\n\tauth=pass (cipher=ECDHE-RSA-AES256-GCM-SHA384)";
    let exchange = "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=bnc.salesforce.com; dkim=pass (signature was verified)\r\n header.d=salesforce.com;dmarc=pass action=none\r\n header.from=salesforce.com;compauth=pass reason=100";
    let banner = [genuine(), b"This mail came from outside.\r\n".to_vec()].concat();
    let ours =
        |name: &str, why: &str, selector, bytes| by(ID, found(name, why, bytes, word(selector)));
    let (some, none) = (Some(SELECTOR), None);
    vec![
        by(
            "mx.google.com",
            found(
                "gmail",
                "auth 1.3: header.i only, below Received",
                under(&gmail, &mail),
                word(some),
            ),
        ),
        by(
            "mx4.messagingengine.com",
            found(
                "fastmail-in-four-fields",
                "auth 1.3: the verdict is in the fourth",
                under(&fastmail, &mail),
                word(some),
            ),
        ),
        ours(
            "opendkim-and-opendmarc",
            "auth 1.3: a field for each method",
            none,
            under(&opendkim, &mail),
        ),
        ours(
            "field-of-the-senders-own-server-below",
            "auth 1.2: not RFC 8601, and none of ours",
            some,
            with(PASS, &under(RECEIVED, &under(senders, &mail))),
        ),
        ours(
            "fields-of-other-servers-above",
            "auth 1.3: passed over",
            some,
            under(exchange, &under(senders, &with(PASS, &mail))),
        ),
        ours(
            "banner-behind-what-the-provider-saw",
            "auth 1.1: why this mode is there",
            some,
            with(PASS, &banner),
        ),
        ours(
            "signature-dropped-by-the-provider",
            "auth 1.3",
            none,
            with("dkim=pass header.d=salesforce.com", &written(&usual())),
        ),
        ours(
            "results-said-twice",
            "auth 1.3",
            some,
            with(&format!("{PASS}; {PASS}"), &mail),
        ),
        ours(
            "foreign-signature-failed",
            "auth 1.3: a relay's own",
            some,
            with(&format!("{PASS}; dkim=fail header.d=relay.example"), &mail),
        ),
        by(
            "outlook.com",
            refused(
                "exchange-writes-no-id",
                "ar_missing",
                "auth 1.3: nothing to match on",
                under(exchange, &mail),
            ),
        ),
        not_believed("no-results-at-all", "ar_missing", "auth 1.3", mail),
    ]
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

/// All other gates hold in this mode too.
fn gates() -> Vec<Case> {
    let changed = |name: &str, reason, change: &dyn Fn(&mut TokenMail)| {
        let mut mail = usual();
        change(&mut mail);
        let bytes = with(PASS, &signed(&written(&mail)));
        not_believed(name, reason, "product: trust, 2 to 5", bytes)
    };
    let doubled = under("Subject: Another", &with(PASS, &genuine()));
    vec![
        not_believed(
            "passed-with-two-subjects",
            "header_duplicate",
            "auth 1.5",
            doubled,
        ),
        changed("passed-from-another-address", "from_not_allowed", &|mail| {
            mail.from = "someone@salesforce.com".to_owned();
        }),
        changed("passed-with-a-date-of-tomorrow", "date_future", &|mail| {
            mail.date += jiff::SignedDuration::from_hours(24);
        }),
        changed("passed-with-two-tokens", "token_ambiguous", &|mail| {
            let line = "Security token (case-sensitive): ";
            let text = format!(
                "Username: {}\r\n{line}{}\r\n{line}{}\r\n",
                super::USER,
                super::TOKEN,
                super::OTHER
            );
            mail.text = Some(text);
        }),
    ]
}

fn either() -> Vec<Case> {
    let policy = || json!({ "proof": "either", "authserv_id": ID });
    let why = "product: trust, 1: our own proof first";
    let found = |name: &str, bytes, proof| found(name, why, bytes, proof).policy(policy());
    let refused = |name: &str, reason, bytes| refused(name, reason, why, bytes).policy(policy());
    let fails = "dkim=fail header.d=salesforce.com";
    let changed = replaced(&genuine(), "15:08:44", "15:58:44");
    let other = vec![record(
        "salesforce.com",
        SELECTOR,
        &key("rsa-1024").dns_record(),
    )];
    let not_ours = Case::new(
        FOLDER,
        "either-of-no-token-mail",
        why,
        {
            let mail = replaced(
                &written(&usual()),
                "Subject: Your new Salesforce security token",
                "Subject: Lunch",
            );
            with(PASS, &replaced(&mail, "Security token", "Menu"))
        },
        Expected::NotOurs("not_candidate"),
    );
    vec![
        found(
            "either-by-its-own-signature",
            with(fails, &genuine()),
            BY_DKIM,
        ),
        found(
            "either-by-the-providers-word",
            with(PASS, &genuine()),
            word(Some(SELECTOR)),
        )
        .keys(vec![]),
        refused("either-and-nobody-speaks", "ar_missing", written(&usual())),
        refused(
            "either-and-the-provider-says-no",
            "ar_fail",
            with("dkim=none", &written(&usual())),
        ),
        refused(
            "either-and-both-say-no",
            "dkim_fail_signature",
            with(fails, &changed),
        ),
        refused(
            "either-and-the-key-is-another",
            "dkim_fail_signature",
            genuine(),
        )
        .keys(other),
        not_ours.policy(policy()),
    ]
}
