use async_imap::imap_proto::{MailboxDatum, Response};

use super::*;

/// The line as the parser sees it.
fn read(line: &str) -> (String, Rev2) {
    let mut rev2 = Rev2::default();
    rev2.begin();
    let read: Vec<u8> = line.bytes().map(|byte| rev2.byte(byte)).collect();
    (String::from_utf8(read).unwrap(), rev2)
}

#[track_caller]
fn check(line: &str, expected: &str) {
    assert_eq!(read(line).0, expected);
}

#[track_caller]
fn check_found(line: &str, expected: Option<&[(u32, u32)]>) {
    let (line, _) = read(&format!("{line}\r\n"));
    let (rest, response) = Response::parse(line.as_bytes()).unwrap();
    assert!(rest.is_empty(), "{line}");
    let Response::Capabilities(words) = response else {
        panic!("{response:?}");
    };
    assert!(is_esearch(&words), "{line}");
    assert_eq!(found(&words).as_deref(), expected, "{line}");
}

#[test]
fn capabilities_are_read_wherever_they_are_told() {
    for (line, expected) in [
        (
            "* CAPABILITY IMAP4rev2 AUTH=PLAIN\r\n",
            "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        ),
        (
            "* OK [CAPABILITY imap4REV2 X] hi\r\n",
            "* OK [CAPABILITY imap4REV1 X] hi\r\n",
        ),
        (
            "S0001 OK [CAPABILITY X IMAP4rev2] hi\r\n",
            "S0001 OK [CAPABILITY X IMAP4rev1] hi\r\n",
        ),
        (
            "* PREAUTH [CAPABILITY IMAP4rev2] hi\r\n",
            "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n",
        ),
    ] {
        check(line, expected);
        assert!(read(line).1.is_only(), "{line}");
    }
}

#[test]
fn a_server_of_both_revisions_speaks_the_first() {
    for line in [
        "* CAPABILITY IMAP4rev1 IMAP4rev2 IDLE\r\n",
        "* CAPABILITY IMAP4rev2 IDLE IMAP4rev1\r\n",
        "* CAPABILITY IMAP4rev1\r\n",
    ] {
        let (read, rev2) = read(line);
        assert!(!rev2.is_only(), "{line}");
        assert!(Response::parse(read.as_bytes()).is_ok(), "{line}");
    }
}

#[test]
fn nothing_else_is_changed() {
    for line in [
        "* 1 FETCH (UID 1 FLAGS ($IMAP4rev2))\r\n",
        "* OK we speak IMAP4rev2 and ESEARCH (TAG \"x\")\r\n",
        "* OK [CAPABILITY IMAP4rev1] CAPABILITY IMAP4rev2\r\n",
        "* OK a [CAPABILITY IMAP4rev2] in a text\r\n",
        "* LIST () \"/\" \"a CAPABILITY IMAP4rev2\"\r\n",
        "* ENABLED CONDSTORE\r\n",
        "* SEARCH 1 2 3\r\n",
        "* 5 EXISTS\r\n",
        "* E\r\n",
    ] {
        check(line, line);
    }
}

#[test]
fn what_a_search_finds_is_read() {
    check_found(
        "* ESEARCH (TAG \"S0003\") UID ALL 2,10:11",
        Some(&[(2, 2), (10, 11)]),
    );
    check_found("* esearch (tag \"S0003\") uid all 11:10", Some(&[(10, 11)]));
    check_found("* ESEARCH (TAG \"S0003\") UID", Some(&[]));
    check_found("* ESEARCH UID ALL 7", Some(&[(7, 7)]));
    check_found("* ESEARCH (TAG \"a b\") UID ALL 7", None);
}

#[test]
fn numbers_of_mails_are_not_taken_for_uids() {
    for line in [
        "* ESEARCH (TAG \"S0003\") ALL 2,10:11",
        "* ESEARCH (TAG \"S0003\")",
        "* ESEARCH",
        "* ESEARCH (TAG \"S0003\") UID ALL 2:*",
        "* ESEARCH (TAG \"S0003\") UID COUNT 5",
        "* ESEARCH (TAG \"S0003\") UID ALL 2 MODSEQ 5",
        "* ESEARCH (TAG \"S0003\") UID ALL 99999999999",
    ] {
        check_found(line, None);
    }
}

/// Some servers tell their capabilities whenever they like.
#[test]
fn capabilities_in_a_search_are_no_result() {
    for line in [
        "* CAPABILITY IMAP4rev1 IDLE\r\n",
        "* CAPABILITY IDLE IMAP4rev2\r\n",
        "* CAPABILITY AUTH=PLAIN IMAP4rev1\r\n",
        "* ENABLED CONDSTORE\r\n",
    ] {
        let (line, _) = read(line);
        let Response::Capabilities(words) = Response::parse(line.as_bytes()).unwrap().1 else {
            panic!("{line}");
        };
        assert!(!is_esearch(&words), "{line}");
    }
}

/// It stands in front of the parser, which knows nothing of ESEARCH.
#[test]
fn the_parser_still_needs_it() {
    let bare = |line: &[u8]| Response::parse(line).is_ok();
    assert!(!bare(b"* ESEARCH (TAG \"S0003\") UID ALL 2\r\n"));
    assert!(!bare(b"* CAPABILITY IMAP4rev2\r\n"));
    let search = Response::parse(b"* SEARCH 2\r\n").unwrap().1;
    assert!(matches!(search, Response::MailboxData(MailboxDatum::Search(uids)) if uids == [2]));
}
