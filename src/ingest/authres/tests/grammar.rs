//! The grammar of RFC 8601, by its own examples and by what providers write.

use proptest::prelude::*;

use super::super::field::{Finding, Results};

/// A field in one line: `ID | method=result name=value … | …`.
fn told(value: &str) -> String {
    let Ok(Results { id, found }) = Results::parse(value.as_bytes()) else {
        return "unreadable".to_owned();
    };
    let finding = |found: Finding| {
        let properties = found.properties.iter();
        let properties: String = properties
            .map(|(name, value)| format!(" {name}={value:?}"))
            .collect();
        format!(" | {}={}{properties}", found.method, found.result)
    };
    id + &found.into_iter().map(finding).collect::<String>()
}

#[track_caller]
fn check(value: &str, expected: &str) {
    assert_eq!(told(value), expected, "{value}");
}

#[test]
fn the_examples_of_rfc_8601() {
    // Appendix B.1 to B.6
    check(" example.org 1; none\r\n", "example.org");
    check(
        " example.com;\r\n\tspf=pass smtp.mailfrom=example.net\r\n",
        "example.com | spf=pass smtp.mailfrom=\"example.net\"",
    );
    check(
        " example.com;\r\n auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n spf=fail smtp.mailfrom=example.net\r\n",
        "example.com | auth=pass smtp.auth=\"sender@example.net\" | spf=fail smtp.mailfrom=\"example.net\"",
    );
    check(
        " example.com;\r\n  dkim=pass reason=\"good signature\"\r\n    header.i=@mail-router.example.net;\r\n  dkim=fail reason=\"bad signature\"\r\n    header.i=@newyork.example.com\r\n",
        "example.com | dkim=pass reason=\"good signature\" header.i=\"@mail-router.example.net\" | dkim=fail reason=\"bad signature\" header.i=\"@newyork.example.com\"",
    );
    // Appendix B.7: comments and folds wherever they may stand
    check(
        " foo.example.net (foobar) 1 (baz);\r\n   dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n     policy (A dot can go here) . (like that) expired\r\n     (this surprised me) = (as I wasn't expecting it) 1362471462\r\n",
        "foo.example.net | dkim=fail policy.expired=\"1362471462\"",
    );
}

#[test]
fn what_providers_write() {
    // Gmail
    check(
        " mx.google.com;\r\n       dkim=pass header.i=@example.com header.s=s1 header.b=\"ab/d+fgh\";\r\n       spf=pass (google.com: domain of a@example.com designates 192.0.2.1 as permitted sender) smtp.mailfrom=a@example.com;\r\n       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.com\r\n",
        "mx.google.com | dkim=pass header.i=\"@example.com\" header.s=\"s1\" header.b=\"ab/d+fgh\" | spf=pass smtp.mailfrom=\"a@example.com\" | dmarc=pass header.from=\"example.com\"",
    );
    // Fastmail
    check(
        " mx4.messagingengine.com;\r\n dkim=pass (2048-bit rsa key sha256) header.d=example.com header.b=ab/d+fgh header.a=rsa-sha256 x-bits=2048;\r\n bimi=pass policy.authority-uri=https://example.com/x.pem;\r\n iprev=pass smtp.remote-ip=2001:db8::1 (mail.example.com)\r\n",
        "mx4.messagingengine.com | dkim=pass header.d=\"example.com\" header.b=\"ab/d+fgh\" header.a=\"rsa-sha256\" x-bits=\"2048\" | bimi=pass policy.authority-uri=\"https://example.com/x.pem\" | iprev=pass smtp.remote-ip=\"2001:db8::1\"",
    );
    // Microsoft behind a server that puts an id in front; Yahoo's comment without a blank, and last `;`
    check(
        " mx.example.com; dmarc=pass action=none header.from=example.com;\r\n dmarc=pass(p=REJECT) header.from=example.com;\r\n",
        "mx.example.com | dmarc=pass action=\"none\" header.from=\"example.com\" | dmarc=pass header.from=\"example.com\"",
    );
    // A bounce has no sender
    check(
        " mx.example.com; spf=neutral smtp.mailfrom=\"\" smtp.helo=\"example.com\"; dkim=none (message not signed)\r\n",
        "mx.example.com | spf=neutral smtp.mailfrom=\"\" smtp.helo=\"example.com\" | dkim=none",
    );
    // The sender's own server, Salesforce's: not of this grammar (seen April 2026)
    check(
        " mx2.mta.salesforce.com x-tls.subject=\"/C=US/CN=x\"; auth=pass (cipher=X)\r\n",
        "unreadable",
    );
}

