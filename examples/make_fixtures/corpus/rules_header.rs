//! Headers and signatures on both sides of each rule: `tests/mutants` switches the rules off one by one,
//! and one of these mails must show it.

use sftoken::testing::sign::{Canonical, Flaw, Signer};

use super::hostile::{genuine, refused, rewritten};
use super::hostile_dkim::resigned;
use super::salesforce::found;
use super::{Case, SELECTOR, key, record, replaced, signed, signed_by, under, usual, written};

const SYNTAX: &str = "RFC 6376, 3.2 and 3.5";

pub(super) fn cases() -> Vec<Case> {
    [senders(), fields(), tags(), keys(), piles(), believed()].concat()
}

fn senders() -> Vec<Case> {
    let why = "auth 1.5: Composition Kills";
    let from = |name: &str, reason: &'static str, from: &str| {
        rewritten(
            name,
            reason,
            why,
            "From: support@salesforce.com <support@salesforce.com>",
            &format!("From: {from}"),
        )
    };
    vec![
        from(
            "from-with-a-blank",
            "from_invalid",
            "supp ort@salesforce.com",
        ),
        from(
            "from-ends-in-a-dot",
            "from_invalid",
            "support.@salesforce.com",
        ),
        from(
            "from-without-a-top-level-domain",
            "from_invalid",
            "support@salesforce",
        ),
        from(
            "from-glued-to-the-domain",
            "from_not_allowed",
            "support@notsalesforce.com",
        ),
        from(
            "from-list-in-the-name",
            "from_invalid",
            "evil@evil.example, <support@salesforce.com>",
        ),
        from(
            "from-quote-inside-a-quote",
            "from_invalid",
            "\"Sales\" force\" <support@salesforce.com>",
        ),
        from(
            "from-name-of-eight-bits",
            "from_invalid",
            "Sàlesforce <support@salesforce.com>",
        ),
    ]
}

fn fields() -> Vec<Case> {
    vec![
        refused(
            "empty-line-of-bare-lf",
            "bad_bytes",
            "auth 1.5: SMTP smuggling",
            replaced(&genuine(), "\r\nSecurity", "\n\nSecurity"),
        ),
        refused(
            "field-without-a-name",
            "header_syntax",
            "RFC 5322, 3.6.8",
            under(": value", &genuine()),
        ),
    ]
}

fn more(name: &str, reason: &'static str, tag: &str) -> Case {
    let tag = tag.to_owned();
    resigned(name, reason, SYNTAX, |signer| signer.more = vec![tag])
}

fn tags() -> Vec<Case> {
    let names = |name: &str, names: Vec<String>| {
        resigned(name, "dkim_malformed", SYNTAX, |signer| {
            signer.fields.extend(names)
        })
    };
    let many: Vec<String> = (0..60).map(|number| format!("x{number}=1")).collect();
    vec![
        more("signature-by-another-query", "dkim_malformed", "q=http/get"),
        more(
            "signature-with-a-length-in-words",
            "dkim_malformed",
            "l=all",
        ),
        more("signature-made-at-no-time", "dkim_malformed", "t=now"),
        more(
            "signature-with-a-hyphen-in-a-tag",
            "dkim_malformed",
            "x-y=1",
        ),
        more(
            "signature-with-eight-bits-in-a-tag",
            "dkim_malformed",
            "z=é",
        ),
        more(
            "signature-for-a-glued-domain",
            "dkim_malformed",
            "i=@notsalesforce.com",
        ),
        resigned("signature-of-70-tags", "dkim_malformed", SYNTAX, |signer| {
            signer.more = many
        }),
        names("signature-with-an-empty-field-name", vec![String::new()]),
        names(
            "signature-with-a-blank-in-a-field-name",
            vec!["X Y".to_owned()],
        ),
        names(
            "signature-of-260-fields",
            (0..260).map(|n| format!("X-{n}")).collect(),
        ),
    ]
}

