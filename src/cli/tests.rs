//! The frame: arguments, exit statuses, escaping.

use clap::CommandFactory;

use super::args::Arguments;
use super::exit::{Exit, Failure, HELP};
use super::render::escape;

#[test]
fn the_arguments_hold_together() {
    Arguments::command().debug_assert();
}

#[test]
fn the_table_of_exit_statuses_is_the_truth() {
    let all = [
        Exit::Done,
        Exit::Failed,
        Exit::Usage,
        Exit::Nothing,
        Exit::Refused,
        Exit::Mailbox,
        Exit::Store,
        Exit::Verification,
    ];
    for (number, exit) in all.into_iter().enumerate() {
        assert_eq!(usize::from(exit.code()), number);
        assert!(
            HELP.contains(&format!("\n  {number}  ")),
            "{number} is not in the help"
        );
    }
    assert_eq!(Exit::Signal(15).code(), 143);
    assert_eq!(Exit::Child(42).code(), 42);
}

#[test]
fn a_reader_that_has_gone_is_no_error_to_tell() {
    let failure = Failure::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
    assert_eq!((failure.exit.code(), failure.problem.as_str()), (141, ""));
}

#[test]
fn nothing_in_a_text_can_fool_a_terminal() {
    assert_eq!(escape("Zurücksetzen – 確認"), "Zurücksetzen – 確認");
    assert_eq!(escape("a\u{1b}[2Jb\r\n\t"), "a\\u{1b}[2Jb\\r\\n\\t");
    assert_eq!(
        escape("a\u{202e}b\u{200b}c\u{9b}d"),
        "a\\u{202e}b\\u{200b}c\\u{9b}d"
    );
    assert_eq!(
        escape("\u{e0041}\u{feff}\u{2028}"),
        "\\u{e0041}\\u{feff}\\u{2028}"
    );
}

#[test]
fn json_is_the_same_json_and_safe() {
    let text = "a\u{202e}\u{7f}\"\\\n\u{e0041}é";
    let mut line = Vec::new();
    super::json::line(&mut line, &text).unwrap();
    let line = String::from_utf8(line).unwrap();
    assert_eq!(line, "\"a\\u202e\\u007f\\\"\\\\\\n\\udb40\\udc41é\"\n");
    assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
}
