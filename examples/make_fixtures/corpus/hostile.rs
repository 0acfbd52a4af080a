//! Mails that claim to bring a token, and must not be believed: octets, header, sender, date.

use sftoken::testing::fixture::{Structure, Subject, TokenMail};

use super::{
    Case, Expected, SENT, TOKEN, USER, replaced, signed, signed_by, under, usual, written,
};

const FOLDER: &str = "hostile";

pub(super) fn cases() -> Vec<Case> {
    [octets(), fields(), duplicates(), senders(), dates()].concat()
}

pub(super) fn refused(name: &str, reason: &'static str, why: &str, bytes: Vec<u8>) -> Case {
    Case::new(FOLDER, name, why, bytes, Expected::Refused(reason))
}

/// The usual mail, changed before it is signed.
pub(super) fn case(
    name: &str,
    reason: &'static str,
    why: &str,
    change: impl FnOnce(&mut TokenMail),
) -> Case {
    let mut mail = usual();
    change(&mut mail);
    refused(name, reason, why, signed(&written(&mail)))
}

/// The usual mail, genuine.
pub(super) fn genuine() -> Vec<u8> {
    signed(&written(&usual()))
}

/// The usual mail with one text replaced before it is signed.
pub(super) fn rewritten(name: &str, reason: &'static str, why: &str, old: &str, new: &str) -> Case {
    refused(
        name,
        reason,
        why,
        signed(&replaced(&written(&usual()), old, new)),
    )
}

fn octets() -> Vec<Case> {
    let why = "auth 1.5: SMTP smuggling, NUL in signatures";
    let spliced = |name: &str, old: &str, new: &str| {
        refused(name, "bad_bytes", why, replaced(&genuine(), old, new))
    };
    let big = "This line only makes the mail large.\r\n".repeat(8000);
    vec![
        spliced("nul-in-body", "Username", "\0Username"),
        spliced("nul-in-selector", "s=sf2026", "s=sf\x002026"),
        spliced("bare-cr-in-body", "\r\nSecurity", "\r\rSecurity"),
        spliced("bare-lf-in-body", "\r\nSecurity", "\nSecurity"),
        spliced("bare-lf-in-header", "\r\nTo:", "\nTo:"),
        refused(
            "mixed-line-ends-of-a-peers-test",
            "bad_bytes",
            "mail 1.1: line ends as in a peer's test",
            replaced(&genuine(), &format!("{USER}\r\n"), &format!("{USER}\n")),
        ),
        case(
            "larger-than-any-token-mail",
            "too_large",
            "auth 2.1: gate 0",
            |mail| mail.text = Some(format!("{}{big}", mail.plain_text())),
        ),
    ]
}

fn fields() -> Vec<Case> {
    let many = (0..501)
        .map(|number| format!("X-Field-{number}: x\r\n"))
        .collect::<String>();
    let long = format!("X-Long: {}", "x".repeat(17_000));
    let syntax = "auth 1.5: Composition Kills; RFC 5322, 3.6.8";
    let header_only = |mail: Vec<u8>| {
        let end = mail
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .map_or(mail.len(), |at| at + 2);
        mail[..end].to_vec()
    };
    vec![
        rewritten(
            "blank-before-colon",
            "header_syntax",
            syntax,
            "From:",
            "From :",
        ),
        refused(
            "field-name-folded",
            "header_syntax",
            syntax,
            under("Fr\r\n om: attacker@evil.example", &genuine()),
        ),
        refused(
            "line-without-colon",
            "header_syntax",
            syntax,
            under("This is no field", &genuine()),
        ),
        refused(
            "begins-with-continuation",
            "header_syntax",
            syntax,
            under(" continued: from nothing", &genuine()),
        ),
        refused(
            "blank-continuation",
            "header_syntax",
            syntax,
            replaced(&genuine(), "\r\nTo:", "\r\n \r\nTo:"),
        ),
        refused(
            "more-than-500-fields",
            "too_many_headers",
            "auth 2.1",
            [many.as_bytes(), &genuine()].concat(),
        ),
        refused(
            "field-of-17000-octets",
            "header_too_long",
            "auth 2.1",
            under(&long, &genuine()),
        ),
        refused(
            "no-empty-line-behind-header",
            "bad_structure",
            "auth 2.1",
            header_only(genuine()),
        ),
        refused(
            "no-from",
            "header_missing",
            "auth 2.1",
            signed(&replaced(
                &written(&usual()),
                "From: support@salesforce.com <support@salesforce.com>\r\n",
                "",
            )),
        ),
        refused(
            "no-date",
            "header_missing",
            "auth 2.1: without a date, order is lost",
            signed(&replaced(
                &written(&usual()),
                "Date: Wed, 1 Apr 2026 15:08:44 +0000 (GMT)\r\n",
                "",
            )),
        ),
        case(
            "control-character-in-subject",
            "subject_invalid",
            "auth 1.6",
            |mail| {
                mail.subject =
                    Subject::Custom("=?UTF-8?Q?Your_new_Salesforce_security_token=1B=5B2J?=".into())
            },
        ),
    ]
}

