use super::*;

/// RFC 8463, appendix A.3: one mail, signed with Ed25519 and with RSA.
const RFC_8463: &str = "\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r
 d=football.example.com; i=@football.example.com;\r
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r
 subject : date : message-id : from : subject : date;\r
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r
 d=football.example.com; i=@football.example.com;\r
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r
 date : message-id : from : subject : date;\r
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r
From: Joe SixPack <joe@football.example.com>\r
To: Suzie Q <suzie@shopping.example.net>\r
Subject: Is dinner ready?\r
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r
Message-ID: <20030712040037.46341.5F8J@football.example.com>\r
\r
Hi.\r
\r
We lost the game.  Are you hungry yet?\r
\r
Joe.\r
";
const ED25519_KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const RSA_KEY: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

/// RFC 6376, appendix A.2, with the key of appendix C: `simple/simple`, and a signer above the author.
const RFC_6376: &str = "\
DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;\r
      c=simple/simple; q=dns/txt; i=joe@football.example.com;\r
      h=Received : From : To : Subject : Date : Message-ID;\r
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB\r
      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut\r
      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV\r
      4bmp/YzhwvcubU4=;\r
Received: from client1.football.example.com  [192.0.2.1]\r
      by submitserver.example.com with SUBMISSION;\r
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)\r
From: Joe SixPack <joe@football.example.com>\r
To: Suzie Q <suzie@shopping.example.net>\r
Subject: Is dinner ready?\r
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r
Message-ID: <20030712040037.46341.5F8J@football.example.com>\r
\r
Hi.\r
\r
We lost the game. Are you hungry yet?\r
\r
Joe.\r
";
const RFC_6376_KEY: &str = "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

/// Verifies the N-th signature of a mail with a key record.
#[track_caller]
fn check(mail: &str, number: usize, record: &str, expected: Result<(), Refusal>) {
    let mail = Mail::parse(mail.as_bytes());
    let field = mail.named("dkim-signature").nth(number).unwrap();
    let signature = Signature::parse(field).unwrap();
    let found = Key::from_records(&[record.to_owned()], &signature)
        .and_then(|key| verify(&mail, &signature, &key));
    assert_eq!(found, expected);
}

#[test]
fn the_examples_of_rfc_8463_verify() {
    check(RFC_8463, 0, ED25519_KEY, Ok(()));
    check(RFC_8463, 1, RSA_KEY, Ok(()));
}

#[test]
fn the_example_of_rfc_6376_verifies() {
    check(RFC_6376, 0, RFC_6376_KEY, Ok(()));
    let blank = RFC_6376.replace("com  [192", "com [192");
    check(&blank, 0, RFC_6376_KEY, Err(Refusal::DkimFailSignature));
}

#[test]
fn simple_forms_forgive_nothing_but_empty_lines_at_the_end() {
    let ended = format!("{RFC_6376}\r\n\r\n");
    check(&ended, 0, RFC_6376_KEY, Ok(()));
    // The value of b= is no part of what is signed, its folding neither.
    let folded = RFC_6376.replace("4bmp/YzhwvcubU4=;", "4bmp/ YzhwvcubU4= ;");
    check(&folded, 0, RFC_6376_KEY, Ok(()));
    for (old, new, expected) in [
        ("Joe.\r\n", "Joe. \r\n", Refusal::DkimFailBody),
        ("game. Are", "game.  Are", Refusal::DkimFailBody),
        ("Subject: Is", "subject: Is", Refusal::DkimFailSignature),
        ("Subject: Is", "Subject:  Is", Refusal::DkimFailSignature),
        (
            "dinner ready",
            "dinner\r\n ready",
            Refusal::DkimFailSignature,
        ),
        ("q=dns/txt;", "q=dns/txt; ", Refusal::DkimFailSignature),
        (
            "i=joe@football",
            "i=jim@football",
            Refusal::DkimFailSignature,
        ),
    ] {
        let changed = RFC_6376.replacen(old, new, 1);
        assert_ne!(changed, RFC_6376, "{old}");
        check(&changed, 0, RFC_6376_KEY, Err(expected));
    }
}

