//! `sftoken history`: read, exported, checked.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use sftoken::ledger::{Event, Filter, Record, Source};

use super::at;
use crate::schema::{check, schema};
use crate::support::run::{Ended, Home, Running};
use crate::support::salesforce::{ANN, Keeper, ago, forged, genuine, key_file, new_token};

/// Text that could fool a terminal, a spreadsheet, or whoever splits lines and cells.
const ODD: &str = "=cmd|'x'!A1,\"two\"\r\n\u{1b}[31m\u{202e}é😀";

/// A home in which a token was stored, a forged mail refused, and odd things happened. The tokens.
fn home() -> (Home, [String; 2]) {
    let home = Home::new();
    let keeper = Keeper::in_home(&home);
    let keys = key_file(&home);
    home.configure(&format!(
        "[dns]\nkeys = [\"{keys}\"]\n[store.default]\nurl = \"{}\"\n[[account]]\nusername = \"{ANN}\"\n",
        keeper.url()
    ));
    let tokens = [new_token(), new_token()];
    home.write("good.eml", genuine(ANN, &tokens[0], ago(20)));
    home.write("forged.eml", forged(ANN, &tokens[1], ago(10)));
    home.run(&["replay", "good.eml", "forged.eml"]).check(4);
    let odd = Record {
        username: Some("-odd@acme.example".to_owned()),
        detail: Some(ODD.to_owned()),
        message_id: Some(ODD.to_owned()),
        source: Some(Source::Mailbox {
            mailbox: "@ops".to_owned(),
            folder: ODD.to_owned(),
            uid_validity: 7,
            uid: 1,
        }),
        ..Record::new(at(0), Event::HookFailed)
    };
    home.ledger().note(&odd).unwrap();
    (home, tokens)
}

fn count(home: &Home) -> usize {
    home.ledger().trail(&Filter::default()).unwrap().count()
}

/// The lines of an export, checked by the program that is not ours.
fn by_python(lines: &str, words: &[&str]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/check_trail.py");
    let mut child = Command::new("python3")
        .arg(script)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 must be installed");
    // one that has found something reads no further
    let _ = child.stdin.take().unwrap().write_all(lines.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn export(home: &Home) -> String {
    home.run(&["history", "--json"]).check(0).out
}

#[test]
fn people_read_lines_with_the_newest_last() {
    let (home, _) = home();
    let text = home.run(&["history"]).check(0).out;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].contains("  stored  ") && lines[0].contains(ANN),
        "{text}"
    );
    assert!(
        lines[1].contains("  refused  ") && lines[1].contains("dkim_"),
        "{text}"
    );
    assert!(lines[2].contains("  hook_failed  "), "{text}");
    assert!(lines[2].contains("\\u{1b}[31m\\u{202e}"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
}

#[test]
fn it_tells_only_what_is_asked_for() {
    let (home, _) = home();
    let told = |words: &[&str]| {
        let all = [&["history", "--json"], words].concat();
        let lines = home.run(&all).check(0).json();
        let seq = |line: &Value| line["seq"].as_u64().unwrap();
        lines.iter().map(seq).collect::<Vec<_>>()
    };
    assert_eq!(told(&[ANN]), [1]);
    assert_eq!(told(&["--", "-odd@acme.example"]), [3]);
    assert_eq!(told(&["--limit", "2"]), [2, 3]);
    assert_eq!(told(&["--since", &at(1).to_string()]), [1, 2]);
    assert_eq!(told(&["--until", &at(1).to_string()]), [3]);
    let none = home.run(&["history", "nobody@acme.example"]).check(0);
    assert!(none.out.contains("nothing"), "{}", none.out);
}

#[test]
fn a_terminal_is_shown_the_newest_fifty() {
    let (home, _) = home();
    for second in 0..60 {
        home.ledger().note(&super::noted(second)).unwrap();
    }
    let mut command = home.command("script");
    let program = env!("CARGO_BIN_EXE_sftoken");
    command.args(["-qec", &format!("{program} history"), "/dev/null"]);
    command.env("TERM", "dumb");
    let shown = Running::of(command, b"").end().check(0).out;
    assert_eq!(shown.lines().count(), 50, "{shown}");
    assert!(
        shown
            .lines()
            .last()
            .unwrap()
            .trim_start()
            .starts_with("63 "),
        "{shown}"
    );
    assert_eq!(home.run(&["history"]).check(0).out.lines().count(), 63);
}

#[test]
fn json_lines_are_what_their_schema_says() {
    let (home, _) = home();
    let schema = schema("history");
    let ended = home.run(&["history", "--format", "jsonl"]).check(0);
    assert_eq!(ended.out, export(&home));
    assert!(!ended.out.contains(['\u{1b}', '\u{202e}']));
    let lines = ended.json();
    assert_eq!(lines.len(), 3);
    lines.iter().for_each(|line| check(&schema, line));
    assert_eq!(lines[2]["detail"], ODD);
    assert_eq!(lines[2]["source"]["mailbox"], "@ops");
    let words: Vec<&str> = Event::ALL.iter().map(|event| event.as_str()).collect();
    assert_eq!(schema["properties"]["event"]["enum"], Value::from(words));
}

/// Both exports hold the same, and neither lets a spreadsheet compute.
#[test]
fn csv_and_json_say_the_same() {
    let (home, _) = home();
    let csv = home.run(&["history", "--format", "csv"]).check(0).out;
    assert!(!csv.contains(['\u{1b}', '\u{202e}']), "{csv}");
    assert_eq!(csv.matches("\r\n").count(), 4, "{csv}");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let lines: Vec<Value> = export(&home)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(&lines) {
        let keys = line
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "schema");
        assert!(keys.eq(row.keys()), "{row:?}");
        for (key, cell) in row {
            let value = match &line[key] {
                Value::Null => String::new(),
                Value::Number(number) => number.to_string(),
                Value::String(text) => text.clone(),
                // a place, as people write it
                place => serde_json::from_value::<Source>(place.clone())
                    .unwrap()
                    .to_string(),
            };
            let odd = value.contains('\r') || value.starts_with(['=', '-', '@']);
            assert_eq!(*cell == value, !odd, "{key}: {cell} is not {value}");
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{key}: {cell}"
            );
        }
        let record: Value = serde_json::from_str(&row["record"]).unwrap();
        assert_eq!(record["detail"], line["detail"]);
    }
    assert!(rows[2]["detail"].starts_with("'=cmd"), "{rows:?}");
    assert_eq!(rows[2]["username"], "'-odd@acme.example");
}

