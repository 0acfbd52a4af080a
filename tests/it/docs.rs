//! The documentation and the program say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sftoken::consumer::{Field, PRESETS};
use sftoken::ingest::refusal::{NotOurs, Pending, Refusal};
use sftoken::ledger::Event as Recorded;
use sftoken::notify::{Event, EventWord};
use sftoken::verify::{Cause, SOAP_VERSION, Why};

const MAIL: &str = "fixtures/mails/salesforce/text";

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn sftoken(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sftoken"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("HOME", "/nonexistent")
        .output()
        .unwrap()
}

fn printed(arguments: &[&str]) -> String {
    String::from_utf8(sftoken(arguments).stdout).unwrap()
}

/// The rows of the table whose head is given, as cells.
#[track_caller]
fn table(text: &str, head: &str) -> Vec<Vec<String>> {
    let begin = text.find(head).unwrap_or_else(|| panic!("no table {head}"));
    let rows = text[begin..].lines().skip(2);
    let cells = |row: &str| {
        let inside = row.trim_matches('|');
        inside
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.take_while(|row| row.starts_with('|'))
        .map(cells)
        .collect()
}

/// The blocks of a language, in order.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    let inside = |rest: &'t str| rest.split("```").next();
    text.split(fence.as_str())
        .skip(1)
        .filter_map(inside)
        .collect()
}

#[test]
fn readme_has_the_exit_codes_of_the_help() {
    let help = printed(&["--help"]);
    let (_, of_help) = help.split_once("Exit status:\n").unwrap();
    let of_help: Vec<Vec<String>> = of_help
        .lines()
        .map(|line| line.trim().split_once("  ").unwrap())
        .map(|(code, meaning)| vec![code.to_owned(), meaning.trim().to_owned()])
        .collect();
    assert_eq!(table(&text("README.md"), "| code | meaning |"), of_help);
}

