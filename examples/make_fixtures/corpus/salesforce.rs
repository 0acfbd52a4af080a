//! Mails as Salesforce sends them, or may be expected to.

use sftoken::testing::fixture::{Encoding, Language, Structure, Subject, TokenMail};
use sftoken::testing::sign::{Canonical, Flaw, Signer};

use super::{
    Case, Expected, SELECTOR, SENT, TOKEN, USER, key, record, replaced, signed, signed_by, under,
    usual, written,
};

const FOLDER: &str = "salesforce";

pub(super) fn cases() -> Vec<Case> {
    [
        forms(),
        subjects(),
        senders(),
        texts(),
        lengths(),
        signatures(),
        transport(),
    ]
    .concat()
}

pub(super) fn found(name: &str, why: &str, bytes: Vec<u8>, mail: &TokenMail) -> Case {
    let org = if mail.sandbox {
        "sandbox"
    } else {
        "production"
    };
    let expected = Expected::Found(mail.username.clone(), org, mail.token.clone());
    Case::new(FOLDER, name, why, bytes, expected).accounts(&[&mail.username])
}

/// The usual mail, changed, signed as usual.
pub(super) fn case(name: &str, why: &str, change: impl FnOnce(&mut TokenMail)) -> Case {
    let mut mail = usual();
    change(&mut mail);
    found(name, why, signed(&written(&mail)), &mail)
}

fn formed(name: &str, structure: Structure, encoding: Encoding) -> Case {
    let why = "mail 1.1; the MIME form of a token mail was not seen (mail 1.5)";
    case(name, why, |mail| {
        mail.structure = structure;
        mail.encoding = encoding;
    })
}

fn forms() -> Vec<Case> {
    use Encoding::{Base64, EightBit, QuotedPrintable, SevenBit, SoftBreak};
    use Structure::{Alternative, Html, Text};
    vec![
        formed("text", Text, SevenBit),
        formed("text-8bit", Text, EightBit),
        formed("text-quoted-printable", Text, QuotedPrintable),
        formed("text-soft-break-in-token", Text, SoftBreak),
        formed("text-base64", Text, Base64),
        formed("html", Html, SevenBit),
        formed("html-quoted-printable", Html, QuotedPrintable),
        formed("html-soft-break-in-token", Html, SoftBreak),
        formed("html-base64", Html, Base64),
        formed("alternative", Alternative, SevenBit),
        formed("alternative-soft-break-in-token", Alternative, SoftBreak),
        formed("alternative-base64", Alternative, Base64),
    ]
}

fn subjects() -> Vec<Case> {
    let ja = |mail: &mut TokenMail| localised(mail, "ja");
    vec![
        case("old-subject", "mail 1.3, 2010 to 2016", |mail| {
            mail.subject = Subject::Old
        }),
        case(
            "oem-subject",
            "mail 1.3, PatronManager's guide; this brand is invented",
            |mail| mail.subject = Subject::Oem("BoxOffice Pro".into()),
        ),
        case(
            "sandbox",
            "mail 1.3: the prefix is certain for the identity mail, inferred here",
            |mail| mail.sandbox = true,
        ),
        case("sandbox-oem", "invented: both forms together", |mail| {
            (mail.sandbox, mail.subject) = (true, Subject::Oem("BoxOffice Pro".into()))
        }),
        case("sandbox-ja", "invented subject, text of mail 1.2", |mail| {
            ja(mail);
            mail.sandbox = true;
            mail.encoding = Encoding::Base64;
        }),
        case(
            "english-subject-over-japanese-text",
            "invented: an org's default language and a user's",
            |mail| {
                ja(mail);
                mail.subject = Subject::Custom("Your new Salesforce security token".into());
                mail.encoding = Encoding::Base64;
            },
        ),
    ]
}

fn senders() -> Vec<Case> {
    let from = |value: &'static str| move |mail: &mut TokenMail| mail.from = value.into();
    let mut developer = usual();
    developer.from = "info@salesforcedevs.com".into();
    let by_developer = signed_by(&written(&developer), |signer| {
        signer.domain = "salesforcedevs.com".into()
    });
    let record = record(
        "salesforcedevs.com",
        SELECTOR,
        &key("rsa-2048").dns_record(),
    );
    vec![
        case(
            "from-noreply",
            "mail 1.3, weak source",
            from("Salesforce <noreply@salesforce.com>"),
        ),
        case(
            "from-bare-address",
            "mail 1.3; the plainest form of an address",
            from("support@salesforce.com"),
        ),
        case(
            "from-emea-signed-by-parent",
            "mail 1.3, 2019; signed by the parent domain: inferred",
            from("support@emea.salesforce.com"),
        ),
        case(
            "from-quoted-name",
            "invented: a display name with a comma",
            from("\"Salesforce, Inc.\" <support@salesforce.com>"),
        ),
        found(
            "from-salesforcedevs",
            "mail 1.3, Salesforce's own guide",
            by_developer,
            &developer,
        )
        .keys(vec![record]),
        case(
            "to-someone-else",
            "mail 1.8: a copy for compliance",
            |mail| mail.to = "someone.else@acme.example".into(),
        ),
        case("to-several", "invented", |mail| {
            mail.to = "a@acme.example,\r\n\tB <b@acme.example>".into()
        }),
    ]
}

