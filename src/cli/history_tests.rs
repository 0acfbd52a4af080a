use super::*;
use crate::ingest::policy::Org;
use crate::ingest::token::Fingerprint;
use crate::ledger::{Record, Source};

fn shown(record: &Record, style: Style) -> String {
    let entry = Entry {
        seq: 12,
        record: record.clone(),
        text: String::new(),
        prev: String::new(),
        hash: String::new(),
    };
    let mut out = Vec::new();
    line(&mut out, &entry, style).unwrap();
    String::from_utf8(out).unwrap()
}

fn record(event: Event) -> Record {
    Record::new("2026-11-23T10:00:00.25Z".parse().unwrap(), event)
}

#[test]
fn a_line_tells_what_is_known() {
    let full = Record {
        username: Some("integration@acme.example".to_owned()),
        org: Some(Org::Sandbox),
        fingerprint: Some(Fingerprint::from_text("0123456789abcdef")),
        source: Some(Source::File {
            file: "x.eml".to_owned(),
        }),
        slot: Some("keyring://sftoken/x".to_owned()),
        reason: Some("a_word".to_owned()),
        detail: Some("more".to_owned()),
        ..record(Event::Stored)
    };
    let expected = "    12  2026-11-23T10:00:00Z  stored                integration@acme.example (sandbox)  \
        a_word  more  token 0123456789abcdef  in keyring://sftoken/x  from x.eml\n";
    assert_eq!(shown(&full, Style::PLAIN), expected);
    let bare = "    12  2026-11-23T10:00:00Z  armed                 -\n";
    assert_eq!(shown(&record(Event::Armed), Style::PLAIN), bare);
}

#[test]
fn nothing_in_a_line_moves_the_cursor() {
    let odd = "a\u{1b}[2Jb\r\n\u{202e}c".to_owned();
    let record = Record {
        username: Some(odd.clone()),
        slot: Some(odd.clone()),
        reason: Some(odd.clone()),
        detail: Some(odd.clone()),
        source: Some(Source::File { file: odd }),
        ..record(Event::Refused)
    };
    let line = shown(&record, Style::PLAIN);
    assert_eq!(
        line.matches("a\\u{1b}[2Jb\\r\\n\\u{202e}c").count(),
        5,
        "{line}"
    );
    assert!(
        !line
            .trim_end_matches('\n')
            .contains(super::super::render::is_unsafe)
    );
}

#[test]
fn what_went_wrong_stands_out() {
    let painted = |event| shown(&record(event), Style::COLOURED).contains('\u{1b}');
    assert!(painted(Event::Refused) && painted(Event::Stored) && painted(Event::HookFailed));
    assert!(!painted(Event::NotOurs));
}