#[test]
fn nothing_is_smuggled() {
    let spf = |value: &str| format!("mx.example.com | spf=pass smtp.mailfrom={value:?}");
    check(
        "mx.example.com; spf=pass (; dkim=pass header.d=salesforce.com ;) smtp.mailfrom=x",
        &spf("x"),
    );
    check(
        "mx.example.com; spf=pass (a (nested; dkim=pass) \\) comment) smtp.mailfrom=x",
        &spf("x"),
    );
    check(
        "mx.example.com; spf=pass smtp.mailfrom=\"x; dkim=pass header.d=salesforce.com\"",
        &spf("x; dkim=pass header.d=salesforce.com"),
    );
    check(
        "mx.example.com; spf=pass smtp.mailfrom=\"x\\\"; dkim=pass\"@evil.example",
        &spf("x\"; dkim=pass@evil.example"),
    );
    check(
        "mx.example.com; spf=pass smtp.mailfrom=\"x\r\n ;y\"",
        &spf("x ;y"),
    );
    check("mx.example.com; spf=pass smtp.mailfrom=\"x", "unreadable");
    check("mx.example.com; spf=pass (x", "unreadable");
    check("mx.example.com; spf=pass (x\\", "unreadable");
    check("mx.example.com; spf=pass x)", "unreadable");
    check(
        "mx.example.com; spf=pass smtp.mailfrom=\"a\0b\"",
        "unreadable",
    );
}

#[test]
fn a_field_of_parentheses_fills_no_stack() {
    let open = format!("{}a; none", "(".repeat(1 << 20));
    check(&open, "unreadable");
    let closed = format!("{}{} a; none", "(".repeat(1 << 19), ")".repeat(1 << 19));
    check(&closed, "a");
}

/// A blank, and more white space and comments.
fn space() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        " ",
        "\t",
        "\r\n ",
        "\r\n\t",
        "(c)",
        "(a (b; c=d) \\) \")",
        "(;)",
    ]);
    prop::collection::vec(piece, 0..3).prop_map(|pieces| format!(" {}", pieces.concat()))
}

fn keyword() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,3})?".prop_filter("`none` has a meaning", |word| word != "none")
}

/// A value as it is meant, and as it is written.
fn value() -> impl Strategy<Value = (String, String)> {
    let plain = "[a-zA-Z0-9@:/.=+_-]{1,12}".prop_map(|text| (text.clone(), text));
    let quoted = "[ -~]{1,16}".prop_map(|text| {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        (text, format!("\"{escaped}\""))
    });
    prop_oneof![plain, quoted]
}

/// A finding and its text.
fn finding() -> impl Strategy<Value = (Finding, String)> {
    let property = (keyword(), keyword(), value(), space()).prop_map(
        |(ptype, name, (meant, written), space)| {
            let name = format!("{ptype}.{name}");
            ((name.clone(), meant), format!("{space}{name}={written}"))
        },
    );
    let properties = prop::collection::vec(property, 0..4);
    (keyword(), keyword(), space(), properties).prop_map(|(method, result, space, properties)| {
        let (properties, written): (Vec<_>, Vec<String>) = properties.into_iter().unzip();
        let text = format!("{space}{method} ={space}{result}{}", written.concat());
        let finding = Finding {
            method,
            result,
            properties,
        };
        (finding, text)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(
        id in "[a-z0-9.-]{1,20}", version in prop::sample::select(vec!["", " 1", " (v) 1 "]),
        findings in prop::collection::vec(finding(), 0..5), space in space(),
    ) {
        let (found, texts): (Vec<_>, Vec<String>) = findings.into_iter().unzip();
        let results = if texts.is_empty() { " none".to_owned() } else { texts.join(";") };
        let text = format!("{space}{id}{version};{results}{space}\r\n");
        let read = Results::parse(text.as_bytes());
        prop_assert_eq!(read, Ok(Results { id, found }), "{}", text);
    }

    #[test]
    fn any_octets_are_read_or_not(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Results::parse(&octets);
    }

    #[test]
    fn any_pieces_are_read_or_not(pieces in prop::collection::vec(prop::sample::select(vec![
        "mx.example.com", "dkim", "=", "pass", ";", " ", "(", ")", "\"", "\\", ".", "header", "@", "1", "/", "\r\n ", "none", "\u{e9}",
    ]), 0..40)) {
        let text = pieces.concat();
        // What is read says no more than was written.
        if let Ok(results) = Results::parse(text.as_bytes()) {
            prop_assert!(results.found.len() <= text.matches('=').count());
        }
    }
}
