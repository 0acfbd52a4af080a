//! Which files are mails, and where a mail of an mbox ends.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::*;

fn stdin(bytes: &[u8]) -> Vec<(String, String)> {
    read(vec!["-".into()], bytes)
}

fn read(paths: Vec<PathBuf>, stdin: &[u8]) -> Vec<(String, String)> {
    mails(paths, stdin)
        .map(|mail| match mail {
            Ok(Item {
                source,
                content: Content::Whole(bytes),
            }) => (source, String::from_utf8(bytes).unwrap()),
            Ok(Item { source, .. }) => (source, "too large".to_owned()),
            Err(error) => (error.path, error.problem),
        })
        .collect()
}

/// Sources relative to a folder.
fn sources(folder: &Path, paths: Vec<PathBuf>) -> Vec<String> {
    let root = format!("{}/", folder.display());
    let all = read(paths, b"").into_iter();
    all.map(|(source, _)| source.strip_prefix(&root).unwrap_or("").to_owned())
        .collect()
}

fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[track_caller]
fn mbox(text: &str, mails: &[&str]) {
    for line_end in ["\n", "\r\n"] {
        let found = stdin(text.replace('\n', line_end).as_bytes());
        let expected = mails.iter().enumerate();
        let expected: Vec<_> = expected
            .map(|(at, mail)| (format!("-#{}", at + 1), mail.replace('\n', line_end)))
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_blank_behind_the_name_of_from_makes_no_mbox() {
    for text in ["From : a@b.example\n\nx\n", "From  \t: a\n\nx\n"] {
        assert_eq!(stdin(text.as_bytes()), [("-".to_owned(), text.to_owned())]);
    }
}

#[test]
fn a_mail_ends_before_the_blank_line_before_the_next() {
    mbox(
        "From a\nX: 1\n\none\n\nFrom b\nX: 2\n\ntwo\n\n",
        &["X: 1\n\none\n", "X: 2\n\ntwo\n"],
    );
}

#[test]
fn blank_lines_inside_a_mail_stay() {
    mbox(
        "From a\nX: 1\n\n\n\none\n\n\nFrom b\nX: 2\n\n\n",
        &["X: 1\n\n\n\none\n\n", "X: 2\n\n"],
    );
}

#[test]
fn quoted_lines_lose_one_arrow() {
    mbox(
        "From a\nX: 1\n\n>From x\n>>From y\n>Fro\n> From\n",
        &["X: 1\n\nFrom x\n>From y\n>Fro\n> From\n"],
    );
}

#[test]
fn a_sentence_that_begins_with_from_is_no_separator() {
    mbox(
        "From a\nX: 1\n\nLine\nFrom now on\n",
        &["X: 1\n\nLine\nFrom now on\n"],
    );
}

#[test]
fn a_whole_separator_counts_without_a_blank_line() {
    let text = "From a\nX: 1\n\none\nFrom a@b.example Mon Nov 23 10:00:00 2026\nX: 2\n";
    mbox(text, &["X: 1\n\none\n", "X: 2\n"]);
}

#[test]
fn an_mbox_without_a_last_line_end() {
    mbox("From a\nX: 1\n\none", &["X: 1\n\none"]);
}

#[test]
fn one_mail_on_standard_input() {
    assert_eq!(
        stdin(b"X: 1\n\nFrom here\n"),
        [("-".to_owned(), "X: 1\n\nFrom here\n".to_owned())]
    );
    assert_eq!(
        stdin(b""),
        [("-".to_owned(), "the file is empty".to_owned())]
    );
    assert_eq!(stdin(b"Fro"), [("-".to_owned(), "Fro".to_owned())]);
    let twice = read(vec!["-".into(), "-".into()], b"X: 1\n\n");
    assert_eq!(twice[1].1, "standard input is read once only");
}

#[test]
fn folders_are_walked_by_name_and_other_files_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for name in [
        "b.eml",
        "a.EML",
        "c/d.eml",
        "README",
        "b.keys",
        "x.json",
        ".hidden/e.eml",
    ] {
        put(at, name, "X: 1\n\n");
    }
    put(at, "letter.txt", "From my house, with love\n");
    put(
        at,
        "box",
        "From a@b.example Mon Nov 23 10:00:00 2026\nX: 1\n\n",
    );
    put(at, "m/cur/1:2,S", "X: 1\n\n");
    put(at, "m/new/2", "X: 1\n\n");
    put(at, "m/tmp/3.eml", "X: 1\n\n");
    put(at, "m/.Sent/cur/4", "X: 1\n\n");
    let found = sources(at, vec![at.to_owned()]);
    let expected = [
        "a.EML",
        "b.eml",
        "box#1",
        "c/d.eml",
        "m/.Sent/cur/4",
        "m/cur/1:2,S",
        "m/new/2",
    ];
    assert_eq!(found, expected);
    assert_eq!(sources(at, vec![at.join("m/cur")]), ["m/cur/1:2,S"]);
    assert_eq!(
        sources(at, vec![at.join("README")]),
        ["README"],
        "a file that is named is read"
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_back_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    put(at, "a/x.eml", "X: 1\n\n");
    std::os::unix::fs::symlink(at, at.join("a/back")).unwrap();
    std::os::unix::fs::symlink(at.join("none"), at.join("a/nowhere.eml")).unwrap();
    assert_eq!(sources(at, vec![at.to_owned()]), ["a/x.eml"]);
}

#[test]
fn errors_name_the_path_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    put(at, "empty.eml", "");
    put(at, "good.eml", "X: 1\n\n");
    put(at, "none/README", "x");
    let paths = ["missing", "empty.eml", "none", "good.eml"].map(|name| at.join(name));
    let problems: Vec<String> = read(paths.to_vec(), b"")
        .into_iter()
        .map(|(_, what)| what)
        .collect();
    let expected = [
        "no such file or folder",
        "the file is empty",
        "the folder holds no mails",
        "X: 1\n\n",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_huge_mail_is_never_held_whole() {
    let huge = (MAX_MAIL + 1) as u64;
    let check = |first: &[u8], size: u64| {
        let from = first.chain(io::repeat(b'x').take(size - first.len() as u64));
        let mut found = mails(vec!["-".into()], from);
        let content = found.next().unwrap().unwrap().content;
        assert!(found.next().is_none());
        content
    };
    let Content::TooLarge { head, size } = check(b"X: 1\n\n", huge) else {
        panic!("held whole");
    };
    assert_eq!((head.len(), size), (HEAD, huge));
    let separator = b"From a\n";
    let Content::TooLarge { head, size } = check(separator, huge + 7 + 64 * 1024) else {
        panic!("held whole");
    };
    assert_eq!((head.len(), size), (HEAD, huge + 64 * 1024));
    assert!(matches!(
        check(b"X: 1\n\n", MAX_MAIL as u64),
        Content::Whole(_)
    ));
}