#[test]
fn readme_names_every_command_and_no_other() {
    let help = printed(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let of_help: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let rows = table(&text("README.md"), "| command | what it does |");
    let of_readme: Vec<&str> = rows
        .iter()
        .filter_map(|row| row[0].strip_prefix("`sftoken ")?.split([' ', '`']).next())
        .collect();
    assert_eq!(of_readme, of_help);
}

#[test]
fn readme_shows_the_json_that_is_printed() {
    let (mail, keys) = (format!("{MAIL}.eml"), format!("{MAIL}.keys"));
    let printed = printed(&["parse", "--json", "--keys", &keys, &mail]);
    assert_eq!(blocks(&text("README.md"), "json"), [printed.as_str()]);
}

/// The account that a page shows is the one that the command above it prints.
#[track_caller]
fn check_account_shown(page: &str, mail: &str) {
    let (now, keys) = ("2026-04-01T15:30:00Z", format!("{mail}.keys"));
    let mail = format!("{mail}.eml");
    let text = text(page);
    let command = format!("sftoken parse --now {now} --keys {keys} {mail}\n");
    let commands = blocks(&text, "sh");
    assert!(commands.contains(&command.as_str()), "{page}: {command}");
    let printed = printed(&["parse", "--now", now, "--keys", &keys, &mail]);
    let shown = blocks(&text, "text");
    assert_eq!(shown, [printed.as_str()], "{page}: write:\n{printed}");
}

#[test]
fn the_accounts_that_are_shown_are_those_that_are_printed() {
    check_account_shown("README.md", MAIL);
    check_account_shown("docs/trust.md", "fixtures/mails/hostile/token-changed");
}

#[test]
fn every_mark_of_an_account_is_explained() {
    let rows = table(&text("docs/trust.md"), "| mark | meaning |");
    let of_docs: BTreeSet<_> = rows
        .iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    let of_code: BTreeSet<_> = returned_by("src/cli/account/mod.rs", "fn mark(");
    assert_eq!(of_docs, of_code);
}

/// The texts behind the arrows of a function.
#[track_caller]
fn returned_by(path: &str, function: &str) -> BTreeSet<String> {
    let source = text(path);
    let begin = source
        .find(function)
        .unwrap_or_else(|| panic!("{path} has no {function}"));
    let body = source[begin..].split("\n}").next().unwrap_or_default();
    let body = body.split("\n    }\n").next().unwrap_or_default();
    let behind = |line: &str| Some(line.split_once("=> \"")?.1.split_once('"')?.0.to_owned());
    body.lines().filter_map(behind).collect()
}

/// Read from the source, since a mail is kept for reasons that no one value lists.
#[test]
fn every_reason_to_keep_a_mail_is_explained() {
    let mut of_code = BTreeSet::new();
    for (path, function, at_least) in [
        ("src/store/error.rs", "fn as_str(", 7),
        ("src/ledger/error.rs", "fn as_str(", 5),
        ("src/watch/verdict.rs", "fn kind(", 3),
    ] {
        let words = returned_by(path, function);
        assert!(words.len() >= at_least, "{path}: only {words:?}");
        of_code.extend(words);
    }
    let trust = text("docs/trust.md");
    let (_, kept) = trust.split_once("### Of mails that are kept").unwrap();
    let rows = table(kept, "| reason | meaning |");
    let of_docs: BTreeSet<_> = rows
        .iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(of_docs, of_code);
}

/// The first cells of a table, without the marks of code.
#[track_caller]
fn named_in(page: &str, head: &str) -> Vec<Vec<String>> {
    let cells = |cell: String| {
        let names = cell
            .split(", ")
            .map(|name| name.trim_matches('`').to_owned());
        names.collect::<Vec<_>>()
    };
    let rows = table(&text(page), head).into_iter();
    rows.map(|row| row.into_iter().take(2).flat_map(cells).collect())
        .collect()
}

#[test]
fn every_preset_and_field_of_a_consumer_is_listed() {
    let of_code: Vec<Vec<String>> = PRESETS
        .iter()
        .map(|(name, rows)| {
            let names = rows.iter().map(|(name, ..)| *name);
            [*name]
                .into_iter()
                .chain(names)
                .map(str::to_owned)
                .collect()
        })
        .collect();
    let of_docs = named_in("docs/consumers.md", "| preset | variables |");
    assert_eq!(of_docs, of_code);
    let rows = table(&text("docs/consumers.md"), "| field | what |");
    let fields: Vec<&str> = rows.iter().flat_map(|row| row[0].split(", ")).collect();
    let of_code = Field::ALL.map(|field| format!("`{}`", field.word()));
    assert_eq!(fields, of_code);
}

#[test]
fn every_form_of_a_token_is_listed() {
    let help = printed(&["get", "--help"]);
    let (_, values) = help.split_once("Possible values:\n").unwrap();
    let of_help: Vec<String> = values
        .lines()
        .map_while(|line| line.trim().strip_prefix("- ")?.split_once(':'))
        .map(|(form, _)| format!("`--format {form}`"))
        .collect();
    assert!(of_help.len() >= 8, "{of_help:?}");
    let rows = table(&text("docs/consumers.md"), "| form | what is printed |");
    let of_docs: Vec<String> = rows.into_iter().map(|mut row| row.remove(0)).collect();
    assert_eq!(of_docs, of_help);
}

#[test]
fn every_event_and_every_failure_to_tell_it_is_listed() {
    let page = text("docs/after.md");
    let of_docs: Vec<String> = table(&page, "| event | when |")
        .into_iter()
        .map(|mut row| row.remove(0))
        .collect();
    let of_code: Vec<String> = EventWord::ALL
        .iter()
        .map(|word| format!("`{}`", word.as_str()))
        .collect();
    assert_eq!(of_docs, of_code);
    let of_code = returned_by("src/notify/error.rs", "fn as_str(");
    assert!(of_code.len() >= 10, "{of_code:?}");
    let rows = named_in("docs/after.md", "| word | what it means |");
    let of_docs: BTreeSet<String> = rows
        .iter()
        .flat_map(|row| row.iter().filter(|cell| of_code.contains(*cell)))
        .cloned()
        .collect();
    assert_eq!(of_docs, of_code);
}

/// The event that a page shows has the shape that is sent.
#[test]
fn the_event_that_is_shown_fits_the_schema() {
    let page = text("docs/after.md");
    let [shown] = blocks(&page, "json")[..] else {
        panic!("one event is shown");
    };
    let value: serde_json::Value = serde_json::from_str(shown).unwrap();
    crate::schema::check(&crate::schema::schema("event"), &value);
    let read: Event = serde_json::from_value(value).unwrap();
    assert_eq!(
        String::from_utf8(read.json().unwrap()).unwrap(),
        shown.trim_end()
    );
}

#[test]
fn every_sample_of_a_configuration_is_read() {
    for path in [
        "README.md",
        "docs/configuration.md",
        "docs/trust.md",
        "docs/pipelines.md",
        "docs/verification.md",
        "docs/after.md",
    ] {
        let text = text(path);
        let samples = blocks(&text, "toml");
        assert!(!samples.is_empty(), "{path}");
        for sample in samples {
            let read = sftoken::config::load(sample, Path::new(path), []);
            assert!(read.is_ok(), "{path}: {}\n{sample}", read.unwrap_err());
        }
    }
}

#[test]
fn every_reason_is_explained_as_the_program_explains_it() {
    fn rows<R: Copy + std::fmt::Display>(
        all: &[R],
        kind: fn(R) -> &'static str,
        hint: fn(R) -> &'static str,
    ) -> Vec<Vec<String>> {
        let row = |&reason| {
            vec![
                format!("`{}`", kind(reason)),
                reason.to_string(),
                hint(reason).to_owned(),
            ]
        };
        all.iter().map(row).collect()
    }
    let mut of_code = rows(Refusal::ALL, Refusal::kind, Refusal::hint);
    of_code.extend(rows(NotOurs::ALL, NotOurs::kind, NotOurs::hint));
    of_code.extend(rows(Pending::ALL, Pending::kind, Pending::hint));
    let of_docs = table(&text("docs/trust.md"), "| reason | meaning | remedy |");
    let lines: Vec<String> = of_code
        .iter()
        .map(|row| format!("| {} |", row.join(" | ")))
        .collect();
    assert_eq!(of_docs, of_code, "write:\n{}", lines.join("\n"));
}

#[test]
fn every_result_of_a_trial_log_in_is_explained() {
    fn row(kind: &str, meaning: &str, hint: &str) -> Vec<String> {
        vec![format!("`{kind}`"), meaning.to_owned(), hint.to_owned()]
    }
    let page = text("docs/verification.md");
    let refused = Why::ALL;
    let refused = refused
        .iter()
        .map(|why| row(why.kind(), &why.to_string(), why.hint()));
    let unknown = Cause::ALL;
    let unknown = unknown
        .iter()
        .map(|cause| row(cause.kind(), &cause.to_string(), cause.hint()));
    for (head, of_code) in [
        (
            "| refused | meaning | what to do |",
            refused.collect::<Vec<_>>(),
        ),
        ("| not known | meaning | what to do |", unknown.collect()),
    ] {
        let lines: Vec<String> = of_code
            .iter()
            .map(|row| format!("| {} |", row.join(" | ")))
            .collect();
        assert_eq!(table(&page, head), of_code, "write:\n{}", lines.join("\n"));
    }
    // those that may be the token's fault, and the line that is printed
    let against = Why::ALL.iter().filter(|why| why.speaks_against_the_token());
    let against: Vec<String> = against.map(|why| format!("`{}`", why.kind())).collect();
    let listed = format!("| refused: {} | 7 | `false` |", against.join(", "));
    assert!(page.contains(&listed), "{listed}");
    for line in blocks(&page, "json") {
        let value = serde_json::from_str(line).unwrap();
        crate::schema::check(&crate::schema::schema("verification"), &value);
    }
    assert!(page.contains(&format!("version {SOAP_VERSION}")));
}

/// The words behind `sftoken` in a page's samples, one command each, without what another command gets.
fn commands_shown(page: &str) -> Vec<Vec<String>> {
    let text = text(page);
    let samples = [
        blocks(&text, "sh"),
        blocks(&text, "yaml"),
        blocks(&text, "ini"),
    ]
    .concat();
    let lines = samples.iter().flat_map(|sample| sample.lines());
    let commands = lines.flat_map(|line| {
        let mut pieces = line.split("sftoken ");
        let _before = pieces.next();
        pieces
    });
    let words = |command: &str| {
        let end = command
            .find([';', '|', '&', '#', ')'])
            .unwrap_or(command.len());
        let words = command[..end].split_whitespace();
        words
            .take_while(|&word| word != "--")
            .map(str::to_owned)
            .collect()
    };
    commands.map(words).collect()
}

#[test]
fn every_command_of_a_pipeline_is_one() {
    let commands = commands_shown("docs/pipelines.md");
    let mut shown = BTreeSet::new();
    for words in commands {
        let help = printed(&[&words[0], "--help"]);
        assert!(help.contains("Usage: sftoken"), "{words:?}");
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(
                help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
                "{words:?}: {option}"
            );
        }
        shown.insert(words[0].clone());
    }
    let wanted = ["arm", "get", "status", "wait", "watch"].map(str::to_owned);
    assert_eq!(shown, wanted.into());
}