#[test]
fn a_signer_above_the_author_is_not_what_a_strict_key_allows() {
    let strict = RFC_6376_KEY.replace("p=", "t=s; p=");
    check(RFC_6376, 0, &strict, Err(Refusal::DkimKeyRestricted));
    // RFC 8463's names the domain itself
    check(RFC_8463, 1, &RSA_KEY.replace("p=", "t=s; p="), Ok(()));
}

#[test]
fn of_a_name_that_is_signed_once_the_lowest_field_is_the_signed_one() {
    // Why From, Subject and Date must stand once, whatever the signature says of it.
    let above = RFC_6376.replacen("Received: ", "Received: x\r\nReceived: ", 1);
    check(&above, 0, RFC_6376_KEY, Ok(()));
    let below = RFC_6376.replacen("From: ", "received: x\r\nFrom: ", 1);
    check(&below, 0, RFC_6376_KEY, Err(Refusal::DkimFailSignature));
}

#[test]
fn a_changed_body_is_told_from_a_changed_header() {
    let body = RFC_8463.replace("hungry", "thirsty");
    check(&body, 0, ED25519_KEY, Err(Refusal::DkimFailBody));
    let header = RFC_8463.replace("dinner", "supper");
    check(&header, 1, RSA_KEY, Err(Refusal::DkimFailSignature));
}

#[test]
fn relaxed_forms_forgive_white_space_only() {
    let spaced = RFC_8463
        .replace("Subject: Is dinner", "SUBJECT:  Is\r\n\t dinner")
        .replace("game.  Are", "game. \t Are")
        .replace("Joe.\r\n", "Joe. \r\n\r\n \r\n");
    check(&spaced, 0, ED25519_KEY, Ok(()));
    check(&spaced, 1, RSA_KEY, Ok(()));
    let joined = RFC_8463.replace("game.  Are", "game.Are");
    check(&joined, 1, RSA_KEY, Err(Refusal::DkimFailBody));
}

#[test]
fn an_added_field_on_top_is_seen_when_the_name_is_oversigned() {
    // NOTE: fields of a name are taken from the bottom, so the second `subject` in h= takes the new one.
    let doubled = format!("Subject: Another\r\n{RFC_8463}");
    check(&doubled, 0, ED25519_KEY, Err(Refusal::DkimFailSignature));
}

#[test]
fn a_key_record_says_what_it_is_for() {
    let cases = [
        ("v=DKIM1; k=rsa; p=", Refusal::DkimKeyRevoked),
        ("v=DKIM1; k=rsa; t=y; p=MIGf", Refusal::DkimKeyTesting),
        (
            "v=DKIM1; k=rsa; s=tlsrpt; p=MIGf",
            Refusal::DkimKeyRestricted,
        ),
        ("v=DKIM1; k=rsa; h=sha1; p=MIGf", Refusal::DkimKeyRestricted),
        ("v=DKIM1; k=ed25519; p=MIGf", Refusal::DkimKeyRestricted),
        ("v=DKIM1; k=rsa; p=M!Gf", Refusal::DkimKeyMalformed),
        ("v=DKIM1; k=rsa; p=MIGf", Refusal::DkimKeyMalformed),
        ("v=DKIM1; k=rsa", Refusal::DkimKeyMalformed),
        ("v=DKIM1; v=DKIM1; p=MIGf", Refusal::DkimKeyMalformed),
        ("v=DKIM2; k=rsa; p=MIGf", Refusal::DkimKeyMissing),
        ("k=rsa; v=DKIM1; p=MIGf", Refusal::DkimKeyMissing),
    ];
    for (record, refusal) in cases {
        check(RFC_8463, 1, record, Err(refusal));
    }
    let services = RSA_KEY.replace("k=rsa", "k=rsa; s=other:email; h=sha1:sha256; t=s; n=note");
    check(RFC_8463, 1, &services, Ok(()));
}

#[test]
fn several_records_of_one_name_are_no_key() {
    let mail = Mail::parse(RFC_8463.as_bytes());
    let signature = Signature::parse(mail.named("dkim-signature").next().unwrap()).unwrap();
    let records = [ED25519_KEY.to_owned(), ED25519_KEY.to_owned()];
    let found = Key::from_records(&records, &signature).map(|_| ());
    assert_eq!(found, Err(Refusal::DkimKeyMissing));
}