pub(super) fn localised(mail: &mut TokenMail, code: &str) {
    mail.language = Language::named(code).expect("a language of the table");
}

fn texts() -> Vec<Case> {
    let text = format!(
        "\r\nA sentence.\r\n\r\nUsername： {USER}\r\nSecurity token （case-sensitive）：{TOKEN}\r\n\r\nFor more information.\r\n"
    );
    let html = |body: String| {
        move |mail: &mut TokenMail| {
            mail.structure = Structure::Html;
            mail.html = Some(format!("<html><body>{body}</body></html>\r\n"));
        }
    };
    vec![
        case(
            "text-begins-with-empty-line",
            "mail 1.1: as in a peer's test",
            |mail| mail.text = Some(format!("\r\n{}", mail.plain_text())),
        ),
        case(
            "full-width-colons",
            "invented: half- and full-width forms are mixed in Japanese and Chinese mail",
            |mail| {
                mail.text = Some(text);
                mail.encoding = Encoding::QuotedPrintable;
            },
        ),
        case("empty-line-between", "invented", |mail| {
            mail.text = Some(
                mail.plain_text()
                    .replace("\r\nSecurity", "\r\n\r\nSecurity"),
            )
        }),
        case("blanks-at-line-ends", "invented", |mail| {
            mail.text = Some(mail.plain_text().replace(TOKEN, &format!("{TOKEN}  ")))
        }),
        case(
            "no-final-line-end",
            "invented: some servers drop it; the signature survives (RFC 6376, 3.4.3)",
            |mail| mail.text = Some(mail.plain_text().trim_end().to_owned()),
        ),
        case(
            "html-table",
            "invented: labels and values in cells of one row",
            html(format!(
                "<p>We've sent you a new Salesforce security token.</p><table><tr><td>Username:</td><td>{USER}</td></tr><tr><td>Security token (case-sensitive):</td><td>{TOKEN}</td></tr></table>"
            )),
        ),
        case(
            "html-entities",
            "invented",
            html(format!(
                "<p>Username:&nbsp;integration&#64;acme.example<br/>Security token (case&#x2d;sensitive):&nbsp;{TOKEN}</p>"
            )),
        ),
        case(
            "html-bold-labels",
            "invented",
            html(format!(
                "<div><b>Username:</b> {USER}</div><div><b>Security token (case-sensitive):</b> <span>{TOKEN}</span></div>"
            )),
        ),
        case(
            "html-style-and-script",
            "invented: nothing of these is text",
            html(format!(
                "<style>p {{ color: #333 }}</style><p>Username: {USER}<br>Security token (case-sensitive): {TOKEN}</p>"
            )),
        ),
        case(
            "html-linked-username",
            "invented: clients and gateways link addresses",
            html(format!(
                "<p>Username: <a href=\"mailto:{USER}\">{USER}</a><br>Security token (case-sensitive): {TOKEN}</p>"
            )),
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let token = |length: usize| TOKEN.chars().cycle().take(length).collect::<String>();
    let of =
        |name: &str, why: &str, length: usize| case(name, why, |mail| mail.token = token(length));
    let username = |name: &str, username: &str| {
        case(
            name,
            "mail 1.8: a username has the form of an address",
            |mail| mail.username = username.into(),
        )
    };
    vec![
        of("token-of-15", "mail 1.6: taken with a warning", 15),
        of("token-of-23", "mail 1.6: cannot be excluded", 23),
        of("token-of-24", "mail 1.6: one of eight", 24),
        of("token-of-26", "mail 1.6: cannot be excluded", 26),
        of("token-of-64", "mail 1.6: taken with a warning", 64),
        username("username-of-a-sandbox", "integration@acme.example.uat2"),
        username(
            "username-with-plus",
            "integration+nightly.load@acme.example",
        ),
        username(
            "username-long",
            "a-very-long-name-of-an-integration-user-that-somebody-invented.nightly@subsidiary.acme-widgets.example",
        ),
    ]
}

/// The usual mail, signed in another way.
fn resigned(name: &str, why: &str, change: impl FnOnce(&mut Signer<'_>)) -> Case {
    let mail = usual();
    found(name, why, signed_by(&written(&mail), change), &mail)
}

/// The usual mail, signed with another key.
fn keyed(name: &str, why: &str, key_name: &str, tags: &str) -> Case {
    let (mail, key) = (usual(), key(key_name));
    let bytes = Signer::new(&key, "salesforce.com", SELECTOR).sign(&written(&mail));
    let value = format!("{tags}k={}; p={}", key.kind(), key.public());
    found(name, why, bytes, &mail).keys(vec![record("salesforce.com", SELECTOR, &value)])
}

fn signatures() -> Vec<Case> {
    use Canonical::{Relaxed, Simple};
    let canonical = |name: &str, header, body| {
        resigned(name, "RFC 6376, 3.4", |signer| {
            (signer.header, signer.body) = (header, body)
        })
    };
    let (mail, key) = (usual(), key("rsa-2048"));
    let foreign = Signer::new(&key, "mailer.example", "m1").sign(&signed(&written(&mail)));
    let broken = signed_by(&signed(&written(&mail)), |signer| {
        signer.flaw = Flaw::Signature
    });
    vec![
        canonical("relaxed-relaxed", Relaxed, Relaxed),
        canonical("simple-simple", Simple, Simple),
        canonical("simple-relaxed", Simple, Relaxed),
        resigned("oversigned", "RFC 6376, 8.15", |signer| {
            let twice = [
                "From",
                "From",
                "Subject",
                "Subject",
                "Date",
                "To",
                "Message-ID",
                "Reply-To",
            ];
            signer.fields = twice.map(str::to_owned).to_vec();
        }),
        resigned(
            "signed-and-expiring",
            "auth 1.4: staff mail has x = t + 7 days",
            |signer| {
                (signer.time, signer.expires) = (Some(SENT), Some(SENT + 7 * 86_400));
            },
        ),
        resigned(
            "signer-identity-below",
            "RFC 6376, 3.5: i= may lie below d=",
            |signer| signer.identity = Some("bounce@bnc.salesforce.com".into()),
        ),
        keyed("ed25519", "RFC 8463", "ed25519", "v=DKIM1; "),
        keyed(
            "rsa-1024",
            "auth 1.2: staff mail has such keys",
            "rsa-1024",
            "v=DKIM1; ",
        ),
        keyed(
            "key-without-version",
            "RFC 6376, 3.6.1: v= is optional",
            "rsa-2048",
            "",
        ),
        keyed(
            "key-strict-and-for-mail",
            "RFC 6376, 3.6.1: t=s without i=, s=email, h=sha256",
            "rsa-2048",
            "v=DKIM1; t=s; s=email; h=sha256; n=a note; ",
        ),
        found(
            "foreign-signature-on-top",
            "invented: a gateway signs as well",
            foreign,
            &mail,
        ),
        found(
            "broken-signature-on-top",
            "RFC 6376, 6.1: one that holds is enough",
            broken,
            &mail,
        ),
    ]
}

fn transport() -> Vec<Case> {
    let traces = "Received: from mx.example.com (mx.example.com [192.0.2.1]) by imap.example.com with LMTP;\r\n\tWed, 1 Apr 2026 15:08:46 +0000\r\nAuthentication-Results: mx2-ia6-sp4.mta.salesforce.com x-tls.subject=\"/CN=x\"; auth=pass (cipher=ECDHE)\r\nReceived-SPF: pass";
    let mail = usual();
    let date = |name: &str, date: &str| {
        let bytes = replaced(
            &written(&usual()),
            "Wed, 1 Apr 2026 15:08:44 +0000 (GMT)",
            date,
        );
        found(
            name,
            "RFC 5322, 3.3; the form with a comment is auth 1.2",
            signed(&bytes),
            &usual(),
        )
    };
    vec![
        found(
            "trace-fields-on-top",
            "auth 1.2: two hops and a field that is not RFC 8601",
            under(traces, &signed(&written(&mail))),
            &mail,
        ),
        case("sfdc-fields", "auth 1.2: unsigned hints", |mail| {
            let fields = [
                ("X-SFDC-LK", "00D000000000001"),
                ("X-SFDC-User", "005000000000001"),
                ("X-Sender", "postmaster@salesforce.com"),
                ("X-SFDC-Binding", "1WrIRBV94myi25uB"),
            ];
            mail.extra = fields
                .map(|(name, value)| (name.into(), value.into()))
                .to_vec();
        }),
        case("folded-subject", "RFC 5322, 2.2.3", |mail| {
            mail.subject = Subject::Custom("Your new Salesforce\r\n security token".into())
        }),
        date("date-plain", "Wed, 1 Apr 2026 15:08:44 +0000"),
        date(
            "date-of-another-zone",
            "Wed, 01 Apr 2026 08:08:44 -0700 (PDT)",
        ),
        date("date-without-day-name", "1 Apr 2026 15:08:44 GMT"),
    ]
}
