use super::{encode, quoted};

/// RFC 3501, 5.1.3, and names seen on real servers.
#[test]
fn names_are_encoded_as_the_rfc_shows() {
    for (name, wire) in [
        ("INBOX", "INBOX"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Entwürfe", "Entw&APw-rfe"),
        ("R&D", "R&-D"),
        ("😀", "&2D3eAA-"),
        ("a\r\nb", "a&AA0ACg-b"),
    ] {
        assert_eq!(encode(name), wire);
    }
}

#[test]
fn quotes_and_backslashes_are_escaped() {
    assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
}