#[test]
fn every_exit_status_of_a_pipeline_has_a_cause() {
    let rows = table(
        &text("docs/pipelines.md"),
        "| exit | cause | the stores | what to do |",
    );
    let of_page: BTreeSet<String> = rows.into_iter().map(|mut row| row.remove(0)).collect();
    let known = table(&text("README.md"), "| code | meaning |");
    let mut known: BTreeSet<String> = known.into_iter().map(|mut row| row.remove(0)).collect();
    known.insert("any".to_owned());
    assert_eq!(of_page, known);
}

#[test]
fn every_event_of_the_audit_trail_is_explained_as_the_program_explains_it() {
    let row = |event: &Recorded| vec![format!("`{event}`"), event.meaning().to_owned()];
    let of_code: Vec<Vec<String>> = Recorded::ALL.iter().map(row).collect();
    let of_docs = table(&text("docs/audit.md"), "| event | meaning |");
    assert_eq!(of_docs, of_code);
}

#[test]
fn every_finding_in_the_audit_trail_is_explained() {
    let of_code = returned_by("src/ledger/trail_broken.rs", "fn kind(");
    assert!(of_code.len() >= 14, "{of_code:?}");
    let rows = table(&text("docs/audit.md"), "| finding | what it can mean |");
    let words = rows.iter().map(|row| row[0].trim_matches('`').to_owned());
    assert_eq!(words.collect::<BTreeSet<_>>(), of_code);
}

