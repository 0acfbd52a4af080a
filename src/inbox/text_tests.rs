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
    let split = |text| {
        let (code, rest) = split_code(text);
        (code.map(|code| (code.word, code.rest)), rest)
    };
    let code = |word: &str, rest: &str| Some((word.to_owned(), rest.to_owned()));
    assert_eq!(
        split("[unavailable] later"),
        (code("UNAVAILABLE", ""), "later")
    );
    assert_eq!(split("[LIMIT x y] z"), (code("LIMIT", "x y"), "z"));
    assert_eq!(split("[MODIFIED 7,9] no"), (code("MODIFIED", "7,9"), "no"));
    assert_eq!(split("no code"), (None, "no code"));
    assert_eq!(split("[Error=\"x\"] y"), (None, "[Error=\"x\"] y"));
}
