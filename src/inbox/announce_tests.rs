use super::{Within, announced, is_expected};

#[track_caller]
fn check(piece: &str, within: Within, expected: Option<Within>) {
    assert_eq!(is_expected(piece.as_bytes(), within), expected, "{piece}");
}

#[test]
fn sizes() {
    assert_eq!(announced(b"x {12}"), Some(12));
    assert_eq!(announced(b"{0}"), Some(0));
    assert_eq!(announced(b"{99999999999999999999999}"), Some(u64::MAX));
    for none in ["{12+}", "{}", "{12} ", "12}", "{1a}", ""] {
        assert_eq!(announced(none.as_bytes()), None, "{none}");
    }
}

#[test]
fn what_we_ask_for_is_expected() {
    for piece in [
        "* 1 FETCH (BODY[] {10}",
        "* 1 FETCH (UID 7 BODY[] {10}",
        "* 1 fetch (uid 7 rfc822.size 10 internaldate \" 5-Nov-2026 10:00:00 +0000\" body[header.fields (from subject)] {10}",
        "* 1 FETCH (UID 7 INTERNALDATE NIL BODY[] {10}",
        "* 1 FETCH (FLAGS (\\Seen $x) MODSEQ (5) UID 7 BODY[]<0> {10}",
        "* 1 FETCH (BODY[HEADER] NIL BODY[] {10}",
    ] {
        check(piece, Within::Start, Some(Within::Fetch));
    }
    check(" BODY[] {10}", Within::Fetch, Some(Within::Fetch));
    check(" UID 7 BODY[] {10}", Within::Fetch, Some(Within::Fetch));
    check(
        "* LIST (\\HasNoChildren) \"/\" {7}",
        Within::Start,
        Some(Within::Name),
    );
    check("* LIST () \"\\\\\" {7}", Within::Start, Some(Within::Name));
    check("* LIST () NIL {7}", Within::Start, Some(Within::Name));
    check("* STATUS {7}", Within::Start, Some(Within::Name));
}

/// Each of these is text, or part of an unknown value, to imap-proto.
#[test]
fn what_the_parser_could_read_differently_is_not() {
    for piece in [
        "* OK hello {500}",
        "A0001 OK BODY[] {500}",
        "+ {500}",
        "* 1 FETCH (X {500}",
        "* 1 FETCH (X x{500}",
        "* 1 FETCH (X (a BODY[] {500}",
        "* 1 FETCH (X a\" Y (b\" BODY[] {500}",
        "* 1 FETCH (BODY[FOO (x] {500}",
        "* 1 FETCH (BODYSTRUCTURE (\"TEXT\" {500}",
        "* 1 FETCH (FLAGS (a (b) BODY[] {500}",
        "* OK [BADCHARSET ({500}",
        "* LIST (\\x) \"/\" \"a {500}",
        "* ID (\"name\" {500}",
        " BODY[] {10}",
    ] {
        check(piece, Within::Start, None);
    }
    check(" x {500}", Within::Name, None);
    check("BODY[] {10}", Within::Fetch, None);
}
