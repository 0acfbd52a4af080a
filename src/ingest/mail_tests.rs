use super::*;

#[track_caller]
fn check(raw: &[u8], expected: Result<(), Refusal>) {
    assert_eq!(Mail::parse(raw).check_octets(), expected);
}

#[test]
fn fields_are_read_once_with_their_folding() {
    let mail = Mail::parse(b"Subject: one\r\n  two\r\nX-A:b\r\n\r\nbody\r\n");
    let subject = mail.named("SUBJECT").next().unwrap();
    assert_eq!(subject.raw, b"Subject: one\r\n  two\r\n");
    assert_eq!(subject.text().unwrap(), "one  two");
    assert_eq!(mail.fields().len(), 2);
    assert_eq!(mail.body(), b"body\r\n");
    check(mail.raw(), Ok(()));
}

#[test]
fn a_header_alone_can_be_read() {
    let mail = Mail::parse(b"Subject: one\r\nFrom: a@b.example\r\n\r\n");
    assert_eq!(mail.fields().len(), 2);
    assert_eq!(mail.body(), b"");
}

#[test]
fn octets_that_no_server_sends() {
    check(b"A: b\r\n\r\nx\0\r\n", Err(Refusal::BadBytes));
    check(b"A: b\r\n\r\nx\ny\r\n", Err(Refusal::BadBytes));
    check(b"A: b\r\n\r\nx\ry\r\n", Err(Refusal::BadBytes));
    check(b"A: b\r\n\r\nx\r", Err(Refusal::BadBytes));
    check(b"A: b\r\n\r\nx", Ok(()));
}

#[test]
fn headers_that_can_be_read_in_two_ways() {
    for raw in [
        &b"From : a@b.example\r\n\r\n"[..],
        b" A: b\r\n\r\n",
        b"A: b\r\n \r\nB: c\r\n\r\n",
        b"A: b\r\nno colon\r\n\r\n",
        b"Fr\xc3\xb6m: b\r\n\r\n",
        b": b\r\n\r\n",
    ] {
        check(raw, Err(Refusal::HeaderSyntax));
    }
    check(b"A: b\r\nB: c", Err(Refusal::BadStructure));
    check(b"", Err(Refusal::BadStructure));
}

#[test]
fn headers_without_end_are_bounded() {
    let many = format!("{}\r\n", "X: y\r\n".repeat(501));
    check(many.as_bytes(), Err(Refusal::TooManyHeaders));
    let flood = "a:\r\n".repeat(100_000);
    assert!(Mail::parse(flood.as_bytes()).fields().len() <= 4096);
    let long = format!("X: {}\r\n\r\n", "y".repeat(100_000));
    check(long.as_bytes(), Err(Refusal::HeaderTooLong));
}

#[test]
fn encoded_words_are_decoded() {
    let subject = |value: &str| {
        let raw = format!("Subject: {value}\r\n\r\n");
        Mail::parse(raw.as_bytes())
            .named("subject")
            .next()
            .unwrap()
            .decoded()
    };
    assert_eq!(subject("plain").unwrap(), "plain");
    assert_eq!(
        subject("=?UTF-8?Q?Your_new?=\r\n =?utf-8?B?IHRva2Vu?=").unwrap(),
        "Your new token"
    );
    assert_eq!(
        subject("=?ISO-2022-JP?B?GyRCJUghPCUvJXMbKEI=?=").unwrap(),
        "トークン"
    );
}

#[test]
fn dates_as_mailers_write_them() {
    let date = |value: &str| {
        let raw = format!("Date: {value}\r\n\r\n");
        Mail::parse(raw.as_bytes())
            .date()
            .map(|date| date.to_string())
    };
    let noon = Some("2026-04-01T15:08:44Z".to_owned());
    assert_eq!(date("Wed, 1 Apr 2026 15:08:44 +0000 (GMT)"), noon);
    assert_eq!(date("Wed, 01 Apr 2026 17:08:44 +0200"), noon);
    assert_eq!(date("1 Apr 2026 15:08:44 GMT"), noon);
    assert_eq!(date("yesterday"), None);
}

#[test]
fn files_count_as_sent() {
    assert_eq!(as_sent(b"a\nb").as_ref(), b"a\r\nb");
    assert_eq!(as_sent(b"a\r\nb\n").as_ref(), b"a\r\nb\n");
    assert_eq!(as_sent(b"a\rb\n").as_ref(), b"a\rb\n");
    assert_eq!(as_sent(b"a").as_ref(), b"a");
}

#[test]
fn message_ids_lose_their_brackets() {
    let mail = Mail::parse(b"Message-ID: <a@b.example>\r\n\r\n");
    assert_eq!(mail.message_id().unwrap(), "a@b.example");
    assert_eq!(Mail::parse(b"Message-ID:\r\n\r\n").message_id(), None);
}

#[test]
fn subjects_folded_with_tabs_and_words_cut_in_two() {
    let subject = |value: &str| {
        let raw = format!("Subject: {value}\r\n\r\n");
        let mail = Mail::parse(raw.as_bytes());
        mail.named("subject").next().unwrap().decoded().unwrap()
    };
    let plain = "Your new Salesforce security token";
    assert_eq!(subject("Your new Salesforce\r\n\tsecurity token"), plain);
    assert_eq!(
        subject("=?us-ascii?q?Your_new_Sales?=\r\n\t=?US-ASCII*en?Q?force_security_token?="),
        plain
    );
    assert_eq!(
        subject("Your new =?utf-8?B?U2FsZXNmb3JjZQ==?= security token"),
        plain
    );
    // The three octets of one letter in two words.
    assert_eq!(subject("=?UTF-8?B?44I=?= =?utf-8?q?=BB?="), "セ");
    assert_eq!(
        subject("=?cp932?B?g1qDTINFg4qDZYNC?="),
        "セキュリティ".replace("ュ", "ウ")
    );
    assert!(subject("=?utf-8?q?=ff?=").contains('\u{fffd}'));
    for text in ["=?", "a =?b", "=?utf-8?x?a?=", "=?utf-8?q?a"] {
        assert_eq!(subject(text), text);
    }
}

#[test]
fn encoded_words_without_end_take_linear_time() {
    for piece in ["=?", "=?a?q?", "=?a?q?x", "=?utf-8?q?a?=", "=?a?q?a?= "] {
        let raw = format!("Subject: {}\r\n\r\n", piece.repeat(200_000));
        let mail = Mail::parse(raw.as_bytes());
        assert!(mail.named("subject").next().unwrap().decoded().is_some());
    }
}
