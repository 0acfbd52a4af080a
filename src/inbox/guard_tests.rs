use super::{Scanner, Violation};
use crate::inbox::Limits;
use proptest::prelude::*;

fn limits() -> Limits {
    Limits {
        max_line: 4000,
        max_literal: 1000,
        max_depth: 16,
        ..Limits::default()
    }
}

/// The verdict on `bytes` in reads of `size` bytes.
fn verdict(bytes: &[u8], size: usize) -> Result<(), Violation> {
    let mut scanner = Scanner::new(&limits());
    let mut bytes = bytes.to_vec();
    bytes
        .chunks_mut(size)
        .try_for_each(|read| scanner.scan(read))
}

#[track_caller]
fn check(bytes: impl AsRef<[u8]>, expected: Result<(), Violation>) {
    let bytes = bytes.as_ref();
    for size in [1, 2, 3, 7, bytes.len().max(1)] {
        assert_eq!(
            verdict(bytes, size),
            expected,
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn what_servers_send_passes() {
    check(
        "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready (((\"\r\nS0001 OK done (0.001 + 0.000 secs).\r\n",
        Ok(()),
    );
    check(
        "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (FROM SUBJECT)] {5}\r\n((((( FLAGS (\\Seen))\r\n",
        Ok(()),
    );
    check("* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n", Ok(()));
    check("* LIST (\\HasNoChildren) \"/\" {3}\r\na\"b\r\n", Ok(()));
    check("* OK this {is no literal\r\n* OK nor {5} this\r\n", Ok(()));
    check("\r\n\r\n", Ok(()));
}

#[test]
fn four_hundred_parentheses_do_not() {
    check(
        format!("* 1 FETCH (BODYSTRUCTURE {}", "(".repeat(400)),
        Err(Violation::TooDeep),
    );
    check("(".repeat(17), Err(Violation::TooDeep));
    check(format!("{}\r\n", "(".repeat(16)), Ok(()));
}

/// Where quotes are read differently, the number of opened parentheses still bounds the nesting.
#[test]
fn closing_does_not_make_room_for_ever() {
    check("()".repeat(41), Err(Violation::TooDeep));
    check(
        format!("{}\r\n{}\r\n", "()".repeat(40), "()".repeat(40)),
        Ok(()),
    );
}

#[test]
fn a_closing_parenthesis_in_quotes_does_not_count() {
    check(
        format!("{}\"{}\"(", "(".repeat(16), ")".repeat(16)),
        Err(Violation::TooDeep),
    );
    check(
        format!("{}\"\\\"{}\"(", "(".repeat(16), ")".repeat(16)),
        Err(Violation::TooDeep),
    );
}

#[test]
fn sizes_are_bounded() {
    check(
        "* 1 FETCH (BODY[] {1001}\r\n",
        Err(Violation::LiteralTooLarge),
    );
    check(
        "* 1 FETCH (BODY[] {99999999999999999999999999}\r\n",
        Err(Violation::LiteralTooLarge),
    );
    check(
        format!("* 1 FETCH (BODY[] {{1000}}\r\n{})\r\n", "x".repeat(1000)),
        Ok(()),
    );
    check("x".repeat(4001), Err(Violation::LineTooLong));
}

/// Literals add up over one response, and start anew with the next.
#[test]
fn a_response_is_bounded_as_a_whole() {
    let literal = |lead: &str| format!("{lead}BODY[] {{1000}}\r\n{}", "x".repeat(1000));
    let many = format!("{}{}", literal("* 1 FETCH ("), literal(" ").repeat(5));
    check(&many, Err(Violation::ResponseTooLarge));
    let apart = format!("{})\r\n", literal("* 1 FETCH (")).repeat(9);
    check(&apart, Ok(()));
}

/// What the guard would skip and the parser would read.
#[test]
fn a_literal_where_the_parser_sees_none_is_refused() {
    let nest = "(".repeat(400);
    for lead in [
        "* OK x {500}",
        "* 1 FETCH (X x{500}",
        "* 1 FETCH (X (a BODY[] {500}",
        "S0001 NO {500}",
    ] {
        check(
            format!("{lead}\r\n* 1 FETCH (BODYSTRUCTURE {nest}"),
            Err(Violation::UnexpectedLiteral),
        );
    }
    // and one whose beginning is too far back to be looked at
    check(
        format!(
            "* 1 FETCH (FLAGS ({}) BODY[] {{500}}\r\n{nest}",
            "x ".repeat(900)
        ),
        Err(Violation::UnexpectedLiteral),
    );
}

/// Lines of the pieces that the guard cares for.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("\r\n".to_owned()),
        Just("\r".to_owned()),
        Just(" {3}\r\n".to_owned()),
        Just("((((((((".to_owned()),
        Just("* 1 FETCH (".to_owned()),
        Just("BODY[] ".to_owned()),
        Just("BODY[] {40}\r\n".to_owned()),
        Just("* LIST () NIL ".to_owned()),
        Just("X ".to_owned()),
        "[ -~]{0,6}",
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    /// A network cuts where it likes.
    #[test]
    fn the_verdict_does_not_depend_on_the_cuts(bytes in stream(), size in 1usize..40) {
        prop_assert_eq!(verdict(&bytes, size), verdict(&bytes, bytes.len().max(1)));
    }

    /// Whatever passes, no line of it outside of literals nests deeper than the limit.
    #[test]
    fn nothing_deeper_passes(bytes in stream()) {
        let mut scanner = Scanner::new(&limits());
        for byte in &bytes {
            let text = scanner.literal_left == 0;
            if scanner.scan(&mut [*byte]).is_err() {
                break;
            }
            prop_assert!(!text || scanner.depth <= 16);
            prop_assert!(scanner.opened <= 40 && scanner.total <= 5000 && scanner.literal_left <= 1000);
            prop_assert!(scanner.piece.len() <= crate::inbox::announce::MAX_PIECE + 1);
        }
    }

    /// What passes does not kill the parser: the property that the guard is for. imap-proto runs on
    /// everything that got through, as async-imap would run it.
    #[test]
    fn what_passes_can_be_parsed_or_refused(bytes in stream()) {
        let mut scanner = Scanner::new(&limits());
        let mut seen = bytes;
        let stopped = seen.iter_mut().position(|byte| scanner.scan(std::slice::from_mut(byte)).is_err());
        let mut rest = &seen[..stopped.unwrap_or(seen.len())];
        while let Ok(Ok((next, _))) = std::panic::catch_unwind(|| async_imap::imap_proto::Response::parse(rest)) {
            rest = next;
        }
    }
}
