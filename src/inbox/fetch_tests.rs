use super::{internal_date, ranges};

#[test]
fn neighbours_become_ranges() {
    for (uids, set) in [
        (&[1][..], "1"),
        (&[1, 2, 3, 7, 9, 10], "1:3,7,9:10"),
        (&[u32::MAX - 1, u32::MAX], "4294967294:4294967295"),
        (&[5, 5, 4], "5,5,4"),
        (&[], ""),
    ] {
        assert_eq!(ranges(uids), set);
    }
}

#[test]
fn internal_dates() {
    for text in [
        " 5-Nov-2026 10:00:00 +0100",
        "05-Nov-2026 09:00:00 +0000",
        "5-nov-2026 04:00:00 -0500",
    ] {
        let date = internal_date(text).map(|t| t.to_string());
        assert_eq!(date.as_deref(), Some("2026-11-05T09:00:00Z"), "{text}");
    }
    for bad in ["", "NIL", "31-Feb-2026 10:00:00 +0000"] {
        assert_eq!(internal_date(bad), None, "{bad}");
    }
}
