use super::*;
use crate::ingest::order::Arrival;

const NOON: i64 = 1_764_000_000;

/// A mail that came `second` seconds after noon as the `number`-th of its folder, with token `token`.
fn mail(second: i64, number: u64, token: &str) -> Candidate {
    let date = jiff::Timestamp::from_second(NOON + second).unwrap();
    let arrival = Arrival {
        internal_date: Some(date),
        uid_validity: 1,
        number,
    };
    Candidate {
        rank: Rank { date, arrival },
        fingerprint: Fingerprint::from_text(token),
        message_id: Some(format!("{token}.{second}@mail.example")),
        org: Org::Production,
    }
}

#[track_caller]
fn check(newest: &Candidate, state: State, candidate: &Candidate, expected: Admit) {
    let newest = Newest {
        mail: newest.clone(),
        state,
        receipt: None,
    };
    assert_eq!(admit(Some(&newest), candidate), expected);
}

#[test]
fn the_first_mail_of_a_slot_is_written() {
    let admitted = admit(None, &mail(0, 1, "a"));
    assert_eq!(admitted, Admit::Write);
    assert!(admitted.writes());
}

#[test]
fn a_newer_mail_is_written_whatever_became_of_the_older() {
    check(
        &mail(0, 9, "a"),
        State::Stored,
        &mail(1, 1, "b"),
        Admit::Write,
    );
    check(
        &mail(0, 9, "a"),
        State::Pending,
        &mail(1, 1, "b"),
        Admit::Write,
    );
}

#[test]
fn an_older_mail_never_wins_not_even_over_one_that_failed_to_be_stored() {
    check(
        &mail(1, 1, "b"),
        State::Stored,
        &mail(0, 9, "a"),
        Admit::Superseded,
    );
    check(
        &mail(1, 1, "b"),
        State::Pending,
        &mail(0, 9, "a"),
        Admit::Superseded,
    );
}

#[test]
fn the_same_mail_is_done_once() {
    check(
        &mail(0, 1, "a"),
        State::Stored,
        &mail(0, 1, "a"),
        Admit::AlreadyStored,
    );
    check(
        &mail(0, 1, "a"),
        State::Pending,
        &mail(0, 1, "a"),
        Admit::Retry,
    );
}

#[test]
fn a_copy_in_another_folder_is_the_same_mail() {
    check(
        &mail(0, 1, "a"),
        State::Stored,
        &mail(0, 7, "a"),
        Admit::AlreadyStored,
    );
    check(
        &mail(0, 7, "a"),
        State::Pending,
        &mail(0, 1, "a"),
        Admit::Retry,
    );
}

#[test]
fn mails_of_one_second_go_by_arrival() {
    check(
        &mail(0, 1, "a"),
        State::Stored,
        &mail(0, 2, "b"),
        Admit::Write,
    );
    check(
        &mail(0, 2, "b"),
        State::Stored,
        &mail(0, 1, "a"),
        Admit::Superseded,
    );
    check(
        &mail(0, 1, "a"),
        State::Stored,
        &mail(0, 1, "b"),
        Admit::Superseded,
    );
}

#[test]
fn without_message_ids_date_and_token_tell() {
    let nameless = |second, token| Candidate {
        message_id: None,
        ..mail(second, 1, token)
    };
    check(
        &nameless(0, "a"),
        State::Stored,
        &nameless(0, "a"),
        Admit::AlreadyStored,
    );
    check(
        &nameless(0, "a"),
        State::Stored,
        &nameless(1, "a"),
        Admit::Write,
    );
    check(
        &nameless(0, "a"),
        State::Stored,
        &nameless(0, "b"),
        Admit::Superseded,
    );
}

#[test]
fn a_message_id_alone_does_not_make_the_same_mail() {
    let forged = Candidate {
        message_id: mail(0, 1, "a").message_id,
        ..mail(-5, 1, "b")
    };
    check(&mail(0, 1, "a"), State::Stored, &forged, Admit::Superseded);
}

#[test]
fn the_other_kind_of_org_does_not_share_a_slot() {
    let sandbox = Candidate {
        org: Org::Sandbox,
        ..mail(5, 1, "b")
    };
    check(&mail(0, 1, "a"), State::Stored, &sandbox, Admit::OtherOrg);
    assert!(!Admit::OtherOrg.writes());
}
