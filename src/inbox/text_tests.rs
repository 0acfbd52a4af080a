use super::{clean, split_code};

#[test]
fn control_characters_and_steering_ones_are_escaped() {
    assert_eq!(clean("a\x1b[31mb\u{202e}c"), "a\\u{1b}[31mb\\u{202e}c");
    assert_eq!(clean(" Grüße\r\n"), "Grüße");
}

#[test]
fn long_texts_are_cut() {
    assert_eq!(clean(&"x".repeat(500)).chars().count(), 201);
}

#[test]
fn codes_are_taken_from_the_text() {
    assert_eq!(
        split_code("[unavailable] later"),
        (Some("UNAVAILABLE".into()), "later")
    );
    assert_eq!(split_code("[LIMIT x y] z"), (Some("LIMIT".into()), "z"));
    assert_eq!(split_code("no code"), (None, "no code"));
    assert_eq!(split_code("[Error=\"x\"] y"), (None, "[Error=\"x\"] y"));
}