/// A second field above a genuine mail (RFC 6376, 8.15): one program reads the one, another the other.
fn duplicates() -> Vec<Case> {
    let fields = [
        ("from", "From: attacker@evil.example"),
        ("from-same", "From: support@salesforce.com"),
        ("subject", "Subject: Your new Salesforce security token"),
        ("date", "Date: Wed, 1 Apr 2026 15:59:00 +0000"),
        ("to", "To: someone.else@acme.example"),
        (
            "content-type",
            "Content-Type: multipart/mixed; boundary=evil",
        ),
        (
            "content-transfer-encoding",
            "Content-Transfer-Encoding: base64",
        ),
        ("mime-version", "MIME-Version: 1.0"),
        ("message-id", "Message-ID: <another@sfdc.net>"),
    ];
    let mut cases: Vec<Case> = fields
        .iter()
        .map(|(name, field)| {
            refused(
                &format!("duplicate-{name}"),
                "header_duplicate",
                "auth 1.5, RFC 6376, 8.15",
                under(field, &genuine()),
            )
        })
        .collect();
    for name in ["Sender", "Reply-To"] {
        let twice = format!("{name}: a@evil.example\r\n{name}: b@evil.example");
        let name = format!("duplicate-{}", name.to_ascii_lowercase());
        cases.push(refused(
            &name,
            "header_duplicate",
            "auth 2.1",
            under(&twice, &genuine()),
        ));
    }
    cases
}

fn senders() -> Vec<Case> {
    let invalid = |name: &str, from: &str| {
        let from = from.to_owned();
        case(
            name,
            "from_invalid",
            "auth 1.5: Composition Kills; auth 3.1",
            |mail| mail.from = from,
        )
    };
    let other = |name: &str, from: &str, domain: &str| {
        let mut mail = usual();
        from.clone_into(&mut mail.from);
        let bytes = signed_by(&written(&mail), |signer| {
            domain.clone_into(&mut signer.domain)
        });
        refused(
            name,
            "from_not_allowed",
            "auth 1.5: Weak Links; mail 8",
            bytes,
        )
    };
    vec![
        invalid(
            "from-two-addresses",
            "support@salesforce.com, attacker@evil.example",
        ),
        invalid("from-group", "Salesforce: support@salesforce.com;"),
        invalid(
            "from-source-route",
            "<@evil.example:support@salesforce.com>",
        ),
        invalid(
            "from-comment-in-address",
            "support@salesforce.com(.evil.example)",
        ),
        invalid(
            "from-address-in-encoded-word",
            "=?UTF-8?Q?support=40salesforce.com?=",
        ),
        invalid(
            "from-brackets-glued",
            "<attacker@evil.example>support@salesforce.com",
        ),
        invalid(
            "from-quoted-local-part",
            "\"support@salesforce.com\"@evil.example",
        ),
        invalid("from-cyrillic-letter", "support@salesf\u{43e}rce.com"),
        invalid("from-empty", "<>"),
        other(
            "from-sub-domain",
            "support@mail.salesforce.com",
            "salesforce.com",
        ),
        other(
            "from-another-local-part",
            "someone@salesforce.com",
            "salesforce.com",
        ),
        other(
            "from-homoglyph-domain",
            "support@xn--salesfrce-bri.com",
            "xn--salesfrce-bri.com",
        ),
        other(
            "from-longer-domain",
            "support@salesforce.com.evil.example",
            "salesforce.com.evil.example",
        ),
        other(
            "from-display-name-only",
            "\"support@salesforce.com\" <attacker@evil.example>",
            "evil.example",
        ),
    ]
}

fn dates() -> Vec<Case> {
    let date = |name: &str, reason, date: &str| {
        rewritten(
            name,
            reason,
            "auth 1.4: the signed Date orders tokens",
            "Wed, 1 Apr 2026 15:08:44 +0000 (GMT)",
            date,
        )
    };
    vec![
        date(
            "date-tomorrow",
            "date_future",
            "Thu, 2 Apr 2026 15:08:44 +0000",
        ),
        date(
            "date-sixteen-minutes-ahead",
            "date_future",
            "Wed, 1 Apr 2026 16:16:00 +0000",
        ),
        date("date-unreadable", "date_invalid", "yesterday"),
        date(
            "date-of-no-month",
            "date_invalid",
            "Wed, 1 Foo 2026 15:08:44 +0000",
        ),
    ]
}

/// Signed by the usual key with `t=` at the usual time; for other files.
pub(super) fn timed(time: i64, expires: Option<i64>) -> Vec<u8> {
    signed_by(&written(&usual()), |signer| {
        (signer.time, signer.expires) = (Some(SENT + time), expires.map(|after| SENT + after));
    })
}

/// The usual mail as HTML.
pub(super) fn with_html(mail: &mut TokenMail, body: &str) {
    mail.structure = Structure::Html;
    mail.html = Some(format!("<html><body>{body}</body></html>\r\n"));
}

/// The usual two lines in HTML.
pub(super) fn html_block() -> String {
    format!("<p>Username: {USER}<br>Security token (case-sensitive): {TOKEN}</p>")
}
