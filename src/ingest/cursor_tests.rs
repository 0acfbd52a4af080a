use super::{Cursor, Plan, Progress, Seen, Why};
use proptest::prelude::*;

fn seen(uid_validity: u32, uid_next: impl Into<Option<u32>>, exists: u32) -> Seen {
    Seen {
        uid_validity,
        uid_next: uid_next.into(),
        exists,
    }
}

fn at(uid_validity: u32, next_uid: u32) -> Cursor {
    Cursor {
        uid_validity,
        next_uid,
    }
}

#[test]
fn a_folder_never_seen_is_rescanned() {
    assert_eq!(
        Cursor::plan(None, seen(1, 5, 4)),
        Plan::Rescan(Why::NeverSeen)
    );
}

#[test]
fn a_known_folder_is_searched_from_the_cursor() {
    assert_eq!(
        Cursor::plan(Some(at(1, 5)), seen(1, 9, 4)),
        Plan::Search { from: 5 }
    );
    assert_eq!(
        Cursor::plan(Some(at(1, 5)), seen(1, 5, 4)),
        Plan::Search { from: 5 }
    );
    // the server does not tell UIDNEXT: nothing speaks against the cursor
    assert_eq!(
        Cursor::plan(Some(at(1, 5)), seen(1, None, 4)),
        Plan::Search { from: 5 }
    );
    // `UID 0:*` would be refused
    assert_eq!(
        Cursor::plan(Some(at(1, 0)), seen(1, 5, 4)),
        Plan::Search { from: 1 }
    );
}

#[test]
fn a_new_incarnation_voids_the_cursor() {
    assert_eq!(
        Cursor::plan(Some(at(1, 5)), seen(2, 9, 4)),
        Plan::Rescan(Why::NewValidity)
    );
    // even one that looks older
    assert_eq!(
        Cursor::plan(Some(at(3, 5)), seen(2, 5, 4)),
        Plan::Rescan(Why::NewValidity)
    );
}

#[test]
fn uidnext_that_went_back_voids_the_cursor() {
    assert_eq!(
        Cursor::plan(Some(at(1, 5)), seen(1, 4, 3)),
        Plan::Rescan(Why::WentBack)
    );
}

#[test]
fn the_baseline_is_the_end() {
    assert_eq!(Cursor::at_end(seen(7, 42, 3)), Some(at(7, 42)));
    assert_eq!(Cursor::at_end(seen(7, None, 0)), Some(at(7, 1)));
    assert_eq!(Cursor::at_end(seen(7, 0, 0)), Some(at(7, 1)));
    assert_eq!(Cursor::at_end(seen(7, None, 3)), None);
}

/// A server may count a mail before it shows it: only a rescan, which takes no UID for granted, relies
/// on UIDNEXT.
#[test]
fn nothing_found_moves_nothing_in_a_search() {
    assert_eq!(
        Progress::of_search(seen(1, 9, 4), 5, &[]).cursor(),
        at(1, 5)
    );
    assert_eq!(
        Progress::of_search(seen(1, None, 4), 5, &[]).cursor(),
        at(1, 5)
    );
    assert_eq!(Progress::of_rescan(seen(1, 9, 4), &[]).cursor(), at(1, 9));
    assert_eq!(
        Progress::of_rescan(seen(1, None, 4), &[]).cursor(),
        at(1, 1)
    );
}

#[test]
fn a_rescan_moves_past_what_is_too_old() {
    let mut progress = Progress::of_rescan(seen(2, 90, 80), &[70, 85]);
    assert_eq!(progress.cursor(), at(2, 70));
    progress.finish(70);
    progress.finish(85);
    assert_eq!(progress.cursor(), at(2, 90));
}

#[test]
fn an_open_mail_holds_the_cursor() {
    let mut progress = Progress::of_search(seen(1, 9, 4), 5, &[5, 6, 8]);
    assert_eq!(progress.cursor(), at(1, 5));
    progress.finish(6);
    progress.finish(8);
    assert_eq!(progress.cursor(), at(1, 5), "5 is open");
    assert_eq!(progress.open().collect::<Vec<_>>(), [5]);
    progress.finish(5);
    assert_eq!(progress.cursor(), at(1, 9));
}

#[test]
fn gaps_are_passed() {
    let mut progress = Progress::of_search(seen(1, 30, 4), 5, &[7, 20]);
    progress.finish(7);
    assert_eq!(progress.cursor(), at(1, 20));
}

#[test]
fn a_mail_past_uidnext_came_after_examine() {
    let mut progress = Progress::of_search(seen(1, 9, 4), 9, &[9, 10]);
    progress.finish(9);
    assert_eq!(progress.cursor(), at(1, 10));
    progress.finish(10);
    assert_eq!(progress.cursor(), at(1, 11));
}

#[test]
fn what_was_not_found_cannot_be_finished() {
    let mut progress = Progress::of_search(seen(1, 9, 4), 5, &[6, 4]);
    progress.finish(4);
    progress.finish(8);
    assert_eq!(progress.cursor(), at(1, 6));
}

#[test]
fn the_highest_uid_does_not_overflow() {
    let mut progress = Progress::of_search(seen(1, None, 1), 1, &[u32::MAX]);
    progress.finish(u32::MAX);
    assert_eq!(progress.cursor(), at(1, u32::MAX));
}

proptest! {
    /// Whatever is found and finished in whatever order: no open mail is ever passed, and the cursor
    /// only ever moves forward.
    #[test]
    fn no_open_mail_is_passed(
        uids in prop::collection::vec(1u32..100, 0..20),
        finished in prop::collection::vec(1u32..100, 0..40),
        from in 0u32..50,
        next in prop::option::of(0u32..120),
    ) {
        let mut progress = Progress::of_search(seen(1, next, 9), from, &uids);
        let mut last = progress.cursor().next_uid;
        prop_assert!(last >= from);
        for uid in finished {
            progress.finish(uid);
            let now = progress.cursor().next_uid;
            prop_assert!(now >= last);
            prop_assert!(progress.open().all(|open| open >= now));
            last = now;
        }
    }
}