#[test]
fn every_file_that_is_linked_exists() {
    for path in [
        "README.md",
        "docs/configuration.md",
        "docs/trust.md",
        "docs/pipelines.md",
        "docs/architecture.md",
        "docs/consumers.md",
        "docs/verification.md",
        "docs/audit.md",
        "docs/after.md",
    ] {
        let base = Path::new(path).parent().unwrap();
        for link in text(path).split("](").skip(1) {
            let target = link.split(')').next().unwrap().split('#').next().unwrap();
            let outside = target.is_empty() || target.contains("://");
            let file = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join(base)
                .join(target);
            assert!(outside || file.exists(), "{path} links {target}");
        }
    }
}

/// A URL with one parameter more.
fn with(url: &str, parameter: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}{parameter}")
}

/// A store's section tells each parameter that the store knows.
#[test]
fn every_parameter_of_a_store_is_explained() {
    let page = text("docs/stores.md");
    for (url, title) in [
        ("vault://host/secret/x", "## Vault and OpenBao\n"),
        ("k8s://jobs/x", "## Kubernetes\n"),
        ("github://acme/jobs/X", "## GitHub Actions\n"),
        ("awssm://eu-west-1/x", "## AWS Secrets Manager\n"),
        (
            "gcsm://acme-jobs/x?credentials=env:X",
            "## Google Cloud Secret Manager\n",
        ),
        (
            "akv://acme-jobs/x?auth=managed-identity",
            "## Azure Key Vault\n",
        ),
    ] {
        let options = sftoken::store::StoreOptions::default();
        let error = sftoken::store::open(&with(url, "nope=1"), &options).unwrap_err();
        let known = error.hint.strip_prefix("known are: ").unwrap();
        let section = &page[page.find(title).unwrap() + title.len()..];
        let section = section.split("\n## ").next().unwrap();
        for name in known.split(", ") {
            assert!(section.contains(&format!("`{name}`")), "{title}{name}");
        }
    }
}
