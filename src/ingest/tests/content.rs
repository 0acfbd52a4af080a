//! What stands in the body: MIME fields, encodings, parts.

use super::*;

const FOUND: &str = "integration@acme.example@production";

#[test]
fn transfer_encodings_and_charsets() {
    let quoted = TEXT
        .replace(
            "\r\n\r\n",
            "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        )
        .replace("Zq4TnV8s", "Zq4T=\r\nnV=38s");
    assert_eq!(
        word(&format!("{HEAD}{quoted}"), &policy()),
        "integration@acme.example@production"
    );
    let broken = quoted.replace("=38", "=ZZ");
    assert_eq!(word(&format!("{HEAD}{broken}"), &policy()), "decode_error");
}

#[test]
fn views_must_say_the_same() {
    let mail = |plain: &str, html: &str| {
        format!(
            "{HEAD}Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\n{plain}\r\n--b1\r\nContent-Type: text/html\r\n\r\n{html}\r\n--b1--\r\n"
        )
    };
    let plain = format!("Username: integration@acme.example\r\nSecurity token: {TOKEN}");
    let html = format!(
        "<p>Username: <b>integration@acme.example</b><br>Security token: <b>{TOKEN}</b></p>"
    );
    assert_eq!(
        word(&mail(&plain, &html), &policy()),
        "integration@acme.example@production"
    );
    assert_eq!(
        word(&mail(&plain, &html.replace("Zq4", "Zq5")), &policy()),
        "parts_disagree"
    );
    assert_eq!(
        word(&mail("see the HTML", &html), &policy()),
        "parts_disagree"
    );
    let unclosed = mail(&plain, &html).replace("--b1--", "");
    assert_eq!(word(&unclosed, &policy()), "mime_ambiguous");
    let preamble =
        mail(&plain, &html).replace("\r\n\r\n--b1\r\n", &format!("\r\n\r\n{plain}\r\n--b1\r\n"));
    assert_eq!(word(&preamble, &policy()), "token_ambiguous");
}

#[test]
fn content_fields_as_mailers_write_them() {
    let body = TEXT.split_once("\r\n\r\n").unwrap().1;
    for fields in [
        "",
        "Content-Type: TEXT/PLAIN; CHARSET=utf-8\r\n",
        "Content-Type: text/plain; charset=\"UTF-8\"; format=flowed; delsp=no\r\nContent-Transfer-Encoding: 8BIT\r\n",
        "Content-Type: text/plain;\r\n\tcharset=\r\n",
        "Content-Type: text/plain (a remark); charset=us-ascii (another)\r\n",
        "Content-Type: text/plain; charset=ISO8859_1\r\n",
        "Content-Type: text/plain; charset=cp932;\r\nContent-Disposition: inline\r\n",
        "Content-Type: text\r\nContent-Transfer-Encoding: 7Bit \r\n",
        "Content-Transfer-Encoding: Quoted-Printable\r\n",
    ] {
        let mail = with_content(&format!("{fields}\r\n{body}"));
        assert_eq!(word(&mail, &policy()), FOUND, "{fields}");
    }
    for (fields, expected) in [
        (
            "Content-Type: text/plain; charset=a; charset=b\r\n",
            "mime_ambiguous",
        ),
        (
            "Content-Type: text/plain; charset*0=utf; charset*1=-8\r\n",
            "mime_ambiguous",
        ),
        (
            "Content-Type: text/plain; charset=\"utf-8\r\n",
            "mime_ambiguous",
        ),
        (
            "Content-Type: text/plain; name*=utf-8''a.txt\r\n",
            "mime_unexpected",
        ),
        ("Content-Type: message/rfc822\r\n", "mime_unexpected"),
        (
            "Content-Type: multipart/digest; boundary=b\r\n",
            "mime_ambiguous",
        ),
    ] {
        let mail = with_content(&format!("{fields}\r\n{body}"));
        assert_eq!(word(&mail, &policy()), expected, "{fields}");
    }
}

#[test]
fn quoted_printable_as_mailers_write_it() {
    let head = "Content-Transfer-Encoding: quoted-printable\r\n\r\n";
    for body in [
        "User=\r\nname: integration=40acme=\r\n.example\r\nSecurity tok=\r\nen: Zq4TnV8sLw2K= \t\r\ndXb7Rm1YcGf5P  \r\n",
        "=55sername:=20integration@acme.example=20=\r\n\r\nSecurity token=3a Zq4TnV8sLw2KdXb7Rm1YcGf5P=",
    ] {
        assert_eq!(
            word(&with_content(&format!("{head}{body}")), &policy()),
            FOUND,
            "{body}"
        );
    }
    for body in ["= 41", "=4", "=\u{a0}", "=4g"] {
        let mail = with_content(&format!("{head}Username: a@b.example\r\n{body}x\r\n"));
        assert_eq!(word(&mail, &policy()), "decode_error", "{body}");
    }
}

#[test]
fn delimiters_that_only_begin_like_one_are_ambiguous() {
    let body = TEXT.split_once("\r\n\r\n").unwrap().1;
    let mail = |delimiters: [&str; 2]| {
        with_content(&format!(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n{}\r\n\r\n{body}\r\n{}\r\n",
            delimiters[0], delimiters[1]
        ))
    };
    assert_eq!(word(&mail(["--b \t", "--b-- "]), &policy()), FOUND);
    for odd in [["--bc", "--b--"], ["--b", "--b--x"], ["--b", "--b"]] {
        assert_eq!(word(&mail(odd), &policy()), "mime_ambiguous", "{odd:?}");
    }
}

#[test]
fn nested_messages_do_not_exhaust_the_stack() {
    for piece in [
        "Content-Type: message/rfc822\r\n\r\n",
        "Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\n",
        "Content-Type: multipart/mixed; boundary=\"a (\"\r\n\r\n--a (\r\n",
        "Content-Type: text/plain;((((((((((((((\r\n",
    ] {
        let mail = with_content(&piece.repeat(250_000 / piece.len()));
        let _ = word(&mail, &policy());
        let unknown = mail.replace("Your new Salesforce", "Klingon");
        let _ = word(
            &unknown,
            &for_accounts(&[("integration@acme.example", None)]),
        );
    }
}