fn keys() -> Vec<Case> {
    let rsa = key("rsa-2048").public();
    let keyed = |name: &str, reason: &'static str, value: &str| {
        refused(name, reason, "RFC 6376, 3.6.1", genuine()).keys(vec![record(
            "salesforce.com",
            SELECTOR,
            value,
        )])
    };
    let ed25519 = key("ed25519");
    let signer = Signer::new(&ed25519, "salesforce.com", SELECTOR);
    let short = record("salesforce.com", SELECTOR, "v=DKIM1; k=ed25519; p=AAAA");
    vec![
        keyed(
            "key-of-version-2",
            "dkim_key_missing",
            &format!("v=DKIM2; k=rsa; p={rsa}"),
        ),
        keyed(
            "key-whose-version-stands-second",
            "dkim_key_missing",
            &format!("k=rsa; v=DKIM1; p={rsa}"),
        ),
        refused(
            "ed25519-key-of-three-octets",
            "dkim_key_malformed",
            "RFC 8463, 4",
            signer.sign(&written(&usual())),
        )
        .keys(vec![short]),
    ]
}

/// Several signatures, of which one would do.
fn piles() -> Vec<Case> {
    let mail = written(&usual());
    let by = |selector: &str, mail: &[u8], flaw: Flaw| {
        signed_by(mail, |signer| {
            (signer.selector, signer.flaw) = (selector.to_owned(), flaw);
        })
    };
    let record_of =
        |selector: &str| record("salesforce.com", selector, &key("rsa-2048").dns_record());
    let fourth = ["s3", "s2", "s1"]
        .iter()
        .fold(by(SELECTOR, &mail, Flaw::None), |mail, selector| {
            by(selector, &mail, Flaw::Signature)
        });
    let broken = by(SELECTOR, &mail, Flaw::BodyHash);
    let part = signed_by(&by(SELECTOR, &mail, Flaw::None), |signer| {
        signer.length = Some(10);
    });
    let foreign = signed_by(&broken, |signer| signer.domain = "relay.example".to_owned());
    vec![
        refused(
            "right-signature-is-the-fourth",
            "dkim_too_many",
            "auth 2.1: three questions; that one was left out is more telling than that three fail",
            fourth,
        )
        .keys(["s1", "s2", "s3", SELECTOR].map(record_of).to_vec()),
        found(
            "signature-of-a-part-on-top-of-a-whole-one",
            "RFC 6376, 6.1: any that holds",
            part,
            &usual(),
        ),
        refused(
            "relays-signature-on-top-of-a-broken-one",
            "dkim_fail_body",
            "auth 2.1",
            foreign,
        ),
        refused(
            "relays-unreadable-signature-on-top-of-a-broken-one",
            "dkim_fail_body",
            "auth 2.1",
            under("DKIM-Signature: v=1; d=relay.example; relay", &broken),
        ),
    ]
}

fn believed() -> Vec<Case> {
    let why = "RFC 6376, 3.4 and 5.4";
    let mut blanks = usual();
    blanks.text = Some(format!(
        "{}Two  blanks, a \t tab, and blanks at the end \t \r\n\r\n\r\n \t\r\n\r\n",
        blanks.plain_text()
    ));
    let relaxed = |mail: &[u8], change: &dyn Fn(&mut Signer<'_>)| {
        signed_by(mail, |signer| {
            signer.body = Canonical::Relaxed;
            change(signer);
        })
    };
    let noted = [b"Comments: one\r\n".as_slice(), &written(&usual())].concat();
    let noted = signed_by(&noted, |signer| signer.fields.push("Comments".to_owned()));
    let short = signed_by(&written(&blanks), |signer| {
        signer.template = Some(format!(
            " v=1; a=rsa-sha256; c=relaxed; d=salesforce.com; s={SELECTOR}; h={}; bh={{bh}}",
            signer.fields.join(":")
        ));
    });
    vec![
        found(
            "blanks-in-a-relaxed-body",
            why,
            relaxed(&written(&blanks), &|_| ()),
            &usual(),
        ),
        found("signature-without-a-form-of-the-body", why, short, &usual()),
        found(
            "signed-field-once-more-on-top",
            why,
            under("Comments: two", &noted),
            &usual(),
        ),
        found(
            "signature-signed-as-absent",
            why,
            signed_by(&written(&usual()), |signer| {
                signer.fields.push("DKIM-Signature".to_owned())
            }),
            &usual(),
        ),
        found(
            "date-with-another-zone",
            "RFC 5322, 3.3",
            {
                let mail = written(&usual());
                signed(&replaced(&mail, "15:08:44 +0000 (GMT)", "17:08:44 +0200"))
            },
            &usual(),
        ),
    ]
}