#[test]
fn a_whole_trail_gives_the_head_to_write_down() {
    let (home, _) = home();
    let head = home.ledger().trail_head().unwrap().to_string();
    let said = home.run(&["history", "--check"]).check(0).out;
    assert_eq!(said, format!("whole: 3 records, head {head}\n"));
    let anchored = ["history", "--check", "--json", "--anchor", &head];
    let line = home.run(&anchored).check(0).json().remove(0);
    check(&schema("trail_check"), &line);
    assert_eq!(
        (&line["whole"], &line["head"]),
        (&Value::Bool(true), &Value::from(head.as_str()))
    );
    // it has grown since
    home.ledger().note(&super::noted(1)).unwrap();
    home.run(&anchored).check(0);
}

#[test]
fn a_trail_that_was_changed_is_told_and_where() {
    let (home, _) = home();
    let head = home.ledger().trail_head().unwrap().to_string();
    let file = rusqlite::Connection::open(home.path("state/sftoken/ledger.db")).unwrap();
    file.execute_batch("DELETE FROM trail WHERE seq = 2")
        .unwrap();
    let ended = home.run(&["history", "--check"]).check(1);
    assert_eq!(ended.out, "");
    assert!(
        ended.err.contains("records 2 to 2 are missing"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("hint: keep a copy"), "{}", ended.err);
    let line = home
        .run(&["history", "--check", "--json"])
        .check(1)
        .json()
        .remove(0);
    check(&schema("trail_check"), &line);
    assert_eq!(
        (&line["whole"], &line["seq"]),
        (&Value::Bool(false), &Value::from(2))
    );
    assert_eq!(line["finding"], "records_missing");
    // a state folder that was emptied
    std::fs::remove_dir_all(home.path("state/sftoken")).unwrap();
    let gone = home.run(&["history", "--check"]).check(1);
    assert!(gone.err.contains("there is no ledger"), "{}", gone.err);
    home.ledger();
    let ended = home
        .run(&["history", "--check", "--anchor", &head])
        .check(1);
    assert!(ended.err.contains("the trail ends with 0"), "{}", ended.err);
}

/// Whoever spoils the trail keeps no token from its store, and is not passed over.
#[test]
fn a_trail_without_its_end_stops_no_token() {
    let (home, _) = home();
    let file = rusqlite::Connection::open(home.path("state/sftoken/ledger.db")).unwrap();
    file.execute_batch("DELETE FROM trail_ends").unwrap();
    let token = new_token();
    home.write("new.eml", genuine(ANN, &token, ago(1)));
    let ended = home.run(&["replay", "--json", "new.eml"]).check(1);
    assert_eq!(Keeper::in_home(&home).kept(ANN), Some(token));
    let receipt = &ended.json()[0];
    assert_eq!(
        (&receipt["outcome"], &receipt["reason"]),
        (&"undecided".into(), &"ledger_trail".into())
    );
    home.run(&["history", "--check"]).check(1);
}

#[test]
fn words_that_do_not_go_together_are_usage() {
    let home = Home::new();
    for words in [
        ["--anchor", "1:x", "--check"].as_slice(),
        &["--anchor", &format!("1:{}", "0".repeat(64))],
        &["--check", "--limit", "3"],
        &["--check", ANN],
        &["--limit", "0"],
        &["--since", "yesterday"],
        &["--json", "--format", "csv"],
    ] {
        home.run(&[&["history"], words].concat()).check(2);
    }
    assert_eq!(count(&home), 0);
}

/// Whoever has an export recomputes it without us.
#[test]
fn a_stranger_recomputes_an_export() {
    let (home, _) = home();
    let head = home.ledger().trail_head().unwrap().to_string();
    let lines = export(&home);
    let whole = (true, format!("whole: head {head}\n"));
    assert_eq!(by_python(&lines, &[]), whole);
    assert_eq!(by_python(&lines, &[&head]), whole);
    let first = format!(
        "1:{}",
        serde_json::from_str::<Value>(lines.lines().next().unwrap()).unwrap()["hash"]
            .as_str()
            .unwrap()
    );
    assert_eq!(by_python(&lines, &[&first]), whole);
    let without = |number: usize| {
        let kept = lines.lines().enumerate().filter(|(at, _)| *at != number);
        kept.map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    let (other, later) = (
        format!("2:{}", "0".repeat(64)),
        format!("4:{}", "0".repeat(64)),
    );
    for (lines, words, finding) in [
        (without(0), vec![], "begins behind 1:"),
        (without(1), vec![], "record 3 does not follow 1:"),
        (
            without(2),
            vec![head.as_str()],
            "the anchor's record is not there",
        ),
        (lines.replace("dkim_", "dkam_"), vec![], "was changed"),
        (
            lines.replacen("\"event\":\"stored\"", "\"event\":\"refused\"", 1),
            vec![],
            "record 1: a key",
        ),
        (lines.clone(), vec![&other], "record 2 is not the one"),
        (
            lines.clone(),
            vec![&later],
            "the anchor's record is not there",
        ),
    ] {
        let (good, said) = by_python(&lines, &words);
        assert!(!good && said.contains(finding), "{finding}: {said}");
    }
    let soon = home
        .ledger()
        .prune(at(1_000_000_000), at(1_000_000_001))
        .unwrap();
    assert_eq!(soon, 3);
    let after = by_python(&export(&home), &[]);
    assert!(after.0, "{}", after.1);
}

#[test]
fn no_form_of_it_holds_a_token() {
    let (home, tokens) = home();
    let forms: [&[&str]; 5] = [
        &["history"],
        &["history", "--json"],
        &["history", "--format", "csv"],
        &["history", "--check"],
        &["history", "--check", "--json"],
    ];
    for words in forms {
        let Ended { out, err, .. } = home.run(words).check(0);
        for token in &tokens {
            let half = &token[..token.len() / 2];
            assert!(
                !out.contains(half) && !err.contains(half),
                "{words:?}: {out}{err}"
            );
        }
    }
    let fingerprint = sftoken::Token::new(&tokens[0]).unwrap().fingerprint();
    assert!(
        export(&home).contains(fingerprint.as_str()),
        "the search does not work"
    );
}
