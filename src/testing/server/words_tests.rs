use super::*;

fn atom_of(text: &str) -> Word {
    Word::Atom(text.to_owned())
}

#[test]
fn a_command_is_cut_into_words() {
    let raw = b"a1 UID FETCH 1:3,5 (UID BODY.PEEK[HEADER.FIELDS (FROM DATE)]<0.9> \"a\\\"b\") {4}\r\n) \"\r {0}\r\n";
    let expected = [
        atom_of("a1"),
        atom_of("UID"),
        atom_of("FETCH"),
        atom_of("1:3,5"),
        Word::List(vec![
            atom_of("UID"),
            atom_of("BODY.PEEK[HEADER.FIELDS (FROM DATE)]<0.9>"),
            Word::Text(b"a\"b".to_vec()),
        ]),
        Word::Text(b") \"\r".to_vec()),
        Word::Text(Vec::new()),
    ];
    assert_eq!(words(raw).unwrap(), expected);
}

#[test]
fn what_is_no_command_has_no_words() {
    let deep = [b"a ".as_slice(), &[b'('; 400], &[b')'; 400]].concat();
    for raw in [
        b"a (b".as_slice(),
        b"a b)",
        b"a \"b",
        b"a {9}\r\nfew",
        b"a {x}\r\n",
        b"a \xff",
        &deep,
    ] {
        assert_eq!(words(raw), None, "{}", raw.escape_ascii());
    }
}

#[test]
fn a_set_knows_its_numbers_and_the_star() {
    let set = Set::parse("1:3,9,12:*").unwrap();
    let within: Vec<u32> = (1..20).filter(|&number| set.has(number, 11)).collect();
    assert_eq!(within, [1, 2, 3, 9, 11, 12]);
    for text in ["", "0", "1:", "a", "1,,2", "-1"] {
        assert_eq!(Set::parse(text), None, "{text}");
    }
    assert_eq!(set_of(&[1, 2, 3, 7, 9, 10, 5]), "1:3,7,9:10,5");
    assert_eq!(set_of(&[]), "");
}

#[test]
fn a_literal_is_announced_at_the_end_of_a_line() {
    assert_eq!(announces(b"a LOGIN {12}"), Some((12, true)));
    assert_eq!(announces(b"a LOGIN {12+}"), Some((12, false)));
    for line in [b"a {12} ".as_slice(), b"a {}", b"a {+}", b"a {+5}", b"}"] {
        assert_eq!(announces(line), None, "{}", line.escape_ascii());
    }
}
