use super::*;

#[track_caller]
fn check(text: &str, own: &[&str]) {
    let mut quotes = Quotes::default();
    let found: Vec<&str> = text.lines().filter(|line| quotes.is_own(line)).collect();
    let filled: Vec<&str> = found.into_iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(filled, own, "{text}");
}

#[test]
fn what_stands_behind_a_forwards_mark_is_not_the_mails_own() {
    for mark in [
        "-----Original Message-----",
        "-----Ursprüngliche Nachricht-----",
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "Anfang der weitergeleiteten Nachricht:",
        "Début du message réexpédié\u{a0}:",
        "On Wed, 1 Apr 2026 at 17:08, Ann <ann@acme.example> wrote:",
        "Am 1. April 2026 um 17:08 schrieb Ann <ann@acme.example> schrieb:",
        "From: Ann Smith\nSent: Wednesday, April 1, 2026 5:08 PM",
        "*Von:* Ann\n*Gesendet:* Mittwoch",
        "差出人: Ann\n送信日時: 2026年4月1日",
    ] {
        check(
            &format!("Hello.\n\n{mark}\nfar"),
            &match mark.split_once('\n') {
                Some((from, _)) => vec!["Hello.", from],
                None => vec!["Hello."],
            },
        );
    }
}

#[test]
fn what_only_resembles_one_is_text() {
    let text = "---\n-----\nFrom: us to you\nUsername: u@x.example\nSecurity token: abc\nwrote:";
    check(text, &text.lines().collect::<Vec<_>>());
}
