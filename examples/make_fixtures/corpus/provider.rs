//! Mails that are judged by the word of the mailbox's provider (RFC 8601), as providers write it. What
//! attackers would write stands in `provider_hostile`.

use serde_json::json;
use sftoken::testing::fixture::TokenMail;

use super::policy::{BY_DKIM, FOLDER, found, refused};
use super::{Case, Expected, SELECTOR, key, record, replaced, signed, under, usual, written};

/// The provider that the policy trusts.
const ID: &str = "mx.example.com";
pub(super) const RECEIVED: &str = "Received: from smtp02.mta.salesforce.com by mx.example.com with ESMTPS id 1;\r\n\tWed, 1 Apr 2026 15:08:46 +0000";
pub(super) const PASS: &str = "dkim=pass header.d=salesforce.com header.s=sf2026";

pub(super) fn cases() -> Vec<Case> {
    [shapes(), gates(), either()].concat()
}

pub(super) fn genuine() -> Vec<u8> {
    signed(&written(&usual()))
}

/// Judged by the word of this provider alone; the DNS knows nothing.
pub(super) fn by(id: &str, case: Case) -> Case {
    let policy = json!({ "proof": "authentication-results", "authserv_id": id });
    case.policy(policy).keys(vec![])
}

/// A mail under one field of the trusted provider's.
pub(super) fn with(results: &str, mail: &[u8]) -> Vec<u8> {
    under(&format!("Authentication-Results: {ID}; {results}"), mail)
}

pub(super) fn not_believed(name: &str, reason: &'static str, why: &str, bytes: Vec<u8>) -> Case {
    by(ID, refused(name, reason, why, bytes))
}

/// The usual mail with these results, not believed.
pub(super) fn told(name: &str, reason: &'static str, why: &str, results: &str) -> Case {
    not_believed(name, reason, why, with(results, &genuine()))
}

pub(super) fn word(selector: Option<&str>) -> [Option<&str>; 3] {
    [
        Some("authentication-results"),
        Some("salesforce.com"),
        selector,
    ]
}

/// How the value of a mail's first signature begins.
pub(super) fn beginning(mail: &[u8]) -> String {
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