/// The signature field with one tag in another form.
fn parses(change: impl Fn(&str) -> String) -> bool {
    let field = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.com; s=s1; h=from:date; bh=AAAA; b=AAAA\r\n";
    let changed = change(field);
    let mail = format!("{changed}\r\n");
    let mail = Mail::parse(mail.as_bytes());
    Signature::parse(mail.named("dkim-signature").next().unwrap()).is_some()
}

#[test]
fn a_signature_is_read_strictly() {
    assert!(parses(str::to_owned));
    assert!(parses(|field| field.replace("b=AAAA\r\n", "b=AAAA;\r\n")));
    assert!(parses(
        |field| field.replace("; d=", "; i=a@b.example.com; d=")
    ));
    let broken = [
        ("v=1; ", ""),
        ("v=1", "v=2"),
        ("d=example.com", "d=example.com; d=example.org"),
        ("d=example.com", "d=exam\"ple.com"),
        ("d=example.com", "d=.example.com"),
        ("s=s1", "s=s1\0"),
        ("s=s1", "s=s1 s2"),
        ("s=s1", "s=s1."),
        ("s=s1", "s=.."),
        ("s=s1", "s=\"s1\""),
        ("d=example.com", "d=example.com."),
        ("d=example.com", "d=example..com"),
        ("d=example.com", "d=example.com(.evil.example"),
        ("d=example.com", "d=example.com\0.evil.example"),
        ("s1;", "s1; t=x;"),
        ("s1;", "s1; t=20; x=10;"),
        ("s1;", "s1; l=ten;"),
        ("s1;", "s1; i=@example.org;"),
        ("s1;", "s1; i=@badexample.com;"),
        ("s1;", "s1; q=http;"),
        ("s1;", "s1;; "),
        ("c=relaxed/simple", "c=loose"),
        ("h=from:date", "h=from::date"),
        ("bh=AAAA; ", ""),
        ("b=AAAA", "b=A!AA"),
    ];
    for (old, new) in broken {
        assert!(
            !parses(|field| field.replacen(old, new, 1)),
            "{old} -> {new}"
        );
    }
}

/// The canonical form of a field.
fn canonical_field(form: canonical::Form, field: &str) -> String {
    let mail = Mail::parse(field.as_bytes());
    let mut text = Vec::new();
    form.field(&mail.fields()[0], &mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn fields_in_their_canonical_forms() {
    use canonical::Form::{Relaxed, Simple};
    // RFC 6376, 3.4.5
    for (field, relaxed) in [
        ("A: X\r\n", "a:X\r\n"),
        ("B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"),
        ("C:\r\n", "c:\r\n"),
        ("C: \t \r\n", "c:\r\n"),
        ("D:\r\n\t x\r\n", "d:x\r\n"),
        ("E: a=b ; c\t=\td\r\n", "e:a=b ; c = d\r\n"),
        ("F: \u{e9} \u{a0} x\r\n", "f:\u{e9} \u{a0} x\r\n"),
    ] {
        assert_eq!(canonical_field(Relaxed, field), relaxed);
        assert_eq!(canonical_field(Simple, field), field);
    }
}

/// The canonical form of a body.
fn canonical(form: canonical::Form, body: &str) -> String {
    let mut text = Vec::new();
    form.body(body.as_bytes(), |chunk| text.extend(chunk));
    String::from_utf8(text).unwrap()
}

#[test]
fn bodies_in_their_canonical_forms() {
    use canonical::Form::{Relaxed, Simple};
    // RFC 6376, 3.4.5
    assert_eq!(
        canonical(Relaxed, " C \r\nD \t E\r\n\r\n\r\n"),
        " C\r\nD E\r\n"
    );
    assert_eq!(
        canonical(Simple, " C \r\nD \t E\r\n\r\n\r\n"),
        " C \r\nD \t E\r\n"
    );
    // An empty body is CRLF in the simple form and nothing in the relaxed one.
    assert_eq!(canonical(Simple, ""), "\r\n");
    assert_eq!(canonical(Relaxed, ""), "");
    assert_eq!(canonical(Relaxed, " \t\r\n\r\n \t"), "");
    // A missing last line end is added.
    assert_eq!(canonical(Simple, "a"), "a\r\n");
    assert_eq!(canonical(Relaxed, "a \t"), "a\r\n");
    assert_eq!(canonical(Relaxed, "a\r\n\r\n\r\nb"), "a\r\n\r\n\r\nb\r\n");
}
